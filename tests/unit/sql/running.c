/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/unit/sql/running.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "sql/store/migrate.h"

void running_client(struct running *r, const char *role, struct ipc_client **out)
{
	assert_int_equal(ipc_client_new(r->socket, role, out), 0);
}

void running_start(struct running *r)
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

void running_end(struct running *r, int signo)
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

int running_setup(void **state)
{
	struct running *r = calloc(1, sizeof(*r));

	assert_non_null(r);
	fixture_setup_bare((void **)&r->f);
	snprintf(r->socket, sizeof(r->socket), "%s/run/registry/sock", r->f->dir);
	running_client(r, "admin", &r->admin);
	running_client(r, "radius", &r->radius);
	running_client(r, "signer", &r->signer);
	running_client(r, "dispatch", &r->dispatch);
	running_client(r, "enroll", &r->enroll);
	running_start(r);
	content_make(r);
	*state = r;
	return 0;
}

int running_teardown(void **state)
{
	struct running *r = *state;
	char command[256];

	running_end(r, SIGTERM);
	ipc_client_free(r->admin);
	ipc_client_free(r->radius);
	ipc_client_free(r->signer);
	ipc_client_free(r->dispatch);
	ipc_client_free(r->enroll);
	/* an event ring that was not empty stays */
	snprintf(command, sizeof(command),
		 "rm -f \"$(readlink '%s/registry/events.ring')\"; rm -rf '%s'", r->f->dir,
		 r->f->dir);
	assert_int_equal(system(command), 0);
	free(r->f);
	free(r);
	return 0;
}

/* Token, begin, store; the certificate is in force for a day. */
void running_enroll(struct running *r, const char *device, unsigned serial_no, uint8_t key)
{
	struct token_create make = {.ttl_ms = 60000};
	struct issue_begin begin;
	struct issue_grant grant;
	struct issue_store save;
	struct token token;

	strcpy(make.device, device);
	assert_int_equal(registry_token_create(r->admin, &make, &token, WAIT_MS), 0);
	begin = token_request(device, &token, serial_no, key);
	assert_int_equal(registry_issue_begin(r->signer, &begin, &grant, WAIT_MS), 0);
	save = store_request(grant.cert_serial, "certificate");
	save.not_before = clock_wall_ms() - 1000;
	save.not_after = save.not_before + 86400000;
	assert_int_equal(registry_issue_store(r->signer, &save, WAIT_MS), 0);
	assert_int_equal(registry_issue_store(r->signer, &save, WAIT_MS), 0); /* repeated */
}

void running_enroll_pg1(struct running *r, unsigned serial_no, uint8_t key)
{
	running_enroll(r, "PG-1", serial_no, key);
}

/* The service may have made another ring since. */
void running_ring(struct running *r, struct event_ring *out)
{
	int fd;

	assert_int_equal(registry_event_ring(r->radius, &fd, WAIT_MS), 0);
	assert_int_equal(event_ring_map(fd, out), 0);
	close(fd);
}

void running_put(struct running *r, const struct auth_event *e)
{
	struct event_ring ring;

	running_ring(r, &ring);
	assert_int_equal(event_ring_put(&ring, e), 0);
	event_ring_unmap(&ring);
}

void running_report(struct running *r, const char *verdict, const char *nas, const char *session,
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
	running_put(r, &e);
}

void running_account(struct running *r, const char *type, const char *nas, const char *session)
{
	struct acct_event e = {.device = "PG-1"};

	e.at = clock_wall_ms();
	strcpy(e.type, type);
	strcpy(e.nas, nas);
	strcpy(e.session_id, session);
	assert_int_equal(registry_acct_event(r->radius, &e, WAIT_MS), 0);
}

size_t running_take(struct running *r, bool fresh, uint32_t wait_ms, struct dispatch_order *out)
{
	struct dispatch_take q = {.fresh = fresh, .max = 4, .wait_ms = wait_ms};
	size_t n;

	assert_int_equal(registry_dispatch_take(r->dispatch, &q, out, 4, &n, WAIT_MS), 0);
	return n;
}

void running_answer(struct running *r, uint64_t id, const char *result)
{
	struct dispatch_result d = {.id = id, .rtt_us = 700};

	d.at = clock_wall_ms();
	strcpy(d.result, result);
	assert_int_equal(registry_dispatch_result(r->dispatch, &d, 1, WAIT_MS), 0);
}

void running_revoke_pg1(struct running *r, struct revocation *out)
{
	struct revoke q = {.device = "PG-1", .reason = "stolen"};

	assert_int_equal(registry_revoke(r->admin, &q, out, WAIT_MS), 0);
}
