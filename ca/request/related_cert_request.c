/* SPDX-License-Identifier: BSD-2-Clause */
/* Owns checking the proof. Never looks a certificate up: the caller brings the registered one. */
#include "ca/request/related_cert_request.h"

#include <string.h>

#include "ca/request/related_cert_asn1.h"

#define SIGNED_MAX 8192

/* The attribute's one value, borrowed. ERR_NOT_FOUND, ERR_INVALID. */
static int attribute_find(const X509_REQ *req, const char *oid, int type, const ASN1_STRING **out)
{
	ASN1_OBJECT *object = OBJ_txt2obj(oid, 1);
	X509_ATTRIBUTE *attr;
	ASN1_STRING *value;
	int at, again;

	if (!object)
		return err_ossl(ERR_NOMEM, "attribute");
	at = X509_REQ_get_attr_by_OBJ(req, object, -1);
	again = at < 0 ? -1 : X509_REQ_get_attr_by_OBJ(req, object, at);
	ASN1_OBJECT_free(object);
	if (at < 0)
		return err_set(ERR_NOT_FOUND, "request has no attribute %s", oid);
	attr = X509_REQ_get_attr(req, at);
	value = X509_ATTRIBUTE_count(attr) == 1 ? X509_ATTRIBUTE_get0_data(attr, 0, type, NULL)
						: NULL;
	if (again >= 0 || !value)
		return err_ossl(ERR_INVALID, "attribute %s is malformed or there twice", oid);
	*out = value;
	return 0;
}

static int signature_check(EVP_PKEY *key, const struct buf *what, const ASN1_STRING *signature)
{
	AUTO_MD_CTX ctx = EVP_MD_CTX_new();

	if (!ctx || EVP_DigestVerifyInit(ctx, NULL, related_cert_digest(key), NULL, key) != 1)
		return err_ossl(ERR_CRYPTO, "verification");
	if (EVP_DigestVerify(ctx, ASN1_STRING_get0_data(signature),
			     (size_t)ASN1_STRING_length(signature), what->data, what->len) != 1)
		return err_ossl(ERR_DENIED, "not signed by the key of the earlier certificate");
	return 0;
}

/* RFC 9763 3.2: the CA "MUST" check that certID names the certificate, that requestTime is
 * sufficiently fresh, and the signature. */
static int proof_check(const REQUESTER_CERTIFICATE *proof, X509 *prior, int64_t now_ms)
{
	AUTO_BUF what = {.max = SIGNED_MAX};
	int64_t at_s;
	int rc;

	if (X509_NAME_cmp(proof->cert_id->issuer, X509_get_issuer_name(prior)) ||
	    ASN1_INTEGER_cmp(proof->cert_id->serial, X509_get0_serialNumber(prior)))
		return err_set(ERR_DENIED, "relatedCertRequest names another certificate");
	if (!ASN1_INTEGER_get_int64(&at_s, proof->request_time))
		return err_ossl(ERR_INVALID, "requestTime");
	if (at_s < (now_ms - RELATED_CERT_WINDOW_MS) / 1000 ||
	    at_s > (now_ms + RELATED_CERT_WINDOW_MS) / 1000)
		return err_set(ERR_EXPIRED, "requestTime is more than a day off");
	rc = related_cert_signed_bytes(proof->cert_id, proof->request_time, NULL, &what);
	return rc ? rc : signature_check(X509_get0_pubkey(prior), &what, proof->signature);
}

static int binding_check(X509_REQ *req, const REQUESTER_CERTIFICATE *proof, X509 *prior)
{
	AUTO_BUF what = {.max = SIGNED_MAX};
	const ASN1_STRING *signature;
	int rc = attribute_find(req, NEW_KEY_BINDING_OID, V_ASN1_OCTET_STRING, &signature);

	if (rc)
		return rc == ERR_NOT_FOUND
			       ? err_set(ERR_DENIED,
					 "relatedCertRequest is not bound to the new key")
			       : rc;
	rc = related_cert_signed_bytes(proof->cert_id, proof->request_time,
				       X509_REQ_get_X509_PUBKEY(req), &what);
	if (!rc)
		rc = signature_check(X509_get0_pubkey(prior), &what, signature);
	return rc ? err_add(rc, "binding to the new key") : 0;
}

int related_cert_request_check(X509_REQ *req, X509 *prior, int64_t now_ms)
{
	const ASN1_STRING *value;
	REQUESTER_CERTIFICATE *proof;
	const uint8_t *at;
	int rc = attribute_find(req, RELATED_CERT_REQUEST_OID, V_ASN1_SEQUENCE, &value);

	if (rc)
		return rc;
	if (!X509_get0_pubkey(prior))
		return err_ossl(ERR_CRYPTO, "the earlier certificate's key");
	at = ASN1_STRING_get0_data(value);
	proof = d2i_REQUESTER_CERTIFICATE(NULL, &at, ASN1_STRING_length(value));
	if (!proof)
		return err_ossl(ERR_INVALID, "relatedCertRequest can't be read");
	if (at != ASN1_STRING_get0_data(value) + ASN1_STRING_length(value))
		rc = err_set(ERR_INVALID, "bytes after relatedCertRequest");
	else
		rc = proof_check(proof, prior, now_ms);
	if (!rc)
		rc = binding_check(req, proof, prior);
	REQUESTER_CERTIFICATE_free(proof);
	return rc;
}
