/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/support/cmocka.h"

#include <string.h>
#include <time.h>

#include "ca/request/related_cert_request.h"
#include "pump_agent/credential.h"
#include "tests/unit/pump_agent/pki.h"

#define PUMP "PG-000123"
#define URN "URI:urn:pumpgate:pump:" PUMP

static struct world {
	EVP_PKEY *root_key, *ca_key, *key, *other_key;
	X509 *root, *ca;
	STACK_OF(X509) * devices;
} w;

static int world_make(void **state)
{
	X509 *chain[2];

	(void)state;
	w.root_key = pki_key();
	w.ca_key = pki_key();
	w.key = pki_key();
	w.other_key = pki_key();
	chain[0] = w.root = pki_ca("device root", w.root_key, NULL, NULL);
	chain[1] = w.ca = pki_ca("device ca", w.ca_key, w.root, w.root_key);
	w.devices = pki_stack(chain, 2);
	return 0;
}

static int world_end(void **state)
{
	(void)state;
	EVP_PKEY_free(w.root_key);
	EVP_PKEY_free(w.ca_key);
	EVP_PKEY_free(w.key);
	EVP_PKEY_free(w.other_key);
	X509_free(w.root);
	X509_free(w.ca);
	sk_X509_pop_free(w.devices, X509_free);
	return 0;
}

static struct pki_spec good(void)
{
	return (struct pki_spec){
		.cn = PUMP, .san = URN, .usage = "clientAuth", .from_s = -60, .to_s = 86400};
}

static int check(const struct pki_spec *spec, EVP_PKEY *key)
{
	AUTO_X509 x = pki_cert(spec, key, w.ca, w.ca_key);

	return credential_check(x, w.key, PUMP, w.devices, time(NULL));
}

static void refuses_a_certificate_for_another_key(void **state)
{
	struct pki_spec spec = good();

	(void)state;
	assert_int_equal(check(&spec, w.other_key), ERR_INVALID);
}

static void refuses_a_certificate_with_another_or_a_second_name(void **state)
{
	static const char *const sans[] = {
		NULL,
		"URI:urn:pumpgate:pump:PG-000124",
		"URI:urn:pumpgate:pump:PG-0001234",
		"URI:urn:pumpgate:pump:PG-00012",
		"DNS:" PUMP,
		URN ",URI:urn:pumpgate:pump:PG-000124",
		URN ",DNS:radius-1.pumpgate.internal",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(sans) / sizeof(sans[0]); i++) {
		struct pki_spec spec = good();

		spec.san = sans[i];
		if (check(&spec, w.key) != ERR_INVALID)
			fail_msg("taken with SAN %s", sans[i] ? sans[i] : "(none)");
	}
}

static void refuses_a_certificate_for_anything_but_a_client(void **state)
{
	struct pki_spec spec = good();

	(void)state;
	spec.usage = NULL;
	assert_int_equal(check(&spec, w.key), ERR_INVALID);
	spec.usage = "serverAuth";
	assert_int_equal(check(&spec, w.key), ERR_INVALID);
	spec = good();
	spec.ca = true;
	assert_int_equal(check(&spec, w.key), ERR_INVALID);
}

static void refuses_a_certificate_outside_its_time(void **state)
{
	struct pki_spec spec = good();

	(void)state;
	spec.to_s = -1;
	assert_int_equal(check(&spec, w.key), ERR_EXPIRED);
	spec = good();
	spec.from_s = 90000;
	spec.to_s = 180000;
	assert_int_equal(check(&spec, w.key), ERR_INVALID);
}

static void takes_a_certificate_that_begins_within_a_day_for_slow_clocks(void **state)
{
	struct pki_spec spec = good();

	(void)state;
	spec.from_s = 80000;
	spec.to_s = 180000;
	assert_int_equal(check(&spec, w.key), 0);
}

static void refuses_a_certificate_of_another_ca_with_the_same_names(void **state)
{
	AUTO_X509 root = pki_ca("device root", w.other_key, NULL, NULL);
	AUTO_X509 ca = pki_ca("device ca", w.other_key, root, w.other_key);
	struct pki_spec spec = good();
	AUTO_X509 x = pki_cert(&spec, w.key, ca, w.other_key);

	(void)state;
	assert_int_equal(credential_check(x, w.key, PUMP, w.devices, time(NULL)), ERR_CRYPTO);
}

static void takes_a_certificate_that_is_all_that_was_asked_for(void **state)
{
	struct pki_spec spec = good();

	(void)state;
	assert_int_equal(check(&spec, w.key), 0);
}

static int build(EVP_PKEY *key, const char *serial, const struct credential_prior *prior,
		 int64_t now_ms, struct buf *der)
{
	const struct credential_request r = {
		.key = key, .serial = serial, .prior = prior, .now_ms = now_ms};

	return credential_request_build(&r, der);
}

static void request_carries_our_name_and_proves_the_key(void **state)
{
	AUTO_BUF der = {.max = 8192};
	AUTO_X509_REQ req = NULL;
	const uint8_t *at;
	char cn[64];

	(void)state;
	assert_int_equal(build(w.key, PUMP, NULL, 0, &der), 0);
	at = der.data;
	req = d2i_X509_REQ(NULL, &at, (long)der.len);
	assert_non_null(req);
	assert_int_equal(X509_REQ_verify(req, w.key), 1);
	assert_int_equal(X509_REQ_verify(req, w.other_key) == 1, 0);
	assert_true(X509_NAME_get_text_by_NID(X509_REQ_get_subject_name(req), NID_commonName, cn,
					      sizeof(cn)) > 0);
	assert_string_equal(cn, PUMP);
}

static void request_with_a_new_key_proves_the_old_one_too(void **state)
{
	struct pki_spec spec = good();
	AUTO_X509 old = pki_cert(&spec, w.key, w.ca, w.ca_key);
	struct credential_prior prior = {w.key, old};
	struct credential_prior thief = {w.other_key, old};
	int64_t now_ms = (int64_t)time(NULL) * 1000;

	(void)state;
	for (int stolen = 0; stolen < 2; stolen++) {
		AUTO_BUF der = {.max = 8192};
		AUTO_X509_REQ req = NULL;
		const uint8_t *at;

		assert_int_equal(build(w.other_key, PUMP, stolen ? &thief : &prior, now_ms, &der),
				 0);
		at = der.data;
		req = d2i_X509_REQ(NULL, &at, (long)der.len);
		assert_non_null(req);
		assert_int_equal(X509_REQ_verify(req, w.other_key), 1);
		assert_int_equal(related_cert_request_check(req, old, now_ms),
				 stolen ? ERR_DENIED : 0);
	}
}

static void request_names_its_connection_if_asked_to(void **state)
{
	const char *challenges[] = {NULL, "", "AQIDBAUG+/8="};

	(void)state;
	for (size_t i = 0; i < 3; i++) {
		const struct credential_request r = {
			.key = w.key, .serial = PUMP, .challenge = challenges[i]};
		AUTO_BUF der = {.max = 8192};
		AUTO_X509_REQ req = NULL;
		const uint8_t *at;
		int found;

		assert_int_equal(credential_request_build(&r, &der), 0);
		at = der.data;
		req = d2i_X509_REQ(NULL, &at, (long)der.len);
		assert_non_null(req);
		found = X509_REQ_get_attr_by_NID(req, NID_pkcs9_challengePassword, -1);
		assert_int_equal(found >= 0, i == 2);
		if (found >= 0) {
			const ASN1_TYPE *value =
				X509_ATTRIBUTE_get0_type(X509_REQ_get_attr(req, found), 0);

			assert_int_equal(value->type, V_ASN1_UTF8STRING);
			assert_int_equal(ASN1_STRING_length(value->value.utf8string), 12);
			assert_memory_equal(ASN1_STRING_get0_data(value->value.utf8string),
					    challenges[i], 12);
		}
	}
}

static void request_for_an_impossible_name_is_refused(void **state)
{
	AUTO_BUF der = {.max = 8192};

	(void)state;
	assert_int_equal(build(w.key, "PG 1,DNS:x", NULL, 0, &der), ERR_INVALID);
}

static void key_survives_its_file_form_and_garbage_does_not(void **state)
{
	enum key_kind kinds[] = {KEY_AS_ASKED, KEY_P384, KEY_RSA2048};

	(void)state;
	for (size_t i = 0; i < 3; i++) {
		AUTO_PKEY made = NULL;
		AUTO_PKEY read = NULL;
		AUTO_BUF pem = {.max = 8192};

		assert_int_equal(credential_key_new(kinds[i], &made), 0);
		assert_int_equal(credential_key_build(made, &pem), 0);
		assert_int_equal(credential_key_parse(pem.data, pem.len / 2, &read), ERR_CRYPTO);
		assert_int_equal(credential_key_parse(pem.data, pem.len, &read), 0);
		assert_int_equal(EVP_PKEY_eq(made, read), 1);
	}
}

static void pkcs12_opens_with_its_passphrase_only(void **state)
{
	struct pki_spec spec = good();
	AUTO_X509 x = pki_cert(&spec, w.key, w.ca, w.ca_key);
	AUTO_BUF der = {.max = 8192};
	AUTO_PKCS12 p12 = NULL;
	const uint8_t *at;

	(void)state;
	assert_int_equal(credential_pkcs12_build(w.key, x, NULL, "0123abcd", &der), 0);
	at = der.data;
	p12 = d2i_PKCS12(NULL, &at, (long)der.len);
	assert_non_null(p12);
	assert_int_equal(PKCS12_verify_mac(p12, "0123abce", -1), 0);
	assert_int_equal(PKCS12_verify_mac(p12, "0123abcd", -1), 1);
}

static void renewal_lies_near_its_part_of_the_life_and_is_spread(void **state)
{
	int64_t first = 0;
	bool differs = false;

	(void)state;
	for (int i = 0; i < 20; i++) {
		struct pki_spec spec = good();
		AUTO_X509 x = NULL;
		int64_t begin, at;

		spec.from_s = 0;
		spec.to_s = 900000;
		x = pki_cert(&spec, w.key, w.ca, w.ca_key);
		begin = credential_not_after(x) - 900000;
		at = credential_renew_at(x, 66) - begin;
		assert_in_range(at, 900000 * 61 / 100 - 1, 900000 * 71 / 100 + 1);
		assert_int_equal(credential_renew_at(x, 66) - begin, at);
		differs |= i && at != first;
		first = i ? first : at;
	}
	assert_true(differs);
}

static void a_renewal_waits_no_longer_than_nine_tenths_of_the_life(void **state)
{
	struct pki_spec spec = good();
	AUTO_X509 x = NULL;
	int64_t begin;

	(void)state;
	spec.from_s = 0;
	spec.to_s = 900000;
	x = pki_cert(&spec, w.key, w.ca, w.ca_key);
	begin = credential_not_after(x) - 900000;
	assert_int_equal(credential_renew_latest(x, begin + 600000), begin + 810000);
	assert_int_equal(credential_renew_latest(x, begin + 850000), begin + 850000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_renewal_waits_no_longer_than_nine_tenths_of_the_life),
		cmocka_unit_test(refuses_a_certificate_for_another_key),
		cmocka_unit_test(refuses_a_certificate_with_another_or_a_second_name),
		cmocka_unit_test(refuses_a_certificate_for_anything_but_a_client),
		cmocka_unit_test(refuses_a_certificate_outside_its_time),
		cmocka_unit_test(refuses_a_certificate_of_another_ca_with_the_same_names),
		cmocka_unit_test(takes_a_certificate_that_begins_within_a_day_for_slow_clocks),
		cmocka_unit_test(takes_a_certificate_that_is_all_that_was_asked_for),
		cmocka_unit_test(request_names_its_connection_if_asked_to),
		cmocka_unit_test(request_for_an_impossible_name_is_refused),
		cmocka_unit_test(request_carries_our_name_and_proves_the_key),
		cmocka_unit_test(request_with_a_new_key_proves_the_old_one_too),
		cmocka_unit_test(key_survives_its_file_form_and_garbage_does_not),
		cmocka_unit_test(pkcs12_opens_with_its_passphrase_only),
		cmocka_unit_test(renewal_lies_near_its_part_of_the_life_and_is_spread),
	};

	return cmocka_run_group_tests_name("pump_agent/credential", tests, world_make, world_end);
}
