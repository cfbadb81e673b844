/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * registryd's end of the event ring (sql/proto/event_ring.h): makes it, finds it again after a
 * crash of either end, takes entries out of it and frees them. It is a file in /dev/shm that
 * registry/events.ring points to. What another process writes there is copied, never mapped.
 */
#ifndef SQL_REGISTRYD_EVENT_MEMORY_H
#define SQL_REGISTRYD_EVENT_MEMORY_H

#include "sql/proto/event_ring.h"

#define EVENT_TAKE_MAX 256

struct event_memory;

struct event_entry {
	size_t slot;
	uint64_t number;
	bool valid; /* else `event` is nothing, and the slot is to be freed all the same */
	struct auth_event event;
};

/* Finds the ring of before, or makes one. *gone_out: there had been one that is not there any more
 * (a machine that lost power): what was in it is lost. ERR_IO, ERR_FULL, ERR_NOMEM. */
int event_memory_open(const char *home, struct event_memory **out, bool *gone_out) MUST_USE;
/* `over`: all of it was taken and registryd ends: the ring is removed. Else it stays. NULL ok. */
void event_memory_close(struct event_memory *m, bool over);

/* To hand out. Any thread. */
int event_memory_fd(const struct event_memory *m);
/* What the ring says of itself. Any thread. ERR_CORRUPT, ERR_IO. */
int event_memory_head(const struct event_memory *m, struct event_head *out) MUST_USE;

/* ---- one thread ---- */

/* Up to EVENT_TAKE_MAX entries, those that were begun first, in that order. They stay until they
 * are freed. Cheap when nothing is new. ERR_CORRUPT: somebody has destroyed the ring. */
int event_memory_take(struct event_memory *m, int64_t now_us, struct event_head *head_out,
		      struct event_entry *out, size_t *n_out) MUST_USE;
/* After the commit, never before. What can't be freed is freed at the next take, or nothing is
 * taken. */
void event_memory_free(struct event_memory *m, const struct event_entry *entries, size_t n);
/* After opening: frees the entries of these numbers, which were committed and not freed. */
int event_memory_forget(struct event_memory *m, const uint64_t *numbers, size_t n) MUST_USE;
/* No entry is ready or begun. */
bool event_memory_is_empty(struct event_memory *m) MUST_USE;
/* The reader is alive; 0: it ends. */
void event_memory_beat(struct event_memory *m, int64_t now_us);
/* Makes an empty ring of a destroyed one, in its place. ERR_IO, ERR_FULL. */
int event_memory_repair(struct event_memory *m) MUST_USE;

#endif
