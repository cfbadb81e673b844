/* SPDX-License-Identifier: BSD-2-Clause */
/* pumpctl's connection to pumpgate-registryd, and listings of whatever it holds. */
#ifndef ENROLL_PUMPCTL_REGISTRY_H
#define ENROLL_PUMPCTL_REGISTRY_H

#include "enroll/pumpctl/args.h"
#include "enroll/pumpctl/table.h"
#include "sql/client/registry_client.h"

#define REGISTRY_TIMEOUT_MS 10000
#define LISTING_PAGE 500 /* rows asked for at once; the registry gives at most 1000 */

/* A client in the role admin for the call's home; does not connect yet. ERR_NOMEM, ERR_LIMIT. */
int registry_open(const struct call *call, struct ipc_client **out) MUST_USE;
/* The same to credd, which keeps the clinicians. */
int cred_open(const struct call *call, struct ipc_client **out) MUST_USE;
int cred_failure(const struct call *call, int rc);
/* Says what went wrong and what to do next; yields the exit status. */
int registry_failure(const struct call *call, int rc);

struct listing {
	uint16_t verb;
	const struct record_desc *desc;
	const struct column *columns;
	size_t n_columns;
	const char *key;  /* field that continues the list; NULL: one answer is all */
	const char *none; /* for people when there is nothing */
};

/* Asks page by page, at most `limit` records in all (0: no limit), and prints a table, or with
 * --json an array. Yields the exit status. */
int listing_show(const struct call *call, const struct listing *l, struct list_query *query,
		 size_t limit);
/* The same of what credd holds. */
int people_show(const struct call *call, const struct listing *l, struct list_query *query,
		size_t limit);
/* One record, as lines or as a JSON object. Yields the exit status. */
int record_show(const struct call *call, const struct record_desc *d, const void *record);

#endif
