/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What an EST answer may make the pump trust. Pure: bytes in, certificates out.
 * /cacerts carries two hierarchies; only a pinned hash decides which one is the servers'.
 */
#ifndef PUMP_AGENT_ANCHORS_H
#define PUMP_AGENT_ANCHORS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "pump_agent/bundle.h"
#include "pump_agent/x509_auto.h"

#define EST_ANSWER_MAX 65536 /* bytes of one EST answer as it comes over the wire */
#define EST_CERTS_MAX 16     /* certificates in one answer */

/* Appends what the base64 of an EST answer holds (RFC 8951 3.1): white space is allowed anywhere,
 * nothing else is. ERR_INVALID, ERR_LIMIT, ERR_NOMEM. */
int est_body_decode(const void *base64, size_t len, struct buf *der_out) MUST_USE;

/* The certificates of an EST answer: base64 of a certs-only CMS (RFC 7030 section 4.1.3, RFC 8951).
 * White space in the base64 is allowed anywhere, nothing else is. At least one certificate; the
 * caller frees. ERR_INVALID, ERR_LIMIT, ERR_NOMEM. */
int est_certs_parse(const void *base64, size_t len, STACK_OF(X509) * *out) MUST_USE;

/* From `all`: the self-signed CA whose DER has this SHA-256, first, then every CA certificate that
 * it issued directly (name and signature). The certificates are shared by reference; the caller
 * frees the stack. ERR_CRYPTO when none has that hash or it is not a CA. */
int anchors_of_server(const STACK_OF(X509) * all, const uint8_t hash[ANCHOR_HASH_BYTES],
		      STACK_OF(X509) * *out) MUST_USE;

/* A CA of another name, issued directly by `root`. */
bool anchor_is_below(X509 *x, X509 *root);

/* The CA certificates of `all` that are not of the hierarchy in `server` (by the issuer's name: a
 * root that was not taken is nobody's either): the pump's own hierarchy. Same ownership.
 * ERR_INVALID when there is no self-signed root among them. */
int anchors_of_devices(const STACK_OF(X509) * all, const STACK_OF(X509) * server,
		       STACK_OF(X509) * *out) MUST_USE;

/* A store that trusts these self-signed roots, knows the others as intermediates, and nothing
 * else. The caller frees. ERR_CRYPTO, ERR_INVALID without a root. */
int anchors_store(const STACK_OF(X509) * certs, X509_STORE **out) MUST_USE;

/* PEM, one certificate after the other. */
int certs_pem_build(const STACK_OF(X509) * certs, struct buf *out) MUST_USE;
/* At most EST_CERTS_MAX, at least one. ERR_INVALID, ERR_LIMIT. */
int certs_pem_parse(const void *pem, size_t len, STACK_OF(X509) * *out) MUST_USE;

#endif
