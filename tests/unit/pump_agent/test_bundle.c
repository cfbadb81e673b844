/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/support/cmocka.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/x509v3.h>

#include "base/secret.h"
#include "pump_agent/bundle.h"

#define HASH "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff"
#define GOOD_PUMP "\"pump\": \"PG-000123\", "
#define GOOD_EST "\"est\": \"https://10.0.0.5:8443/.well-known/est\", "
#define GOOD_HASH "\"server_anchor_sha256\": \"" HASH "\", "
#define GOOD_NAME "\"radius_server_name\": \"radius-1.pumpgate.internal\", "
#define GOOD_TOKEN "\"token\": \"abcDEF_123-x\""
#define BODY GOOD_PUMP GOOD_EST GOOD_HASH GOOD_NAME GOOD_TOKEN

static int parse(const char *json)
{
	AUTO_BUNDLE b = {0};

	return bundle_parse(json, strlen(json), &b);
}

static void refuses_what_is_not_a_json_object(void **state)
{
	(void)state;
	assert_int_equal(parse(""), ERR_INVALID);
	assert_int_equal(parse("[]"), ERR_INVALID);
	assert_int_equal(parse("{"), ERR_INVALID);
	assert_int_equal(parse("{\"version\": 1, " BODY "} x"), ERR_INVALID);
	assert_int_equal(parse("{\"version\": 1, \"version\": 1, " BODY "}"), ERR_INVALID);
}

static void refuses_a_version_that_it_does_not_know(void **state)
{
	(void)state;
	assert_int_equal(parse("{" BODY "}"), ERR_INVALID);
	assert_int_equal(parse("{\"version\": \"1\", " BODY "}"), ERR_INVALID);
	assert_int_equal(parse("{\"version\": 0, " BODY "}"), ERR_INVALID);
	assert_int_equal(parse("{\"version\": 3, " BODY "}"), ERR_NEWER);
}

static void refuses_a_bundle_of_more_than_its_limit(void **state)
{
	char *big = calloc(1, BUNDLE_MAX + 2);
	AUTO_BUNDLE b = {0};

	(void)state;
	memset(big, ' ', BUNDLE_MAX + 1);
	memcpy(big, "{\"version\": 1, " BODY "}", strlen("{\"version\": 1, " BODY "}"));
	assert_int_equal(bundle_parse(big, BUNDLE_MAX + 1, &b), ERR_LIMIT);
	assert_int_equal(bundle_parse(big, BUNDLE_MAX, &b), 0);
	free(big);
}

static void refuses_each_missing_or_wrong_field_by_name(void **state)
{
	static const struct {
		const char *json;
		const char *names;
	} cases[] = {
		{BODY ", \"login_server\": \"10.0.0.5:2083\"", "login_server_name"},
		{BODY ", \"login_server_name\": \"login-1.x.y\"", "login_server"},
		{BODY ", \"login_server\": \"h.x.y:2083\", \"login_server_name\": \"login-1.x.y\"",
		 "login_server"},
		{BODY ", \"login_server\": \"10.0.0.5:2083\", \"login_server_name\": \"*\"",
		 "login_server_name"},
		{GOOD_EST GOOD_HASH GOOD_NAME GOOD_TOKEN, "pump"},
		{"\"pump\": \"pg-1\", " GOOD_EST GOOD_HASH GOOD_NAME GOOD_TOKEN, "pump"},
		{"\"pump\": \"PG\\u00001\", " GOOD_EST GOOD_HASH GOOD_NAME GOOD_TOKEN, "bundle"},
		{"\"pump\": 7, " GOOD_EST GOOD_HASH GOOD_NAME GOOD_TOKEN, "pump"},
		{GOOD_PUMP GOOD_HASH GOOD_NAME GOOD_TOKEN, "est"},
		{GOOD_PUMP "\"est\": \"http://h/p\", " GOOD_HASH GOOD_NAME GOOD_TOKEN, "est"},
		{GOOD_PUMP "\"est\": \"https://u:p@h/p\", " GOOD_HASH GOOD_NAME GOOD_TOKEN, "est"},
		{GOOD_PUMP "\"est\": \"https://h\", " GOOD_HASH GOOD_NAME GOOD_TOKEN, "est"},
		{GOOD_PUMP "\"est\": \"https://h/p/\", " GOOD_HASH GOOD_NAME GOOD_TOKEN, "est"},
		{GOOD_PUMP "\"est\": \"https://h/../p\", " GOOD_HASH GOOD_NAME GOOD_TOKEN, "est"},
		{GOOD_PUMP "\"est\": \"https:///p\", " GOOD_HASH GOOD_NAME GOOD_TOKEN, "est"},
		{GOOD_PUMP "\"est\": \"https://h/p?x=1\", " GOOD_HASH GOOD_NAME GOOD_TOKEN, "est"},
		{GOOD_PUMP GOOD_EST GOOD_NAME GOOD_TOKEN, "server_anchor_sha256"},
		{GOOD_PUMP GOOD_EST "\"server_anchor_sha256\": \"00\", " GOOD_NAME GOOD_TOKEN,
		 "server_anchor_sha256"},
		{GOOD_PUMP GOOD_EST GOOD_HASH GOOD_TOKEN, "radius_server_name"},
		{GOOD_PUMP GOOD_EST GOOD_HASH "\"radius_server_name\": \"\", " GOOD_TOKEN,
		 "radius_server_name"},
		{GOOD_PUMP GOOD_EST GOOD_HASH "\"radius_server_name\": \"com\", " GOOD_TOKEN,
		 "radius_server_name"},
		{GOOD_PUMP GOOD_EST GOOD_HASH "\"radius_server_name\": \"a.b;c\", " GOOD_TOKEN,
		 "radius_server_name"},
		{GOOD_PUMP GOOD_EST GOOD_HASH GOOD_NAME "\"token\": \"\"", "token"},
		{GOOD_PUMP GOOD_EST GOOD_HASH GOOD_NAME "\"token\": \"a:b\"", "token"},
		{GOOD_PUMP GOOD_EST GOOD_HASH GOOD_NAME "\"token\": null", "token"},
	};
	char json[1024];

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		snprintf(json, sizeof(json), "{\"version\": 1, %s}", cases[i].json);
		assert_int_equal(parse(json), ERR_INVALID);
		if (!strstr(err_text(), cases[i].names))
			fail_msg("case %zu: '%s' does not name %s", i, err_text(), cases[i].names);
	}
}

static void never_quotes_the_token_in_an_error(void **state)
{
	(void)state;
	assert_int_equal(parse("{\"version\": 1, \"token\": \"hush-hush\" oops}"), ERR_INVALID);
	assert_null(strstr(err_text(), "hush"));
	assert_int_equal(parse("{\"version\": 1, " GOOD_PUMP GOOD_EST GOOD_HASH GOOD_NAME
			       "\"token\": \"hush:hush\"}"),
			 ERR_INVALID);
	assert_null(strstr(err_text(), "hush"));
}

static void takes_a_good_bundle_and_ignores_more_fields(void **state)
{
	const char *json = "{\"version\": 1, \"more\": [1], " BODY "}";
	AUTO_BUNDLE b = {0};

	(void)state;
	assert_int_equal(bundle_parse(json, strlen(json), &b), 0);
	assert_string_equal(b.settings.pump, "PG-000123");
	assert_string_equal(b.settings.est, "https://10.0.0.5:8443/.well-known/est");
	assert_string_equal(b.settings.radius_name, "radius-1.pumpgate.internal");
	assert_int_equal(b.settings.anchor_hash[1], 0x11);
	assert_int_equal(secret_len(b.token), 12);
}

/* A root of its own making: base64 of its DER, and the SHA-256 of that. */
static void root_make(char text[2048], char hash[65])
{
	X509 *x = X509_new();
	EVP_PKEY *key = EVP_EC_gen("P-256");
	X509_EXTENSION *ca =
		X509V3_EXT_conf_nid(NULL, NULL, NID_basic_constraints, "critical,CA:TRUE");
	X509_NAME *name = X509_get_subject_name(x);
	unsigned char *der = NULL, md[32];
	int len;

	ASN1_INTEGER_set(X509_get_serialNumber(x), 1);
	X509_set_version(x, X509_VERSION_3);
	X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC, (const unsigned char *)"root", -1, -1,
				   0);
	X509_set_issuer_name(x, name);
	X509_gmtime_adj(X509_getm_notBefore(x), 0);
	X509_gmtime_adj(X509_getm_notAfter(x), 3600);
	assert_int_equal(X509_set_pubkey(x, key), 1);
	assert_int_equal(X509_add_ext(x, ca, -1), 1);
	assert_true(X509_sign(x, key, EVP_sha256()) > 0);
	len = i2d_X509(x, &der);
	assert_true(len > 0 && len < 1400);
	EVP_EncodeBlock((unsigned char *)text, der, len);
	assert_int_equal(EVP_Digest(der, (size_t)len, md, NULL, EVP_sha256(), NULL), 1);
	hex_encode(md, sizeof(md), hash, 65);
	OPENSSL_free(der);
	X509_EXTENSION_free(ca);
	EVP_PKEY_free(key);
	X509_free(x);
}

static void version_2_has_the_server_s_anchors_and_the_pinned_one_among_them(void **state)
{
	static const char *const bad[] = {"",
					  ", \"server_anchors\": []",
					  ", \"server_anchors\": 7",
					  ", \"server_anchors\": [7]",
					  ", \"server_anchors\": [\"QQ==\"]",
					  ", \"server_anchors\": [\"!\"]"};
	char text[2048], hash[65], json[8192], other_hash[65], other[2048];
	AUTO_BUNDLE b = {0};

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		snprintf(json, sizeof(json), "{\"version\": 2, " BODY "%s}", bad[i]);
		assert_int_equal(parse(json), ERR_INVALID);
		assert_non_null(strstr(err_text(), "server_anchors"));
	}
	root_make(text, hash);
	root_make(other, other_hash);
	snprintf(json, sizeof(json), "{\"version\": 2, " BODY ", \"server_anchors\": [\"%s\"]}",
		 text);
	assert_int_equal(parse(json), ERR_CRYPTO); /* not the one that has the hash */
	snprintf(json, sizeof(json),
		 "{\"version\": 2, " GOOD_PUMP GOOD_EST GOOD_NAME GOOD_TOKEN
		 ", \"server_anchor_sha256\": \"%s\", \"server_anchors\": [\"%s\", \"%s\"]}",
		 hash, other, text);
	assert_int_equal(bundle_parse(json, strlen(json), &b), 0);
	assert_int_equal(sk_X509_num(b.anchors), 1); /* the other one is nobody's */
}

#define BASE "{\"version\": 1, " GOOD_PUMP GOOD_EST GOOD_HASH GOOD_NAME

static void refuses_half_a_birth_certificate_or_one_beside_a_token(void **state)
{
	const char *bad[] = {
		BASE "\"idevid_certificate\": \"/c.pem\"}",
		BASE "\"idevid_key\": \"/k.pem\"}",
		BASE "\"idevid_certificate\": \"c.pem\", \"idevid_key\": \"/k.pem\"}",
		BASE "\"idevid_certificate\": \"/c.pem\", \"idevid_key\": 7}",
		BASE "\"idevid_certificate\": \"/c.pem\", \"idevid_key\": \"/k.pem\", " GOOD_TOKEN
		     "}",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_int_equal(parse(bad[i]), ERR_INVALID);
}

static void takes_a_birth_certificate_in_the_place_of_a_token(void **state)
{
	const char *json =
		BASE "\"idevid_certificate\": \"/etc/c.pem\", \"idevid_key\": \"/etc/k.pem\"}";
	AUTO_BUNDLE b = {0};

	(void)state;
	assert_int_equal(bundle_parse(json, strlen(json), &b), 0);
	assert_null(b.token);
	assert_string_equal(b.idevid_certificate, "/etc/c.pem");
	assert_string_equal(b.idevid_key, "/etc/k.pem");
}

static void takes_the_clinicians_server_and_does_without_it(void **state)
{
	static const char with[] =
		"{\"version\": 1, " BODY ", \"login_server\": \"10.0.0.5:2083\", "
		"\"login_server_name\": \"login-1.pumpgate.internal\"}";
	static const char without[] = "{\"version\": 1, " BODY "}";
	AUTO_BUNDLE b = {0};
	AUTO_BUNDLE older = {0};

	(void)state;
	assert_int_equal(bundle_parse(with, strlen(with), &b), 0);
	assert_string_equal(b.settings.login_address, "10.0.0.5:2083");
	assert_string_equal(b.settings.login_name, "login-1.pumpgate.internal");
	assert_int_equal(bundle_parse(without, strlen(without), &older), 0);
	assert_string_equal(older.settings.login_address, "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(refuses_what_is_not_a_json_object),
		cmocka_unit_test(refuses_a_version_that_it_does_not_know),
		cmocka_unit_test(refuses_a_bundle_of_more_than_its_limit),
		cmocka_unit_test(refuses_each_missing_or_wrong_field_by_name),
		cmocka_unit_test(never_quotes_the_token_in_an_error),
		cmocka_unit_test(refuses_half_a_birth_certificate_or_one_beside_a_token),
		cmocka_unit_test(takes_a_birth_certificate_in_the_place_of_a_token),
		cmocka_unit_test(version_2_has_the_server_s_anchors_and_the_pinned_one_among_them),
		cmocka_unit_test(takes_a_good_bundle_and_ignores_more_fields),
		cmocka_unit_test(takes_the_clinicians_server_and_does_without_it),
	};

	return cmocka_run_group_tests_name("pump_agent/bundle", tests, NULL, NULL);
}
