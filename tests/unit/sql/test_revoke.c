/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/unit/sql/fixture.h"

#include <string.h>

static const struct revoke stolen = {.device = "PG-1", .reason = "stolen"};
static const struct foothold live = {"ap-1", "S1", "02-00-00-00-00-01", 0};
static const struct foothold recent = {"ap-2", "", "02-00-00-00-00-01", 0};
static const struct foothold deaf = {"old-switch", "S9", "02-00-00-00-00-01", 0};

static void unknown_pump_and_control_characters_are_refused(void **state)
{
	struct revoke rq = {.device = "PG-404", .reason = "x"};
	struct fixture *f = *state;
	struct revocation r;

	assert_int_equal(store_revoke(f->st, &admin_now, &rq, NOW, NULL, 0, &r), ERR_NOT_FOUND);
	strcpy(rq.device, "PG-1");
	strcpy(rq.reason, "line\nforged");
	assert_int_equal(store_revoke(f->st, &admin_now, &rq, NOW, NULL, 0, &r), ERR_INVALID);
	assert_int_equal(store_revocation(f->st, "PG-1", &r), ERR_NOT_FOUND);
}

static void revocation_takes_everything_out_of_force_in_one_transaction(void **state)
{
	const struct foothold holds[] = {live, recent, deaf};
	struct order_status orders[8];
	struct fixture *f = *state;
	struct audit_check check;
	struct pump_facts facts;
	struct revocation r;
	struct token token;
	struct device d;
	size_t n;

	enroll(f->st, "PG-1", 1, 1);
	token_make_for(f->st, "PG-1", &token);
	assert_int_equal(store_revoke(f->st, &admin_now, &stolen, NOW - 5, holds, 3, &r), 0);
	assert_false(r.already);
	assert_int_equal(r.certificates, 1);
	assert_int_equal(r.orders, 3);
	assert_int_equal(r.sessions, 2);
	assert_int_equal(r.asked_at, NOW - 5);
	assert_string_equal(r.by, "root");
	assert_int_equal(store_pump_facts(f->st, ISSUER, "00000001", &facts), 0);
	assert_string_equal(facts.device_state, "revoked");
	assert_string_equal(facts.cert_state, "revoked");
	assert_int_equal(store_device_show(f->st, "PG-1", NOW, &d), 0);
	assert_string_equal(d.state_reason, "stolen");
	assert_int_equal(d.token_until, 0);
	assert_int_equal(d.open_orders, 2);
	assert_int_equal(d.untold_nas, 1);
	assert_int_equal(store_device_show(f->st, "PG-1", NOW + 8 * 86400000LL, &d), 0);
	assert_int_equal(d.untold_nas, 0);
	assert_int_equal(store_order_list(f->st, r.id, orders, 8, &n), 0);
	assert_int_equal(n, 3);
	assert_string_equal(orders[0].cause, "session");
	assert_string_equal(orders[0].state, "waiting");
	assert_string_equal(orders[1].cause, "recent");
	assert_string_equal(orders[2].state, "unsendable");
	assert_int_equal(store_audit_verify(f->st, &check), 0);
	assert_true(check.intact);
}

static void second_revocation_gives_the_first_receipt(void **state)
{
	struct fixture *f = *state;
	struct revocation first, again;

	assert_int_equal(store_revoke(f->st, &admin_now, &stolen, NOW, &live, 1, &first), 0);
	assert_int_equal(store_revoke(f->st, &admin_now, &stolen, NOW, &live, 1, &again), 0);
	assert_true(again.already);
	assert_int_equal(again.id, first.id);
	assert_int_equal(again.orders, 1);
}

static void return_is_noted_once_and_only_after_the_revocation(void **state)
{
	struct fixture *f = *state;
	struct event_standing standing;
	struct revocation r;

	assert_int_equal(store_return_noted(f->st, "PG-1", NOW), ERR_UNCHANGED);
	assert_int_equal(store_revoke(f->st, &admin_now, &stolen, NOW, NULL, 0, &r), 0);
	assert_int_equal(store_event_standing(f->st, "PG-1", "", "", &standing), 0);
	assert_true(standing.revoked && standing.return_unnoted);
	assert_int_equal(store_return_noted(f->st, "PG-1", NOW - 1), ERR_UNCHANGED);
	assert_int_equal(store_return_noted(f->st, "PG-1", NOW + 50), 0);
	assert_int_equal(store_return_noted(f->st, "PG-1", NOW + 90), ERR_UNCHANGED);
	assert_int_equal(store_revocation(f->st, "PG-1", &r), 0);
	assert_int_equal(r.return_refused_at, NOW + 50);
	assert_int_equal(store_event_standing(f->st, "PG-1", "", "", &standing), 0);
	assert_false(standing.return_unnoted);
}

static void late_order_needs_a_revoked_pump(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(store_order_late(f->st, &admin_now, "PG-1", &live, false), ERR_CONFLICT);
	assert_int_equal(store_order_late(f->st, &admin_now, "PG-404", &live, false), ERR_CONFLICT);
}

static void late_order_is_added_unless_one_will_still_be_sent(void **state)
{
	struct dispatch_result ack = {.result = "ack"};
	struct dispatch_order taken[4];
	struct fixture *f = *state;
	struct revocation r;
	int64_t due;
	size_t n;

	assert_int_equal(store_revoke(f->st, &admin_now, &stolen, NOW, &live, 1, &r), 0);
	assert_int_equal(store_order_late(f->st, &admin_now, "PG-1", &live, false), ERR_UNCHANGED);
	assert_int_equal(store_orders_take(f->st, NOW, false, taken, 4, &n, &due), 0);
	assert_int_equal(n, 1);
	/* on its way: it may reach the NAS before the Accept does */
	assert_int_equal(store_order_late(f->st, &admin_now, "PG-1", &live, true), ERR_UNCHANGED);
	assert_int_equal(store_order_late(f->st, &admin_now, "PG-1", &live, false), 0);
	assert_int_equal(store_orders_take(f->st, NOW, false, taken + 1, 3, &n, &due), 0);
	assert_int_equal(n, 1);
	ack.id = taken[0].id;
	assert_int_equal(store_orders_result(f->st, &admin_now, &ack, 1), 0);
	ack.id = taken[1].id;
	assert_int_equal(store_orders_result(f->st, &admin_now, &ack, 1), 0);
	/* an interim record that crossed the Disconnect is no new session; a start is */
	assert_int_equal(store_order_late(f->st, &admin_now, "PG-1", &live, true), ERR_UNCHANGED);
	assert_int_equal(store_order_late(f->st, &admin_now, "PG-1", &live, false), 0);
	struct action later = admin_at(NOW + 60000);
	assert_int_equal(store_orders_take(f->st, NOW, false, taken, 4, &n, &due), 0);
	ack.id = taken[0].id;
	assert_int_equal(store_orders_result(f->st, &admin_now, &ack, 1), 0);
	assert_int_equal(store_order_late(f->st, &later, "PG-1", &live, true), 0);
	assert_int_equal(store_revocation(f->st, "PG-1", &r), 0);
	assert_int_equal(r.orders, 4);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define WITH(t) cmocka_unit_test_setup_teardown(t, fixture_setup, fixture_teardown)
		WITH(unknown_pump_and_control_characters_are_refused),
		WITH(revocation_takes_everything_out_of_force_in_one_transaction),
		WITH(second_revocation_gives_the_first_receipt),
		WITH(return_is_noted_once_and_only_after_the_revocation),
		WITH(late_order_needs_a_revoked_pump),
		WITH(late_order_is_added_unless_one_will_still_be_sent),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
