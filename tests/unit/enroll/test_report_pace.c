/* SPDX-License-Identifier: BSD-2-Clause */
/* How often a pump is listened to. */
#include "tests/support/cmocka.h"

#include <event2/event.h>

#include "enroll/enrolld/report_asker.h"

#define S 1000000LL

static void done(struct report_job *job, void *ctx)
{
	(void)job;
	(void)ctx;
}

static void a_pump_that_reports_without_end_is_put_off(void **state)
{
	struct event_base *base = event_base_new();
	struct report_asker *a;

	(void)state;
	assert_non_null(base);
	assert_int_equal(report_asker_new(base, "/nowhere", done, NULL, &a), 0);
	for (int i = 0; i < 6; i++)
		assert_int_equal(report_asker_wait_s(a, "aa11", 1000 * S), 0);
	assert_in_range(report_asker_wait_s(a, "aa11", 1000 * S), 1, 11);
	assert_in_range(report_asker_wait_s(a, "aa11", 1009 * S), 1, 2);
	/* another pump is not held up by it */
	assert_int_equal(report_asker_wait_s(a, "bb22", 1000 * S), 0);
	/* one more every ten seconds, and what was put off does not count */
	assert_int_equal(report_asker_wait_s(a, "aa11", 1010 * S), 0);
	assert_int_not_equal(report_asker_wait_s(a, "aa11", 1011 * S), 0);
	assert_int_equal(report_asker_wait_s(a, "aa11", 1020 * S), 0);
	/* and all six after a quiet minute */
	for (int i = 0; i < 6; i++)
		assert_int_equal(report_asker_wait_s(a, "aa11", 1100 * S), 0);
	assert_int_not_equal(report_asker_wait_s(a, "aa11", 1100 * S), 0);
	report_asker_free(a);
	event_base_free(base);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_pump_that_reports_without_end_is_put_off),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
