/* SPDX-License-Identifier: BSD-2-Clause */
/* What pumps last said of themselves (docs/decisions/0150): one row for each, no audit. The rules
 * of sql/store/store.h hold. */
#ifndef SQL_STORE_REPORTS_H
#define SQL_STORE_REPORTS_H

#include "policies/report_policy.h"
#include "sql/store/store.h"

#define STORE_REPORT_FRESH_MS (24LL * 3600 * 1000)

/*
 * Keeps the report of the pump that the certificate belongs to, if that is in force, and says how
 * the pump stands. Anything else is told its standing, and its report is not kept; an unknown
 * certificate gets an answer without a state. changes_out: in words, what is not as it was; "" for
 * nothing (that the pump began or ended an infusion is no change in this sense).
 * ERR_DENIED: the certificate is another pump's than r->device.
 */
int store_report(struct store *st, int64_t now, const struct pump_report *r,
		 struct report_answer *out, char changes_out[TEXT_SIZE]) MUST_USE;
/* ERR_NOT_FOUND: it has not reported yet, or there is no such pump. */
int store_report_show(struct store *st, const char *device, struct pump_report *out) MUST_USE;
/* Which enrolled pumps have not reported this server anchor since then, by serial, and how many
 * have; `active` and `last_seen` stay zero. ERR_INVALID, ERR_LIMIT. */
int store_anchor_lack(struct store *st, const struct anchor_query *q, struct anchor_lack *out,
		      size_t max, size_t *n_out) MUST_USE;
int store_anchor_count(struct store *st, const struct anchor_query *q,
		       struct anchor_count *out) MUST_USE;
/* Fills in reporting, below_version and min_version: of pumps in use, since a day. */
int store_report_status(struct store *st, int64_t now, const struct report_policy *p,
			struct status *out) MUST_USE;

#endif
