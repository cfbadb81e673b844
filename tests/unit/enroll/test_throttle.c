/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/support/cmocka.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <string.h>

#include "enroll/enrolld/throttle.h"

#define SECOND 1000000LL

struct fixture {
	struct throttle *throttle;
	int64_t now_us;
};

static int set_up(void **state)
{
	static struct fixture f;

	f.now_us = 1000 * SECOND;
	*state = &f;
	return throttle_new(&f.throttle);
}

static int tear_down(void **state)
{
	struct fixture *f = *state;

	throttle_free(f->throttle);
	return 0;
}

static void address(uint8_t out[THROTTLE_SOURCE_BYTES], const char *text)
{
	struct sockaddr_in sa = {.sin_family = AF_INET};

	assert_int_equal(inet_pton(AF_INET, text, &sa.sin_addr), 1);
	assert_true(throttle_source((struct sockaddr *)&sa, out));
}

/* Tries that are let through out of `n`, each of which fails. */
static unsigned guesses(struct fixture *f, const char *source, const char *serial, unsigned n)
{
	uint8_t key[THROTTLE_SOURCE_BYTES];
	unsigned through = 0;

	address(key, source);
	for (unsigned i = 0; i < n; i++) {
		if (throttle_wait_s(f->throttle, key, serial, f->now_us))
			continue;
		through++;
		throttle_record(f->throttle, key, serial, true, f->now_us);
	}
	return through;
}

static void guessing_at_many_serials_from_one_address_is_slowed_down(void **state)
{
	struct fixture *f = *state;
	char serial[] = "PG-000";
	unsigned through = 0;

	for (unsigned i = 0; i < 500; i++) {
		serial[3] = (char)('0' + i / 100);
		serial[4] = (char)('0' + i / 10 % 10);
		serial[5] = (char)('0' + i % 10);
		through += guesses(f, "10.0.0.1", serial, 1);
	}
	assert_int_equal(through, 60);
}

static void guessing_at_one_serial_is_slowed_down_earlier(void **state)
{
	assert_int_equal(guesses(*state, "10.0.0.1", "PG-1", 500), 10);
}

static void guessing_at_one_serial_from_many_addresses_gets_one_try_from_each(void **state)
{
	struct fixture *f = *state;
	char source[] = "10.0.0.0";

	assert_int_equal(guesses(f, "10.0.1.1", "PG-1", 10), 10);
	for (char last = '1'; last <= '9'; last++) {
		source[7] = last;
		assert_int_equal(guesses(f, source, "PG-1", 20), 1);
	}
}

static void failing_in_a_pumps_name_does_not_lock_the_pump_out(void **state)
{
	struct fixture *f = *state;
	uint8_t pump[THROTTLE_SOURCE_BYTES];

	guesses(f, "10.0.0.66", "PG-1", 500);
	address(pump, "10.0.0.7");
	assert_int_equal(throttle_wait_s(f->throttle, pump, "PG-1", f->now_us), 0);
}

static void others_behind_the_same_address_are_not_slowed_by_one_serial(void **state)
{
	struct fixture *f = *state;
	uint8_t ward[THROTTLE_SOURCE_BYTES];

	guesses(f, "10.0.0.1", "PG-1", 500);
	address(ward, "10.0.0.1");
	assert_int_equal(throttle_wait_s(f->throttle, ward, "PG-2", f->now_us), 0);
}

static void who_waits_as_long_as_told_may_try_again(void **state)
{
	struct fixture *f = *state;
	uint8_t source[THROTTLE_SOURCE_BYTES];
	unsigned wait_s;

	guesses(f, "10.0.0.1", "PG-1", 500);
	address(source, "10.0.0.1");
	wait_s = throttle_wait_s(f->throttle, source, "PG-1", f->now_us);
	assert_in_range(wait_s, 1, 10);
	f->now_us += wait_s * SECOND;
	assert_int_equal(throttle_wait_s(f->throttle, source, "PG-1", f->now_us), 0);
}

static void a_ward_full_of_pumps_enrols_from_one_address(void **state)
{
	struct fixture *f = *state;
	uint8_t source[THROTTLE_SOURCE_BYTES];
	char serial[] = "PG-0000";

	address(source, "10.0.0.1");
	for (unsigned i = 0; i < 9999; i++) {
		for (unsigned d = 0, v = i; d < 4; d++, v /= 10)
			serial[6 - d] = (char)('0' + v % 10);
		assert_int_equal(throttle_wait_s(f->throttle, source, serial, f->now_us), 0);
		throttle_record(f->throttle, source, serial, false, f->now_us);
	}
}

static void a_pump_that_is_served_on_and_on_has_to_wait(void **state)
{
	struct fixture *f = *state;
	uint8_t source[THROTTLE_SOURCE_BYTES];
	unsigned served = 0, wait_s;

	address(source, "10.0.0.1");
	for (unsigned i = 0; i < 500; i++) {
		if (throttle_wait_s(f->throttle, source, "PG-1", f->now_us))
			continue;
		served++;
		throttle_record(f->throttle, source, "PG-1", false, f->now_us);
	}
	assert_int_equal(served, 30);
	assert_int_equal(throttle_wait_s(f->throttle, source, "PG-2", f->now_us), 0);
	wait_s = throttle_wait_s(f->throttle, source, "PG-1", f->now_us);
	f->now_us += wait_s * SECOND;
	assert_int_equal(throttle_wait_s(f->throttle, source, "PG-1", f->now_us), 0);
}

/* A flood of made-up serials must not wash out what is known of the flooder. */
static void a_flood_of_serials_does_not_clear_a_source(void **state)
{
	struct fixture *f = *state;
	uint8_t bad[THROTTLE_SOURCE_BYTES], other[THROTTLE_SOURCE_BYTES];
	char serial[] = "X0000000";

	guessing_at_many_serials_from_one_address_is_slowed_down(state);
	address(bad, "10.0.0.1");
	address(other, "10.0.0.2");
	for (unsigned i = 0; i < 200000; i++) {
		for (unsigned d = 0, v = i; d < 7; d++, v /= 10)
			serial[7 - d] = (char)('0' + v % 10);
		throttle_record(f->throttle, other, serial, true, f->now_us);
	}
	assert_true(throttle_wait_s(f->throttle, bad, "PG-1", f->now_us) > 0);
}

static void addresses_of_one_ipv6_net_are_one_source(void **state)
{
	struct sockaddr_in6 a = {.sin6_family = AF_INET6}, b = a, c = a;
	struct sockaddr other = {.sa_family = AF_UNIX};
	uint8_t ka[THROTTLE_SOURCE_BYTES], kb[THROTTLE_SOURCE_BYTES], kc[THROTTLE_SOURCE_BYTES];

	(void)state;
	assert_int_equal(inet_pton(AF_INET6, "2001:db8:0:1::1", &a.sin6_addr), 1);
	assert_int_equal(inet_pton(AF_INET6, "2001:db8:0:1:ffff::2", &b.sin6_addr), 1);
	assert_int_equal(inet_pton(AF_INET6, "2001:db8:0:2::1", &c.sin6_addr), 1);
	assert_true(throttle_source((struct sockaddr *)&a, ka));
	assert_true(throttle_source((struct sockaddr *)&b, kb));
	assert_true(throttle_source((struct sockaddr *)&c, kc));
	assert_memory_equal(ka, kb, sizeof(ka));
	assert_memory_not_equal(ka, kc, sizeof(ka));
	assert_false(throttle_source(&other, ka));
	assert_int_equal(inet_pton(AF_INET6, "::ffff:10.0.0.1", &a.sin6_addr), 1);
	assert_true(throttle_source((struct sockaddr *)&a, ka));
	address(kb, "10.0.0.1");
	assert_memory_equal(ka, kb, sizeof(ka));
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		T(guessing_at_many_serials_from_one_address_is_slowed_down),
		T(guessing_at_one_serial_is_slowed_down_earlier),
		T(guessing_at_one_serial_from_many_addresses_gets_one_try_from_each),
		T(failing_in_a_pumps_name_does_not_lock_the_pump_out),
		T(others_behind_the_same_address_are_not_slowed_by_one_serial),
		T(who_waits_as_long_as_told_may_try_again),
		T(a_ward_full_of_pumps_enrols_from_one_address),
		T(a_pump_that_is_served_on_and_on_has_to_wait),
		T(a_flood_of_serials_does_not_clear_a_source),
		T(addresses_of_one_ipv6_net_are_one_source),
	};

	return cmocka_run_group_tests_name("enroll/throttle", tests, NULL, NULL);
}
