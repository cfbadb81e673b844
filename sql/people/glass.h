/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Break-glass codes in the clinician database. As sql/people/people.h says of it: typed, one
 * thread, errors of the disk besides those listed. A code never comes here, but what stands in for
 * it.
 */
#ifndef SQL_PEOPLE_GLASS_H
#define SQL_PEOPLE_GLASS_H

#include "sql/people/people.h"
#include "sql/proto/glass_records.h"

/* What stands in for a new code. */
struct glass_new {
	uint8_t salt[BREAK_GLASS_SALT];
	uint8_t hash[BREAK_GLASS_HASH];
};
/* In the transaction of people_begin, with an audit row: the pump's open codes are void, and these
 * `want->codes` are open, with these numbers. ERR_INVALID, ERR_NOT_FOUND: no such role. */
int people_glass_add(struct people *p, const struct action *by, const struct glass_want *want,
		     const struct glass_new *codes,
		     uint64_t ids_out[BREAK_GLASS_PER_PUMP]) MUST_USE;

/* What a pump may hold now. */
int people_glass_of(struct people *p, const char *device, int64_t now_ms, struct login_code *out,
		    size_t max, size_t *n_out) MUST_USE;
/* A pump's journal says that a code was used; one that is not the pump's is passed over. In the
 * running transaction, as the next. */
int people_glass_used(struct people *p, const char *device, const struct login_record *r,
		      int64_t now_ms) MUST_USE;
/* The pump's store was tampered with: what it may have used is not known any more. */
int people_glass_distrust(struct people *p, const char *device, int64_t now_ms) MUST_USE;

/* query: device, ward, state ("used": what is to be reviewed). */
int people_glass_list(struct people *p, const struct list_query *q, int64_t now_ms,
		      struct glass *out, size_t max, size_t *n_out) MUST_USE;
int people_glass_count(struct people *p, int64_t now_ms, struct glass_count *out) MUST_USE;
/* ERR_NOT_FOUND; ERR_CONFLICT: it was not used; ERR_UNCHANGED: reviewed already, just so;
 * ERR_EXISTS: reviewed already, otherwise; ERR_INVALID. */
int people_glass_review(struct people *p, const struct action *by,
			const struct glass_review *r) MUST_USE;
/* ERR_UNCHANGED: there was none. */
int people_glass_void(struct people *p, const struct action *by, const struct glass_void *v,
		      uint64_t *n_out) MUST_USE;

#endif
