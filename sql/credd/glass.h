/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Break-glass codes in credd: made and hashed on the admin's thread, stored on the writer's,
 * brought to their pumps with every answer.
 */
#ifndef SQL_CREDD_GLASS_H
#define SQL_CREDD_GLASS_H

#include "sql/credd/credd.h"
#include "sql/people/glass.h"

/* New codes of one pump; wiped when freed. */
struct glass_batch {
	char codes[BREAK_GLASS_PER_PUMP][BREAK_GLASS_TEXT_SIZE];
	struct glass_new hashes[BREAK_GLASS_PER_PUMP];
};

/* Admin's thread: codes for each of a request's wants. Up to a few seconds of processor time. The
 * caller frees by glass_batches_free. ERR_INVALID, ERR_NOMEM. */
int glass_make(const struct glass_want *wants, size_t n, struct glass_batch **out) MUST_USE;
void glass_batches_free(struct glass_batch *batches, size_t n); /* NULL ok */

/* Writer's thread: all in one transaction; answers and ends the job. */
void glass_issue(struct people *p, struct admin_job *j, const struct action *by);

/* Writer's thread, in its transaction: what the pump may hold, for what it hears. */
int glass_hears(struct people *p, const char *device, int64_t now_ms, struct buf *b) MUST_USE;

#endif
