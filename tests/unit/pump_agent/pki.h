/* SPDX-License-Identifier: BSD-2-Clause */
/* Certificates made up for the agent's tests: right ones and wrong ones. */
#ifndef TESTS_UNIT_PUMP_AGENT_PKI_H
#define TESTS_UNIT_PUMP_AGENT_PKI_H

#include "base/buf.h"
#include "pump_agent/x509_auto.h"

struct pki_spec {
	const char *cn;
	const char *san;   /* "URI:..."; NULL: none */
	const char *usage; /* "clientAuth"; NULL: none */
	bool ca;
	long from_s; /* seconds from now */
	long to_s;
};

/* Ends the test when OpenSSL refuses. `issuer` NULL: self-signed. */
X509 *pki_cert(const struct pki_spec *spec, EVP_PKEY *key, X509 *issuer, EVP_PKEY *issuer_key);
X509 *pki_ca(const char *cn, EVP_PKEY *key, X509 *issuer, EVP_PKEY *issuer_key);
EVP_PKEY *pki_key(void);
void pki_hash(X509 *cert, uint8_t out[32]);
/* A certs-only CMS in base64, as EST sends it. */
void pki_cms(STACK_OF(X509) * certs, struct buf *out);
STACK_OF(X509) * pki_stack(X509 *const *certs, size_t n); /* takes references */

#endif
