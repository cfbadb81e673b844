/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/unit/sql/fixture.h"

#include <stdio.h>
#include <string.h>

static void auth(struct fixture *f, const char *verdict, const char *nas, const char *id,
		 int64_t at)
{
	struct auth_event e = {.at = at,
			       .method = "eap-tls",
			       .reason = "in-good-standing",
			       .device = "PG-1",
			       .identity = "PG-1",
			       .cert_serial = "00000001",
			       .mac = "02:00:00:00:00:01",
			       .calling_station = "02-00-00-00-00-01",
			       .zone = "wards",
			       .vlan = 120};

	strcpy(e.verdict, verdict);
	strcpy(e.nas, nas);
	strcpy(e.session_id, id);
	assert_int_equal(session_store_begin(f->ss), 0);
	assert_int_equal(session_store_auth(f->ss, &e, NOW), 0);
	assert_int_equal(session_store_commit(f->ss), 0);
}

static int acct(struct fixture *f, const char *type, const char *nas, const char *id,
		const char *device, int64_t at)
{
	struct acct_event e = {.at = at, .input_octets = 5, .cause = "User-Request"};
	char whose[DEVICE_SERIAL_SIZE];
	int rc;

	strcpy(e.type, type);
	strcpy(e.nas, nas);
	strcpy(e.session_id, id);
	strcpy(e.device, device);
	assert_int_equal(session_store_begin(f->ss), 0);
	rc = session_store_acct(f->ss, &e, NOW, whose);
	assert_int_equal(session_store_commit(f->ss), 0);
	return rc;
}

static struct session only_session(struct fixture *f)
{
	struct list_query q = {0};
	struct session s[2];
	size_t n;

	assert_int_equal(session_store_list(f->ss, &q, s, 2, &n), 0);
	assert_int_equal(n, 1);
	return s[0];
}

static size_t live(struct fixture *f)
{
	struct list_query q = {.live_only = true, .device = "PG-1"};
	struct session s[8];
	size_t n;

	assert_int_equal(session_store_list(f->ss, &q, s, 8, &n), 0);
	return n;
}

static void accounting_without_type_nas_or_session_is_refused(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(acct(f, "sideways", "ap-1", "S1", "", NOW), ERR_INVALID);
	assert_int_equal(acct(f, "start", "", "S1", "", NOW), ERR_INVALID);
	assert_int_equal(acct(f, "start", "ap-1", "", "", NOW), ERR_INVALID);
	assert_int_equal(live(f), 0);
}

static void reject_opens_no_session_but_is_an_event(void **state)
{
	struct fixture *f = *state;
	struct event e[4];
	size_t n;

	auth(f, "reject", "ap-1", "S1", NOW);
	assert_int_equal(live(f), 0);
	assert_int_equal(session_store_events(f->ss, "PG-1", 0, e, 4, &n), 0);
	assert_int_equal(n, 1);
	assert_string_equal(e[0].what, "reject");
}

static void session_goes_from_accepted_to_started_to_stopped(void **state)
{
	struct fixture *f = *state;

	auth(f, "accept", "ap-1", "S1", NOW);
	assert_string_equal(only_session(f).state, "accepted");
	assert_int_equal(acct(f, "start", "ap-1", "S1", "PG-1", NOW + 5), 0);
	assert_string_equal(only_session(f).state, "started");
	assert_int_equal(only_session(f).started_at, NOW + 5);
	assert_int_equal(acct(f, "interim", "ap-1", "S1", "", NOW + 9), 0);
	assert_string_equal(only_session(f).device, "PG-1");
	assert_int_equal(only_session(f).updated_at, NOW + 9);
	assert_int_equal(acct(f, "stop", "ap-1", "S1", "", NOW + 20), 0);
	assert_string_equal(only_session(f).state, "stopped");
	assert_string_equal(only_session(f).cause, "User-Request");
	/* an interim that was overtaken does not wake it */
	assert_int_equal(acct(f, "interim", "ap-1", "S1", "", NOW + 19), 0);
	assert_string_equal(only_session(f).state, "stopped");
	assert_int_equal(only_session(f).stopped_at, NOW + 20);
	/* the same id accepted again is a session again */
	auth(f, "accept", "ap-1", "S1", NOW + 30);
	assert_string_equal(only_session(f).state, "accepted");
}

static void session_known_from_accounting_alone_names_its_pump(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(acct(f, "start", "ap-1", "S1", "PG-1", NOW), 0);
	assert_int_equal(live(f), 1);
	assert_string_equal(only_session(f).device, "PG-1");
}

/* The event of an accept rests in radiusd for some milliseconds; the NAS's accounting does not. */
static void accounting_that_comes_before_its_accept_is_right_too(void **state)
{
	struct fixture *f = *state;
	struct session s;

	assert_int_equal(acct(f, "start", "ap-1", "S1", "", NOW + 5), 0);
	assert_string_equal(only_session(f).device, "");
	auth(f, "accept", "ap-1", "S1", NOW);
	s = only_session(f);
	assert_string_equal(s.state, "started");
	assert_string_equal(s.device, "PG-1");
	assert_string_equal(s.zone, "wards");
	assert_int_equal(live(f), 1);
	assert_int_equal(acct(f, "stop", "ap-1", "S1", "", NOW + 9), 0);
	auth(f, "accept", "ap-1", "S1", NOW + 8); /* begun and ended before we were told */
	s = only_session(f);
	assert_string_equal(s.state, "stopped");
	assert_int_equal(s.stopped_at, NOW + 9);
	assert_int_equal(live(f), 0);
	auth(f, "accept", "ap-1", "S1", NOW + 9); /* in doubt it is on */
	assert_int_equal(live(f), 1);
}

static void accept_that_never_started_is_replaced_by_the_next(void **state)
{
	struct fixture *f = *state;

	auth(f, "accept", "ap-1", "S1", NOW);
	auth(f, "accept", "ap-1", "S2", NOW + 1);
	assert_int_equal(live(f), 1);
	assert_int_equal(acct(f, "start", "ap-1", "S2", "PG-1", NOW + 2), 0);
	auth(f, "accept", "ap-1", "S3", NOW + 3); /* a started one is the NAS's to stop */
	assert_int_equal(live(f), 2);
	auth(f, "accept", "ap-2", "S1", NOW + 4); /* another NAS, another session */
	assert_int_equal(live(f), 3);
}

static void restart_of_a_nas_stops_its_sessions_only(void **state)
{
	struct fixture *f = *state;

	auth(f, "accept", "ap-1", "S1", NOW);
	auth(f, "accept", "ap-2", "S1", NOW);
	assert_int_equal(acct(f, "on", "ap-1", "", "", NOW + 1), 0);
	assert_int_equal(live(f), 1);
	assert_int_equal(acct(f, "off", "ap-2", "", "", NOW + 2), 0);
	assert_int_equal(live(f), 0);
}

static void restart_reported_late_leaves_what_came_up_since(void **state)
{
	struct fixture *f = *state;

	auth(f, "accept", "ap-1", "S1", NOW);
	auth(f, "accept", "ap-1", "S2", NOW + 20000);
	assert_int_equal(acct(f, "start", "ap-1", "S2", "PG-1", NOW + 20005), 0);
	assert_int_equal(acct(f, "start", "ap-1", "S3", "PG-1", NOW + 21000), 0);
	assert_int_equal(acct(f, "on", "ap-1", "", "", NOW + 10000), 0);
	assert_int_equal(live(f), 2);
}

static void id_begun_again_for_another_pump_is_that_pumps_session(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(acct(f, "start", "ap-1", "S1", "PG-1", NOW), 0);
	/* a second start, or an interim, changes no owner of what is live */
	assert_int_equal(acct(f, "start", "ap-1", "S1", "PG-2", NOW + 1), 0);
	assert_string_equal(only_session(f).device, "PG-1");
	assert_int_equal(acct(f, "stop", "ap-1", "S1", "PG-1", NOW + 2), 0);
	assert_int_equal(acct(f, "interim", "ap-1", "S1", "PG-2", NOW + 3), 0);
	assert_string_equal(only_session(f).device, "PG-1");
	assert_int_equal(acct(f, "start", "ap-1", "S1", "PG-2", NOW + 4), 0);
	assert_string_equal(only_session(f).device, "PG-2");
	assert_string_equal(only_session(f).state, "started");
}

static void footholds_are_live_sessions_and_nas_of_the_last_day(void **state)
{
	struct fixture *f = *state;
	struct foothold h[4];
	size_t n;

	auth(f, "accept", "old-switch", "S1", NOW - 3 * 86400000LL);
	assert_int_equal(acct(f, "stop", "old-switch", "S1", "", NOW - 2 * 86400000LL), 0);
	auth(f, "accept", "ap-2", "S1", NOW - 7200000);
	assert_int_equal(acct(f, "stop", "ap-2", "S1", "", NOW - 3600000), 0);
	auth(f, "accept", "ap-1", "S7", NOW);
	assert_int_equal(session_store_footholds(f->ss, "PG-1", NOW - 86400000LL, NOW - 86400000LL,
						 h, 4, &n),
			 0);
	assert_int_equal(n, 2);
	assert_string_equal(h[0].nas, "ap-1");
	assert_string_equal(h[0].session_id, "S7");
	assert_string_equal(h[1].nas, "ap-2");
	assert_string_equal(h[1].session_id, "");
	assert_string_equal(h[1].calling_station, "02-00-00-00-00-01");
	assert_int_equal(session_store_footholds(f->ss, "PG-1", 0, 0, h, 1, &n), 0);
	assert_int_equal(n, 1); /* the live one first */
	assert_string_equal(h[0].nas, "ap-1");
	assert_int_equal(session_store_footholds(f->ss, "PG-2", 0, 0, h, 4, &n), 0);
	assert_int_equal(n, 0);
}

static void an_accept_without_a_session_id_is_a_foothold_too(void **state)
{
	struct fixture *f = *state;
	struct foothold h[4];
	size_t n;

	auth(f, "accept", "ap-old", "", NOW - 2 * 86400000LL);
	auth(f, "reject", "ap-no", "", NOW);
	auth(f, "accept", "ap-3", "", NOW);
	auth(f, "accept", "ap-1", "S7", NOW);
	auth(f, "accept", "ap-1", "", NOW); /* its session is known: told of that */
	assert_int_equal(session_store_footholds(f->ss, "PG-1", NOW - 86400000LL, NOW - 86400000LL,
						 h, 4, &n),
			 0);
	assert_int_equal(n, 2);
	assert_string_equal(h[0].nas, "ap-1");
	assert_string_equal(h[1].nas, "ap-3");
	assert_string_equal(h[1].session_id, "");
	assert_string_equal(h[1].calling_station, "02-00-00-00-00-01");
}

/* Else whoever has one NAS secret could make a pump that nobody can revoke, or hide where it is. */
static void a_nas_that_reports_a_thousand_sessions_hides_no_other(void **state)
{
	struct fixture *f = *state;
	struct foothold h[64];
	bool other = false, station = false;
	size_t n;

	auth(f, "accept", "ap-2", "S1", NOW);
	for (int i = 0; i < 1000; i++) {
		char id[16];

		snprintf(id, sizeof(id), "F%d", i);
		assert_int_equal(acct(f, "start", "ap-1", id, "PG-1", NOW + 1 + i), 0);
	}
	assert_int_equal(session_store_footholds(f->ss, "PG-1", 0, 0, h, 64, &n), 0);
	assert_in_range(n, 3, 40);
	for (size_t i = 0; i < n; i++) {
		other |= !strcmp(h[i].nas, "ap-2") && !strcmp(h[i].session_id, "S1");
		station |= !strcmp(h[i].nas, "ap-1") && !*h[i].session_id;
	}
	assert_true(other);
	assert_true(station);
	assert_int_equal(session_store_footholds(f->ss, "PG-1", 0, 0, h, 3, &n), 0);
	assert_int_equal(n, 3);
}

static void event_of_an_unknown_pump_is_found_under_the_claimed_name(void **state)
{
	struct auth_event e = {.verdict = "reject", .reason = "unknown-certificate"};
	struct enroll_event x = {.operation = "simpleenroll", .reason = "token-wrong"};
	struct fixture *f = *state;
	struct event rows[4];
	size_t n;

	strcpy(e.identity, "PG-2");
	strcpy(x.device, "PG-2");
	assert_int_equal(session_store_begin(f->ss), 0);
	assert_int_equal(session_store_auth(f->ss, &e, NOW), 0);
	assert_int_equal(session_store_enroll(f->ss, &x, NOW + 1), 0);
	assert_int_equal(session_store_commit(f->ss), 0);
	assert_int_equal(session_store_events(f->ss, "PG-2", 0, rows, 4, &n), 0);
	assert_int_equal(n, 2);
	assert_string_equal(rows[0].source, "enroll");
	assert_string_equal(rows[1].device, "");
	assert_string_equal(rows[1].identity, "PG-2");
	assert_int_equal(session_store_events(f->ss, "PG-2", NOW + 1, rows, 4, &n), 0);
	assert_int_equal(n, 1);
}

static void group_that_is_rolled_back_leaves_nothing(void **state)
{
	struct acct_event e = {.type = "start", .nas = "ap-1", .session_id = "S1"};
	struct fixture *f = *state;
	char device[DEVICE_SERIAL_SIZE];

	assert_int_equal(session_store_begin(f->ss), 0);
	assert_int_equal(session_store_acct(f->ss, &e, NOW, device), 0);
	session_store_rollback(f->ss);
	assert_int_equal(sql_number(f->sessions, "SELECT count(*) FROM sessions"), 0);
}

static void old_rows_go_in_bounded_steps_and_stale_sessions_end(void **state)
{
	struct fixture *f = *state;
	bool done;

	auth(f, "accept", "ap-1", "S1", NOW - SESSION_STORE_STALE_MS - 1);
	auth(f, "accept", "ap-2", "S2", NOW);
	sql_run(f->sessions,
		"WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 3000)"
		" INSERT INTO events (at, source, subject, what, reason, method, device, identity,"
		" issuer, cert_serial, mac, nas, nas_port, session_id, zone, vlan, took_us, detail)"
		" SELECT i, 'auth', 'OLD', '', '', '', '', '', '', '', '', '', '', '', '', 0, 0, ''"
		" FROM n");
	sql_run(f->sessions, "UPDATE events SET id = id + 100000 WHERE subject <> 'OLD'");
	assert_int_equal(session_store_prune(f->ss, NOW, &done), 0);
	assert_false(done);
	assert_int_equal(session_store_prune(f->ss, NOW, &done), 0);
	assert_true(done);
	assert_int_equal(
		sql_number(f->sessions, "SELECT count(*) FROM events WHERE subject = 'OLD'"), 0);
	assert_int_equal(sql_number(f->sessions, "SELECT count(*) FROM events"), 2);
	assert_int_equal(live(f), 1);
}

/* What a recall's second look at the sessions is left out for must not miss a commit. */
static void version_changes_with_every_commit_of_others_and_only_then(void **state)
{
	struct fixture *f = *state;
	AUTO_SESSION_STORE reader = NULL;
	struct foothold hold[4];
	int64_t first, second;
	size_t n;

	assert_int_equal(session_store_open(f->sessions, STORE_READ, &reader), 0);
	assert_int_equal(session_store_version(reader, &first), 0);
	session_store_look_begin(reader);
	assert_int_equal(session_store_footholds(reader, "PG-1", 0, 0, hold, 4, &n), 0);
	assert_int_equal(n, 0);
	auth(f, "accept", "ap-1", "S1", NOW); /* while somebody looks */
	assert_int_equal(session_store_footholds(reader, "PG-1", 0, 0, hold, 4, &n), 0);
	assert_int_equal(n, 0);
	session_store_look_end(reader);
	assert_int_equal(session_store_version(reader, &second), 0);
	assert_int_not_equal(second, first);
	assert_int_equal(session_store_footholds(reader, "PG-1", 0, 0, hold, 4, &n), 0);
	assert_int_equal(n, 1);
	assert_int_equal(session_store_version(reader, &first), 0);
	assert_int_equal(first, second);
	assert_int_equal(acct(f, "stop", "ap-1", "S1", "PG-1", NOW), 0); /* no new row */
	assert_int_equal(session_store_version(reader, &second), 0);
	assert_int_not_equal(second, first);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define WITH(t) cmocka_unit_test_setup_teardown(t, fixture_setup, fixture_teardown)
		WITH(accounting_without_type_nas_or_session_is_refused),
		WITH(reject_opens_no_session_but_is_an_event),
		WITH(session_goes_from_accepted_to_started_to_stopped),
		WITH(session_known_from_accounting_alone_names_its_pump),
		WITH(accounting_that_comes_before_its_accept_is_right_too),
		WITH(accept_that_never_started_is_replaced_by_the_next),
		WITH(restart_of_a_nas_stops_its_sessions_only),
		WITH(restart_reported_late_leaves_what_came_up_since),
		WITH(id_begun_again_for_another_pump_is_that_pumps_session),
		WITH(an_accept_without_a_session_id_is_a_foothold_too),
		WITH(footholds_are_live_sessions_and_nas_of_the_last_day),
		WITH(a_nas_that_reports_a_thousand_sessions_hides_no_other),
		WITH(event_of_an_unknown_pump_is_found_under_the_claimed_name),
		WITH(version_changes_with_every_commit_of_others_and_only_then),
		WITH(group_that_is_rolled_back_leaves_nothing),
		WITH(old_rows_go_in_bounded_steps_and_stale_sessions_end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
