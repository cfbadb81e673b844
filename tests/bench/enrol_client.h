/* SPDX-License-Identifier: BSD-2-Clause */
/* One EST enrolment of one pump (RFC 7030 4.2, token as HTTP Basic password), as a pump at the
 * bench does it, or one of many over the same connection. */
#ifndef TESTS_BENCH_ENROL_CLIENT_H
#define TESTS_BENCH_ENROL_CLIENT_H

#include <stdbool.h>
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
struct enrol_link {
	SSL *ssl;
	int fd;
};

/* Connects to an IPv4 address, from `source` (network order; 0: any), and does the TLS handshake.
 * Blocks up to ten seconds for each step. The caller ends it with enrol_link_close, also one that
 * failed. ERR_UNAVAILABLE, ERR_CRYPTO. */
int enrol_link_open(struct enrol_link *l, SSL_CTX *ctx, const char *address, uint16_t port,
		    uint32_t source) MUST_USE;
void enrol_link_close(struct enrol_link *l);
/* Asks and checks the answer; `keep`: the connection goes on. ERR_TIMEOUT, ERR_BUSY (the server
 * says "later": 503, 429), ERR_CRYPTO, ERR_DENIED (the HTTP status is in the text), ERR_INVALID
 * (not a certificate for this key and serial). */
int enrolment_run(struct enrolment *e, struct enrol_link *l, bool keep) MUST_USE;
/* FOLDER/SERIAL.key and .pem. ERR_IO. */
int enrolment_write(const struct enrolment *e, const char *folder) MUST_USE;
void enrolment_done(struct enrolment *e);

#endif
