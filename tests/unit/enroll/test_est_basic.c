/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/support/cmocka.h"

#include <stdio.h>
#include <string.h>

#include "enroll/est/est_base64.h"
#include "enroll/est/est_basic.h"

/* "Basic " and the base64 of `plain`. */
static int parse_plain(const char *plain, size_t len, struct est_basic *out)
{
	AUTO_BUF value = {.max = 2000};
	int rc = buf_put_str(&value, "Basic ");

	if (!rc)
		rc = est_base64_encode(&value, (const uint8_t *)plain, len, EST_ONE_LINE);
	return rc ? rc : est_basic_parse(buf_cstr(&value), out);
}

static void other_schemes_and_broken_values_are_refused(void **state)
{
	static const char *const values[] = {
		"",
		"Basic",
		"Basic ",
		"Bearer UEctMTp0",
		"Digest username=\"x\"",
		"UEctMTp0",
		"Basic UEctMTp",
		"Basic UEctMTp0 x",
		"Basic UEct*Tp0",
		"BasicUEctMTp0",
	};
	struct est_basic b;

	(void)state;
	for (size_t i = 0; i < sizeof(values) / sizeof(values[0]); i++)
		if (est_basic_parse(values[i], &b) != ERR_INVALID)
			fail_msg("'%s' was taken", values[i]);
}

static void credentials_that_no_pump_has_are_refused(void **state)
{
	static const struct {
		const char *plain;
		size_t len;
	} cases[] = {
		{"PG-1", 4},	     {":token", 6},	    {"PG-1:", 5},
		{"pg-1:token", 10},  {"PG 1:token", 10},    {"PG_1:tok", 8},
		{"PG-1:to\0en", 10}, {"PG\0:token", 9},	    {"PG-1:to\nen", 10},
		{"PG-1:to\x7f", 8},  {"PG-1:t\xc3\xa9", 8}, {"\x01G-1:token", 10},
	};
	struct est_basic b;

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		if (parse_plain(cases[i].plain, cases[i].len, &b) != ERR_INVALID)
			fail_msg("case %zu was taken", i);
}

static void overlong_parts_are_refused(void **state)
{
	char plain[600];
	struct est_basic b;

	(void)state;
	memset(plain, 'A', sizeof(plain));
	plain[64] = ':'; /* a serial of 64 */
	assert_int_equal(parse_plain(plain, 100, &b), ERR_LIMIT);
	memset(plain, 'A', sizeof(plain));
	plain[4] = ':';
	assert_int_equal(parse_plain(plain, 5 + EST_TOKEN_MAX + 1, &b), ERR_LIMIT);
	assert_int_equal(parse_plain(plain, sizeof(plain), &b), ERR_LIMIT);
}

static void serial_and_token_come_apart_at_the_first_colon(void **state)
{
	AUTO_EST_BASIC b = {.token_len = 0};

	(void)state;
	assert_int_equal(parse_plain("PG-000123:a:b c", 15, &b), 0);
	assert_string_equal(b.serial, "PG-000123");
	assert_int_equal(b.token_len, 5);
	assert_memory_equal(b.token, "a:b c", 5);
}

static void the_scheme_may_be_in_any_case_and_more_spaces_follow(void **state)
{
	AUTO_EST_BASIC b = {.token_len = 0};

	(void)state;
	assert_int_equal(est_basic_parse("bASIC   UEctMTp0", &b), 0);
	assert_string_equal(b.serial, "PG-1");
	assert_memory_equal(b.token, "t", 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(other_schemes_and_broken_values_are_refused),
		cmocka_unit_test(credentials_that_no_pump_has_are_refused),
		cmocka_unit_test(overlong_parts_are_refused),
		cmocka_unit_test(serial_and_token_come_apart_at_the_first_colon),
		cmocka_unit_test(the_scheme_may_be_in_any_case_and_more_spaces_follow),
	};

	return cmocka_run_group_tests_name("enroll/est_basic", tests, NULL, NULL);
}
