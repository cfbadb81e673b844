/* SPDX-License-Identifier: BSD-2-Clause */
/* Versions of TLS: what is none, which is lower, and what would become of a pump. */
#include "tests/support/cmocka.h"

#include "policies/tls_profile.h"

static void what_is_no_version_is_not_known(void **state)
{
	static const char *const bad[] = {"",	     "TLS",	 "TLS ",   "TLSv",
					  "SSL 3.0", "1.4",	 "TLS 1",  "1.3 ",
					  "13",	     "TLS  1.3", "tls1.3", "DTLS 1.2"};

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_int_equal(tls_version_parse(bad[i]), 0);
	assert_string_equal(tls_version_name(0), "");
	assert_string_equal(tls_version_name(9), "");
	assert_string_equal(tls_version_name(14), "");
	assert_string_equal(tls_version_name(UINT32_MAX), "");
}

static void a_version_is_read_however_it_is_written(void **state)
{
	(void)state;
	assert_int_equal(tls_version_parse("TLS 1.3"), 13);
	assert_int_equal(tls_version_parse("TLSv1.2"), 12);
	assert_int_equal(tls_version_parse("1.2"), 12);
	assert_int_equal(tls_version_parse("TLS 1.0"), 10);
	assert_string_equal(tls_version_name(13), "1.3");
}

static void what_is_not_known_is_below_every_floor_and_nothing_is_below_none(void **state)
{
	(void)state;
	assert_true(tls_is_below(0, 12));
	assert_true(tls_is_below(12, 13));
	assert_false(tls_is_below(13, 13));
	assert_false(tls_is_below(13, 12));
	assert_false(tls_is_below(0, 0));
	assert_false(tls_is_below(10, 0));
}

static void a_pump_that_was_not_seen_is_said_to_neither_pass_nor_fail(void **state)
{
	(void)state;
	assert_int_equal(tls_outcome_of(0, "ec-p256", 13, ""), TLS_OUTCOME_UNKNOWN);
	assert_int_equal(tls_outcome_of(13, "", 13, "ec"), TLS_OUTCOME_UNKNOWN);
	assert_int_equal(tls_outcome_of(0, "rsa-2048", 13, "ec"), TLS_OUTCOME_FAIL);
	assert_int_equal(tls_outcome_of(12, "", 13, "ec"), TLS_OUTCOME_FAIL);
}

static void a_pump_passes_when_all_that_is_asked_was_seen(void **state)
{
	(void)state;
	assert_int_equal(tls_outcome_of(12, "ec-p256", 13, ""), TLS_OUTCOME_FAIL);
	assert_int_equal(tls_outcome_of(13, "ec-p256", 13, ""), TLS_OUTCOME_PASS);
	assert_int_equal(tls_outcome_of(13, "ec-p256", 12, "ec"), TLS_OUTCOME_PASS);
	assert_int_equal(tls_outcome_of(13, "ec-p256", 13, "ec-p256"), TLS_OUTCOME_PASS);
	assert_int_equal(tls_outcome_of(13, "ec-p256", 13, "ec-p2"), TLS_OUTCOME_FAIL);
	assert_int_equal(tls_outcome_of(13, "ec-p256", 13, "rsa"), TLS_OUTCOME_FAIL);
	assert_int_equal(tls_outcome_of(0, "rsa-2048", 0, "rsa"), TLS_OUTCOME_PASS);
	assert_int_equal(tls_outcome_of(0, "", 0, ""), TLS_OUTCOME_PASS);
	assert_string_equal(tls_outcome_name(TLS_OUTCOME_FAIL), "fail");
	assert_string_equal(tls_outcome_name((enum tls_outcome)9), "unknown");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_no_version_is_not_known),
		cmocka_unit_test(a_version_is_read_however_it_is_written),
		cmocka_unit_test(what_is_not_known_is_below_every_floor_and_nothing_is_below_none),
		cmocka_unit_test(a_pump_that_was_not_seen_is_said_to_neither_pass_nor_fail),
		cmocka_unit_test(a_pump_passes_when_all_that_is_asked_was_seen),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
