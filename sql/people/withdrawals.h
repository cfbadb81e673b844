/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The list of withdrawals beside the clinician database: each account that was disabled, each
 * secret, badge or role that was changed or taken away, with the number that it had in the database
 * (decision 205). Append-only, on the disk before the database commits: an old copy of the database
 * put back is behind this list, and says so at the next start. Within sql/people only.
 */
#ifndef SQL_PEOPLE_WITHDRAWALS_H
#define SQL_PEOPLE_WITHDRAWALS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "sql/proto/cred_records.h"

#define WITHDRAWALS_NAME "withdrawn.log"

enum withdrawal_kind {
	WITHDRAWAL_UNKNOWN,
	WITHDRAWAL_BEGIN,    /* where the list begins; nobody's */
	WITHDRAWAL_DISABLED, /* the account */
	WITHDRAWAL_ENABLED,  /* the account again */
	WITHDRAWAL_CHANGED,  /* password, PIN, badge or role: what a copy from before has is void */
	WITHDRAWAL_TERMS,    /* of a role; nobody's */
};

struct withdrawal {
	uint64_t number; /* policy.tombstone, with this withdrawal */
	uint64_t epoch;	 /* policy.epoch */
	int64_t at;
	enum withdrawal_kind kind;
	char name[LOGIN_USER_SIZE]; /* "-": nobody's */
};

struct withdrawals;

/* The list in the folder of the database `db_path`; made with mode 0600 if missing. A last line
 * that a power cut left half written is taken away: its withdrawal was never committed. ERR_IO,
 * ERR_LIMIT, ERR_NOMEM. */
int withdrawals_open(const char *db_path, struct withdrawals **out) MUST_USE;
void withdrawals_close(struct withdrawals *w); /* NULL ok */

static inline void withdrawals_auto_close(struct withdrawals **w)
{
	withdrawals_close(*w);
}
#define AUTO_WITHDRAWALS __attribute__((cleanup(withdrawals_auto_close))) struct withdrawals *

/* On the disk when it returns 0. Blocks. ERR_IO, ERR_FULL. */
int withdrawals_append(struct withdrawals *w, const struct withdrawal *x) MUST_USE;
/* Calls `each` for each line, the oldest first, until it returns not 0, which is returned. Blocks.
 * ERR_CORRUPT names the line. */
int withdrawals_each(struct withdrawals *w, int (*each)(void *ctx, const struct withdrawal *x),
		     void *ctx) MUST_USE;
/* One line without its end. Pure. ERR_CORRUPT. */
int withdrawal_parse(const char *line, struct withdrawal *out) MUST_USE;

#endif
