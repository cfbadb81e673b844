/* SPDX-License-Identifier: BSD-2-Clause */
/* radiusd's link to the registry, with a registry in a process of its own that is stopped and
 * killed. */
#include "tests/support/cmocka.h"

#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <event2/event.h>

#include "base/clock.h"
#include "base/ipc_server.h"
#include "radius_modules/rlm_pump/registry_link.h"
#include "radius_modules/rlm_pump/standing_view.h"
#include "sql/proto/standing_map.h"

static char path[64];
static int told[2]; /* one byte for each event that the registry gets, and a 0 after each message */
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

/* ---- its map of standings, which says another VLAN than its answers ---- */

static bool sealed = true;
static struct standing_map standings;
static int standings_fd = -1;

static void beat(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	(void)arg;
	standing_map_beat(&standings, clock_mono_us());
}

static void standings_make(struct event_base *base)
{
	struct standing s = {.name = {"/CN=ca", "0b"}, .facts = {.found = true, .vlan = 121}};
	const struct timeval every = {.tv_usec = STANDING_BEAT_US};
	size_t size = standing_map_size(0, 0);
	void *memory;

	strcpy(s.facts.device_state, "enrolled");
	strcpy(s.facts.cert_state, "valid");
	standings_fd = memfd_create("test", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	if (standings_fd < 0 || ftruncate(standings_fd, (off_t)size))
		_exit(1);
	memory = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, standings_fd, 0);
	if (memory == MAP_FAILED)
		_exit(1);
	standing_map_init(memory, 0, 0, &standings);
	if (standing_map_put(&standings, &s) ||
	    (sealed && fcntl(standings_fd, F_ADD_SEALS, F_SEAL_SHRINK)))
		_exit(1);
	standing_map_open(&standings, true);
	beat(-1, 0, NULL);
	event_add(event_new(base, -1, EV_PERSIST, beat, NULL), &every);
}

static void answer_map(struct ipc_request *rq, void *ctx)
{
	(void)ctx;
	ipc_request_reply_fd(rq, standings_fd);
}

/* The numbers of a message's events, and then a 0. */
static void take_events(struct ipc_request *rq, void *ctx)
{
	size_t n;
	const struct auth_event *e = ipc_request_records(rq, &n);
	uint8_t numbers[REGISTRY_EVENTS_MAX + 1];

	(void)ctx;
	for (size_t i = 0; i < n; i++)
		numbers[i] = (uint8_t)e[i].vlan;
	numbers[n] = 0;
	if (write(told[1], numbers, n + 1) != (ssize_t)n + 1)
		_exit(1);
	ipc_request_release(rq);
}

static void serve(void)
{
	static const struct ipc_verb verbs[] = {
		{REGISTRY_PUMP_FACTS, "pump", &record_cert_name, 1, &record_pump_facts, false,
		 answer_pump},
		{REGISTRY_AUTH_EVENT, "auth", &record_auth_event, REGISTRY_EVENTS_MAX, NULL, true,
		 take_events},
		{REGISTRY_ACCT_EVENT, "acct", &record_acct_event, 1, NULL, false, answer_acct},
		{.verb = REGISTRY_STANDINGS, .name = "standings", .handle = answer_map},
	};
	uid_t uid = getuid();
	const struct ipc_role role = {"radius", &uid, 1, verbs, 4};
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
	standings_make(base);
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

/* The VLAN of the pump that the map lists; 0: there was no answer. */
static uint32_t vlan_of_listed(struct registry_link *l)
{
	const struct cert_name q = {"/CN=ca", "0b"};
	struct pump_facts f = {0};

	return registry_link_pump_facts(l, &q, &f) ? 0 : f.vlan;
}

static bool becomes(struct registry_link *l, uint32_t vlan)
{
	for (int i = 0; i < 500; i++) {
		if (vlan_of_listed(l) == vlan)
			return true;
		usleep(10000);
	}
	return false;
}

static void the_map_is_believed_only_while_its_registry_lives(void **state)
{
	struct registry_link *l = link_up();

	(void)state;
	assert_true(becomes(l, 121));
	kill(registry, SIGSTOP);
	usleep(STANDING_LEASE_US + 10000);
	assert_int_equal(vlan_of_listed(l), 0);
	kill(registry, SIGCONT);
	assert_true(becomes(l, 121));
	registry_kill();
	usleep(STANDING_LEASE_US + 10000);
	assert_int_equal(vlan_of_listed(l), 0);
	registry_start();
	assert_true(becomes(l, 120)); /* it is asked, and then gives its map */
	assert_true(becomes(l, 121));
	registry_link_free(l);
}

static void memory_that_could_shrink_is_not_mapped(void **state)
{
	struct registry_link *l;

	(void)state;
	registry_kill();
	sealed = false;
	registry_start();
	sealed = true;
	l = link_up();
	for (int i = 0; i < 12; i++) {
		assert_int_equal(vlan_of_listed(l), 120);
		usleep(VIEW_EVERY_US / 10);
	}
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

/* The next byte that the registry tells; -1 when none comes. */
static int told_next(int wait_ms)
{
	struct pollfd p = {.fd = told[0], .events = POLLIN};
	uint8_t got;

	return poll(&p, 1, wait_ms) == 1 && read(told[0], &got, 1) == 1 ? got : -1;
}

/* The next event, whatever messages they come in. */
static int event_next(void)
{
	int got;

	do
		got = told_next(2000);
	while (got == 0);
	return got;
}

static int put(struct registry_link *l, uint32_t number)
{
	struct auth_event e = {.at = 1, .vlan = number};

	return registry_link_auth_event(l, &e);
}

/* Until the thread of the events has seen that registryd is away. */
static void wait_for_away(struct registry_link *l, uint32_t number)
{
	int64_t end = clock_mono_us() + 3000000;

	assert_int_equal(put(l, number), 0);
	while (put(l, number) == 0 && clock_mono_us() < end)
		usleep(1000);
	assert_int_equal(put(l, number), ERR_UNAVAILABLE);
}

static void events_of_a_dead_registry_are_delivered_when_it_is_back(void **state)
{
	struct registry_link *l = link_up();
	int got;

	(void)state;
	registry_kill();
	wait_for_away(l, 7);
	for (uint32_t i = 1; i <= 3; i++)
		assert_int_equal(put(l, i), ERR_UNAVAILABLE);
	registry_start();
	while ((got = event_next()) == 7)
		;
	assert_int_equal(got, 1);
	assert_int_equal(event_next(), 2);
	assert_int_equal(event_next(), 3);
	assert_int_equal(registry_link_free(l), 0);
}

static void the_newest_events_are_kept_when_too_many_wait(void **state)
{
	struct registry_link *l = link_up();

	(void)state;
	registry_kill();
	wait_for_away(l, 7);
	for (uint32_t i = 0; i < EVENT_KEPT_MAX - 2; i++)
		(void)put(l, 8); /* push out all of the 7 */
	assert_int_equal(put(l, 1), ERR_BUSY);
	assert_int_equal(put(l, 2), ERR_BUSY);
	registry_start();
	for (int i = 0; i < EVENT_KEPT_MAX - 2; i++)
		assert_int_equal(event_next(), 8);
	assert_int_equal(event_next(), 1);
	assert_int_equal(event_next(), 2);
	assert_int_equal(registry_link_free(l), 0);
}

static void the_first_event_leaves_at_once_and_those_that_follow_share_a_message(void **state)
{
	struct registry_link *l = link_up();
	int messages = 0, events = 0;
	int64_t start = clock_mono_us();

	(void)state;
	assert_int_equal(put(l, 1), 0);
	assert_int_equal(event_next(), 1);
	for (int i = 0; i < 40; i++)
		assert_int_equal(put(l, 9), 0);
	while (events < 40) {
		int got = told_next(2000);

		assert_true(got == 0 || got == 9);
		messages += got == 0;
		events += got == 9;
	}
	/* with the end of the first one's message; a slow machine may have seen a pause or two */
	assert_true(messages <= 2 + (clock_mono_us() - start) / (EVENT_GATHER_MS * 1000));
	assert_int_equal(registry_link_free(l), 0);
}

static void what_waits_at_the_end_is_delivered_and_what_can_not_be_is_counted(void **state)
{
	struct registry_link *l = link_up();

	(void)state;
	for (uint32_t i = 1; i <= 200; i++)
		assert_int_equal(put(l, i), 0);
	assert_int_equal(registry_link_free(l), 0);
	for (int i = 1; i <= 200; i++)
		assert_int_equal(event_next(), i);
	l = link_up();
	registry_kill();
	(void)put(l, 1);
	(void)put(l, 2);
	assert_int_equal(registry_link_free(l), 2);
}

#define PUTS \
	60 /* of eight threads: fewer than the queue holds, so that a slow machine loses none */

struct putter {
	struct registry_link *l;
	uint32_t number;
};

static void *put_many(void *arg)
{
	struct putter *p = arg;

	for (int i = 0; i < PUTS; i++)
		(void)put(p->l, p->number);
	return NULL;
}

static void events_of_many_threads_arrive_once_each(void **state)
{
	struct registry_link *l = link_up();
	struct putter putters[8];
	pthread_t threads[8];
	int count[9] = {0};

	(void)state;
	for (uint32_t i = 0; i < 8; i++) {
		putters[i] = (struct putter){l, i + 1};
		assert_int_equal(pthread_create(&threads[i], NULL, put_many, &putters[i]), 0);
	}
	for (int i = 0; i < 8; i++)
		pthread_join(threads[i], NULL);
	assert_int_equal(registry_link_free(l), 0);
	for (int i = 0; i < 8 * PUTS; i++) {
		int got = event_next();

		assert_in_range(got, 1, 8);
		count[got]++;
	}
	for (int i = 1; i <= 8; i++)
		assert_int_equal(count[i], PUTS);
}

struct accountant {
	struct registry_link *l;
	int64_t took_ms;
	int rc;
};

static void *account_in_thread(void *arg)
{
	struct accountant *a = arg;
	struct acct_event e = {.at = 1};
	int64_t start = clock_mono_us();

	a->rc = registry_link_acct_event(a->l, &e);
	a->took_ms = (clock_mono_us() - start) / 1000;
	return NULL;
}

#define ACCOUNTANTS 32
static void account_at_once(struct registry_link *l, struct accountant *out)
{
	pthread_t threads[ACCOUNTANTS];

	for (int i = 0; i < ACCOUNTANTS; i++) {
		out[i] = (struct accountant){.l = l};
		assert_int_equal(pthread_create(&threads[i], NULL, account_in_thread, &out[i]), 0);
	}
	for (int i = 0; i < ACCOUNTANTS; i++)
		pthread_join(threads[i], NULL);
}

static void a_burst_of_accounting_is_answered_while_commits_are_quick(void **state)
{
	struct registry_link *l = link_up();
	struct accountant a[ACCOUNTANTS];

	(void)state;
	for (int round = 0; round < 3; round++) {
		account_at_once(l, a);
		for (int i = 0; i < ACCOUNTANTS; i++)
			assert_int_equal(a[i].rc, 0);
	}
	registry_link_free(l);
}

/* Eight wait their full time; the others are back soon to serve authentication, and after the first
 * slow answer they don't wait at all. */
static void slow_accounting_holds_few_threads(void **state)
{
	struct registry_link *l = link_up();
	struct accountant a[ACCOUNTANTS];
	int long_waits = 0, busy = 0;

	(void)state;
	kill(registry, SIGSTOP);
	account_at_once(l, a);
	for (int i = 0; i < ACCOUNTANTS; i++) {
		assert_int_not_equal(a[i].rc, 0);
		long_waits += a[i].took_ms >= LINK_ACCT_MS / 2;
	}
	assert_in_range(long_waits, 1, LINK_ACCT_MAX);
	account_at_once(l, a);
	for (int i = 0; i < ACCOUNTANTS; i++)
		busy += a[i].rc == ERR_BUSY;
	assert_in_range(busy, ACCOUNTANTS - LINK_ACCT_MAX, ACCOUNTANTS - 1);
	kill(registry, SIGCONT);
	registry_link_free(l);
}

static void refusals_push_out_no_accept_that_waits(void **state)
{
	struct registry_link *l = link_up();
	struct auth_event e = {.at = 1, .vlan = 8, .verdict = "reject"};

	(void)state;
	registry_kill();
	wait_for_away(l, 7);
	for (int i = 0; i < 2 * EVENT_KEPT_MAX; i++)
		assert_int_not_equal(registry_link_auth_event(l, &e), 0);
	registry_start();
	assert_int_equal(event_next(), 7);
	assert_int_equal(registry_link_free(l), 0);
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
		cmocka_unit_test_setup_teardown(the_map_is_believed_only_while_its_registry_lives,
						setup, teardown),
		cmocka_unit_test_setup_teardown(memory_that_could_shrink_is_not_mapped, setup,
						teardown),
		cmocka_unit_test_setup_teardown(
			a_hanging_registry_costs_one_timeout_and_then_nothing, setup, teardown),
		cmocka_unit_test_setup_teardown(only_one_thread_tries_a_hanging_registry_again,
						setup, teardown),
		cmocka_unit_test_setup_teardown(accounting_is_acknowledged_only_by_an_answer, setup,
						teardown),
		cmocka_unit_test_setup_teardown(a_restarted_registry_is_used_at_the_next_question,
						setup, teardown),
		cmocka_unit_test_setup_teardown(
			events_of_a_dead_registry_are_delivered_when_it_is_back, setup, teardown),
		cmocka_unit_test_setup_teardown(the_newest_events_are_kept_when_too_many_wait,
						setup, teardown),
		cmocka_unit_test_setup_teardown(refusals_push_out_no_accept_that_waits, setup,
						teardown),
		cmocka_unit_test_setup_teardown(
			the_first_event_leaves_at_once_and_those_that_follow_share_a_message, setup,
			teardown),
		cmocka_unit_test_setup_teardown(
			what_waits_at_the_end_is_delivered_and_what_can_not_be_is_counted, setup,
			teardown),
		cmocka_unit_test_setup_teardown(events_of_many_threads_arrive_once_each, setup,
						teardown),
		cmocka_unit_test_setup_teardown(
			a_burst_of_accounting_is_answered_while_commits_are_quick, setup, teardown),
		cmocka_unit_test_setup_teardown(slow_accounting_holds_few_threads, setup, teardown),
	};

	return cmocka_run_group_tests_name("rlm_pump_link", tests, NULL, NULL);
}
