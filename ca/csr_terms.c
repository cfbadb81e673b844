/* SPDX-License-Identifier: BSD-2-Clause */
/* Owns what a label asks of a request. Never takes a request's word for its connection. */
#include "ca/csr.h"

#include <string.h>

#include "base/secret.h"
#include "ca/refuse.h"

#define BINDING_MAX 64
#define BASE64_SIZE (((BINDING_MAX + 2) / 3) * 4 + 1)

/* The request's challengePassword, borrowed; NULL in *out without one. */
static int challenge_find(const X509_REQ *req, const ASN1_STRING **out)
{
	int at = X509_REQ_get_attr_by_NID(req, NID_pkcs9_challengePassword, -1);
	X509_ATTRIBUTE *attr;
	const ASN1_TYPE *value;

	*out = NULL;
	if (at < 0)
		return 0;
	attr = X509_REQ_get_attr(req, at);
	value = X509_ATTRIBUTE_count(attr) == 1 ? X509_ATTRIBUTE_get0_type(attr, 0) : NULL;
	if (!value || X509_REQ_get_attr_by_NID(req, NID_pkcs9_challengePassword, at) >= 0)
		return ca_refuse(REASON_REQUEST_MALFORMED, ERR_INVALID,
				 "challengePassword is malformed or there twice");
	/* DirectoryString (RFC 2985 5.4.1); the alphabet of base64 is the same bytes in both */
	if (value->type != V_ASN1_UTF8STRING && value->type != V_ASN1_PRINTABLESTRING)
		return ca_refuse(REASON_REQUEST_MALFORMED, ERR_INVALID,
				 "challengePassword is neither UTF8String nor PrintableString");
	*out = value->value.asn1_string;
	return 0;
}

static bool names_channel(const ASN1_STRING *challenge, const uint8_t *binding, size_t len)
{
	uint8_t text[BASE64_SIZE];
	int n;

	if (len == 0 || len > BINDING_MAX)
		return false;
	n = EVP_EncodeBlock(text, binding, (int)len);
	return secret_equal(ASN1_STRING_get0_data(challenge), (size_t)ASN1_STRING_length(challenge),
			    text, (size_t)n);
}

int ca_csr_check_terms(const struct ca_csr *csr, const struct ca_csr_terms *terms)
{
	const ASN1_STRING *challenge;
	int rc;

	if (*terms->key_type && strcmp(csr->key_type, terms->key_type) != 0)
		return ca_refuse(REASON_KEY_REFUSED, ERR_CRYPTO,
				 "a key of type %s; wanted here: %s", csr->key_type,
				 terms->key_type);
	rc = challenge_find(csr->req, &challenge);
	if (rc)
		return rc;
	if (!challenge && terms->bound)
		return ca_refuse(REASON_CHANNEL_UNBOUND, ERR_DENIED, "no challengePassword");
	if (challenge && !names_channel(challenge, terms->tls_unique, terms->tls_unique_len) &&
	    !names_channel(challenge, terms->tls_exporter, terms->tls_exporter_len))
		return ca_refuse(REASON_CHANNEL_UNBOUND, ERR_DENIED,
				 "challengePassword names another connection");
	return 0;
}
