/* SPDX-License-Identifier: BSD-2-Clause */
/* The rules for a wall clock that may be wrong, against their whole table. */
#include "tests/support/cmocka.h"

#include "pump_agent/clock_rules.h"

#define FLOOR INT64_C(1795000000000)
#define DAY INT64_C(86400000)

/* Every state of the flags, at three places around the floor. */
static struct clock_view view_of(unsigned i)
{
	static const int64_t away[] = {-DAY, 0, 4000 * DAY};

	return (struct clock_view){.now_ms = FLOOR + away[i / 16],
				   .floor_ms = FLOOR,
				   .is_guess = i & 1,
				   .is_steered = i & 2,
				   .is_proven = i & 4,
				   .was_lowered = i & 8};
}
#define VIEWS 48

static void no_rule_ever_goes_below_the_floor(void **state)
{
	(void)state;
	for (unsigned i = 0; i < VIEWS; i++) {
		struct clock_view v = view_of(i);

		assert_true(!clock_rule_raise(&v) || clock_rule_raise(&v) >= FLOOR);
		assert_true(!clock_rule_expired(&v) || clock_rule_expired(&v) >= FLOOR);
		assert_int_equal(clock_rule_told(&v, FLOOR - 1), 0);
		assert_int_equal(clock_rule_told(&v, 0), 0);
		assert_int_equal(clock_rule_told(&v, -DAY), 0);
	}
}

static void a_clock_below_the_floor_is_raised_and_no_other(void **state)
{
	(void)state;
	for (unsigned i = 0; i < VIEWS; i++) {
		struct clock_view v = view_of(i);

		assert_int_equal(clock_rule_raise(&v), v.now_ms < FLOOR ? FLOOR : 0);
	}
}

static void an_expired_server_lowers_only_a_clock_that_nothing_speaks_for(void **state)
{
	unsigned lowered = 0;

	(void)state;
	for (unsigned i = 0; i < VIEWS; i++) {
		struct clock_view v = view_of(i);
		int64_t to = clock_rule_expired(&v);

		if (v.is_guess || v.is_steered || v.is_proven || v.was_lowered || v.now_ms <= FLOOR)
			assert_int_equal(to, 0);
		else
			assert_int_equal(to, FLOOR);
		lowered += to != 0;
	}
	assert_int_equal(lowered, 1);
}

static void a_servers_time_moves_a_guess_and_a_clock_that_is_minutes_off(void **state)
{
	struct clock_view v = {.now_ms = FLOOR + DAY, .floor_ms = FLOOR};

	(void)state;
	assert_int_equal(clock_rule_told(&v, v.now_ms + CLOCK_STEP_MS - 1), 0);
	assert_int_equal(clock_rule_told(&v, v.now_ms - CLOCK_STEP_MS + 1), 0);
	assert_int_equal(clock_rule_told(&v, v.now_ms + CLOCK_STEP_MS), v.now_ms + CLOCK_STEP_MS);
	assert_int_equal(clock_rule_told(&v, v.now_ms - CLOCK_STEP_MS), v.now_ms - CLOCK_STEP_MS);
	v.is_guess = true;
	assert_int_equal(clock_rule_told(&v, v.now_ms + 1000), v.now_ms + 1000);
}

static void a_clock_that_ntp_keeps_is_left_to_it(void **state)
{
	struct clock_view v = {.now_ms = FLOOR + DAY, .floor_ms = FLOOR, .is_steered = true};

	(void)state;
	assert_int_equal(clock_rule_told(&v, v.now_ms + DAY), 0);
	assert_int_equal(clock_rule_expired(&v), 0);
	v.now_ms = 0; /* but not below what has passed */
	assert_int_equal(clock_rule_raise(&v), FLOOR);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(no_rule_ever_goes_below_the_floor),
		cmocka_unit_test(a_clock_below_the_floor_is_raised_and_no_other),
		cmocka_unit_test(an_expired_server_lowers_only_a_clock_that_nothing_speaks_for),
		cmocka_unit_test(a_servers_time_moves_a_guess_and_a_clock_that_is_minutes_off),
		cmocka_unit_test(a_clock_that_ntp_keeps_is_left_to_it),
	};

	return cmocka_run_group_tests_name("clock_rules", tests, NULL, NULL);
}
