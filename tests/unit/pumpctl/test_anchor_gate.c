/* SPDX-License-Identifier: BSD-2-Clause */
/* When servers may switch to what pumps must know, and when what pumps held before may go. */
#include "enroll/pumpctl/anchor_gate.h"

#include "tests/support/cmocka.h"

static void nothing_is_open_before_pumps_were_counted(void **state)
{
	struct gate g = {.percent = 1};

	(void)state;
	assert_false(gate_is_open(&g));
	g.is_last = true;
	assert_false(gate_is_open(&g));
}

static void one_pump_of_a_thousand_holds_up_a_switch(void **state)
{
	struct gate g = {.is_known = true, .percent = 100, .holding = 999, .active = 1000};

	(void)state;
	assert_int_equal(gate_percent(&g), 99);
	assert_false(gate_is_open(&g));
	g.percent = 99;
	assert_true(gate_is_open(&g));
	g.percent = 100;
	g.holding = 1000;
	assert_true(gate_is_open(&g));
	g.absent = 5; /* they come back by the cross certificate, or not at all */
	assert_true(gate_is_open(&g));
}

static void pump_that_is_away_holds_up_the_end_whatever_the_percentage(void **state)
{
	struct gate g = {
		.is_known = true, .is_last = true, .holding = 10, .active = 10, .absent = 1};

	(void)state;
	assert_int_equal(gate_lacking(&g), 1);
	assert_false(gate_is_open(&g));
	g.absent = 0;
	assert_true(gate_is_open(&g));
	g.active = 11;
	assert_int_equal(gate_lacking(&g), 1);
	assert_false(gate_is_open(&g));
}

static void percentage_of_nothing_asks_nobody_but_before_the_end(void **state)
{
	struct gate g = {.percent = 0, .active = 10};

	(void)state;
	assert_true(gate_is_open(&g));
	g.is_known = g.is_last = true;
	assert_false(gate_is_open(&g));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(nothing_is_open_before_pumps_were_counted),
		cmocka_unit_test(one_pump_of_a_thousand_holds_up_a_switch),
		cmocka_unit_test(pump_that_is_away_holds_up_the_end_whatever_the_percentage),
		cmocka_unit_test(percentage_of_nothing_asks_nobody_but_before_the_end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
