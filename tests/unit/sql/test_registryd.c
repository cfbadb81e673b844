/* SPDX-License-Identifier: BSD-2-Clause */
/* The running service, asked over its socket in every role by this process. */
#include "tests/unit/sql/running.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "sql/store/migrate.h"

static void verb_of_another_role_ends_the_connection(void **state)
{
	struct running *r = *state;
	struct revoke q = {.device = "PG-1"};
	struct zone z = {.name = "x", .vlan = 5};
	struct token_create t = {.device = "PG-1", .ttl_ms = 60000};
	struct cert_name c = {.issuer = ISSUER, .cert_serial = "01"};
	struct revocation out;
	struct pump_facts facts;
	struct token token;

	assert_int_equal(registry_revoke(r->radius, &q, &out, WAIT_MS), ERR_TIMEOUT);
	assert_int_equal(registry_zone_add(r->enroll, &z, WAIT_MS), ERR_TIMEOUT);
	assert_int_equal(registry_token_create(r->enroll, &t, &token, WAIT_MS), ERR_TIMEOUT);
	assert_int_equal(registry_token_create(r->signer, &t, &token, WAIT_MS), ERR_TIMEOUT);
	assert_int_equal(registry_pump_facts(r->dispatch, &c, &facts, WAIT_MS), ERR_TIMEOUT);
	/* a fresh connection in the right role is served */
	assert_int_equal(registry_pump_facts(r->radius, &c, &facts, WAIT_MS), 0);
	assert_false(facts.found);
}

static void unknown_role_is_refused(void **state)
{
	struct running *r = *state;
	struct cert_name c = {.issuer = ISSUER, .cert_serial = "01"};
	struct ipc_client *nobody;
	struct pump_facts facts;

	running_client(r, "operator", &nobody);
	assert_int_not_equal(registry_pump_facts(nobody, &c, &facts, WAIT_MS), 0);
	ipc_client_free(nobody);
}

static void every_list_answers_in_a_fresh_registry(void **state)
{
	struct running *r = *state;
	struct list_query q = {0};
	struct event *events = calloc(1000, sizeof(*events));
	struct session *sessions = calloc(1000, sizeof(*sessions));
	struct cert *certs = calloc(1000, sizeof(*certs));
	struct order_status *orders = calloc(100, sizeof(*orders));
	struct audit_row *rows = calloc(1000, sizeof(*rows));
	struct id_query id = {.id = 1};
	struct audit_check check;
	struct device d;
	struct nas nas[4];
	struct zone z[4];
	size_t n;

	assert_int_equal(registry_zone_list(r->admin, &q, z, 4, &n, WAIT_MS), 0);
	assert_int_equal(n, 1);
	assert_int_equal(z[0].devices, 1);
	assert_int_equal(registry_nas_list(r->admin, &q, nas, 4, &n, WAIT_MS), 0);
	assert_int_equal(n, 2);
	assert_int_equal(nas[0].secret.len, 0);
	assert_int_equal(registry_event_list(r->admin, &q, events, 1000, &n, WAIT_MS), 0);
	assert_int_equal(registry_session_list(r->admin, &q, sessions, 1000, &n, WAIT_MS), 0);
	assert_int_equal(registry_cert_list(r->admin, &q, certs, 1000, &n, WAIT_MS), 0);
	assert_int_equal(registry_order_list(r->admin, &id, orders, 100, &n, WAIT_MS), 0);
	assert_int_equal(registry_audit_tail(r->admin, &q, rows, 1000, &n, WAIT_MS), 0);
	assert_int_equal(n, 5);
	assert_int_equal(registry_audit_verify(r->admin, &q, &check, WAIT_MS), 0);
	assert_true(check.intact);
	assert_int_equal(registry_device_show(r->admin, &q, &d, WAIT_MS), ERR_NOT_FOUND);
	strcpy(q.device, "PG-1");
	assert_int_equal(registry_event_list(r->admin, &q, events, 1000, &n, WAIT_MS), 0);
	assert_int_equal(n, 1);
	free(events);
	free(sessions);
	free(certs);
	free(orders);
	free(rows);
}

static void accounting_is_there_when_it_is_answered_even_after_a_kill(void **state)
{
	struct running *r = *state;
	struct list_query q = {.live_only = true};
	struct session s[4];
	size_t n;

	running_account(r, "start", "ap-1", "S1");
	running_end(r, SIGKILL);
	running_start(r);
	assert_int_equal(registry_session_list(r->admin, &q, s, 4, &n, WAIT_MS), 0);
	assert_int_equal(n, 1);
	assert_string_equal(s[0].session_id, "S1");
}

static void status_counts_and_says_who_is_connected(void **state)
{
	struct running *r = *state;
	struct list_query q = {0};
	struct dispatch_order o[4];
	struct status s;

	assert_int_equal(registry_status(r->admin, &q, &s, WAIT_MS), 0);
	assert_true(s.signer_present); /* it set the issuer */
	assert_false(s.dispatcher_present);
	assert_int_equal(s.devices, 1);
	assert_int_equal(s.expected, 1);
	assert_int_equal(s.nas, 2);
	assert_int_equal(s.audit_rows, 5);
	assert_int_equal(s.registry_schema, schema_registry.version);
	assert_int_equal(s.sessions_schema, schema_sessions.version);
	assert_int_equal(running_take(r, true, 0, o), 0);
	running_enroll_pg1(r, 1, 1);
	running_report(r, "accept", "ap-1", "S1", "00000001");
	running_account(r, "start", "ap-1", "S1");
	assert_int_equal(registry_status(r->admin, &q, &s, WAIT_MS), 0);
	assert_true(s.dispatcher_present && s.radius_present);
	assert_int_equal(s.enrolled, 1);
	assert_int_equal(s.certificates, 1);
	assert_int_equal(s.expiring, 1);
	assert_int_equal(s.live_sessions, 1);
	ipc_client_free(r->dispatch);
	running_client(r, "dispatch", &r->dispatch);
	usleep(50000);
	assert_int_equal(registry_status(r->admin, &q, &s, WAIT_MS), 0);
	assert_false(s.dispatcher_present);
}

static void second_service_on_the_same_home_is_refused(void **state)
{
	struct running *r = *state;
	const char *build = getenv("PUMPGATE_BUILD");
	char command[512];

	snprintf(command, sizeof(command), "%s/bin/pumpgate-registryd --home %s 2>/dev/null",
		 build ? build : "build", r->f->dir);
	assert_int_equal(WEXITSTATUS(system(command)), 75);
	snprintf(command, sizeof(command), "%s/bin/pumpgate-registryd --home %s init",
		 build ? build : "build", r->f->dir);
	assert_int_equal(WEXITSTATUS(system(command)), 0);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
#define RUN(t) cmocka_unit_test_setup_teardown(t, running_setup, running_teardown)
		RUN(verb_of_another_role_ends_the_connection),
		RUN(unknown_role_is_refused),
		RUN(second_service_on_the_same_home_is_refused),
		RUN(status_counts_and_says_who_is_connected),
		RUN(every_list_answers_in_a_fresh_registry),
		RUN(accounting_is_there_when_it_is_answered_even_after_a_kill),
	};

	if (argc > 1)
		cmocka_set_test_filter(argv[1]);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
