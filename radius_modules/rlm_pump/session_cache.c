/* SPDX-License-Identifier: BSD-2-Clause */
/* Owns the table of resumable TLS sessions: hashes over ids and over owners, and a list by age. */
#include "radius_modules/rlm_pump/session_cache.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>

#include "base/secret.h"

struct entry {
	LIST_ENTRY(entry) chain;
	LIST_ENTRY(entry) owned;
	TAILQ_ENTRY(entry) age;
	int64_t put_us;
	struct session_owner owner;
	uint16_t id_len;
	uint16_t data_len;
	uint8_t id[SESSION_ID_MAX];
	uint8_t data[];
};
LIST_HEAD(bucket, entry);
TAILQ_HEAD(entries, entry);

struct session_cache {
	pthread_mutex_t lock;
	uint32_t max, count, mask;
	int64_t ttl_us;
	uint64_t seed;	       /* ids come from the network: nobody shall aim at one bucket */
	struct entries by_age; /* oldest first */
	struct bucket *buckets;
	struct bucket *owners;
};

int session_cache_new(uint32_t max, int64_t ttl_us, struct session_cache **out)
{
	struct session_cache *c = calloc(1, sizeof(*c));
	uint32_t buckets = 64;

	while (buckets < max && buckets < (1U << 20))
		buckets *= 2;
	if (!c || !(c->buckets = calloc(buckets, sizeof(*c->buckets))) ||
	    !(c->owners = calloc(buckets, sizeof(*c->owners)))) {
		if (c)
			free(c->buckets);
		free(c);
		return err_set(ERR_NOMEM, "no memory for %u TLS sessions", max);
	}
	pthread_mutex_init(&c->lock, NULL);
	c->max = max;
	c->mask = buckets - 1;
	c->ttl_us = ttl_us;
	secret_fill_random(&c->seed, sizeof(c->seed));
	TAILQ_INIT(&c->by_age);
	*out = c;
	return 0;
}

static uint64_t mix(uint64_t h, const uint8_t *bytes, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		h = (h ^ bytes[i]) * 0x9e3779b97f4a7c15ULL;
		h ^= h >> 29;
	}
	return h;
}

static struct bucket *bucket_of(struct session_cache *c, const uint8_t *id, size_t id_len)
{
	return &c->buckets[mix(c->seed, id, id_len) & c->mask];
}

/* By the serial alone: the issuers are few. */
static struct bucket *owner_bucket(struct session_cache *c, const struct session_owner *o)
{
	return &c->owners[mix(c->seed, (const uint8_t *)o->cert_serial, strlen(o->cert_serial)) &
			  c->mask];
}

static void entry_remove(struct session_cache *c, struct entry *e)
{
	LIST_REMOVE(e, chain);
	LIST_REMOVE(e, owned);
	TAILQ_REMOVE(&c->by_age, e, age);
	c->count--;
	secret_wipe(e->data, e->data_len);
	free(e);
}

/* Drops what is too old, and the oldest while there are more than `keep`. */
static void sweep(struct session_cache *c, uint32_t keep, int64_t now_us)
{
	struct entry *e;

	while ((e = TAILQ_FIRST(&c->by_age)) &&
	       (c->count > keep || now_us - e->put_us >= c->ttl_us))
		entry_remove(c, e);
}

static struct entry *entry_find(struct session_cache *c, const uint8_t *id, size_t id_len)
{
	struct entry *e;

	LIST_FOREACH (e, bucket_of(c, id, id_len), chain)
		if (e->id_len == id_len && !memcmp(e->id, id, id_len))
			return e;
	return NULL;
}

void session_cache_free(struct session_cache *c)
{
	struct entry *e;

	if (!c)
		return;
	while ((e = TAILQ_FIRST(&c->by_age)))
		entry_remove(c, e);
	pthread_mutex_destroy(&c->lock);
	free(c->buckets);
	free(c->owners);
	free(c);
}

int session_cache_put(struct session_cache *c, const uint8_t *id, size_t id_len,
		      const uint8_t *data, size_t data_len, const struct session_owner *owner,
		      int64_t now_us)
{
	struct entry *e, *old;

	if (id_len == 0 || data_len == 0 || !*owner->cert_serial)
		return err_set(ERR_INVALID, "a TLS session without id, data or owner");
	if (id_len > SESSION_ID_MAX || data_len > SESSION_DATA_MAX)
		return err_set(ERR_LIMIT, "a TLS session of %zu bytes", data_len);
	e = calloc(1, sizeof(*e) + data_len);
	if (!e)
		return err_set(ERR_NOMEM, "no memory for a TLS session");
	e->put_us = now_us;
	e->owner = *owner;
	e->id_len = (uint16_t)id_len;
	e->data_len = (uint16_t)data_len;
	memcpy(e->id, id, id_len);
	memcpy(e->data, data, data_len);
	pthread_mutex_lock(&c->lock);
	old = entry_find(c, id, id_len);
	if (old)
		entry_remove(c, old);
	sweep(c, c->max - 1, now_us);
	LIST_INSERT_HEAD(bucket_of(c, id, id_len), e, chain);
	LIST_INSERT_HEAD(owner_bucket(c, owner), e, owned);
	TAILQ_INSERT_TAIL(&c->by_age, e, age);
	c->count++;
	pthread_mutex_unlock(&c->lock);
	return 0;
}

int session_cache_get(struct session_cache *c, const uint8_t *id, size_t id_len, int64_t now_us,
		      struct buf *data, struct session_owner *owner)
{
	struct entry *e;
	int rc = ERR_NOT_FOUND;

	pthread_mutex_lock(&c->lock);
	sweep(c, c->max, now_us);
	e = entry_find(c, id, id_len);
	if (e)
		rc = buf_put(data, e->data, e->data_len);
	if (!rc)
		*owner = e->owner;
	pthread_mutex_unlock(&c->lock);
	return rc == ERR_NOT_FOUND ? err_set(rc, "no such TLS session") : rc;
}

void session_cache_drop(struct session_cache *c, const uint8_t *id, size_t id_len)
{
	struct entry *e;

	pthread_mutex_lock(&c->lock);
	e = entry_find(c, id, id_len);
	if (e)
		entry_remove(c, e);
	pthread_mutex_unlock(&c->lock);
}

void session_cache_drop_owner(struct session_cache *c, const struct session_owner *owner)
{
	struct entry *e, *next;

	pthread_mutex_lock(&c->lock);
	for (e = LIST_FIRST(owner_bucket(c, owner)); e; e = next) {
		next = LIST_NEXT(e, owned);
		if (!strcmp(e->owner.cert_serial, owner->cert_serial) &&
		    !strcmp(e->owner.issuer, owner->issuer))
			entry_remove(c, e);
	}
	pthread_mutex_unlock(&c->lock);
}

uint32_t session_cache_count(struct session_cache *c)
{
	uint32_t n;

	pthread_mutex_lock(&c->lock);
	n = c->count;
	pthread_mutex_unlock(&c->lock);
	return n;
}
