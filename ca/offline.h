/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A root that lives on another machine: the issuing CA's request goes there, its certificate comes
 * back and is believed only after it was held against its profile. Pure.
 */
#ifndef CA_OFFLINE_H
#define CA_OFFLINE_H

#include "ca/issue.h"

/* A self-signed root for `key`; kind is CA_KIND_DEVICE_ROOT or CA_KIND_SERVER_ROOT. The caller
 * frees *out. ERR_INVALID (the organization), ERR_CRYPTO. */
int ca_root_make(enum ca_kind kind, const char *organization, EVP_PKEY *key, int64_t now_ms,
		 X509 **out) MUST_USE;

/* The request (PKCS#10) for the issuing CA with the names of `t`. The caller frees *out.
 * ERR_INVALID, ERR_CRYPTO. */
int ca_request_make(const struct ca_terms *t, EVP_PKEY *key, X509_REQ **out) MUST_USE;

/* Signs it. Takes from the request its key alone, proven by its signature (P-256 or P-384), and its
 * organization and number (ca/ca_number.h); everything else is the profile's. The caller frees
 * *out. ERR_INVALID (the request is for another kind of CA than the root's), ERR_CRYPTO,
 * ERR_EXPIRED (the root). */
int ca_request_sign(X509_REQ *req, X509 *root, EVP_PKEY *root_key, int64_t now_ms,
		    X509 **out) MUST_USE;

/* Whether the two are exactly what ca_root_make and ca_request_sign make: for this key, of this
 * kind, signed by that root, in force for 30 days from now at least. ERR_INVALID says what is not
 * so. */
int ca_import_check(enum ca_kind root_kind, X509 *root, X509 *ca, EVP_PKEY *key,
		    int64_t now_ms) MUST_USE;

/* The part of that check for one certificate at any time: by profile, lint and its issuer's
 * signature (NULL: its own). ERR_INVALID, ERR_INTERNAL. */
int ca_cert_check(enum ca_kind kind, X509 *cert, X509 *issuer) MUST_USE;

#endif
