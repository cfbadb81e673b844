/* SPDX-License-Identifier: BSD-2-Clause */
/* The store's part of the alarms: kept once, counted, bounded, never lost; and what it knows of NAS
 * sites and network cards. */
#include "tests/unit/sql/fixture.h"

#include <stdio.h>
#include <string.h>

#include "policies/anomaly.h"

#define HOUR (3600LL * 1000)

static struct alarm alarm_of(const char *kind, const char *device, const char *nas, int64_t at)
{
	struct alarm a = {.count = 1, .first_at = at, .last_at = at, .detail = "seen"};

	strcpy(a.kind, kind);
	strcpy(a.device, device);
	strcpy(a.nas, nas);
	return a;
}

/* Raises; what the store made of it. */
static struct alarm raise_at(struct fixture *f, const char *kind, const char *device,
			     const char *nas, int64_t at, bool expect_new)
{
	const struct action by = {.actor = "registryd", .at = at};
	struct alarm in = alarm_of(kind, device, nas, at), out;
	bool opened = !expect_new;

	assert_int_equal(store_alarm_raise(f->st, &by, &in, &out, &opened), 0);
	assert_int_equal(opened, expect_new);
	return out;
}

static int ack(struct fixture *f, uint64_t id, const char *note)
{
	struct alarm_ack rq = {.id = id};

	strcpy(rq.note, note);
	return store_alarm_ack(f->st, &admin_now, &rq);
}

static size_t listed(struct fixture *f, bool open_only, const char *device, const char *nas)
{
	struct list_query q = {.live_only = open_only};
	struct alarm rows[8];
	size_t n;

	strcpy(q.device, device);
	strcpy(q.nas, nas);
	assert_int_equal(store_alarm_list(f->st, &q, rows, 8, &n), 0);
	return n;
}

static void an_alarm_that_is_not_there_can_be_neither_shown_nor_acknowledged(void **state)
{
	struct fixture *f = *state;
	struct alarm a;

	assert_int_equal(store_alarm_show(f->st, 7, &a), ERR_NOT_FOUND);
	assert_int_equal(ack(f, 7, ""), ERR_NOT_FOUND);
	assert_int_equal(sql_number(f->registry, "SELECT count(*) FROM audit WHERE action ="
						 " 'alarm.ack'"),
			 0);
}

static void an_open_alarm_is_kept_once_and_counts_up(void **state)
{
	struct fixture *f = *state;
	struct alarm a = raise_at(f, "two-macs", "PG-1", "ap-1", NOW, true);
	struct alarm b = raise_at(f, "two-macs", "PG-1", "ap-2", NOW + 5, false);

	assert_int_equal(a.id, b.id);
	assert_int_equal(b.count, 2);
	assert_int_equal(b.first_at, NOW);
	assert_int_equal(b.last_at, NOW + 5);
	assert_string_equal(b.nas, "ap-1"); /* the suspect's stays */
	raise_at(f, "two-macs", "PG-2", "ap-1", NOW, true);
	raise_at(f, "two-sites", "PG-1", "ap-1", NOW, true);
	assert_int_equal(listed(f, true, "", ""), 3);
	assert_int_equal(listed(f, true, "PG-1", ""), 2);
	assert_int_equal(listed(f, true, "", "ap-2"), 0);
	assert_int_equal(sql_number(f->registry, "SELECT count(*) FROM audit WHERE action ="
						 " 'alarm.open'"),
			 3);
}

static void alarms_without_a_pump_are_kept_once_per_nas(void **state)
{
	struct fixture *f = *state;

	raise_at(f, "unknown-certificate", "", "ap-1", NOW, true);
	raise_at(f, "unknown-certificate", "", "ap-1", NOW, false);
	raise_at(f, "unknown-certificate", "", "ap-2", NOW, true);
	raise_at(f, "many-pumps", "", "", NOW, true);
	raise_at(f, "many-pumps", "", "", NOW, false);
}

static void an_acknowledged_alarm_that_comes_again_is_a_new_one(void **state)
{
	struct fixture *f = *state;
	struct alarm a = raise_at(f, "two-macs", "PG-1", "ap-1", NOW, true), b;

	assert_int_equal(ack(f, a.id, "card\nreplaced"), ERR_INVALID);
	assert_int_equal(ack(f, a.id, "card replaced"), 0);
	assert_int_equal(ack(f, a.id, "again"), ERR_UNCHANGED);
	assert_int_equal(store_alarm_show(f->st, a.id, &b), 0);
	assert_string_equal(b.state, "acknowledged");
	assert_string_equal(b.acked_by, "root");
	assert_string_equal(b.note, "card replaced");
	assert_int_equal(sql_number(f->registry,
				    "SELECT count(*) FROM audit WHERE action = 'alarm.ack' AND"
				    " object = 'PG-1' AND detail LIKE '%card replaced'"),
			 1);
	b = raise_at(f, "two-macs", "PG-1", "ap-1", NOW + 9, true);
	assert_int_not_equal(a.id, b.id);
	assert_int_equal(b.count, 1);
	assert_int_equal(listed(f, true, "", ""), 1);
	assert_int_equal(listed(f, false, "", ""), 2);
}

static void fill(struct fixture *f, const char *state, int n)
{
	char sql[600];

	snprintf(sql, sizeof(sql),
		 "WITH RECURSIVE c(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM c WHERE i < %d)"
		 " INSERT INTO alarms (kind, subject, state, device, nas, other_nas, cert_serial,"
		 " mac, other_mac, detail, action, acted_at, count, first_at, last_at, acked_at,"
		 " acked_by, note) SELECT 'two-macs', 'F-' || i, '%s', 'F-' || i, '', '', '', '',"
		 " '', '', 'none', 0, 1, 1, 1, 1, '', '' FROM c",
		 n, state);
	sql_run(f->registry, sql);
}

static void beyond_the_bound_one_alarm_says_so_and_none_is_lost(void **state)
{
	struct fixture *f = *state;
	struct alarm a;

	fill(f, "open", 1000);
	a = raise_at(f, "two-macs", "PG-1", "ap-1", NOW, true);
	assert_string_equal(a.kind, "overflow");
	assert_string_equal(a.device, "");
	assert_non_null(strstr(a.detail, "two-macs of PG-1 through ap-1"));
	a = raise_at(f, "two-sites", "PG-2", "ap-2", NOW + 1, false);
	assert_string_equal(a.kind, "overflow");
	assert_int_equal(a.count, 2);
	a = raise_at(f, "two-macs", "F-7", "ap-2", NOW, false); /* what is open still counts up */
	assert_int_equal(a.count, 2);
	assert_int_equal(sql_number(f->registry, "SELECT count(*) FROM alarms"), 1001);
}

static void only_settled_alarms_make_room(void **state)
{
	struct fixture *f = *state;

	raise_at(f, "two-sites", "PG-1", "ap-1", NOW, true);
	fill(f, "acknowledged", 10010);
	raise_at(f, "two-macs", "PG-1", "ap-1", NOW, true);
	assert_int_equal(sql_number(f->registry, "SELECT count(*) FROM alarms WHERE state ="
						 " 'acknowledged'"),
			 10000);
	assert_int_equal(listed(f, true, "PG-1", ""), 2);
}

static struct anomaly_history history(struct fixture *f, const struct alarm *a, int64_t now)
{
	struct anomaly_history h;

	assert_int_equal(store_alarm_history(f->st, a, now, &h), 0);
	return h;
}

static void history_counts_each_pump_of_the_last_hour_once(void **state)
{
	struct fixture *f = *state;
	struct alarm a = raise_at(f, "two-macs", "PG-1", "ap-1", NOW, true);

	raise_at(f, "two-sites", "PG-1", "ap-1", NOW, true);
	raise_at(f, "two-macs", "PG-2", "ap-1", NOW, true);
	raise_at(f, "two-macs", "PG-3", "ap-2", NOW, true);
	raise_at(f, "two-macs", "PG-4", "ap-1", NOW - 2 * HOUR, true);
	raise_at(f, "unknown-certificate", "", "ap-1", NOW, true); /* nobody's */
	assert_int_equal(history(f, &a, NOW).pumps, 3);
	assert_int_equal(history(f, &a, NOW).pumps_via_nas, 2);
	assert_int_equal(history(f, &a, NOW + 2 * HOUR).pumps, 0);
	a.nas[0] = '\0'; /* not known through which */
	assert_int_equal(history(f, &a, NOW).pumps_via_nas, 0);
}

static void people_are_asked_as_long_as_an_alarm_about_too_many_is_open(void **state)
{
	struct fixture *f = *state;
	struct alarm a = raise_at(f, "two-macs", "PG-1", "ap-1", NOW, true), many;

	assert_false(history(f, &a, NOW).people_asked);
	many = raise_at(f, "one-nas", "", "ap-2", NOW, true);
	assert_false(history(f, &a, NOW).people_asked); /* about another NAS */
	many = raise_at(f, "one-nas", "", "ap-1", NOW, true);
	assert_true(history(f, &a, NOW).people_asked);
	assert_int_equal(ack(f, many.id, ""), 0);
	assert_false(history(f, &a, NOW).people_asked);
	many = raise_at(f, "many-pumps", "", "", NOW, true);
	assert_true(history(f, &a, NOW + 90 * HOUR).people_asked);
	assert_int_equal(ack(f, many.id, ""), 0);
	assert_false(history(f, &a, NOW).people_asked);
}

static void a_pump_quarantined_within_a_day_is_remembered_past_the_acknowledgement(void **state)
{
	struct fixture *f = *state;
	struct alarm a = raise_at(f, "two-macs", "PG-1", "ap-1", NOW, true);

	assert_int_equal(store_alarm_acted(f->st, a.id, "quarantined", NOW), 0);
	assert_true(history(f, &a, NOW + HOUR).quarantined_already);
	assert_int_equal(ack(f, a.id, ""), 0);
	assert_true(history(f, &a, NOW + HOUR).quarantined_already);
	assert_false(history(f, &a, NOW + 25 * HOUR).quarantined_already);
	a = raise_at(f, "two-macs", "PG-2", "ap-1", NOW, true);
	assert_false(history(f, &a, NOW).quarantined_already);
}

static void open_alarms_are_counted_in_status_and_with_their_pump(void **state)
{
	struct fixture *f = *state;
	struct status s = {0};
	struct device d;
	struct alarm a = raise_at(f, "two-macs", "PG-1", "ap-1", NOW, true);

	raise_at(f, "unknown-certificate", "", "ap-1", NOW, true);
	assert_int_equal(store_status(f->st, NOW, &s), 0);
	assert_int_equal(s.open_alarms, 2);
	assert_int_equal(store_device_show(f->st, "PG-1", NOW, &d), 0);
	assert_int_equal(d.open_alarms, 1);
	assert_int_equal(ack(f, a.id, ""), 0);
	assert_int_equal(store_device_show(f->st, "PG-1", NOW, &d), 0);
	assert_int_equal(d.open_alarms, 0);
}

static int mac_set(struct fixture *f, const char *device, const char *mac, bool gone)
{
	struct device_mac rq = {.remove = gone};

	strcpy(rq.device, device);
	strcpy(rq.mac, mac);
	return store_device_mac(f->st, &admin_now, &rq);
}

static bool knows(struct fixture *f, const char *device, const char *mac)
{
	bool known;

	assert_int_equal(store_device_mac_is_known(f->st, device, mac, &known), 0);
	return known;
}

static void a_network_card_belongs_to_one_pump(void **state)
{
	struct fixture *f = *state;
	struct device d;
	char mac[MAC_SIZE];

	assert_int_equal(mac_set(f, "NOBODY", "02:00:00:00:00:71", false), ERR_NOT_FOUND);
	assert_int_equal(mac_set(f, "PG-1", "no address", false), ERR_INVALID);
	assert_int_equal(mac_set(f, "PG-1", "02:00:00:00:00:02", false), ERR_EXISTS);
	assert_int_equal(mac_set(f, "PG-1", "02:00:00:00:00:01", false), ERR_UNCHANGED);
	assert_int_equal(mac_set(f, "PG-1", "02:00:00:00:00:71", true), ERR_UNCHANGED);
	assert_int_equal(mac_set(f, "PG-1", "02-00-00-00-00-71", false), 0);
	assert_int_equal(mac_set(f, "PG-1", "02:00:00:00:00:71", false), ERR_UNCHANGED);
	assert_int_equal(mac_set(f, "PG-2", "02:00:00:00:00:71", false), ERR_EXISTS);
	assert_true(knows(f, "PG-1", "02:00:00:00:00:71"));
	assert_true(knows(f, "PG-1", "02:00:00:00:00:01"));
	assert_false(knows(f, "PG-2", "02:00:00:00:00:71"));
	assert_int_equal(store_device_show(f->st, "PG-1", NOW, &d), 0);
	assert_string_equal(d.other_macs, "02:00:00:00:00:71");
	for (int i = 0; i < 7; i++) {
		snprintf(mac, sizeof(mac), "02:00:00:00:01:%02x", i);
		assert_int_equal(mac_set(f, "PG-1", mac, false), 0);
	}
	assert_int_equal(mac_set(f, "PG-1", "02:00:00:00:01:99", false), ERR_LIMIT);
	assert_int_equal(mac_set(f, "PG-1", "02:00:00:00:00:71", true), 0);
	assert_false(knows(f, "PG-1", "02:00:00:00:00:71"));
}

static void a_nas_stands_where_an_admin_says(void **state)
{
	struct fixture *f = *state;
	struct nas n = {.name = "ap-9", .ip = "10.0.0.9", .site = "north", .secret = {.len = 10}};
	struct nas_detail show;
	char site[NAME_SIZE];

	memcpy(n.secret.data, "0123456789", 10);
	assert_int_equal(store_nas_site_set(f->st, &admin_now, "nobody", "north"), ERR_NOT_FOUND);
	assert_int_equal(store_nas_site_set(f->st, &admin_now, "ap-1", "a\tb"), ERR_INVALID);
	assert_int_equal(store_nas_site_set(f->st, &admin_now, "ap-1", ""), ERR_UNCHANGED);
	assert_int_equal(store_nas_site_set(f->st, &admin_now, "ap-1", "main house"), 0);
	assert_int_equal(store_nas_site(f->st, "ap-1", site), 0);
	assert_string_equal(site, "main house");
	assert_int_equal(store_nas_site(f->st, "nobody", site), 0);
	assert_string_equal(site, "");
	assert_int_equal(store_nas_add(f->st, &admin_now, &n), 0);
	assert_int_equal(store_nas_show(f->st, "ap-9", NOW, &show), 0);
	assert_string_equal(show.site, "north");
	strcpy(n.site, "south");
	assert_int_equal(store_nas_add(f->st, &admin_now, &n), ERR_EXISTS);
	n.site[0] = '\0'; /* not said: no contradiction */
	assert_int_equal(store_nas_add(f->st, &admin_now, &n), ERR_UNCHANGED);
}

#define WITH(t) cmocka_unit_test_setup_teardown(t, fixture_setup, fixture_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		WITH(an_alarm_that_is_not_there_can_be_neither_shown_nor_acknowledged),
		WITH(an_open_alarm_is_kept_once_and_counts_up),
		WITH(alarms_without_a_pump_are_kept_once_per_nas),
		WITH(an_acknowledged_alarm_that_comes_again_is_a_new_one),
		WITH(beyond_the_bound_one_alarm_says_so_and_none_is_lost),
		WITH(only_settled_alarms_make_room),
		WITH(history_counts_each_pump_of_the_last_hour_once),
		WITH(people_are_asked_as_long_as_an_alarm_about_too_many_is_open),
		WITH(a_pump_quarantined_within_a_day_is_remembered_past_the_acknowledgement),
		WITH(open_alarms_are_counted_in_status_and_with_their_pump),
		WITH(a_network_card_belongs_to_one_pump),
		WITH(a_nas_stands_where_an_admin_says),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
