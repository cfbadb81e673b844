/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a decommissioned pump says before it destroys its key: a short text, signed with that key,
 * that names the pump, the order and what was wiped. The signature proves that the holder of the
 * key said so, and nothing about the state of a flash chip.
 *
 * Pure; linked by the pump agent (makes), the EST front (takes apart) and the signer (checks).
 */
#ifndef CA_WIPE_STATEMENT_H
#define CA_WIPE_STATEMENT_H

#include "ca/request/device_name.h"
#include "ca/request/ossl.h"

#define WIPE_ORDER_BYTES 16
#define WIPE_ORDER_SIZE (2 * WIPE_ORDER_BYTES + 1)
#define WIPE_TEXT_MAX 1024
#define WIPE_SIGNATURE_MAX 512 /* RSA-4096 */
#define WIPE_CERT_MAX 4096
#define WIPE_LIST_SIZE 256
#define WIPE_ENVELOPE_MAX 8192

struct wipe_statement {
	char device[DEVICE_NAME_MAX + 1];
	char order[WIPE_ORDER_SIZE]; /* of the server: hex */
	char certificate[48];	     /* serial in hex, of the key that signs */
	char key[16];		     /* "software" or "tpm", by the pump's own word */
	int64_t at_ms;		     /* the pump's clock */
	char wiped[WIPE_LIST_SIZE];  /* words, ", " between them */
};

/* The bytes to sign: lines of `name: value`. ERR_INVALID for a value that is out of its bounds. */
int wipe_text_build(const struct wipe_statement *s, struct buf *out) MUST_USE;
/* Strict: just the lines of wipe_text_build in their order. ERR_INVALID. */
int wipe_text_parse(const void *text, size_t len, struct wipe_statement *out) MUST_USE;

/* EC or RSA, from any provider. ERR_CRYPTO. */
int wipe_text_sign(EVP_PKEY *key, const struct buf *text, struct buf *signature_out) MUST_USE;
/* ERR_DENIED when the signature is not that of `key` under the text. */
int wipe_text_verify(EVP_PKEY *key, const void *text, size_t len, const void *signature,
		     size_t signature_len) MUST_USE;

/* How they travel: a line with the signature and one with the certificate, in base64, then the
 * text. */
struct wipe_envelope {
	uint8_t signature[WIPE_SIGNATURE_MAX + 3];
	size_t signature_len;
	uint8_t cert[WIPE_CERT_MAX + 3]; /* DER */
	size_t cert_len;
	const uint8_t *text; /* into what was parsed */
	size_t text_len;
};
int wipe_envelope_build(const struct buf *text, const struct buf *signature, X509 *cert,
			struct buf *out) MUST_USE;
/* ERR_INVALID; says nothing about what is inside. */
int wipe_envelope_parse(const void *data, size_t len, struct wipe_envelope *out) MUST_USE;

/* WIPE_ORDER_BYTES in lower-case hex, and nothing else. */
bool wipe_order_is_valid(const char *order);

#endif
