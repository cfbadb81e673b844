/* SPDX-License-Identifier: BSD-2-Clause */
/* What the running service does about sessions of pumps that were revoked or quarantined. */
#include "tests/unit/sql/running.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "sql/store/migrate.h"

static void waiting_dispatcher_hears_of_a_revocation_at_once(void **state)
{
	struct running *r = *state;
	struct dispatch_order o[4];
	struct revocation receipt;
	int64_t before;
	pid_t child;
	int how;

	running_enroll_pg1(r, 1, 1);
	running_report(r, "accept", "ap-1", "S1", "00000001");
	running_account(r, "start", "ap-1", "S1");
	child = fork();
	if (child == 0) { /* another process asks while this one waits below */
		struct ipc_client *admin;
		struct revoke q = {.device = "PG-1", .reason = "stolen"};

		usleep(200000);
		_exit(ipc_client_new(r->socket, "admin", &admin) ||
		      registry_revoke(admin, &q, &receipt, WAIT_MS) || receipt.orders != 1);
	}
	before = clock_mono_us();
	assert_int_equal(running_take(r, true, 4000, o), 1);
	assert_true(clock_mono_us() - before < 2000000);
	assert_string_equal(o[0].session_id, "S1");
	assert_string_equal(o[0].calling_station, "02-00-00-00-00-01");
	waitpid(child, &how, 0);
	assert_int_equal(how, 0);
	running_answer(r, o[0].id, "ack");
	assert_int_equal(running_take(r, false, 0, o), 0);
}

static void take_without_orders_ends_empty_after_its_time(void **state)
{
	struct running *r = *state;
	struct dispatch_order o[4];
	int64_t before = clock_mono_us();

	assert_int_equal(running_take(r, true, 150, o), 0);
	assert_true(clock_mono_us() - before >= 150000);
}

static void accept_that_crosses_the_revocation_gets_its_own_order(void **state)
{
	struct running *r = *state;
	struct dispatch_order o[4];
	struct revocation receipt;

	running_enroll_pg1(r, 1, 1);
	running_revoke_pg1(r, &receipt);
	assert_int_equal(receipt.orders, 0);
	assert_int_equal(receipt.certificates, 1);
	running_report(r, "accept", "ap-2", "S9", "00000001"); /* decided before the commit */
	assert_int_equal(running_take(r, true, 3000, o), 1);
	assert_string_equal(o[0].nas, "ap-2");
	assert_string_equal(o[0].session_id, "S9");
	running_answer(r, o[0].id, "ack");
	running_account(r, "start", "ap-2", "S9"); /* it came up all the same */
	assert_int_equal(running_take(r, false, 3000, o), 1);
}

static void pump_that_gets_on_against_its_quarantine_is_disconnected_and_no_other(void **state)
{
	struct standing_change change = {
		.device = "PG-1", .action = "quarantine", .reason = "scans"};
	struct zone jail = {.name = "jail", .vlan = 666, .purpose = "quarantine"};
	struct list_query q = {.device = "PG-1"};
	struct running *r = *state;
	struct revocation receipt;
	struct dispatch_order o[4];

	running_enroll_pg1(r, 1, 1);
	assert_int_equal(registry_zone_add(r->admin, &jail, WAIT_MS), 0);
	assert_int_equal(registry_standing_change(r->admin, &change, &receipt, WAIT_MS), 0);
	assert_int_equal(receipt.orders, 0);
	running_report(r, "quarantine", "ap-1", "S8", "00000001");
	for (int i = 0; i < 400 && !receipt.returned_at; i++) {
		usleep(5000);
		assert_int_equal(registry_revocation(r->admin, &q, &receipt, WAIT_MS), 0);
	}
	assert_true(receipt.returned_at);
	assert_int_equal(running_take(r, true, 0, o), 0);
	running_report(r, "accept", "ap-2", "S9", "00000001"); /* decided before the commit */
	assert_int_equal(running_take(r, false, 3000, o), 1);
	assert_string_equal(o[0].session_id, "S9");
	running_answer(r, o[0].id, "ack");
	strcpy(change.action, "release");
	assert_int_equal(registry_standing_change(r->admin, &change, &receipt, WAIT_MS), 0);
	assert_int_equal(receipt.sessions, 2); /* both live, as far as the registry knows */
	assert_int_equal(receipt.returned_at, 0);
}

/* Committed, and the process died before the registry heard of it; of today: what is old is pruned
 * at the start. */
static void session_is_inserted(struct running *r, const char *session, const char *zone)
{
	char path[128], sql[512];

	snprintf(path, sizeof(path), "%s/registry/sessions.db", r->f->dir);
	snprintf(
		sql, sizeof(sql),
		"INSERT INTO sessions (nas, session_id, device, cert_serial, mac, nas_port,"
		" calling_station, zone, vlan, state, accepted_at, started_at, updated_at,"
		" stopped_at, input_octets, output_octets, cause) VALUES ('ap-1', '%s', 'PG-1', '',"
		" '', '', '', '%s', 0, 'accepted', %lld, 0, %lld, 0, 0, 0, '')",
		session, zone, (long long)clock_wall_ms(), (long long)clock_wall_ms());
	sql_run(path, sql);
}

static void session_of_a_revoked_pump_is_found_again_after_a_crash(void **state)
{
	struct running *r = *state;
	struct dispatch_order o[4];
	struct revocation receipt;

	running_enroll_pg1(r, 1, 1);
	running_revoke_pg1(r, &receipt);
	running_end(r, SIGKILL);
	session_is_inserted(r, "S3", "");
	running_start(r);
	assert_int_equal(running_take(r, true, 3000, o), 1);
	assert_string_equal(o[0].session_id, "S3");
}

/* Committed beside the change of standing, by a NAS that names no session, and never followed up.
 */
static void accept_is_inserted_into(struct running *r, const char *nas, const char *zone)
{
	char path[128], sql[512];

	snprintf(path, sizeof(path), "%s/registry/sessions.db", r->f->dir);
	snprintf(
		sql, sizeof(sql),
		"INSERT INTO events (at, source, subject, what, reason, method, device, identity,"
		" issuer, cert_serial, mac, nas, nas_port, session_id, zone, vlan, took_us, detail)"
		" VALUES (%lld, 'auth', 'PG-1', 'accept', '', 'eap-tls', 'PG-1', 'PG-1', '',"
		" '00000001', '02:00:00:00:00:01', '%s', '', '', '%s', 0, 0, '')",
		(long long)clock_wall_ms(), nas, zone);
	sql_run(path, sql);
}

static void accept_is_inserted(struct running *r, const char *nas)
{
	accept_is_inserted_into(r, nas, "");
}

static void quarantine_pg1(struct running *r, struct revocation *out)
{
	const struct standing_change change = {
		.device = "PG-1", .action = "quarantine", .reason = "scans"};
	const struct zone jail = {.name = "jail", .vlan = 666, .purpose = "quarantine"};

	running_enroll_pg1(r, 1, 1);
	assert_int_equal(registry_zone_add(r->admin, &jail, WAIT_MS), 0);
	assert_int_equal(registry_standing_change(r->admin, &change, out, WAIT_MS), 0);
	assert_int_equal(out->orders, 0);
}

static void session_outside_its_quarantine_is_found_again_after_a_crash_and_no_other(void **state)
{
	struct running *r = *state;
	struct revocation receipt;
	struct dispatch_order o[4];

	quarantine_pg1(r, &receipt);
	running_end(r, SIGKILL);
	session_is_inserted(r, "S3", "wards");
	session_is_inserted(r, "S4", "jail");
	accept_is_inserted_into(r, "ap-2", "wards");
	accept_is_inserted_into(r, "ap-2", "jail"); /* it moved since */
	running_start(r);
	assert_int_equal(running_take(r, true, 3000, o), 1);
	assert_string_equal(o[0].session_id, "S3");
	assert_int_equal(running_take(r, false, 300, o), 0);
}

static void session_that_begins_outside_the_quarantine_is_ended_and_no_other(void **state)
{
	struct running *r = *state;
	struct revocation receipt;
	struct dispatch_order o[4];

	quarantine_pg1(r, &receipt);
	/* by the NAS's word before the event of its Accept, and named in accounting only */
	running_account(r, "start", "ap-1", "S5");
	running_report(r, "quarantine", "ap-1", "S5", "00000001");
	running_report(r, "quarantine", "ap-1", "", "00000001");
	running_account(r, "start", "ap-1", "S6");
	running_account(r, "start", "ap-2", "S7"); /* its Accept was never heard of */
	assert_int_equal(running_take(r, true, 4000, o), 1);
	assert_string_equal(o[0].session_id, "S7");
	assert_int_equal(running_take(r, false, 500, o), 0);
}

static void accept_into_its_old_zone_is_found_when_the_quarantine_is_asked_for_again(void **state)
{
	const struct standing_change again = {
		.device = "PG-1", .action = "quarantine", .reason = "again"};
	struct running *r = *state;
	struct revocation receipt;
	struct dispatch_order o[4];

	quarantine_pg1(r, &receipt);
	accept_is_inserted_into(r, "ap-1", "jail");
	accept_is_inserted_into(r, "ap-2", "wards");
	assert_int_equal(registry_standing_change(r->admin, &again, &receipt, WAIT_MS), 0);
	assert_true(receipt.already);
	assert_int_equal(receipt.orders, 1);
	assert_int_equal(running_take(r, true, 3000, o), 1);
	assert_string_equal(o[0].nas, "ap-2");
}

static void accept_without_a_session_is_found_when_the_revocation_is_asked_for_again(void **state)
{
	struct running *r = *state;
	struct dispatch_order o[4];
	struct revocation receipt;

	running_enroll_pg1(r, 1, 1);
	running_revoke_pg1(r, &receipt);
	assert_int_equal(receipt.orders, 0);
	accept_is_inserted(r, "ap-2");
	running_revoke_pg1(r, &receipt);
	assert_true(receipt.already);
	assert_int_equal(receipt.orders, 1);
	assert_int_equal(running_take(r, true, 3000, o), 1);
	assert_string_equal(o[0].nas, "ap-2");
	assert_string_equal(o[0].session_id, "");
	assert_string_equal(o[0].calling_station, "02-00-00-00-00-01");
	running_answer(r, o[0].id, "ack");
	running_revoke_pg1(r, &receipt); /* settled: no other one */
	assert_int_equal(receipt.orders, 1);
}

static void accept_without_a_session_is_found_again_after_a_crash(void **state)
{
	struct running *r = *state;
	struct dispatch_order o[4];
	struct revocation receipt;

	running_enroll_pg1(r, 1, 1);
	running_report(r, "accept", "ap-2", "",
		       "00000001"); /* an order for the same NAS, done before */
	usleep(200000);
	running_revoke_pg1(r, &receipt);
	assert_int_equal(running_take(r, true, 3000, o), 1);
	running_answer(r, o[0].id, "ack");
	usleep(2000); /* past the order's millisecond */
	accept_is_inserted(r, "ap-2");
	running_end(r, SIGKILL);
	running_start(r);
	assert_int_equal(running_take(r, true, 3000, o), 1);
	assert_string_equal(o[0].nas, "ap-2");
	assert_string_equal(o[0].session_id, "");
}

/* Its NAS said so, and reports no stop: every start would send it again. */
static void session_that_was_ended_is_not_ended_again_at_each_start(void **state)
{
	struct running *r = *state;
	struct dispatch_order o[4];
	struct revocation receipt;
	char path[128];

	running_enroll_pg1(r, 1, 1);
	running_report(r, "accept", "ap-1", "S1", "00000001");
	running_account(r, "start", "ap-1", "S1");
	usleep(200000); /* the events are held against the registry after they are answered */
	running_revoke_pg1(r, &receipt);
	assert_int_equal(running_take(r, true, 3000, o), 1);
	running_answer(r, o[0].id, "ack");
	snprintf(path, sizeof(path), "%s/registry/registry.db", r->f->dir);
	sql_run(path, "UPDATE orders SET done_at = done_at - 60000"); /* a minute ago */
	running_end(r, SIGKILL);
	running_start(r);
	assert_int_equal(running_take(r, true, 300, o), 0);
	running_revoke_pg1(r, &receipt);
	assert_int_equal(receipt.orders, 1);
}

static void nas_that_cannot_be_told_stays_visible_until_it_confirms(void **state)
{
	struct running *r = *state;
	struct list_query q = {.device = "PG-1"};
	struct dispatch_order o[4];
	struct revocation receipt;
	struct nas nas = {.name = "old-switch", .ip = "10.0.0.3", .das_port = 3799};
	struct status s;
	struct device d;

	running_enroll_pg1(r, 1, 1);
	running_report(r, "accept", "old-switch", "S1", "00000001");
	running_account(r, "start", "old-switch", "S1");
	running_revoke_pg1(r, &receipt);
	assert_int_equal(running_take(r, true, 0, o), 0);
	assert_int_equal(registry_device_show(r->admin, &q, &d, WAIT_MS), 0);
	assert_int_equal(d.open_orders, 0);
	assert_int_equal(d.untold_nas, 1);
	assert_int_equal(registry_status(r->admin, &q, &s, WAIT_MS), 0);
	assert_int_equal(s.untold, 1);
	strcpy((char *)nas.secret.data, "secret-of-the-old-switch");
	nas.secret.len = strlen((char *)nas.secret.data);
	assert_int_equal(registry_nas_add(r->admin, &nas, WAIT_MS), 0);
	running_account(r, "start", "old-switch", "S1");
	assert_int_equal(running_take(r, false, 3000, o), 1);
	running_answer(r, o[0].id, "ack");
	assert_int_equal(registry_device_show(r->admin, &q, &d, WAIT_MS), 0);
	assert_int_equal(d.untold_nas, 0);
	assert_int_equal(registry_status(r->admin, &q, &s, WAIT_MS), 0);
	assert_int_equal(s.untold, 0);
}

static void sessions_break(struct running *r, const char *table)
{
	char path[128], sql[64];

	snprintf(path, sizeof(path), "%s/registry/sessions.db", r->f->dir);
	snprintf(sql, sizeof(sql), "ALTER TABLE %s RENAME TO broken", table);
	sql_run(path, sql);
}

static void revocation_needs_no_session_database_and_tells_every_nas(void **state)
{
	struct running *r = *state;
	struct dispatch_order o[4];
	struct revocation receipt;
	struct cert_name name = {.issuer = ISSUER, .cert_serial = "00000001"};
	struct pump_facts facts;

	running_enroll_pg1(r, 1, 1);
	sessions_break(r, "sessions");
	running_revoke_pg1(r, &receipt);
	assert_int_equal(receipt.orders, 2);
	assert_int_equal(registry_pump_facts(r->radius, &name, &facts, WAIT_MS), 0);
	assert_string_equal(facts.device_state, "revoked");
	assert_int_equal(running_take(r, true, 3000, o), 2);
	assert_string_equal(o[0].calling_station, "02-00-00-00-00-01");
	assert_string_equal(o[0].session_id, "");
}

static void accept_that_crosses_the_revocation_is_seen_though_it_cannot_be_kept(void **state)
{
	struct running *r = *state;
	struct dispatch_order o[4];
	struct revocation receipt;

	running_enroll_pg1(r, 1, 1);
	running_revoke_pg1(r, &receipt);
	sessions_break(r, "events");
	running_report(r, "accept", "ap-2", "S9", "00000001");
	assert_int_equal(running_take(r, true, 3000, o), 1);
	assert_string_equal(o[0].session_id, "S9");
}

static void restart_reported_late_settles_no_younger_order(void **state)
{
	struct running *r = *state;
	struct acct_event e = {.type = "on", .nas = "ap-1"};
	struct dispatch_order o[4];
	struct revocation receipt;

	running_enroll_pg1(r, 1, 1);
	running_account(r, "start", "ap-1", "S1");
	running_revoke_pg1(r, &receipt);
	assert_int_equal(receipt.orders, 1);
	e.at = clock_wall_ms() - 30000; /* Acct-Delay-Time */
	assert_int_equal(registry_acct_event(r->radius, &e, WAIT_MS), 0);
	usleep(100000); /* what it would have settled, it has by now */
	assert_int_equal(running_take(r, true, 0, o), 1);
}

static bool refused_is_noted(struct running *r)
{
	struct list_query q = {.device = "PG-1"};
	struct revocation receipt;

	assert_int_equal(registry_revocation(r->admin, &q, &receipt, WAIT_MS), 0);
	return receipt.return_refused_at != 0;
}

static void refused_return_is_noted_in_the_receipt(void **state)
{
	struct running *r = *state;
	struct revocation receipt;
	bool noted = false;

	running_enroll_pg1(r, 1, 1);
	running_revoke_pg1(r, &receipt);
	assert_false(refused_is_noted(r));
	running_report(r, "reject", "ap-1", "S2", "00000001");
	for (int i = 0; i < 400 && !noted; i++) {
		usleep(5000);
		noted = refused_is_noted(r);
	}
	assert_true(noted);
}

static void first_use_of_a_renewed_certificate_supersedes_the_old_one(void **state)
{
	struct running *r = *state;
	struct cert_name old = {.issuer = ISSUER, .cert_serial = "00000001"};
	struct pump_facts facts = {0};

	running_enroll_pg1(r, 1, 1);
	running_enroll_pg1(r, 2, 2);
	running_report(r, "accept", "ap-1", "S1", "00000001");
	running_account(r, "start", "ap-1", "S1"); /* committed with or after the report */
	assert_int_equal(registry_pump_facts(r->radius, &old, &facts, WAIT_MS), 0);
	assert_string_equal(facts.cert_state, "valid");
	running_report(r, "accept", "ap-1", "S1", "00000002");
	for (int i = 0; i < 400 && strcmp(facts.cert_state, "superseded"); i++) {
		usleep(5000);
		assert_int_equal(registry_pump_facts(r->radius, &old, &facts, WAIT_MS), 0);
	}
	assert_string_equal(facts.cert_state, "superseded");
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
#define RUN(t) cmocka_unit_test_setup_teardown(t, running_setup, running_teardown)
		RUN(waiting_dispatcher_hears_of_a_revocation_at_once),
		RUN(take_without_orders_ends_empty_after_its_time),
		RUN(accept_that_crosses_the_revocation_gets_its_own_order),
		RUN(pump_that_gets_on_against_its_quarantine_is_disconnected_and_no_other),
		RUN(session_of_a_revoked_pump_is_found_again_after_a_crash),
		RUN(session_outside_its_quarantine_is_found_again_after_a_crash_and_no_other),
		RUN(session_that_begins_outside_the_quarantine_is_ended_and_no_other),
		RUN(accept_into_its_old_zone_is_found_when_the_quarantine_is_asked_for_again),
		RUN(accept_without_a_session_is_found_when_the_revocation_is_asked_for_again),
		RUN(accept_without_a_session_is_found_again_after_a_crash),
		RUN(session_that_was_ended_is_not_ended_again_at_each_start),
		RUN(nas_that_cannot_be_told_stays_visible_until_it_confirms),
		RUN(revocation_needs_no_session_database_and_tells_every_nas),
		RUN(accept_that_crosses_the_revocation_is_seen_though_it_cannot_be_kept),
		RUN(restart_reported_late_settles_no_younger_order),
		RUN(refused_return_is_noted_in_the_receipt),
		RUN(first_use_of_a_renewed_certificate_supersedes_the_old_one),
	};

	if (argc > 1)
		cmocka_set_test_filter(argv[1]);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
