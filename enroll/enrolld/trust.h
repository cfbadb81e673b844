/* SPDX-License-Identifier: BSD-2-Clause */
/* The public trust files of the home: HOME/trust/server.pem and HOME/trust/device.pem. */
#ifndef ENROLL_ENROLLD_TRUST_H
#define ENROLL_ENROLLD_TRUST_H

#include <stddef.h>

#include <openssl/x509.h>

#include "base/buf.h"

#define TRUST_CERTS_MAX 8 /* while a root is replaced: two of each, two cross certificates */

struct trust {
	X509 *certs[TRUST_CERTS_MAX]; /* owned */
	size_t n;
};

/* All certificates of a PEM file, at least one. Blocks on the disk.
 * ERR_NOT_FOUND, ERR_IO, ERR_LIMIT, ERR_CRYPTO. */
int trust_read(const char *path, struct trust *out) MUST_USE;
void trust_done(struct trust *t); /* safe on a zeroed struct */
#define AUTO_TRUST __attribute__((cleanup(trust_done))) struct trust

/* Appends the certs-only message that /cacerts answers with: all of `a` and `b`.
 * ERR_CRYPTO, ERR_LIMIT, ERR_NOMEM. */
int trust_cacerts_build(const struct trust *a, const struct trust *b, struct buf *out) MUST_USE;

/* err_set(ERR_CRYPTO, ...) with OpenSSL's first reason; drains its error queue. */
int trust_crypto_error(const char *what);

#endif
