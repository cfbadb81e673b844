/* SPDX-License-Identifier: BSD-2-Clause */
#include "ca/request/server_name.h"

#include <string.h>

#include "tests/support/cmocka.h"

static void a_name_without_an_epoch_has_no_next_one(void **state)
{
	static const char *const names[] = {"",
					    "radius",
					    "radius-1",
					    "radius.a.org",
					    "radius1.a.org",
					    "radius-.a.org",
					    "radius-01.a.org",
					    "radius-0.a.org",
					    "-1.a.org",
					    "1.a.org",
					    "radius-1234567.a.org"};
	char next[64];

	(void)state;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		assert_int_equal(server_name_next(names[i], next, sizeof(next)), ERR_INVALID);
}

static void a_name_that_would_not_fit_is_refused(void **state)
{
	char next[13];

	(void)state;
	assert_int_equal(server_name_next("radius-9.org", next, sizeof(next)), ERR_LIMIT);
}

static void the_number_of_the_first_label_goes_up(void **state)
{
	char next[64];

	(void)state;
	assert_int_equal(server_name_next("radius-1.site-7.org", next, sizeof(next)), 0);
	assert_string_equal(next, "radius-2.site-7.org");
	assert_int_equal(server_name_next("r-b-99.org", next, sizeof(next)), 0);
	assert_string_equal(next, "r-b-100.org");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_name_without_an_epoch_has_no_next_one),
		cmocka_unit_test(a_name_that_would_not_fit_is_refused),
		cmocka_unit_test(the_number_of_the_first_label_goes_up),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
