/* SPDX-License-Identifier: BSD-2-Clause */
/* What waits until its pump is idle: when it is due, when it is not, and that it ends once. */
#include "tests/unit/sql/fixture.h"

#include <stdio.h>
#include <string.h>

#include "sql/store/pending.h"
#include "sql/store/reports.h"

#define HOUR (3600LL * 1000)

static int ask(struct fixture *f, const char *action, const char *device, int64_t at_latest,
	       bool *waits)
{
	struct standing_change rq = {.reason = "old battery", .at_latest = at_latest};

	strcpy(rq.action, action);
	strcpy(rq.device, device);
	return store_pending_add(f->st, &admin_now, &rq, waits);
}

static void say(struct fixture *f, int64_t at, const char *infusing)
{
	struct pump_report r = {.issuer = ISSUER,
				.cert_serial = "00000001",
				.device = "PG-1",
				.software = "1",
				.key_protection = "software"};
	struct report_answer a;
	char changes[TEXT_SIZE];

	strcpy(r.infusing, infusing);
	assert_int_equal(store_report(f->st, at, &r, &a, changes), 0);
	assert_string_equal(a.cert_state, "valid");
}

static size_t due(struct fixture *f, int64_t now, int64_t *next)
{
	struct pending_change p[4];
	uint64_t waiting;
	size_t n;

	assert_int_equal(store_pending_due(f->st, now, p, 4, &n, next, &waiting), 0);
	return n;
}

static int64_t waiting(struct fixture *f)
{
	return sql_number(f->registry, "SELECT count(*) FROM pending_changes");
}

static void what_can_not_be_done_can_not_wait_either(void **state)
{
	struct fixture *f = *state;
	bool waits;

	assert_int_equal(ask(f, "revoke", "PG-77", 0, &waits), ERR_NOT_FOUND);
	assert_int_equal(ask(f, "quarantine", "PG-1", 0, &waits),
			 ERR_CONFLICT); /* no certificate */
	enroll(f->st, "PG-1", 1, 1);
	assert_int_equal(ask(f, "quarantine", "PG-1", 0, &waits), ERR_CONFLICT); /* no zone */
	assert_int_equal(ask(f, "melt", "PG-1", 0, &waits), ERR_INVALID);
	assert_int_equal(ask(f, "revoke", "PG-1", NOW, &waits),
			 ERR_INVALID); /* not in the future */
	assert_int_equal(ask(f, "release", "PG-1", 0, &waits), ERR_UNCHANGED);
	assert_false(waits);
	assert_int_equal(store_pending_cancel(f->st, &admin_now, "PG-1"), ERR_NOT_FOUND);
	assert_int_equal(waiting(f), 0);
}

static void a_pump_that_does_not_say_that_it_is_idle_is_waited_for(void **state)
{
	struct fixture *f = *state;
	int64_t next;
	bool waits = false;

	enroll(f->st, "PG-1", 1, 1);
	assert_int_equal(ask(f, "revoke", "PG-1", 0, &waits), 0);
	assert_true(waits);
	assert_int_equal(due(f, NOW, &next), 0); /* it never said anything */
	assert_true(next == INT64_MAX);
	say(f, NOW, "unknown");
	assert_int_equal(due(f, NOW + 1, &next), 0);
	say(f, NOW + 2, "infusing");
	assert_int_equal(due(f, NOW + 3, &next), 0);
	say(f, NOW + 4, "idle");
	assert_int_equal(due(f, NOW + 5, &next), 1);
	/* a word that is old says nothing of now */
	assert_int_equal(due(f, NOW + 4 + STORE_IDLE_FRESH_MS, &next), 0);
	say(f, NOW + 5, "infusing");
	assert_int_equal(due(f, NOW + 6, &next), 0);
}

static void at_the_latest_time_it_is_due_in_any_case(void **state)
{
	struct fixture *f = *state;
	int64_t next;
	bool waits;

	enroll(f->st, "PG-1", 1, 1);
	assert_int_equal(ask(f, "revoke", "PG-1", NOW + HOUR, &waits), 0);
	say(f, NOW + 1, "infusing");
	assert_int_equal(due(f, NOW + HOUR - 1, &next), 0);
	assert_true(next == NOW + HOUR);
	assert_int_equal(due(f, NOW + HOUR, &next), 1);
}

static void asked_for_twice_it_waits_once_and_another_change_takes_its_place(void **state)
{
	struct fixture *f = *state;
	struct zone z = {.name = "away", .vlan = 66, .purpose = "quarantine"};
	struct pending_change p;
	bool waits;

	enroll(f->st, "PG-1", 1, 1);
	assert_int_equal(store_zone_add(f->st, &admin_now, &z), 0);
	assert_int_equal(ask(f, "revoke", "PG-1", 0, &waits), 0);
	assert_int_equal(ask(f, "revoke", "PG-1", 0, &waits), ERR_UNCHANGED);
	assert_true(waits);
	assert_int_equal(ask(f, "quarantine", "PG-1", 0, &waits), 0);
	assert_int_equal(store_pending_show(f->st, "PG-1", &p), 0);
	assert_string_equal(p.action, "quarantine");
	assert_string_equal(p.asked_by, admin_now.actor);
	assert_int_equal(waiting(f), 1);
	assert_int_equal(sql_number(f->registry, "SELECT count(*) FROM audit WHERE action LIKE"
						 " 'pump.%-waits'"),
			 2);
}

static void what_is_done_waits_no_more(void **state)
{
	struct fixture *f = *state;
	struct zone z = {.name = "away", .vlan = 66, .purpose = "quarantine"};
	struct standing_change q = {.device = "PG-1", .action = "quarantine", .reason = "x"};
	struct revoke rq = {.device = "PG-1", .reason = "now"};
	struct revocation receipt;
	struct device d;
	bool waits;

	enroll(f->st, "PG-1", 1, 1);
	assert_int_equal(store_zone_add(f->st, &admin_now, &z), 0);
	assert_int_equal(ask(f, "revoke", "PG-1", 0, &waits), 0);
	assert_int_equal(store_device_show(f->st, "PG-1", NOW, &d), 0);
	assert_string_equal(d.waiting, "revoke");
	/* a quarantine meanwhile does not end it */
	assert_int_equal(store_standing_change(f->st, &admin_now, &q, NOW, NULL, 0, &receipt), 0);
	assert_int_equal(waiting(f), 1);
	assert_int_equal(store_revoke(f->st, &admin_now, &rq, NOW, NULL, 0, &receipt), 0);
	assert_int_equal(waiting(f), 0);
	assert_int_equal(ask(f, "revoke", "PG-1", 0, &waits), ERR_UNCHANGED);
	assert_false(waits);
}

static void taken_back_it_is_gone_with_an_audit_row(void **state)
{
	struct fixture *f = *state;
	struct list_query q = {0};
	struct pending_change p[2];
	int64_t next;
	bool waits;
	size_t n;

	enroll(f->st, "PG-1", 1, 1);
	assert_int_equal(ask(f, "revoke", "PG-1", 0, &waits), 0);
	assert_int_equal(store_pending_list(f->st, &q, p, 2, &n), 0);
	assert_int_equal(n, 1);
	assert_int_equal(store_pending_cancel(f->st, &admin_now, "PG-1"), 0);
	say(f, NOW + 1, "idle");
	assert_int_equal(due(f, NOW + 2, &next), 0);
	assert_int_equal(sql_number(f->registry, "SELECT count(*) FROM audit WHERE action ="
						 " 'pump.waits-no-more'"),
			 1);
}

#define TEST(fn) cmocka_unit_test_setup_teardown(fn, fixture_setup, fixture_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(what_can_not_be_done_can_not_wait_either),
		TEST(a_pump_that_does_not_say_that_it_is_idle_is_waited_for),
		TEST(at_the_latest_time_it_is_due_in_any_case),
		TEST(asked_for_twice_it_waits_once_and_another_change_takes_its_place),
		TEST(what_is_done_waits_no_more),
		TEST(taken_back_it_is_gone_with_an_audit_row),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
