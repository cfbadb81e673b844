/* SPDX-License-Identifier: BSD-2-Clause */
/* Owns threads, their queue and the way back to the loop. Never knows what the work is. */
#include "enroll/enrolld/work_pool.h"

#include <pthread.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

#include <event2/event.h>

#define STOP_S 2

struct work_list {
	struct work *first;
	struct work **end;
};

struct worker {
	struct work_pool *pool;
	void *ctx;
	pthread_t thread;
};

struct work_pool {
	struct work_plan plan;
	pthread_mutex_t lock;
	pthread_cond_t filled;
	struct work_list waiting; /* under lock, as all to `stopping` */
	struct work_list finished;
	unsigned n_waiting;
	bool stopping;
	int wake_fd; /* eventfd: `finished` is not empty */
	struct event *wake;
	unsigned n_workers; /* started */
	struct worker workers[WORK_THREADS_MAX];
};

static void list_init(struct work_list *l)
{
	l->first = NULL;
	l->end = &l->first;
}

static void list_add(struct work_list *l, struct work *w)
{
	w->next = NULL;
	*l->end = w;
	l->end = &w->next;
}

static struct work *list_take(struct work_list *l)
{
	struct work *w = l->first;

	if (w) {
		l->first = w->next;
		if (!l->first)
			l->end = &l->first;
	}
	return w;
}

static struct work *next_work(struct work_pool *p)
{
	struct work *w = NULL;

	pthread_mutex_lock(&p->lock);
	while (!p->stopping && !(w = list_take(&p->waiting)))
		pthread_cond_wait(&p->filled, &p->lock);
	if (w)
		p->n_waiting--;
	pthread_mutex_unlock(&p->lock);
	return w;
}

static void *worker_run(void *arg)
{
	struct worker *worker = arg;
	struct work_pool *p = worker->pool;
	struct work *w;

	while ((w = next_work(p))) {
		uint64_t one = 1;
		ssize_t n;

		p->plan.run(w, worker->ctx);
		pthread_mutex_lock(&p->lock);
		list_add(&p->finished, w);
		pthread_mutex_unlock(&p->lock);
		n = write(p->wake_fd, &one, sizeof(one)); /* can only fail when it is set anyway */
		(void)n;
	}
	return NULL;
}

static void on_wake(evutil_socket_t fd, short what, void *arg)
{
	struct work_pool *p = arg;
	struct work *w, *next;
	uint64_t count;
	ssize_t n = read((int)fd, &count, sizeof(count));

	(void)n;
	(void)what;
	pthread_mutex_lock(&p->lock);
	w = p->finished.first;
	list_init(&p->finished);
	pthread_mutex_unlock(&p->lock);
	for (; w; w = next) {
		next = w->next;
		p->plan.done(w, p->plan.ctx);
	}
}

static int loop_join(struct work_pool *p, struct event_base *base)
{
	p->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (p->wake_fd < 0)
		return err_errno(ERR_IO, "eventfd");
	p->wake = event_new(base, p->wake_fd, EV_READ | EV_PERSIST, on_wake, p);
	if (!p->wake || event_add(p->wake, NULL))
		return err_set(ERR_NOMEM, "no memory for an event");
	return 0;
}

static int worker_start(struct work_pool *p, void *ctx)
{
	struct worker *worker = &p->workers[p->n_workers];

	worker->pool = p;
	worker->ctx = ctx;
	if (pthread_create(&worker->thread, NULL, worker_run, worker))
		return err_set(ERR_IO, "no thread can be started");
	p->n_workers++;
	return 0;
}

int work_pool_new(struct event_base *base, const struct work_plan *plan, void *const *thread_ctx,
		  unsigned n_threads, struct work_pool **out)
{
	struct work_pool *p = calloc(1, sizeof(*p));
	int rc;

	if (!p || n_threads > WORK_THREADS_MAX) {
		free(p);
		return err_set(p ? ERR_LIMIT : ERR_NOMEM, "no pool of %u threads", n_threads);
	}
	p->plan = *plan;
	list_init(&p->waiting);
	list_init(&p->finished);
	pthread_mutex_init(&p->lock, NULL);
	pthread_cond_init(&p->filled, NULL);
	rc = loop_join(p, base);
	while (!rc && p->n_workers < n_threads)
		rc = worker_start(p, thread_ctx[p->n_workers]);
	if (rc)
		(void)!work_pool_free(p); /* its threads have nothing to hang in yet */
	else
		*out = p;
	return rc;
}

static bool workers_end(struct work_pool *p)
{
	struct timespec until;

	pthread_mutex_lock(&p->lock);
	p->stopping = true;
	pthread_cond_broadcast(&p->filled);
	pthread_mutex_unlock(&p->lock);
	clock_gettime(CLOCK_REALTIME, &until);
	until.tv_sec += STOP_S;
	for (unsigned i = 0; i < p->n_workers; i++)
		if (pthread_timedjoin_np(p->workers[i].thread, NULL, &until))
			return false;
	return true;
}

bool work_pool_free(struct work_pool *p)
{
	if (!p)
		return true;
	if (!workers_end(p))
		return false;
	if (p->wake)
		event_free(p->wake);
	if (p->wake_fd >= 0)
		close(p->wake_fd);
	for (struct work *w; (w = list_take(&p->waiting));)
		p->plan.drop(w);
	for (struct work *w; (w = list_take(&p->finished));)
		p->plan.drop(w);
	pthread_cond_destroy(&p->filled);
	pthread_mutex_destroy(&p->lock);
	free(p);
	return true;
}

int work_pool_submit(struct work_pool *p, struct work *w)
{
	int rc = 0;

	pthread_mutex_lock(&p->lock);
	if (p->n_waiting == p->plan.queue_max) {
		rc = ERR_BUSY;
	} else {
		list_add(&p->waiting, w);
		p->n_waiting++;
		pthread_cond_signal(&p->filled);
	}
	pthread_mutex_unlock(&p->lock);
	return rc ? err_set(rc, "%u requests wait already", p->plan.queue_max) : 0;
}
