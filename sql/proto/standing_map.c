/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Owns the layout of the map: a header, two tables of marks, buckets of entries. A bucket's
 * sequence is odd while the writer changes it; readers that meet it so try again a few times and
 * then ask. What an entry says is sealed (XSalsa20-Poly1305) with a key that comes from the
 * certificate's name.
 */
#include "sql/proto/standing_map.h"

#include <stdatomic.h>
#include <string.h>

#include <sodium.h>

#include "base/secret.h"

#define MAGIC UINT64_C(0x3150414d47504753)
#define LAYOUT 1
#define SLOTS 15
#define BOX_MAX 208
#define ENTRIES_MIN 16384
#define ENTRIES_MAX (UINT64_C(2) << 20)
#define MARKS_MIN 65536
#define MARKS_MAX (UINT64_C(8) << 20)
#define TRIES 3

struct header {
	uint64_t magic;
	uint64_t layout;
	uint64_t buckets;
	uint64_t marks;
	_Atomic int64_t beat_us;
	_Atomic uint32_t open;
	_Atomic uint32_t generation;
	uint8_t salt[16]; /* of this map; with an entry's number no nonce comes twice */
};
_Static_assert(sizeof(struct header) == 64, "marks begin on a cache line");

/* What stands in an entry; copied word by word, each with acquire and release, so that the second
 * look at the sequence sees what the words saw. */
struct entry {
	uint8_t name[16]; /* of the certificate, hashed */
	uint64_t number;  /* counts what was ever put into this map; 0: never used */
	uint32_t generation;
	uint32_t certificate_mark; /* as it was */
	uint32_t device_mark;
	uint32_t certificate; /* which mark */
	uint32_t device;
	uint32_t box_len;
	uint8_t box[BOX_MAX];
};
#define ENTRY_WORDS (sizeof(struct entry) / sizeof(uint64_t))
_Static_assert(sizeof(struct entry) == 256, "entries lie on cache lines");

struct bucket {
	_Atomic uint32_t sequence;
	_Atomic uint32_t tags[SLOTS];
	_Atomic uint64_t slots[SLOTS][ENTRY_WORDS];
};
_Static_assert(sizeof(struct bucket) == 64 + SLOTS * 256, "buckets lie on cache lines");

struct key {
	uint8_t name[16];
	uint32_t tag;
	uint64_t bucket;
	uint8_t box[crypto_secretbox_KEYBYTES];
};

static uint64_t entries_bound(uint64_t n)
{
	return n < ENTRIES_MIN ? ENTRIES_MIN : n > ENTRIES_MAX ? ENTRIES_MAX : n;
}

static uint64_t buckets_for(uint64_t entries)
{
	/* two thirds full: few buckets are full before the others */
	return entries_bound(entries) * 3 / 2 / SLOTS + 1;
}

static uint64_t marks_for(uint64_t max_id)
{
	uint64_t n = MARKS_MIN;

	while (n < max_id * 2 && n < MARKS_MAX)
		n *= 2;
	return n;
}

static size_t bytes(uint64_t buckets, uint64_t marks)
{
	return sizeof(struct header) + 2 * marks * sizeof(uint32_t) +
	       buckets * sizeof(struct bucket);
}

size_t standing_map_size(uint64_t entries, uint64_t max_id)
{
	return bytes(buckets_for(entries), marks_for(max_id));
}

void standing_map_init(void *memory, uint64_t entries, uint64_t max_id, struct standing_map *out)
{
	struct header *h = memory;

	*out = (struct standing_map){
		.memory = memory, .buckets = buckets_for(entries), .marks = marks_for(max_id)};
	secret_fill_random(h->salt, sizeof(h->salt));
	h->layout = LAYOUT;
	h->buckets = out->buckets;
	h->marks = out->marks;
	h->magic = MAGIC;
}

int standing_map_attach(void *memory, size_t size, struct standing_map *out)
{
	const struct header *h = memory;

	if (size < sizeof(*h) || h->magic != MAGIC || h->layout != LAYOUT)
		return err_set(ERR_INVALID, "no map of standings of this version");
	if (!h->buckets || h->buckets > buckets_for(ENTRIES_MAX) || h->marks < MARKS_MIN ||
	    h->marks > MARKS_MAX || h->marks & (h->marks - 1) ||
	    size != bytes(h->buckets, h->marks))
		return err_set(ERR_INVALID, "a map of standings of %zu bytes", size);
	*out = (struct standing_map){.memory = memory, .buckets = h->buckets, .marks = h->marks};
	return 0;
}

static struct header *header_of(const struct standing_map *m)
{
	return m->memory;
}

static _Atomic uint32_t *certificate_mark(const struct standing_map *m, uint64_t id)
{
	return (_Atomic uint32_t *)(void *)(header_of(m) + 1) + (id & (m->marks - 1));
}

static _Atomic uint32_t *device_mark(const struct standing_map *m, uint64_t id)
{
	return (_Atomic uint32_t *)(void *)(header_of(m) + 1) + m->marks + (id & (m->marks - 1));
}

static struct bucket *bucket_of(const struct standing_map *m, const struct key *k)
{
	uint8_t *first = (uint8_t *)(header_of(m) + 1) + 2 * m->marks * sizeof(uint32_t);

	return (struct bucket *)(void *)first + k->bucket % m->buckets;
}

static void key_derive(const struct cert_name *name, struct key *out)
{
	crypto_generichash_state state;
	uint8_t digest[64];

	crypto_generichash_init(&state, NULL, 0, sizeof(digest));
	crypto_generichash_update(&state, (const uint8_t *)name->issuer, strlen(name->issuer) + 1);
	crypto_generichash_update(&state, (const uint8_t *)name->cert_serial,
				  strlen(name->cert_serial));
	crypto_generichash_final(&state, digest, sizeof(digest));
	memcpy(out->name, digest, sizeof(out->name));
	memcpy(&out->tag, digest + 16, sizeof(out->tag));
	memcpy(&out->bucket, digest + 24, sizeof(out->bucket));
	memcpy(out->box, digest + 32, sizeof(out->box));
}

/* ---- entries ---- */

static void slot_load(const _Atomic uint64_t *slot, struct entry *out)
{
	uint64_t words[ENTRY_WORDS];

	for (size_t i = 0; i < ENTRY_WORDS; i++)
		words[i] = atomic_load_explicit(&slot[i], memory_order_acquire);
	memcpy(out, words, sizeof(*out));
}

static void slot_store(struct bucket *b, size_t at, uint32_t tag, const struct entry *e)
{
	uint64_t words[ENTRY_WORDS];

	memcpy(words, e, sizeof(words));
	atomic_fetch_add(&b->sequence, 1);
	for (size_t i = 0; i < ENTRY_WORDS; i++)
		atomic_store_explicit(&b->slots[at][i], words[i], memory_order_release);
	atomic_store_explicit(&b->tags[at], tag, memory_order_release);
	atomic_fetch_add(&b->sequence, 1);
}

/* Nothing that it depends on has been marked since it was put. */
static bool entry_counts(const struct standing_map *m, const struct entry *e)
{
	return e->number && atomic_load(&header_of(m)->generation) == e->generation &&
	       atomic_load(certificate_mark(m, e->certificate)) == e->certificate_mark &&
	       atomic_load(device_mark(m, e->device)) == e->device_mark;
}

static void nonce_build(const struct standing_map *m, const struct entry *e,
			uint8_t out[crypto_secretbox_NONCEBYTES])
{
	memcpy(out, header_of(m)->salt, sizeof(header_of(m)->salt));
	memcpy(out + sizeof(header_of(m)->salt), &e->number, sizeof(e->number));
}

static int entry_seal(const struct standing_map *m, struct entry *e, const struct key *k,
		      const struct pump_facts *f)
{
	uint8_t nonce[crypto_secretbox_NONCEBYTES];
	AUTO_BUF text = {.max = BOX_MAX - crypto_secretbox_MACBYTES};
	int rc = record_put(&text, &record_pump_facts, f);

	if (rc)
		return rc;
	memcpy(e->name, k->name, sizeof(e->name));
	e->box_len = (uint32_t)(text.len + crypto_secretbox_MACBYTES);
	nonce_build(m, e, nonce);
	crypto_secretbox_easy(e->box, text.data, text.len, nonce, k->box);
	return 0;
}

static bool entry_open(const struct standing_map *m, const struct entry *e, const struct key *k,
		       struct pump_facts *out)
{
	uint8_t nonce[crypto_secretbox_NONCEBYTES], text[BOX_MAX];
	struct cursor c;

	if (e->box_len <= crypto_secretbox_MACBYTES || e->box_len > BOX_MAX)
		return false;
	nonce_build(m, e, nonce);
	if (crypto_secretbox_open_easy(text, e->box, e->box_len, nonce, k->box))
		return false;
	c = cursor_of(text, e->box_len - crypto_secretbox_MACBYTES);
	return !record_get(&c, &record_pump_facts, out) && !c.left;
}

/* ---- the writer ---- */

void standing_map_beat(struct standing_map *m, int64_t now_us)
{
	atomic_store(&header_of(m)->beat_us, now_us);
}

void standing_map_open(struct standing_map *m, bool open)
{
	atomic_store(&header_of(m)->open, open);
}

void standing_map_mark_certificate(struct standing_map *m, int64_t id)
{
	atomic_fetch_add(certificate_mark(m, (uint64_t)id), 1);
}

void standing_map_mark_device(struct standing_map *m, int64_t id)
{
	atomic_fetch_add(device_mark(m, (uint64_t)id), 1);
}

void standing_map_mark_all(struct standing_map *m)
{
	atomic_fetch_add(&header_of(m)->generation, 1);
}

bool standing_is_good(const struct pump_facts *f)
{
	return f->found && !strcmp(f->device_state, "enrolled") && !strcmp(f->cert_state, "valid");
}

/* Where the entry is or may go; SLOTS: nowhere. *there_out: it is there and counts. */
static size_t slot_choose(const struct standing_map *m, const struct bucket *b, const struct key *k,
			  bool *there_out)
{
	size_t found = SLOTS;
	struct entry e;

	*there_out = false;
	for (size_t i = 0; i < SLOTS; i++) {
		bool same, counts;

		slot_load(b->slots[i], &e);
		same = e.number && !memcmp(e.name, k->name, sizeof(e.name));
		counts = entry_counts(m, &e);
		if (!same && (counts || found != SLOTS))
			continue;
		found = i;
		*there_out = same && counts;
		if (same)
			break;
	}
	return found;
}

int standing_map_put(struct standing_map *m, const struct standing *s)
{
	struct entry e = {.certificate = (uint32_t)((uint64_t)s->certificate & (m->marks - 1)),
			  .device = (uint32_t)((uint64_t)s->device & (m->marks - 1))};
	struct bucket *b;
	struct key k;
	size_t at;
	bool there;
	int rc;

	if (!standing_is_good(&s->facts))
		return 0;
	key_derive(&s->name, &k);
	b = bucket_of(m, &k);
	at = slot_choose(m, b, &k, &there);
	if (there)
		return 0;
	if (at == SLOTS)
		return err_set(ERR_LIMIT, "no room among the standings");
	e.number = ++m->numbers;
	e.generation = atomic_load(&header_of(m)->generation);
	e.certificate_mark = atomic_load(certificate_mark(m, e.certificate));
	e.device_mark = atomic_load(device_mark(m, e.device));
	rc = entry_seal(m, &e, &k, &s->facts);
	if (rc)
		return rc;
	slot_store(b, at, k.tag, &e);
	return 0;
}

/* ---- readers ---- */

bool standing_map_is_live(const struct standing_map *m, int64_t (*now_us)(void))
{
	const struct header *h = header_of(m);
	int64_t beat_us = atomic_load(&h->beat_us), age_us;

	if (!atomic_load(&h->open) || !beat_us)
		return false;
	age_us =
		now_us() - beat_us; /* the clock is read after the beat, and that after the entry */
	return age_us >= 0 && age_us < STANDING_LEASE_US;
}

/* 1: e is the certificate's entry; 0: there is none; -1: it was being written. */
static int slot_search(const struct bucket *b, const struct key *k, struct entry *e)
{
	uint32_t before = atomic_load(&b->sequence);
	int found = 0;

	if (before & 1)
		return -1;
	for (size_t i = 0; i < SLOTS && !found; i++) {
		if (atomic_load_explicit(&b->tags[i], memory_order_acquire) != k->tag)
			continue;
		slot_load(b->slots[i], e);
		found = e->number && !memcmp(e->name, k->name, sizeof(e->name));
	}
	return atomic_load(&b->sequence) == before ? found : -1;
}

bool standing_map_find(const struct standing_map *m, const struct cert_name *name,
		       int64_t (*now_us)(void), struct pump_facts *out)
{
	struct pump_facts facts;
	struct entry e;
	struct key k;
	int found = -1;

	key_derive(name, &k);
	for (int i = 0; i < TRIES && found < 0; i++)
		found = slot_search(bucket_of(m, &k), &k, &e);
	if (found != 1 || !entry_open(m, &e, &k, &facts) || !standing_is_good(&facts))
		return false;
	/* in this order: what it says, whether that still counted, whether anybody would have told
	 */
	if (!entry_counts(m, &e) || !standing_map_is_live(m, now_us))
		return false;
	*out = facts;
	return true;
}
