/* SPDX-License-Identifier: BSD-2-Clause */
/* What the files of the event lane share. All of it runs on the lane's thread. */
#ifndef SQL_REGISTRYD_EVENT_WORKER_H
#define SQL_REGISTRYD_EVENT_WORKER_H

#include "sql/registryd/anomalies.h"
#include "sql/registryd/event_memory.h"
#include "sql/registryd/looks.h"

#define EVENT_OF_RING 0 /* in the place of a verb */

struct event_job {
	struct lane_job job;
	uint16_t verb;
	struct ipc_request *rq; /* accounting only: answered after the commit */
	int outcome;
	char device[DEVICE_SERIAL_SIZE];
	struct alarm *odd; /* NULL: nothing is */
	union {
		const struct auth_event *auth; /* EVENT_OF_RING */
		struct acct_event acct;
		struct enroll_event enroll;
		struct nas_event nas;
	} e;
};

struct event_worker {
	struct service *service;
	struct session_store *sessions; /* the only writing connection */
	struct store *registry;		/* reads */
	struct anomalies *anomalies;
	struct looks *looks;
	int64_t prune_at_us;
	struct ring_desk *ring;
};

/* event_follow.c: after the commit, never before it (see writer_revoke.c). */
void event_follow_up(struct event_worker *w, const struct event_job *job);

/* ring_desk.c: what the event ring has for the next group, and what becomes of it. */
int ring_desk_new(struct event_worker *w, const char *home, struct ring_desk **out) MUST_USE;
/* `over`: all was taken, the ring is removed. NULL ok. */
void ring_desk_free(struct ring_desk *d, bool over);
/* The jobs of entries that wait, at most EVENT_TAKE_MAX; they stay the desk's. *due_out: a group is
 * to be made even without any. */
size_t ring_desk_take(struct ring_desk *d, int64_t now_us, struct event_job **out, bool *due_out);
/* In the group's transaction. */
int ring_desk_store(struct ring_desk *d) MUST_USE;
/* After it, rc being what the commit came to: frees the entries, or keeps them for another try.
 * Whether the job's follow-up is due: once for a stored entry, and once before that if it can't be
 * stored at first. */
void ring_desk_settle(struct ring_desk *d, int rc, int64_t now_us);
bool ring_desk_follows(struct ring_desk *d, size_t job, int rc);
bool ring_desk_is_empty(struct ring_desk *d);
/* When to look again (clock_mono_us). */
int64_t ring_desk_next(const struct ring_desk *d);

#endif
