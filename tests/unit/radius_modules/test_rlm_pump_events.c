/* SPDX-License-Identifier: BSD-2-Clause */
/* Events of authentications on radiusd's link, through the registry's deaths. */
#include "tests/unit/radius_modules/link_registry.h"

#include <linux/filter.h>
#include <linux/seccomp.h>
#include <pthread.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"

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
	assert_int_equal(registry_link_new(registry_path, &l), 0);
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
	assert_int_equal(registry_link_new(registry_path, &l), 0);
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
	assert_int_equal(registry_link_new(registry_path, &l), 0);
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
	assert_int_equal(registry_link_new(registry_path, &l), 0);
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

int main(void)
{
	const struct CMUnitTest tests[] = {
		WITH_REGISTRY(an_accept_is_in_the_ring_when_put_returns),
		WITH_REGISTRY(events_of_a_dead_registry_wait_in_its_ring),
		WITH_REGISTRY(events_from_before_there_was_a_ring_are_moved_into_it),
		WITH_REGISTRY(a_registry_with_another_ring_gets_what_waited_in_the_one_before),
		WITH_REGISTRY(events_that_no_registry_ever_took_are_counted_at_the_end),
		WITH_REGISTRY(a_registry_that_gives_no_ring_costs_an_accept_no_second_wait),
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
		WITH_REGISTRY(an_event_costs_no_system_call),
#endif
		WITH_REGISTRY(events_of_many_threads_arrive_once_each),
	};

	return cmocka_run_group_tests_name("rlm_pump_events", tests, NULL, NULL);
}
