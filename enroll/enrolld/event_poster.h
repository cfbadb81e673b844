/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A thread that tells registryd of enrolments that came to nothing, for `pumpctl pump why`. Best
 * effort: the log line is the record; a queue that is full drops.
 */
#ifndef ENROLL_ENROLLD_EVENT_POSTER_H
#define ENROLL_ENROLLD_EVENT_POSTER_H

#include "base/err.h"
#include "sql/proto/registry_records.h"

struct event_poster;

/* ERR_NOMEM, ERR_IO, ERR_LIMIT. */
int event_poster_new(const char *socket, struct event_poster **out) MUST_USE;
void event_poster_free(struct event_poster *p); /* NULL ok; what is queued is sent first */

/* Any thread; never blocks. ERR_BUSY: dropped. */
int event_poster_put(struct event_poster *p, const struct enroll_event *event) MUST_USE;

#endif
