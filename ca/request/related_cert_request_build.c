/* SPDX-License-Identifier: BSD-2-Clause */
/* Owns making the proof. Runs on the pump; never sends or stores anything. */
#include "ca/request/related_cert_request.h"

#include "ca/request/related_cert_asn1.h"

ASN1_SEQUENCE(REQUESTER_CERTIFICATE) =
	{ASN1_SIMPLE(REQUESTER_CERTIFICATE, cert_id, PKCS7_ISSUER_AND_SERIAL),
	 ASN1_SIMPLE(REQUESTER_CERTIFICATE, request_time, ASN1_INTEGER),
	 ASN1_SIMPLE(REQUESTER_CERTIFICATE, location_info, ASN1_ANY),
	 ASN1_SIMPLE(REQUESTER_CERTIFICATE, signature,
		     ASN1_BIT_STRING)} ASN1_SEQUENCE_END(REQUESTER_CERTIFICATE)
		IMPLEMENT_ASN1_FUNCTIONS(REQUESTER_CERTIFICATE)

#define LOCATION "urn:pumpgate:registry"
#define SIGNED_MAX 8192

			static int der_put(struct buf * b,
					   int (*encode)(const void *, unsigned char **),
					   const void *value)
{
	int len = encode(value, NULL);
	uint8_t *at;
	int rc = len > 0 ? buf_reserve(b, (size_t)len, &at) : err_ossl(ERR_CRYPTO, "encoding");

	if (rc)
		return rc;
	return encode(value, &at) == len ? 0 : err_ossl(ERR_CRYPTO, "encoding");
}

static int encode_cert_id(const void *v, unsigned char **out)
{
	return i2d_PKCS7_ISSUER_AND_SERIAL(v, out);
}

static int encode_time(const void *v, unsigned char **out)
{
	return i2d_ASN1_INTEGER(v, out);
}

static int encode_spki(const void *v, unsigned char **out)
{
	return i2d_X509_PUBKEY(v, out);
}

static int encode_proof(const void *v, unsigned char **out)
{
	return i2d_REQUESTER_CERTIFICATE(v, out);
}

int related_cert_signed_bytes(PKCS7_ISSUER_AND_SERIAL *cert_id, ASN1_INTEGER *request_time,
			      X509_PUBKEY *spki, struct buf *out)
{
	int rc = der_put(out, encode_cert_id, cert_id);

	if (!rc)
		rc = der_put(out, encode_time, request_time);
	return rc || !spki ? rc : der_put(out, encode_spki, spki);
}

const EVP_MD *related_cert_digest(const EVP_PKEY *key)
{
	return EVP_PKEY_is_a(key, "EC") && EVP_PKEY_get_bits(key) == 384 ? EVP_sha384()
									 : EVP_sha256();
}

static int sign(EVP_PKEY *key, const struct buf *what, struct buf *signature)
{
	AUTO_MD_CTX ctx = EVP_MD_CTX_new();
	size_t len;
	uint8_t *at;
	int rc;

	if (!ctx || EVP_DigestSignInit(ctx, NULL, related_cert_digest(key), NULL, key) != 1 ||
	    EVP_DigestSign(ctx, NULL, &len, what->data, what->len) != 1)
		return err_ossl(ERR_CRYPTO, "signing with the earlier key");
	rc = buf_reserve(signature, len, &at);
	if (rc)
		return rc;
	if (EVP_DigestSign(ctx, at, &len, what->data, what->len) != 1)
		return err_ossl(ERR_CRYPTO, "signing with the earlier key");
	signature->len = len; /* ECDSA's may be shorter than announced */
	return 0;
}

static int attribute_add(X509_REQ *req, const char *oid, int type, const struct buf *value)
{
	ASN1_OBJECT *object = OBJ_txt2obj(oid, 1);
	int ok = object &&
		 X509_REQ_add1_attr_by_OBJ(req, object, type, value->data, (int)value->len) == 1;

	ASN1_OBJECT_free(object);
	return ok ? 0 : err_ossl(ERR_CRYPTO, "adding the attribute");
}

/* Everything but the signature. */
static int proof_fill(REQUESTER_CERTIFICATE *proof, X509 *prior, int64_t now_ms)
{
	ASN1_INTEGER *serial = ASN1_INTEGER_dup(X509_get0_serialNumber(prior));
	ASN1_IA5STRING *where = ASN1_IA5STRING_new();

	if (!serial || !where || !ASN1_STRING_set(where, LOCATION, -1) ||
	    !X509_NAME_set(&proof->cert_id->issuer, X509_get_issuer_name(prior)) ||
	    !ASN1_INTEGER_set_int64(proof->request_time, now_ms / 1000)) {
		ASN1_INTEGER_free(serial);
		ASN1_IA5STRING_free(where);
		return err_ossl(ERR_NOMEM, "relatedCertRequest");
	}
	ASN1_INTEGER_free(proof->cert_id->serial);
	proof->cert_id->serial = serial;
	ASN1_TYPE_set(proof->location_info, V_ASN1_IA5STRING, where);
	return 0;
}

static int proof_sign_and_add(REQUESTER_CERTIFICATE *proof, X509_REQ *req, EVP_PKEY *prior_key)
{
	AUTO_BUF what = {.max = SIGNED_MAX}, signature = {.max = 1024}, der = {.max = SIGNED_MAX};
	ASN1_BIT_STRING *bits = proof->signature;
	int rc = related_cert_signed_bytes(proof->cert_id, proof->request_time, NULL, &what);

	if (rc || (rc = sign(prior_key, &what, &signature)))
		return rc;
	if (!ASN1_STRING_set(bits, signature.data, (int)signature.len))
		return err_ossl(ERR_NOMEM, "relatedCertRequest");
	bits->flags &= ~(ASN1_STRING_FLAG_BITS_LEFT | 0x07);
	bits->flags |= ASN1_STRING_FLAG_BITS_LEFT; /* whole bytes, no trailing zero bits cut */
	rc = der_put(&der, encode_proof, proof);
	if (!rc)
		rc = attribute_add(req, RELATED_CERT_REQUEST_OID, V_ASN1_SEQUENCE, &der);
	if (rc)
		return rc;
	buf_reset(&what);
	buf_reset(&signature);
	rc = related_cert_signed_bytes(proof->cert_id, proof->request_time,
				       X509_REQ_get_X509_PUBKEY(req), &what);
	if (!rc)
		rc = sign(prior_key, &what, &signature);
	return rc ? rc : attribute_add(req, NEW_KEY_BINDING_OID, V_ASN1_OCTET_STRING, &signature);
}

int related_cert_request_add(X509_REQ *req, X509 *prior, EVP_PKEY *prior_key, int64_t now_ms)
{
	REQUESTER_CERTIFICATE *proof = REQUESTER_CERTIFICATE_new();
	int rc;

	if (!proof)
		return err_ossl(ERR_NOMEM, "relatedCertRequest");
	rc = proof_fill(proof, prior, now_ms);
	if (!rc)
		rc = proof_sign_and_add(proof, req, prior_key);
	REQUESTER_CERTIFICATE_free(proof);
	return rc;
}
