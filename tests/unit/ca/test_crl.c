/* SPDX-License-Identifier: BSD-2-Clause */
#include "ca/crl.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "ca/crl_state.h"
#include "ca/signerd/remember.h"
#include "tests/support/cmocka.h"
#include "tests/unit/ca/ca_fixture.h"

static struct ca_issuer device, twin;
static char folder[] = "/tmp/pumpgate-crl.XXXXXX";

static const struct crl_terms terms = {
	.number = 7, .this_update_ms = NOW_MS, .next_update_ms = NOW_MS + 7 * DAY_MS};
static const struct revoked_entry two[] = {
	{"0102030405060708090a0b0c0d0e0f10", NOW_MS - DAY_MS, NOW_MS + DAY_MS, 0},
	{"7f02030405060708090a0b0c0d0e0f10", NOW_MS, NOW_MS + 300 * DAY_MS, 0},
};

static int cas_make(void **state)
{
	(void)state;
	fixture_issuer(true, &device);
	fixture_issuer(true, &twin);
	return mkdtemp(folder) ? 0 : -1;
}

static int cas_free(void **state)
{
	(void)state;
	ca_issuer_done(&device);
	ca_issuer_done(&twin);
	return rmdir(folder);
}

static const char *path_in(const char *name)
{
	static char path[96];

	snprintf(path, sizeof(path), "%s/%s", folder, name);
	return path;
}

static X509_CRL *crl_read(const struct buf *der)
{
	const uint8_t *at = der->data;
	X509_CRL *crl = d2i_X509_CRL(NULL, &at, (long)der->len);

	assert_non_null(crl);
	assert_ptr_equal(at, der->data + der->len);
	return crl;
}

static bool is_on(X509_CRL *crl, const char *hex)
{
	BIGNUM *bn = NULL;
	ASN1_INTEGER *serial;
	X509_REVOKED *entry;
	bool on;

	assert_int_not_equal(BN_hex2bn(&bn, hex), 0);
	serial = BN_to_ASN1_INTEGER(bn, NULL);
	on = X509_CRL_get0_by_serial(crl, &entry, serial) == 1;
	ASN1_INTEGER_free(serial);
	BN_free(bn);
	return on;
}

static void crl_refuses_a_serial_that_is_none(void **state)
{
	const struct revoked_entry bad = {"zz", NOW_MS, NOW_MS, 0};
	AUTO_BUF der = {.max = CRL_DER_MAX};

	(void)state;
	assert_int_equal(crl_build(&device, &terms, &bad, 1, &der), ERR_CORRUPT);
	assert_int_equal(der.len, 0);
}

static void crl_refuses_to_grow_beyond_its_buffer(void **state)
{
	AUTO_BUF der = {.max = 200};

	(void)state;
	assert_int_equal(crl_build(&device, &terms, two, 2, &der), ERR_LIMIT);
	assert_int_equal(der.len, 0);
}

static void crl_names_what_is_revoked_and_nothing_else(void **state)
{
	AUTO_BUF der = {.max = CRL_DER_MAX};
	X509_CRL *crl;

	(void)state;
	assert_int_equal(crl_build(&device, &terms, two, 2, &der), 0);
	crl = crl_read(&der);
	assert_true(is_on(crl, two[0].serial));
	assert_true(is_on(crl, two[1].serial));
	assert_false(is_on(crl, "0102030405060708090a0b0c0d0e0f11"));
	assert_int_equal(sk_X509_REVOKED_num(X509_CRL_get_REVOKED(crl)), 2);
	X509_CRL_free(crl);
}

static void crl_is_signed_by_its_ca_alone(void **state)
{
	AUTO_BUF der = {.max = CRL_DER_MAX};
	X509_CRL *crl;

	(void)state;
	assert_int_equal(crl_build(&device, &terms, NULL, 0, &der), 0);
	crl = crl_read(&der);
	assert_int_equal(X509_CRL_verify(crl, X509_get0_pubkey(twin.cert)), 0);
	assert_int_equal(X509_CRL_verify(crl, X509_get0_pubkey(device.cert)), 1);
	assert_int_equal(X509_CRL_get_version(crl), 1);
	assert_true(X509_CRL_get_ext_by_NID(crl, NID_authority_key_identifier, -1) >= 0);
	assert_true(X509_CRL_get_ext_by_NID(crl, NID_crl_number, -1) >= 0);
	assert_int_equal(X509_CRL_get_ext_count(crl), 2);
	X509_CRL_free(crl);
}

/* RFC 5280 3.3 */
static void an_entry_stays_until_a_list_beyond_its_end_has_had_it(void **state)
{
	const struct revoked_entry e = {"01", NOW_MS, NOW_MS, 0};
	int64_t late = NOW_MS + CRL_GRACE_MS + 1;

	(void)state;
	assert_true(crl_entry_is_due(&e, NOW_MS - 1, NOW_MS - 1));
	assert_true(crl_entry_is_due(&e, NOW_MS + CRL_GRACE_MS, NOW_MS + CRL_GRACE_MS));
	/* the signer was off for years: the last list was before the end */
	assert_true(crl_entry_is_due(&e, late + 900 * DAY_MS, NOW_MS - 1));
	assert_true(crl_entry_is_due(&e, late + 900 * DAY_MS, 0));
	/* the last list came from a clock that was wrong */
	assert_true(crl_entry_is_due(&e, NOW_MS, late + 900 * DAY_MS));
	assert_false(crl_entry_is_due(&e, late, late));
}

static void number_refuses_a_file_that_holds_none(void **state)
{
	static const char *const bad[] = {"", "v1 7", "v1 7 8 9\n", "v2 7 8\n", "rubbish\n"};
	struct crl_state s;

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		assert_int_equal(buf_write_file(path_in("state"), 0600, bad[i], strlen(bad[i])), 0);
		assert_int_equal(crl_state_read(path_in("state"), &s), ERR_CORRUPT);
	}
	unlink(path_in("state"));
}

static void number_never_goes_back(void **state)
{
	struct crl_state s, restored;
	AUTO_BUF backup = {.max = 64};

	(void)state;
	assert_int_equal(crl_state_read(path_in("state"), &s), 0);
	assert_int_equal(s.number, 0);
	assert_int_equal(crl_state_next(path_in("state"), NOW_MS, &s), 0);
	assert_int_equal(buf_read_file(&backup, path_in("state")), 0);
	for (int i = 0; i < 5; i++) { /* also while the clock goes back */
		uint64_t before = s.number;

		assert_int_equal(crl_state_next(path_in("state"), NOW_MS - i * DAY_MS, &s), 0);
		assert_true(s.number > before);
	}
	assert_int_equal(crl_state_read(path_in("state"), &restored), 0);
	assert_int_equal(restored.number, s.number);
	/* the file as it was before: the clock has gone on since */
	assert_int_equal(buf_write_file(path_in("state"), 0600, backup.data, backup.len), 0);
	assert_int_equal(crl_state_read(path_in("state"), &restored), 0);
	assert_int_equal(crl_state_next(path_in("state"), NOW_MS + 1000, &restored), 0);
	assert_true(restored.number > s.number);
	unlink(path_in("state"));
}

static void all_that_the_list_holds_is_remembered(void **state)
{
	struct list_place places[3] = {
		{NOW_MS, "01", "PG-1"}, {NOW_MS, "02", "PG-1"}, {NOW_MS + 5, "03", "PG-2"}};
	const struct issued_entry issued = {.at_ms = NOW_MS,
					    .serial = "02",
					    .device = "PG-1",
					    .not_after_ms = NOW_MS + DAY_MS,
					    .der = (const uint8_t *)"x",
					    .der_len = 1};
	struct signer s = {.device_validity_ms = 365 * DAY_MS};
	struct revoked_entry e, *copy;
	size_t torn, n;

	(void)state;
	assert_int_equal(issued_log_open(path_in("issued"), &s.log, &torn), 0);
	assert_int_equal(issued_log_append(s.log, &issued), 0);
	assert_int_equal(revoked_log_open(path_in("revoked"), &s.revoked, &torn), 0);
	assert_int_equal(revoked_log_append(s.revoked, places, 3), 0);
	assert_int_equal(revoked_set_new(&s.revoked_set), 0);
	assert_int_equal(remember_all(&s), 0);
	assert_int_equal(remember_all(&s), 0); /* once more changes nothing */
	assert_int_equal(revoked_set_count(s.revoked_set), 3);
	assert_true(revoked_set_get(s.revoked_set, "03", &e));
	assert_int_equal(e.at_ms, NOW_MS + 5);
	assert_true(revoked_set_get(s.revoked_set, "02", &e));
	assert_int_equal(e.not_after_ms, NOW_MS + DAY_MS);
	/* a reservation without a certificate */
	assert_true(revoked_set_get(s.revoked_set, "01", &e));
	assert_int_equal(e.not_after_ms, NOW_MS + 365 * DAY_MS);
	assert_false(revoked_set_get(s.revoked_set, "04", &e));
	assert_int_equal(revoked_set_copy(s.revoked_set, &copy, &n), 0);
	assert_int_equal(n, 3);
	assert_string_equal(copy[2].serial, "03");
	free(copy);
	issued_log_close(s.log);
	issued_log_close(s.revoked);
	revoked_set_free(s.revoked_set);
	unlink(path_in("issued"));
	unlink(path_in("revoked"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(crl_refuses_a_serial_that_is_none),
		cmocka_unit_test(crl_refuses_to_grow_beyond_its_buffer),
		cmocka_unit_test(number_refuses_a_file_that_holds_none),
		cmocka_unit_test(crl_names_what_is_revoked_and_nothing_else),
		cmocka_unit_test(crl_is_signed_by_its_ca_alone),
		cmocka_unit_test(an_entry_stays_until_a_list_beyond_its_end_has_had_it),
		cmocka_unit_test(number_never_goes_back),
		cmocka_unit_test(all_that_the_list_holds_is_remembered),
	};

	return cmocka_run_group_tests(tests, cas_make, cas_free);
}
