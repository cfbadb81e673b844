/* SPDX-License-Identifier: BSD-2-Clause */
/* CAs, keys and requests for the tests of ca/. Everything asserts; nothing is returned on failure.
 */
#ifndef TESTS_UNIT_CA_FIXTURE_H
#define TESTS_UNIT_CA_FIXTURE_H

#include "ca/csr.h"
#include "ca/issue.h"

#define NOW_MS INT64_C(1795348800000) /* 2026-11-22T12:00:00Z */
#define DAY_MS INT64_C(86400000)
#define PUMP "PG-000123"
#define PUMP_URN "urn:pumpgate:pump:PG-000123"

struct request {
	EVP_PKEY *key;		/* signs and is asked for; borrowed */
	const char *cn;		/* NULL: no subject */
	int cn_len;		/* 0: to the NUL */
	const char *extensions; /* "NAME=VALUE" lines in openssl's form, NULL: none */
	const EVP_MD *md;	/* NULL: SHA-256 */
	const char *challenge;	/* challengePassword, NULL: none */
};

EVP_PKEY *fixture_ec(const char *curve);
EVP_PKEY *fixture_rsa(unsigned bits, unsigned long exponent);
/* Unsigned: for attributes of the test's own. */
X509_REQ *fixture_request_draft(const struct request *r);
/* DER in `out`. */
void fixture_request(const struct request *r, struct buf *out);
void fixture_request_sign(X509_REQ *req, EVP_PKEY *key, struct buf *out);

/* A fresh hierarchy as an issuer; `device` or server. */
void fixture_issuer(bool device, struct ca_issuer *out);
/* ca_issue for a key pair's public half. */
int fixture_issue(const struct ca_issuer *issuer, const struct ca_terms *t, EVP_PKEY *key,
		  X509 **out);
/* Number 2 of the issuing CAs below the root of `h`. */
void fixture_next_issuer(const struct ca_hierarchy *h, int64_t now_ms, struct ca_issuer *out);
/* A leaf for `key`: of a pump (name = its serial) or of a server (name = its DNS name). */
X509 *fixture_leaf(const struct ca_issuer *issuer, bool device, const char *name, EVP_PKEY *key);
/* X509_V_OK or why not: `cert` with the issuer's chain in the store, for a purpose, at NOW_MS. */
int fixture_verify(const struct ca_issuer *issuer, X509 *cert, int purpose);

/* True when the thread's error text begins with the reason's name and ": ". */
bool refused_as(const char *reason);

#endif
