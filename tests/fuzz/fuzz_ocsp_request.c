/* SPDX-License-Identifier: BSD-2-Clause */
/* OCSP requests from anybody: any bytes as DER, and as the text behind "/ocsp/". What is accepted
 * must be such that the signer's own checks have nothing to complain of. */
#include <stdlib.h>
#include <string.h>

#include "enroll/status/ocsp_request.h"
#include "enroll/status/status_path.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static void asked_check(const struct ocsp_asked *a)
{
	if (a->n < 1 || a->n > OCSP_ASKED_MAX)
		abort();
	for (size_t i = 0; i < a->n; i++) {
		const struct ocsp_query *q = &a->queries[i];

		if (q->hash < OCSP_SHA1 || q->hash > OCSP_SHA512 || !q->cert_serial.len ||
		    q->cert_serial.len > 20 || q->issuer_name_hash.len != q->issuer_key_hash.len ||
		    q->nonce.len > OCSP_NONCE_MAX || (i && q->nonce.len))
			abort();
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	uint8_t der[OCSP_REQUEST_MAX];
	struct ocsp_asked asked;
	AUTO_BUF text = {.max = 65536};
	const char *rest;
	uint32_t ca;
	size_t der_len;

	if (len <= OCSP_REQUEST_MAX && ocsp_request_parse(data, len, &asked) == 0)
		asked_check(&asked);
	if (len > 60000 || memchr(data, 0, len) || buf_put(&text, data, len) || !buf_cstr(&text))
		return 0;
	switch (status_path_parse(buf_cstr(&text), &rest, &ca)) {
	case STATUS_OCSP_BY_GET:
		if (!rest)
			abort();
		break;
	case STATUS_CRL:
		if (ca < 1 || ca > 99)
			abort();
		break;
	default:
		if (ca)
			abort();
	}
	if (status_get_decode(buf_cstr(&text), der, &der_len) == 0 &&
	    ocsp_request_parse(der, der_len, &asked) == 0)
		asked_check(&asked);
	return 0;
}
