/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Threads that do what the event loop must not wait for. A bounded queue in front; what is done
 * comes back on the loop thread, in the order in which it was finished.
 */
#ifndef ENROLL_ENROLLD_WORK_POOL_H
#define ENROLL_ENROLLD_WORK_POOL_H

#include <stdbool.h>

#include "base/err.h"

#define WORK_THREADS_MAX 16

struct event_base;
struct work_pool;

/* The first member of whatever is queued. */
struct work {
	struct work *next; /* the pool's */
};

struct work_plan {
	unsigned queue_max;
	void (*run)(struct work *w, void *thread_ctx); /* on one of the threads; may block */
	void (*done)(struct work *w, void *ctx);       /* loop thread; the work is its again */
	void (*drop)(struct work *w);		       /* frees work that will never be done */
	void *ctx;
};

/* Starts a thread for each of `thread_ctx`[n_threads]. ERR_NOMEM, ERR_IO, ERR_LIMIT. */
int work_pool_new(struct event_base *base, const struct work_plan *plan, void *const *thread_ctx,
		  unsigned n_threads, struct work_pool **out) MUST_USE;
/*
 * Drops what waits. Waits up to 2 s for what is under way; false: a thread hangs longer, so the
 * pool and all that its threads use must stay as they are, and the process must end. NULL ok: true.
 */
bool work_pool_free(struct work_pool *p) MUST_USE;

/* Loop thread; never blocks. Takes the work over on success. ERR_BUSY when the queue is full. */
int work_pool_submit(struct work_pool *p, struct work *w) MUST_USE;

#endif
