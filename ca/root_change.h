/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One root after another (RFC 4210 4.4): the new root has the old one's name and another key, and
 * each certifies the other. Whoever trusts one of the two finds a way to what the other has issued.
 * Pure.
 */
#ifndef CA_ROOT_CHANGE_H
#define CA_ROOT_CHANGE_H

#include "ca/issue.h"

/* "New with new": the self-signed successor of `old` for `key`, with its name. It must be the old
 * one's: the old root allows one CA below it (its path length), and only a certificate of the
 * issuer's own name is not counted (RFC 5280 6.1.4 l). It begins after the old one did. The caller
 * frees *out. ERR_INVALID, ERR_CRYPTO. */
int ca_root_succeed(enum ca_kind kind, X509 *old, EVP_PKEY *key, int64_t now_ms,
		    X509 **out) MUST_USE;

/* The key of `subject` certified by `issuer`: "new with old" and "old with new". In force from the
 * subject's beginning to the end of the one that ends first. The caller frees *out. ERR_EXPIRED:
 * one has ended. ERR_CRYPTO. */
int ca_root_cross(enum ca_kind kind, X509 *subject, X509 *issuer, EVP_PKEY *issuer_key,
		  int64_t now_ms, X509 **out) MUST_USE;

/* Whether `cross` is exactly what ca_root_cross makes of these two. ERR_INVALID says what is not
 * so. */
int ca_root_cross_check(enum ca_kind kind, X509 *subject, X509 *issuer, X509 *cross) MUST_USE;

#endif
