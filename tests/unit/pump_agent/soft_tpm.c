/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/support/cmocka.h"

#include "tests/unit/pump_agent/soft_tpm.h"

#include <fcntl.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#define PORT_TRIES 50
#define ON_TRIES 500
#define STEP_US 10000

static bool does_connect(int port)
{
	struct sockaddr_in a = {.sin_family = AF_INET,
				.sin_port = htons((uint16_t)port),
				.sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	bool is_there = !connect(fd, (struct sockaddr *)&a, sizeof(a));

	close(fd);
	return is_there;
}

static void child(const struct soft_tpm *t, int port)
{
	char state[96], server[64], control[64];
	int null = open("/dev/null", O_RDWR);

	prctl(PR_SET_PDEATHSIG, SIGKILL); /* also when a test is killed */
	dup2(null, 1);
	dup2(null, 2);
	snprintf(state, sizeof(state), "dir=%s", t->dir);
	snprintf(server, sizeof(server), "type=tcp,port=%d,bindaddr=127.0.0.1", port);
	snprintf(control, sizeof(control), "type=tcp,port=%d,bindaddr=127.0.0.1", port + 1);
	execlp("swtpm", "swtpm", "socket", "--tpm2", "--tpmstate", state, "--flags",
	       "not-need-init,startup-clear", "--server", server, "--ctrl", control, (char *)NULL);
	_exit(127);
}

/* False: its ports are somebody else's. */
static bool try_on(struct soft_tpm *t, int port)
{
	int status;

	if (does_connect(port))
		return false;
	t->pid = fork();
	assert_int_not_equal(t->pid, -1);
	if (!t->pid)
		child(t, port);
	for (int i = 0; i < ON_TRIES && waitpid(t->pid, &status, WNOHANG) == 0; i++) {
		if (does_connect(port + 1)) {
			snprintf(t->tcti, sizeof(t->tcti), "swtpm:host=127.0.0.1,port=%d", port);
			return true;
		}
		usleep(STEP_US);
	}
	soft_tpm_off(t);
	return false;
}

void soft_tpm_on(struct soft_tpm *t)
{
	for (int i = 0; i < PORT_TRIES; i++)
		if (try_on(t, 10000 + (int)((unsigned)getpid() * 7 + (unsigned)rand()) % 19000))
			return;
	fail_msg("swtpm does not start: is it installed?");
}

void soft_tpm_off(struct soft_tpm *t)
{
	if (t->pid > 0 && !kill(t->pid, SIGKILL))
		waitpid(t->pid, NULL, 0);
	t->pid = 0;
}

void soft_tpm_make(struct soft_tpm *t)
{
	*t = (struct soft_tpm){.dir = "/tmp/pumpgate-tpm.XXXXXX"};
	assert_non_null(mkdtemp(t->dir));
	soft_tpm_on(t);
}

void soft_tpm_destroy(struct soft_tpm *t)
{
	char command[96];

	soft_tpm_off(t);
	if (!*t->dir)
		return;
	snprintf(command, sizeof(command), "rm -rf '%s'", t->dir);
	assert_int_equal(system(command), 0);
	*t->dir = '\0';
}
