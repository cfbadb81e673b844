/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Preloaded into the agent: its loop never waits, as a bug would make it. With SPIN_UNBOUND=1 it
 * also keeps the priority that it was started with.
 */
#include <dlfcn.h>
#include <sched.h>
#include <stdlib.h>
#include <sys/epoll.h>

int epoll_wait(int fd, struct epoll_event *events, int max, int timeout)
{
	int (*real)(int, struct epoll_event *, int, int) = NULL;

	(void)timeout;
	*(void **)&real = dlsym(RTLD_NEXT, "epoll_wait");
	for (int i = 0; i < 100000; i++) { /* most of the time outside the kernel */
		int n = i % 1000 ? 0 : real(fd, events, max, 0);

		if (n)
			return n;
	}
	return 0;
}

int sched_setscheduler(pid_t pid, int policy, const struct sched_param *param)
{
	int (*real)(pid_t, int, const struct sched_param *) = NULL;

	if (getenv("SPIN_UNBOUND"))
		return 0;
	*(void **)&real = dlsym(RTLD_NEXT, "sched_setscheduler");
	return real(pid, policy, param);
}
