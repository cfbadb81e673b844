/* SPDX-License-Identifier: BSD-2-Clause */
/* Owns an open-addressing hash set. Never grows beyond its maximum. */
#include "enroll/pumpctl/serial_set.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <sodium.h>

#include "base/secret.h"

#define FIRST_SLOTS 1024

struct slot {
	uint64_t hash;
	unsigned line; /* 0: empty */
};

struct serial_set {
	uint8_t key[crypto_shorthash_KEYBYTES];
	struct slot *slots;
	size_t n_slots; /* a power of two */
	size_t used;
	size_t max;
};

int serial_set_new(size_t max, struct serial_set **out)
{
	struct serial_set *s = calloc(1, sizeof(*s));

	if (s)
		s->slots = calloc(FIRST_SLOTS, sizeof(*s->slots));
	if (!s || !s->slots) {
		serial_set_free(s);
		return err_set(ERR_NOMEM, "no memory for serials");
	}
	s->n_slots = FIRST_SLOTS;
	s->max = max;
	secret_fill_random(s->key, sizeof(s->key));
	*out = s;
	return 0;
}

void serial_set_free(struct serial_set *s)
{
	if (!s)
		return;
	free(s->slots);
	free(s);
}

static struct slot *slot_for(struct slot *slots, size_t n, uint64_t hash)
{
	size_t i = (size_t)hash & (n - 1);

	while (slots[i].line && slots[i].hash != hash)
		i = (i + 1) & (n - 1);
	return &slots[i];
}

static int grow(struct serial_set *s)
{
	size_t n = s->n_slots * 2;
	struct slot *slots = calloc(n, sizeof(*slots));

	if (!slots)
		return err_set(ERR_NOMEM, "no memory for serials");
	for (size_t i = 0; i < s->n_slots; i++)
		if (s->slots[i].line)
			*slot_for(slots, n, s->slots[i].hash) = s->slots[i];
	free(s->slots);
	s->slots = slots;
	s->n_slots = n;
	return 0;
}

int serial_set_add(struct serial_set *s, const char *serial, unsigned line, unsigned *before_out)
{
	struct slot *slot;
	uint64_t hash;

	if (s->used == s->max)
		return err_set(ERR_LIMIT, "more than %zu serials", s->max);
	if (s->used * 2 >= s->n_slots && grow(s))
		return ERR_NOMEM;
	crypto_shorthash((uint8_t *)&hash, (const uint8_t *)serial, strlen(serial), s->key);
	slot = slot_for(s->slots, s->n_slots, hash);
	if (slot->line) {
		*before_out = slot->line;
		return ERR_EXISTS;
	}
	*slot = (struct slot){hash, line};
	s->used++;
	return 0;
}
