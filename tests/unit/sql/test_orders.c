/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/unit/sql/fixture.h"

#include <string.h>

static const struct foothold live = {"ap-1", "S1", "02-00-00-00-00-01", 0};

static uint64_t revoke_with_one_order(struct fixture *f)
{
	struct revoke rq = {.device = "PG-1", .reason = "lost"};
	struct revocation r;

	assert_int_equal(store_revoke(f->st, &admin_now, &rq, NOW, &live, 1, &r), 0);
	return r.id;
}

static size_t take(struct fixture *f, int64_t now, bool fresh, struct dispatch_order *out)
{
	int64_t due;
	size_t n;

	assert_int_equal(store_orders_take(f->st, now, fresh, out, 4, &n, &due), 0);
	return n;
}

static void report(struct fixture *f, uint64_t id, int64_t now, const char *result, uint32_t cause)
{
	struct dispatch_result r = {.id = id, .at = now, .error_cause = cause, .rtt_us = 900};
	struct action by = {.actor = "dispatch", .at = now};

	strcpy(r.result, result);
	assert_int_equal(store_orders_result(f->st, &by, &r, 1), 0);
}

static struct order_status status(struct fixture *f, uint64_t revocation)
{
	struct order_status o;
	size_t n;

	assert_int_equal(store_order_list(f->st, revocation, &o, 1, &n), 0);
	assert_int_equal(n, 1);
	return o;
}

static void unknown_result_is_refused(void **state)
{
	struct dispatch_result r = {.id = 1, .result = "maybe"};
	struct fixture *f = *state;

	assert_int_equal(store_orders_result(f->st, &admin_now, &r, 1), ERR_INVALID);
}

static void taken_order_is_leased_and_comes_again_when_nothing_is_heard(void **state)
{
	struct fixture *f = *state;
	uint64_t revocation = revoke_with_one_order(f);
	struct dispatch_order o[4];

	assert_int_equal(take(f, NOW, false, o), 1);
	assert_string_equal(o[0].nas_ip, "10.0.0.1");
	assert_int_equal(o[0].das_port, 3799);
	assert_int_equal(o[0].secret.len, 10);
	assert_string_equal(o[0].session_id, "S1");
	assert_int_equal(o[0].attempt, 1);
	assert_string_equal(status(f, revocation).state, "sent");
	assert_int_equal(take(f, NOW + 4999, false, o), 0);
	assert_int_equal(take(f, NOW + 5000, false, o), 1);
	assert_int_equal(o[0].attempt, 2);
}

static void new_dispatcher_gets_leased_orders_at_once(void **state)
{
	struct fixture *f = *state;
	struct dispatch_order o[4];

	revoke_with_one_order(f);
	assert_int_equal(take(f, NOW, false, o), 1);
	assert_int_equal(take(f, NOW + 1, false, o), 0);
	assert_int_equal(take(f, NOW + 1, true, o), 1);
}

static void silence_backs_off_to_a_minute_and_goes_on(void **state)
{
	static const int64_t pauses_s[] = {1, 2, 4, 8, 16, 32, 60, 60};
	struct fixture *f = *state;
	uint64_t revocation = revoke_with_one_order(f);
	struct dispatch_order o[4];
	int64_t now = NOW;

	for (size_t i = 0; i < sizeof(pauses_s) / sizeof(pauses_s[0]); i++) {
		assert_int_equal(take(f, now, false, o), 1);
		report(f, o[0].id, now, i % 2 ? "silent" : "nak", i % 2 ? 0 : 501);
		assert_string_equal(status(f, revocation).state, "waiting");
		assert_int_equal(take(f, now + pauses_s[i] * 1000 - 1, false, o), 0);
		now += pauses_s[i] * 1000;
	}
	/* a week later it is given up, not forgotten */
	assert_int_equal(take(f, NOW + 7LL * 24 * 3600 * 1000 + 1, false, o), 0);
	assert_string_equal(status(f, revocation).state, "unsendable");
}

static void clock_that_is_set_back_does_not_hold_an_order_up(void **state)
{
	struct fixture *f = *state;
	struct dispatch_order o[4];

	revoke_with_one_order(f);
	assert_int_equal(take(f, NOW - 30000, false, o), 0);
	assert_int_equal(take(f, NOW - 86400000, false, o), 1);
}

static void answers_settle_an_order_once(void **state)
{
	struct fixture *f = *state;
	uint64_t revocation = revoke_with_one_order(f);
	struct dispatch_order o[4];
	struct order_status s;

	assert_int_equal(take(f, NOW, false, o), 1);
	report(f, o[0].id, NOW + 3, "ack", 0);
	report(f, o[0].id, NOW + 9, "nak", 503); /* a late second report changes nothing */
	s = status(f, revocation);
	assert_string_equal(s.state, "acked");
	assert_int_equal(s.done_at, NOW + 3);
	assert_int_equal(s.rtt_us, 900);
	assert_int_equal(take(f, NOW + 600000, true, o), 0);
}

static void session_that_the_nas_does_not_know_is_gone(void **state)
{
	struct fixture *f = *state;
	uint64_t revocation = revoke_with_one_order(f);
	struct dispatch_order o[4];

	assert_int_equal(take(f, NOW, false, o), 1);
	report(f, o[0].id, NOW + 3, "nak", 503);
	assert_string_equal(status(f, revocation).state, "gone");
	assert_int_equal(status(f, revocation).error_cause, 503);
}

static void restart_of_the_nas_settles_only_its_older_orders(void **state)
{
	struct fixture *f = *state;
	uint64_t revocation = revoke_with_one_order(f);

	assert_int_equal(store_orders_nas_restarted(f->st, "ap-2", NOW + 10), 0);
	assert_int_equal(store_orders_nas_restarted(f->st, "ap-1", NOW - 10), 0);
	assert_true(store_has_open_orders(f->st, "ap-1"));
	assert_int_equal(store_orders_nas_restarted(f->st, "ap-1", NOW + 10), 0);
	assert_false(store_has_open_orders(f->st, "ap-1"));
	assert_string_equal(status(f, revocation).state, "gone");
}

static void history_shows_orders_and_audit_newest_first(void **state)
{
	struct fixture *f = *state;
	struct dispatch_order o[4];
	struct event e[20];
	size_t n;

	revoke_with_one_order(f);
	assert_int_equal(take(f, NOW + 1, false, o), 1);
	report(f, o[0].id, NOW + 2, "ack", 0);
	assert_int_equal(store_events(f->st, "PG-1", 0, e, 20, &n), 0);
	assert_int_equal(n, 4); /* add, revoke, order done: audit; the order itself */
	for (size_t i = 1; i < n; i++)
		assert_true(e[i - 1].at >= e[i].at);
	assert_string_equal(e[3].what, "pump.add");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define WITH(t) cmocka_unit_test_setup_teardown(t, fixture_setup, fixture_teardown)
		WITH(unknown_result_is_refused),
		WITH(taken_order_is_leased_and_comes_again_when_nothing_is_heard),
		WITH(new_dispatcher_gets_leased_orders_at_once),
		WITH(silence_backs_off_to_a_minute_and_goes_on),
		WITH(clock_that_is_set_back_does_not_hold_an_order_up),
		WITH(answers_settle_an_order_once),
		WITH(session_that_the_nas_does_not_know_is_gone),
		WITH(restart_of_the_nas_settles_only_its_older_orders),
		WITH(history_shows_orders_and_audit_newest_first),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
