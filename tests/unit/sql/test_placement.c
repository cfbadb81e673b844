/* SPDX-License-Identifier: BSD-2-Clause */
/* Quarantine, park, release: one transaction, one receipt, and never a way around a revocation. */
#include "tests/unit/sql/fixture.h"

#include <stdio.h>
#include <string.h>

#include "sql/store/migrate.h"

static const struct foothold live = {"ap-1", "S1", "02-00-00-00-00-01", NOW};
static struct zone quarantine = {.name = "quarantine", .vlan = 666, .purpose = "quarantine"};
static struct zone parking = {.name = "lot", .vlan = 667, .purpose = "parking", .session_s = 600};

static int change(struct fixture *f, const char *action, struct revocation *out)
{
	struct standing_change rq = {.device = "PG-1", .reason = "scans"};

	strcpy(rq.action, action);
	return store_standing_change(f->st, &admin_now, &rq, NOW - 3, &live, 1, out);
}

static void zones_add(struct fixture *f)
{
	assert_int_equal(store_zone_add(f->st, &admin_now, &quarantine), 0);
	assert_int_equal(store_zone_add(f->st, &admin_now, &parking), 0);
}

static void state_is(struct fixture *f, const char *state, const char *zone, uint32_t vlan)
{
	struct pump_facts facts;

	assert_int_equal(store_pump_facts(f->st, ISSUER, "00000001", &facts), 0);
	assert_string_equal(facts.device_state, state);
	assert_string_equal(facts.zone, zone);
	assert_int_equal(facts.vlan, vlan);
}

static void what_is_no_change_or_has_no_zone_is_refused(void **state)
{
	struct fixture *f = *state;
	struct revocation r;
	struct zone second = quarantine;

	enroll(f->st, "PG-1", 1, 1);
	assert_int_equal(change(f, "revoke", &r), ERR_INVALID);
	assert_int_equal(change(f, "", &r), ERR_INVALID);
	assert_int_equal(change(f, "quarantine", &r), ERR_CONFLICT); /* no such zone */
	assert_non_null(strstr(err_text(), "--quarantine"));
	assert_int_equal(change(f, "park", &r), ERR_CONFLICT);
	assert_int_equal(change(f, "release", &r), ERR_UNCHANGED);
	state_is(f, "enrolled", "wards", 120);
	zones_add(f);
	strcpy(second.name, "another");
	assert_int_equal(store_zone_add(f->st, &admin_now, &second), ERR_EXISTS);
	assert_int_equal(
		store_standing_change(f->st, &admin_now,
				      &(struct standing_change){.device = "PG-2", .action = "park"},
				      NOW, NULL, 0, &r),
		ERR_CONFLICT); /* has no certificate */
}

static void quarantine_changes_the_place_and_nothing_else(void **state)
{
	struct fixture *f = *state;
	struct order_status orders[4];
	struct audit_check check;
	struct mac_facts mac;
	struct revocation r;
	struct status st = {0};
	struct cert cert;
	struct device d;
	size_t n;

	enroll(f->st, "PG-1", 1, 1);
	zones_add(f);
	assert_int_equal(change(f, "quarantine", &r), 0);
	assert_false(r.already);
	assert_string_equal(r.action, "quarantine");
	assert_int_equal(r.asked_at, NOW - 3);
	assert_int_equal(r.orders, 1);
	state_is(f, "quarantined", "quarantine", 666);
	assert_int_equal(store_order_list(f->st, r.id, orders, 4, &n), 0);
	assert_int_equal(n, 1);
	assert_string_equal(orders[0].state, "waiting");
	assert_int_equal(
		store_cert_show(f->st, &(struct cert_name){.cert_serial = "00000001"}, &cert), 0);
	assert_string_equal(cert.state, "valid");
	assert_int_equal(store_device_show(f->st, "PG-1", NOW, &d), 0);
	assert_string_equal(d.state, "quarantined");
	assert_string_equal(d.state_reason, "scans");
	assert_string_equal(d.zone, "wards"); /* where it belongs */
	assert_int_equal(store_mac_facts(f->st, d.mac, &mac), 0);
	assert_string_equal(mac.device_state, "quarantined");
	assert_int_equal(store_device_list(f->st, &(struct list_query){.state = "quarantined"}, NOW,
					   &d, 1, &n),
			 0);
	assert_int_equal(n, 1);
	assert_int_equal(
		store_device_list(f->st, &(struct list_query){.state = "enrolled"}, NOW, &d, 1, &n),
		0);
	assert_int_equal(n, 0);
	assert_int_equal(store_status(f->st, NOW, &st), 0);
	assert_int_equal(st.quarantined, 1);
	assert_int_equal(st.enrolled + st.revoked + st.parked, 0);
	assert_int_equal(store_audit_verify(f->st, &check), 0);
	assert_true(check.intact);
}

static void the_same_again_gives_the_first_receipt(void **state)
{
	struct fixture *f = *state;
	struct revocation first, again;

	enroll(f->st, "PG-1", 1, 1);
	zones_add(f);
	assert_int_equal(change(f, "quarantine", &first), 0);
	assert_int_equal(change(f, "quarantine", &again), 0);
	assert_true(again.already);
	assert_int_equal(again.id, first.id);
	assert_int_equal(again.orders, 1);
	assert_int_equal(change(f, "park", &again), 0);
	assert_false(again.already);
	state_is(f, "parked", "lot", 667);
	assert_int_equal(change(f, "release", &again), 0);
	assert_false(again.already);
	assert_int_equal(again.orders, 1); /* back by a disconnect too */
	state_is(f, "enrolled", "wards", 120);
	assert_int_equal(change(f, "release", &first), 0);
	assert_true(first.already);
	assert_int_equal(first.id, again.id);
}

static void revocation_ends_a_quarantine_and_no_release_ends_a_revocation(void **state)
{
	const struct revoke stolen = {.device = "PG-1", .reason = "stolen"};
	struct fixture *f = *state;
	struct revocation r;

	enroll(f->st, "PG-1", 1, 1);
	zones_add(f);
	assert_int_equal(change(f, "quarantine", &r), 0);
	assert_int_equal(store_revoke(f->st, &admin_now, &stolen, NOW, &live, 1, &r), 0);
	assert_false(r.already);
	assert_string_equal(r.action, "revoke");
	state_is(f, "revoked", "wards", 120);
	assert_int_equal(change(f, "release", &r), ERR_CONFLICT);
	assert_non_null(strstr(err_text(), "for good"));
	assert_int_equal(change(f, "quarantine", &r), ERR_CONFLICT);
	assert_int_equal(change(f, "park", &r), ERR_CONFLICT);
	state_is(f, "revoked", "wards", 120);
}

static void renewing_and_enrolling_anew_keep_the_quarantine(void **state)
{
	struct issue_begin rq = {.method = "renewal",
				 .prior_issuer = ISSUER,
				 .prior_serial = "00000001",
				 .issuer = ISSUER,
				 .cert_serial = "00000002",
				 .key_type = "p256",
				 .spki_sha256 = {.len = 32}};
	struct fixture *f = *state;
	struct issue_grant grant;
	struct issue_store done = store_request("00000002", "der-2");
	struct revocation r;
	struct pump_facts facts;

	enroll(f->st, "PG-1", 1, 1);
	zones_add(f);
	assert_int_equal(change(f, "quarantine", &r), 0);
	memset(rq.spki_sha256.data, 2, 32);
	assert_int_equal(store_issue_begin(f->st, &admin_now, &rq, &grant), 0);
	assert_int_equal(store_issue_store(f->st, &admin_now, &done), 0);
	enroll(f->st, "PG-1", 3, 3);
	for (int i = 1; i <= 3; i++) {
		char serial[9];

		snprintf(serial, sizeof(serial), "%08x", i);
		assert_int_equal(store_pump_facts(f->st, ISSUER, serial, &facts), 0);
		assert_string_equal(facts.device_state, "quarantined");
		assert_int_equal(facts.vlan, 666);
	}
}

static void return_into_the_new_zone_is_noted_once(void **state)
{
	struct fixture *f = *state;
	struct event_standing standing;
	struct revocation r;

	enroll(f->st, "PG-1", 1, 1);
	zones_add(f);
	assert_int_equal(change(f, "quarantine", &r), 0);
	assert_int_equal(store_event_standing(f->st, "PG-1", "", "", &standing), 0);
	assert_string_equal(standing.state, "quarantined");
	assert_true(standing.return_unnoted && !standing.revoked);
	assert_int_equal(store_return_noted(f->st, "PG-1", NOW + 9), 0);
	assert_int_equal(store_revocation(f->st, "PG-1", &r), 0);
	assert_int_equal(r.returned_at, NOW + 9);
	assert_int_equal(r.return_refused_at, 0);
	assert_int_equal(store_return_noted(f->st, "PG-1", NOW + 10), ERR_UNCHANGED);
	/* a session against it is ended too */
	assert_int_equal(
		store_order_late(f->st, &admin_now, "PG-1",
				 &(struct foothold){"ap-2", "S9", "02-00-00-00-00-01", NOW}, false),
		0);
}

static void a_pump_that_a_restored_registry_holds_back_is_that_first(void **state)
{
	struct fixture *f = *state;
	struct event_standing standing;
	struct revocation r;
	struct status st = {0};
	struct device d;

	enroll(f->st, "PG-1", 1, 1);
	zones_add(f);
	assert_int_equal(change(f, "quarantine", &r), 0);
	sql_run(f->registry, "UPDATE devices SET held_at = 7 WHERE serial = 'PG-1'");
	state_is(f, "held", "quarantine", 666);
	assert_int_equal(store_device_show(f->st, "PG-1", NOW, &d), 0);
	assert_string_equal(d.state, "held");
	assert_int_equal(store_status(f->st, NOW, &st), 0);
	assert_int_equal(st.held, 1);
	/* its refusal is not what the quarantine wanted to see */
	assert_int_equal(store_event_standing(f->st, "PG-1", "", "", &standing), 0);
	assert_string_equal(standing.state, "quarantined");
	assert_int_equal(change(f, "release", &r), 0);
	state_is(f, "held", "wards", 120);
}

static void the_zone_that_is_due_follows_the_standing(void **state)
{
	struct fixture *f = *state;
	struct revocation r, since[4];
	struct zone_due due;
	size_t n;

	enroll(f->st, "PG-1", 1, 1);
	zones_add(f);
	assert_int_equal(store_zone_due(f->st, "PG-9", &due), ERR_NOT_FOUND);
	assert_int_equal(store_zone_due(f->st, "PG-1", &due), 0);
	assert_string_equal(due.zone, "wards");
	assert_int_equal(store_standing_changes_since(f->st, 0, 0, since, 4, &n), 0);
	assert_int_equal(n, 0);
	assert_int_equal(change(f, "quarantine", &r), 0);
	assert_int_equal(change(f, "park", &r), 0);
	assert_int_equal(store_zone_due(f->st, "PG-1", &due), 0);
	assert_string_equal(due.zone, "lot");
	/* the latest of each pump, once */
	assert_int_equal(store_standing_changes_since(f->st, NOW, 0, since, 4, &n), 0);
	assert_int_equal(n, 1);
	assert_int_equal(since[0].id, r.id);
	assert_int_equal(store_standing_changes_since(f->st, NOW + 1, 0, since, 4, &n), 0);
	assert_int_equal(n, 0);
	sql_run(f->registry, "DELETE FROM zones WHERE purpose = 'parking'");
	assert_int_equal(store_zone_due(f->st, "PG-1", &due), 0);
	assert_string_equal(due.zone, "");
}

static void a_zone_that_is_gone_leaves_no_place(void **state)
{
	struct fixture *f = *state;
	struct revocation r;

	enroll(f->st, "PG-1", 1, 1);
	zones_add(f);
	assert_int_equal(change(f, "quarantine", &r), 0);
	sql_run(f->registry, "DELETE FROM zones WHERE purpose = 'quarantine'");
	state_is(f, "quarantined", "", 0);
}

static void a_registry_of_the_first_version_keeps_its_onboarding_zone_and_pumps(void **state)
{
	static const struct schema *const now = &schema_registry;
	struct schema first = *now;
	struct fixture *f = *state;
	struct store *st = NULL;
	struct revocation r;
	struct mac_facts mac;
	unsigned from, to;

	first.version = 1;
	{
		AUTO_DB db = NULL;

		assert_int_equal(db_open(f->registry, DB_CREATE, DB_SYNC_FULL, &db), 0);
		assert_int_equal(schema_upgrade(db, &first, &from), 0);
		assert_int_equal(
			db_script(
				db,
				"INSERT INTO zones VALUES (1, 'wards', 120, '', 0, 0, 1),"
				" (2, 'first', 99, '', 0, 1, 1);"
				"INSERT INTO devices VALUES (1, 'PG-1', 'A', 'B',"
				" '02:00:00:00:00:01', '', 1, 'revoked', 1, 'root', 'old', 1, 0);"
				"INSERT INTO revocations VALUES (1, 1, 5, 6, 0, 'root', 'old', 0);"
				"INSERT INTO orders (id, revocation_id, device_id, nas, session_id,"
				" calling_station, cause, state, attempts, last_result,"
				" error_cause, rtt_us, detail, created_at, changed_at, done_at,"
				" next_at) VALUES (1, 1, 1, 'x', '', '', 'recent', 'waiting', 0,"
				" '', 0, 0, '', 1, 1, 0, 1);"),
			0);
	}
	assert_int_equal(store_upgrade(f->registry, &from, &to), 0);
	assert_int_equal(from, 1);
	assert_int_equal(store_open(f->registry, STORE_WRITE, &st), 0);
	assert_int_equal(store_mac_facts(st, "02:00:00:00:00:01", &mac), 0);
	assert_string_equal(mac.zone, "first");
	assert_string_equal(mac.device_state, "revoked");
	assert_int_equal(store_revocation(st, "PG-1", &r), 0);
	assert_string_equal(r.action, "revoke");
	assert_int_equal(r.orders, 1);
	store_close(st);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define WITH(t) cmocka_unit_test_setup_teardown(t, fixture_setup, fixture_teardown)
		WITH(what_is_no_change_or_has_no_zone_is_refused),
		WITH(quarantine_changes_the_place_and_nothing_else),
		WITH(the_same_again_gives_the_first_receipt),
		WITH(revocation_ends_a_quarantine_and_no_release_ends_a_revocation),
		WITH(renewing_and_enrolling_anew_keep_the_quarantine),
		WITH(return_into_the_new_zone_is_noted_once),
		WITH(a_pump_that_a_restored_registry_holds_back_is_that_first),
		WITH(the_zone_that_is_due_follows_the_standing),
		WITH(a_zone_that_is_gone_leaves_no_place),
		cmocka_unit_test_setup_teardown(
			a_registry_of_the_first_version_keeps_its_onboarding_zone_and_pumps,
			fixture_setup_bare, fixture_teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
