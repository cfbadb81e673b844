/* SPDX-License-Identifier: BSD-2-Clause */
/* One EST enrolment of one pump (RFC 7030 4.2, token as HTTP Basic password) on a connection of its
 * own, as a pump at the bench does it. */
#ifndef TESTS_BENCH_ENROL_CLIENT_H
#define TESTS_BENCH_ENROL_CLIENT_H

#include <stdint.h>

#include <openssl/ssl.h>

#include "base/err.h"

struct enrolment {
	char serial[64];
	char token[128];
	EVP_PKEY *key; /* owned */
	char *request; /* base64 of the PKCS#10 request; owned */
	X509 *cert;    /* owned; set when it was issued for this key */
};

/* Makes key (P-256) and request. ERR_CRYPTO. */
int enrolment_prepare(struct enrolment *e) MUST_USE;
/* Connects to an IPv4 address, asks, and checks the answer. Blocks up to ten seconds for each step.
 * ERR_UNAVAILABLE, ERR_TIMEOUT, ERR_CRYPTO, ERR_DENIED (the HTTP status is in the text),
 * ERR_INVALID (not a certificate for this key and serial). */
int enrolment_run(struct enrolment *e, SSL_CTX *ctx, const char *address, uint16_t port) MUST_USE;
/* FOLDER/SERIAL.key and .pem. ERR_IO. */
int enrolment_write(const struct enrolment *e, const char *folder) MUST_USE;
void enrolment_done(struct enrolment *e);

#endif
