/* SPDX-License-Identifier: BSD-2-Clause */
/* Pumps' reports at the running service: who may hand them over, and what follows from them. */
#include "tests/unit/sql/running.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"

/* running_setup, with [report] in the settings. */
static int strict_setup(void **state)
{
	static const char text[] = "[report]\nmin_version = 2.0\nquarantine = yes\n"
				   "pumps_per_hour = 1\n";
	struct running *r;
	struct zone z = {.name = "away", .vlan = 66, .purpose = "quarantine"};
	char path[160];
	FILE *f;

	running_setup(state);
	r = *state;
	snprintf(path, sizeof(path), "%s/pumpgate.conf", r->f->dir);
	f = fopen(path, "w");
	assert_non_null(f);
	fputs(text, f);
	fclose(f);
	running_end(r, SIGTERM);
	running_start(r);
	assert_int_equal(registry_zone_add(r->admin, &z, WAIT_MS), 0);
	return 0;
}

static struct pump_report report_of(const char *device, const char *cert, const char *software)
{
	struct pump_report r = {.issuer = ISSUER,
				.source = "10.0.0.9",
				.key_protection = "software",
				.infusing = "unknown"};

	strcpy(r.device, device);
	strcpy(r.cert_serial, cert);
	strcpy(r.software, software);
	return r;
}

static void say(struct running *r, const char *device, const char *cert, const char *software,
		struct report_answer *out)
{
	struct pump_report said = report_of(device, cert, software);

	assert_int_equal(registry_report(r->enroll, &said, out, WAIT_MS), 0);
}

static void state_is(struct running *r, const char *device, const char *wanted)
{
	struct list_query q = {0};
	struct device d;

	strcpy(q.device, device);
	assert_int_equal(registry_device_show(r->admin, &q, &d, WAIT_MS), 0);
	assert_string_equal(d.state, wanted);
}

static void only_enrolld_may_hand_a_report_over(void **state)
{
	struct running *r = *state;
	struct pump_report said = report_of("PG-1", "00000001", "1.0");
	struct list_query q = {.device = "PG-1"};
	struct report_answer a;

	assert_int_equal(registry_report(r->radius, &said, &a, WAIT_MS), ERR_TIMEOUT);
	assert_int_equal(registry_report(r->signer, &said, &a, WAIT_MS), ERR_TIMEOUT);
	assert_int_equal(registry_report(r->admin, &said, &a, WAIT_MS), ERR_TIMEOUT);
	assert_int_equal(registry_report_show(r->enroll, &q, &said, WAIT_MS), ERR_TIMEOUT);
	assert_int_equal(registry_report_show(r->admin, &q, &said, WAIT_MS), ERR_NOT_FOUND);
}

static void a_change_is_in_the_pumps_history_once(void **state)
{
	struct running *r = *state;
	struct list_query q = {.device = "PG-1"};
	struct event e[16];
	struct report_answer a;
	size_t n = 0, seen = 0;

	running_enroll_pg1(r, 1, 1);
	say(r, "PG-1", "00000001", "1.0", &a);
	assert_string_equal(a.state, "enrolled");
	say(r, "PG-1", "00000001", "1.0", &a);
	say(r, "PG-1", "00000001", "1.1", &a);
	for (int i = 0; i < 200 && seen < 2; i++) {
		seen = 0;
		assert_int_equal(registry_event_list(r->admin, &q, e, 16, &n, WAIT_MS), 0);
		for (size_t k = 0; k < n; k++)
			seen += !strcmp(e[k].source, "report");
		usleep(10000);
	}
	assert_int_equal(seen, 2);
	assert_string_equal(e[0].source, "report");
	assert_string_equal(e[0].detail, "software 1.0 -> 1.1; from 10.0.0.9");
}

static void without_the_policy_old_software_changes_nothing(void **state)
{
	struct running *r = *state;
	struct report_answer a;

	running_enroll_pg1(r, 1, 1);
	say(r, "PG-1", "00000001", "0.0.1", &a);
	state_is(r, "PG-1", "enrolled");
}

static void old_software_is_quarantined_until_too_many_are(void **state)
{
	struct running *r = *state;
	struct device two = {.serial = "PG-2", .mac = "02:00:00:00:00:02", .zone = "wards"};
	struct standing_change back = {.device = "PG-1", .action = "release"};
	struct list_query q = {.live_only = true};
	struct add_outcome added;
	struct report_answer a;
	struct revocation receipt;
	struct alarm alarms[8];
	size_t n;

	running_enroll_pg1(r, 1, 1);
	assert_int_equal(registry_device_add(r->admin, &two, 1, &added, WAIT_MS), 0);
	running_enroll(r, "PG-2", 2, 2);
	/* up to date: nothing */
	say(r, "PG-2", "00000002", "2.0", &a);
	state_is(r, "PG-2", "enrolled");
	say(r, "PG-1", "00000001", "1.9", &a);
	state_is(r, "PG-1", "quarantined");
	say(r, "PG-1", "00000001", "1.9", &a);
	assert_string_equal(a.state, "quarantined");
	/* whom a person let back is left alone for a day */
	assert_int_equal(registry_standing_change(r->admin, &back, &receipt, WAIT_MS), 0);
	say(r, "PG-1", "00000001", "1.9", &a);
	state_is(r, "PG-1", "enrolled");
	/* the second one within the hour is for people */
	say(r, "PG-2", "00000002", "1.9", &a);
	state_is(r, "PG-2", "enrolled");
	assert_int_equal(registry_alarm_list(r->admin, &q, alarms, 8, &n, WAIT_MS), 0);
	assert_int_equal(n, 3);
	assert_string_equal(alarms[0].kind, "many-old");
	assert_string_equal(alarms[1].kind, "old-software");
	assert_string_equal(alarms[1].action, "capped");
}

/* As rlm_pump tells of it: let into the quarantine zone, though its state is enrolled. */
static void put_low(struct running *r, const char *verdict, const char *reason, const char *zone)
{
	struct auth_event e = {.method = "eap-tls",
			       .device = "PG-2",
			       .issuer = ISSUER,
			       .cert_serial = "00000002",
			       .nas = "ap-1",
			       .session_id = "s-1",
			       .calling_station = "02-00-00-00-00-02",
			       .tls = 12};

	e.at = clock_wall_ms();
	strcpy(e.verdict, verdict);
	strcpy(e.reason, reason);
	strcpy(e.zone, zone);
	running_put(r, &e);
}

static void standing_change(struct running *r, const char *action)
{
	struct standing_change rq = {.device = "PG-2", .reason = "test"};
	struct revocation receipt;

	strcpy(rq.action, action);
	assert_int_equal(registry_standing_change(r->admin, &rq, &receipt, WAIT_MS), 0);
}

static bool answered(struct running *r, const char *wanted, struct report_answer *out)
{
	for (int i = 0; i < 200; i++) {
		say(r, "PG-2", "00000002", "1.0", out);
		if (!strcmp(out->state, wanted))
			return true;
		usleep(10000);
	}
	return false;
}

static void a_pump_below_its_models_floor_is_told_so_and_left_where_it_is(void **state)
{
	struct zone jail = {.name = "jail", .vlan = 198, .purpose = "quarantine"};
	struct device two = {
		.serial = "PG-2", .model = "P1", .mac = "02:00:00:00:00:02", .zone = "wards"};
	struct model_tls floor = {.model = "P1", .min = 13};
	struct running *r = *state;
	struct dispatch_order order[4];
	struct add_outcome added;
	struct report_answer a;

	assert_int_equal(registry_device_add(r->admin, &two, 1, &added, WAIT_MS), 0);
	running_enroll(r, "PG-2", 2, 2);
	assert_int_equal(registry_zone_add(r->admin, &jail, WAIT_MS), 0);
	standing_change(r, "quarantine"); /* a standing that changed is looked after more */
	standing_change(r, "release");
	assert_int_equal(registry_model_tls_set(r->radius, &floor, WAIT_MS), ERR_TIMEOUT);
	assert_int_equal(registry_model_tls_set(r->admin, &floor, WAIT_MS), 0);
	put_low(r, "quarantine", "tls-below-model", "jail");
	assert_true(answered(r, "quarantined", &a));
	assert_non_null(strstr(a.reason, "lower version of TLS"));
	assert_int_equal(running_take(r, true, 300, order), 0);
	put_low(r, "accept", "in-good-standing", "wards");
	assert_true(answered(r, "enrolled", &a));
	/* the same place for any other reason is a wrong one */
	put_low(r, "quarantine", "quarantined", "jail");
	assert_int_equal(running_take(r, false, 5000, order), 1);
	assert_string_equal(order[0].session_id, "s-1");
}

static void a_port_beyond_the_models_is_an_alarm_and_nothing_else(void **state)
{
	struct running *r = *state;
	struct model_ports m = {.model = "no such model", .allowed = "tcp/22"}, listed[4];
	struct device two = {
		.serial = "PG-2", .model = "P1", .mac = "02:00:00:00:00:02", .zone = "wards"};
	struct pump_report said = report_of("PG-2", "00000002", "1.0"), shown;
	struct list_query q = {.device = "PG-2"}, all = {.live_only = true};
	struct add_outcome added;
	struct report_answer a;
	struct alarm alarms[4];
	size_t n;

	assert_int_equal(registry_device_add(r->admin, &two, 1, &added, WAIT_MS), 0);
	running_enroll(r, "PG-2", 2, 2);
	assert_int_equal(registry_model_set(r->enroll, &m, WAIT_MS), ERR_TIMEOUT);
	assert_int_equal(registry_model_set(r->admin, &m, WAIT_MS), ERR_NOT_FOUND);
	strcpy(m.model, "P1");
	strcpy(m.allowed, "tcp/22;");
	assert_int_equal(registry_model_set(r->admin, &m, WAIT_MS), ERR_INVALID);
	/* nobody has said anything: any port */
	strcpy(said.ports, "tcp/22 tcp/23");
	assert_int_equal(registry_report(r->enroll, &said, &a, WAIT_MS), 0);
	assert_int_equal(registry_alarm_list(r->admin, &all, alarms, 4, &n, WAIT_MS), 0);
	assert_int_equal(n, 0);
	strcpy(m.allowed, "tcp/22");
	assert_int_equal(registry_model_set(r->admin, &m, WAIT_MS), 0);
	assert_int_equal(registry_model_set(r->admin, &m, WAIT_MS), ERR_UNCHANGED);
	assert_int_equal(registry_report(r->enroll, &said, &a, WAIT_MS), 0);
	assert_int_equal(registry_alarm_list(r->admin, &all, alarms, 4, &n, WAIT_MS), 0);
	assert_int_equal(n, 1);
	assert_string_equal(alarms[0].kind, "open-port");
	assert_string_equal(alarms[0].device, "PG-2");
	assert_string_equal(alarms[0].detail, "open: tcp/23");
	assert_string_equal(alarms[0].action, "none");
	state_is(r, "PG-2", "enrolled");
	assert_int_equal(registry_report_show(r->admin, &q, &shown, WAIT_MS), 0);
	assert_string_equal(shown.ports_beyond, "tcp/23");
	/* any port again */
	m.any = true;
	assert_int_equal(registry_model_set(r->admin, &m, WAIT_MS), 0);
	assert_int_equal(registry_model_set(r->admin, &m, WAIT_MS), ERR_UNCHANGED);
	assert_int_equal(registry_report_show(r->admin, &q, &shown, WAIT_MS), 0);
	assert_string_equal(shown.ports_beyond, "");
	memset(&q, 0, sizeof(q));
	assert_int_equal(registry_model_list(r->admin, &q, listed, 4, &n, WAIT_MS), 0);
	assert_int_equal(n, 1); /* PG-1 has none */
	assert_true(listed[0].any);
	assert_int_equal(listed[0].pumps, 1);
}

static void idle_say(struct running *r, const char *infusing)
{
	struct pump_report said = report_of("PG-1", "00000001", "1.0");
	struct report_answer a;

	strcpy(said.infusing, infusing);
	assert_int_equal(registry_report(r->enroll, &said, &a, WAIT_MS), 0);
}

static void state_becomes(struct running *r, const char *wanted)
{
	struct list_query q = {.device = "PG-1"};
	struct device d = {0};

	for (int i = 0; i < 500 && strcmp(d.state, wanted) != 0; i++) {
		assert_int_equal(registry_device_show(r->admin, &q, &d, WAIT_MS), 0);
		usleep(10000);
	}
	assert_string_equal(d.state, wanted);
}

static void a_revocation_waits_for_an_idle_pump_also_over_a_restart(void **state)
{
	struct running *r = *state;
	struct revoke rq = {.device = "PG-1", .reason = "recall", .when_idle = true};
	struct list_query q = {0};
	struct revocation v;
	struct status st;

	running_enroll_pg1(r, 1, 1);
	idle_say(r, "infusing");
	assert_int_equal(registry_revoke(r->admin, &rq, &v, WAIT_MS), 0);
	assert_true(v.waiting);
	assert_int_equal(registry_revoke(r->admin, &rq, &v, WAIT_MS), 0);
	assert_true(v.waiting);
	idle_say(r, "unknown");
	state_is(r, "PG-1", "enrolled");
	running_end(r, SIGKILL);
	running_start(r);
	assert_int_equal(registry_status(r->admin, &q, &st, WAIT_MS), 0);
	assert_int_equal(st.waiting, 1);
	state_is(r, "PG-1", "enrolled");
	idle_say(r, "idle");
	state_becomes(r, "revoked");
	assert_int_equal(registry_status(r->admin, &q, &st, WAIT_MS), 0);
	assert_int_equal(st.waiting, 0);
	assert_int_equal(registry_revoke(r->admin, &rq, &v, WAIT_MS), 0);
	assert_false(v.waiting);
	assert_true(v.already);
	assert_string_equal(v.reason, "recall");
}

static void a_pump_that_is_idle_is_not_waited_for(void **state)
{
	struct running *r = *state;
	struct revoke rq = {.device = "PG-1", .reason = "recall", .when_idle = true};
	struct revocation v;

	running_enroll_pg1(r, 1, 1);
	idle_say(r, "idle");
	assert_int_equal(registry_revoke(r->admin, &rq, &v, WAIT_MS), 0);
	assert_false(v.waiting);
	state_is(r, "PG-1", "revoked");
}

static void what_is_taken_back_is_not_done_and_a_time_that_is_over_is(void **state)
{
	struct running *r = *state;
	struct revoke rq = {.device = "PG-1", .reason = "recall", .when_idle = true};
	struct pump_name pump = {.device = "PG-1"};
	struct revocation v;

	running_enroll_pg1(r, 1, 1);
	assert_int_equal(registry_revoke(r->admin, &rq, &v, WAIT_MS), 0);
	assert_int_equal(registry_pending_cancel(r->enroll, &pump, WAIT_MS), ERR_TIMEOUT);
	assert_int_equal(registry_pending_cancel(r->admin, &pump, WAIT_MS), 0);
	assert_int_equal(registry_pending_cancel(r->admin, &pump, WAIT_MS), ERR_NOT_FOUND);
	idle_say(r, "idle");
	idle_say(r, "infusing");
	state_is(r, "PG-1", "enrolled");
	rq.at_latest = clock_wall_ms() + 300;
	assert_int_equal(registry_revoke(r->admin, &rq, &v, WAIT_MS), 0);
	assert_true(v.waiting);
	state_becomes(r, "revoked");
}

#define TEST(fn, setup) cmocka_unit_test_setup_teardown(fn, setup, running_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(only_enrolld_may_hand_a_report_over, running_setup),
		TEST(a_change_is_in_the_pumps_history_once, running_setup),
		TEST(without_the_policy_old_software_changes_nothing, running_setup),
		TEST(old_software_is_quarantined_until_too_many_are, strict_setup),
		TEST(a_pump_below_its_models_floor_is_told_so_and_left_where_it_is, running_setup),
		TEST(a_port_beyond_the_models_is_an_alarm_and_nothing_else, running_setup),
		TEST(a_revocation_waits_for_an_idle_pump_also_over_a_restart, running_setup),
		TEST(a_pump_that_is_idle_is_not_waited_for, running_setup),
		TEST(what_is_taken_back_is_not_done_and_a_time_that_is_over_is, running_setup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
