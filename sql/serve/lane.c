/* SPDX-License-Identifier: BSD-2-Clause */
/* Owns the threads and their queue. Never looks into a job. */
#include "sql/serve/lane.h"

#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>
#include <time.h>

#include "base/clock.h"

struct lane {
	struct lane_options o;
	pthread_mutex_t lock;
	pthread_cond_t changed; /* on CLOCK_MONOTONIC */
	STAILQ_HEAD(, lane_job) jobs;
	size_t n_jobs;
	int64_t start_by_us; /* earliest of the queued jobs */
	bool stopping;
	bool woken;
	struct lane_thread {
		struct lane *lane;
		void *worker;
		pthread_t id;
		bool started;
	} threads[LANE_THREADS_MAX];
};

static void wait_until(struct lane *l, int64_t mono_us)
{
	struct timespec until;

	if (mono_us == INT64_MAX) {
		pthread_cond_wait(&l->changed, &l->lock);
		return;
	}
	until.tv_sec = mono_us / 1000000;
	until.tv_nsec = mono_us % 1000000 * 1000;
	pthread_cond_timedwait(&l->changed, &l->lock, &until);
}

static size_t jobs_take(struct lane *l, struct lane_job **out)
{
	size_t n = 0;

	while (n < l->o.batch_max && l->n_jobs) {
		out[n++] = STAILQ_FIRST(&l->jobs);
		STAILQ_REMOVE_HEAD(&l->jobs, link);
		l->n_jobs--;
	}
	l->start_by_us = l->n_jobs ? clock_mono_us() : INT64_MAX;
	return n;
}

/* Under the lock: the next batch; 0 jobs: the idle time has come, or somebody woke the lane, or it
 * ends. */
static size_t batch_wait(struct lane *l, int64_t idle_at, struct lane_job **out)
{
	for (;;) {
		int64_t now = clock_mono_us();

		if (l->n_jobs &&
		    (l->stopping || l->n_jobs >= l->o.batch_max || l->start_by_us <= now))
			return jobs_take(l, out);
		if (l->stopping || l->woken || idle_at <= now) {
			l->woken = false;
			return 0;
		}
		wait_until(l, l->start_by_us < idle_at ? l->start_by_us : idle_at);
	}
}

static void *thread_main(void *arg)
{
	struct lane_thread *t = arg;
	struct lane *l = t->lane;
	struct lane_job *jobs[LANE_BATCH_MAX];
	int64_t idle_at = l->o.idle ? l->o.idle(t->worker) : INT64_MAX;
	bool end = false;
	size_t n;

	while (!end) {
		pthread_mutex_lock(&l->lock);
		n = batch_wait(l, idle_at, jobs);
		end = n == 0 && l->stopping;
		pthread_mutex_unlock(&l->lock);
		if (n)
			l->o.run(jobs, n, t->worker);
		if (l->o.idle && !end)
			idle_at = l->o.idle(t->worker);
	}
	return NULL;
}

static int threads_start(struct lane *l)
{
	for (unsigned i = 0; i < l->o.n_threads; i++) {
		struct lane_thread *t = &l->threads[i];

		t->lane = l;
		t->worker = l->o.workers[i];
		if (pthread_create(&t->id, NULL, thread_main, t))
			return err_set(ERR_NOMEM, "no thread for lane %s", l->o.name);
		t->started = true;
		pthread_setname_np(t->id, l->o.name);
	}
	return 0;
}

int lane_new(const struct lane_options *o, struct lane **out)
{
	struct lane *l = calloc(1, sizeof(*l));
	pthread_condattr_t attr;
	int rc;

	if (!l)
		return err_set(ERR_NOMEM, "no memory for lane %s", o->name);
	l->o = *o;
	l->start_by_us = INT64_MAX;
	STAILQ_INIT(&l->jobs);
	pthread_mutex_init(&l->lock, NULL);
	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(&l->changed, &attr);
	pthread_condattr_destroy(&attr);
	rc = threads_start(l);
	if (rc) {
		lane_stop(l);
		return rc;
	}
	*out = l;
	return 0;
}

static int put(struct lane *l, struct lane_job *job, int64_t patience_us, size_t max)
{
	bool wake;

	job->start_by_us = clock_mono_us() + patience_us;
	pthread_mutex_lock(&l->lock);
	if (l->stopping || l->n_jobs >= max) {
		pthread_mutex_unlock(&l->lock);
		return err_set(ERR_BUSY, "too many requests are waiting (%s): try again",
			       l->o.name);
	}
	STAILQ_INSERT_TAIL(&l->jobs, job, link);
	l->n_jobs++;
	/* sleeping threads need to know only of an earlier start or of a full batch */
	wake = job->start_by_us < l->start_by_us || l->n_jobs == l->o.batch_max;
	if (job->start_by_us < l->start_by_us)
		l->start_by_us = job->start_by_us;
	if (wake || l->o.n_threads > 1)
		pthread_cond_signal(&l->changed);
	pthread_mutex_unlock(&l->lock);
	return 0;
}

int lane_put(struct lane *l, struct lane_job *job, int64_t patience_us)
{
	return put(l, job, patience_us, l->o.max_jobs);
}

int lane_put_modest(struct lane *l, struct lane_job *job, int64_t patience_us)
{
	return put(l, job, patience_us, l->o.max_jobs / 2);
}

void lane_wake(struct lane *l)
{
	pthread_mutex_lock(&l->lock);
	l->woken = true;
	pthread_cond_signal(&l->changed);
	pthread_mutex_unlock(&l->lock);
}

void lane_stop(struct lane *l)
{
	if (!l)
		return;
	pthread_mutex_lock(&l->lock);
	l->stopping = true;
	pthread_cond_broadcast(&l->changed);
	pthread_mutex_unlock(&l->lock);
	for (unsigned i = 0; i < LANE_THREADS_MAX; i++)
		if (l->threads[i].started)
			pthread_join(l->threads[i].id, NULL);
	pthread_cond_destroy(&l->changed);
	pthread_mutex_destroy(&l->lock);
	free(l);
}
