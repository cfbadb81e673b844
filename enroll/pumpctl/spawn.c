/* SPDX-License-Identifier: BSD-2-Clause */
/* Owns the start of child processes. Never passes on an open file, a secret or a stray signal. */
#include "enroll/pumpctl/spawn.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"

#define ENV_MAX 12
#define SYSTEM_PATH "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

int program_folder(char out[PATH_MAX])
{
	ssize_t n = readlink("/proc/self/exe", out, PATH_MAX - 1);
	char *slash;

	if (n < 0)
		return err_errno(ERR_IO, "/proc/self/exe");
	out[n] = '\0';
	slash = strrchr(out, '/');
	if (slash && slash != out)
		*slash = '\0';
	return 0;
}

static bool find_in(const char *folders, const char *name, char out[PATH_MAX])
{
	while (folders && *folders) {
		size_t len = strcspn(folders, ":");

		if (len && folders[0] == '/' &&
		    snprintf(out, PATH_MAX, "%.*s/%s", (int)len, folders, name) < PATH_MAX &&
		    access(out, X_OK) == 0)
			return true;
		folders += len + (folders[len] == ':');
	}
	return false;
}

int program_find(const char *name, char out[PATH_MAX])
{
	char beside[PATH_MAX];
	int rc = program_folder(beside);

	if (rc)
		return rc;
	if (find_in(beside, name, out) || find_in(getenv("PATH"), name, out) ||
	    find_in(SYSTEM_PATH, name, out))
		return 0;
	return err_set(ERR_NOT_FOUND, "%s is neither beside pumpctl (%s) nor in $PATH", name,
		       beside);
}

int radiusd_find(char out[PATH_MAX])
{
	static const char *const names[] = {"freeradius", "radiusd"};

	for (size_t i = 0; i < 2; i++)
		if (find_in(getenv("PATH"), names[i], out) || find_in(SYSTEM_PATH, names[i], out))
			return 0;
	return err_set(ERR_NOT_FOUND, "FreeRADIUS is not installed; do: apt-get install freeradius "
				      "(3.2.7 or newer)");
}

/* What children get to see of the environment: nothing of it is secret. */
static void environment_build(const char *notify_socket, char text[ENV_MAX][PATH_MAX],
			      char *env[ENV_MAX + 1])
{
	static const char *const passed[] = {"TZ",	     "LD_PRELOAD",
					     "ASAN_OPTIONS", "UBSAN_OPTIONS",
					     "LSAN_OPTIONS", "TSAN_OPTIONS"};
	size_t n = 0;

	snprintf(text[n++], PATH_MAX, "PATH=%s", SYSTEM_PATH);
	snprintf(text[n++], PATH_MAX, "LANG=C.UTF-8");
	if (notify_socket)
		snprintf(text[n++], PATH_MAX, "NOTIFY_SOCKET=%s", notify_socket);
	for (size_t i = 0; i < sizeof(passed) / sizeof(passed[0]); i++) {
		const char *value = getenv(passed[i]);

		if (value)
			snprintf(text[n++], PATH_MAX, "%s=%s", passed[i], value);
	}
	for (size_t i = 0; i < n; i++)
		env[i] = text[i];
	env[n] = NULL;
}

static void die(const char *what)
{
	dprintf(STDERR_FILENO, "pumpctl: %s: %s\n", what, strerror(errno));
	_exit(127);
}

static void become(const struct owner *o)
{
	if (geteuid() != 0 || o->uid == geteuid())
		return;
	if (setgroups(0, NULL) || setresgid(o->gid, o->gid, o->gid) ||
	    setresuid(o->uid, o->uid, o->uid))
		die("cannot change to the process's own user");
}

/* In the child: only calls that are safe after fork. */
static void child_exec(const struct spawn *s, pid_t parent, int out, char *const env[])
{
	sigset_t none;
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);

	for (int sig = 1; sig < NSIG; sig++)
		signal(sig, SIG_DFL);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	setpgid(0, 0);
	if (null < 0 || dup2(null, 0) < 0 || dup2(out, 1) < 0 || dup2(out, 2) < 0)
		die("cannot set up files");
	close_range(3, ~0U, 0);
	become(&s->owner);
	if (s->nice && setpriority(PRIO_PROCESS, 0, s->nice))
		die("cannot step back");
	if (prctl(PR_SET_PDEATHSIG, SIGKILL)) /* after the change of user, which clears it */
		die("cannot tie the process to its supervisor");
	if (getppid() != parent)
		_exit(127);
	execve(s->path, (char *const *)s->args, env);
	die(s->path);
}

int spawn_start(const struct spawn *s, pid_t *pid_out, int *out_fd)
{
	char(*text)[PATH_MAX] = calloc(ENV_MAX, PATH_MAX);
	char *env[ENV_MAX + 1];
	pid_t self = getpid(), pid;
	int fds[2];

	if (!text)
		return err_set(ERR_NOMEM, "no memory to start %s", s->args[0]);
	environment_build(s->notify_socket, text, env);
	if (pipe2(fds, O_CLOEXEC)) {
		free(text);
		return err_errno(ERR_IO, "pipe");
	}
	pid = fork();
	if (pid == 0)
		child_exec(s, self, fds[1], env);
	free(text);
	close(fds[1]);
	if (pid < 0) {
		close(fds[0]);
		return err_errno(ERR_IO, "fork");
	}
	fcntl(fds[0], F_SETFL, O_NONBLOCK);
	*pid_out = pid;
	*out_fd = fds[0];
	return 0;
}

/* Reads until the end of the output or the deadline. False: the deadline came. */
static bool drain(int fd, int64_t deadline_us, struct buf *output)
{
	for (;;) {
		struct pollfd p = {.fd = fd, .events = POLLIN};
		int64_t left_us = deadline_us - clock_mono_us();
		char chunk[4096];
		ssize_t n;

		if (left_us <= 0)
			return false;
		if (poll(&p, 1, (int)((left_us + 999) / 1000)) <= 0)
			continue;
		n = read(fd, chunk, sizeof(chunk));
		if (n == 0 || (n < 0 && errno != EAGAIN && errno != EINTR))
			return true;
		if (n > 0 && buf_put(output, chunk, (size_t)n))
			continue; /* full: what came first says most */
	}
}

int spawn_run(const struct spawn *s, int timeout_ms, struct buf *output, int *status_out)
{
	int64_t deadline_us = clock_mono_us() + (int64_t)timeout_ms * 1000;
	int fd, status, rc;
	bool ended;
	pid_t pid;

	rc = spawn_start(s, &pid, &fd);
	if (rc)
		return rc;
	ended = drain(fd, deadline_us, output);
	close(fd);
	if (!ended)
		kill(pid, SIGKILL);
	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			return err_errno(ERR_IO, "waitpid");
	if (!ended)
		return err_set(ERR_TIMEOUT, "%s did not end within %d s", s->args[0],
			       timeout_ms / 1000);
	*status_out = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
	return 0;
}
