/* SPDX-License-Identifier: BSD-2-Clause */
/* The orders to wipe, and the statements of pumps that were wiped: docs/decisions/0175. */
#ifndef SQL_STORE_DECOMMISSION_H
#define SQL_STORE_DECOMMISSION_H

#include "sql/store/store.h"

/* One order, and for a pump that is on the network a move into quarantine, in one transaction: it
 * needs the network to hear of it. Asked again it gives the same order. ERR_NOT_FOUND;
 * ERR_CONFLICT: it was never enrolled, or there is no quarantine zone; ERR_UNCHANGED: it was wiped.
 * *moved_out: footholds got their orders. */
int store_decommission(struct store *st, const struct action *by, const struct standing_change *rq,
		       int64_t asked_at, const struct foothold *holds, size_t n,
		       bool *moved_out) MUST_USE;

/* The pump's latest. ERR_NOT_FOUND. */
int store_decommission_show(struct store *st, const char *device,
			    struct decommission *out) MUST_USE;

/* Orders that a statement may come for, q->after one of them: those that are open, and those that
 * one came for in the last STORE_WIPED_MS: the pump may not have heard that it did. */
#define STORE_WIPED_MS (30LL * 24 * 3600 * 1000)
int store_wipe_orders(struct store *st, const struct list_query *q, int64_t now,
		      struct wipe_order *out, size_t max, size_t *n_out) MUST_USE;

/* A statement whose signature was verified: it is kept, and the pump is revoked, in one
 * transaction. Again: ERR_UNCHANGED. ERR_DENIED: no such order for the pump that this certificate
 * is of. */
int store_wiped(struct store *st, const struct action *by, const struct wiped *w,
		const struct foothold *holds, size_t n) MUST_USE;

#endif
