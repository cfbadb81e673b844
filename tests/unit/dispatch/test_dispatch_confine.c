/* SPDX-License-Identifier: BSD-2-Clause */
/* What a taken-over dispatcher could still do: no file, no program, no TCP, no other process. */
#include "radius_modules/dispatch/confine.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/support/cmocka.h"

#define NO_CAGE 100
#define UDP (SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK)

/* The wait status of a child that puts the cage on and then does `what`. */
static int in_cage(int (*what)(void))
{
	int status;
	pid_t pid = fork();

	if (pid == 0) {
		if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) || dispatch_confine())
			_exit(NO_CAGE);
		_exit(what());
	}
	assert_true(pid > 0);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	return status;
}

static int refused(long rc)
{
	return rc == -1 && errno == EPERM ? 0 : 1;
}

static int open_files(void)
{
	return refused(open("/etc/passwd", O_RDONLY)) + refused(open("/tmp", O_RDONLY)) +
	       refused(unlink("/tmp/no-such-file")) + refused(chdir("/"));
}

static int open_other_sockets(void)
{
	return refused(socket(AF_INET, SOCK_STREAM, 0)) +
	       refused(socket(AF_INET6, SOCK_STREAM, 0)) + refused(socket(AF_INET, SOCK_RAW, 0)) +
	       refused(socket(AF_NETLINK, SOCK_RAW, 0)) + refused(socket(AF_PACKET, SOCK_RAW, 0));
}

static int listen_on_udp(void)
{
	int fd = socket(AF_INET, UDP, 0);
	struct sockaddr any = {.sa_family = AF_INET};

	return fd < 0 ? 1 : refused(bind(fd, &any, sizeof(any)));
}

static int start_program(void)
{
	char *argv[] = {(char *)"true", NULL};

	execv("/bin/true", argv);
	return 0;
}

static int look_into_another(void)
{
	ptrace(PTRACE_ATTACH, getppid(), 0, 0);
	return 0;
}

static int work_as_usual(void)
{
	return socket(AF_INET, UDP, 0) < 0 || socket(AF_INET6, UDP, 0) < 0 ||
	       socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0) < 0;
}

static void files_and_other_sockets_are_refused(void **state)
{
	(void)state;
	assert_int_equal(in_cage(open_files), 0);
	assert_int_equal(in_cage(open_other_sockets), 0);
	assert_int_equal(in_cage(listen_on_udp), 0);
}

static void starting_a_program_or_tracing_another_ends_it(void **state)
{
	int status;

	(void)state;
	status = in_cage(start_program);
	assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGSYS);
	status = in_cage(look_into_another);
	assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGSYS);
}

static void what_it_is_for_still_works(void **state)
{
	(void)state;
	assert_int_equal(in_cage(work_as_usual), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(files_and_other_sockets_are_refused),
		cmocka_unit_test(starting_a_program_or_tracing_another_ends_it),
		cmocka_unit_test(what_it_is_for_still_works),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
