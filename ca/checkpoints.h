/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The signer's list of checkpoints, ca/checkpoints.log: one signed line each (ca/request/
 * audit_checkpoint.h), appended and synced. What gets old is thinned out: all of a day, one an hour
 * of 30 days, one a day before that; what a person accepted stays for good. One process has the
 * file (flock). Calls block on the disk; thread-safe once open.
 */
#ifndef CA_CHECKPOINTS_H
#define CA_CHECKPOINTS_H

#include "ca/request/audit_checkpoint.h"

#define CHECKPOINTS_MAX 65536	    /* that a file may hold: a hundred years */
#define CHECKPOINTS_THIN_EVERY 1440 /* after so many new ones */

struct checkpoints;

/* Opens, creating it with mode 0600; every signature is checked. A last line without its end is cut
 * off. `key` (kept, not taken over) signs. ERR_CORRUPT names the line; ERR_BUSY, ERR_IO, ERR_NOMEM.
 */
int checkpoints_open(const char *path, EVP_PKEY *key, struct checkpoints **out) MUST_USE;
void checkpoints_close(struct checkpoints *list); /* NULL ok */

/* Numbers, signs and appends *c, which says chain, seq, head, at, accepted and by. On return 0 it
 * is on the disk and *c is whole. ERR_INVALID, ERR_CRYPTO, ERR_IO, ERR_FULL, ERR_LIMIT, ERR_NOMEM.
 */
int checkpoints_add(struct checkpoints *list, struct audit_checkpoint *c) MUST_USE;
/* The newest of the chain. ERR_NOT_FOUND. */
int checkpoints_last(struct checkpoints *list, const char *chain,
		     struct audit_checkpoint *out) MUST_USE;
/* Those of the chain with a number above `after`, oldest first, at most `max`. The number written.
 */
size_t checkpoints_copy(struct checkpoints *list, const char *chain, uint64_t after,
			struct audit_checkpoint *out, size_t max);

/* Drops what the rule above drops at `now_ms`, in place, in order; the new count. Pure. */
size_t checkpoints_thin(struct audit_checkpoint *all, size_t n, int64_t now_ms);

#endif
