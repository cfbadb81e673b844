/* SPDX-License-Identifier: BSD-2-Clause */
/* radiusd's link to the registry, with a registry in a process of its own that is stopped and
 * killed. */
#include "tests/support/cmocka.h"

#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <event2/event.h>

#include "base/clock.h"
#include "base/ipc_server.h"
#include "radius_modules/rlm_pump/registry_link.h"

static char path[64];
static int told[2]; /* one byte for each event that the registry gets: its number */
static pid_t registry;

static void answer_pump(struct ipc_request *rq, void *ctx)
{
	struct pump_facts f = {.found = true, .vlan = 120};

	(void)ctx;
	ipc_request_reply(rq, &f, 1);
}

static void answer_acct(struct ipc_request *rq, void *ctx)
{
	(void)ctx;
	ipc_request_reply(rq, NULL, 0);
}

static void take_event(struct ipc_request *rq, void *ctx)
{
	const struct auth_event *e = ipc_request_record(rq);
	uint8_t number = (uint8_t)e->vlan;

	(void)ctx;
	if (write(told[1], &number, 1) != 1)
		_exit(1);
	ipc_request_release(rq);
}

static void serve(void)
{
	static const struct ipc_verb verbs[] = {
		{REGISTRY_PUMP_FACTS, "pump", &record_cert_name, 1, &record_pump_facts, false,
		 answer_pump},
		{REGISTRY_AUTH_EVENT, "auth", &record_auth_event, 1, NULL, true, take_event},
		{REGISTRY_ACCT_EVENT, "acct", &record_acct_event, 1, NULL, false, answer_acct},
	};
	uid_t uid = getuid();
	const struct ipc_role role = {"radius", &uid, 1, verbs, 3};
	const struct ipc_server_options o = {.path = path,
					     .mode = 0600,
					     .group = (gid_t)-1,
					     .max_connections = 64,
					     .max_in_flight = 4,
					     .roles = &role,
					     .n_roles = 1};
	struct event_base *base;
	struct ipc_server *s;

	signal(SIGPIPE, SIG_IGN);
	base = event_base_new();
	if (base && !ipc_server_new(base, &o, &s))
		event_base_dispatch(base);
	_exit(1);
}

static void registry_start(void)
{
	registry = fork();
	assert_true(registry >= 0);
	if (registry == 0)
		serve();
	for (int i = 0; i < 200 && access(path, F_OK); i++)
		usleep(10000);
}

static void registry_kill(void)
{
	kill(registry, SIGKILL);
	waitpid(registry, NULL, 0);
	unlink(path);
}

static int setup(void **state)
{
	(void)state;
	snprintf(path, sizeof(path), "/tmp/pumpgate-link.%d", (int)getpid());
	assert_int_equal(pipe(told), 0);
	registry_start();
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	registry_kill();
	close(told[0]);
	close(told[1]);
	return 0;
}

static int ask(struct registry_link *l, int64_t *took_ms)
{
	const struct cert_name q = {"/CN=ca", "0a"};
	struct pump_facts f;
	int64_t start = clock_mono_us();
	int rc = registry_link_pump_facts(l, &q, &f);

	*took_ms = (clock_mono_us() - start) / 1000;
	return rc;
}

static struct registry_link *link_up(void)
{
	struct registry_link *l;
	int64_t took_ms;
	int rc = ERR_UNAVAILABLE;

	assert_int_equal(registry_link_new(path, &l), 0);
	for (int i = 0; rc && i < 200; i++) {
		rc = ask(l, &took_ms);
		if (rc)
			usleep(10000);
	}
	assert_int_equal(rc, 0);
	return l;
}

static void a_hanging_registry_costs_one_timeout_and_then_nothing(void **state)
{
	struct registry_link *l = link_up();
	int64_t took_ms;

	(void)state;
	kill(registry, SIGSTOP);
	assert_int_not_equal(ask(l, &took_ms), 0);
	assert_in_range(took_ms, LINK_FACTS_MS - 10, 4 * LINK_FACTS_MS);
	for (int i = 0; i < 100; i++) {
		assert_int_equal(ask(l, &took_ms), ERR_UNAVAILABLE);
		assert_true(took_ms < LINK_FACTS_MS / 2);
	}
	kill(registry, SIGCONT);
	usleep((LINK_PAUSE_MS + 50) * 1000);
	assert_int_equal(ask(l, &took_ms), 0);
	registry_link_free(l);
}

struct asker {
	struct registry_link *l;
	int64_t took_ms;
	int rc;
};

static void *ask_in_thread(void *arg)
{
	struct asker *a = arg;

	a->rc = ask(a->l, &a->took_ms);
	return NULL;
}

/* After the pause one of many threads tries again; the others do not wait behind it. */
static void only_one_thread_tries_a_hanging_registry_again(void **state)
{
	struct asker askers[16];
	pthread_t threads[16];
	struct registry_link *l = link_up();
	int64_t took_ms;
	int waited = 0;

	(void)state;
	kill(registry, SIGSTOP);
	assert_int_not_equal(ask(l, &took_ms), 0);
	usleep((LINK_PAUSE_MS + 50) * 1000);
	for (int i = 0; i < 16; i++) {
		askers[i] = (struct asker){.l = l};
		assert_int_equal(pthread_create(&threads[i], NULL, ask_in_thread, &askers[i]), 0);
	}
	for (int i = 0; i < 16; i++) {
		pthread_join(threads[i], NULL);
		assert_int_not_equal(askers[i].rc, 0);
		waited += askers[i].took_ms >= LINK_FACTS_MS - 10;
	}
	assert_int_equal(waited, 1);
	kill(registry, SIGCONT);
	registry_link_free(l);
}

static void a_restarted_registry_is_used_at_the_next_question(void **state)
{
	struct registry_link *l = link_up();
	int64_t took_ms;

	(void)state;
	registry_kill();
	assert_int_equal(ask(l, &took_ms), ERR_UNAVAILABLE);
	assert_true(took_ms < 100);
	registry_start();
	assert_int_equal(ask(l, &took_ms), 0);
	registry_link_free(l);
}

/* True when the registry gets just this event next. */
static bool is_told(uint8_t number)
{
	struct pollfd p = {.fd = told[0], .events = POLLIN};
	uint8_t got;

	return poll(&p, 1, 2000) == 1 && read(told[0], &got, 1) == 1 && got == number;
}

static void events_of_a_dead_registry_are_delivered_after_the_next_one(void **state)
{
	struct registry_link *l = link_up();
	struct auth_event e = {.at = 1};
	int64_t took_ms;

	(void)state;
	registry_kill();
	for (e.vlan = 1; e.vlan <= 3; e.vlan++)
		assert_int_not_equal(registry_link_auth_event(l, &e), 0);
	registry_start();
	assert_int_equal(ask(l, &took_ms), 0);
	e.vlan = 9;
	assert_int_equal(registry_link_auth_event(l, &e), 0);
	assert_true(is_told(9) && is_told(1) && is_told(2) && is_told(3));
	registry_link_free(l);
}

static void the_newest_events_are_kept_when_too_many_wait(void **state)
{
	struct registry_link *l = link_up();
	struct auth_event e = {.at = 1};
	int64_t took_ms;

	(void)state;
	registry_kill();
	for (int i = 0; i < LINK_BACKLOG + 2; i++) {
		e.vlan = (uint32_t)i;
		assert_int_not_equal(registry_link_auth_event(l, &e), 0);
	}
	registry_start();
	assert_int_equal(ask(l, &took_ms), 0);
	e.vlan = 200;
	assert_int_equal(registry_link_auth_event(l, &e), 0);
	assert_true(is_told(200) && is_told(2) && is_told(3));
	registry_link_free(l);
}

static void refusals_push_out_no_accept_that_waits(void **state)
{
	struct registry_link *l = link_up();
	struct auth_event e = {.at = 1, .vlan = 7, .verdict = "accept"};
	int64_t took_ms;

	(void)state;
	registry_kill();
	assert_int_not_equal(registry_link_auth_event(l, &e), 0);
	strcpy(e.verdict, "reject");
	e.vlan = 0;
	for (int i = 0; i < 2 * LINK_BACKLOG; i++)
		assert_int_not_equal(registry_link_auth_event(l, &e), 0);
	registry_start();
	assert_int_equal(ask(l, &took_ms), 0);
	e.vlan = 9;
	assert_int_equal(registry_link_auth_event(l, &e), 0);
	assert_true(is_told(9) && is_told(7));
	registry_link_free(l);
}

static void accounting_is_acknowledged_only_by_an_answer(void **state)
{
	struct registry_link *l = link_up();
	struct acct_event e = {.at = 1};
	int64_t start;

	(void)state;
	assert_int_equal(registry_link_acct_event(l, &e), 0);
	kill(registry, SIGSTOP);
	start = clock_mono_us();
	assert_int_not_equal(registry_link_acct_event(l, &e), 0);
	assert_true(clock_mono_us() - start < (LINK_ACCT_MS + 1000) * 1000LL);
	kill(registry, SIGCONT);
	registry_link_free(l);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
			a_hanging_registry_costs_one_timeout_and_then_nothing, setup, teardown),
		cmocka_unit_test_setup_teardown(only_one_thread_tries_a_hanging_registry_again,
						setup, teardown),
		cmocka_unit_test_setup_teardown(accounting_is_acknowledged_only_by_an_answer, setup,
						teardown),
		cmocka_unit_test_setup_teardown(a_restarted_registry_is_used_at_the_next_question,
						setup, teardown),
		cmocka_unit_test_setup_teardown(
			events_of_a_dead_registry_are_delivered_after_the_next_one, setup,
			teardown),
		cmocka_unit_test_setup_teardown(the_newest_events_are_kept_when_too_many_wait,
						setup, teardown),
		cmocka_unit_test_setup_teardown(refusals_push_out_no_accept_that_waits, setup,
						teardown),
	};

	return cmocka_run_group_tests_name("rlm_pump_link", tests, NULL, NULL);
}
