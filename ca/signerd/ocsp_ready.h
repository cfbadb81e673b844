/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * OCSP answers that were signed before: a table of fixed size, one answer per slot. An answer is
 * given again only for the very state that it speaks of. One thread's; no I/O, no clock.
 */
#ifndef CA_SIGNERD_OCSP_READY_H
#define CA_SIGNERD_OCSP_READY_H

#include "ca/ocsp.h"
#include "ca/proto/signer_records.h"

struct ocsp_ready;

/* ERR_NOMEM. About 4 MiB once it is full. */
int ocsp_ready_new(struct ocsp_ready **out) MUST_USE;
void ocsp_ready_free(struct ocsp_ready *t); /* NULL ok */

bool ocsp_ready_get(const struct ocsp_ready *t, const struct ocsp_item *i, int64_t now_ms,
		    struct ocsp_answer *out);
/* Takes the place of what was in its slot; given again until now_ms + for_ms. */
void ocsp_ready_put(struct ocsp_ready *t, const struct ocsp_item *i, int64_t now_ms, int64_t for_ms,
		    const struct ocsp_answer *answer);
void ocsp_ready_clear(struct ocsp_ready *t);

#endif
