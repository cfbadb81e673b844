/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * OCSP answers (RFC 6960) about one issuer's certificates, signed by a delegated responder: a key
 * and a certificate of its own, so that the CA's key signs nothing that anybody asks for. Pure: no
 * clock, no file; what the status is comes in.
 */
#ifndef CA_OCSP_H
#define CA_OCSP_H

#include "ca/issue.h"

#define OCSP_SERIAL_MAX 20
#define OCSP_ANSWER_MAX 4096

enum ocsp_state {
	OCSP_OTHER_ISSUER = 0, /* "unknown": not a certificate of this CA */
	OCSP_NOT_ISSUED,       /* "revoked" in RFC 6960 2.2's extended sense */
	OCSP_REVOKED,
	OCSP_GOOD,
};

struct ocsp_item {
	const EVP_MD *md; /* of the hashes in the request's CertID */
	uint8_t serial[OCSP_SERIAL_MAX];
	size_t serial_len;
	/* what was asked with; only echoed, and only for OCSP_OTHER_ISSUER */
	const uint8_t *name_hash, *key_hash;
	enum ocsp_state state;
	int64_t revoked_at_ms;
	uint32_t ca; /* number of the CA that is asked about (ca/ca_number.h); 0: another's */
};

struct ocsp_responder {
	X509 *cert; /* both owned */
	EVP_PKEY *key;
	int64_t not_after_ms;
};

/* Makes a key that exists in memory only, and its certificate (EKU OCSPSigning, ocsp-nocheck).
 * ERR_CRYPTO, ERR_EXPIRED (the issuer). The caller ends *out with ocsp_responder_done. */
int ocsp_responder_new(const struct ca_issuer *issuer, int64_t now_ms, int64_t validity_ms,
		       struct ocsp_responder *out) MUST_USE;
void ocsp_responder_done(struct ocsp_responder *r); /* safe on a zeroed struct */

/* Whether the hashes are those of the issuer's name and key. */
bool ocsp_is_issuer(const struct ca_issuer *issuer, const EVP_MD *md, const uint8_t *name_hash,
		    size_t name_len, const uint8_t *key_hash, size_t key_len);

struct ocsp_terms {
	int64_t now_ms;
	int64_t next_update_ms;
	const uint8_t *nonce; /* RFC 9654; NULL: none */
	size_t nonce_len;
};

/* Appends a signed OCSPResponse about the items, of status successful. ERR_CRYPTO, ERR_LIMIT,
 * ERR_NOMEM. */
int ocsp_answer_build(const struct ca_issuer *issuer, const struct ocsp_responder *responder,
		      const struct ocsp_terms *t, const struct ocsp_item *items, size_t n,
		      struct buf *out) MUST_USE;

#endif
