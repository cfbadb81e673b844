/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/unit/sql/fixture.h"

#include <stdio.h>
#include <string.h>

#include "sql/store/recall.h"

#define MANY (RECALL_ALONE_MAX + 5)

static const struct recall_draft maker = {.chosen = "ward=3B", .reason = "maker recall 26-117"};

static struct person person(uid_t uid, const char *name, int64_t at)
{
	return (struct person){.by = {.actor = name, .at = at}, .uid = uid};
}

/* PG-100 and following, enough of them to need a second person. */
static void many_pumps_add(struct fixture *f)
{
	for (int i = 0; i < MANY; i++) {
		char serial[16], mac[MAC_SIZE];

		snprintf(serial, sizeof(serial), "PG-%d", 100 + i);
		snprintf(mac, sizeof(mac), "02:00:00:00:01:%02x", (unsigned)i);
		pump_add(f->st, serial, mac);
	}
}

static uint64_t draft_make(struct fixture *f, const struct person *who, int first, int n)
{
	struct recall_pump pumps[MANY] = {0};
	uint64_t id;

	assert_int_equal(store_recall_draft(f->st, who, &maker, &id), 0);
	for (int i = 0; i < n; i++) {
		pumps[i].recall = id;
		snprintf(pumps[i].device, sizeof(pumps[i].device), "PG-%d", first + i);
	}
	assert_int_equal(store_recall_add(f->st, who, pumps, (size_t)n), 0);
	return id;
}

static int request(struct fixture *f, const struct person *who, uint64_t id, uint64_t pumps,
		   bool alone)
{
	const struct recall_step step = {.id = id, .pumps = pumps};

	return store_recall_request(f->st, who, &step, alone);
}

static int confirm(struct fixture *f, const struct person *who, uint64_t id, uint64_t pumps)
{
	const struct recall_step step = {.id = id, .pumps = pumps};

	return store_recall_confirm(f->st, who, &step);
}

static int change(struct fixture *f, const struct person *who, uint64_t id, const char *to)
{
	struct recall_step step = {.id = id};

	strcpy(step.state, to);
	return store_recall_change(f->st, who, &step);
}

static struct recall show(struct fixture *f, uint64_t id, int64_t now)
{
	struct recall r;

	assert_int_equal(store_recall_show(f->st, id, now, &r), 0);
	return r;
}

/* One batch as the writer makes it; how many pumps. */
static size_t batch(struct fixture *f, int64_t now, size_t max, const struct foothold *hold)
{
	char devices[STORE_RECALL_MAX][DEVICE_SERIAL_SIZE];
	struct recall_item items[STORE_RECALL_MAX];
	struct recall r;
	size_t n;

	assert_int_equal(store_recall_running(f->st, &r), 0);
	assert_int_equal(store_recall_next(f->st, r.id, devices, max, &n), 0);
	for (size_t i = 0; i < n; i++)
		items[i] = (struct recall_item){devices[i], hold, hold ? 1 : 0};
	assert_int_equal(store_recall_carry_out(f->st, now, &r, items, n), 0);
	return n;
}

static void draft_needs_a_reason_and_pumps_of_the_inventory(void **state)
{
	const struct person alice = person(1001, "alice", NOW);
	struct recall_draft bad = maker;
	struct recall_pump p[] = {{.device = "PG-1"}, {.device = "PG-404"}};
	struct fixture *f = *state;
	uint64_t id;

	bad.reason[0] = '\0';
	assert_int_equal(store_recall_draft(f->st, &alice, &bad, &id), ERR_INVALID);
	strcpy(bad.reason, "two\nlines");
	assert_int_equal(store_recall_draft(f->st, &alice, &bad, &id), ERR_INVALID);
	bad = maker;
	bad.per_second = RECALL_PACE_MAX + 1;
	assert_int_equal(store_recall_draft(f->st, &alice, &bad, &id), ERR_INVALID);
	assert_int_equal(store_recall_draft(f->st, &alice, &maker, &id), 0);
	p[0].recall = p[1].recall = id;
	assert_int_equal(store_recall_add(f->st, &alice, p, 2), ERR_NOT_FOUND);
	assert_int_equal(show(f, id, NOW).pumps, 0); /* all or nothing */
	assert_int_equal(request(f, &alice, id, 0, false), ERR_UNCHANGED);
	assert_int_equal(store_recall_add(f->st, &alice, p, 1), 0);
	assert_int_equal(store_recall_add(f->st, &alice, p, 1), 0); /* a lost answer */
	assert_int_equal(show(f, id, NOW).pumps, 1);
}

static void draft_is_nobody_elses(void **state)
{
	const struct person alice = person(1001, "alice", NOW), bob = person(1002, "bob", NOW);
	struct recall_pump p = {.device = "PG-2"};
	struct fixture *f = *state;

	p.recall = draft_make(f, &alice, 1, 1);
	assert_int_equal(store_recall_add(f->st, &bob, &p, 1), ERR_CONFLICT);
	assert_int_equal(request(f, &bob, p.recall, 1, false), ERR_CONFLICT);
	assert_int_equal(request(f, &alice, p.recall, 2, false), ERR_CONFLICT);
	assert_int_equal(request(f, &alice, p.recall + 1, 1, false), ERR_NOT_FOUND);
	assert_int_equal(request(f, &alice, p.recall, 1, false), 0);
	p.recall = 1;
	assert_int_equal(store_recall_add(f->st, &alice, &p, 1), ERR_CONFLICT);
}

static void requester_can_not_confirm_a_large_recall(void **state)
{
	const struct person alice = person(1001, "alice", NOW), bob = person(1002, "bob", NOW + 5);
	/* the same person under another name is the same uid */
	const struct person twin = person(1001, "alice-admin", NOW + 5);
	struct fixture *f = *state;
	struct recall r;
	uint64_t id;

	many_pumps_add(f);
	id = draft_make(f, &alice, 100, MANY);
	assert_int_equal(confirm(f, &bob, id, MANY), ERR_CONFLICT); /* not requested yet */
	assert_int_equal(request(f, &alice, id, MANY, false), 0);
	assert_string_equal(show(f, id, NOW).state, "requested");
	assert_int_equal(store_recall_running(f->st, &r), ERR_NOT_FOUND);
	assert_int_equal(confirm(f, &alice, id, MANY), ERR_DENIED);
	assert_int_equal(confirm(f, &twin, id, MANY), ERR_DENIED);
	assert_int_equal(confirm(f, &bob, id, MANY - 1), ERR_CONFLICT);
	assert_int_equal(store_recall_running(f->st, &r), ERR_NOT_FOUND);
	assert_int_equal(confirm(f, &bob, id, MANY), 0);
	assert_int_equal(confirm(f, &bob, id, MANY), ERR_UNCHANGED);
	assert_int_equal(store_recall_running(f->st, &r), 0);
	r = show(f, id, NOW);
	assert_string_equal(r.requested_by, "alice");
	assert_string_equal(r.confirmed_by, "bob");
	assert_int_equal(r.confirmed_at, NOW + 5);
	assert_true(r.second_person);
	assert_int_equal(r.waiting, MANY);
}

static void request_lapses_after_a_day(void **state)
{
	const struct person alice = person(1001, "alice", NOW);
	const struct person late = person(1002, "bob", NOW + RECALL_LAPSE_MS + 1);
	struct fixture *f = *state;
	uint64_t id;

	many_pumps_add(f);
	id = draft_make(f, &alice, 100, MANY);
	assert_int_equal(request(f, &alice, id, MANY, false), 0);
	assert_int_equal(confirm(f, &late, id, MANY), ERR_EXPIRED);
	assert_string_equal(show(f, id, late.by.at).state, "lapsed");
	assert_int_equal(change(f, &late, id, "cancelled"), 0);
}

static void small_recalls_do_not_add_up_to_a_large_one(void **state)
{
	const struct person alice = person(1001, "alice", NOW);
	const struct person later = person(1001, "alice", NOW + 3600001);
	struct fixture *f = *state;
	uint64_t id;

	many_pumps_add(f);
	id = draft_make(f, &alice, 100, RECALL_ALONE_MAX);
	assert_int_equal(request(f, &alice, id, RECALL_ALONE_MAX, false), 0);
	assert_string_equal(show(f, id, NOW).state, "running");
	id = draft_make(f, &alice, 120, 2);
	assert_int_equal(request(f, &alice, id, 2, false), 0);
	assert_string_equal(show(f, id, NOW).state, "requested");
	id = draft_make(f, &later, 122, 2);
	assert_int_equal(request(f, &later, id, 2, false), 0);
	assert_string_equal(show(f, id, NOW).state, "running");
}

static void rule_that_is_off_needs_nobody_and_is_on_record(void **state)
{
	const struct person alice = person(1001, "alice", NOW);
	const struct action registryd = {.actor = "registryd", .at = NOW};
	struct list_query q = {.limit = 1};
	struct audit_row row;
	struct fixture *f = *state;
	uint64_t id;
	size_t n;

	assert_int_equal(store_recall_rule(f->st, &registryd, false), 0);
	assert_int_equal(store_audit_tail(f->st, &q, &row, 1, &n), 0);
	assert_string_equal(row.action, "recall.rule");
	many_pumps_add(f);
	id = draft_make(f, &alice, 100, MANY);
	assert_int_equal(request(f, &alice, id, MANY, true), 0);
	assert_string_equal(show(f, id, NOW).state, "running");
	assert_int_equal(store_audit_tail(f->st, &q, &row, 1, &n), 0);
	assert_string_equal(row.action, "recall.request");
	assert_non_null(strstr(row.detail, "rule is off"));
	assert_int_equal(store_recall_rule(f->st, &registryd, false), 0);
	assert_int_equal(store_audit_tail(f->st, &q, &row, 1, &n), 0);
	assert_string_equal(row.action, "recall.request"); /* no change, no row */
}

static void each_pump_is_revoked_once_with_its_order_and_its_audit_row(void **state)
{
	const struct person alice = person(1001, "alice", NOW), bob = person(1002, "bob", NOW);
	const struct foothold on = {.nas = "ap-1", .session_id = "S"};
	const struct revoke stolen = {.device = "PG-101", .reason = "stolen"};
	struct fixture *f = *state;
	struct revocation first, again;
	struct audit_check check;
	struct recall r;
	struct device d;
	uint64_t id;

	many_pumps_add(f);
	assert_int_equal(store_revoke(f->st, &admin_now, &stolen, NOW, NULL, 0, &first), 0);
	id = draft_make(f, &alice, 100, MANY);
	assert_int_equal(request(f, &alice, id, MANY, false), 0);
	assert_int_equal(confirm(f, &bob, id, MANY), 0);
	assert_int_equal(batch(f, NOW + 10, 10, &on), 10);
	r = show(f, id, NOW);
	assert_int_equal(r.revoked, 9);
	assert_int_equal(r.already, 1);
	assert_int_equal(r.waiting, MANY - 10);
	assert_int_equal(r.unknown, 9);
	assert_int_equal(batch(f, NOW + 20, STORE_RECALL_MAX, &on), MANY - 10);
	r = show(f, id, NOW);
	assert_string_equal(r.state, "done");
	assert_int_equal(r.revoked, MANY - 1);
	assert_int_equal(r.ended_at, NOW + 20);
	assert_int_equal(change(f, &bob, id, "running"), ERR_UNCHANGED);
	assert_int_equal(change(f, &bob, id, "cancelled"), ERR_CONFLICT);
	assert_int_equal(store_recall_running(f->st, &r), ERR_NOT_FOUND);
	assert_int_equal(store_revocation(f->st, "PG-101", &again), 0);
	assert_int_equal(again.id, first.id);
	assert_int_equal(store_device_show(f->st, "PG-100", NOW, &d), 0);
	assert_string_equal(d.state, "revoked");
	assert_string_equal(d.state_by, "alice");
	assert_string_equal(d.state_reason, "recall 1: maker recall 26-117");
	assert_int_equal(sql_number(f->registry, "SELECT count(*) FROM revocations"), MANY);
	assert_int_equal(sql_number(f->registry, "SELECT count(*) FROM orders"), MANY - 1);
	assert_int_equal(
		sql_number(f->registry, "SELECT count(*) FROM audit WHERE action = 'pump.revoke'"),
		MANY);
	assert_int_equal(store_audit_verify(f->st, &check), 0);
	assert_true(check.intact);
}

static void paused_and_cancelled_recalls_revoke_nobody(void **state)
{
	const struct person alice = person(1001, "alice", NOW), bob = person(1002, "bob", NOW);
	const struct person much_later = person(1002, "bob", NOW + RECALL_STALE_MS + 1);
	const struct recall_item pg = {.device = "PG-124"};
	struct fixture *f = *state;
	struct recall r, stale;
	uint64_t id;

	many_pumps_add(f);
	id = draft_make(f, &alice, 100, MANY);
	assert_int_equal(change(f, &alice, id, "running"), ERR_CONFLICT); /* no way round */
	assert_int_equal(request(f, &alice, id, MANY, false), 0);
	assert_int_equal(change(f, &alice, id, "running"), ERR_CONFLICT);
	assert_int_equal(change(f, &alice, id, "done"), ERR_INVALID);
	assert_int_equal(confirm(f, &bob, id, MANY), 0);
	assert_int_equal(batch(f, NOW, 5, NULL), 5);
	assert_int_equal(store_recall_running(f->st, &stale), 0);
	assert_int_equal(change(f, &alice, id, "paused"), 0);
	assert_int_equal(change(f, &alice, id, "paused"), ERR_UNCHANGED);
	assert_int_equal(store_recall_running(f->st, &r), ERR_NOT_FOUND);
	/* a batch that was prepared before */
	assert_int_equal(store_recall_carry_out(f->st, NOW, &stale, &pg, 1), ERR_UNCHANGED);
	assert_int_equal(change(f, &much_later, id, "running"), ERR_EXPIRED);
	assert_int_equal(change(f, &bob, id, "running"), 0);
	assert_int_equal(batch(f, NOW, 5, NULL), 5);
	assert_int_equal(change(f, &bob, id, "cancelled"), 0);
	assert_int_equal(change(f, &bob, id, "running"), ERR_CONFLICT);
	assert_int_equal(store_recall_carry_out(f->st, NOW, &stale, &pg, 1), ERR_UNCHANGED);
	r = show(f, id, NOW);
	assert_int_equal(r.revoked, 10);
	assert_int_equal(r.waiting, MANY - 10);
	assert_int_equal(sql_number(f->registry, "SELECT count(*) FROM revocations"), 10);
}

static void report_counts_what_each_nas_has_confirmed(void **state)
{
	const struct person alice = person(1001, "alice", NOW);
	const struct foothold on[] = {{.nas = "ap-1", .session_id = "S"},
				      {.nas = "old-switch", .session_id = "S"}};
	struct recall_item items[] = {{"PG-1", on, 2}, {"PG-2", on, 1}};
	struct recall_nas_query q = {0};
	struct dispatch_order taken[4];
	struct dispatch_result results[2] = {{.result = "ack", .rtt_us = 7000},
					     {.result = "silent"}};
	struct fixture *f = *state;
	struct recall_nas nas[4];
	struct recall r;
	int64_t due;
	size_t n;

	enroll(f->st, "PG-1", 1, 1);
	q.id = draft_make(f, &alice, 1, 2);
	assert_int_equal(request(f, &alice, q.id, 2, false), 0);
	assert_int_equal(store_recall_running(f->st, &r), 0);
	assert_int_equal(store_recall_carry_out(f->st, NOW, &r, items, 2), 0);
	assert_int_equal(store_orders_take(f->st, NOW, false, taken, 4, &n, &due), 0);
	assert_int_equal(n, 2);
	results[0].id = taken[0].id;
	results[1].id = taken[1].id;
	assert_int_equal(store_orders_result(f->st, &admin_now, results, 2), 0);
	r = show(f, q.id, NOW);
	assert_int_equal(r.orders, 3);
	assert_int_equal(r.acked, 1);
	assert_int_equal(r.silent, 1);
	assert_int_equal(r.unsendable, 1);
	assert_int_equal(r.unkept, 1);
	assert_int_equal(store_recall_nas(f->st, &q, nas, 4, &n), 0);
	assert_int_equal(n, 2);
	assert_string_equal(nas[0].nas, "ap-1");
	assert_int_equal(nas[0].acked, 1);
	assert_int_equal(nas[0].silent, 1);
	assert_int_equal(nas[0].slowest_ms, 7);
	assert_int_equal(nas[1].unsendable, 1);
}

static void recall_in_a_restored_copy_waits_for_people(void **state)
{
	const struct person alice = person(1001, "alice", NOW);
	struct fixture *f = *state;
	uint64_t id = draft_make(f, &alice, 1, 2);

	assert_int_equal(request(f, &alice, id, 2, false), 0);
	assert_int_equal(store_mark_copy(f->st, &admin_now, "backup.restore", ""), 0);
	assert_string_equal(show(f, id, NOW).state, "paused");
}

static void drafts_that_were_left_behind_are_removed(void **state)
{
	const struct person alice = person(1001, "alice", NOW);
	const struct person later = person(1001, "alice", NOW + 2 * 3600000);
	struct fixture *f = *state;

	draft_make(f, &alice, 1, 2);
	draft_make(f, &later, 2, 1);
	assert_int_equal(sql_number(f->registry, "SELECT count(*) FROM recalls"), 1);
	assert_int_equal(sql_number(f->registry, "SELECT count(*) FROM recall_pumps"), 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define WITH(t) cmocka_unit_test_setup_teardown(t, fixture_setup, fixture_teardown)
		WITH(draft_needs_a_reason_and_pumps_of_the_inventory),
		WITH(draft_is_nobody_elses),
		WITH(requester_can_not_confirm_a_large_recall),
		WITH(request_lapses_after_a_day),
		WITH(small_recalls_do_not_add_up_to_a_large_one),
		WITH(rule_that_is_off_needs_nobody_and_is_on_record),
		WITH(each_pump_is_revoked_once_with_its_order_and_its_audit_row),
		WITH(paused_and_cancelled_recalls_revoke_nobody),
		WITH(report_counts_what_each_nas_has_confirmed),
		WITH(recall_in_a_restored_copy_waits_for_people),
		WITH(drafts_that_were_left_behind_are_removed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
