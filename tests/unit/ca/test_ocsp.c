/* SPDX-License-Identifier: BSD-2-Clause */
#include "ca/ocsp.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <openssl/ocsp.h>

#include "ca/signerd/cert_status.h"
#include "ca/signerd/ocsp_ready.h"
#include "tests/support/cmocka.h"
#include "tests/unit/ca/ca_fixture.h"

static struct ca_issuer device, twin;
static struct ocsp_responder responder;

#define SERIAL "0102030405060708090a0b0c0d0e0f00"

static int cas_make(void **state)
{
	(void)state;
	fixture_issuer(true, &device);
	fixture_issuer(true, &twin);
	return ocsp_responder_new(&device, NOW_MS, 7 * DAY_MS, &responder);
}

static int cas_free(void **state)
{
	(void)state;
	ocsp_responder_done(&responder);
	ca_issuer_done(&device);
	ca_issuer_done(&twin);
	return 0;
}

static struct ocsp_item item(enum ocsp_state state)
{
	static uint8_t hashes[2][64];
	struct ocsp_item i = {.md = EVP_sha1(),
			      .serial_len = 16,
			      .state = state,
			      .name_hash = hashes[0],
			      .key_hash = hashes[1],
			      .revoked_at_ms = NOW_MS - DAY_MS};

	memset(hashes[0], 0xaa, sizeof(hashes[0]));
	memset(hashes[1], 0xbb, sizeof(hashes[1]));
	for (uint8_t n = 0; n < 15; n++) /* the last byte is 0 */
		i.serial[n] = (uint8_t)(n + 1);
	return i;
}

static OCSP_BASICRESP *answer_of(const struct ocsp_item *items, size_t n, const char *nonce)
{
	const struct ocsp_terms t = {.now_ms = NOW_MS,
				     .next_update_ms = NOW_MS + 900000,
				     .nonce = (const uint8_t *)nonce,
				     .nonce_len = nonce ? strlen(nonce) : 0};
	AUTO_BUF der = {.max = OCSP_ANSWER_MAX};
	OCSP_RESPONSE *response;
	OCSP_BASICRESP *basic;
	const uint8_t *at;

	assert_int_equal(ocsp_answer_build(&device, &responder, &t, items, n, &der), 0);
	at = der.data;
	response = d2i_OCSP_RESPONSE(NULL, &at, (long)der.len);
	assert_non_null(response);
	assert_int_equal(OCSP_response_status(response), OCSP_RESPONSE_STATUS_SUCCESSFUL);
	basic = OCSP_response_get1_basic(response);
	OCSP_RESPONSE_free(response);
	assert_non_null(basic);
	return basic;
}

/* As a relying party that trusts only the root of `issuer`. */
static int verifies_for(OCSP_BASICRESP *basic, const struct ca_issuer *issuer)
{
	AUTO_X509_STORE store = X509_STORE_new();
	STACK_OF(X509) *others = sk_X509_new_null();
	int ok;

	X509_STORE_add_cert(store, issuer->root);
	X509_VERIFY_PARAM_set_time(X509_STORE_get0_param(store), NOW_MS / 1000);
	sk_X509_push(others, issuer->cert);
	ok = OCSP_basic_verify(basic, others, store, 0);
	sk_X509_free(others);
	return ok;
}

static int status_in(OCSP_BASICRESP *basic, int at, int *reason, ASN1_GENERALIZEDTIME **when)
{
	return OCSP_single_get0_status(OCSP_resp_get0(basic, at), reason, when, NULL, NULL);
}

static bool has_extended_revoke(OCSP_BASICRESP *basic)
{
	ASN1_OBJECT *oid = OBJ_txt2obj("1.3.6.1.5.5.7.48.1.9", 1);
	bool has = OCSP_BASICRESP_get_ext_by_OBJ(basic, oid, -1) >= 0;

	ASN1_OBJECT_free(oid);
	return has;
}

static void responder_is_neither_pump_nor_server(void **state)
{
	(void)state;
	assert_int_equal(fixture_verify(&device, responder.cert, X509_PURPOSE_SSL_CLIENT),
			 X509_V_ERR_INVALID_PURPOSE);
	assert_int_equal(fixture_verify(&device, responder.cert, X509_PURPOSE_SSL_SERVER),
			 X509_V_ERR_INVALID_PURPOSE);
	assert_int_equal(X509_get_extended_key_usage(responder.cert), XKU_OCSP_SIGN);
	assert_true(X509_get_ext_by_NID(responder.cert, NID_id_pkix_OCSP_noCheck, -1) >= 0);
	assert_int_equal(X509_check_ca(responder.cert), 0);
	assert_int_equal(EVP_PKEY_eq(responder.key, device.key), 0);
}

static void answer_is_refused_by_who_trusts_another_ca(void **state)
{
	struct ocsp_item good = item(OCSP_GOOD);
	OCSP_BASICRESP *basic = answer_of(&good, 1, NULL);

	(void)state;
	assert_int_not_equal(verifies_for(basic, &twin), 1);
	assert_int_equal(verifies_for(basic, &device), 1);
	OCSP_BASICRESP_free(basic);
}

static void answer_says_of_each_what_it_is(void **state)
{
	const struct ocsp_item items[] = {item(OCSP_GOOD), item(OCSP_REVOKED),
					  item(OCSP_OTHER_ISSUER)};
	OCSP_BASICRESP *basic = answer_of(items, 3, NULL);
	ASN1_GENERALIZEDTIME *when = NULL;
	int reason = 0;
	int64_t at_ms;

	(void)state;
	assert_int_equal(OCSP_resp_count(basic), 3);
	assert_int_equal(status_in(basic, 0, &reason, &when), V_OCSP_CERTSTATUS_GOOD);
	assert_int_equal(status_in(basic, 2, &reason, &when), V_OCSP_CERTSTATUS_UNKNOWN);
	assert_int_equal(status_in(basic, 1, &reason, &when), V_OCSP_CERTSTATUS_REVOKED);
	assert_int_equal(ossl_time_ms(when, &at_ms), 0);
	assert_int_equal(at_ms, NOW_MS - DAY_MS);
	assert_false(has_extended_revoke(basic));
	OCSP_BASICRESP_free(basic);
}

/* RFC 6960 2.2 and 4.4.8 */
static void what_was_never_issued_is_revoked_since_1970(void **state)
{
	struct ocsp_item none = item(OCSP_NOT_ISSUED);
	OCSP_BASICRESP *basic = answer_of(&none, 1, NULL);
	ASN1_GENERALIZEDTIME *when = NULL;
	int reason = 0;
	int64_t at_ms;

	(void)state;
	assert_int_equal(status_in(basic, 0, &reason, &when), V_OCSP_CERTSTATUS_REVOKED);
	assert_int_equal(reason, OCSP_REVOKED_STATUS_CERTIFICATEHOLD);
	assert_int_equal(ossl_time_ms(when, &at_ms), 0);
	assert_int_equal(at_ms, 0);
	assert_true(has_extended_revoke(basic));
	OCSP_BASICRESP_free(basic);
}

static void nonce_comes_back_as_it_was_sent(void **state)
{
	struct ocsp_item good = item(OCSP_GOOD);
	OCSP_REQUEST *asked = OCSP_REQUEST_new();
	OCSP_BASICRESP *with = answer_of(&good, 1, "0123456789abcdef0123456789abcdef");
	OCSP_BASICRESP *without = answer_of(&good, 1, NULL);

	(void)state;
	OCSP_request_add1_nonce(asked, (unsigned char *)"0123456789abcdef0123456789abcdef", 32);
	assert_int_equal(OCSP_check_nonce(asked, with), 1);
	assert_int_equal(OCSP_check_nonce(asked, without), -1);
	OCSP_REQUEST_free(asked);
	OCSP_BASICRESP_free(with);
	OCSP_BASICRESP_free(without);
}

static void issuer_is_known_by_both_hashes(void **state)
{
	ASN1_OCTET_STRING *name, *key, *twin_key;
	ASN1_INTEGER *serial = X509_get_serialNumber(device.cert);
	OCSP_CERTID *id = OCSP_cert_id_new(EVP_sha256(), X509_get_subject_name(device.cert),
					   X509_get0_pubkey_bitstr(device.cert), serial);
	OCSP_CERTID *other = OCSP_cert_id_new(EVP_sha256(), X509_get_subject_name(twin.cert),
					      X509_get0_pubkey_bitstr(twin.cert), serial);

	(void)state;
	OCSP_id_get0_info(NULL, NULL, &twin_key, NULL, other);
	OCSP_id_get0_info(&name, NULL, &key, NULL, id);
	/* the twin has the same name */
	assert_false(ocsp_is_issuer(&device, EVP_sha256(), ASN1_STRING_get0_data(name), 32,
				    ASN1_STRING_get0_data(twin_key), 32));
	assert_false(ocsp_is_issuer(&device, EVP_sha256(), ASN1_STRING_get0_data(key), 32,
				    ASN1_STRING_get0_data(key), 32));
	assert_false(ocsp_is_issuer(&device, EVP_sha256(), ASN1_STRING_get0_data(name), 20,
				    ASN1_STRING_get0_data(key), 20));
	assert_true(ocsp_is_issuer(&device, EVP_sha256(), ASN1_STRING_get0_data(name), 32,
				   ASN1_STRING_get0_data(key), 32));
	OCSP_CERTID_free(id);
	OCSP_CERTID_free(other);
}

static void ready_answer_is_given_for_its_state_alone(void **state)
{
	struct ocsp_item good = item(OCSP_GOOD), revoked = item(OCSP_REVOKED), other = good;
	struct ocsp_answer in = {.der = {.len = 3, .data = "abc"}}, out;
	struct ocsp_ready *ready;

	(void)state;
	other.serial[0] ^= 1; /* the same slot */
	assert_int_equal(ocsp_ready_new(&ready), 0);
	assert_false(ocsp_ready_get(ready, &good, NOW_MS, &out));
	ocsp_ready_put(ready, &good, NOW_MS, 1000, &in);
	assert_false(ocsp_ready_get(ready, &revoked, NOW_MS, &out));
	assert_false(ocsp_ready_get(ready, &other, NOW_MS, &out));
	other = good;
	other.md = EVP_sha256();
	assert_false(ocsp_ready_get(ready, &other, NOW_MS, &out));
	assert_false(ocsp_ready_get(ready, &good, NOW_MS + 1000, &out));
	assert_false(ocsp_ready_get(ready, &good, NOW_MS - 1, &out)); /* the clock went back */
	assert_true(ocsp_ready_get(ready, &good, NOW_MS + 999, &out));
	assert_int_equal(out.der.len, 3);
	assert_memory_equal(out.der.data, "abc", 3);
	ocsp_ready_clear(ready);
	assert_false(ocsp_ready_get(ready, &good, NOW_MS, &out));
	ocsp_ready_free(ready);
}

static void status_is_good_only_for_what_is_issued_and_not_revoked(void **state)
{
	char folder[] = "/tmp/pumpgate-ocsp.XXXXXX", path[64];
	const struct issued_entry issued = {.at_ms = NOW_MS,
					    .serial = SERIAL,
					    .device = "PG-1",
					    .der = (const uint8_t *)"x",
					    .der_len = 1};
	const struct revoked_entry revoked = {SERIAL, NOW_MS, NOW_MS + DAY_MS, 0};
	struct ocsp_item i = item(OCSP_OTHER_ISSUER);
	struct signer s = {0};
	size_t torn;

	(void)state;
	assert_non_null(mkdtemp(folder));
	snprintf(path, sizeof(path), "%s/issued", folder);
	assert_int_equal(issued_log_open(path, &s.log, &torn), 0);
	assert_int_equal(revoked_set_new(&s.revoked_set), 0);
	cert_status_find(&s, false, &i);
	assert_int_equal(i.state, OCSP_NOT_ISSUED);
	assert_int_equal(issued_log_append(s.log, &issued), 0);
	cert_status_find(&s, false, &i);
	assert_int_equal(i.state, OCSP_GOOD);
	i.serial_len = 15; /* the list's index takes a shorter one for zeros at the end */
	cert_status_find(&s, false, &i);
	assert_int_equal(i.state, OCSP_NOT_ISSUED);
	i.serial_len = 16;
	assert_int_equal(revoked_set_add(s.revoked_set, &revoked), 0);
	cert_status_find(&s, false, &i);
	assert_int_equal(i.state, OCSP_REVOKED);
	assert_int_equal(i.revoked_at_ms, NOW_MS);
	issued_log_close(s.log);
	revoked_set_free(s.revoked_set);
	unlink(path);
	rmdir(folder);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(responder_is_neither_pump_nor_server),
		cmocka_unit_test(answer_is_refused_by_who_trusts_another_ca),
		cmocka_unit_test(what_was_never_issued_is_revoked_since_1970),
		cmocka_unit_test(answer_says_of_each_what_it_is),
		cmocka_unit_test(nonce_comes_back_as_it_was_sent),
		cmocka_unit_test(issuer_is_known_by_both_hashes),
		cmocka_unit_test(ready_answer_is_given_for_its_state_alone),
		cmocka_unit_test(status_is_good_only_for_what_is_issued_and_not_revoked),
	};

	return cmocka_run_group_tests(tests, cas_make, cas_free);
}
