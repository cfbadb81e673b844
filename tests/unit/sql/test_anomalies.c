/* SPDX-License-Identifier: BSD-2-Clause */
/* The event lane's part of the alarms: from events as they come to what the writer is told. */
#include "tests/unit/sql/fixture.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sql/registryd/anomalies.h"

#define TOLD_MAX 512
#define SECOND 1000000LL

static int64_t now_us;
static struct followup told[TOLD_MAX];
static size_t n_told;

/* In the place of the writer lane. */
void writer_follow_up(struct service *s, const struct followup *f)
{
	(void)s;
	assert_true(n_told < TOLD_MAX);
	told[n_told++] = *f;
}

struct lane_played {
	struct fixture *f;
	struct service service;
	struct anomalies *a;
};

static int setup(void **state)
{
	struct lane_played *p = calloc(1, sizeof(*p));

	assert_non_null(p);
	fixture_setup((void **)&p->f);
	n_told = 0;
	now_us = 77 * SECOND;
	assert_int_equal(anomaly_policy_read(NULL, &p->service.anomaly_policy), 0);
	assert_int_equal(anomalies_new(&p->service, p->f->st, p->f->ss, &p->a), 0);
	*state = p;
	return 0;
}

static int teardown(void **state)
{
	struct lane_played *p = *state;

	anomalies_free(p->a);
	fixture_teardown((void **)&p->f);
	free(p);
	return 0;
}

static struct auth_event accept_of(const char *mac, const char *nas, const char *session,
				   int64_t at)
{
	struct auth_event e = {.at = at,
			       .method = "eap-tls",
			       .verdict = "accept",
			       .reason = "in-good-standing",
			       .device = "PG-1",
			       .identity = "PG-1",
			       .issuer = ISSUER,
			       .cert_serial = "00000001"};

	strcpy(e.mac, mac);
	strcpy(e.calling_station, mac);
	strcpy(e.nas, nas);
	strcpy(e.session_id, session);
	return e;
}

/* As the lane does: looks, stores, commits, tells. The kind that was found, "" for none. */
static const char *play(struct lane_played *p, const struct auth_event *e)
{
	static char kind[REASON_SIZE];
	struct alarm *odd = NULL;

	assert_int_equal(session_store_begin(p->f->ss), 0);
	assert_int_equal(anomalies_look(p->a, e, NOW, &odd), 0);
	assert_int_equal(session_store_auth(p->f->ss, e, NOW), 0);
	assert_int_equal(session_store_commit(p->f->ss), 0);
	strcpy(kind, odd ? odd->kind : "");
	if (odd)
		anomalies_tell(p->a, odd, now_us);
	free(odd);
	return kind;
}

static void stop(struct lane_played *p, const char *nas, const char *session)
{
	struct acct_event e = {.at = NOW, .type = "stop"};
	char device[DEVICE_SERIAL_SIZE];

	strcpy(e.nas, nas);
	strcpy(e.session_id, session);
	assert_int_equal(session_store_begin(p->f->ss), 0);
	assert_int_equal(session_store_acct(p->f->ss, &e, NOW, device), 0);
	assert_int_equal(session_store_commit(p->f->ss), 0);
}

#define MAC_1 "02:00:00:00:00:01"
#define MAC_X "02:00:00:00:00:99"

static void roaming_between_two_nas_tells_nothing(void **state)
{
	struct lane_played *p = *state;
	struct auth_event e;

	for (int i = 0; i < 10; i++) {
		e = accept_of(MAC_1, i % 2 ? "ap-2" : "ap-1", i % 2 ? "b" : "a", NOW + i);
		assert_string_equal(play(p, &e), "");
	}
	assert_int_equal(n_told, 0);
}

static void a_second_mac_while_the_first_is_on_is_told_at_once(void **state)
{
	struct lane_played *p = *state;
	struct auth_event e = accept_of(MAC_1, "ap-1", "a", NOW);
	struct event events[8];
	size_t n;

	assert_string_equal(play(p, &e), "");
	e = accept_of(MAC_X, "ap-2", "b", NOW + 1);
	assert_string_equal(play(p, &e), "two-macs");
	assert_int_equal(n_told, 1);
	assert_int_equal(told[0].kind, FOLLOWUP_ALARM);
	assert_string_equal(told[0].alarm.device, "PG-1");
	assert_string_equal(told[0].alarm.nas, "ap-2");
	assert_string_equal(told[0].alarm.mac, MAC_X);
	assert_string_equal(told[0].alarm.other_nas, "ap-1");
	assert_string_equal(told[0].alarm.other_mac, MAC_1);
	assert_int_equal(session_store_events(p->f->ss, "PG-1", 0, events, 8, &n), 0);
	assert_int_equal(n, 3);
	assert_string_equal(events[1].source, "anomaly");
	assert_string_equal(events[1].reason, "two-macs");
}

static void the_pump_that_comes_back_is_not_taken_for_the_stranger(void **state)
{
	struct lane_played *p = *state;
	struct auth_event e = accept_of(MAC_X, "ap-2", "x", NOW);

	assert_string_equal(play(p, &e), "");
	e = accept_of(MAC_1, "ap-1", "a", NOW + 1); /* the inventory's address */
	assert_string_equal(play(p, &e), "two-macs");
	assert_string_equal(told[0].alarm.nas, "ap-2");
	assert_string_equal(told[0].alarm.mac, MAC_X);
	assert_string_equal(told[0].alarm.other_nas, "ap-1");
}

static void after_the_session_ended_it_is_another_kind(void **state)
{
	struct lane_played *p = *state;
	struct auth_event e = accept_of(MAC_1, "ap-1", "a", NOW);

	assert_string_equal(play(p, &e), "");
	stop(p, "ap-2", "a"); /* another NAS can't end it */
	e = accept_of(MAC_X, "ap-2", "b", NOW + 1);
	assert_string_equal(play(p, &e), "two-macs");
	stop(p, "ap-2", "b");
	e = accept_of(MAC_1, "ap-1", "c", NOW + 2);
	assert_string_equal(play(p, &e), "mac-changed");
}

static void sessions_of_one_id_on_two_nas_are_not_mixed_up(void **state)
{
	struct lane_played *p = *state;
	struct auth_event e = accept_of(MAC_1, "ap-2", "a", NOW);

	assert_string_equal(play(p, &e), "");
	e = accept_of(MAC_1, "ap-1", "a", NOW + 1);
	assert_string_equal(play(p, &e), "");
	stop(p, "ap-1", "a");
	e = accept_of(MAC_X, "ap-1", "b", NOW + 2);
	assert_string_equal(play(p, &e), "mac-changed");
}

static void a_day_without_news_is_no_session(void **state)
{
	struct lane_played *p = *state;
	struct auth_event e = accept_of(MAC_1, "ap-1", "a", NOW - 25 * 3600 * 1000LL);

	assert_string_equal(play(p, &e), "");
	e = accept_of(MAC_X, "ap-2", "b", NOW);
	assert_string_equal(play(p, &e), "mac-changed");
}

static void a_nas_that_sends_no_address_makes_nobody_forget(void **state)
{
	struct lane_played *p = *state;
	struct auth_event e = accept_of(MAC_1, "ap-1", "a", NOW);

	assert_string_equal(play(p, &e), "");
	e = accept_of("", "ap-2", "b", NOW + 1);
	assert_string_equal(play(p, &e), "");
	e = accept_of(MAC_X, "ap-2", "c", NOW + 2);
	assert_string_equal(play(p, &e), "two-macs");
	assert_string_equal(told[0].alarm.other_nas, "ap-1");
}

static void a_new_certificate_of_the_pump_is_held_against_the_old_one(void **state)
{
	struct lane_played *p = *state;
	struct auth_event e = accept_of(MAC_1, "ap-1", "a", NOW);

	assert_string_equal(play(p, &e), "");
	e = accept_of(MAC_X, "ap-2", "b", NOW + 1);
	strcpy(e.cert_serial, "00000002");
	assert_string_equal(play(p, &e), "two-macs");
}

static void two_sites_within_the_interval_are_told(void **state)
{
	struct lane_played *p = *state;
	struct auth_event e = accept_of(MAC_1, "ap-1", "a", NOW);

	assert_int_equal(store_nas_site_set(p->f->st, &admin_now, "ap-1", "north"), 0);
	assert_string_equal(play(p, &e), "");
	e = accept_of(MAC_1, "ap-2", "b", NOW + 60000);
	assert_string_equal(play(p, &e), ""); /* nobody said where ap-2 stands */
	assert_int_equal(store_nas_site_set(p->f->st, &admin_now, "ap-2", "south"), 0);
	e = accept_of(MAC_1, "ap-1", "c", NOW + 120000);
	assert_string_equal(play(p, &e), "two-sites");
	e = accept_of(MAC_1, "ap-2", "d", NOW + 120000 + 11 * 60000);
	assert_string_equal(play(p, &e), "");
}

static void claims_tell_nothing_of_a_pump(void **state)
{
	struct lane_played *p = *state;
	struct auth_event e = accept_of(MAC_1, "ap-1", "a", NOW);

	assert_string_equal(play(p, &e), "");
	e = accept_of(MAC_X, "ap-2", "b", NOW + 1);
	strcpy(e.method, "mab"); /* the NAS names an address, and so a pump */
	strcpy(e.verdict, "onboard");
	e.cert_serial[0] = e.issuer[0] = '\0';
	assert_string_equal(play(p, &e), "");
	strcpy(e.verdict, "reject");
	strcpy(e.reason, "identity-mismatch"); /* User-Name and EAP identity differ */
	strcpy(e.method, "eap-tls");
	e.device[0] = '\0';
	assert_string_equal(play(p, &e), "");
	e = accept_of(MAC_1, "ap-1", "c", NOW + 2); /* and the pump is as it was */
	assert_string_equal(play(p, &e), "");
	assert_int_equal(n_told, 0);
}

static void a_mismatch_tells_of_the_certificate_s_owner_not_of_the_name(void **state)
{
	struct lane_played *p = *state;
	struct auth_event e = accept_of(MAC_1, "ap-2", "a", NOW);

	strcpy(e.verdict, "reject");
	strcpy(e.reason, "identity-mismatch");
	strcpy(e.identity, "PG-2");
	assert_string_equal(play(p, &e), "identity-mismatch");
	assert_string_equal(told[0].alarm.device, "PG-1");
	assert_non_null(strstr(told[0].alarm.detail, "'PG-2'"));
}

static void a_certificate_that_nobody_owns_tells_of_no_pump(void **state)
{
	struct lane_played *p = *state;
	struct auth_event e = accept_of(MAC_1, "ap-2", "a", NOW);

	strcpy(e.verdict, "reject");
	strcpy(e.reason, "unknown-certificate");
	e.device[0] = '\0';
	assert_string_equal(play(p, &e), "unknown-certificate");
	assert_string_equal(told[0].alarm.device, "");
	assert_string_equal(told[0].alarm.nas, "ap-2");
}

static void what_a_restore_is_known_to_have_lost_tells_nothing(void **state)
{
	struct lane_played *p = *state;
	struct auth_event e = accept_of(MAC_1, "ap-2", "a", NOW);

	sql_run(p->f->registry, "INSERT INTO restored_gap (kind, device, serial, at, found_at,"
				" merged_at) VALUES ('lost', 'PG-1', '00000001', 1, 1, 1)");
	strcpy(e.verdict, "reject");
	strcpy(e.reason, "unknown-certificate");
	e.device[0] = '\0';
	assert_string_equal(play(p, &e), "");
	strcpy(e.cert_serial, "00000002");
	assert_string_equal(play(p, &e), "unknown-certificate");
}

static void more_of_the_same_waits_and_goes_together(void **state)
{
	struct lane_played *p = *state;
	struct auth_event e = accept_of(MAC_1, "ap-2", "a", NOW);

	assert_true(anomalies_tell_rest(p->a, now_us) == INT64_MAX);
	strcpy(e.verdict, "reject");
	strcpy(e.reason, "identity-mismatch");
	for (int i = 0; i < 100; i++)
		assert_string_equal(play(p, &e), "identity-mismatch");
	assert_int_equal(n_told, 1);
	assert_int_equal(told[0].alarm.count, 1);
	assert_int_equal(anomalies_tell_rest(p->a, now_us + 9 * SECOND), now_us + 10 * SECOND);
	assert_int_equal(n_told, 1); /* not yet */
	strcpy(e.device, "PG-2");    /* another pump's first is told at once */
	assert_string_equal(play(p, &e), "identity-mismatch");
	assert_int_equal(n_told, 2);
	assert_string_equal(told[1].alarm.device, "PG-2");
	assert_true(anomalies_tell_rest(p->a, now_us + 10 * SECOND) == INT64_MAX);
	assert_int_equal(n_told, 3);
	assert_string_equal(told[2].alarm.device, "PG-1");
	assert_int_equal(told[2].alarm.count, 99);
	now_us += 30 * SECOND; /* quiet since: at once again */
	assert_string_equal(play(p, &e), "identity-mismatch");
	assert_int_equal(n_told, 4);
}

static void nothing_that_waited_is_lost_to_others(void **state)
{
	struct lane_played *p = *state;
	struct alarm a = {.kind = "identity-mismatch", .count = 1};
	uint64_t sum = 0;

	/* far more subjects than there are places to wait in */
	for (int round = 0; round < 3; round++)
		for (int i = 0; i < 1000; i++) {
			snprintf(a.device, sizeof(a.device), "P-%d", i);
			n_told = 0;
			anomalies_tell(p->a, &a, now_us);
			anomalies_tell(p->a, &a, now_us);
			for (size_t t = 0; t < n_told; t++)
				sum += told[t].alarm.count;
		}
	for (n_told = 0; anomalies_tell_rest(p->a, now_us + 60 * SECOND) != INT64_MAX;)
		;
	for (size_t t = 0; t < n_told; t++)
		sum += told[t].alarm.count;
	assert_int_equal(sum, 6000);
}

#define WITH(t) cmocka_unit_test_setup_teardown(t, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		WITH(roaming_between_two_nas_tells_nothing),
		WITH(claims_tell_nothing_of_a_pump),
		WITH(a_second_mac_while_the_first_is_on_is_told_at_once),
		WITH(the_pump_that_comes_back_is_not_taken_for_the_stranger),
		WITH(after_the_session_ended_it_is_another_kind),
		WITH(sessions_of_one_id_on_two_nas_are_not_mixed_up),
		WITH(a_day_without_news_is_no_session),
		WITH(a_nas_that_sends_no_address_makes_nobody_forget),
		WITH(a_new_certificate_of_the_pump_is_held_against_the_old_one),
		WITH(two_sites_within_the_interval_are_told),
		WITH(a_mismatch_tells_of_the_certificate_s_owner_not_of_the_name),
		WITH(a_certificate_that_nobody_owns_tells_of_no_pump),
		WITH(what_a_restore_is_known_to_have_lost_tells_nothing),
		WITH(more_of_the_same_waits_and_goes_together),
		WITH(nothing_that_waited_is_lost_to_others),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
