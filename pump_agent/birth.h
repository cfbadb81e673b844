/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a pump has before it enrols: the bundle from the bench, and the birth certificate of its
 * maker (IEEE 802.1AR) where the bundle names one. Reads files, blocks on the disk; changes none.
 */
#ifndef PUMP_AGENT_BIRTH_H
#define PUMP_AGENT_BIRTH_H

#include "base/err.h"
#include "pump_agent/bundle.h"
#include "pump_agent/x509_auto.h"

/* All owned; NULL with a token. */
struct birth {
	EVP_PKEY *key;
	X509 *cert;
	STACK_OF(X509) * chain; /* what is above the pump's own */
};

/* The bundle in this file. ERR_NOT_FOUND, and as bundle_parse. The caller ends it. */
int bundle_read(const char *path, struct bundle *out) MUST_USE;

/* The birth certificate that the bundle names; nothing is done with a token. The caller ends *out
 * with birth_done. ERR_NOT_FOUND and the like, ERR_CRYPTO when the two do not fit. */
int birth_read(const struct bundle *b, struct birth *out) MUST_USE;
void birth_done(struct birth *b); /* safe on a zeroed struct */
#define AUTO_BIRTH __attribute__((cleanup(birth_done))) struct birth

#endif
