/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What registryd wants of pumps: certificates renewed early; and by which
 * orders pumps were told to wipe themselves. Kept in memory by a
 * thread that asks every few seconds, so that a pump's question costs a look into a list. While
 * registryd is away the last list counts for RENEWAL_WATCH_STALE_S, then none.
 * The server policy is kept likewise, for as long as this runs.
 */
#ifndef ENROLL_ENROLLD_RENEWAL_WATCH_H
#define ENROLL_ENROLLD_RENEWAL_WATCH_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "sql/proto/registry_records.h"

#define RENEWAL_WATCH_EVERY_S 5
#define RENEWAL_WATCH_STALE_S 600

struct renewal_watch;

/* ERR_NOMEM, ERR_IO, ERR_LIMIT. */
int renewal_watch_new(const char *socket, struct renewal_watch **out) MUST_USE;
void renewal_watch_free(struct renewal_watch *w); /* NULL ok; waits for a call under way */

/* Since when the certificate is to be renewed, ms since 1970; 0: nobody asks for it. Any thread. */
int64_t renewal_watch_asked(struct renewal_watch *w, const char *cert_serial);
/* A pump was told to wipe itself by this order. The last list that was read counts, however old.
 * Any thread. */
bool renewal_watch_is_wipe(struct renewal_watch *w, const char *order);
/* A pump is told of this order right now: known at once, among the last 64 of these. Any thread. */
void renewal_watch_wipe_told(struct renewal_watch *w, const char *order);

/* Appends the signed server policy in DER. ERR_NOT_FOUND when there is none. Any thread. */
int renewal_watch_policy(struct renewal_watch *w, struct buf *out) MUST_USE;

#endif
