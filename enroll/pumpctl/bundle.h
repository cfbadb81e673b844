/* SPDX-License-Identifier: BSD-2-Clause */
/* What a pump needs to start (docs/ARCHITECTURE.md, "The bundle"). */
#ifndef ENROLL_PUMPCTL_BUNDLE_H
#define ENROLL_PUMPCTL_BUNDLE_H

#include "base/buf.h"

#define ANCHOR_HEX_SIZE 65

/* SHA-256 (hex) of the DER of the self-signed certificate among the PEM certificates of `pem`.
 * Pure. ERR_NOT_FOUND, ERR_CRYPTO. */
int bundle_anchor_sha256(const void *pem, size_t len, char out[ANCHOR_HEX_SIZE]) MUST_USE;

/* The PEM certificates of `pem`, the self-signed one first, as base64 of their DER. Pure; the
 * caller frees with bundle_anchors_done. ERR_NOT_FOUND without a root, ERR_LIMIT above
 * BUNDLE_ANCHORS_MAX. */
#define BUNDLE_ANCHORS_MAX 6
struct bundle_anchors {
	char *text[BUNDLE_ANCHORS_MAX];
	size_t n;
};
int bundle_anchors_take(const void *pem, size_t len, struct bundle_anchors *out) MUST_USE;
void bundle_anchors_done(struct bundle_anchors *a); /* safe on a zeroed struct */

struct bundle {
	const char *pump;
	const char *est;
	const char *anchor_sha256;
	const char *radius_name;
	const char *login_server; /* ADDRESS:PORT; NULL: not said */
	const char *login_name;
	const char *token; /* NULL with a birth certificate */
	size_t token_len;
	const char *idevid_certificate; /* files on the pump, PEM; NULL with a token */
	const char *idevid_key;
	/* With a birth certificate: it has to prove the RADIUS server before it reaches EST, so the
	 * anchors are in the bundle, which is of version 2 then. */
	const struct bundle_anchors *anchors;
};
/* Appends the JSON, compact or for people to read. Pure. ERR_NOMEM, ERR_LIMIT, ERR_INVALID. */
int bundle_build(const struct bundle *b, int pretty, struct buf *out) MUST_USE;

/* Appends a QR code drawn with half blocks (UTF-8), dark on light. ERR_LIMIT: too much for one. */
int bundle_qr(const char *text, struct buf *out) MUST_USE;

#endif
