/* SPDX-License-Identifier: BSD-2-Clause */
/* Certificates that break one rule each: the lint names it, and the CA's key never touches them. */
#include "ca/lint.h"

#include <string.h>

#include "tests/support/cmocka.h"
#include "tests/unit/ca/ca_fixture.h"

static struct ca_issuer device;
static EVP_PKEY *ec, *nobody;

static int cas_make(void **state)
{
	(void)state;
	fixture_issuer(true, &device);
	ec = fixture_ec("P-256");
	nobody = fixture_ec("P-256");
	return 0;
}

static int cas_free(void **state)
{
	(void)state;
	ca_issuer_done(&device);
	EVP_PKEY_free(ec);
	EVP_PKEY_free(nobody);
	return 0;
}

static const struct ca_terms pump = {
	.kind = CA_KIND_DEVICE_LEAF,
	.serial = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16},
	.not_before_ms = NOW_MS,
	.not_after_ms = NOW_MS + DAY_MS,
	.common_name = PUMP,
	.crl_url = "http://pki.example/crl",
	.ocsp_url = "http://pki.example/ocsp"};

static X509 *draft_make(const struct ca_terms *t, EVP_PKEY *key)
{
	X509_PUBKEY *spki = NULL;
	X509 *draft;

	assert_int_equal(X509_PUBKEY_set(&spki, key), 1);
	assert_int_equal(ca_profile_build(t, spki, device.cert, &draft), 0);
	X509_PUBKEY_free(spki);
	return draft;
}

static X509 *reread(X509 *cert)
{
	AUTO_BUF der = {.max = 65536};
	X509 *fresh;

	assert_int_equal(ossl_cert_put(&der, cert), 0);
	assert_int_equal(ossl_cert_parse(der.data, der.len, &fresh), 0);
	return fresh;
}

static void extension_drop(X509 *cert, int nid)
{
	X509_EXTENSION *ext = X509_delete_ext(cert, X509_get_ext_by_NID(cert, nid, -1));

	assert_non_null(ext);
	X509_EXTENSION_free(ext);
}

static void extension_put(X509 *cert, const char *name, const char *value)
{
	X509V3_CTX ctx;
	X509_EXTENSION *ext;

	X509V3_set_ctx(&ctx, cert, cert, NULL, NULL, 0);
	ext = X509V3_EXT_conf(NULL, &ctx, name, value);
	assert_non_null(ext);
	assert_int_equal(X509_add_ext(cert, ext, -1), 1);
	X509_EXTENSION_free(ext);
}

static void extension_replace(X509 *cert, int nid, const char *name, const char *value)
{
	extension_drop(cert, nid);
	extension_put(cert, name, value);
}

static void time_put(ASN1_TIME *t, const char *text, int type)
{
	ASN1_STRING_set(t, text, -1);
	t->type = type;
}

static void break_version(X509 *c)
{
	X509_set_version(c, 1);
}
static void break_serial_short(X509 *c)
{
	ASN1_INTEGER_set(X509_get_serialNumber(c), 0x1234567);
}
static void break_serial_negative(X509 *c)
{
	X509_get_serialNumber(c)->type = V_ASN1_NEG_INTEGER;
}
static void break_serial_long(X509 *c)
{
	static const uint8_t bytes[21] = {1};

	ASN1_STRING_set(X509_get_serialNumber(c), bytes, 21);
}
static void break_times_order(X509 *c)
{
	ASN1_TIME_set(X509_getm_notAfter(c), NOW_MS / 1000 - 1);
}
static void break_times_form(X509 *c)
{
	time_put(X509_getm_notBefore(c), "20261122120000Z", V_ASN1_GENERALIZEDTIME);
}
static void break_times_end(X509 *c)
{
	ASN1_TIME_set(X509_getm_notAfter(c), NOW_MS / 1000 + 11LL * 365 * 86400);
}
static void break_times_begin(X509 *c)
{
	ASN1_TIME_set(X509_getm_notBefore(c), NOW_MS / 1000 - 3 * 86400);
}
static void break_issuer(X509 *c)
{
	X509_set_issuer_name(c, X509_get_subject_name(device.root));
}
static void break_extension_unknown(X509 *c)
{
	extension_put(c, "nsComment", "hello");
}
static void break_extension_twice(X509 *c)
{
	extension_put(c, "subjectAltName", "URI:" PUMP_URN);
}
static void break_criticality(X509 *c)
{
	extension_replace(c, NID_key_usage, "keyUsage", "digitalSignature");
}
static void break_criticality_of_eku(X509 *c)
{
	extension_replace(c, NID_ext_key_usage, "extendedKeyUsage", "critical,clientAuth");
}
static void break_usage(X509 *c)
{
	extension_replace(c, NID_key_usage, "keyUsage", "critical,digitalSignature,keyCertSign");
}
static void break_usage_absent(X509 *c)
{
	extension_drop(c, NID_key_usage);
}
static void break_purpose(X509 *c)
{
	extension_replace(c, NID_ext_key_usage, "extendedKeyUsage", "clientAuth,serverAuth");
}
static void break_purpose_any(X509 *c)
{
	extension_replace(c, NID_ext_key_usage, "extendedKeyUsage", "anyExtendedKeyUsage");
}
static void break_basic(X509 *c)
{
	extension_put(c, "basicConstraints", "critical,CA:TRUE,pathlen:0");
}
static void break_key_id(X509 *c)
{
	extension_replace(c, NID_authority_key_identifier, "authorityKeyIdentifier",
			  "keyid:always");
}
static void break_key_id_absent(X509 *c)
{
	extension_drop(c, NID_subject_key_identifier);
}
static void break_names_other_pump(X509 *c)
{
	extension_replace(c, NID_subject_alt_name, "subjectAltName", "URI:urn:pumpgate:pump:PG-2");
}
static void break_names_more(X509 *c)
{
	extension_replace(c, NID_subject_alt_name, "subjectAltName",
			  "URI:" PUMP_URN ",email:root@example.org");
}
static void break_names_none(X509 *c)
{
	extension_drop(c, NID_subject_alt_name);
}
static void break_names_nul(X509 *c)
{
	X509_NAME *name = X509_NAME_new();

	X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC, (const uint8_t *)PUMP "\0x",
				   sizeof(PUMP) + 1, -1, 0);
	X509_set_subject_name(c, name);
	X509_NAME_free(name);
}
static void break_size(X509 *c)
{
	char url[4200] = "URI:http://";

	memset(url + 11, 'x', sizeof(url) - 12);
	extension_replace(c, NID_crl_distribution_points, "crlDistributionPoints", url);
}
static void break_key(X509 *c)
{
	X509_set_pubkey(c, device.key);
}

static const struct {
	void (*break_it)(X509 *cert);
	const char *rule;
} broken[] = {
	{break_version, "version"},
	{break_serial_short, "serial number"},
	{break_serial_negative, "serial number"},
	{break_serial_long, "serial number"},
	{break_times_order, "times"},
	{break_times_form, "times"},
	{break_times_end, "times beyond the issuer's"},
	{break_times_begin, "times beyond the issuer's"},
	{break_issuer, "issuer's name"},
	{break_extension_unknown, "unknown or repeated extension"},
	{break_extension_twice, "unknown or repeated extension"},
	{break_criticality, "criticality"},
	{break_criticality_of_eku, "criticality"},
	{break_usage, "key usage"},
	{break_usage_absent, "key usage"},
	{break_purpose, "extended key usage"},
	{break_purpose_any, "extended key usage"},
	{break_basic, "basic constraints"},
	{break_key_id, "key identifiers"},
	{break_key_id_absent, "key identifiers"},
	{break_names_other_pump, "names"},
	{break_names_more, "names"},
	{break_names_none, "names"},
	{break_names_nul, "names"},
	{break_size, "size"},
	{break_key, "the issuer's own key"},
};

static void assert_breaks(X509 *cert, const char *rule)
{
	char want[96];

	snprintf(want, sizeof(want), "certificate breaks a rule: %s", rule);
	assert_int_equal(ca_lint(CA_KIND_DEVICE_LEAF, device.cert, cert), ERR_INTERNAL);
	assert_string_equal(err_text(), want);
}

static void each_broken_rule_is_named(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(broken) / sizeof(broken[0]); i++) {
		AUTO_X509 draft = draft_make(&pump, ec);
		AUTO_X509 cert = NULL;

		broken[i].break_it(draft);
		assert_true(X509_sign(draft, nobody, EVP_sha256()) > 0);
		cert = reread(draft);
		assert_breaks(cert, broken[i].rule);
	}
}

static void sha_1_is_a_broken_rule(void **state)
{
	AUTO_X509 draft = draft_make(&pump, ec);
	AUTO_X509 cert = NULL;

	(void)state;
	assert_true(X509_sign(draft, nobody, EVP_sha1()) > 0);
	cert = reread(draft);
	assert_breaks(cert, "signature algorithm");
}

/* OpenSSL builds none: an issuerUniqueID put into the bytes before the extensions. */
static void unique_identifiers_are_a_broken_rule(void **state)
{
	static const uint8_t unique_id[] = {0x81, 0x02, 0x00, 0xff};
	AUTO_X509 draft = draft_make(&pump, ec);
	AUTO_X509 cert = NULL;
	AUTO_BUF der = {.max = 4096};
	uint8_t with[2048], *exts = NULL;
	size_t at = 0;
	int exts_len;

	(void)state;
	assert_true(X509_sign(draft, nobody, EVP_sha256()) > 0);
	assert_int_equal(ossl_cert_put(&der, draft), 0);
	exts_len = i2d_X509_EXTENSIONS((X509_EXTENSIONS *)X509_get0_extensions(draft), &exts);
	while (memcmp(der.data + at, exts, (size_t)exts_len))
		at++;
	at -= exts_len + 4 > 0x104 ? 4 : 3; /* behind the tag [3] with its length */
	assert_int_equal(der.data[at], 0xa3);
	memcpy(with, der.data, at);
	memcpy(with + at, unique_id, sizeof(unique_id));
	memcpy(with + at + sizeof(unique_id), der.data + at, der.len - at);
	with[3] = (uint8_t)(with[3] + 4); /* lengths of the certificate and of its body */
	with[7] = (uint8_t)(with[7] + 4);
	assert_true(with[3] >= 4 && with[7] >= 4); /* no carry */
	assert_int_equal(ossl_cert_parse(with, der.len + sizeof(unique_id), &cert), 0);
	assert_breaks(cert, "unique identifiers");
	OPENSSL_free(exts);
}

static void the_cas_key_never_touches_what_breaks_a_rule(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(broken) / sizeof(broken[0]); i++) {
		AUTO_X509 draft = draft_make(&pump, ec);
		X509 *out = NULL;

		broken[i].break_it(draft);
		/* there is no key that could sign */
		assert_int_equal(
			ca_sign_judged(draft, &pump, device.cert, device.rehearsal, NULL, &out),
			ERR_INTERNAL);
		assert_non_null(strstr(err_text(), "breaks a rule"));
		assert_null(out);
	}
}

static void what_is_signed_is_what_was_judged(void **state)
{
	AUTO_X509 draft = draft_make(&pump, ec);
	AUTO_X509 out = NULL;

	(void)state;
	assert_int_equal(
		ca_sign_judged(draft, &pump, device.cert, device.rehearsal, device.key, &out), 0);
	assert_int_equal(X509_verify(out, device.rehearsal), 0);
	assert_int_equal(X509_verify(out, device.key), 1);
	assert_int_equal(ca_lint(CA_KIND_DEVICE_LEAF, device.cert, out), 0);
	/* another key type would have another body: the signature's algorithm stands in it */
	X509_free(out);
	out = NULL;
	{
		EVP_PKEY *rsa = fixture_rsa(1024, 65537);

		assert_int_equal(ca_sign_judged(draft, &pump, device.cert, rsa, device.key, &out),
				 ERR_INTERNAL);
		assert_string_equal(err_text(), "what was signed is not what was judged");
		EVP_PKEY_free(rsa);
	}
}

static void every_kind_keeps_the_rules(void **state)
{
	struct ca_issuer server;
	AUTO_X509 leaf = NULL;

	(void)state;
	fixture_issuer(false, &server);
	leaf = fixture_leaf(&server, false, "radius-1.example", ec);
	assert_int_equal(ca_lint(CA_KIND_SERVER_LEAF, server.cert, leaf), 0);
	assert_int_equal(ca_lint(CA_KIND_DEVICE_ROOT, NULL, device.root), 0);
	assert_int_equal(ca_lint(CA_KIND_DEVICE_CA, device.root, device.cert), 0);
	assert_int_equal(ca_lint(CA_KIND_SERVER_ROOT, NULL, server.root), 0);
	assert_int_equal(ca_lint(CA_KIND_SERVER_CA, server.root, server.cert), 0);
	/* and is not taken for another */
	assert_int_equal(ca_lint(CA_KIND_DEVICE_LEAF, server.cert, leaf), ERR_INTERNAL);
	assert_int_equal(ca_lint(CA_KIND_OCSP_LEAF, server.cert, leaf), ERR_INTERNAL);
	assert_int_equal(ca_lint(CA_KIND_DEVICE_CA, NULL, device.root), ERR_INTERNAL);
	assert_int_equal(ca_lint(CA_KIND_NONE, device.root, device.cert), ERR_INTERNAL);
	ca_issuer_done(&server);
}

static void rehearsal_key_is_of_the_cas_type(void **state)
{
	EVP_PKEY *keys[] = {fixture_ec("P-256"), fixture_ec("P-384"), fixture_rsa(1024, 65537)};
	EVP_PKEY *other = EVP_PKEY_Q_keygen(NULL, NULL, "ED25519"), *got = NULL;

	(void)state;
	assert_int_equal(ca_rehearsal_key_new(other, &got), ERR_CRYPTO);
	assert_null(got);
	for (size_t i = 0; i < 3; i++) {
		assert_int_equal(ca_rehearsal_key_new(keys[i], &got), 0);
		assert_int_equal(EVP_PKEY_parameters_eq(got, keys[i]) == 0, 0);
		assert_int_equal(EVP_PKEY_get_bits(got), EVP_PKEY_get_bits(keys[i]));
		assert_int_not_equal(EVP_PKEY_eq(got, keys[i]), 1);
		EVP_PKEY_free(got);
		EVP_PKEY_free(keys[i]);
		got = NULL;
	}
	EVP_PKEY_free(other);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_broken_rule_is_named),
		cmocka_unit_test(sha_1_is_a_broken_rule),
		cmocka_unit_test(unique_identifiers_are_a_broken_rule),
		cmocka_unit_test(the_cas_key_never_touches_what_breaks_a_rule),
		cmocka_unit_test(what_is_signed_is_what_was_judged),
		cmocka_unit_test(every_kind_keeps_the_rules),
		cmocka_unit_test(rehearsal_key_is_of_the_cas_type),
	};

	return cmocka_run_group_tests_name("ca/lint", tests, cas_make, cas_free);
}
