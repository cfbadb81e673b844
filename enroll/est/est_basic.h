/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * HTTP Basic credentials of an enrolment: user = pump serial, password = one-time token
 * (RFC 7030 3.2.3, RFC 7617). Pure.
 */
#ifndef ENROLL_EST_EST_BASIC_H
#define ENROLL_EST_EST_BASIC_H

#include "base/secret.h"

#define EST_SERIAL_SIZE 64
#define EST_TOKEN_MAX 128

struct est_basic {
	char serial[EST_SERIAL_SIZE]; /* [A-Z0-9-]; "" when unset */
	uint8_t token[EST_TOKEN_MAX]; /* wiped by est_basic_done. In no memory of its own: it came
				       * in a request's head and goes into the signer's request */
	size_t token_len;
};

/* `value` is the Authorization header's. Copies of the credentials made here are wiped.
 * ERR_INVALID for another scheme, malformed base64, no colon, a serial that no pump can have, an
 * empty token, control characters or bytes outside ASCII; ERR_LIMIT; ERR_NOMEM. */
int est_basic_parse(const char *value, struct est_basic *out) MUST_USE;
void est_basic_done(struct est_basic *b); /* safe on a zeroed struct */
#define AUTO_EST_BASIC __attribute__((cleanup(est_basic_done))) struct est_basic

#endif
