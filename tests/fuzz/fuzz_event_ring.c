/* SPDX-License-Identifier: BSD-2-Clause */
/* Any bytes as a slot of the event ring and its word, and as the ring's header: what is taken for
 * an event has proper strings and comes out of a ring as it was put in. With a good hash too, or
 * nothing would ever come that far. */
#include <stdlib.h>
#include <string.h>

#include <sodium.h>

#include "sql/proto/event_ring.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

/* As sql/proto/event_ring.c lays it out. */
static void slot_seal(uint8_t slot[EVENT_SLOT_SIZE], uint64_t number)
{
	static const uint8_t key[crypto_shorthash_KEYBYTES] = "pumpgate events";
	uint32_t length;
	uint64_t hash;

	memcpy(slot, &number, sizeof(number));
	memcpy(&length, slot + 16, sizeof(length));
	if (length > EVENT_SLOT_SIZE - 20)
		return;
	crypto_shorthash((uint8_t *)&hash, slot + 20, length, key);
	hash ^= number ^ (uint64_t)length << 32;
	memcpy(slot + 8, &hash, sizeof(hash));
}

static void event_check(const struct auth_event *e)
{
	for (size_t i = 0; i < record_auth_event.n_fields; i++) {
		const struct record_field *f = &record_auth_event.fields[i];

		if (f->type == RECORD_STR && !memchr((const uint8_t *)e + f->offset, 0, f->size))
			abort();
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	static uint8_t head[EVENT_HEAD_SIZE], slot[EVENT_SLOT_SIZE];
	struct event_head h;
	struct auth_event e;
	uint64_t word = 0;

	memset(head, 0, sizeof(head));
	memcpy(head, data, len < sizeof(head) ? len : sizeof(head));
	if (event_head_parse(head, &h) && !*err_text())
		abort();
	if (len < sizeof(word))
		return 0;
	memcpy(&word, data, sizeof(word));
	memset(slot, 0, sizeof(slot));
	len -= sizeof(word);
	memcpy(slot, data + sizeof(word), len < sizeof(slot) ? len : sizeof(slot));
	if (!event_slot_parse(slot, word, &e))
		event_check(&e);
	word |= (uint64_t)EVENT_READY << 62;
	word &= ~((uint64_t)1 << 62);
	slot_seal(slot, event_word_number(word));
	if (!event_slot_parse(slot, word, &e))
		event_check(&e);
	return 0;
}
