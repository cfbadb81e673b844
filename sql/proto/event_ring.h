/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Events of authentications in memory that outlives both ends (docs/decisions/0140): radiusd's
 * threads put an event before its Accept leaves, without a system call or a lock; registryd takes
 * it, commits it, and only then frees its slot. Owns the layout and its rules; never a path, a
 * database or a clock.
 *
 * The writer is the less trusted end. So the reader never maps this memory (a writer could shrink
 * it): it copies with pread(2) and believes nothing of what it has copied.
 */
#ifndef SQL_PROTO_EVENT_RING_H
#define SQL_PROTO_EVENT_RING_H

#include <stddef.h>

#include "sql/proto/registry_records.h"

/* Room for accepts and for rejects is apart: while registryd is away everybody is refused, and that
 * must not take the room of who got on. */
#define EVENT_RING_ACCEPTS 4096
#define EVENT_RING_REJECTS 1024
#define EVENT_RING_SLOTS (EVENT_RING_ACCEPTS + EVENT_RING_REJECTS)
#define EVENT_SLOT_SIZE 1664
#define EVENT_HEAD_SIZE 4096
/* The reader is alive while its last beat is not older. */
#define EVENT_READER_US 1000000

/* Constant, about 8.6 MB. */
size_t event_ring_size(void);

/* ---- writers: several processes at once, each with its mapping ---- */

struct event_ring {
	void *memory;
	uint16_t writer; /* tells this mapping's unfinished entries from those of the dead */
};

/* In zeroed memory of event_ring_size bytes: an empty ring. */
void event_ring_init(void *memory);
/* ERR_INVALID: no ring of this version. */
int event_ring_attach(void *memory, size_t size, struct event_ring *out) MUST_USE;
/* Maps the ring behind a descriptor; event_ring_unmap is the caller's. ERR_INVALID, ERR_IO. */
int event_ring_map(int fd, struct event_ring *out) MUST_USE;
void event_ring_unmap(struct event_ring *r);
/* Any thread; never waits. It is in the ring when this returns, and stays there whatever happens to
 * this process. ERR_LIMIT: there is no room, which the ring has counted; ERR_NOMEM, counted too. */
int event_ring_put(struct event_ring *r, const struct auth_event *e) MUST_USE;
/* registryd has looked at it within EVENT_READER_US, and did not end. */
bool event_ring_is_read(const struct event_ring *r, int64_t now_us);
/* How many finished entries wait. */
size_t event_ring_waiting(const struct event_ring *r);
/* What waits in `from`, which nobody reads, goes to `to`; stays when that is full. */
void event_ring_move(struct event_ring *from, struct event_ring *to);
/* A slot that a dead writer had begun to fill. words_out: EVENT_RING_SLOTS; its entries that are
 * others' and unfinished, 0 the rest. Those that are still so much later (10 s) belong to nobody
 * and are freed. */
void event_ring_unfinished(const struct event_ring *r, uint64_t *words_out);
void event_ring_reclaim(struct event_ring *r, const uint64_t *words);

/* ---- the reader: on copies ---- */

struct event_head {
	uint8_t id[16];	       /* random, of this ring */
	uint64_t finished;     /* goes up when an entry has become ready */
	uint64_t lost_accepts; /* found no room since the ring was made */
	uint64_t lost_rejects;
};
/* From the ring's first EVENT_HEAD_SIZE bytes. ERR_INVALID: no ring of this version. */
int event_head_parse(const uint8_t *bytes, struct event_head *out) MUST_USE;
/* What the reader writes at EVENT_BEAT_OFFSET; 0: it ends. */
#define EVENT_BEAT_OFFSET 128
struct event_beat {
	uint64_t us;
	uint64_t check; /* a reader of half of it notices */
};
struct event_beat event_beat_make(int64_t now_us);

/* Words of 8 bytes, one for each slot; 0: free, which is what the reader writes to free it. */
size_t event_word_offset(size_t slot);
enum event_word_state { EVENT_FREE, EVENT_UNFINISHED, EVENT_READY };
enum event_word_state event_word_state(uint64_t word);
/* The order in which entries were begun. */
uint64_t event_word_number(uint64_t word);
size_t event_slot_offset(size_t slot);
/* From a copy of a slot and of its word. ERR_INVALID: half written, or no event. */
int event_slot_parse(const uint8_t slot[EVENT_SLOT_SIZE], uint64_t word,
		     struct auth_event *out) MUST_USE;

#endif
