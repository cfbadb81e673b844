/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/unit/ca/ca_fixture.h"

#include <stdio.h>
#include <string.h>

#include <openssl/bn.h>
#include <openssl/ec.h>
#include <openssl/rsa.h>

#include "tests/support/cmocka.h"

EVP_PKEY *fixture_ec(const char *curve)
{
	EVP_PKEY *key = EVP_EC_gen(curve);

	assert_non_null(key);
	return key;
}

EVP_PKEY *fixture_rsa(unsigned bits, unsigned long exponent)
{
	EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_name(NULL, "RSA", NULL);
	BIGNUM *e = BN_new();
	EVP_PKEY *key = NULL;

	assert_true(ctx && e && BN_set_word(e, exponent));
	assert_int_equal(EVP_PKEY_keygen_init(ctx), 1);
	assert_int_equal(EVP_PKEY_CTX_set_rsa_keygen_bits(ctx, (int)bits), 1);
	assert_int_equal(EVP_PKEY_CTX_set1_rsa_keygen_pubexp(ctx, e), 1);
	assert_int_equal(EVP_PKEY_generate(ctx, &key), 1);
	EVP_PKEY_CTX_free(ctx);
	BN_free(e);
	return key;
}

static void extensions_add(X509_REQ *req, const char *lines)
{
	STACK_OF(X509_EXTENSION) *exts = sk_X509_EXTENSION_new_null();
	char copy[1024], *save = NULL;

	snprintf(copy, sizeof(copy), "%s", lines);
	for (char *line = strtok_r(copy, "\n", &save); line; line = strtok_r(NULL, "\n", &save)) {
		char *value = strchr(line, '=');
		X509_EXTENSION *ext;

		*value++ = '\0';
		ext = X509V3_EXT_conf(NULL, NULL, line, value);
		assert_non_null(ext);
		sk_X509_EXTENSION_push(exts, ext);
	}
	assert_int_equal(X509_REQ_add_extensions(req, exts), 1);
	sk_X509_EXTENSION_pop_free(exts, X509_EXTENSION_free);
}

X509_REQ *fixture_request_draft(const struct request *r)
{
	X509_REQ *req = X509_REQ_new();

	assert_non_null(req);
	assert_int_equal(X509_REQ_set_pubkey(req, r->key), 1);
	if (r->cn)
		assert_int_equal(X509_NAME_add_entry_by_NID(X509_REQ_get_subject_name(req),
							    NID_commonName, V_ASN1_UTF8STRING,
							    (const unsigned char *)r->cn,
							    r->cn_len ? r->cn_len : -1, -1, 0),
				 1);
	if (r->extensions)
		extensions_add(req, r->extensions);
	if (r->challenge)
		assert_int_equal(X509_REQ_add1_attr_by_NID(req, NID_pkcs9_challengePassword,
							   MBSTRING_UTF8,
							   (const unsigned char *)r->challenge, -1),
				 1);
	return req;
}

void fixture_request_sign(X509_REQ *req, EVP_PKEY *key, struct buf *out)
{
	uint8_t *at;
	int len;

	if (key)
		assert_true(X509_REQ_sign(req, key, EVP_sha256()) > 0);
	len = i2d_X509_REQ(req, NULL);
	assert_true(len > 0);
	assert_int_equal(buf_reserve(out, (size_t)len, &at), 0);
	assert_int_equal(i2d_X509_REQ(req, &at), len);
}

void fixture_request(const struct request *r, struct buf *out)
{
	X509_REQ *req = fixture_request_draft(r);

	assert_true(X509_REQ_sign(req, r->key, r->md ? r->md : EVP_sha256()) > 0);
	fixture_request_sign(req, NULL, out);
	X509_REQ_free(req);
}

void fixture_issuer(bool device, struct ca_issuer *out)
{
	struct ca_hierarchy h;

	assert_int_equal(ca_hierarchy_new(device ? CA_KIND_DEVICE_ROOT : CA_KIND_SERVER_ROOT,
					  "St. Test", NOW_MS, &h),
			 0);
	assert_int_equal(ca_issuer_init(h.ca, h.ca_key, h.root, out), 0);
	ca_hierarchy_done(&h);
}

int fixture_issue(const struct ca_issuer *issuer, const struct ca_terms *t, EVP_PKEY *key,
		  X509 **out)
{
	X509_PUBKEY *spki = NULL;
	int rc;

	assert_int_equal(X509_PUBKEY_set(&spki, key), 1);
	rc = ca_issue(issuer, t, spki, out);
	X509_PUBKEY_free(spki);
	return rc;
}

X509 *fixture_leaf(const struct ca_issuer *issuer, bool device, const char *name, EVP_PKEY *key)
{
	struct ca_terms t = {.kind = device ? CA_KIND_DEVICE_LEAF : CA_KIND_SERVER_LEAF,
			     .not_before_ms = NOW_MS - 300000,
			     .not_after_ms = NOW_MS + 365 * DAY_MS,
			     .common_name = name,
			     .names = {device ? NULL : name}};
	X509 *cert = NULL;

	ca_serial_random(t.serial);
	assert_int_equal(fixture_issue(issuer, &t, key, &cert), 0);
	return cert;
}

int fixture_verify(const struct ca_issuer *issuer, X509 *cert, int purpose)
{
	AUTO_X509_STORE_CTX ctx = X509_STORE_CTX_new();
	AUTO_X509_STORE store = X509_STORE_new();

	X509_STORE_add_cert(store, issuer->root);
	X509_STORE_add_cert(store, issuer->cert);
	assert_int_equal(X509_STORE_CTX_init(ctx, store, cert, NULL), 1);
	X509_STORE_CTX_set_time(ctx, 0, NOW_MS / 1000);
	assert_int_equal(X509_STORE_CTX_set_purpose(ctx, purpose), 1);
	return X509_verify_cert(ctx) == 1 ? X509_V_OK : X509_STORE_CTX_get_error(ctx);
}

bool refused_as(const char *reason)
{
	size_t len = strlen(reason);
	bool so = !strncmp(err_text(), reason, len) && !strncmp(err_text() + len, ": ", 2);

	if (!so)
		print_error("wanted %s, got: %s\n", reason, err_text());
	return so;
}

void fixture_next_issuer(const struct ca_hierarchy *h, int64_t now_ms, struct ca_issuer *out)
{
	struct ca_terms t = ca_terms_of_ca(CA_KIND_DEVICE_CA, "City Hospital", now_ms);
	EVP_PKEY *key = fixture_ec("P-256");
	X509 *cert = NULL;

	t.common_name = "Pumpgate Device CA 2";
	assert_int_equal(ca_certify(&t, key, h->root, h->root_key, &cert), 0);
	assert_int_equal(ca_issuer_init(cert, key, h->root, out), 0);
	X509_free(cert);
	EVP_PKEY_free(key);
}
