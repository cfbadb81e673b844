/* SPDX-License-Identifier: BSD-2-Clause */
/* A pump that is refused again and again hears it later, never later than its NAS waits. */
#include "radius_modules/rlm_pump/reject_pace.h"

#include "tests/support/cmocka.h"

#include <stdio.h>

#define MAC "02:00:00:00:00:01"
#define MINUTE_US 60000000LL

static int pace_setup(void **state)
{
	return reject_pace_new((struct reject_pace **)state);
}

static int pace_teardown(void **state)
{
	reject_pace_free(*state);
	return 0;
}

static uint32_t refused(void **state, const char *mac, int64_t now_us)
{
	uint32_t times;

	return reject_pace_refused(*state, mac, now_us, &times);
}

static void refusals_in_a_row_are_held_back_up_to_three_seconds(void **state)
{
	static const uint32_t wanted[] = {1, 1, 1, 2, 3, 3, 3};
	uint32_t times;

	for (uint32_t i = 0; i < sizeof(wanted) / sizeof(wanted[0]); i++) {
		assert_int_equal(reject_pace_refused(*state, MAC, i, &times), wanted[i]);
		assert_int_equal(times, i + 1);
	}
	for (int i = 0; i < 1000; i++)
		assert_int_equal(refused(state, MAC, 9), REJECT_PACE_MAX_S);
}

static void another_station_and_one_without_a_mac_are_not_held_back(void **state)
{
	for (int i = 0; i < 9; i++) {
		refused(state, MAC, i);
		assert_int_equal(refused(state, "", i), 1);
	}
	assert_int_equal(refused(state, "02:00:00:00:00:02", 9), 1);
}

static void an_accept_or_ten_quiet_minutes_begin_anew(void **state)
{
	for (int i = 0; i < 9; i++)
		refused(state, MAC, i);
	reject_pace_accepted(*state, "02:00:00:00:00:02");
	assert_int_equal(refused(state, MAC, 9), REJECT_PACE_MAX_S);
	reject_pace_accepted(*state, MAC);
	assert_int_equal(refused(state, MAC, 9), 1);
	for (int i = 0; i < 9; i++)
		refused(state, MAC, 10);
	assert_int_equal(refused(state, MAC, 10 * MINUTE_US + 10), REJECT_PACE_MAX_S);
	assert_int_equal(refused(state, MAC, 20 * MINUTE_US + 11), 1);
}

static void more_stations_than_slots_only_forget(void **state)
{
	char mac[MAC_SIZE];

	for (unsigned i = 0; i < 20000; i++) {
		snprintf(mac, sizeof(mac), "02:00:00:00:%02x:%02x", i >> 8 & 0xff, i & 0xff);
		assert_int_equal(refused(state, mac, 1), 1);
	}
	assert_in_range(refused(state, MAC, 1), 1, REJECT_PACE_MAX_S);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define PACE(t) cmocka_unit_test_setup_teardown(t, pace_setup, pace_teardown)
		PACE(refusals_in_a_row_are_held_back_up_to_three_seconds),
		PACE(another_station_and_one_without_a_mac_are_not_held_back),
		PACE(an_accept_or_ten_quiet_minutes_begin_anew),
		PACE(more_stations_than_slots_only_forget),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
