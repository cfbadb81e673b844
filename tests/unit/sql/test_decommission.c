/* SPDX-License-Identifier: BSD-2-Clause */
/* Orders to wipe and statements: one transaction each, and no way back for a pump without one. */
#include "tests/unit/sql/fixture.h"

#include <stdio.h>
#include <string.h>

#include "sql/store/decommission.h"

static const struct foothold live = {"ap-1", "S1", "02-00-00-00-00-01", NOW};

static int order(struct fixture *f, const char *device, bool *moved)
{
	struct standing_change rq = {.action = "decommission", .reason = "sold"};

	snprintf(rq.device, sizeof(rq.device), "%s", device);
	return store_decommission(f->st, &admin_now, &rq, NOW, &live, 1, moved);
}

static void quarantine_zone_add(struct fixture *f)
{
	static const struct zone zone = {.name = "apart", .vlan = 666, .purpose = "quarantine"};

	assert_int_equal(store_zone_add(f->st, &admin_now, &zone), 0);
}

static struct wiped statement(struct fixture *f, const char *device, const char *cert_serial)
{
	struct wiped w = {.issuer = ISSUER};
	struct decommission d;

	assert_int_equal(store_decommission_show(f->st, "PG-1", &d), 0);
	snprintf(w.device, sizeof(w.device), "%s", device);
	snprintf(w.cert_serial, sizeof(w.cert_serial), "%s", cert_serial);
	memcpy(w.wipe_order, d.wipe_order, sizeof(w.wipe_order));
	memcpy(w.statement.data, "said", 4);
	w.statement.len = 4;
	memcpy(w.signature.data, "signed", 6);
	w.signature.len = 6;
	return w;
}

static void pump_that_was_never_enrolled_or_has_nowhere_to_wait_is_refused(void **state)
{
	struct fixture *f = *state;
	struct decommission d;
	bool moved;

	assert_int_equal(order(f, "PG-NONE", &moved), ERR_NOT_FOUND);
	assert_int_equal(order(f, "PG-1", &moved), ERR_CONFLICT);
	enroll(f->st, "PG-1", 1, 1);
	assert_int_equal(order(f, "PG-1", &moved), ERR_CONFLICT);
	assert_non_null(strstr(err_text(), "--quarantine"));
	assert_int_equal(store_decommission_show(f->st, "PG-1", &d), ERR_NOT_FOUND);
}

static void order_moves_the_pump_once_and_stays_the_same(void **state)
{
	struct fixture *f = *state;
	struct decommission first, again;
	struct device d;
	bool moved;

	enroll(f->st, "PG-1", 1, 1);
	quarantine_zone_add(f);
	assert_int_equal(order(f, "PG-1", &moved), 0);
	assert_true(moved);
	assert_int_equal(store_decommission_show(f->st, "PG-1", &first), 0);
	assert_string_equal(first.state, "ordered");
	assert_int_equal(strlen(first.wipe_order), 32);
	assert_int_equal(order(f, "PG-1", &moved), 0);
	assert_false(moved);
	assert_int_equal(store_decommission_show(f->st, "PG-1", &again), 0);
	assert_string_equal(first.wipe_order, again.wipe_order);
	assert_int_equal(store_device_show(f->st, "PG-1", NOW, &d), 0);
	assert_string_equal(d.state, "quarantined");
	assert_int_equal(d.open_orders, 1);
}

static void release_takes_the_order_back(void **state)
{
	struct fixture *f = *state;
	struct standing_change back = {.device = "PG-1", .action = "release"};
	struct revocation r;
	struct wiped w;
	struct wipe_order told[4];
	struct list_query q = {0};
	size_t n = 9;
	bool moved;

	enroll(f->st, "PG-1", 1, 1);
	quarantine_zone_add(f);
	assert_int_equal(order(f, "PG-1", &moved), 0);
	w = statement(f, "PG-1", "00000001");
	assert_int_equal(store_standing_change(f->st, &admin_now, &back, NOW, NULL, 0, &r), 0);
	assert_int_equal(store_wipe_orders(f->st, &q, NOW, told, 4, &n), 0);
	assert_int_equal(n, 0);
	assert_int_equal(store_wiped(f->st, &admin_now, &w, NULL, 0), ERR_DENIED);
}

static void statement_for_another_pump_certificate_or_order_is_refused(void **state)
{
	struct fixture *f = *state;
	struct wiped w;
	struct device d;
	bool moved;

	enroll(f->st, "PG-1", 1, 1);
	enroll(f->st, "PG-2", 2, 2);
	quarantine_zone_add(f);
	assert_int_equal(order(f, "PG-1", &moved), 0);
	w = statement(f, "PG-1", "00000002"); /* the key of PG-2 */
	assert_int_equal(store_wiped(f->st, &admin_now, &w, NULL, 0), ERR_DENIED);
	w = statement(f, "PG-2", "00000002"); /* the order of PG-1 */
	assert_int_equal(store_wiped(f->st, &admin_now, &w, NULL, 0), ERR_DENIED);
	w = statement(f, "PG-1", "00000001");
	w.wipe_order[0] = w.wipe_order[0] == 'a' ? 'b' : 'a';
	assert_int_equal(store_wiped(f->st, &admin_now, &w, NULL, 0), ERR_DENIED);
	assert_int_equal(store_device_show(f->st, "PG-1", NOW, &d), 0);
	assert_string_equal(d.state, "quarantined");
}

static void statement_is_kept_and_revokes_the_pump_once(void **state)
{
	struct fixture *f = *state;
	struct decommission kept;
	struct audit_check check;
	struct wipe_order told[4];
	struct list_query q = {0};
	struct device d;
	struct wiped w;
	size_t n;
	bool moved;

	enroll(f->st, "PG-1", 1, 1);
	quarantine_zone_add(f);
	assert_int_equal(order(f, "PG-1", &moved), 0);
	w = statement(f, "PG-1", "00000001");
	assert_int_equal(store_wiped(f->st, &admin_now, &w, &live, 1), 0);
	assert_int_equal(store_wiped(f->st, &admin_now, &w, &live, 1), ERR_UNCHANGED);
	assert_int_equal(store_decommission_show(f->st, "PG-1", &kept), 0);
	assert_string_equal(kept.state, "wiped");
	assert_int_equal(kept.received_at, NOW);
	assert_int_equal(kept.statement.len, 4);
	assert_memory_equal(kept.signature.data, "signed", 6);
	assert_int_equal(store_device_show(f->st, "PG-1", NOW, &d), 0);
	assert_string_equal(d.state, "revoked");
	assert_string_equal(d.cert_state, "revoked");
	assert_int_equal(order(f, "PG-1", &moved), ERR_UNCHANGED);
	/* the pump may not have heard that it came: for a month it may say so again */
	assert_int_equal(store_wipe_orders(f->st, &q, NOW, told, 4, &n), 0);
	assert_int_equal(n, 1);
	assert_string_equal(told[0].wipe_order, kept.wipe_order);
	assert_int_equal(store_wipe_orders(f->st, &q, NOW + STORE_WIPED_MS, told, 4, &n), 0);
	assert_int_equal(n, 0);
	assert_int_equal(store_audit_verify(f->st, &check), 0);
	assert_true(check.intact);
}

static void wiped_pump_keeps_its_port_until_it_has_its_answer(void **state)
{
	struct fixture *f = *state;
	struct dispatch_order taken[4];
	int64_t due = 0;
	struct wiped w;
	size_t n = 9;
	bool moved;

	enroll(f->st, "PG-1", 1, 1);
	quarantine_zone_add(f);
	assert_int_equal(order(f, "PG-1", &moved), 0);
	w = statement(f, "PG-1", "00000001");
	assert_int_equal(store_wiped(f->st, &admin_now, &w, &live, 1), 0);
	assert_int_equal(store_orders_take(f->st, NOW, false, taken, 4, &n, &due), 0);
	assert_int_equal(n, 0);
	assert_int_equal(due, NOW + 2000);
	assert_int_equal(store_orders_take(f->st, NOW + 2000, false, taken, 4, &n, &due), 0);
	assert_int_not_equal(n, 0);
}

static void revoked_pump_can_be_told_to_wipe_too(void **state)
{
	struct fixture *f = *state;
	struct revoke rq = {.device = "PG-1", .reason = "stolen"};
	struct revocation r;
	struct wiped w;
	bool moved;

	enroll(f->st, "PG-1", 1, 1);
	assert_int_equal(store_revoke(f->st, &admin_now, &rq, NOW, NULL, 0, &r), 0);
	assert_int_equal(order(f, "PG-1", &moved), 0); /* needs no quarantine zone */
	assert_false(moved);
	w = statement(f, "PG-1", "00000001");
	assert_int_equal(store_wiped(f->st, &admin_now, &w, NULL, 0), 0);
}

static int add_again(struct fixture *f, struct add_outcome *out)
{
	struct device again = {.serial = "PG-1",
			       .maker = "Acme",
			       .model = "Other",
			       .mac = "02:00:00:00:00:77",
			       .zone = "wards"};

	return store_device_add(f->st, &admin_now, &again, 1, out);
}

static void only_a_wiped_pump_may_come_back(void **state)
{
	struct fixture *f = *state;
	struct pump_facts facts;
	struct add_outcome out;
	struct wiped w;
	struct device d;
	bool moved;

	enroll(f->st, "PG-1", 1, 1);
	quarantine_zone_add(f);
	assert_int_equal(order(f, "PG-1", &moved), 0);
	assert_int_equal(add_again(f, &out), 0);
	assert_int_equal(out.code, (uint32_t)-ERR_EXISTS);
	w = statement(f, "PG-1", "00000001");
	assert_int_equal(store_wiped(f->st, &admin_now, &w, NULL, 0), 0);
	assert_int_equal(add_again(f, &out), 0);
	assert_int_equal(out.code, 0);
	assert_int_equal(store_device_show(f->st, "PG-1", NOW, &d), 0);
	assert_string_equal(d.state, "expected");
	assert_string_equal(d.model, "Other");
	/* what it had before stays out of force */
	assert_int_equal(store_pump_facts(f->st, ISSUER, "00000001", &facts), 0);
	assert_string_equal(facts.cert_state, "revoked");
	enroll(f->st, "PG-1", 9, 9);
	assert_int_equal(add_again(f, &out), 0);
	assert_int_equal(out.code, (uint32_t)-ERR_UNCHANGED);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(pump_that_was_never_enrolled_or_has_nowhere_to_wait_is_refused),
		TEST(statement_for_another_pump_certificate_or_order_is_refused),
		TEST(release_takes_the_order_back),
		TEST(order_moves_the_pump_once_and_stays_the_same),
		TEST(statement_is_kept_and_revokes_the_pump_once),
		TEST(wiped_pump_keeps_its_port_until_it_has_its_answer),
		TEST(revoked_pump_can_be_told_to_wipe_too),
		TEST(only_a_wiped_pump_may_come_back),
	};

	return cmocka_run_group_tests_name("sql/decommission", tests, NULL, NULL);
}
