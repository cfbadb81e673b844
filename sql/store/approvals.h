/* SPDX-License-Identifier: BSD-2-Clause */
/* The queue of requests that wait for a person, as issuing uses it; for sql/store alone. */
#ifndef SQL_STORE_APPROVALS_H
#define SQL_STORE_APPROVALS_H

#include "sql/store/store_db.h"

/* Whose request, and the certificate that it names. */
struct approval_of {
	int64_t device_id;
	int64_t prior_id;
	const char *device;
};

/* Inside the caller's transaction. 0: a person approved this pump's request for just this key.
 * Otherwise it is put into the queue (*queued_out: something was written, which the caller commits
 * and then reports this error all the same): ERR_BUSY approval-pending; ERR_DENIED approval-denied;
 * ERR_LIMIT the queue is full. */
int approval_check(struct db *db, const struct action *by, const struct issue_begin *rq,
		   const struct approval_of *of, bool *queued_out) MUST_USE;
/* The approval is spent: in the transaction that reserves the certificate. ERR_DENIED. */
int approval_use(struct db *db, const struct action *by, const struct issue_begin *rq,
		 const struct approval_of *of) MUST_USE;

#endif
