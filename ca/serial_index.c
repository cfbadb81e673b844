/* SPDX-License-Identifier: BSD-2-Clause */
/* Owns the index of serials. Never reads the file that it points into. */
#include "ca/serial_index.h"

#include <stdlib.h>
#include <string.h>

#include "base/buf.h"

#define FIRST_SLOTS 1024

void serial_index_done(struct serial_index *ix)
{
	free(ix->slots);
	memset(ix, 0, sizeof(*ix));
}

static bool key_of(const char *serial, uint8_t key[16])
{
	size_t len;

	memset(key, 0, 16);
	return hex_decode(serial, 16, key, &len) == 0 && len > 0;
}

/* The serial's slot, or the free one where it belongs. */
static struct serial_slot *slot_of(const struct serial_index *ix, const uint8_t key[16])
{
	uint64_t at = 0;

	for (int i = 8; i < 16; i++)
		at = at << 8 | key[i];
	for (;; at++) {
		struct serial_slot *s = &ix->slots[at & (ix->n_slots - 1)];

		if (s->at_plus_1 == 0 || !memcmp(s->serial, key, 16))
			return s;
	}
}

int serial_index_reserve(struct serial_index *ix)
{
	struct serial_index bigger = {.n_slots = ix->n_slots ? ix->n_slots * 2 : FIRST_SLOTS};

	if (ix->n_slots && (ix->used + 1) * 4 <= ix->n_slots * 3)
		return 0;
	bigger.slots = calloc(bigger.n_slots, sizeof(*bigger.slots));
	if (!bigger.slots)
		return err_set(ERR_NOMEM, "no memory for the index of serials");
	for (uint64_t i = 0; i < ix->n_slots; i++)
		if (ix->slots[i].at_plus_1)
			*slot_of(&bigger, ix->slots[i].serial) = ix->slots[i];
	bigger.used = ix->used;
	serial_index_done(ix);
	*ix = bigger;
	return 0;
}

int serial_index_add(struct serial_index *ix, const char *serial, uint64_t at)
{
	struct serial_slot *s;
	uint8_t key[16];
	int rc = serial_index_reserve(ix);

	if (rc)
		return rc;
	if (!key_of(serial, key))
		return err_set(ERR_CORRUPT, "\"%.40s\" is no serial", serial);
	s = slot_of(ix, key);
	if (s->at_plus_1)
		return err_set(ERR_CORRUPT, "serial %s is there twice", serial);
	memcpy(s->serial, key, sizeof(s->serial));
	s->at_plus_1 = at + 1;
	ix->used++;
	return 0;
}

bool serial_index_get(const struct serial_index *ix, const char *serial, uint64_t *at_out)
{
	const struct serial_slot *s;
	uint8_t key[16];

	if (!ix->n_slots || !key_of(serial, key))
		return false;
	s = slot_of(ix, key);
	if (!s->at_plus_1)
		return false;
	*at_out = s->at_plus_1 - 1;
	return true;
}

bool serial_index_has(const struct serial_index *ix, const char *serial)
{
	uint64_t at;

	return serial_index_get(ix, serial, &at);
}
