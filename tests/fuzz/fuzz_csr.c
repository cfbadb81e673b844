/* SPDX-License-Identifier: BSD-2-Clause */
/* Any bytes as a request: reading, name rules and proof of renewal must stay within their bounds,
 * and nobody gets past the proof of possession by accident. */
#include <string.h>

#include "ca/csr.h"
#include "ca/proto/signer_records.h"
#include "ca/request/related_cert_request.h"

#define PUMP "PG-000123"
#define NOW_MS INT64_C(1795348800000)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* A certificate to check proofs against; its key is thrown away. */
static X509 *prior_make(void)
{
	X509 *cert = X509_new();
	EVP_PKEY *key = EVP_EC_gen("P-256");

	if (!cert || !key || !X509_set_pubkey(cert, key) ||
	    !ASN1_INTEGER_set(X509_get_serialNumber(cert), 1))
		__builtin_trap();
	EVP_PKEY_free(key);
	return cert;
}

/* Mutations seldom keep the signature whole; the rest is to be reached too. */
static void without_proof(const uint8_t *data, size_t size, X509 *prior)
{
	struct ca_csr csr = {0};
	const uint8_t *at = data;
	char type[CSR_KEY_TYPE_SIZE];

	csr.req = d2i_X509_REQ(NULL, &at, (long)size);
	if (csr.req) {
		if (ca_csr_check_names(&csr, PUMP) == 0 && ca_csr_check_names(&csr, "pg") == 0)
			__builtin_trap(); /* no pump is called so */
		if (ca_key_check(X509_REQ_get_X509_PUBKEY(csr.req), type) == 0 &&
		    strlen(type) >= sizeof(type))
			__builtin_trap();
		if (related_cert_request_check(csr.req, prior, NOW_MS) == 0)
			__builtin_trap(); /* nobody has that key */
	}
	ca_csr_done(&csr);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static X509 *prior;
	AUTO_CSR csr = {0};

	if (!prior)
		prior = prior_make();
	if (ca_csr_parse(data, size, &csr) == 0) {
		if (X509_REQ_verify(csr.req, csr.key) != 1)
			__builtin_trap();
		if (ca_csr_check_names(&csr, PUMP) == 0 &&
		    ca_csr_check_names(&csr, "PG-000124") == 0 &&
		    X509_NAME_get_index_by_NID(X509_REQ_get_subject_name(csr.req), NID_commonName,
					       -1) >= 0)
			__builtin_trap(); /* a CN can't be two pumps' */
	}
	if (size <= CSR_DER_MAX)
		without_proof(data, size, prior);
	return 0;
}
