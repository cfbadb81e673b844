/* SPDX-License-Identifier: BSD-2-Clause */
/* Owns who has to wait. Never reads a clock, never blocks; its memory does not grow. */
#include "enroll/enrolld/throttle.h"

#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include <sodium.h>

#include "base/secret.h"

#define SETS 4096
#define WAYS 4

/* Units in a bucket and its refill; a try costs units. */
struct rule {
	int64_t capacity;
	int64_t refill_us; /* per unit */
	int64_t success;
	int64_t failure;
};
/* 60 failures at once, then one a second: a ward behind one address, mistyped. */
static const struct rule by_source = {300, 200000, 0, 5};
/* 10 failures or 60 successes at once, then a failure in six seconds. */
static const struct rule by_serial = {60, 1000000, 1, 6};

/* 30 certificates at once, then one in ten seconds: a pump that asks on and on. Only who holds its
 * token or key can empty this one. */
static const struct rule by_served = {30, 10000000, 1, 0};

struct bucket {
	uint64_t key;  /* 0: free */
	int64_t spent; /* units, as of `at_us` */
	int64_t at_us;
};

struct throttle {
	uint8_t hash_key[crypto_shorthash_KEYBYTES];
	struct bucket buckets[SETS][WAYS];
};

int throttle_new(struct throttle **out)
{
	struct throttle *t = calloc(1, sizeof(*t));

	if (!t)
		return err_set(ERR_NOMEM, "no memory for the throttle");
	secret_fill_random(t->hash_key, sizeof(t->hash_key));
	*out = t;
	return 0;
}

void throttle_free(struct throttle *t)
{
	free(t);
}

bool throttle_source(const struct sockaddr *sa, uint8_t out[THROTTLE_SOURCE_BYTES])
{
	memset(out, 0, THROTTLE_SOURCE_BYTES);
	if (sa->sa_family == AF_INET) {
		out[10] = out[11] = 0xff;
		memcpy(out + 12, &((const struct sockaddr_in *)(const void *)sa)->sin_addr, 4);
		return true;
	}
	if (sa->sa_family != AF_INET6)
		return false;

	const struct in6_addr *a = &((const struct sockaddr_in6 *)(const void *)sa)->sin6_addr;

	memcpy(out, a, IN6_IS_ADDR_V4MAPPED(a) ? 16 : 8);
	return true;
}

static uint64_t key_of(const struct throttle *t, const void *data, size_t len)
{
	uint64_t key;

	crypto_shorthash((uint8_t *)&key, data, len, t->hash_key);
	return key ? key : 1;
}

/* The serial's bucket of what it was given; another one than that of its failures. */
static uint64_t served_key(const struct throttle *t, const char *serial)
{
	uint64_t key = ~key_of(t, serial, strlen(serial));

	return key ? key : 1;
}

/* Units still spent at `now_us`. */
static int64_t spent_at(const struct bucket *b, const struct rule *rule, int64_t now_us)
{
	int64_t refilled = (now_us - b->at_us) / rule->refill_us;

	return b->spent > refilled ? b->spent - refilled : 0;
}

static int64_t spent_by(const struct throttle *t, uint64_t key, const struct rule *rule,
			int64_t now_us)
{
	const struct bucket *set = t->buckets[key % SETS];

	for (size_t i = 0; i < WAYS; i++)
		if (set[i].key == key)
			return spent_at(&set[i], rule, now_us);
	return 0;
}

unsigned throttle_wait_s(const struct throttle *t, const uint8_t source[THROTTLE_SOURCE_BYTES],
			 const char *serial, int64_t now_us)
{
	uint64_t source_key = key_of(t, source, THROTTLE_SOURCE_BYTES);
	int64_t source_spent = spent_by(t, source_key, &by_source, now_us);
	int64_t serial_spent = 0;
	int64_t over;

	if (*serial)
		serial_spent = spent_by(t, key_of(t, serial, strlen(serial)), &by_serial, now_us);
	over = source_spent + by_source.failure - by_source.capacity;
	if (over > 0)
		return (unsigned)(over * by_source.refill_us / 1000000 + 1);
	over = serial_spent + by_serial.failure - by_serial.capacity;
	if (over > 0 && source_spent > 0)
		return (unsigned)(over * by_serial.refill_us / 1000000 + 1);
	if (!*serial)
		return 0;
	over = spent_by(t, served_key(t, serial), &by_served, now_us) + by_served.success -
	       by_served.capacity;
	return over > 0 ? (unsigned)(over * by_served.refill_us / 1000000 + 1) : 0;
}

static void spend(struct throttle *t, uint64_t key, const struct rule *rule, int64_t units,
		  int64_t now_us)
{
	struct bucket *set = t->buckets[key % SETS];
	struct bucket *b = &set[0];

	if (units == 0)
		return;
	for (size_t i = 0; i < WAYS; i++) {
		if (set[i].key == key) {
			b = &set[i];
			break;
		}
		if (set[i].at_us + set[i].spent * by_serial.refill_us <
		    b->at_us + b->spent * by_serial.refill_us)
			b = &set[i]; /* the one that is whole again first */
	}
	if (b->key != key)
		*b = (struct bucket){.key = key, .at_us = now_us};
	b->spent = spent_at(b, rule, now_us) + units;
	if (b->spent > rule->capacity)
		b->spent = rule->capacity;
	b->at_us = now_us;
}

void throttle_record(struct throttle *t, const uint8_t source[THROTTLE_SOURCE_BYTES],
		     const char *serial, bool failed, int64_t now_us)
{
	spend(t, key_of(t, source, THROTTLE_SOURCE_BYTES), &by_source,
	      failed ? by_source.failure : by_source.success, now_us);
	if (!*serial)
		return;
	spend(t, key_of(t, serial, strlen(serial)), &by_serial,
	      failed ? by_serial.failure : by_serial.success, now_us);
	if (!failed)
		spend(t, served_key(t, serial), &by_served, by_served.success, now_us);
}
