/* SPDX-License-Identifier: BSD-2-Clause */
/* Owns the deadlines of sockets. Never reads or writes one. */
#include "sql/directory/watch.h"

#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"

struct watch {
	pthread_t thread;
	pthread_mutex_t lock;
	pthread_cond_t changed;
	bool ends;
	struct {
		int fd; /* -1: free */
		int64_t until_us;
	} slots[WATCH_MAX];
};

/* Shuts down what is due; the next time that something will be. */
static int64_t slots_end(struct watch *w, int64_t now_us)
{
	int64_t next = INT64_MAX;

	for (int i = 0; i < WATCH_MAX; i++) {
		if (w->slots[i].fd < 0)
			continue;
		if (w->slots[i].until_us <= now_us) {
			shutdown(w->slots[i].fd, SHUT_RDWR);
			w->slots[i].until_us = INT64_MAX;
		} else if (w->slots[i].until_us < next) {
			next = w->slots[i].until_us;
		}
	}
	return next;
}

static void *watch_run(void *user)
{
	struct watch *w = user;

	pthread_mutex_lock(&w->lock);
	while (!w->ends) {
		int64_t next = slots_end(w, clock_mono_us());
		struct timespec at = {.tv_sec = next / 1000000, .tv_nsec = next % 1000000 * 1000};

		if (next == INT64_MAX)
			pthread_cond_wait(&w->changed, &w->lock);
		else
			pthread_cond_timedwait(&w->changed, &w->lock, &at);
	}
	pthread_mutex_unlock(&w->lock);
	return NULL;
}

int watch_new(struct watch **out)
{
	struct watch *w = calloc(1, sizeof(*w));
	pthread_condattr_t attr;
	sigset_t all, old;
	int failed;

	if (!w)
		return err_set(ERR_NOMEM, "no memory for the watch of sockets");
	for (int i = 0; i < WATCH_MAX; i++)
		w->slots[i].fd = -1;
	pthread_mutex_init(&w->lock, NULL);
	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC); /* as clock_mono_us */
	pthread_cond_init(&w->changed, &attr);
	pthread_condattr_destroy(&attr);
	sigfillset(&all); /* signals are the main thread's */
	pthread_sigmask(SIG_SETMASK, &all, &old);
	failed = pthread_create(&w->thread, NULL, watch_run, w);
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	if (failed) {
		free(w);
		return err_set(ERR_IO, "no thread for the watch of sockets");
	}
	*out = w;
	return 0;
}

void watch_free(struct watch *w)
{
	if (!w)
		return;
	pthread_mutex_lock(&w->lock);
	w->ends = true;
	pthread_cond_signal(&w->changed);
	pthread_mutex_unlock(&w->lock);
	pthread_join(w->thread, NULL);
	pthread_cond_destroy(&w->changed);
	pthread_mutex_destroy(&w->lock);
	free(w);
}

int watch_add(struct watch *w, int fd, int64_t until_us, int *slot_out)
{
	int copy = fcntl(fd, F_DUPFD_CLOEXEC, 3), slot = 0;

	if (copy < 0)
		return err_errno(ERR_IO, "watching a socket");
	pthread_mutex_lock(&w->lock);
	while (slot < WATCH_MAX && w->slots[slot].fd >= 0)
		slot++;
	if (slot < WATCH_MAX) {
		w->slots[slot].fd = copy;
		w->slots[slot].until_us = until_us;
		pthread_cond_signal(&w->changed);
	}
	pthread_mutex_unlock(&w->lock);
	if (slot == WATCH_MAX) {
		close(copy);
		return err_set(ERR_BUSY, "%d connections to the directory at once", WATCH_MAX);
	}
	*slot_out = slot;
	return 0;
}

void watch_move(struct watch *w, int slot, int64_t until_us)
{
	pthread_mutex_lock(&w->lock);
	w->slots[slot].until_us = until_us;
	pthread_cond_signal(&w->changed);
	pthread_mutex_unlock(&w->lock);
}

void watch_remove(struct watch *w, int slot)
{
	int fd;

	pthread_mutex_lock(&w->lock);
	fd = w->slots[slot].fd;
	w->slots[slot].fd = -1;
	pthread_mutex_unlock(&w->lock);
	close(fd);
}
