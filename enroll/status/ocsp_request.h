/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Reads an OCSP request (RFC 6960 4.1, RFC 9654) from anybody into the few fields that the signer
 * is asked with: it never sees the bytes. A request's signature and requestorName are not looked
 * at: everybody gets the same answers. Pure.
 */
#ifndef ENROLL_STATUS_OCSP_REQUEST_H
#define ENROLL_STATUS_OCSP_REQUEST_H

#include "ca/proto/signer_records.h"

struct ocsp_asked {
	struct ocsp_query queries[OCSP_ASKED_MAX]; /* the nonce is in the first */
	size_t n;
};

/* ERR_INVALID: malformedRequest; ERR_NOT_FOUND: a hash that no CertID of ours has (unauthorized).
 */
int ocsp_request_parse(const uint8_t *der, size_t len, struct ocsp_asked *out) MUST_USE;

/* OCSPResponseStatus of RFC 6960 4.2.1 for answers that are not signed. */
enum ocsp_failure {
	OCSP_MALFORMED = 1,
	OCSP_INTERNAL = 2,
	OCSP_TRY_LATER = 3,
	OCSP_UNAUTHORIZED = 6,
};
#define OCSP_FAILURE_BYTES 5
/* The whole OCSPResponse. */
void ocsp_failure_build(enum ocsp_failure why, uint8_t out[OCSP_FAILURE_BYTES]);

#endif
