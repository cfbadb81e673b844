/* SPDX-License-Identifier: BSD-2-Clause */
/* The running service, asked over its socket in every role by this process. */
#include "tests/unit/sql/fixture.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "sql/client/registry_client.h"
#include "sql/store/migrate.h"

#define WAIT_MS 5000

struct running {
	struct fixture *f;
	pid_t pid;
	char socket[128];
	struct ipc_client *admin, *radius, *signer, *dispatch, *enroll;
};

static void client(struct running *r, const char *role, struct ipc_client **out)
{
	assert_int_equal(ipc_client_new(r->socket, role, out), 0);
}

static void service_start(struct running *r)
{
	const char *build = getenv("PUMPGATE_BUILD");
	char path[256];

	snprintf(path, sizeof(path), "%s/bin/pumpgate-registryd", build ? build : "build");
	r->pid = fork();
	if (r->pid == 0) {
		if (!freopen("/dev/null", "w", stderr))
			_exit(126);
		execl(path, path, "--home", r->f->dir, (char *)NULL);
		_exit(127);
	}
	for (int i = 0; i < 1000; i++) {
		struct list_query q = {0};
		struct status s;

		if (registry_status(r->admin, &q, &s, WAIT_MS) == 0)
			return;
		usleep(5000);
	}
	fail_msg("the service does not answer: %s", err_text());
}

static void service_end(struct running *r, int signo)
{
	int how;

	kill(r->pid, signo);
	assert_int_equal(waitpid(r->pid, &how, 0), r->pid);
	if (signo == SIGTERM) /* a clean end, also under a sanitizer */
		assert_true(WIFEXITED(how) && WEXITSTATUS(how) == 0);
}

static void content_make(struct running *r)
{
	struct zone wards = {.name = "wards", .vlan = 120};
	struct nas nas = {.name = "ap-1", .ip = "10.0.0.1", .das_port = 3799, .secret = {.len = 9}};
	struct device d = {.serial = "PG-1", .mac = "02:00:00:00:00:01", .zone = "wards"};
	struct issuer issuer = {.issuer = ISSUER, .der = {.len = 3, .data = "der"}};
	struct add_outcome out;

	memcpy(nas.secret.data, "secretive", 9);
	assert_int_equal(registry_zone_add(r->admin, &wards, WAIT_MS), 0);
	assert_int_equal(registry_nas_add(r->admin, &nas, WAIT_MS), 0);
	strcpy(nas.name, "ap-2");
	strcpy(nas.ip, "10.0.0.2");
	assert_int_equal(registry_nas_add(r->admin, &nas, WAIT_MS), 0);
	assert_int_equal(registry_device_add(r->admin, &d, 1, &out, WAIT_MS), 0);
	assert_int_equal(out.code, 0);
	assert_int_equal(registry_issuer_set(r->signer, &issuer, WAIT_MS), 0);
}

static int setup(void **state)
{
	struct running *r = calloc(1, sizeof(*r));

	assert_non_null(r);
	fixture_setup_bare((void **)&r->f);
	snprintf(r->socket, sizeof(r->socket), "%s/run/registry/sock", r->f->dir);
	client(r, "admin", &r->admin);
	client(r, "radius", &r->radius);
	client(r, "signer", &r->signer);
	client(r, "dispatch", &r->dispatch);
	client(r, "enroll", &r->enroll);
	service_start(r);
	content_make(r);
	*state = r;
	return 0;
}

static int teardown(void **state)
{
	struct running *r = *state;
	char command[160];

	service_end(r, SIGTERM);
	ipc_client_free(r->admin);
	ipc_client_free(r->radius);
	ipc_client_free(r->signer);
	ipc_client_free(r->dispatch);
	ipc_client_free(r->enroll);
	snprintf(command, sizeof(command), "rm -rf '%s'", r->f->dir);
	assert_int_equal(system(command), 0);
	free(r->f);
	free(r);
	return 0;
}

/* Token, begin, store; the certificate is in force for a day. */
static void enroll_pg1(struct running *r, unsigned serial_no, uint8_t key)
{
	struct token_create make = {.device = "PG-1", .ttl_ms = 60000};
	struct issue_begin begin;
	struct issue_grant grant;
	struct issue_store save;
	struct token token;

	assert_int_equal(registry_token_create(r->admin, &make, &token, WAIT_MS), 0);
	begin = token_request("PG-1", &token, serial_no, key);
	assert_int_equal(registry_issue_begin(r->signer, &begin, &grant, WAIT_MS), 0);
	save = store_request(grant.cert_serial, "certificate");
	save.not_before = clock_wall_ms() - 1000;
	save.not_after = save.not_before + 86400000;
	assert_int_equal(registry_issue_store(r->signer, &save, WAIT_MS), 0);
	assert_int_equal(registry_issue_store(r->signer, &save, WAIT_MS), 0); /* repeated */
}

static void report(struct running *r, const char *verdict, const char *nas, const char *session,
		   const char *cert_serial)
{
	struct auth_event e = {.method = "eap-tls",
			       .device = "PG-1",
			       .issuer = ISSUER,
			       .calling_station = "02-00-00-00-00-01"};

	e.at = clock_wall_ms();
	strcpy(e.verdict, verdict);
	strcpy(e.zone, strcmp(verdict, "quarantine") ? "wards" : "jail");
	strcpy(e.nas, nas);
	strcpy(e.session_id, session);
	strcpy(e.cert_serial, cert_serial);
	assert_int_equal(registry_auth_event(r->radius, &e), 0);
}

static void account(struct running *r, const char *type, const char *nas, const char *session)
{
	struct acct_event e = {.device = "PG-1"};

	e.at = clock_wall_ms();
	strcpy(e.type, type);
	strcpy(e.nas, nas);
	strcpy(e.session_id, session);
	assert_int_equal(registry_acct_event(r->radius, &e, WAIT_MS), 0);
}

static size_t take(struct running *r, bool fresh, uint32_t wait_ms, struct dispatch_order *out)
{
	struct dispatch_take q = {.fresh = fresh, .max = 4, .wait_ms = wait_ms};
	size_t n;

	assert_int_equal(registry_dispatch_take(r->dispatch, &q, out, 4, &n, WAIT_MS), 0);
	return n;
}

static void answer(struct running *r, uint64_t id, const char *result)
{
	struct dispatch_result d = {.id = id, .rtt_us = 700};

	d.at = clock_wall_ms();
	strcpy(d.result, result);
	assert_int_equal(registry_dispatch_result(r->dispatch, &d, 1, WAIT_MS), 0);
}

static void revoke_pg1(struct running *r, struct revocation *out)
{
	struct revoke q = {.device = "PG-1", .reason = "stolen"};

	assert_int_equal(registry_revoke(r->admin, &q, out, WAIT_MS), 0);
}

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

	client(r, "operator", &nobody);
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

	account(r, "start", "ap-1", "S1");
	service_end(r, SIGKILL);
	service_start(r);
	assert_int_equal(registry_session_list(r->admin, &q, s, 4, &n, WAIT_MS), 0);
	assert_int_equal(n, 1);
	assert_string_equal(s[0].session_id, "S1");
}

static void events_of_one_message_are_all_kept_in_their_order(void **state)
{
	struct running *r = *state;
	struct auth_event e[REGISTRY_EVENTS_MAX] = {0};
	struct list_query q = {.device = "PG-1", .limit = REGISTRY_EVENTS_MAX};
	struct event got[REGISTRY_EVENTS_MAX];
	size_t n = 0;

	for (uint32_t i = 0; i < REGISTRY_EVENTS_MAX; i++) {
		e[i].at = clock_wall_ms();
		e[i].vlan = i + 1;
		strcpy(e[i].verdict, "reject");
		strcpy(e[i].device, "PG-1");
	}
	assert_int_equal(registry_auth_events(r->radius, e, REGISTRY_EVENTS_MAX, WAIT_MS), 0);
	for (int i = 0; i < 200 && n < REGISTRY_EVENTS_MAX; i++) {
		usleep(10000);
		assert_int_equal(
			registry_event_list(r->admin, &q, got, REGISTRY_EVENTS_MAX, &n, WAIT_MS),
			0);
	}
	assert_int_equal(n, REGISTRY_EVENTS_MAX);
	for (uint32_t i = 0; i < REGISTRY_EVENTS_MAX; i++) /* newest first */
		assert_int_equal(got[i].vlan, REGISTRY_EVENTS_MAX - i);
}

static void waiting_dispatcher_hears_of_a_revocation_at_once(void **state)
{
	struct running *r = *state;
	struct dispatch_order o[4];
	struct revocation receipt;
	int64_t before;
	pid_t child;
	int how;

	enroll_pg1(r, 1, 1);
	report(r, "accept", "ap-1", "S1", "00000001");
	account(r, "start", "ap-1", "S1");
	child = fork();
	if (child == 0) { /* another process asks while this one waits below */
		struct ipc_client *admin;
		struct revoke q = {.device = "PG-1", .reason = "stolen"};

		usleep(200000);
		_exit(ipc_client_new(r->socket, "admin", &admin) ||
		      registry_revoke(admin, &q, &receipt, WAIT_MS) || receipt.orders != 1);
	}
	before = clock_mono_us();
	assert_int_equal(take(r, true, 4000, o), 1);
	assert_true(clock_mono_us() - before < 2000000);
	assert_string_equal(o[0].session_id, "S1");
	assert_string_equal(o[0].calling_station, "02-00-00-00-00-01");
	waitpid(child, &how, 0);
	assert_int_equal(how, 0);
	answer(r, o[0].id, "ack");
	assert_int_equal(take(r, false, 0, o), 0);
}

static void take_without_orders_ends_empty_after_its_time(void **state)
{
	struct running *r = *state;
	struct dispatch_order o[4];
	int64_t before = clock_mono_us();

	assert_int_equal(take(r, true, 150, o), 0);
	assert_true(clock_mono_us() - before >= 150000);
}

static void accept_that_crosses_the_revocation_gets_its_own_order(void **state)
{
	struct running *r = *state;
	struct dispatch_order o[4];
	struct revocation receipt;

	enroll_pg1(r, 1, 1);
	revoke_pg1(r, &receipt);
	assert_int_equal(receipt.orders, 0);
	assert_int_equal(receipt.certificates, 1);
	report(r, "accept", "ap-2", "S9", "00000001"); /* decided before the commit */
	assert_int_equal(take(r, true, 3000, o), 1);
	assert_string_equal(o[0].nas, "ap-2");
	assert_string_equal(o[0].session_id, "S9");
	answer(r, o[0].id, "ack");
	account(r, "start", "ap-2", "S9"); /* it came up all the same */
	assert_int_equal(take(r, false, 3000, o), 1);
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

	enroll_pg1(r, 1, 1);
	assert_int_equal(registry_zone_add(r->admin, &jail, WAIT_MS), 0);
	assert_int_equal(registry_standing_change(r->admin, &change, &receipt, WAIT_MS), 0);
	assert_int_equal(receipt.orders, 0);
	report(r, "quarantine", "ap-1", "S8", "00000001");
	for (int i = 0; i < 400 && !receipt.returned_at; i++) {
		usleep(5000);
		assert_int_equal(registry_revocation(r->admin, &q, &receipt, WAIT_MS), 0);
	}
	assert_true(receipt.returned_at);
	assert_int_equal(take(r, true, 0, o), 0);
	report(r, "accept", "ap-2", "S9", "00000001"); /* decided before the commit */
	assert_int_equal(take(r, false, 3000, o), 1);
	assert_string_equal(o[0].session_id, "S9");
	answer(r, o[0].id, "ack");
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

	enroll_pg1(r, 1, 1);
	revoke_pg1(r, &receipt);
	service_end(r, SIGKILL);
	session_is_inserted(r, "S3", "");
	service_start(r);
	assert_int_equal(take(r, true, 3000, o), 1);
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

	enroll_pg1(r, 1, 1);
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
	service_end(r, SIGKILL);
	session_is_inserted(r, "S3", "wards");
	session_is_inserted(r, "S4", "jail");
	accept_is_inserted_into(r, "ap-2", "wards");
	accept_is_inserted_into(r, "ap-2", "jail"); /* it moved since */
	service_start(r);
	assert_int_equal(take(r, true, 3000, o), 1);
	assert_string_equal(o[0].session_id, "S3");
	assert_int_equal(take(r, false, 300, o), 0);
}

static void session_that_begins_outside_the_quarantine_is_ended_and_no_other(void **state)
{
	struct running *r = *state;
	struct revocation receipt;
	struct dispatch_order o[4];

	quarantine_pg1(r, &receipt);
	/* by the NAS's word before the event of its Accept, and named in accounting only */
	account(r, "start", "ap-1", "S5");
	report(r, "quarantine", "ap-1", "S5", "00000001");
	report(r, "quarantine", "ap-1", "", "00000001");
	account(r, "start", "ap-1", "S6");
	account(r, "start", "ap-2", "S7"); /* its Accept was never heard of */
	assert_int_equal(take(r, true, 4000, o), 1);
	assert_string_equal(o[0].session_id, "S7");
	assert_int_equal(take(r, false, 500, o), 0);
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
	assert_int_equal(take(r, true, 3000, o), 1);
	assert_string_equal(o[0].nas, "ap-2");
}

static void accept_without_a_session_is_found_when_the_revocation_is_asked_for_again(void **state)
{
	struct running *r = *state;
	struct dispatch_order o[4];
	struct revocation receipt;

	enroll_pg1(r, 1, 1);
	revoke_pg1(r, &receipt);
	assert_int_equal(receipt.orders, 0);
	accept_is_inserted(r, "ap-2");
	revoke_pg1(r, &receipt);
	assert_true(receipt.already);
	assert_int_equal(receipt.orders, 1);
	assert_int_equal(take(r, true, 3000, o), 1);
	assert_string_equal(o[0].nas, "ap-2");
	assert_string_equal(o[0].session_id, "");
	assert_string_equal(o[0].calling_station, "02-00-00-00-00-01");
	answer(r, o[0].id, "ack");
	revoke_pg1(r, &receipt); /* settled: no other one */
	assert_int_equal(receipt.orders, 1);
}

static void accept_without_a_session_is_found_again_after_a_crash(void **state)
{
	struct running *r = *state;
	struct dispatch_order o[4];
	struct revocation receipt;

	enroll_pg1(r, 1, 1);
	report(r, "accept", "ap-2", "", "00000001"); /* an order for the same NAS, done before */
	usleep(200000);
	revoke_pg1(r, &receipt);
	assert_int_equal(take(r, true, 3000, o), 1);
	answer(r, o[0].id, "ack");
	usleep(2000); /* past the order's millisecond */
	accept_is_inserted(r, "ap-2");
	service_end(r, SIGKILL);
	service_start(r);
	assert_int_equal(take(r, true, 3000, o), 1);
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

	enroll_pg1(r, 1, 1);
	report(r, "accept", "ap-1", "S1", "00000001");
	account(r, "start", "ap-1", "S1");
	usleep(200000); /* the events are held against the registry after they are answered */
	revoke_pg1(r, &receipt);
	assert_int_equal(take(r, true, 3000, o), 1);
	answer(r, o[0].id, "ack");
	snprintf(path, sizeof(path), "%s/registry/registry.db", r->f->dir);
	sql_run(path, "UPDATE orders SET done_at = done_at - 60000"); /* a minute ago */
	service_end(r, SIGKILL);
	service_start(r);
	assert_int_equal(take(r, true, 300, o), 0);
	revoke_pg1(r, &receipt);
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

	enroll_pg1(r, 1, 1);
	report(r, "accept", "old-switch", "S1", "00000001");
	account(r, "start", "old-switch", "S1");
	revoke_pg1(r, &receipt);
	assert_int_equal(take(r, true, 0, o), 0);
	assert_int_equal(registry_device_show(r->admin, &q, &d, WAIT_MS), 0);
	assert_int_equal(d.open_orders, 0);
	assert_int_equal(d.untold_nas, 1);
	assert_int_equal(registry_status(r->admin, &q, &s, WAIT_MS), 0);
	assert_int_equal(s.untold, 1);
	strcpy((char *)nas.secret.data, "secret-of-the-old-switch");
	nas.secret.len = strlen((char *)nas.secret.data);
	assert_int_equal(registry_nas_add(r->admin, &nas, WAIT_MS), 0);
	account(r, "start", "old-switch", "S1");
	assert_int_equal(take(r, false, 3000, o), 1);
	answer(r, o[0].id, "ack");
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

	enroll_pg1(r, 1, 1);
	sessions_break(r, "sessions");
	revoke_pg1(r, &receipt);
	assert_int_equal(receipt.orders, 2);
	assert_int_equal(registry_pump_facts(r->radius, &name, &facts, WAIT_MS), 0);
	assert_string_equal(facts.device_state, "revoked");
	assert_int_equal(take(r, true, 3000, o), 2);
	assert_string_equal(o[0].calling_station, "02-00-00-00-00-01");
	assert_string_equal(o[0].session_id, "");
}

static void accept_that_crosses_the_revocation_is_seen_though_it_cannot_be_kept(void **state)
{
	struct running *r = *state;
	struct dispatch_order o[4];
	struct revocation receipt;

	enroll_pg1(r, 1, 1);
	revoke_pg1(r, &receipt);
	sessions_break(r, "events");
	report(r, "accept", "ap-2", "S9", "00000001");
	assert_int_equal(take(r, true, 3000, o), 1);
	assert_string_equal(o[0].session_id, "S9");
}

static void restart_reported_late_settles_no_younger_order(void **state)
{
	struct running *r = *state;
	struct acct_event e = {.type = "on", .nas = "ap-1"};
	struct dispatch_order o[4];
	struct revocation receipt;

	enroll_pg1(r, 1, 1);
	account(r, "start", "ap-1", "S1");
	revoke_pg1(r, &receipt);
	assert_int_equal(receipt.orders, 1);
	e.at = clock_wall_ms() - 30000; /* Acct-Delay-Time */
	assert_int_equal(registry_acct_event(r->radius, &e, WAIT_MS), 0);
	usleep(100000); /* what it would have settled, it has by now */
	assert_int_equal(take(r, true, 0, o), 1);
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

	enroll_pg1(r, 1, 1);
	revoke_pg1(r, &receipt);
	assert_false(refused_is_noted(r));
	report(r, "reject", "ap-1", "S2", "00000001");
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

	enroll_pg1(r, 1, 1);
	enroll_pg1(r, 2, 2);
	report(r, "accept", "ap-1", "S1", "00000001");
	account(r, "start", "ap-1", "S1"); /* committed with or after the report */
	assert_int_equal(registry_pump_facts(r->radius, &old, &facts, WAIT_MS), 0);
	assert_string_equal(facts.cert_state, "valid");
	report(r, "accept", "ap-1", "S1", "00000002");
	for (int i = 0; i < 400 && strcmp(facts.cert_state, "superseded"); i++) {
		usleep(5000);
		assert_int_equal(registry_pump_facts(r->radius, &old, &facts, WAIT_MS), 0);
	}
	assert_string_equal(facts.cert_state, "superseded");
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
	assert_int_equal(take(r, true, 0, o), 0);
	enroll_pg1(r, 1, 1);
	report(r, "accept", "ap-1", "S1", "00000001");
	account(r, "start", "ap-1", "S1");
	assert_int_equal(registry_status(r->admin, &q, &s, WAIT_MS), 0);
	assert_true(s.dispatcher_present && s.radius_present);
	assert_int_equal(s.enrolled, 1);
	assert_int_equal(s.certificates, 1);
	assert_int_equal(s.expiring, 1);
	assert_int_equal(s.live_sessions, 1);
	ipc_client_free(r->dispatch);
	client(r, "dispatch", &r->dispatch);
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

/* ---- the map of standings ---- */

struct seen_map {
	struct standing_map map;
	size_t size;
};

static void map_fetch(struct running *r, struct seen_map *out)
{
	struct stat st;
	void *memory;
	int fd;

	assert_int_equal(registry_standings(r->radius, &fd, WAIT_MS), 0);
	assert_int_equal(fstat(fd, &st), 0);
	out->size = (size_t)st.st_size;
	memory = mmap(NULL, out->size, PROT_READ, MAP_SHARED, fd, 0);
	assert_ptr_not_equal(memory, MAP_FAILED);
	assert_int_equal(standing_map_attach(memory, out->size, &out->map), 0);
	close(fd);
}

static bool map_says(const struct seen_map *m, const char *serial)
{
	struct cert_name name = {.issuer = ISSUER};
	struct pump_facts facts;

	strcpy(name.cert_serial, serial);
	return standing_map_find(&m->map, &name, clock_mono_us, &facts);
}

/* The map is put after the answer of what changed it. */
static bool map_will_say(const struct seen_map *m, const char *serial)
{
	for (int i = 0; i < 2000; i++) {
		if (map_says(m, serial))
			return true;
		usleep(5000);
	}
	return false;
}

static void the_map_of_standings_is_for_radius_alone(void **state)
{
	struct running *r = *state;
	int fd;

	assert_int_not_equal(registry_standings(r->admin, &fd, WAIT_MS), 0);
	assert_int_not_equal(registry_standings(r->enroll, &fd, WAIT_MS), 0);
	assert_int_not_equal(registry_standings(r->dispatch, &fd, WAIT_MS), 0);
	assert_int_not_equal(registry_standings(r->signer, &fd, WAIT_MS), 0);
}

static void no_map_outlives_the_answer_to_a_revocation(void **state)
{
	struct running *r = *state;
	struct revocation out;
	struct seen_map m;

	enroll_pg1(r, 0x31, 31);
	map_fetch(r, &m);
	assert_true(map_will_say(&m, "00000031"));
	revoke_pg1(r, &out);
	assert_false(map_says(&m, "00000031"));
	munmap(m.map.memory, m.size);
}

static void the_map_of_a_hanging_service_is_not_believed(void **state)
{
	struct running *r = *state;
	struct seen_map m;

	enroll_pg1(r, 0x32, 32);
	map_fetch(r, &m);
	assert_true(map_will_say(&m, "00000032"));
	kill(r->pid, SIGSTOP);
	usleep(STANDING_LEASE_US + 50000);
	assert_false(map_says(&m, "00000032"));
	kill(r->pid, SIGCONT);
	assert_true(map_will_say(&m, "00000032"));
	munmap(m.map.memory, m.size);
}

/* Killed and started again, it answers a revocation at once: radiusd still has the map of before.
 */
static void the_map_of_a_killed_service_is_not_believed_once_the_next_one_revokes(void **state)
{
	struct running *r = *state;
	struct revocation out;
	struct seen_map m;

	enroll_pg1(r, 0x33, 33);
	map_fetch(r, &m);
	assert_true(map_will_say(&m, "00000033"));
	service_end(r, SIGKILL);
	service_start(r);
	revoke_pg1(r, &out);
	assert_false(map_says(&m, "00000033"));
	munmap(m.map.memory, m.size);
	map_fetch(r, &m);
	assert_false(map_says(&m, "00000033"));
	munmap(m.map.memory, m.size);
}

/* An argument: only tests of such a name. */
int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
#define RUN(t) cmocka_unit_test_setup_teardown(t, setup, teardown)
		RUN(verb_of_another_role_ends_the_connection),
		RUN(unknown_role_is_refused),
		RUN(second_service_on_the_same_home_is_refused),
		RUN(status_counts_and_says_who_is_connected),
		RUN(every_list_answers_in_a_fresh_registry),
		RUN(accounting_is_there_when_it_is_answered_even_after_a_kill),
		RUN(events_of_one_message_are_all_kept_in_their_order),
		RUN(waiting_dispatcher_hears_of_a_revocation_at_once),
		RUN(take_without_orders_ends_empty_after_its_time),
		RUN(the_map_of_standings_is_for_radius_alone),
		RUN(no_map_outlives_the_answer_to_a_revocation),
		RUN(the_map_of_a_hanging_service_is_not_believed),
		RUN(the_map_of_a_killed_service_is_not_believed_once_the_next_one_revokes),
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
