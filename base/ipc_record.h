/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Typed records: a C struct, described once by a field list, and its form on the wire.
 *
 *   #define ZONE_FIELDS(X, S) X(S, STR, name, 33) X(S, U32, vlan, 1)
 *   RECORD_DECLARE(zone, ZONE_FIELDS)      in the header: struct zone, record_zone
 *   RECORD_DESCRIBE(zone, ZONE_FIELDS)     in one .c file
 *
 * Wire form of a record: u32 byte count, then per field that is not zero: u8 field number (from 1,
 * rising), u32 length, bytes; integers are 8 bytes big-endian. A field that is missing is zero.
 * An unknown, repeated or over-long field is ERR_INVALID: both ends are of one release.
 */
#ifndef BASE_IPC_RECORD_H
#define BASE_IPC_RECORD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"

enum record_type {
	RECORD_BOOL, /* bool */
	RECORD_U32,  /* uint32_t */
	RECORD_U64,  /* uint64_t */
	RECORD_TIME, /* int64_t, milliseconds since 1970 UTC; 0 is "never" */
	RECORD_STR,  /* char[size], always NUL-terminated, no NUL inside */
	RECORD_BLOB, /* struct { uint32_t len; uint8_t data[size]; } */
	RECORD_HIDE, /* as BLOB, for secrets: no program may show it */
};

struct record_field {
	const char *name;
	enum record_type type;
	size_t offset;
	size_t size; /* of STR with its NUL, of BLOB data; 1 for the rest */
};

struct record_desc {
	const char *name;
	size_t size; /* sizeof the struct */
	const struct record_field *fields;
	size_t n_fields; /* at most 64 */
};

/* What RECORD_BLOB members look like through a pointer. */
struct record_blob {
	uint32_t len;
	uint8_t data[];
};

#define RECORD_MEMBER_BOOL(n, sz) bool n;
#define RECORD_MEMBER_U32(n, sz) uint32_t n;
#define RECORD_MEMBER_U64(n, sz) uint64_t n;
#define RECORD_MEMBER_TIME(n, sz) int64_t n;
#define RECORD_MEMBER_STR(n, sz) char n[sz];
#define RECORD_MEMBER_BLOB(n, sz) \
	struct {                  \
		uint32_t len;     \
		uint8_t data[sz]; \
	} n;
#define RECORD_MEMBER_HIDE(n, sz) RECORD_MEMBER_BLOB(n, sz)
#define RECORD_MEMBER(S, T, n, sz) RECORD_MEMBER_##T(n, sz)
#define RECORD_FIELD(S, T, n, sz) {#n, RECORD_##T, offsetof(struct S, n), (sz)},

#define RECORD_DECLARE(S, FIELDS)        \
	struct S {                       \
		FIELDS(RECORD_MEMBER, S) \
	};                               \
	extern const struct record_desc record_##S;
#define RECORD_DESCRIBE(S, FIELDS)                                                 \
	static const struct record_field S##_fields[] = {FIELDS(RECORD_FIELD, S)}; \
	const struct record_desc record_##S = {#S, sizeof(struct S), S##_fields,   \
					       sizeof(S##_fields) / sizeof(S##_fields[0])};

/* Appends one record. ERR_LIMIT, ERR_NOMEM; ERR_INTERNAL when a string lacks its NUL. */
int record_put(struct buf *b, const struct record_desc *d, const void *record) MUST_USE;
/* Reads one record into `record` (d->size bytes, zeroed first). ERR_INVALID; `record` is then
 * undefined. */
int record_get(struct cursor *c, const struct record_desc *d, void *record) MUST_USE;

#endif
