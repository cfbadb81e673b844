/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Owns the ring in use, the one before it while threads may still write there, and the thread that
 * looks after both.
 */
#include "radius_modules/rlm_pump/event_outbox.h"

#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"

#define DEAD_US 10000000 /* an entry begun before, and not finished by then, never will be */

/* A ring and who is writing in it. */
struct place {
	struct event_ring ring;
	bool own; /* nobody reads it */
	dev_t dev;
	ino_t ino;
	_Atomic int writers;
};

struct event_outbox {
	pthread_t thread;
	pthread_mutex_t lock; /* fetching; never held to put an event into a ring that is read */
	pthread_cond_t wake;  /* on CLOCK_MONOTONIC */
	bool stopping;
	_Atomic int64_t next_us; /* no attempt to fetch before */
	struct ipc_client *client;
	_Atomic(struct place *) current;
	struct place *left; /* what it was before; NULL: emptied */
	struct place places[2];
	int64_t dead_at_us; /* when to free what dead writers had begun; 0: done */
	uint64_t begun[EVENT_RING_SLOTS];
};

/* ---- places ---- */

static int own_make(struct place *p)
{
	void *memory = mmap(NULL, event_ring_size(), PROT_READ | PROT_WRITE,
			    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	int rc;

	if (memory == MAP_FAILED)
		return err_errno(ERR_NOMEM, "memory for events");
	event_ring_init(memory);
	rc = event_ring_attach(memory, event_ring_size(), &p->ring);
	p->own = true;
	return rc;
}

/* The place to write to, which is not unmapped until it is let go. */
static struct place *place_enter(struct event_outbox *o)
{
	for (;;) {
		struct place *p = atomic_load(&o->current);

		atomic_fetch_add(&p->writers, 1);
		if (atomic_load(&o->current) == p)
			return p;
		atomic_fetch_sub(&p->writers, 1);
	}
}

static void place_leave(struct place *p)
{
	atomic_fetch_sub(&p->writers, 1);
}

static bool is_read(const struct place *p)
{
	return !p->own && event_ring_is_read(&p->ring, clock_mono_us());
}

/* ---- under the lock ---- */

/* What is in the place before goes to the present one; true: nothing is left, and it is gone. */
static bool left_empty(struct event_outbox *o)
{
	struct place *p = o->left;

	if (!p)
		return true;
	/* who writes there now is done in a moment; new ones go elsewhere */
	if (atomic_load(&p->writers))
		return false;
	event_ring_move(&p->ring, &atomic_load(&o->current)->ring);
	if (event_ring_waiting(&p->ring))
		return false;
	event_ring_unmap(&p->ring);
	o->left = NULL;
	return true;
}

static void place_change(struct event_outbox *o, const struct event_ring *ring,
			 const struct stat *st)
{
	struct place *before = atomic_load(&o->current);
	struct place *now = before == &o->places[0] ? &o->places[1] : &o->places[0];

	now->ring = *ring;
	now->own = false;
	now->dev = st->st_dev;
	now->ino = st->st_ino;
	o->left = before;
	atomic_store(&o->current, now);
	event_ring_unfinished(ring, o->begun);
	o->dead_at_us = clock_mono_us() + DEAD_US;
}

/* registryd's ring, if it is another one than ours. */
static int fetch(struct event_outbox *o)
{
	const struct place *p = atomic_load(&o->current);
	struct event_ring ring;
	struct stat st;
	int fd, rc = registry_event_ring(o->client, &fd, OUTBOX_FETCH_MS);

	if (rc)
		return rc;
	if (fstat(fd, &st))
		rc = err_errno(ERR_IO, "the event ring");
	else if (p->own || st.st_dev != p->dev || st.st_ino != p->ino)
		rc = event_ring_map(fd, &ring);
	else
		rc = ERR_UNCHANGED;
	close(fd);
	if (!rc)
		place_change(o, &ring, &st);
	return rc == ERR_UNCHANGED ? 0 : rc;
}

static void refresh(struct event_outbox *o)
{
	if (!left_empty(o) || is_read(atomic_load(&o->current)) ||
	    clock_mono_us() < atomic_load(&o->next_us))
		return;
	(void)fetch(o); /* else later */
	atomic_store(&o->next_us, clock_mono_us() + OUTBOX_RETRY_MS * INT64_C(1000));
	(void)left_empty(o);
}

static void dead_reclaim(struct event_outbox *o)
{
	struct place *p = atomic_load(&o->current);

	if (!o->dead_at_us || clock_mono_us() < o->dead_at_us)
		return;
	event_ring_reclaim(&p->ring, o->begun);
	o->dead_at_us = 0;
}

/* ---- the thread ---- */

static void *thread_main(void *arg)
{
	struct event_outbox *o = arg;

	pthread_mutex_lock(&o->lock);
	while (!o->stopping) {
		int64_t until_us;
		struct timespec until;

		refresh(o);
		dead_reclaim(o);
		until_us = clock_mono_us() + OUTBOX_LOOK_MS * INT64_C(1000);
		until = (struct timespec){until_us / 1000000, until_us % 1000000 * 1000};
		pthread_cond_timedwait(&o->wake, &o->lock, &until);
	}
	pthread_mutex_unlock(&o->lock);
	return NULL;
}

/* Signals are for the server's own threads. */
static int thread_start(struct event_outbox *o)
{
	sigset_t all, old;
	int rc;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &old);
	rc = pthread_create(&o->thread, NULL, thread_main, o);
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	if (rc)
		return err_set(ERR_NOMEM, "no thread for the events");
	pthread_setname_np(o->thread, "pump-events");
	return 0;
}

static void outbox_free(struct event_outbox *o)
{
	ipc_client_free(o->client);
	for (int i = 0; i < 2; i++)
		event_ring_unmap(&o->places[i].ring);
	pthread_cond_destroy(&o->wake);
	pthread_mutex_destroy(&o->lock);
	free(o);
}

int event_outbox_new(const char *socket_path, struct event_outbox **out)
{
	struct event_outbox *o = calloc(1, sizeof(*o));
	pthread_condattr_t attr;
	int rc;

	if (!o)
		return err_set(ERR_NOMEM, "no memory for the events");
	pthread_mutex_init(&o->lock, NULL);
	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(&o->wake, &attr);
	pthread_condattr_destroy(&attr);
	atomic_store(&o->current, &o->places[0]);
	rc = own_make(&o->places[0]);
	if (!rc)
		rc = ipc_client_new(socket_path, "radius", &o->client);
	if (!rc)
		rc = thread_start(o);
	if (rc) {
		outbox_free(o);
		return rc;
	}
	*out = o;
	return 0;
}

size_t event_outbox_end(struct event_outbox *o)
{
	const struct place *p;
	size_t lost = 0;

	if (!o)
		return 0;
	pthread_mutex_lock(&o->lock);
	o->stopping = true;
	pthread_cond_signal(&o->wake);
	pthread_mutex_unlock(&o->lock);
	pthread_join(o->thread, NULL);
	atomic_store(&o->next_us, 0);
	refresh(o);
	p = atomic_load(&o->current);
	if (p->own)
		lost = event_ring_waiting(&p->ring);
	if (o->left)
		lost += event_ring_waiting(&o->left->ring);
	outbox_free(o);
	return lost;
}

int event_outbox_put(struct event_outbox *o, const struct auth_event *e)
{
	struct place *p = place_enter(o);
	bool read = is_read(p), refusal = !strcmp(e->verdict, "reject");
	int rc;

	/* an Accept does not leave before it is where it stays, if that can be helped */
	if (!read && !refusal && clock_mono_us() >= atomic_load(&o->next_us)) {
		place_leave(p);
		pthread_mutex_lock(&o->lock);
		refresh(o);
		pthread_mutex_unlock(&o->lock);
		p = place_enter(o);
		read = is_read(p);
	}
	rc = event_ring_put(&p->ring, e);
	place_leave(p);
	if (rc)
		return rc;
	return read ? 0 : err_set(ERR_UNAVAILABLE, "registryd does not take events now");
}
