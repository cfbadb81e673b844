/* SPDX-License-Identifier: BSD-2-Clause */
/* Owns the choice of trust anchors. Never trusts a certificate for having been sent. */
#include "pump_agent/anchors.h"

#include <ctype.h>
#include <string.h>

#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include "base/secret.h"

/* Strict base64 (RFC 4648); padding only at the end. */
int est_body_decode(const void *base64, size_t len, struct buf *out)
{
	const uint8_t *in = base64;
	uint8_t group[4];
	uint8_t bytes[3];
	size_t n = 0, pads = 0;
	int rc = 0;

	for (size_t i = 0; i < len && !rc; i++) {
		if (isspace(in[i]))
			continue;
		if (pads && (in[i] != '=' || n == 0))
			return err_set(ERR_INVALID, "base64: data after its end");
		if (in[i] == '=')
			pads++;
		group[n++] = in[i];
		if (n < 4)
			continue;
		n = 0;
		if (pads > 2 || EVP_DecodeBlock(bytes, group, 4) != 3)
			return err_set(ERR_INVALID, "base64: a character that does not belong");
		rc = buf_put(out, bytes, 3 - pads);
	}
	if (!rc && n)
		rc = err_set(ERR_INVALID, "base64: cut off");
	return rc;
}

int est_certs_parse(const void *base64, size_t len, STACK_OF(X509) * *out)
{
	AUTO_BUF der = {.max = EST_ANSWER_MAX};
	AUTO_CMS cms = NULL;
	AUTO_X509S certs = NULL;
	const uint8_t *at;
	int rc;

	if (len > EST_ANSWER_MAX)
		return err_set(ERR_LIMIT, "answer larger than %d bytes", EST_ANSWER_MAX);
	rc = est_body_decode(base64, len, &der);
	if (rc)
		return rc;
	at = der.data;
	cms = der.len ? d2i_CMS_ContentInfo(NULL, &at, (long)der.len) : NULL;
	if (!cms || at != der.data + der.len) {
		ERR_clear_error();
		return err_set(ERR_INVALID, "not a CMS message");
	}
	if (OBJ_obj2nid(CMS_get0_type(cms)) != NID_pkcs7_signed)
		return err_set(ERR_INVALID, "not a certs-only CMS message");
	certs = CMS_get1_certs(cms);
	ERR_clear_error();
	if (!certs || sk_X509_num(certs) == 0)
		return err_set(ERR_INVALID, "no certificate inside");
	if (sk_X509_num(certs) > EST_CERTS_MAX)
		return err_set(ERR_LIMIT, "more than %d certificates", EST_CERTS_MAX);
	*out = OSSL_TAKE(certs);
	return 0;
}

static bool is_ca(X509 *x)
{
	/* 1: basicConstraints CA:TRUE; other true values are version 1 and other leniencies */
	return X509_check_ca(x) == 1;
}

static bool is_root(X509 *x)
{
	return is_ca(x) && X509_check_issued(x, x) == X509_V_OK &&
	       X509_verify(x, X509_get0_pubkey(x)) == 1;
}

/* A root that another of its name has signed (RFC 4210 4.4) is below nobody. */
bool anchor_is_below(X509 *x, X509 *root)
{
	bool yes = is_ca(x) &&
		   X509_NAME_cmp(X509_get_subject_name(x), X509_get_subject_name(root)) != 0 &&
		   X509_check_issued(root, x) == X509_V_OK &&
		   X509_verify(x, X509_get0_pubkey(root)) == 1;

	ERR_clear_error();
	return yes;
}

static int share(STACK_OF(X509) * to, X509 *x)
{
	if (!X509_up_ref(x))
		return err_ossl(ERR_CRYPTO, "certificate");
	if (sk_X509_push(to, x))
		return 0;
	X509_free(x);
	return err_set(ERR_NOMEM, "no memory for certificates");
}

static X509 *by_hash(const STACK_OF(X509) * all, const uint8_t hash[ANCHOR_HASH_BYTES])
{
	for (int i = 0; i < sk_X509_num(all); i++) {
		uint8_t md[EVP_MAX_MD_SIZE];
		unsigned len = 0;

		if (X509_digest(sk_X509_value(all, i), EVP_sha256(), md, &len) &&
		    secret_equal(md, len, hash, ANCHOR_HASH_BYTES))
			return sk_X509_value(all, i);
	}
	return NULL;
}

int anchors_of_server(const STACK_OF(X509) * all, const uint8_t hash[ANCHOR_HASH_BYTES],
		      STACK_OF(X509) * *out)
{
	AUTO_X509S chosen = sk_X509_new_null();
	X509 *root = by_hash(all, hash);
	int rc;

	if (!chosen)
		return err_set(ERR_NOMEM, "no memory for certificates");
	if (!root)
		return err_set(ERR_CRYPTO, "no certificate has the hash of the bundle: this is not "
					   "the server that made it");
	if (!is_root(root)) {
		ERR_clear_error();
		return err_set(ERR_CRYPTO,
			       "the certificate with the bundle's hash is not a root CA");
	}
	rc = share(chosen, root);
	for (int i = 0; i < sk_X509_num(all) && !rc; i++) {
		X509 *x = sk_X509_value(all, i);

		if (anchor_is_below(x, root))
			rc = share(chosen, x);
	}
	if (!rc)
		*out = OSSL_TAKE(chosen);
	return rc;
}

/* Of the servers' hierarchy, also where it was not taken: a root of their root's name, or what such
 * a root is said to have issued. */
static bool is_of_servers(const STACK_OF(X509) * server, X509 *x)
{
	for (int i = 0; i < sk_X509_num(server); i++) {
		X509 *s = sk_X509_value(server, i);

		if (X509_cmp(s, x) == 0 ||
		    X509_NAME_cmp(X509_get_issuer_name(x), X509_get_issuer_name(s)) == 0)
			return true;
	}
	return false;
}

int anchors_of_devices(const STACK_OF(X509) * all, const STACK_OF(X509) * server,
		       STACK_OF(X509) * *out)
{
	AUTO_X509S chosen = sk_X509_new_null();
	bool has_root = false;
	int rc = 0;

	if (!chosen)
		return err_set(ERR_NOMEM, "no memory for certificates");
	for (int i = 0; i < sk_X509_num(all) && !rc; i++) {
		X509 *x = sk_X509_value(all, i);

		if (!is_ca(x) || is_of_servers(server, x))
			continue;
		has_root |= is_root(x);
		rc = share(chosen, x);
	}
	ERR_clear_error();
	if (!rc && !has_root)
		rc = err_set(ERR_INVALID, "the answer has no root CA for pumps");
	if (!rc)
		*out = OSSL_TAKE(chosen);
	return rc;
}

int anchors_store(const STACK_OF(X509) * certs, X509_STORE **out)
{
	AUTO_X509_STORE store = X509_STORE_new();
	bool has_root = false;

	if (!store)
		return err_ossl(ERR_CRYPTO, "trust store");
	for (int i = 0; i < sk_X509_num(certs); i++) {
		X509 *x = sk_X509_value(certs, i);

		/* Without X509_V_FLAG_PARTIAL_CHAIN an intermediate in the store ends no chain. */
		if (!X509_STORE_add_cert(store, x))
			return err_ossl(ERR_CRYPTO, "trust store");
		has_root |= is_root(x);
	}
	ERR_clear_error();
	if (!has_root)
		return err_set(ERR_INVALID, "no root CA to trust");
	*out = OSSL_TAKE(store);
	return 0;
}

int certs_pem_build(const STACK_OF(X509) * certs, struct buf *out)
{
	AUTO_BIO bio = BIO_new(BIO_s_mem());
	char *text;
	long len;

	for (int i = 0; bio && i < sk_X509_num(certs); i++)
		if (!PEM_write_bio_X509(bio, sk_X509_value(certs, i)))
			return err_ossl(ERR_CRYPTO, "PEM");
	if (!bio)
		return err_ossl(ERR_CRYPTO, "PEM");
	len = BIO_get_mem_data(bio, &text);
	return buf_put(out, text, (size_t)len);
}

int certs_pem_parse(const void *pem, size_t len, STACK_OF(X509) * *out)
{
	AUTO_BIO bio = len <= EST_ANSWER_MAX ? BIO_new_mem_buf(pem, (int)len) : NULL;
	AUTO_X509S certs = sk_X509_new_null();

	if (!bio || !certs)
		return err_set(ERR_LIMIT, "certificates: too large or no memory");
	for (;;) {
		AUTO_X509 x = PEM_read_bio_X509(bio, NULL, NULL, NULL);
		int rc;

		if (!x)
			break;
		rc = sk_X509_num(certs) < EST_CERTS_MAX
			     ? share(certs, x)
			     : err_set(ERR_LIMIT, "more than %d certificates", EST_CERTS_MAX);
		if (rc)
			return rc;
	}
	if (ERR_GET_REASON(ERR_peek_last_error()) != PEM_R_NO_START_LINE ||
	    sk_X509_num(certs) == 0) {
		ERR_clear_error();
		return err_set(ERR_INVALID, "certificates: cannot be read");
	}
	ERR_clear_error();
	*out = OSSL_TAKE(certs);
	return 0;
}
