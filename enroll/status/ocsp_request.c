/* SPDX-License-Identifier: BSD-2-Clause */
/* Owns reading OCSP requests. Never answers one. */
#include "enroll/status/ocsp_request.h"

#include <string.h>

#include <openssl/err.h>
#include <openssl/ocsp.h>

static inline void request_auto_free(OCSP_REQUEST **p)
{
	OCSP_REQUEST_free(*p);
}
#define AUTO_OCSP_REQUEST __attribute__((cleanup(request_auto_free))) OCSP_REQUEST *

static int malformed(const char *why)
{
	ERR_clear_error();
	return err_set(ERR_INVALID, "OCSP request: %s", why);
}

static enum ocsp_hash hash_of(const ASN1_OBJECT *oid)
{
	switch (OBJ_obj2nid(oid)) {
	case NID_sha1:
		return OCSP_SHA1;
	case NID_sha256:
		return OCSP_SHA256;
	case NID_sha384:
		return OCSP_SHA384;
	case NID_sha512:
		return OCSP_SHA512;
	default:
		return OCSP_HASH_NONE;
	}
}

static const int hash_bytes[] = {
	[OCSP_SHA1] = 20, [OCSP_SHA256] = 32, [OCSP_SHA384] = 48, [OCSP_SHA512] = 64};

static bool blob_fill(const ASN1_STRING *from, size_t max, uint8_t *to, uint32_t *len_out)
{
	int len = ASN1_STRING_length(from);

	if (len <= 0 || (size_t)len > max)
		return false;
	memcpy(to, ASN1_STRING_get0_data(from), (size_t)len);
	*len_out = (uint32_t)len;
	return true;
}

static int one_parse(OCSP_ONEREQ *one, struct ocsp_query *out)
{
	ASN1_OCTET_STRING *name, *key;
	ASN1_INTEGER *serial;
	ASN1_OBJECT *oid;

	for (int i = 0; i < OCSP_ONEREQ_get_ext_count(one); i++)
		if (X509_EXTENSION_get_critical(OCSP_ONEREQ_get_ext(one, i)))
			return malformed("a critical extension that is not understood");
	(void)OCSP_id_get0_info(&name, &oid, &key, &serial, OCSP_onereq_get0_id(one));
	out->hash = hash_of(oid);
	if (out->hash == OCSP_HASH_NONE)
		return err_set(ERR_NOT_FOUND, "OCSP request: hash algorithm not known");
	if (ASN1_STRING_length(name) != hash_bytes[out->hash] ||
	    ASN1_STRING_length(key) != hash_bytes[out->hash] ||
	    !blob_fill(name, sizeof(out->issuer_name_hash.data), out->issuer_name_hash.data,
		       &out->issuer_name_hash.len) ||
	    !blob_fill(key, sizeof(out->issuer_key_hash.data), out->issuer_key_hash.data,
		       &out->issuer_key_hash.len))
		return malformed("hashes of another length than their algorithm's");
	/* RFC 5280 4.1.2.2: positive, at most 20 octets */
	if (ASN1_STRING_type(serial) != V_ASN1_INTEGER ||
	    !blob_fill(serial, sizeof(out->cert_serial.data), out->cert_serial.data,
		       &out->cert_serial.len))
		return malformed("a serial number that can't be one");
	return 0;
}

/* RFC 9654 2.1: "A server MUST reject any OCSP request that has a nonce in the Nonce extension
 * with a length of either 0 octets or more than 128 octets, with the malformedRequest
 * OCSPResponseStatus". */
static int nonce_take(X509_EXTENSION *ext, struct ocsp_query *out)
{
	const ASN1_OCTET_STRING *value = X509_EXTENSION_get_data(ext);
	const uint8_t *at = ASN1_STRING_get0_data(value);
	const uint8_t *end = at + ASN1_STRING_length(value);
	ASN1_OCTET_STRING *nonce = d2i_ASN1_OCTET_STRING(NULL, &at, end - at);
	bool ok = nonce && at == end && !out->nonce.len &&
		  blob_fill(nonce, sizeof(out->nonce.data), out->nonce.data, &out->nonce.len);

	ASN1_OCTET_STRING_free(nonce);
	return ok ? 0 : malformed("a nonce that is not of 1 to 128 octets, or two of them");
}

static int extensions_take(OCSP_REQUEST *rq, struct ocsp_query *out)
{
	int rc = 0;

	for (int i = 0; !rc && i < OCSP_REQUEST_get_ext_count(rq); i++) {
		X509_EXTENSION *ext = OCSP_REQUEST_get_ext(rq, i);

		if (OBJ_obj2nid(X509_EXTENSION_get_object(ext)) == NID_id_pkix_OCSP_Nonce)
			rc = nonce_take(ext, out);
		else if (X509_EXTENSION_get_critical(ext))
			rc = malformed("a critical extension that is not understood");
	}
	return rc;
}

int ocsp_request_parse(const uint8_t *der, size_t len, struct ocsp_asked *out)
{
	const uint8_t *at = der;
	AUTO_OCSP_REQUEST rq = d2i_OCSP_REQUEST(NULL, &at, (long)len);
	int n, rc = 0;

	memset(out, 0, sizeof(*out));
	if (!rq || at != der + len)
		return malformed("no such structure");
	n = OCSP_request_onereq_count(rq);
	if (n < 1 || n > OCSP_ASKED_MAX)
		return malformed("not 1 to 8 certificates in one request");
	for (int i = 0; !rc && i < n; i++)
		rc = one_parse(OCSP_request_onereq_get0(rq, i), &out->queries[i]);
	if (rc)
		return rc;
	out->n = (size_t)n;
	return extensions_take(rq, &out->queries[0]);
}

void ocsp_failure_build(enum ocsp_failure why, uint8_t out[OCSP_FAILURE_BYTES])
{
	const uint8_t der[OCSP_FAILURE_BYTES] = {0x30, 0x03, 0x0a, 0x01, (uint8_t)why};

	memcpy(out, der, sizeof(der));
}
