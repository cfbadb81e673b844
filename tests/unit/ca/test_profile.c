/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/unit/ca/ca_fixture.h"

#include <string.h>

#include "tests/support/cmocka.h"

/* What travels in each EAP-TLS handshake: a pump's whole flight must fit one fragment. */
#define P256_LEAF_MAX_BYTES 480

static struct ca_issuer device, server;
static EVP_PKEY *ec;

static int cas_make(void **state)
{
	(void)state;
	fixture_issuer(true, &device);
	fixture_issuer(false, &server);
	ec = fixture_ec("P-256");
	return 0;
}

static int cas_free(void **state)
{
	(void)state;
	ca_issuer_done(&device);
	ca_issuer_done(&server);
	EVP_PKEY_free(ec);
	return 0;
}

/* Three hierarchies, each for its own: no chain of one passes for another's, whatever the purpose.
 */
static void a_nas_certificate_is_no_pump_and_no_server_and_no_pump_is_a_nas(void **state)
{
	struct ca_terms t = {.kind = CA_KIND_NAS_LEAF, .common_name = "sw-1"};
	struct ca_hierarchy h = {0};
	struct ca_issuer nas = {0};
	AUTO_X509 leaf = NULL;
	AUTO_X509 pump = fixture_leaf(&device, true, PUMP, ec);
	X509_PUBKEY *spki = NULL;

	(void)state;
	assert_int_equal(ca_hierarchy_new(CA_KIND_NAS_ROOT, "Hospital", NOW_MS, &h), 0);
	assert_int_equal(ca_issuer_init(h.ca, h.ca_key, h.root, &nas), 0);
	ca_hierarchy_done(&h);
	ca_serial_random(t.serial);
	t.not_before_ms = NOW_MS;
	t.not_after_ms = NOW_MS + 3600000;
	assert_true(X509_PUBKEY_set(&spki, ec));
	assert_int_equal(ca_issue(&nas, &t, spki, &leaf), 0);
	X509_PUBKEY_free(spki);
	assert_int_equal(fixture_verify(&nas, leaf, X509_PURPOSE_SSL_CLIENT), X509_V_OK);
	assert_int_equal(fixture_verify(&nas, leaf, X509_PURPOSE_SSL_SERVER),
			 X509_V_ERR_INVALID_PURPOSE);
	assert_int_not_equal(fixture_verify(&device, leaf, X509_PURPOSE_SSL_CLIENT), X509_V_OK);
	assert_int_not_equal(fixture_verify(&server, leaf, X509_PURPOSE_SSL_SERVER), X509_V_OK);
	assert_int_not_equal(fixture_verify(&nas, pump, X509_PURPOSE_SSL_CLIENT), X509_V_OK);
	ca_issuer_done(&nas);
}

static void a_nas_s_name_is_checked_before_it_is_signed(void **state)
{
	static const char *const bad[] = {"",	  "-sw",   "sw 1",
					  "sw/1", "sw\n1", "sw-0123456789-0123456789-0123456789"};
	X509_PUBKEY *spki = NULL;

	(void)state;
	assert_true(X509_PUBKEY_set(&spki, ec));
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct ca_terms t = {.kind = CA_KIND_NAS_LEAF,
				     .common_name = bad[i],
				     .not_before_ms = NOW_MS,
				     .not_after_ms = NOW_MS + 3600000};
		X509 *leaf = NULL;

		ca_serial_random(t.serial);
		assert_int_equal(ca_issue(&device, &t, spki, &leaf), ERR_INVALID);
		assert_null(leaf);
	}
	X509_PUBKEY_free(spki);
}

static void device_certificate_is_no_server(void **state)
{
	AUTO_X509 leaf = fixture_leaf(&device, true, PUMP, ec);

	(void)state;
	assert_int_equal(fixture_verify(&device, leaf, X509_PURPOSE_SSL_SERVER),
			 X509_V_ERR_INVALID_PURPOSE);
	assert_int_equal(fixture_verify(&device, leaf, X509_PURPOSE_SSL_CLIENT), X509_V_OK);
}

static void server_certificate_is_no_client(void **state)
{
	AUTO_X509 leaf = fixture_leaf(&server, false, "radius-1.example", ec);

	(void)state;
	assert_int_equal(fixture_verify(&server, leaf, X509_PURPOSE_SSL_CLIENT),
			 X509_V_ERR_INVALID_PURPOSE);
	assert_int_equal(fixture_verify(&server, leaf, X509_PURPOSE_SSL_SERVER), X509_V_OK);
	assert_int_equal(X509_check_host(leaf, "radius-1.example", 0, 0, NULL), 1);
	assert_int_equal(X509_check_host(leaf, "radius-2.example", 0, 0, NULL), 0);
}

static void another_ca_with_the_same_names_is_refused(void **state)
{
	struct ca_issuer twin;
	X509 *forged;

	(void)state;
	fixture_issuer(true, &twin);
	assert_string_equal(twin.name, device.name);
	forged = fixture_leaf(&twin, true, PUMP, ec);
	assert_int_not_equal(fixture_verify(&device, forged, X509_PURPOSE_SSL_CLIENT), X509_V_OK);
	assert_int_equal(ca_issuer_check(&device, forged), ERR_DENIED);
	assert_int_equal(ca_issuer_check(&twin, forged), 0);
	X509_free(forged);
	ca_issuer_done(&twin);
}

/* Signs whatever, as a thief of the CA key would: the profile does not hold him, the CA's own
 * certificate must. */
static X509 *thief_sign(const struct ca_issuer *issuer, const char *eku, const char *san)
{
	X509 *cert = X509_new();
	const struct {
		const char *name, *value;
	} exts[] = {{"extendedKeyUsage", eku}, {"subjectAltName", san}};

	X509_set_version(cert, X509_VERSION_3);
	ASN1_INTEGER_set(X509_get_serialNumber(cert), 7);
	X509_set_issuer_name(cert, X509_get_subject_name(issuer->cert));
	X509_NAME_add_entry_by_txt(X509_get_subject_name(cert), "CN", MBSTRING_ASC,
				   (const unsigned char *)PUMP, -1, -1, 0);
	ASN1_TIME_set(X509_getm_notBefore(cert), NOW_MS / 1000 - 60);
	ASN1_TIME_set(X509_getm_notAfter(cert), NOW_MS / 1000 + 3600);
	X509_set_pubkey(cert, ec);
	for (size_t i = 0; i < 2; i++) {
		X509_EXTENSION *e = X509V3_EXT_conf(NULL, NULL, exts[i].name, exts[i].value);

		assert_non_null(e);
		X509_add_ext(cert, e, -1);
		X509_EXTENSION_free(e);
	}
	assert_true(X509_sign(cert, issuer->key, EVP_sha256()) > 0);
	return cert;
}

static void assert_thief(const struct ca_issuer *issuer, const char *eku, const char *san,
			 int purpose, int want)
{
	X509 *cert = thief_sign(issuer, eku, san);
	int got = fixture_verify(issuer, cert, purpose);

	if (got != want)
		print_error("%s %s: %s\n", eku, san, X509_verify_cert_error_string(got));
	assert_int_equal(got, want);
	X509_free(cert);
}

static void name_constraints_hold_against_a_stolen_device_ca_key(void **state)
{
	const int client = X509_PURPOSE_SSL_CLIENT;

	(void)state;
	assert_thief(&device, "clientAuth", "DNS:radius-1.example", client,
		     X509_V_ERR_EXCLUDED_VIOLATION);
	assert_thief(&device, "clientAuth", "email:root@example.org", client,
		     X509_V_ERR_PERMITTED_VIOLATION);
	assert_thief(&device, "serverAuth", "URI:" PUMP_URN, X509_PURPOSE_SSL_SERVER,
		     X509_V_ERR_INVALID_PURPOSE);
	/* addresses are the EKU's to shut out */
	assert_thief(&device, "serverAuth", "IP:10.0.0.1", X509_PURPOSE_SSL_SERVER,
		     X509_V_ERR_INVALID_PURPOSE);
	assert_thief(&device, "serverAuth", "IP:fe80::1", X509_PURPOSE_SSL_SERVER,
		     X509_V_ERR_INVALID_PURPOSE);
	assert_thief(&device, "clientAuth", "URI:" PUMP_URN, client, X509_V_OK);
}

static void name_constraints_hold_against_a_stolen_server_ca_key(void **state)
{
	const int as_server = X509_PURPOSE_SSL_SERVER;

	(void)state;
	assert_thief(&server, "serverAuth", "email:root@example.org", as_server,
		     X509_V_ERR_PERMITTED_VIOLATION);
	assert_thief(&server, "clientAuth", "URI:" PUMP_URN, X509_PURPOSE_SSL_CLIENT,
		     X509_V_ERR_INVALID_PURPOSE);
	assert_thief(&server, "clientAuth", "DNS:radius-1.example", X509_PURPOSE_SSL_CLIENT,
		     X509_V_ERR_INVALID_PURPOSE);
	assert_thief(&server, "serverAuth", "DNS:radius-1.example", as_server, X509_V_OK);
}

static void device_leaf_cannot_issue(void **state)
{
	AUTO_X509 leaf = fixture_leaf(&device, true, PUMP, ec);
	struct ca_issuer none = {0};

	(void)state;
	assert_int_equal(X509_check_ca(leaf), 0);
	assert_int_equal(ca_issuer_init(leaf, ec, device.cert, &none), ERR_CRYPTO);
}

static void issuer_refuses_a_key_or_root_that_is_not_its_own(void **state)
{
	struct ca_issuer none = {0};

	(void)state;
	assert_int_equal(ca_issuer_init(device.cert, ec, device.root, &none), ERR_CRYPTO);
	assert_int_equal(ca_issuer_init(device.cert, device.key, server.root, &none), ERR_CRYPTO);
	assert_null(none.cert);
}

static void hierarchy_refuses_an_organization_that_makes_no_name(void **state)
{
	char long_ascii[66], long_utf8[2 * 60 + 1];
	struct ca_hierarchy h = {0};

	(void)state;
	memset(long_ascii, 'x', sizeof(long_ascii) - 1);
	long_ascii[sizeof(long_ascii) - 1] = '\0';
	for (size_t i = 0; i + 1 < sizeof(long_utf8); i += 2)
		memcpy(long_utf8 + i, "\xc3\xbc", 2);
	long_utf8[sizeof(long_utf8) - 1] = '\0';
	assert_int_equal(ca_hierarchy_new(CA_KIND_DEVICE_ROOT, long_ascii, NOW_MS, &h),
			 ERR_INVALID);
	assert_int_equal(ca_hierarchy_new(CA_KIND_DEVICE_ROOT, long_utf8, NOW_MS, &h), ERR_INVALID);
	assert_int_equal(ca_hierarchy_new(CA_KIND_DEVICE_ROOT, "\xff", NOW_MS, &h), ERR_INVALID);
	assert_int_equal(ca_hierarchy_new(CA_KIND_DEVICE_CA, "x", NOW_MS, &h), ERR_INTERNAL);
	assert_null(h.root);
	assert_int_equal(
		ca_hierarchy_new(CA_KIND_DEVICE_ROOT, "Universit\xc3\xa4tsklinikum", NOW_MS, &h),
		0);
	ca_hierarchy_done(&h);
}

static void issue_refuses_names_that_are_none(void **state)
{
	const char *const bad_serials[] = {"", "pg-1", "PG 1", "PG/1", "PG\n1"};
	const char *const bad_names[] = {"",	".",   "a..b", "-a.b", "a-.b",
					 "*.b", "a b", "a_b",  "a.b.", "1.2.3.4.5:x"};
	struct ca_terms t = {.kind = CA_KIND_DEVICE_LEAF,
			     .not_before_ms = NOW_MS,
			     .not_after_ms = NOW_MS + DAY_MS};
	X509 *cert = NULL;

	(void)state;
	ca_serial_random(t.serial);
	for (size_t i = 0; i < sizeof(bad_serials) / sizeof(bad_serials[0]); i++) {
		t.common_name = bad_serials[i];
		assert_int_equal(fixture_issue(&device, &t, ec, &cert), ERR_INVALID);
	}
	t.kind = CA_KIND_SERVER_LEAF;
	t.common_name = "x";
	assert_int_equal(fixture_issue(&server, &t, ec, &cert), ERR_INVALID); /* no name at all */
	for (size_t i = 0; i < sizeof(bad_names) / sizeof(bad_names[0]); i++) {
		t.names[0] = bad_names[i];
		assert_int_equal(fixture_issue(&server, &t, ec, &cert), ERR_INVALID);
	}
	assert_null(cert);
}

static void issue_refuses_cas_and_terms_beyond_the_issuer(void **state)
{
	struct ca_terms t = {.kind = CA_KIND_DEVICE_CA,
			     .not_before_ms = NOW_MS,
			     .not_after_ms = NOW_MS + DAY_MS,
			     .common_name = PUMP};
	X509 *cert = NULL;
	int64_t until;

	(void)state;
	ca_serial_random(t.serial);
	assert_int_equal(fixture_issue(&device, &t, ec, &cert), ERR_INTERNAL);
	t.kind = CA_KIND_DEVICE_LEAF;
	t.not_after_ms = device.not_after_ms + 1000;
	assert_int_equal(fixture_issue(&device, &t, ec, &cert), ERR_INTERNAL);
	t.not_after_ms = NOW_MS + DAY_MS;
	t.serial[0] = 0x80; /* would need a padding byte: another length on the wire */
	assert_int_equal(fixture_issue(&device, &t, ec, &cert), ERR_INTERNAL);
	assert_int_equal(ca_issuer_not_after(&device, NOW_MS, 100 * 365 * DAY_MS, &until), 0);
	assert_int_equal(until, device.not_after_ms);
	assert_int_equal(ca_issuer_not_after(&device, device.not_after_ms, DAY_MS, &until),
			 ERR_EXPIRED);
	assert_int_equal(ca_issuer_not_after(&device, device.not_before_ms - 1, DAY_MS, &until),
			 ERR_EXPIRED);
}

/* The code of checking `cert` as a certificate on these terms. */
static int check_as(const struct ca_terms *t, EVP_PKEY *key, X509 *issuer, X509 *cert)
{
	X509_PUBKEY *spki = NULL;
	X509 *want = NULL;
	int rc;

	assert_int_equal(X509_PUBKEY_set(&spki, key), 1);
	assert_int_equal(ca_profile_build(t, spki, issuer, &want), 0);
	rc = ca_profile_check(want, cert);
	X509_PUBKEY_free(spki);
	X509_free(want);
	return rc;
}

/* The check after signing must notice each kind of difference: that is what it is there for. */
static void profile_check_notices_every_difference(void **state)
{
	struct ca_terms t = {.kind = CA_KIND_DEVICE_LEAF,
			     .not_before_ms = NOW_MS,
			     .not_after_ms = NOW_MS + DAY_MS,
			     .common_name = PUMP};
	EVP_PKEY *other = fixture_ec("P-256");
	X509_EXTENSION *more;
	X509 *cert = NULL;

	(void)state;
	ca_serial_random(t.serial);
	assert_int_equal(fixture_issue(&device, &t, ec, &cert), 0);
	assert_int_equal(check_as(&t, ec, device.cert, cert), 0);
	assert_int_equal(check_as(&t, other, device.cert, cert), ERR_INTERNAL);
	assert_int_equal(check_as(&t, ec, server.cert, cert), ERR_INTERNAL);
	t.serial[15] ^= 1;
	assert_int_equal(check_as(&t, ec, device.cert, cert), ERR_INTERNAL);
	t.serial[15] ^= 1;
	t.not_after_ms += 1000;
	assert_int_equal(check_as(&t, ec, device.cert, cert), ERR_INTERNAL);
	t.not_after_ms -= 1000;
	t.common_name = "PG-000124";
	assert_int_equal(check_as(&t, ec, device.cert, cert), ERR_INTERNAL);
	t.common_name = PUMP;
	t.kind = CA_KIND_DEVICE_CA;
	assert_int_equal(check_as(&t, ec, device.cert, cert), ERR_INTERNAL);
	t.kind = CA_KIND_DEVICE_LEAF;
	more = X509V3_EXT_conf(NULL, NULL, "nsComment", "surplus");
	X509_add_ext(cert, more, -1);
	X509_EXTENSION_free(more);
	assert_int_equal(check_as(&t, ec, device.cert, cert), ERR_INTERNAL);
	X509_free(cert);
	cert = NULL;
	t = (struct ca_terms){.kind = CA_KIND_SERVER_LEAF,
			      .not_before_ms = NOW_MS,
			      .not_after_ms = NOW_MS + DAY_MS,
			      .common_name = "a.example",
			      .names = {"a.example"}};
	ca_serial_random(t.serial);
	assert_int_equal(fixture_issue(&server, &t, ec, &cert), 0);
	t.common_name = "b.example"; /* the subject alone */
	assert_int_equal(check_as(&t, ec, server.cert, cert), ERR_INTERNAL);
	X509_free(cert);
	EVP_PKEY_free(other);
}

static void serials_are_positive_16_bytes_and_all_different(void **state)
{
	static char seen[2000][33];
	uint8_t any = 0, all = 0xff;

	(void)state;
	for (size_t i = 0; i < 2000; i++) {
		uint8_t s[CA_SERIAL_BYTES];

		ca_serial_random(s);
		assert_true(s[0] >= 0x01 && s[0] <= 0x7f);
		any |= s[0];
		all &= s[15];
		hex_encode(s, sizeof(s), seen[i], sizeof(seen[i]));
		for (size_t j = 0; j < i; j++)
			assert_string_not_equal(seen[i], seen[j]);
	}
	assert_int_equal(any, 0x7f);
	assert_int_equal(all, 0);
}

static void device_leaf_has_its_names_and_is_small(void **state)
{
	AUTO_X509 leaf = fixture_leaf(&device, true, PUMP, ec);
	AUTO_GENERAL_NAMES san = X509_get_ext_d2i(leaf, NID_subject_alt_name, NULL, NULL);
	char cn[64], oneline[256], serial[48];
	const ASN1_STRING *uri;

	(void)state;
	X509_NAME_get_text_by_NID(X509_get_subject_name(leaf), NID_commonName, cn, sizeof(cn));
	assert_string_equal(cn, PUMP);
	assert_int_equal(sk_GENERAL_NAME_num(san), 1);
	assert_int_equal(sk_GENERAL_NAME_value(san, 0)->type, GEN_URI);
	uri = sk_GENERAL_NAME_value(san, 0)->d.uniformResourceIdentifier;
	assert_int_equal(ASN1_STRING_length(uri), (int)strlen(PUMP_URN));
	assert_memory_equal(ASN1_STRING_get0_data(uri), PUMP_URN, strlen(PUMP_URN));
	assert_int_equal(X509_get_key_usage(leaf), KU_DIGITAL_SIGNATURE);
	assert_int_equal(ossl_name_oneline(X509_get_issuer_name(leaf), oneline, sizeof(oneline)),
			 0);
	assert_string_equal(oneline, "/O=St. Test/CN=Pumpgate Device CA 1");
	assert_int_equal(ossl_serial_hex(leaf, serial, sizeof(serial)), 0);
	assert_int_equal(strlen(serial), 32);
	assert_true(i2d_X509(leaf, NULL) <= P256_LEAF_MAX_BYTES);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_nas_certificate_is_no_pump_and_no_server_and_no_pump_is_a_nas),
		cmocka_unit_test(a_nas_s_name_is_checked_before_it_is_signed),
		cmocka_unit_test(device_certificate_is_no_server),
		cmocka_unit_test(server_certificate_is_no_client),
		cmocka_unit_test(another_ca_with_the_same_names_is_refused),
		cmocka_unit_test(name_constraints_hold_against_a_stolen_device_ca_key),
		cmocka_unit_test(name_constraints_hold_against_a_stolen_server_ca_key),
		cmocka_unit_test(device_leaf_cannot_issue),
		cmocka_unit_test(issuer_refuses_a_key_or_root_that_is_not_its_own),
		cmocka_unit_test(hierarchy_refuses_an_organization_that_makes_no_name),
		cmocka_unit_test(issue_refuses_names_that_are_none),
		cmocka_unit_test(issue_refuses_cas_and_terms_beyond_the_issuer),
		cmocka_unit_test(profile_check_notices_every_difference),
		cmocka_unit_test(serials_are_positive_16_bytes_and_all_different),
		cmocka_unit_test(device_leaf_has_its_names_and_is_small),
	};

	return cmocka_run_group_tests(tests, cas_make, cas_free);
}
