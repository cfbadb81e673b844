/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Owns the events that wait for registryd, and the thread that delivers them. The lock is held to
 * copy events in or out, never while a message is built or sent.
 */
#include "radius_modules/rlm_pump/event_queue.h"

#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"

/* Oldest first. */
struct ring {
	uint32_t first, count;
	struct kept {
		uint64_t number; /* in the order of all events */
		struct auth_event event;
	} kept[EVENT_KEPT_MAX];
};

struct event_queue {
	pthread_t thread;
	pthread_mutex_t lock;
	pthread_cond_t wake; /* on CLOCK_MONOTONIC */
	bool asleep;	     /* the thread waits without an end: the next event must wake it */
	bool away;	     /* the last try failed */
	bool stopping;
	int64_t next_us; /* no message before */
	uint64_t next_number;
	struct ring admitted; /* apart: while registryd is away everybody is refused, and that must
			       * not push out who got on just before */
	struct ring refused;
	/* the thread's own */
	struct ipc_client *client;
	struct auth_event batch[REGISTRY_EVENTS_MAX];
	uint64_t numbers[REGISTRY_EVENTS_MAX]; /* theirs */
};

static struct ring *ring_of(struct event_queue *q, const struct auth_event *e)
{
	return strcmp(e->verdict, "reject") ? &q->admitted : &q->refused;
}

/* Under the lock, as all that follows but the thread. */
static uint32_t count(const struct event_queue *q)
{
	return q->admitted.count + q->refused.count;
}

static void wait_until(struct event_queue *q, int64_t mono_us)
{
	struct timespec until = {mono_us / 1000000, mono_us % 1000000 * 1000};

	pthread_cond_timedwait(&q->wake, &q->lock, &until);
}

/* Waits until a message may leave; false when the queue ends. */
static bool message_wait(struct event_queue *q)
{
	while (!q->stopping) {
		bool full = count(q) >= REGISTRY_EVENTS_MAX && !q->away;

		if (count(q) && (full || clock_mono_us() >= q->next_us))
			return true;
		if (clock_mono_us() < q->next_us) {
			wait_until(q, q->next_us);
		} else {
			q->asleep = true;
			pthread_cond_wait(&q->wake, &q->lock);
			q->asleep = false;
		}
	}
	return false;
}

/* The ring with the oldest event; NULL: there is none. */
static struct ring *ring_oldest(struct event_queue *q)
{
	struct ring *a = &q->admitted, *r = &q->refused;

	if (!a->count || !r->count)
		return a->count ? a : r->count ? r : NULL;
	return a->kept[a->first].number < r->kept[r->first].number ? a : r;
}

static uint32_t batch_take(struct event_queue *q)
{
	struct ring *r;
	uint32_t n = 0;

	for (; n < REGISTRY_EVENTS_MAX && (r = ring_oldest(q)) != NULL; n++) {
		q->batch[n] = r->kept[r->first].event;
		q->numbers[n] = r->kept[r->first].number;
		r->first = (r->first + 1) % EVENT_KEPT_MAX;
		r->count--;
	}
	return n;
}

/* What could not be sent is the oldest again, and goes where newer ones took its place. */
static void batch_put_back(struct event_queue *q, uint32_t n)
{
	while (n-- > 0) {
		struct ring *r = ring_of(q, &q->batch[n]);

		if (r->count == EVENT_KEPT_MAX)
			continue;
		r->first = (r->first + EVENT_KEPT_MAX - 1) % EVENT_KEPT_MAX;
		r->kept[r->first].event = q->batch[n];
		r->kept[r->first].number = q->numbers[n];
		r->count++;
	}
}

/* Leaves the lock meanwhile. False: registryd did not take them. */
static bool batch_deliver(struct event_queue *q)
{
	uint32_t n = batch_take(q);
	bool sent;

	pthread_mutex_unlock(&q->lock);
	sent = n == 0 || registry_auth_events(q->client, q->batch, n, EVENT_SEND_MS) == 0;
	pthread_mutex_lock(&q->lock);
	if (!sent)
		batch_put_back(q, n);
	q->away = !sent;
	q->next_us = clock_mono_us() + (sent ? EVENT_GATHER_MS : EVENT_RETRY_MS) * INT64_C(1000);
	return sent;
}

static void *thread_main(void *arg)
{
	struct event_queue *q = arg;

	pthread_mutex_lock(&q->lock);
	while (message_wait(q))
		(void)batch_deliver(q); /* else it is tried again */
	while (count(q) && batch_deliver(q))
		;
	pthread_mutex_unlock(&q->lock);
	return NULL;
}

/* Signals are for the server's own threads. */
static int thread_start(struct event_queue *q)
{
	sigset_t all, old;
	int rc;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &old);
	rc = pthread_create(&q->thread, NULL, thread_main, q);
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	if (rc)
		return err_set(ERR_NOMEM, "no thread for the events");
	pthread_setname_np(q->thread, "pump-events");
	return 0;
}

static void queue_free(struct event_queue *q)
{
	ipc_client_free(q->client);
	pthread_cond_destroy(&q->wake);
	pthread_mutex_destroy(&q->lock);
	free(q);
}

int event_queue_new(const char *socket_path, struct event_queue **out)
{
	struct event_queue *q = calloc(1, sizeof(*q));
	pthread_condattr_t attr;
	int rc;

	if (!q)
		return err_set(ERR_NOMEM, "no memory for the events");
	pthread_mutex_init(&q->lock, NULL);
	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(&q->wake, &attr);
	pthread_condattr_destroy(&attr);
	rc = ipc_client_new(socket_path, "radius", &q->client);
	if (!rc)
		rc = thread_start(q);
	if (rc) {
		queue_free(q);
		return rc;
	}
	*out = q;
	return 0;
}

size_t event_queue_end(struct event_queue *q)
{
	size_t lost;

	if (!q)
		return 0;
	pthread_mutex_lock(&q->lock);
	q->stopping = true;
	pthread_cond_signal(&q->wake);
	pthread_mutex_unlock(&q->lock);
	pthread_join(q->thread, NULL);
	lost = count(q);
	queue_free(q);
	return lost;
}

/* True: the oldest was given up for it. */
static bool ring_add(struct ring *r, uint64_t number, const struct auth_event *e)
{
	bool full = r->count == EVENT_KEPT_MAX;
	struct kept *k;

	if (full) {
		r->first = (r->first + 1) % EVENT_KEPT_MAX;
		r->count--;
	}
	k = &r->kept[(r->first + r->count++) % EVENT_KEPT_MAX];
	k->number = number;
	k->event = *e;
	return full;
}

int event_queue_put(struct event_queue *q, const struct auth_event *e)
{
	bool given_up, wake, away;

	pthread_mutex_lock(&q->lock);
	given_up = ring_add(ring_of(q, e), q->next_number++, e);
	away = q->away;
	wake = q->asleep || (count(q) == REGISTRY_EVENTS_MAX && !away);
	q->asleep = false; /* one call is enough */
	pthread_mutex_unlock(&q->lock);
	if (wake)
		pthread_cond_signal(&q->wake);
	if (given_up)
		return err_set(ERR_BUSY, "%d such events wait already: the oldest is given up",
			       EVENT_KEPT_MAX);
	return away ? err_set(ERR_UNAVAILABLE, "registryd does not take events now") : 0;
}
