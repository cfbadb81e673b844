/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Changes of standing that wait until their pump is idle (docs/decisions/0151). A change that is
 * carried out, by whomever, takes its row away in its own transaction (revoke.c). The rules of
 * sql/store/store.h hold.
 */
#ifndef SQL_STORE_PENDING_H
#define SQL_STORE_PENDING_H

#include "sql/store/store.h"

/* So old may a pump's word be that it is idle: pumps report at least once an hour, and each
 * beginning of an infusion at once. */
#define STORE_IDLE_FRESH_MS (2LL * 3600 * 1000)

/* Takes the place of another change that waits. ERR_UNCHANGED: just this one waits already, or the
 * pump is so already: *waits_out tells which. Errors of store_standing_change and store_revoke. */
int store_pending_add(struct store *st, const struct action *by, const struct standing_change *rq,
		      bool *waits_out) MUST_USE;
/* ERR_NOT_FOUND: nothing waits. */
int store_pending_cancel(struct store *st, const struct action *by, const char *device) MUST_USE;
int store_pending_list(struct store *st, const struct list_query *q, struct pending_change *out,
		       size_t max, size_t *n_out) MUST_USE;
/* Those whose pump is idle or whose time has come, the oldest first; next_out: when the next one's
 * time comes (wall ms), INT64_MAX when none has one; waiting_out: how many wait in all. */
int store_pending_due(struct store *st, int64_t now, struct pending_change *out, size_t max,
		      size_t *n_out, int64_t *next_out, uint64_t *waiting_out) MUST_USE;
/* What waits for this pump. ERR_NOT_FOUND. */
int store_pending_show(struct store *st, const char *device, struct pending_change *out) MUST_USE;

#endif
