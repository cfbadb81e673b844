/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Where in a file the entry of a serial number stands: a hash table with 24 bytes per certificate.
 * Serials are random, so their own bits are the hash. Not thread-safe. Pure.
 */
#ifndef CA_SERIAL_INDEX_H
#define CA_SERIAL_INDEX_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"

struct serial_slot {
	uint8_t serial[16];
	uint64_t at_plus_1; /* 0: free */
};

struct serial_index { /* zero is empty */
	struct serial_slot *slots;
	uint64_t n_slots; /* a power of two */
	uint64_t used;
};

void serial_index_done(struct serial_index *ix);
/* Room for one more, so that the next add can't fail for memory. ERR_NOMEM. */
int serial_index_reserve(struct serial_index *ix) MUST_USE;
/* `serial`: up to 32 hex digits. ERR_NOMEM; ERR_CORRUPT when it is there already or is no serial.
 */
int serial_index_add(struct serial_index *ix, const char *serial, uint64_t at) MUST_USE;
bool serial_index_get(const struct serial_index *ix, const char *serial, uint64_t *at_out);
bool serial_index_has(const struct serial_index *ix, const char *serial);

#endif
