/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Preloaded into a program under test: kills it, as kill -9 would, right before the N-th time
 * (DIE_AT=N) that it puts a file in place (rename) or takes one away (unlink).
 */
#include <dlfcn.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static int die_at(void)
{
	const char *text = getenv("DIE_AT");

	return text ? atoi(text) : 0;
}

static void count_call(void)
{
	static atomic_int count;

	if (atomic_fetch_add(&count, 1) + 1 == die_at())
		raise(SIGKILL); /* tgkill: the agent's filter knows no kill */
}

int rename(const char *from, const char *to)
{
	int (*real)(const char *, const char *) = NULL;

	count_call();
	*(void **)&real = dlsym(RTLD_NEXT, "rename");
	return real(from, to);
}

int unlink(const char *path)
{
	int (*real)(const char *) = NULL;

	count_call();
	*(void **)&real = dlsym(RTLD_NEXT, "unlink");
	return real(path);
}
