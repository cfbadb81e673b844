/* SPDX-License-Identifier: BSD-2-Clause */
/* What a wiped pump says, and what the signer believes of it. */
#include "ca/signerd/wipe_check.h"

#include <string.h>

#include "ca/request/wipe_statement.h"
#include "tests/support/cmocka.h"
#include "tests/unit/ca/ca_fixture.h"

static struct ca_issuer issuer;
static EVP_PKEY *key, *other_key;
static X509 *cert;
static struct wipe_statement said;
static struct cert_facts good;
static struct wipe_check rq;

static void statement_sign(const struct wipe_statement *s, EVP_PKEY *by, struct wipe_check *out)
{
	AUTO_BUF text = {.max = WIPE_TEXT_MAX};
	AUTO_BUF signature = {.max = WIPE_SIGNATURE_MAX};

	assert_int_equal(wipe_text_build(s, &text), 0);
	assert_int_equal(wipe_text_sign(by, &text, &signature), 0);
	memcpy(out->statement.data, text.data, text.len);
	out->statement.len = (uint32_t)text.len;
	memcpy(out->signature.data, signature.data, signature.len);
	out->signature.len = (uint32_t)signature.len;
}

static int world_make(void **state)
{
	AUTO_BUF der = {.max = 4096};

	(void)state;
	fixture_issuer(true, &issuer);
	key = fixture_ec("P-256");
	other_key = fixture_ec("P-256");
	cert = fixture_leaf(&issuer, true, PUMP, key);
	said = (struct wipe_statement){.device = PUMP,
				       .order = "00112233445566778899aabbccddeeff",
				       .key = "software",
				       .at_ms = NOW_MS,
				       .wiped = "clinicians, logs"};
	assert_int_equal(ossl_serial_hex(cert, said.certificate, sizeof(said.certificate)), 0);
	assert_int_equal(ossl_cert_put(&der, cert), 0);
	memcpy(rq.cert.data, der.data, der.len);
	rq.cert.len = (uint32_t)der.len;
	good = (struct cert_facts){.found = true,
				   .device = PUMP,
				   .device_state = "quarantined",
				   .cert_state = "valid"};
	memcpy(good.der.data, der.data, der.len);
	good.der.len = (uint32_t)der.len;
	statement_sign(&said, key, &rq);
	return 0;
}

static int world_free(void **state)
{
	(void)state;
	ca_issuer_done(&issuer);
	EVP_PKEY_free(key);
	EVP_PKEY_free(other_key);
	X509_free(cert);
	return 0;
}

static void assert_refused(const struct cert_facts *f, const struct wipe_check *r, int want,
			   const char *reason)
{
	struct wiped out;

	assert_int_equal(wipe_check_verify(f, r, cert, &out), want);
	assert_true(refused_as(reason));
}

static void statement_by_another_key_is_refused(void **state)
{
	struct wipe_check forged = rq;

	(void)state;
	statement_sign(&said, other_key, &forged);
	assert_refused(&good, &forged, ERR_DENIED, "proof-failed");
}

static void statement_with_any_byte_changed_is_refused(void **state)
{
	struct wiped out;

	(void)state;
	for (uint32_t i = 0; i < rq.statement.len; i++) {
		struct wipe_check changed = rq;

		changed.statement.data[i] ^= 1;
		assert_true(wipe_check_verify(&good, &changed, cert, &out) < 0);
	}
	for (uint32_t i = 0; i < rq.signature.len; i++) {
		struct wipe_check changed = rq;

		changed.signature.data[i] ^= 1;
		assert_true(wipe_check_verify(&good, &changed, cert, &out) < 0);
	}
	assert_int_equal(wipe_check_verify(&good, &rq, cert, &out), 0);
}

static void statement_about_another_pump_or_certificate_is_refused(void **state)
{
	struct wipe_statement s = said;
	struct wipe_check about = rq;

	(void)state;
	strcpy(s.device, "PG-OTHER");
	statement_sign(&s, key, &about);
	assert_refused(&good, &about, ERR_DENIED, "name-mismatch");
	s = said;
	s.certificate[0] = s.certificate[0] == '1' ? '2' : '1';
	statement_sign(&s, key, &about);
	assert_refused(&good, &about, ERR_DENIED, "name-mismatch");
}

static void certificate_that_the_registry_does_not_hold_is_refused(void **state)
{
	struct cert_facts f = good;

	(void)state;
	f.found = false;
	assert_refused(&f, &rq, ERR_DENIED, "unknown-certificate");
	f = good;
	strcpy(f.cert_state, "reserved");
	assert_refused(&f, &rq, ERR_DENIED, "unknown-certificate");
	f = good;
	f.der.data[40] ^= 1;
	assert_refused(&f, &rq, ERR_DENIED, "unknown-certificate");
}

static void revoked_and_superseded_keys_may_still_say_that_they_are_gone(void **state)
{
	struct cert_facts f = good;
	struct wiped out;

	(void)state;
	strcpy(f.cert_state, "revoked");
	strcpy(f.device_state, "revoked");
	assert_int_equal(wipe_check_verify(&f, &rq, cert, &out), 0);
	strcpy(f.cert_state, "superseded");
	assert_int_equal(wipe_check_verify(&f, &rq, cert, &out), 0);
	assert_string_equal(out.device, PUMP);
	assert_string_equal(out.wipe_order, said.order);
	assert_int_equal(out.statement.len, rq.statement.len);
}

static void text_is_read_back_as_it_was_written_and_in_no_other_form(void **state)
{
	static const char *const twists[] = {"Pumpgate wipe statement, version 1\n", "",
					     "Pumpgate wipe statement, version 2\npump: X\n"};
	struct wipe_statement got;
	AUTO_BUF text = {.max = WIPE_TEXT_MAX};

	(void)state;
	assert_int_equal(wipe_text_build(&said, &text), 0);
	assert_int_equal(wipe_text_parse(text.data, text.len, &got), 0);
	assert_memory_equal(&got, &said, sizeof(got));
	for (size_t cut = 0; cut < text.len; cut++)
		assert_int_equal(wipe_text_parse(text.data, cut, &got), ERR_INVALID);
	for (size_t i = 0; i < sizeof(twists) / sizeof(twists[0]); i++)
		assert_int_equal(wipe_text_parse(twists[i], strlen(twists[i]), &got), ERR_INVALID);
	assert_int_equal(buf_put(&text, "more\n", 5), 0);
	assert_int_equal(wipe_text_parse(text.data, text.len, &got), ERR_INVALID);
}

static void values_out_of_their_bounds_are_not_written(void **state)
{
	struct wipe_statement bad[6];
	AUTO_BUF text = {.max = WIPE_TEXT_MAX};

	(void)state;
	for (size_t i = 0; i < 6; i++)
		bad[i] = said;
	strcpy(bad[0].device, "pg 1");
	strcpy(bad[1].order, "0011");
	strcpy(bad[2].certificate, "xyz");
	strcpy(bad[3].key, "paper");
	bad[4].at_ms = 0;
	strcpy(bad[5].wiped, "all\nkey: tpm");
	for (size_t i = 0; i < 6; i++)
		assert_int_equal(wipe_text_build(&bad[i], &text), ERR_INVALID);
	assert_int_equal(text.len, 0);
}

static void envelope_is_taken_apart_as_it_was_put_together(void **state)
{
	AUTO_BUF text = {.max = WIPE_TEXT_MAX};
	AUTO_BUF signature = {.max = WIPE_SIGNATURE_MAX};
	AUTO_BUF whole = {.max = WIPE_ENVELOPE_MAX};
	struct wipe_envelope e;

	(void)state;
	assert_int_equal(wipe_text_build(&said, &text), 0);
	assert_int_equal(wipe_text_sign(key, &text, &signature), 0);
	assert_int_equal(wipe_envelope_build(&text, &signature, cert, &whole), 0);
	assert_int_equal(wipe_envelope_parse(whole.data, whole.len, &e), 0);
	assert_int_equal(e.signature_len, signature.len);
	assert_memory_equal(e.signature, signature.data, signature.len);
	assert_int_equal(e.cert_len, rq.cert.len);
	assert_memory_equal(e.cert, rq.cert.data, rq.cert.len);
	assert_int_equal(e.text_len, text.len);
	assert_memory_equal(e.text, text.data, text.len);
	assert_int_equal(wipe_envelope_parse("", 0, &e), ERR_INVALID);
	assert_int_equal(wipe_envelope_parse("AAAA\nAAAA\n", 10, &e), ERR_INVALID);
	assert_int_equal(wipe_envelope_parse("!!!!\nAAAA\nx", 11, &e), ERR_INVALID);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(statement_by_another_key_is_refused),
		cmocka_unit_test(statement_with_any_byte_changed_is_refused),
		cmocka_unit_test(statement_about_another_pump_or_certificate_is_refused),
		cmocka_unit_test(certificate_that_the_registry_does_not_hold_is_refused),
		cmocka_unit_test(values_out_of_their_bounds_are_not_written),
		cmocka_unit_test(text_is_read_back_as_it_was_written_and_in_no_other_form),
		cmocka_unit_test(envelope_is_taken_apart_as_it_was_put_together),
		cmocka_unit_test(revoked_and_superseded_keys_may_still_say_that_they_are_gone),
	};

	return cmocka_run_group_tests_name("ca/wipe_statement", tests, world_make, world_free);
}
