/* SPDX-License-Identifier: BSD-2-Clause */
/* radiusd's link to the registry, with a registry in a process of its own that is stopped and
 * killed. */
#include "tests/support/cmocka.h"

#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <event2/event.h>

#include "base/clock.h"
#include "base/ipc_server.h"
#include "radius_modules/rlm_pump/registry_link.h"
#include "radius_modules/rlm_pump/standing_view.h"
#include "sql/proto/event_ring.h"
#include "sql/proto/standing_map.h"

static char path[64];
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

/* ---- its event ring, which this test reads; it outlives the registry ---- */

static int ring_fd = -1;
static bool gives_ring = true;

static int ring_new(void)
{
	uint8_t head[EVENT_HEAD_SIZE] __attribute__((aligned(8))) = {0};
	int fd = memfd_create("test", MFD_CLOEXEC);

	assert_true(fd >= 0);
	assert_int_equal(ftruncate(fd, (off_t)event_ring_size()), 0);
	event_ring_init(head);
	assert_int_equal(pwrite(fd, head, sizeof(head), 0), sizeof(head));
	return fd;
}

/* The numbers of the finished events in the ring, in their order, each as a character. */
static const char *ring_says(int fd)
{
	static char text[EVENT_RING_SLOTS + 1];
	static uint64_t words[EVENT_RING_SLOTS];
	uint64_t last = 0;
	size_t n = 0;

	assert_int_equal(pread(fd, words, sizeof(words), (off_t)event_word_offset(0)),
			 sizeof(words));
	for (;;) {
		size_t first = EVENT_RING_SLOTS;
		uint8_t slot[EVENT_SLOT_SIZE];
		struct auth_event e;

		for (size_t i = 0; i < EVENT_RING_SLOTS; i++)
			if (event_word_state(words[i]) == EVENT_READY &&
			    event_word_number(words[i]) + 1 > last &&
			    (first == EVENT_RING_SLOTS ||
			     event_word_number(words[i]) < event_word_number(words[first])))
				first = i;
		if (first == EVENT_RING_SLOTS)
			break;
		last = event_word_number(words[first]) + 1;
		assert_int_equal(pread(fd, slot, sizeof(slot), (off_t)event_slot_offset(first)),
				 sizeof(slot));
		assert_int_equal(event_slot_parse(slot, words[first], &e), 0);
		text[n++] = (char)e.vlan;
		words[first] = 0;
	}
	text[n] = '\0';
	return text;
}

static bool ring_will_say(int fd, const char *text)
{
	for (int i = 0; i < 1000; i++) {
		if (!strcmp(ring_says(fd), text))
			return true;
		usleep(10000);
	}
	return false;
}

static void ring_beat(void)
{
	struct event_beat b = event_beat_make(clock_mono_us());

	if (pwrite(ring_fd, &b, sizeof(b), EVENT_BEAT_OFFSET) != sizeof(b))
		_exit(1);
}

static void answer_ring(struct ipc_request *rq, void *ctx)
{
	(void)ctx;
	ipc_request_reply_fd(rq, ring_fd);
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
	ring_beat();
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

static void serve(void)
{
	static const struct ipc_verb verbs[] = {
		{REGISTRY_PUMP_FACTS, "pump", &record_cert_name, 1, &record_pump_facts, false,
		 answer_pump},
		{REGISTRY_ACCT_EVENT, "acct", &record_acct_event, 1, NULL, false, answer_acct},
		{.verb = REGISTRY_STANDINGS, .name = "standings", .handle = answer_map},
		{.verb = REGISTRY_EVENT_RING, .name = "ring", .handle = answer_ring},
	};
	uid_t uid = getuid();
	const struct ipc_role role = {.name = "radius",
				      .uids = &uid,
				      .n_uids = 1,
				      .verbs = verbs,
				      .n_verbs = gives_ring ? 4 : 3};
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
	ring_fd = ring_new();
	registry_start();
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	registry_kill();
	close(ring_fd);
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

static int put_kind(struct registry_link *l, char number, const char *verdict)
{
	struct auth_event e = {.at = 1, .vlan = (uint32_t)number};

	strcpy(e.verdict, verdict);
	return registry_link_auth_event(l, &e);
}

static int put(struct registry_link *l, char number)
{
	return put_kind(l, number, "accept");
}

/* Under the link's nose: radiusd starts, and its first pump gets on at once. */
static void an_accept_is_in_the_ring_when_put_returns(void **state)
{
	struct registry_link *l;

	(void)state;
	assert_int_equal(registry_link_new(path, &l), 0);
	assert_int_equal(put(l, 'a'), 0);
	assert_string_equal(ring_says(ring_fd), "a");
	assert_int_equal(registry_link_free(l), 0);
	assert_string_equal(ring_says(ring_fd), "a");
}

static void events_of_a_dead_registry_wait_in_its_ring(void **state)
{
	struct registry_link *l = link_up();
	int rc = 0;

	(void)state;
	assert_int_equal(put(l, 'a'), 0);
	registry_kill();
	for (int i = 0; i < 500 && rc == 0; i++, usleep(10000))
		rc = put_kind(l, 'r', "reject");
	assert_int_equal(rc, ERR_UNAVAILABLE);
	assert_int_equal(put(l, 'b'), ERR_UNAVAILABLE);
	assert_int_equal(registry_link_free(l), 0); /* nothing is lost with this process */
	assert_int_equal(ring_says(ring_fd)[0], 'a');
	assert_non_null(strchr(ring_says(ring_fd), 'b'));
}

static void events_from_before_there_was_a_ring_are_moved_into_it(void **state)
{
	struct registry_link *l;

	(void)state;
	registry_kill();
	assert_int_equal(registry_link_new(path, &l), 0);
	assert_int_equal(put_kind(l, 'a', "reject"), ERR_UNAVAILABLE);
	assert_int_equal(put(l, 'b'), ERR_UNAVAILABLE);
	assert_string_equal(ring_says(ring_fd), "");
	registry_start();
	/* rejects are moved after accepts: their slots come later */
	assert_true(ring_will_say(ring_fd, "ba"));
	assert_int_equal(registry_link_free(l), 0);
}

static void a_registry_with_another_ring_gets_what_waited_in_the_one_before(void **state)
{
	struct registry_link *l = link_up();
	int before = ring_fd;

	(void)state;
	assert_int_equal(put(l, 'a'), 0);
	registry_kill();
	assert_true(put(l, 'b') == 0 || put(l, 'b') == ERR_UNAVAILABLE);
	ring_fd = ring_new();
	registry_start();
	for (int i = 0; i < 1000 && strlen(ring_says(ring_fd)) < 2; i++)
		usleep(10000);
	assert_true(!strncmp(ring_says(ring_fd), "ab", 2));
	assert_string_equal(ring_says(before), "");
	assert_int_equal(put(l, 'c'), 0);
	assert_non_null(strchr(ring_says(ring_fd), 'c'));
	assert_int_equal(registry_link_free(l), 0);
	close(before);
}

static void events_that_no_registry_ever_took_are_counted_at_the_end(void **state)
{
	struct registry_link *l;

	(void)state;
	registry_kill();
	assert_int_equal(registry_link_new(path, &l), 0);
	assert_int_equal(put(l, 'a'), ERR_UNAVAILABLE);
	assert_int_equal(put_kind(l, 'b', "reject"), ERR_UNAVAILABLE);
	assert_int_equal(registry_link_free(l), 2);
}

static void a_registry_that_gives_no_ring_costs_an_accept_no_second_wait(void **state)
{
	struct registry_link *l;
	int64_t start;

	(void)state;
	registry_kill();
	gives_ring = false;
	registry_start();
	gives_ring = true;
	assert_int_equal(registry_link_new(path, &l), 0);
	assert_int_equal(put(l, 'a'), ERR_UNAVAILABLE);
	start = clock_mono_us();
	for (int i = 0; i < 1000; i++)
		assert_int_equal(put(l, 'b'), ERR_UNAVAILABLE);
	assert_true(clock_mono_us() - start < 1000 * 1000 * (OUTBOX_FETCH_MS + OUTBOX_RETRY_MS));
	assert_int_equal(registry_link_free(l), 1001);
}

#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__) /* they make their own calls \
								     */
/* From now on any system call but exit ends the process. */
static int calls_forbid(void)
{
	struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_exit, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS),
	};
	struct sock_fprog program = {sizeof(code) / sizeof(code[0]), code};

	return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) ||
	       prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program);
}

static void an_event_costs_no_system_call(void **state)
{
	struct registry_link *l = link_up();
	int how;
	pid_t child;

	(void)state;
	assert_int_equal(put(l, 'a'), 0);
	child = fork();
	if (child == 0) {
		int rc = put(l, 'b');

		if (rc || calls_forbid())
			_exit(2);
		rc = put(l, 'c');
		syscall(SYS_exit, rc != 0);
	}
	assert_int_equal(waitpid(child, &how, 0), child);
	assert_true(WIFEXITED(how) && WEXITSTATUS(how) == 0);
	assert_string_equal(ring_says(ring_fd), "abc");
	assert_int_equal(registry_link_free(l), 0);
}
#endif

#define PUTS 60

struct putter {
	struct registry_link *l;
	char number;
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
	const char *says;
	int count[8] = {0};

	(void)state;
	for (int i = 0; i < 8; i++) {
		putters[i] = (struct putter){l, (char)('a' + i)};
		assert_int_equal(pthread_create(&threads[i], NULL, put_many, &putters[i]), 0);
	}
	for (int i = 0; i < 8; i++)
		pthread_join(threads[i], NULL);
	assert_int_equal(registry_link_free(l), 0);
	says = ring_says(ring_fd);
	assert_int_equal(strlen(says), 8 * PUTS);
	for (; *says; says++)
		count[*says - 'a']++;
	for (int i = 0; i < 8; i++)
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
	const struct CMUnitTest tests[] =
	{ cmocka_unit_test_setup_teardown(the_map_is_believed_only_while_its_registry_lives, setup,
					  teardown),
	  cmocka_unit_test_setup_teardown(memory_that_could_shrink_is_not_mapped, setup, teardown),
	  cmocka_unit_test_setup_teardown(a_hanging_registry_costs_one_timeout_and_then_nothing,
					  setup, teardown),
	  cmocka_unit_test_setup_teardown(only_one_thread_tries_a_hanging_registry_again, setup,
					  teardown),
	  cmocka_unit_test_setup_teardown(accounting_is_acknowledged_only_by_an_answer, setup,
					  teardown),
	  cmocka_unit_test_setup_teardown(a_restarted_registry_is_used_at_the_next_question, setup,
					  teardown),
	  cmocka_unit_test_setup_teardown(an_accept_is_in_the_ring_when_put_returns, setup,
					  teardown),
	  cmocka_unit_test_setup_teardown(events_of_a_dead_registry_wait_in_its_ring, setup,
					  teardown),
	  cmocka_unit_test_setup_teardown(events_from_before_there_was_a_ring_are_moved_into_it,
					  setup, teardown),
	  cmocka_unit_test_setup_teardown(
		  a_registry_with_another_ring_gets_what_waited_in_the_one_before, setup, teardown),
	  cmocka_unit_test_setup_teardown(events_that_no_registry_ever_took_are_counted_at_the_end,
					  setup, teardown),
	  cmocka_unit_test_setup_teardown(
		  a_registry_that_gives_no_ring_costs_an_accept_no_second_wait, setup, teardown),
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
	  cmocka_unit_test_setup_teardown(an_event_costs_no_system_call, setup, teardown),
#endif
	  cmocka_unit_test_setup_teardown(events_of_many_threads_arrive_once_each, setup, teardown),
	  cmocka_unit_test_setup_teardown(a_burst_of_accounting_is_answered_while_commits_are_quick,
					  setup, teardown),
	  cmocka_unit_test_setup_teardown(slow_accounting_holds_few_threads, setup, teardown),
	};

	return cmocka_run_group_tests_name("rlm_pump_link", tests, NULL, NULL);
}
