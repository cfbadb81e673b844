/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/support/cmocka.h"

#include <string.h>

#include "enroll/est/renewal_info.h"

#define BEGAN 1800000000000LL /* 2027-01-15T08:00:00Z */
#define DAY 86400000LL

static void only_the_very_target_is_renewal_info(void **state)
{
	(void)state;
	assert_false(renewal_info_is_target(""));
	assert_false(renewal_info_is_target("/.well-known/pumpgate/renewal-info?x"));
	assert_false(renewal_info_is_target("/.well-known/pumpgate/renewal-info/"));
	assert_false(renewal_info_is_target("/.well-known/est/renewal-info"));
	assert_false(renewal_info_is_target("https://host"));
	assert_false(renewal_info_is_target("http://host/.well-known/pumpgate/renewal-info"));
	assert_true(renewal_info_is_target("/.well-known/pumpgate/renewal-info"));
	assert_true(renewal_info_is_target("https://host:8443/.well-known/pumpgate/renewal-info"));
}

static void says(const struct renewal_facts *f, const char *wanted)
{
	AUTO_BUF out = {.max = RENEWAL_INFO_MAX};

	assert_int_equal(renewal_info_build(f, &out), 0);
	assert_string_equal(buf_cstr(&out), wanted);
}

static void the_window_is_late_in_the_certificates_life(void **state)
{
	const struct renewal_facts f = {BEGAN, BEGAN + 30 * DAY, 0, 1000};

	(void)state;
	says(&f, "{\"suggestedWindow\":{\"start\":\"2027-02-04T08:00:00.000Z\","
		 "\"end\":\"2027-02-08T08:00:00.000Z\"}}\n");
}

static void the_window_begins_when_a_renewal_is_asked_for(void **state)
{
	const struct renewal_facts f = {BEGAN, BEGAN + 30 * DAY, BEGAN + DAY, 600000};

	(void)state;
	says(&f, "{\"suggestedWindow\":{\"start\":\"2027-01-16T08:00:00.000Z\","
		 "\"end\":\"2027-01-16T08:10:00.000Z\"}}\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(only_the_very_target_is_renewal_info),
		cmocka_unit_test(the_window_is_late_in_the_certificates_life),
		cmocka_unit_test(the_window_begins_when_a_renewal_is_asked_for),
	};

	return cmocka_run_group_tests_name("renewal_info", tests, NULL, NULL);
}
