/* SPDX-License-Identifier: BSD-2-Clause */
/* Owns the moment of signing. Never lets a CA's key touch what has not been judged before. */
#include <string.h>

#include <openssl/core_names.h>
#include <openssl/err.h>

#include "ca/csr.h"
#include "ca/lint.h"

#define CERT_DER_MAX_BYTES 16384

int ca_rehearsal_key_new(const EVP_PKEY *like, EVP_PKEY **out)
{
	char group[64];
	size_t len;

	if (EVP_PKEY_get_base_id(like) == EVP_PKEY_RSA)
		*out = EVP_RSA_gen((unsigned)EVP_PKEY_get_bits(like));
	else if (EVP_PKEY_get_group_name(like, group, sizeof(group), &len))
		*out = EVP_EC_gen(group);
	else
		return err_ossl(ERR_CRYPTO, "a CA key that is neither EC nor RSA");
	return *out ? 0 : err_ossl(ERR_CRYPTO, "key for rehearsals");
}

static int sign_and_put(X509 *draft, EVP_PKEY *key, struct buf *der)
{
	if (!X509_sign(draft, key, EVP_sha256()))
		return err_ossl(ERR_CRYPTO, "signing");
	return ossl_cert_put(der, draft);
}

/* RFC 5280 4.1: Certificate ::= SEQUENCE { tbsCertificate, ... }: its bytes, header and all. */
static bool body_find(const struct buf *der, const uint8_t **body_out, size_t *len_out)
{
	const uint8_t *at = der->data;
	const uint8_t *body;
	long len;
	int tag, class;

	if (ASN1_get_object(&at, &len, &tag, &class, (long)der->len) != V_ASN1_CONSTRUCTED ||
	    tag != V_ASN1_SEQUENCE)
		return false;
	body = at;
	if (ASN1_get_object(&at, &len, &tag, &class, der->data + der->len - at) !=
		    V_ASN1_CONSTRUCTED ||
	    tag != V_ASN1_SEQUENCE)
		return false;
	*body_out = body;
	*len_out = (size_t)(at + len - body);
	return true;
}

static bool same_body(const struct buf *a, const struct buf *b)
{
	const uint8_t *x, *y;
	size_t x_len, y_len;

	return body_find(a, &x, &x_len) && body_find(b, &y, &y_len) && x_len == y_len &&
	       !memcmp(x, y, x_len);
}

/* As ossl_cert_parse, at less than half the cost: of pumps' there are thousands. Their keys have
 * one of few forms, and so become objects without OpenSSL's search for a decoder. */
static int leaf_parse(const struct buf *der, X509 **out)
{
	char type[CSR_KEY_TYPE_SIZE];
	AUTO_X509 cert = NULL;
	AUTO_PKEY key = NULL;
	int rc;

	if ((rc = ossl_cert_parse_plain(der->data, der->len, &cert)) ||
	    (rc = ca_key_parse(X509_get_X509_PUBKEY(cert), type, &key)) ||
	    (rc = ossl_cert_key_set(cert, key)))
		return rc;
	*out = OSSL_TAKE(cert);
	return 0;
}

int ca_sign_judged(X509 *draft, const struct ca_terms *t, X509 *issuer, EVP_PKEY *rehearsal,
		   EVP_PKEY *key, X509 **out)
{
	AUTO_BUF rehearsed = {.max = CERT_DER_MAX_BYTES};
	AUTO_BUF fresh = {.max = CERT_DER_MAX_BYTES};
	AUTO_X509 judged = NULL;
	int rc;

	if ((rc = sign_and_put(draft, rehearsal, &rehearsed)) ||
	    (rc = ossl_cert_parse_plain(rehearsed.data, rehearsed.len, &judged)) ||
	    (rc = ca_lint(t->kind, issuer, judged)) || (rc = ca_profile_check(draft, judged)) ||
	    (rc = sign_and_put(draft, key, &fresh)))
		return rc;
	if (!same_body(&rehearsed, &fresh))
		return err_set(ERR_INTERNAL, "what was signed is not what was judged");
	return t->kind == CA_KIND_DEVICE_LEAF ? leaf_parse(&fresh, out)
					      : ossl_cert_parse(fresh.data, fresh.len, out);
}
