/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Owns the layout: a page with the header, a word for each slot, the slots. A word is 0 (free), or
 * state, writer and number of its entry. Writers claim a free slot by compare and swap and say that
 * it is ready when all of it stands there; only the reader frees it.
 */
#include "sql/proto/event_ring.h"

#include <errno.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include <sodium.h>

#include "base/secret.h"

#define MAGIC UINT64_C(0x3152544e56454750)
#define LAYOUT 1
#define NUMBER_BITS 48
#define WRITER_BITS 14
#define NUMBER_MASK ((UINT64_C(1) << NUMBER_BITS) - 1)
#define WRITER_MASK ((UINT64_C(1) << WRITER_BITS) - 1)

struct header {
	uint64_t magic;
	uint64_t layout;
	uint64_t slots;
	uint8_t id[16];
	uint8_t pad_1[EVENT_BEAT_OFFSET - 40];
	_Atomic uint64_t beat_us; /* the reader's */
	_Atomic uint64_t beat_check;
	uint8_t pad_2[112];
	_Atomic uint64_t number;
	_Atomic uint64_t finished;
	_Atomic uint64_t lost_accepts;
	_Atomic uint64_t lost_rejects;
};
_Static_assert(offsetof(struct header, beat_us) == EVENT_BEAT_OFFSET, "as said in event_ring.h");
_Static_assert(offsetof(struct header, number) == 256, "on a cache line of its own");

struct slot {
	uint64_t number;
	uint64_t hash; /* over number, len and the bytes */
	uint32_t len;
	uint8_t bytes[EVENT_SLOT_SIZE - 20];
};
_Static_assert(sizeof(struct slot) == EVENT_SLOT_SIZE, "slots lie side by side");
/* each field costs five bytes besides its content, the record four */
_Static_assert(sizeof(struct auth_event) + 5 * 20 + 4 <= sizeof(((struct slot *)0)->bytes),
	       "every event fits");

size_t event_word_offset(size_t slot)
{
	return EVENT_HEAD_SIZE + slot * sizeof(uint64_t);
}

size_t event_slot_offset(size_t slot)
{
	return event_word_offset(EVENT_RING_SLOTS) + slot * EVENT_SLOT_SIZE;
}

size_t event_ring_size(void)
{
	return event_slot_offset(EVENT_RING_SLOTS);
}

static struct header *header_of(const struct event_ring *r)
{
	return r->memory;
}

static _Atomic uint64_t *word_of(const struct event_ring *r, size_t slot)
{
	return (_Atomic uint64_t *)(void *)((uint8_t *)r->memory + event_word_offset(slot));
}

static struct slot *slot_of(const struct event_ring *r, size_t slot)
{
	return (struct slot *)(void *)((uint8_t *)r->memory + event_slot_offset(slot));
}

static uint64_t word_make(enum event_word_state state, uint16_t writer, uint64_t number)
{
	return (uint64_t)state << (NUMBER_BITS + WRITER_BITS) | (uint64_t)writer << NUMBER_BITS |
	       (number & NUMBER_MASK);
}

enum event_word_state event_word_state(uint64_t word)
{
	uint64_t state = word >> (NUMBER_BITS + WRITER_BITS);

	return state == EVENT_READY ? EVENT_READY : word ? EVENT_UNFINISHED : EVENT_FREE;
}

uint64_t event_word_number(uint64_t word)
{
	return word & NUMBER_MASK;
}

/* Notices what was torn, not what was forged. */
static uint64_t slot_hash(uint64_t number, const uint8_t *bytes, uint32_t len)
{
	static const uint8_t key[crypto_shorthash_KEYBYTES] = "pumpgate events";
	uint8_t out[crypto_shorthash_BYTES];
	uint64_t hash;

	crypto_shorthash(out, bytes, len, key);
	memcpy(&hash, out, sizeof(hash));
	return hash ^ number ^ (uint64_t)len << 32;
}

/* ---- making and attaching ---- */

void event_ring_init(void *memory)
{
	struct header *h = memory;

	h->layout = LAYOUT;
	h->slots = EVENT_RING_SLOTS;
	secret_fill_random(h->id, sizeof(h->id));
	atomic_store(&h->beat_check, ~UINT64_C(0)); /* nobody reads it yet */
	h->magic = MAGIC;
}

static bool is_ring(const struct header *h)
{
	return h->magic == MAGIC && h->layout == LAYOUT && h->slots == EVENT_RING_SLOTS;
}

int event_ring_attach(void *memory, size_t size, struct event_ring *out)
{
	if (size != event_ring_size() || !is_ring(memory))
		return err_set(ERR_INVALID, "no event ring of this version");
	out->memory = memory;
	secret_fill_random(&out->writer, sizeof(out->writer));
	out->writer = (uint16_t)(out->writer & WRITER_MASK) | 1;
	return 0;
}

int event_ring_map(int fd, struct event_ring *out)
{
	struct stat st;
	void *memory;
	int rc;

	if (fstat(fd, &st) || (size_t)st.st_size != event_ring_size())
		return err_set(ERR_INVALID, "no event ring of this version");
	memory = mmap(NULL, event_ring_size(), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (memory == MAP_FAILED)
		return err_errno(ERR_IO, "mapping the event ring");
	rc = event_ring_attach(memory, event_ring_size(), out);
	if (rc)
		munmap(memory, event_ring_size());
	return rc;
}

void event_ring_unmap(struct event_ring *r)
{
	if (r->memory)
		munmap(r->memory, event_ring_size());
	r->memory = NULL;
}

/* ---- writers ---- */

/* Entry `number` claims a slot of its kind, from where its number points to; -1: all are taken. */
static int64_t slot_claim(struct event_ring *r, bool refused, uint64_t number)
{
	size_t first = refused ? EVENT_RING_ACCEPTS : 0;
	size_t count = refused ? EVENT_RING_REJECTS : EVENT_RING_ACCEPTS;
	uint64_t claimed = word_make(EVENT_UNFINISHED, r->writer, number);

	for (size_t i = 0; i < count; i++) {
		size_t at = first + (size_t)(number + i) % count;
		uint64_t is_free = 0;

		if (atomic_compare_exchange_strong(word_of(r, at), &is_free, claimed))
			return (int64_t)at;
	}
	return -1;
}

/* False: the slot was taken from us, which happens to who stands still in here for seconds. */
static bool slot_fill(struct event_ring *r, size_t at, uint64_t number, const struct buf *event)
{
	struct slot *s = slot_of(r, at);
	uint64_t claimed = word_make(EVENT_UNFINISHED, r->writer, number);

	s->number = number;
	s->len = (uint32_t)event->len;
	memcpy(s->bytes, event->data, event->len);
	s->hash = slot_hash(number, event->data, (uint32_t)event->len);
	return atomic_compare_exchange_strong(word_of(r, at), &claimed,
					      word_make(EVENT_READY, r->writer, number));
}

static bool is_refusal(const struct auth_event *e)
{
	return !strcmp(e->verdict, "reject");
}

/* ERR_LIMIT, ERR_NOMEM. */
static int put_uncounted(struct event_ring *r, const struct auth_event *e)
{
	AUTO_BUF event = {.max = sizeof(((struct slot *)0)->bytes)};
	int rc = record_put(&event, &record_auth_event, e);

	while (!rc) {
		uint64_t number = atomic_fetch_add(&header_of(r)->number, 1) & NUMBER_MASK;
		int64_t at = slot_claim(r, is_refusal(e), number);

		if (at < 0)
			return err_set(ERR_LIMIT, "no room in the event ring");
		if (!slot_fill(r, (size_t)at, number, &event))
			continue;
		atomic_fetch_add(&header_of(r)->finished, 1);
		return 0;
	}
	return rc;
}

int event_ring_put(struct event_ring *r, const struct auth_event *e)
{
	struct header *h = header_of(r);
	int rc = put_uncounted(r, e);

	if (rc)
		atomic_fetch_add(is_refusal(e) ? &h->lost_rejects : &h->lost_accepts, 1);
	return rc;
}

bool event_ring_is_read(const struct event_ring *r, int64_t now_us)
{
	struct header *h = header_of(r);
	uint64_t us = atomic_load(&h->beat_us), check = atomic_load(&h->beat_check);

	/* while it is being written, the one before it was no older than that */
	return us != ~check || (us && now_us - (int64_t)us < EVENT_READER_US);
}

size_t event_ring_waiting(const struct event_ring *r)
{
	size_t n = 0;

	for (size_t i = 0; i < EVENT_RING_SLOTS; i++)
		n += event_word_state(atomic_load(word_of(r, i))) == EVENT_READY;
	return n;
}

void event_ring_move(struct event_ring *from, struct event_ring *to)
{
	for (size_t i = 0; i < EVENT_RING_SLOTS; i++) {
		uint64_t word = atomic_load(word_of(from, i));
		struct auth_event e;

		if (event_word_state(word) != EVENT_READY)
			continue;
		if (!event_slot_parse((const uint8_t *)slot_of(from, i), word, &e) &&
		    put_uncounted(to, &e))
			continue;
		atomic_store(word_of(from, i), 0);
	}
}

void event_ring_unfinished(const struct event_ring *r, uint64_t *words_out)
{
	for (size_t i = 0; i < EVENT_RING_SLOTS; i++) {
		uint64_t word = atomic_load(word_of(r, i));
		bool others = (word >> NUMBER_BITS & WRITER_MASK) != r->writer;

		words_out[i] = event_word_state(word) == EVENT_UNFINISHED && others ? word : 0;
	}
}

void event_ring_reclaim(struct event_ring *r, const uint64_t *words)
{
	for (size_t i = 0; i < EVENT_RING_SLOTS; i++) {
		uint64_t word = words[i];

		if (word)
			(void)atomic_compare_exchange_strong(word_of(r, i), &word, 0);
	}
}

/* ---- the reader ---- */

int event_head_parse(const uint8_t *bytes, struct event_head *out)
{
	struct header h;

	memcpy(&h, bytes, sizeof(h));
	if (!is_ring(&h))
		return err_set(ERR_INVALID, "no event ring of this version");
	memcpy(out->id, h.id, sizeof(out->id));
	out->finished = h.finished;
	out->lost_accepts = h.lost_accepts;
	out->lost_rejects = h.lost_rejects;
	return 0;
}

struct event_beat event_beat_make(int64_t now_us)
{
	return (struct event_beat){.us = (uint64_t)now_us, .check = ~(uint64_t)now_us};
}

int event_slot_parse(const uint8_t slot[EVENT_SLOT_SIZE], uint64_t word, struct auth_event *out)
{
	struct slot s;
	struct cursor c;

	memcpy(&s, slot, sizeof(s));
	if (event_word_state(word) != EVENT_READY || s.number != event_word_number(word) ||
	    s.len > sizeof(s.bytes) || s.hash != slot_hash(s.number, s.bytes, s.len))
		return err_set(ERR_INVALID, "an entry of the event ring is half written");
	c = cursor_of(s.bytes, s.len);
	if (record_get(&c, &record_auth_event, out))
		return err_add(ERR_INVALID, "an entry of the event ring");
	return c.left ? err_set(ERR_INVALID, "an entry of the event ring has bytes too many") : 0;
}
