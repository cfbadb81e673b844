/* SPDX-License-Identifier: BSD-2-Clause */
/* What radiusd remembers of NAS, on a fixed clock: standing, wrong secrets, claims. */
#include "tests/support/cmocka.h"

#include <stdio.h>
#include <string.h>

#include "radius_modules/rlm_pump/nas_known.h"

#define S 1000000LL
#define T (1000 * S)
#define IP "192.0.2.7"

static int known_setup(void **state)
{
	struct nas_known *k;

	if (nas_known_new(&k))
		return -1;
	*state = k;
	return 0;
}

static int known_teardown(void **state)
{
	nas_known_free(*state);
	return 0;
}

static struct nas_facts facts_of(const char *name, const char *secret)
{
	struct nas_facts f = {.found = true, .enabled = true, .secret_version = 1};

	strcpy(f.name, name);
	f.secret.len = (uint32_t)strlen(secret);
	memcpy(f.secret.data, secret, f.secret.len);
	return f;
}

/* A client that is heard, or not, made at `at`. */
static void client(struct nas_known *k, const char *name, const char *ip, int64_t at, bool heard)
{
	struct nas_facts f = facts_of(name, "secret-1");

	nas_known_put(k, ip, at, &f);
	nas_known_client(k, ip, at);
	if (heard)
		nas_known_heard(k, ip);
}

static void nobody_is_in_force_that_registryd_did_not_name(void **state)
{
	bool good = true;

	assert_false(nas_known_standing(*state, IP, T, "secret-1", &good));
	assert_false(nas_known_standing(*state, "", T, "", &good));
}

static void a_disabled_one_or_another_secret_is_not_in_force(void **state)
{
	struct nas_facts f = facts_of("sw-7", "secret-1");
	bool good = true;

	nas_known_put(*state, IP, T, &f);
	assert_true(nas_known_standing(*state, IP, T + 1, "secret-2", &good));
	assert_false(good);
	assert_true(nas_known_standing(*state, IP, T + 1, "", &good));
	assert_false(good);
	assert_true(nas_known_standing(*state, IP, T + 1, "secret-1", &good));
	assert_true(good);
	f.enabled = false;
	nas_known_put(*state, IP, T, &f);
	assert_true(nas_known_standing(*state, IP, T + 1, "secret-1", &good));
	assert_false(good);
}

static void an_answer_is_good_for_a_second_and_a_secret_as_long_as_it_is_needed(void **state)
{
	struct nas_facts f = facts_of("sw-7", "secret-1"), got;
	bool good;

	nas_known_put(*state, IP, T, &f);
	assert_true(nas_known_standing(*state, IP, T + NAS_FRESH_US - 1, "secret-1", &good));
	assert_false(nas_known_standing(*state, IP, T + NAS_FRESH_US, "secret-1", &good));
	assert_false(nas_known_get(*state, IP, T + NAS_FRESH_US, NAS_FRESH_US, &got));
	assert_true(nas_known_get(*state, IP, T + 3600 * S, INT64_MAX, &got));
	assert_string_equal(got.name, "sw-7");
	assert_false(nas_known_get(*state, "192.0.2.8", T, INT64_MAX, &got));
}

static void wrong_signatures_are_laid_at_the_door_of_who_sent_nothing_right(void **state)
{
	struct nas_known *k = *state;
	struct nas_event e;
	uint32_t unknown;

	client(k, "good", "192.0.2.1", T, true);
	client(k, "bad", "192.0.2.2", T, false);
	assert_false(nas_known_wrong_secret(k, 0, T + S, &e, &unknown));
	assert_true(nas_known_wrong_secret(k, 5, T + 2 * S, &e, &unknown));
	assert_int_equal(unknown, 0);
	assert_int_equal(e.count, 5);
	assert_string_equal(e.nas, "bad");
	client(k, "good", "192.0.2.1", T + 2 * S, true);
	client(k, "bad", "192.0.2.2", T + 2 * S, false);
	assert_true(nas_known_wrong_secret(k, 9, T + 20 * S, &e, &unknown));
	assert_string_equal(e.nas, "bad");
	assert_string_equal(e.nas_ip, "192.0.2.2");
	assert_string_equal(e.kind, "wrong-secret");
	assert_false(nas_known_wrong_secret(k, 9, T + 20 * S, &e, &unknown));
}

static void they_are_told_in_sum_and_not_too_often(void **state)
{
	struct nas_known *k = *state;
	struct nas_event e;
	uint32_t unknown, told = 0, count = 0;

	for (int64_t i = 0; i < 60; i++) { /* four a second, for a minute */
		client(k, "bad", IP, T + i * S, false);
		while (nas_known_wrong_secret(k, (uint64_t)(4 * i + 4), T + i * S + S / 2, &e,
					      &unknown)) {
			told++;
			count += e.count;
		}
		assert_int_equal(unknown, 0);
	}
	assert_in_range(told, 5, 7);
	assert_in_range(count, 200, 240);
}

static void what_nobody_can_have_sent_is_nobody_s(void **state)
{
	struct nas_known *k = *state;
	uint32_t unknown, sum = 0;
	struct nas_event e;

	client(k, "good", "192.0.2.1", T, true);
	for (int64_t i = 1; i <= 4; i++) {
		assert_false(nas_known_wrong_secret(k, 3, T + i * S, &e, &unknown));
		sum += unknown;
	}
	assert_int_equal(sum, 3);
}

static void a_client_too_young_to_have_been_heard_is_not_suspected(void **state)
{
	struct nas_known *k = *state;
	uint32_t unknown;
	struct nas_event e;

	client(k, "new", IP, T, false);
	assert_false(nas_known_wrong_secret(k, 1, T + S / 10, &e, &unknown));
	nas_known_heard(k, IP);
	assert_false(nas_known_wrong_secret(k, 1, T + S, &e, &unknown));
}

static void a_claim_is_told_once_an_hour_and_another_one_sooner(void **state)
{
	struct nas_known *k = *state;

	assert_false(nas_known_claim(k, IP, T, "192.0.2.9", "")); /* not heard of */
	client(k, "sw-7", IP, T, true);
	assert_false(nas_known_claim(k, IP, T, "", ""));
	assert_true(nas_known_claim(k, IP, T, "192.0.2.9", ""));
	assert_false(nas_known_claim(k, IP, T + 60 * S, "192.0.2.9", ""));
	assert_false(nas_known_claim(k, IP, T + S, "192.0.2.10", ""));
	assert_true(nas_known_claim(k, IP, T + 60 * S, "", "sw-8"));
	assert_true(nas_known_claim(k, IP, T + 60 * S + NAS_CLAIM_AGAIN_US, "", "sw-8"));
}

static void an_address_that_takes_a_slot_inherits_nothing(void **state)
{
	struct nas_known *k = *state;
	struct nas_facts got;
	char ip[IP_SIZE];
	unsigned held = 0;

	for (unsigned i = 0; i < 20000; i++) {
		snprintf(ip, sizeof(ip), "10.%u.%u.1", i / 256, i % 256);
		client(k, ip, ip, T, false);
	}
	for (unsigned i = 0; i < 20000; i++) {
		snprintf(ip, sizeof(ip), "10.%u.%u.1", i / 256, i % 256);
		if (!nas_known_get(k, ip, T, INT64_MAX, &got))
			continue;
		assert_string_equal(got.name, ip);
		held++;
	}
	assert_in_range(held, 1000, 4096);
}

#define RUN(test) cmocka_unit_test_setup_teardown(test, known_setup, known_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		RUN(nobody_is_in_force_that_registryd_did_not_name),
		RUN(a_disabled_one_or_another_secret_is_not_in_force),
		RUN(an_answer_is_good_for_a_second_and_a_secret_as_long_as_it_is_needed),
		RUN(wrong_signatures_are_laid_at_the_door_of_who_sent_nothing_right),
		RUN(they_are_told_in_sum_and_not_too_often),
		RUN(what_nobody_can_have_sent_is_nobody_s),
		RUN(a_client_too_young_to_have_been_heard_is_not_suspected),
		RUN(a_claim_is_told_once_an_hour_and_another_one_sooner),
		RUN(an_address_that_takes_a_slot_inherits_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
