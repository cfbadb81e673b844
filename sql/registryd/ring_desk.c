/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Owns what stands between the event ring and the groups of the event lane: entries are taken,
 * stored with their numbers in one transaction, and freed after its commit; after a crash between
 * the two the numbers tell what is stored already. An accept that was lost (no room, half written,
 * the machine lost power) is counted, and noted: for a day after it a revocation is told to every
 * NAS.
 */
#include "sql/registryd/event_worker.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"

#define POLL_US 100000	/* nobody waits for it; after a change of standing at once */
#define RETRY_US 500000 /* after a commit that failed */
#define BEAT_US 200000
#define TELL_US 1000000

struct ring_desk {
	struct service *service;
	struct session_store *sessions;
	struct event_memory *memory;
	struct ring_note note;
	bool note_due;
	uint64_t lost_rejects;
	char why_lost[TEXT_SIZE]; /* accepts, since the writer was told; "": none */
	int64_t lost_us;	  /* when it was told */
	int64_t next_us, retry_us, beat_us, told_us;
	size_t n; /* taken */
	struct event_entry entries[EVENT_TAKE_MAX];
	struct event_job jobs[EVENT_TAKE_MAX];
	uint64_t tried[EVENT_RING_SLOTS]; /* number + 1: its follow-up came before its commit */
};

/* ---- what is lost ---- */

static void dropped_add(struct ring_desk *d, uint64_t n, const char *what)
{
	int64_t now_us = clock_mono_us();
	unsigned long long sum = atomic_fetch_add(&d->service->events_dropped, n) + n;

	if (now_us - d->told_us < TELL_US)
		return;
	d->told_us = now_us;
	LOG(LOG_WARN, "event.dropped", LOG_S("what", what), LOG_U("dropped_so_far", sum),
	    LOG_S("why", err_text()));
}

/* Accepts that no session tells of: the writer tells every NAS of what was changed just now, and
 * for a day of every change. */
static void accepts_lost(struct ring_desk *d, const char *why)
{
	d->note.lost_at = clock_wall_ms();
	d->note_due = true;
	atomic_store(&d->service->accepts_lost_at, d->note.lost_at);
	snprintf(d->why_lost, sizeof(d->why_lost), "%s", why);
}

static void losses_tell(struct ring_desk *d, int64_t now_us)
{
	struct followup f = {.kind = FOLLOWUP_ACCEPTS_LOST, .at = d->note.lost_at};

	if (!*d->why_lost || now_us - d->lost_us < TELL_US)
		return;
	LOG(LOG_ERROR, "event.accepts_lost", LOG_S("why", d->why_lost));
	writer_follow_up(d->service, &f);
	d->why_lost[0] = '\0';
	d->lost_us = now_us;
}

static void losses_look(struct ring_desk *d, const struct event_head *head)
{
	uint64_t accepts = head->lost_accepts - d->note.lost_accepts;
	uint64_t rejects = head->lost_rejects - d->lost_rejects;

	if (accepts) {
		err_text_set("the event ring was full");
		dropped_add(d, accepts, "accepts");
		accepts_lost(d, "the event ring was full");
		d->note.lost_accepts = head->lost_accepts;
		atomic_store(&d->service->accepts_lost, head->lost_accepts);
	}
	if (rejects) {
		err_text_set("the event ring was full");
		dropped_add(d, rejects, "rejects");
		d->lost_rejects = head->lost_rejects;
	}
}

bool service_accepts_lost(struct service *s, int64_t since)
{
	struct event_head head;
	int64_t at = atomic_load(&s->accepts_lost_at);

	if (at && at >= since)
		return true;
	/* the event lane has not looked yet */
	return event_memory_head(s->ring, &head) ||
	       head.lost_accepts != atomic_load(&s->accepts_lost);
}

/* A ring that was not the one in the note. */
static void ring_begin(struct ring_desk *d, const struct event_head *head)
{
	hex_encode(head->id, sizeof(head->id), d->note.ring, sizeof(d->note.ring));
	d->note.lost_accepts = 0;
	d->note_due = true;
}

/* Whoever can write it has destroyed it. */
static int ring_repair(struct ring_desk *d)
{
	struct event_head head;
	int rc;

	accepts_lost(d, err_text());
	rc = event_memory_repair(d->memory);
	if (!rc)
		rc = event_memory_head(d->memory, &head);
	if (!rc)
		ring_begin(d, &head);
	atomic_store(&d->service->accepts_lost, 0);
	return rc;
}

/* ---- begin and end ---- */

/* What the last group of the process before had stored is not stored again. */
static int taken_forget(struct ring_desk *d)
{
	uint64_t numbers[EVENT_TAKE_MAX];
	size_t n;
	int rc = session_store_ring_untaken(d->sessions, numbers, EVENT_TAKE_MAX, &n);

	return rc ? rc : event_memory_forget(d->memory, numbers, n);
}

static int note_read(struct ring_desk *d, bool gone)
{
	struct event_head head;
	char id[sizeof(d->note.ring)];
	int rc = session_store_ring(d->sessions, &d->note);

	if (!rc)
		rc = event_memory_head(d->memory, &head);
	if (rc)
		return rc;
	hex_encode(head.id, sizeof(head.id), id, sizeof(id));
	if (!strcmp(id, d->note.ring))
		rc = taken_forget(d);
	else
		ring_begin(d, &head);
	d->lost_rejects = head.lost_rejects;
	atomic_store(&d->service->accepts_lost, d->note.lost_accepts);
	atomic_store(&d->service->accepts_lost_at, d->note.lost_at);
	if (gone)
		accepts_lost(d, "the event ring of before is gone");
	return rc;
}

int ring_desk_new(struct event_worker *w, const char *home, struct ring_desk **out)
{
	struct ring_desk *d = calloc(1, sizeof(*d));
	bool gone = false;
	int rc;

	if (!d)
		return err_set(ERR_NOMEM, "no memory for events");
	d->service = w->service;
	d->sessions = w->sessions;
	rc = event_memory_open(home, &d->memory, &gone);
	if (!rc)
		rc = note_read(d, gone);
	if (rc) {
		event_memory_close(d->memory, false);
		free(d);
		return rc;
	}
	w->service->ring = d->memory;
	*out = d;
	return 0;
}

void ring_desk_free(struct ring_desk *d, bool over)
{
	if (!d)
		return;
	event_memory_close(d->memory, over && !d->note_due);
	free(d);
}

/* ---- groups ---- */

/* An entry that can't be read is nothing; what it was to be is told by its place. */
static void invalid_free(struct ring_desk *d, const struct event_entry *e)
{
	dropped_add(d, 1, "unreadable");
	if (e->slot < EVENT_RING_ACCEPTS)
		accepts_lost(d, "an entry of the event ring can't be read");
	event_memory_free(d->memory, e, 1);
}

static void job_make(struct event_job *job, const struct auth_event *e)
{
	*job = (struct event_job){.verb = EVENT_OF_RING, .e.auth = e};
	memcpy(job->device, e->device, sizeof(job->device));
}

static int entries_take(struct ring_desk *d, int64_t now_us)
{
	struct event_head head;
	size_t n, valid = 0;
	int rc = event_memory_take(d->memory, now_us, &head, d->entries, &n);

	if (rc)
		return rc;
	losses_look(d, &head);
	for (size_t i = 0; i < n; i++) {
		if (!d->entries[i].valid) {
			invalid_free(d, &d->entries[i]);
			continue;
		}
		if (valid != i)
			d->entries[valid] = d->entries[i];
		job_make(&d->jobs[valid], &d->entries[valid].event);
		valid++;
	}
	d->n = valid;
	if (n == EVENT_TAKE_MAX)
		d->next_us = now_us;
	return 0;
}

size_t ring_desk_take(struct ring_desk *d, int64_t now_us, struct event_job **out, bool *due_out)
{
	int rc = 0;

	d->n = 0;
	*due_out = false;
	if (now_us >= d->beat_us) {
		event_memory_beat(d->memory, now_us);
		d->beat_us = now_us + BEAT_US;
	}
	if (now_us < d->retry_us)
		return 0;
	d->next_us = now_us + POLL_US;
	rc = entries_take(d, now_us);
	if (rc == ERR_CORRUPT)
		rc = ring_repair(d);
	if (rc) {
		LOG(LOG_ERROR, "event.ring_failed", LOG_S("why", err_text()));
		d->next_us = d->retry_us = now_us + RETRY_US;
	}
	losses_tell(d, now_us);
	*out = d->jobs;
	*due_out = d->note_due || d->n > 0;
	return d->n;
}

int ring_desk_store(struct ring_desk *d)
{
	uint64_t numbers[EVENT_TAKE_MAX];
	int rc = d->note_due ? session_store_ring_note(d->sessions, &d->note) : 0;

	if (rc || !d->n)
		return rc;
	for (size_t i = 0; i < d->n; i++)
		numbers[i] = d->entries[i].number;
	return session_store_ring_taken(d->sessions, numbers, d->n);
}

void ring_desk_settle(struct ring_desk *d, int rc, int64_t now_us)
{
	if (rc) {
		d->next_us = d->retry_us = now_us + RETRY_US;
		return;
	}
	d->note_due = false;
	for (size_t i = 0; i < d->n; i++)
		if (d->jobs[i].outcome && strcmp(d->entries[i].event.verdict, "reject") != 0)
			accepts_lost(d, "an event of an accept can't be stored");
	event_memory_free(d->memory, d->entries, d->n);
}

bool ring_desk_follows(struct ring_desk *d, size_t job, int rc)
{
	const struct event_entry *e = &d->entries[job];
	bool again = d->tried[e->slot] == e->number + 1;

	if (!rc)
		return !d->jobs[job].outcome;
	d->tried[e->slot] = e->number + 1;
	return !again;
}

/* The last group stored all that was there. */
bool ring_desk_is_empty(struct ring_desk *d)
{
	return !d->note_due && d->retry_us <= clock_mono_us() && event_memory_is_empty(d->memory);
}

int64_t ring_desk_next(const struct ring_desk *d)
{
	return d->next_us;
}
