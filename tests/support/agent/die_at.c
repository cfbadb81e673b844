/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Preloaded into a program under test: kills it, as kill -9 would, right before the N-th step
 * (DIE_AT=N) that others could see: a file put in place (rename) or taken away (unlink), a command
 * to another process (send on a Unix socket). Temporary files and status.json, which nobody reads
 * back, are no steps. DIE_COUNT=FILE: the number of steps so far is kept there. Or before the
 * DIE_NTH time (1) that a path with DIE_BEFORE in it is put in place or taken away.
 * DIE_AFTER_SYNC=N: at the first pwrite or fdatasync after N of the latter, counted from when the
 * file DIE_ARMED is there: what was not written by then is lost, and nobody may have been told that
 * it is kept.
 */
#include <dlfcn.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static void count_keep(int n)
{
	const char *path = getenv("DIE_COUNT");
	int fd = path ? open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600) : -1;

	if (fd < 0)
		return;
	dprintf(fd, "%d\n", n);
	close(fd);
}

static void die(void)
{
	raise(SIGKILL); /* tgkill: the agent's filter knows no kill */
}

static void step(const char *path)
{
	static atomic_int count, matches;
	const char *before = getenv("DIE_BEFORE");
	const char *nth = getenv("DIE_NTH");
	const char *text = getenv("DIE_AT");
	int n = atomic_fetch_add(&count, 1) + 1;

	count_keep(n);
	if (text && n == atoi(text))
		die();
	if (before && strstr(path, before) &&
	    atomic_fetch_add(&matches, 1) + 1 == (nth ? atoi(nth) : 1))
		die();
}

static int is_step(const char *path)
{
	return !strstr(path, ".tmp.") && !strstr(path, "status.json");
}

int rename(const char *from, const char *to)
{
	int (*real)(const char *, const char *) = NULL;

	if (is_step(to))
		step(to);
	*(void **)&real = dlsym(RTLD_NEXT, "rename");
	return real(from, to);
}

int unlink(const char *path)
{
	int (*real)(const char *) = NULL;

	if (is_step(path))
		step(path);
	*(void **)&real = dlsym(RTLD_NEXT, "unlink");
	return real(path);
}

ssize_t send(int fd, const void *data, size_t len, int flags)
{
	ssize_t (*real)(int, const void *, size_t, int) = NULL;
	int domain = 0;
	socklen_t size = sizeof(domain);

	if (!getsockopt(fd, SOL_SOCKET, SO_DOMAIN, &domain, &size) && domain == AF_UNIX)
		step("");
	*(void **)&real = dlsym(RTLD_NEXT, "send");
	return real(fd, data, len, flags);
}

#define SLOW_MS 20 /* so that others pile up behind one sync, and that early answers arrive */

static atomic_int syncs;

static int is_armed(void)
{
	const char *armed = getenv("DIE_ARMED");

	return armed && access(armed, F_OK) == 0;
}

static void disk_step(void)
{
	const char *text = getenv("DIE_AFTER_SYNC");

	if (!text || !is_armed() || atomic_load(&syncs) < atoi(text))
		return;
	poll(NULL, 0, SLOW_MS);
	raise(SIGKILL);
}

int fdatasync(int fd)
{
	int (*real)(int) = NULL;

	disk_step();
	*(void **)&real = dlsym(RTLD_NEXT, "fdatasync");
	if (is_armed()) {
		poll(NULL, 0, SLOW_MS);
		atomic_fetch_add(&syncs, 1);
	}
	return real(fd);
}

ssize_t pwrite64(int fd, const void *data, size_t len, off64_t at)
{
	ssize_t (*real)(int, const void *, size_t, off64_t) = NULL;

	disk_step();
	*(void **)&real = dlsym(RTLD_NEXT, "pwrite64");
	return real(fd, data, len, at);
}
