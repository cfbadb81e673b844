/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Tries, as another user, what that user must not be able to do. Started as root:
 *   trespass UID open FILE...         prints each file that could be opened for reading or writing
 *   trespass UID ptrace PID...        prints each process that could be seized
 *   trespass UID connect SOCKET ROLE  prints "welcome" when the service gave the role
 * The exit status is 0 when nothing of it was possible, 1 when something was, 2 on other errors.
 */
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <unistd.h>

#include "base/ipc_client.h"

#define NO_SUCH_VERB 65000
#define TIMEOUT_MS 2000

static int try_open(char *const files[])
{
	int got = 0;

	for (; *files; files++) {
		int fd = open(*files, O_RDONLY | O_NONBLOCK | O_NOCTTY);

		if (fd < 0)
			fd = open(*files, O_WRONLY | O_NONBLOCK | O_NOCTTY);
		if (fd < 0)
			continue;
		close(fd);
		puts(*files);
		got = 1;
	}
	return got;
}

static int try_ptrace(char *const pids[])
{
	int got = 0;

	for (; *pids; pids++) {
		char path[64];
		int fd;

		snprintf(path, sizeof(path), "/proc/%s/mem", *pids);
		fd = open(path, O_RDONLY);
		if (ptrace(PTRACE_SEIZE, (pid_t)atoi(*pids), NULL, NULL) && fd < 0)
			continue;
		puts(*pids);
		got = 1;
	}
	return got;
}

/* A role that is given closes the connection only at the unknown verb, one that is not at once. */
static int try_connect(const char *path, const char *role)
{
	AUTO_IPC_CLIENT c = NULL;
	int rc = ipc_client_new(path, role, &c);

	if (rc)
		return 2;
	rc = ipc_client_call(c, NO_SUCH_VERB, NULL, NULL, 0, NULL, NULL, 0, NULL, TIMEOUT_MS);
	if (rc == ERR_DENIED || rc == ERR_UNAVAILABLE)
		return 0;
	puts("welcome");
	return 1;
}

int main(int argc, char *argv[])
{
	unsigned long uid = argc > 3 ? strtoul(argv[1], NULL, 10) : 0;

	if (uid == 0 || setgroups(0, NULL) || setresgid((gid_t)uid, (gid_t)uid, (gid_t)uid) ||
	    setresuid((uid_t)uid, (uid_t)uid, (uid_t)uid)) {
		fprintf(stderr, "usage (as root): trespass UID open|ptrace|connect ...\n");
		return 2;
	}
	if (!strcmp(argv[2], "open"))
		return try_open(argv + 3);
	if (!strcmp(argv[2], "ptrace"))
		return try_ptrace(argv + 3);
	if (!strcmp(argv[2], "connect") && argc == 5)
		return try_connect(argv[3], argv[4]);
	return 2;
}
