/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/support/cmocka.h"

#include "base/clock.h"

static void duration_refuses_what_is_no_duration(void **state)
{
	static const char *const bad[] = {
		"",	"s",	  "5",	       "5x",  "5 s", "5sm",   "-5s",
		"1.5h", "0x5s",	  "5S",	       " 5s", "+5s", "3651d", "99999999999999999999s",
		"d5",	"87601h", "315360001s"};
	int64_t ms = 42;

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		if (clock_duration_parse(bad[i], &ms) != ERR_INVALID)
			fail_msg("'%s' was taken", bad[i]);
		assert_int_equal(ms, 42);
	}
}

static void duration_takes_the_four_units_up_to_ten_years(void **state)
{
	int64_t ms;

	(void)state;
	assert_int_equal(clock_duration_parse("0s", &ms), 0);
	assert_int_equal(ms, 0);
	assert_int_equal(clock_duration_parse("90s", &ms), 0);
	assert_int_equal(ms, 90000);
	assert_int_equal(clock_duration_parse("15m", &ms), 0);
	assert_int_equal(ms, 900000);
	assert_int_equal(clock_duration_parse("24h", &ms), 0);
	assert_int_equal(ms, 86400000);
	assert_int_equal(clock_duration_parse("3650d", &ms), 0);
	assert_true(ms == 315360000000);
}

static void format_is_rfc_3339_in_utc_and_a_dash_for_never(void **state)
{
	char text[CLOCK_TEXT_MAX];

	(void)state;
	clock_format(0, text);
	assert_string_equal(text, "-");
	clock_format(1795348800123, text);
	assert_string_equal(text, "2026-11-22T12:00:00.123Z");
	clock_format(INT64_MAX, text);
	assert_true(text[0] != '\0');
}

static void mono_never_goes_back(void **state)
{
	int64_t last = clock_mono_us();

	(void)state;
	for (int i = 0; i < 1000; i++) {
		int64_t now = clock_mono_us();

		assert_true(now >= last);
		last = now;
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(duration_refuses_what_is_no_duration),
		cmocka_unit_test(duration_takes_the_four_units_up_to_ten_years),
		cmocka_unit_test(format_is_rfc_3339_in_utc_and_a_dash_for_never),
		cmocka_unit_test(mono_never_goes_back),
	};

	return cmocka_run_group_tests_name("base/clock", tests, NULL, NULL);
}
