/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A certification request (PKCS#10, RFC 2986) from a pump: read, its proof of possession verified,
 * its key and names checked. Pure: bytes in, verdict out. Nothing of the request but its public key
 * ever reaches a certificate.
 *
 * Every refusal's text begins with the name of its reason (ca/refuse.h).
 */
#ifndef CA_CSR_H
#define CA_CSR_H

#include <stdbool.h>
#include <stdint.h>

#include "ca/request/ossl.h"

#define CSR_KEY_TYPE_SIZE 17

struct ca_csr {
	X509_REQ *req; /* owned */
	EVP_PKEY *key; /* owned */
	uint8_t spki_sha256[32];
	char key_type[CSR_KEY_TYPE_SIZE]; /* "ec-p256", "ec-p384", "rsa-2048" */
};

/* Reads `der` (at most CSR_DER_MAX bytes, nothing behind the request), applies the key rules and
 * verifies the request's signature by its own key. The caller ends *out with ca_csr_done.
 *   ERR_INVALID request-malformed   ERR_CRYPTO key-refused, proof-failed */
int ca_csr_parse(const uint8_t *der, size_t len, struct ca_csr *out) MUST_USE;
void ca_csr_done(struct ca_csr *csr); /* safe on a zeroed struct */
#define AUTO_CSR __attribute__((cleanup(ca_csr_done))) struct ca_csr

/* What the request asks for beyond its key must be what pump `serial` gets anyway: a CN or
 * serialNumber equal to the serial, a SAN that is the pump's URN, no CA rights. Everything else
 * that it asks for (other name parts, extensions) is ignored. ERR_INVALID
 * request-malformed, name-refused */
int ca_csr_check_names(const struct ca_csr *csr, const char *serial) MUST_USE;

/* What an EST label asks of a request, and the connection that it came over. */
struct ca_csr_terms {
	const char *key_type;			  /* "" any */
	bool bound;				  /* it must name its connection */
	const uint8_t *tls_unique, *tls_exporter; /* borrowed; NULL with a length of 0 */
	size_t tls_unique_len, tls_exporter_len;
};

/* The label's kind of key; and the binding of RFC 7030 3.5: a challengePassword (RFC 2985 5.4.1)
 * must be the base64 of the connection's tls-unique or tls-exporter, always if it is there, and it
 * must be there if `bound`: who sits between pump and server with two connections can't hand the
 * request on. ERR_CRYPTO key-refused; ERR_INVALID request-malformed; ERR_DENIED channel-unbound. */
int ca_csr_check_terms(const struct ca_csr *csr, const struct ca_csr_terms *terms) MUST_USE;

/* The key rules alone: P-256, P-384 (named curve, uncompressed point that is on it), RSA of 2048 to
 * 4096 bits with exponent 65537, no small factor, not of ROCA's shape, its primes not next to each
 * other. ERR_CRYPTO key-refused. */
int ca_key_check(X509_PUBKEY *spki, char key_type_out[CSR_KEY_TYPE_SIZE]) MUST_USE;
/* The same, and the key as an object, the caller's to free: also one whose bytes alone are there
 * (ossl_request_parse_plain). */
int ca_key_parse(X509_PUBKEY *spki, char key_type_out[CSR_KEY_TYPE_SIZE],
		 EVP_PKEY **key_out) MUST_USE;

#endif
