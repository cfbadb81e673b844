/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A bounded queue and the threads that work it off. Work that may wait for a disk or read much runs
 * in a lane, so that the loop thread never waits. Knows nothing of what the jobs are.
 */
#ifndef SQL_SERVE_LANE_H
#define SQL_SERVE_LANE_H

#include <stddef.h>
#include <stdint.h>
#include <sys/queue.h>

#include "base/err.h"

struct lane;

/* First member of every job. */
struct lane_job {
	STAILQ_ENTRY(lane_job) link;
	int64_t start_by_us; /* the lane's */
};

/* Takes over n jobs; runs on a thread of the lane. */
typedef void (*lane_run)(struct lane_job **jobs, size_t n, void *worker);
/* Called on the thread after each batch and at the time that it returned last (clock_mono_us;
 * INT64_MAX: no need). */
typedef int64_t (*lane_idle)(void *worker);

#define LANE_THREADS_MAX 16
#define LANE_BATCH_MAX 256

struct lane_options {
	const char *name; /* of the thread, at most 15 characters */
	unsigned n_threads;
	void *workers[LANE_THREADS_MAX]; /* one per thread: its connections */
	size_t max_jobs;
	size_t batch_max; /* jobs handed to one run, 1 to LANE_BATCH_MAX */
	lane_run run;
	lane_idle idle; /* may be NULL */
};

/* Starts the threads. ERR_NOMEM. */
int lane_new(const struct lane_options *o, struct lane **out) MUST_USE;
/* Any thread. The job may wait up to patience_us for others to share its batch. ERR_BUSY when the
 * queue is full; the job is then still the caller's. */
int lane_put(struct lane *l, struct lane_job *job, int64_t patience_us) MUST_USE;
/* As lane_put, but leaves half of the queue to others. */
int lane_put_modest(struct lane *l, struct lane_job *job, int64_t patience_us) MUST_USE;
/* Any thread: the lane (of one thread) is idle as soon as it has no job that is due. */
void lane_wake(struct lane *l);
/* Runs what is queued, ends the threads, frees. NULL ok. */
void lane_stop(struct lane *l);

#endif
