/* SPDX-License-Identifier: BSD-2-Clause */
#include "ca/signerd/confine.h"

#include <errno.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "ca/signerd/rate.h"
#include "tests/support/cmocka.h"

#define NO_CAGE 100

/* The status of a child that puts the cage on and then does `what`. */
static int in_cage(int (*what)(void))
{
	int status;
	pid_t pid = fork();

	if (pid == 0) {
		if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) || confine_signer())
			_exit(NO_CAGE);
		_exit(what());
	}
	assert_true(pid > 0);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	return WEXITSTATUS(status);
}

static int refused(long rc)
{
	return rc == -1 && errno == EPERM ? 0 : 1;
}

static int inet_socket(void)
{
	return refused(socket(AF_INET, SOCK_STREAM, 0)) + refused(socket(AF_INET6, SOCK_DGRAM, 0)) +
	       refused(socket(AF_NETLINK, SOCK_RAW, 0)) + refused(socket(AF_PACKET, SOCK_RAW, 0));
}

static int start_program(void)
{
	char *argv[] = {(char *)"true", NULL};

	return refused(execv("/bin/true", argv)) +
	       refused(syscall(SYS_execveat, -1, "/bin/true", argv, argv, 0));
}

static int look_into_another(void)
{
	int traces = 0;

#if !defined(__SANITIZE_ADDRESS__) /* which needs it itself */
	traces = refused(ptrace(PTRACE_ATTACH, getppid(), 0, 0));
#endif
	return traces + refused(syscall(SYS_process_vm_readv, getppid(), 0, 0, 0, 0, 0)) +
	       refused(syscall(SYS_io_uring_setup, 1, 0));
}

static int work_as_usual(void)
{
	int pair[2], fd = socket(AF_UNIX, SOCK_STREAM, 0);

	return fd >= 0 && !socketpair(AF_UNIX, SOCK_STREAM, 0, pair) && write(pair[0], "x", 1) == 1
		       ? 0
		       : 1;
}

static void cage_refuses_network_sockets(void **state)
{
	(void)state;
	assert_int_equal(in_cage(inet_socket), 0);
}

static void cage_refuses_to_start_programs(void **state)
{
	(void)state;
	assert_int_equal(in_cage(start_program), 0);
}

static void cage_refuses_to_look_into_other_processes(void **state)
{
	(void)state;
	assert_int_equal(in_cage(look_into_another), 0);
}

static void cage_leaves_the_signer_its_work(void **state)
{
	(void)state;
	assert_int_equal(in_cage(work_as_usual), 0);
}

static void rate_refuses_beyond_the_cap_and_refills_with_time(void **state)
{
	struct rate r;
	int64_t now_us = 5000000;

	(void)state;
	rate_init(&r, 60, now_us);
	for (int i = 0; i < 60; i++)
		assert_true(rate_take(&r, now_us));
	assert_false(rate_take(&r, now_us));
	assert_false(rate_take(&r, now_us + 999000));
	assert_true(rate_take(&r, now_us + 1001000));
	assert_false(rate_take(&r, now_us + 1001000));
	now_us += INT64_C(3600) * 1000000; /* an hour gives no more than a minute's worth */
	for (int i = 0; i < 60; i++)
		assert_true(rate_take(&r, now_us));
	assert_false(rate_take(&r, now_us));
}

static void rate_counts_short_times_too(void **state)
{
	struct rate r;
	int got = 0;

	(void)state;
	rate_init(&r, 1, 0);
	assert_true(rate_take(&r, 0));
	for (int64_t now_us = 0; now_us <= 61000000; now_us += 100)
		got += rate_take(&r, now_us);
	assert_int_equal(got, 1);
}

static void cap_of_an_hour_counts_what_was_before(void **state)
{
	struct rate r;
	int64_t now_us = 0;
	int got = 0;

	(void)state;
	rate_init_window(&r, 100, RATE_HOUR_US, now_us);
	rate_spent(&r, 90);
	while (rate_take(&r, now_us))
		got++;
	assert_int_equal(got, 10);
	assert_false(rate_ready(&r, now_us + 35 * 1000000));
	assert_true(rate_ready(&r, now_us + 37 * 1000000));
	assert_true(rate_ready(&r, now_us + 37 * 1000000)); /* looking takes none */
	rate_spent(&r, 1000);
	assert_false(rate_ready(&r, now_us + 37 * 1000000));
	got = 0; /* a minute later it is a minute's part of the hour */
	while (rate_take(&r, now_us + 98 * 1000000))
		got++;
	assert_int_equal(got, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(cage_refuses_network_sockets),
		cmocka_unit_test(cage_refuses_to_start_programs),
		cmocka_unit_test(cage_refuses_to_look_into_other_processes),
		cmocka_unit_test(cage_leaves_the_signer_its_work),
		cmocka_unit_test(rate_refuses_beyond_the_cap_and_refills_with_time),
		cmocka_unit_test(rate_counts_short_times_too),
		cmocka_unit_test(cap_of_an_hour_counts_what_was_before),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
