/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Whether a birth certificate leads to one of a maker's anchors. Pure. The anchors are a trust
 * store of their own for each maker: never ours, never another maker's.
 */
#ifndef CA_IDEVID_CHAIN_H
#define CA_IDEVID_CHAIN_H

#include <stddef.h>
#include <stdint.h>

#include "ca/request/ossl.h"

#define IDEVID_CERTS_MAX 8

/* DER certificates one behind the other, at most IDEVID_CERTS_MAX; the caller frees the stack and
 * what is in it. 0 bytes: an empty stack. ERR_INVALID, ERR_LIMIT, ERR_NOMEM. */
int idevid_certs_parse(const uint8_t *der, size_t len, STACK_OF(X509) * *out) MUST_USE;

static inline void idevid_certs_auto_free(STACK_OF(X509) * *certs)
{
	sk_X509_pop_free(*certs, X509_free);
}
#define AUTO_IDEVID_CERTS __attribute__((cleanup(idevid_certs_auto_free))) STACK_OF(X509) *

/* Does `leaf` lead over `chain` (untrusted) to one of `anchors`, at now_ms, as a certificate that
 * may authenticate a client? An anchor need not be self-signed. The leaf is no CA and no anchor
 * itself. On success SHA-256 of the anchor's DER. ERR_DENIED says what failed. */
int idevid_chain_verify(X509 *leaf, STACK_OF(X509) * chain, const STACK_OF(X509) * anchors,
			int64_t now_ms, uint8_t anchor_sha256_out[32]) MUST_USE;

#endif
