/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/unit/pump_agent/pki.h"

#include "tests/support/cmocka.h"

EVP_PKEY *pki_key(void)
{
	EVP_PKEY *key = EVP_EC_gen("P-256");

	assert_non_null(key);
	return key;
}

static void extension(X509 *x, X509 *issuer, int nid, const char *value)
{
	X509_EXTENSION *e;
	X509V3_CTX ctx;

	X509V3_set_ctx(&ctx, issuer, x, NULL, NULL, 0);
	e = X509V3_EXT_conf_nid(NULL, &ctx, nid, value);
	assert_non_null(e);
	assert_true(X509_add_ext(x, e, -1));
	X509_EXTENSION_free(e);
}

X509 *pki_cert(const struct pki_spec *spec, EVP_PKEY *key, X509 *issuer, EVP_PKEY *issuer_key)
{
	static long serial = 1000;
	X509 *x = X509_new();
	X509_NAME *name = X509_get_subject_name(x);

	assert_true(X509_set_version(x, 2));
	assert_true(ASN1_INTEGER_set(X509_get_serialNumber(x), ++serial));
	assert_non_null(X509_gmtime_adj(X509_getm_notBefore(x), spec->from_s));
	assert_non_null(X509_gmtime_adj(X509_getm_notAfter(x), spec->to_s));
	assert_true(X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC, (const uint8_t *)spec->cn,
					       -1, -1, 0));
	assert_true(X509_set_issuer_name(x, issuer ? X509_get_subject_name(issuer) : name));
	assert_true(X509_set_pubkey(x, key));
	extension(x, issuer ? issuer : x, NID_basic_constraints,
		  spec->ca ? "critical,CA:TRUE" : "critical,CA:FALSE");
	if (spec->san)
		extension(x, issuer, NID_subject_alt_name, spec->san);
	if (spec->usage)
		extension(x, issuer, NID_ext_key_usage, spec->usage);
	assert_true(X509_sign(x, issuer_key ? issuer_key : key, EVP_sha256()) > 0);
	return x;
}

X509 *pki_ca(const char *cn, EVP_PKEY *key, X509 *issuer, EVP_PKEY *issuer_key)
{
	struct pki_spec spec = {.cn = cn, .ca = true, .from_s = -60, .to_s = 86400};

	return pki_cert(&spec, key, issuer, issuer_key);
}

void pki_hash(X509 *cert, uint8_t out[32])
{
	unsigned len = 32;

	assert_true(X509_digest(cert, EVP_sha256(), out, &len));
}

STACK_OF(X509) * pki_stack(X509 *const *certs, size_t n)
{
	STACK_OF(X509) *s = sk_X509_new_null();

	for (size_t i = 0; i < n; i++) {
		X509_up_ref(certs[i]);
		assert_true(sk_X509_push(s, certs[i]) > 0);
	}
	return s;
}

void pki_cms(STACK_OF(X509) * certs, struct buf *out)
{
	AUTO_CMS cms = CMS_sign(NULL, NULL, certs, NULL, CMS_PARTIAL | CMS_DETACHED);
	uint8_t *der = NULL;
	uint8_t *at;
	int len;

	assert_non_null(cms);
	len = i2d_CMS_ContentInfo(cms, &der);
	assert_true(len > 0);
	buf_init(out, 65536);
	assert_int_equal(buf_reserve(out, (size_t)(len + 2) / 3 * 4 + 1, &at), 0);
	out->len = (size_t)EVP_EncodeBlock(at, der, len);
	OPENSSL_free(der);
}
