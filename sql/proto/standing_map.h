/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Pumps in good standing, in memory that registryd writes and radiusd maps read-only
 * (docs/decisions/0083). It holds good news only: whatever it does not say for certain has to be
 * asked. Owns the layout and its rules; never a file, a socket or a clock.
 *
 * One writer, which marks a certificate or a device before a change of it is committed and puts its
 * entry anew after that: an entry counts only while its marks are what they were when it was put.
 * Readers never wait. An entry can be found and read by those alone who know issuer and serial of
 * the certificate: the map is no list of the fleet.
 */
#ifndef SQL_PROTO_STANDING_MAP_H
#define SQL_PROTO_STANDING_MAP_H

#include <stddef.h>

#include "sql/proto/registry_records.h"

/* A beat of the writer is good for so long. Whoever takes the registry over from another process
 * lets this time pass before he changes anything: by then no reader believes the older map. */
#define STANDING_LEASE_US 150000
#define STANDING_BEAT_US 40000

/* A mapping, and what its header said when it was attached. */
struct standing_map {
	void *memory;
	uint64_t buckets;
	uint64_t marks;	  /* of certificates, and as many of devices */
	uint64_t numbers; /* the writer's */
};

struct standing {
	int64_t certificate; /* row ids of the registry */
	int64_t device;
	struct cert_name name;
	struct pump_facts facts;
};

/* Bytes for so many entries, and ids up to max_id without two sharing a mark. Bounded. */
size_t standing_map_size(uint64_t entries, uint64_t max_id);
/* Makes an empty, closed map in zeroed, 64-byte aligned memory of standing_map_size's bytes. */
void standing_map_init(void *memory, uint64_t entries, uint64_t max_id, struct standing_map *out);
/* ERR_INVALID: no map of this version, or of another size than it says. */
int standing_map_attach(void *memory, size_t size, struct standing_map *out) MUST_USE;

/* ---- the writer ---- */

/* Any thread. */
void standing_map_beat(struct standing_map *m, int64_t now_us);
/* A closed map answers nothing. New ones are closed. Any thread. */
void standing_map_open(struct standing_map *m, bool open);
/* From now on no entry of it counts. */
void standing_map_mark_certificate(struct standing_map *m, int64_t id);
void standing_map_mark_device(struct standing_map *m, int64_t id);
void standing_map_mark_all(struct standing_map *m);
/* Whether the facts are good news: found, the certificate valid, its pump enrolled. */
bool standing_is_good(const struct pump_facts *f);
/* Never between a mark and the end of its transaction. Does nothing when the entry is there, or the
 * standing is not good. ERR_LIMIT: no room, it has to be asked for. */
int standing_map_put(struct standing_map *m, const struct standing *s) MUST_USE;

/* ---- readers ---- */

/* True: this was the registry's answer at some moment of the call. `now_us` is clock_mono_us. */
bool standing_map_find(const struct standing_map *m, const struct cert_name *name,
		       int64_t (*now_us)(void), struct pump_facts *out) MUST_USE;
/* Open, and its writer is alive. */
bool standing_map_is_live(const struct standing_map *m, int64_t (*now_us)(void)) MUST_USE;

#endif
