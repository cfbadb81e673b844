/* SPDX-License-Identifier: BSD-2-Clause */
/* Whom the steps of a roll-over of the pumps' CA wait for. */
#include "enroll/pumpctl/rollover_gate.h"

#include <string.h>

#include "tests/support/cmocka.h"

static const char *const behind[] = {"radius", "clinicians"};

static void switch_waits_for_each_server_of_ours(void **state)
{
	struct rollover_facts f = {.state = "started", .behind = behind, .n_behind = 2};

	(void)state;
	assert_int_equal(rollover_may_switch(&f), ERR_BUSY);
	assert_non_null(strstr(err_text(), "2 servers (radius first)"));
	f.n_behind = 1;
	assert_int_equal(rollover_may_switch(&f), ERR_BUSY);
	f.n_behind = 0;
	assert_int_equal(rollover_may_switch(&f), 0);
	f.n_behind = 1;
	f.state = "switched"; /* done: repeated, it brings the rest about */
	assert_int_equal(rollover_may_switch(&f), 0);
}

static void one_pump_of_a_thousand_holds_up_a_finish(void **state)
{
	struct rollover_facts f = {
		.state = "switched", .pumps_known = true, .pumps = 1000, .left = 1, .percent = 100};

	(void)state;
	assert_int_equal(rollover_moved_percent(&f), 99);
	assert_int_equal(rollover_may_finish(&f), ERR_BUSY);
	assert_non_null(strstr(err_text(), "1 of 1000"));
	f.percent = 99;
	assert_int_equal(rollover_may_finish(&f), 0);
	f.percent = 100;
	f.left = 0;
	assert_int_equal(rollover_may_finish(&f), 0);
	f.left = 1000;
	f.state = "retired"; /* they are shut out already */
	assert_int_equal(rollover_may_finish(&f), 0);
}

static void what_is_not_known_is_no_leave(void **state)
{
	struct rollover_facts f = {.state = "switched", .percent = 1};

	(void)state;
	assert_false(rollover_pumps_have_moved(&f));
	assert_int_equal(rollover_may_finish(&f), ERR_BUSY);
	assert_non_null(strstr(err_text(), "registryd"));
	f.percent = 0;
	assert_int_equal(rollover_may_finish(&f), 0);
	f.percent = 100;
	f.pumps_known = true; /* a site without pumps */
	assert_int_equal(rollover_may_finish(&f), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(switch_waits_for_each_server_of_ours),
		cmocka_unit_test(one_pump_of_a_thousand_holds_up_a_finish),
		cmocka_unit_test(what_is_not_known_is_no_leave),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
