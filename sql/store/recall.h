/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Recalls of many pumps (docs/decisions/0100): stored with their exact pumps before anything is
 * revoked, confirmed by a second person, carried out in batches, each batch one transaction with
 * its audit rows and disconnect orders. What was begun goes on after any crash; nothing is revoked
 * twice. Rules as in store.h.
 */
#ifndef SQL_STORE_RECALL_H
#define SQL_STORE_RECALL_H

#include <sys/types.h>

#include "sql/store/store.h"

/* Nobody may confirm a request after this time, nor resume a recall so long after it was confirmed:
 * pumps move, and the list no longer says what was meant. */
#define RECALL_LAPSE_MS (24LL * 3600 * 1000)
#define RECALL_STALE_MS (7LL * 24 * 3600 * 1000)

/* The person who acts: `by` for the audit, `uid` as the kernel named it. */
struct person {
	struct action by;
	uid_t uid;
};

/* A list to be filled by store_recall_add(). Drafts that were left behind are removed.
 * ERR_INVALID. */
int store_recall_draft(struct store *st, const struct person *who, const struct recall_draft *rq,
		       uint64_t *id_out) MUST_USE;
/* All or nothing. A pump that is in the list stays in it once. ERR_NOT_FOUND names a pump that is
 * not in the inventory; ERR_CONFLICT: no draft of this person; ERR_LIMIT. */
int store_recall_add(struct store *st, const struct person *who, const struct recall_pump *pumps,
		     size_t n) MUST_USE;
/* Ends the draft. Above RECALL_ALONE_MAX pumps, counted together with what the person has recalled
 * alone in the last hour, it waits for a second one, unless `alone` (the rule is off); else it
 * runs. ERR_CONFLICT: not a draft of this person, or rq->pumps is not how many it has;
 * ERR_UNCHANGED: no pumps at all, the draft is gone. */
int store_recall_request(struct store *st, const struct person *who, const struct recall_step *rq,
			 bool alone) MUST_USE;
/* ERR_NOT_FOUND; ERR_DENIED: the requester can't confirm; ERR_CONFLICT: not waiting for it, or
 * rq->pumps is wrong; ERR_EXPIRED; ERR_UNCHANGED: confirmed before. */
int store_recall_confirm(struct store *st, const struct person *who,
			 const struct recall_step *rq) MUST_USE;
/* running -> paused, paused -> running, and all but the ended -> cancelled: what is not done stays
 * undone. ERR_NOT_FOUND, ERR_UNCHANGED (also to go on with one that is done), ERR_CONFLICT,
 * ERR_EXPIRED (too old to resume), ERR_INVALID.
 */
int store_recall_change(struct store *st, const struct person *who,
			const struct recall_step *rq) MUST_USE;

/* With the counts of its orders. ERR_NOT_FOUND. */
int store_recall_show(struct store *st, uint64_t id, int64_t now, struct recall *out) MUST_USE;
/* Newest first, without drafts and without the counts of orders. */
int store_recall_list(struct store *st, const struct list_query *q, int64_t now, struct recall *out,
		      size_t max, size_t *n_out) MUST_USE;
int store_recall_nas(struct store *st, const struct recall_nas_query *q, struct recall_nas *out,
		     size_t max, size_t *n_out) MUST_USE;

/* The oldest recall that runs: id, requested_by, reason, per_second. ERR_NOT_FOUND: none does. */
int store_recall_running(struct store *st, struct recall *out) MUST_USE;
/* Its pumps that wait, at most `max`. */
int store_recall_next(struct store *st, uint64_t id, char (*devices)[DEVICE_SERIAL_SIZE],
		      size_t max, size_t *n_out) MUST_USE;
/* A pump and where it may be on. */
struct recall_item {
	const char *device;
	const struct foothold *holds;
	size_t n_holds;
};
/* One batch: each pump as store_revoke() does, or `already` when it is revoked; n = 0 ends the
 * recall when no pump waits. At most STORE_RECALL_MAX. ERR_UNCHANGED: it does not run (any more),
 * nothing was done. */
#define STORE_RECALL_MAX 128
int store_recall_carry_out(struct store *st, int64_t now, const struct recall *rc,
			   const struct recall_item *items, size_t n) MUST_USE;

/* Notes whether the rule of two persons is on; a change gets its audit row. */
int store_recall_rule(struct store *st, const struct action *by, bool second_person) MUST_USE;

#endif
