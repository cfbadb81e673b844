/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/support/cmocka.h"

#include "sql/credd/spray.h"
#include "sql/credd/throttle.h"

#define NURSE 1001
#define OTHER 2002
#define PUMP 77
#define ELSEWHERE 88
#define SOURCE 5

static int setup(void **state)
{
	struct throttle *t;

	if (throttle_new(64, 64, &t))
		return 1;
	*state = t;
	return 0;
}

static int teardown(void **state)
{
	throttle_free(*state);
	return 0;
}

static struct throttle_who who(uint64_t user, uint64_t pump)
{
	return (struct throttle_who){.user = user, .pump = pump, .source = SOURCE};
}

/* One try that ends so; how long it would have to wait, 0: it was let through. */
static int64_t try_it(struct throttle *t, uint64_t user, uint64_t pump, enum throttle_end how,
		      int64_t now)
{
	struct throttle_who w = who(user, pump);
	int64_t wait;
	bool tell;

	if (throttle_begin(t, &w, now, &wait, &tell) != THROTTLE_GO)
		return wait;
	throttle_end(t, &w, how, now);
	return 0;
}

static void wrong_tries_wait_longer_and_longer_but_never_more_than_a_minute(void **state)
{
	int64_t now = 1000000, wait, longest = 0;
	unsigned through = 0;

	for (int i = 0; i < 4; i++)
		assert_int_equal(try_it(*state, NURSE, PUMP, THROTTLE_FAILED, now), 0);
	assert_int_equal(try_it(*state, NURSE, PUMP, THROTTLE_FAILED, now), 0);
	assert_int_equal(try_it(*state, NURSE, PUMP, THROTTLE_FAILED, now), 1000);
	for (int64_t end = now + 3600000; now < end; now += 500) {
		wait = try_it(*state, NURSE, PUMP, THROTTLE_FAILED, now);
		through += wait == 0;
		longest = wait > longest ? wait : longest;
	}
	assert_true(through < 70); /* an hour of guessing */
	assert_true(longest <= 60000);
	assert_true(longest > 50000);
}

static void many_at_once_gain_nothing(void **state)
{
	struct throttle_who w = who(NURSE, PUMP);
	unsigned let = 0;
	int64_t wait;
	bool tell;

	for (int i = 0; i < 100; i++)
		let += throttle_begin(*state, &w, 1000000, &wait, &tell) == THROTTLE_GO;
	assert_int_equal(let, THROTTLE_PUMP_IN_FLIGHT);
}

static void nobody_at_another_pump_keeps_a_nurse_out_at_the_bedside(void **state)
{
	for (int i = 0; i < 1000; i++)
		(void)try_it(*state, NURSE, ELSEWHERE, THROTTLE_FAILED, 1000000);
	assert_true(try_it(*state, NURSE, ELSEWHERE, THROTTLE_FAILED, 1000000) > 0);
	assert_int_equal(try_it(*state, NURSE, PUMP, THROTTLE_SUCCEEDED, 1000000), 0);
}

static void who_has_logged_in_at_a_pump_does_not_wait_for_others_there(void **state)
{
	int64_t now = 1000000;

	assert_int_equal(try_it(*state, NURSE, PUMP, THROTTLE_SUCCEEDED, now), 0);
	for (uint64_t user = 1; user < 1000;
	     user++) /* other names at her pump and from her source */
		(void)try_it(*state, OTHER + user, PUMP, THROTTLE_FAILED, now);
	for (uint64_t pump = 1; pump < 60; pump++)
		for (int i = 0; i < 20; i++)
			(void)try_it(*state, OTHER, 1000 + pump, THROTTLE_FAILED, now);
	assert_true(try_it(*state, OTHER + 5000, PUMP, THROTTLE_FAILED, now) > 0);
	assert_int_equal(try_it(*state, NURSE, PUMP, THROTTLE_SUCCEEDED, now), 0);
}

static void many_names_at_one_pump_make_the_pump_wait(void **state)
{
	int64_t now = 1000000;
	unsigned through = 0;

	for (uint64_t i = 0; i < 600; i++, now += 1000) /* ten minutes */
		through += try_it(*state, OTHER + i, PUMP, THROTTLE_FAILED, now) == 0;
	assert_true(through < 100);
}

static void a_success_takes_the_delay_away_and_a_broken_server_charges_nobody(void **state)
{
	int64_t now = 1000000;

	for (int i = 0; i < 4; i++)
		assert_int_equal(try_it(*state, NURSE, PUMP, THROTTLE_FAILED, now), 0);
	assert_int_equal(try_it(*state, NURSE, PUMP, THROTTLE_SUCCEEDED, now), 0);
	for (int i = 0; i < 4; i++)
		assert_int_equal(try_it(*state, NURSE, PUMP, THROTTLE_FAILED, now), 0);
	for (int i = 0; i < 100; i++)
		assert_int_equal(try_it(*state, OTHER, ELSEWHERE, THROTTLE_UNSURE, now), 0);
}

static void unlock_takes_the_users_delays_away_everywhere(void **state)
{
	int64_t now = 1000000;

	for (int i = 0; i < 8; i++) {
		(void)try_it(*state, NURSE, PUMP, THROTTLE_FAILED, now);
		(void)try_it(*state, NURSE, ELSEWHERE, THROTTLE_FAILED, now);
	}
	assert_true(try_it(*state, NURSE, PUMP, THROTTLE_FAILED, now) > 0);
	assert_int_equal(throttle_unlock(*state, OTHER, now), 0);
	assert_int_equal(throttle_unlock(*state, NURSE, now), 2);
	assert_int_equal(try_it(*state, NURSE, PUMP, THROTTLE_FAILED, now), 0);
}

static void more_pumps_than_there_is_room_for_are_no_harm(void **state)
{
	struct throttle_who busy = who(NURSE, PUMP);
	int64_t wait;
	bool tell;

	assert_int_equal(throttle_begin(*state, &busy, 1000000, &wait, &tell), THROTTLE_GO);
	for (uint64_t pump = 1000; pump < 3000; pump++)
		(void)try_it(*state, OTHER, pump, THROTTLE_FAILED, 1000000 + (int64_t)pump);
	throttle_end(*state, &busy, THROTTLE_SUCCEEDED, 2000000); /* it was not forgotten: */
	for (uint64_t user = 1; user < 100; user++)
		(void)try_it(*state, OTHER + user, PUMP, THROTTLE_FAILED, 2000000);
	assert_int_equal(try_it(*state, NURSE, PUMP, THROTTLE_SUCCEEDED, 2000000), 0);
}

static void what_was_throttled_is_told_once_a_minute(void **state)
{
	struct throttle_who w = who(NURSE, PUMP);
	unsigned told = 0;
	int64_t wait;
	bool tell;

	for (int i = 0; i < 5; i++)
		(void)try_it(*state, NURSE, PUMP, THROTTLE_FAILED, 1000000);
	for (int i = 0; i < 50; i++) {
		assert_int_equal(throttle_begin(*state, &w, 1000001, &wait, &tell), THROTTLE_WAIT);
		told += tell;
	}
	assert_int_equal(told, 1);
}

static void one_password_over_many_names_is_told_once(void **state)
{
	static struct spray s;
	unsigned told = 0;

	(void)state;
	for (uint64_t name = 1; name < SPRAY_NAMES; name++)
		assert_false(spray_note(&s, 42, name, 1000000));
	for (int i = 0; i < 5; i++) /* a name again is no other name */
		assert_false(spray_note(&s, 42, 1, 1000000));
	for (uint64_t name = SPRAY_NAMES; name < 100; name++)
		told += spray_note(&s, 42, name, 1000000);
	assert_int_equal(told, 1);
	for (uint64_t password = 100; password < 2000; password++) /* forgets, never overflows */
		assert_false(spray_note(&s, password, 1, 1000001));
	for (uint64_t name = 1; name < SPRAY_NAMES; name++)
		assert_false(spray_note(&s, 7, name, 1000002));
	/* half an hour later it begins anew */
	assert_false(spray_note(&s, 7, SPRAY_NAMES, 1000002 + SPRAY_WINDOW_MS));
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		T(wrong_tries_wait_longer_and_longer_but_never_more_than_a_minute),
		T(many_at_once_gain_nothing),
		T(nobody_at_another_pump_keeps_a_nurse_out_at_the_bedside),
		T(who_has_logged_in_at_a_pump_does_not_wait_for_others_there),
		T(many_names_at_one_pump_make_the_pump_wait),
		T(a_success_takes_the_delay_away_and_a_broken_server_charges_nobody),
		T(unlock_takes_the_users_delays_away_everywhere),
		T(more_pumps_than_there_is_room_for_are_no_harm),
		T(what_was_throttled_is_told_once_a_minute),
		T(one_password_over_many_names_is_told_once),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
