/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the network reported: attempts and sessions, in a database apart from the registry. Typed;
 * no database type is visible here. One connection, one thread. All calls block on the disk.
 *
 * Writing is grouped: _begin, any number of events, _commit. A committed group survives the end of
 * the process; the newest groups may be lost in a power cut, which RADIUS accounting repeats.
 * Each call may return ERR_FULL, ERR_IO, ERR_CORRUPT, ERR_NOMEM.
 */
#ifndef SQL_STORE_SESSION_STORE_H
#define SQL_STORE_SESSION_STORE_H

#include "sql/store/store.h"

struct session_store;

/* As store_upgrade, store_open. */
int session_store_upgrade(const char *path, unsigned *from_out, unsigned *to_out) MUST_USE;
int session_store_open(const char *path, enum store_access access,
		       struct session_store **out) MUST_USE;
void session_store_close(struct session_store *ss); /* NULL ok */

static inline void session_store_auto_close(struct session_store **ss)
{
	session_store_close(*ss);
}
#define AUTO_SESSION_STORE __attribute__((cleanup(session_store_auto_close))) struct session_store *

int session_store_begin(struct session_store *ss) MUST_USE;
int session_store_commit(struct session_store *ss) MUST_USE;
void session_store_rollback(struct session_store *ss); /* nothing to do is fine */

/* One attempt; an accept also opens its session. `now` stands in for a missing time. */
int session_store_auth(struct session_store *ss, const struct auth_event *e, int64_t now) MUST_USE;
/* One accounting record. device_out: the pump of the session ("" if nobody knows). ERR_INVALID. */
int session_store_acct(struct session_store *ss, const struct acct_event *e, int64_t now,
		       char device_out[DEVICE_SERIAL_SIZE]) MUST_USE;
int session_store_enroll(struct session_store *ss, const struct enroll_event *e,
			 int64_t now) MUST_USE;
/* A NAS event is kept as the history of the NAS, whose subject no pump can have. `reason` and
 * `detail`: what it came to. */
int session_store_nas_event(struct session_store *ss, const struct nas_event *e, const char *reason,
			    const char *detail, int64_t now) MUST_USE;
/* The newest time that a certificate let the pump on. mac_nas and mac_session: where it came from
 * `mac`, "" if no NAS has said. All zero for a pump that was never on. */
struct seen {
	int64_t at;
	char nas[NAME_SIZE];
	char mac[MAC_SIZE];
	char mac_nas[NAME_SIZE];
	char mac_session[SESSION_ID_SIZE];
};
int session_store_seen(struct session_store *ss, const char *device, struct seen *out) MUST_USE;
/* Whether this session of the pump has not ended, as far as its NAS has said. */
int session_store_goes_on(struct session_store *ss, const char *device, const char *nas,
			  const char *session_id, bool *out) MUST_USE;
/* A sign of a copied key, as a line of the pump's history. */
int session_store_anomaly(struct session_store *ss, const struct alarm *a, int64_t at) MUST_USE;
/* What was last noted of the event ring (sql/proto/event_ring.h); all empty at first. */
struct ring_note {
	char ring[33]; /* its id, hex */
	uint64_t lost_accepts;
	int64_t lost_at; /* when accepts were last lost that no session tells of; 0: never */
};
int session_store_ring(struct session_store *ss, struct ring_note *out) MUST_USE;
/* Of another ring than the one noted before, nothing was taken yet. */
int session_store_ring_note(struct session_store *ss, const struct ring_note *note) MUST_USE;
/* The entries whose events are in this group: noted in its transaction, so that after a crash they
 * are known by their numbers; in place of the group's before. */
int session_store_ring_taken(struct session_store *ss, const uint64_t *numbers, size_t n) MUST_USE;
/* Those of the last group. ERR_LIMIT. */
int session_store_ring_untaken(struct session_store *ss, uint64_t *out, size_t max,
			       size_t *n_out) MUST_USE;
/* Deletes what is older than the bounds, at most a few thousand rows per call; done_out is false
 * when more is left. In a transaction of its own. */
#define SESSION_STORE_KEEP_MS (90LL * 24 * 3600 * 1000)
#define SESSION_STORE_KEEP_EVENTS 20000000LL
#define SESSION_STORE_STALE_MS (7LL * 24 * 3600 * 1000)
int session_store_prune(struct session_store *ss, int64_t now, bool *done_out) MUST_USE;

/* Where the pump is on, or was since `since`: one entry per live session, one per NAS that served
 * it without a live session now, and one per NAS that shows no session of it but let it in since
 * `accepts_since` (its `at` says when). Never too many to revoke: a NAS with very many live
 * sessions gets its newest ones and its stations named, and what is beyond `max` is left out, live
 * and newest first; a pump that goes on reporting sessions from there gets late orders. */
int session_store_footholds(struct session_store *ss, const char *device, int64_t since,
			    int64_t accepts_since, struct foothold *out, size_t max,
			    size_t *n_out) MUST_USE;
/* The zone that a live session of the pump was let into: as its Accept said, or, for a session that
 * the NAS named in accounting only, its newest Accept there; "": nobody knows. ERR_NOT_FOUND. */
int session_store_zone(struct session_store *ss, const char *device, const char *nas,
		       const char *session_id, char out[NAME_SIZE]) MUST_USE;
struct zone_due; /* sql/store/store.h */
/* Live sessions of the pump that were let into another zone than is due, and NAS whose newest
 * Accept without a session since `accepts_since` led into another. */
int session_store_misplaced(struct session_store *ss, const char *device,
			    const struct zone_due *due, int64_t accepts_since, struct foothold *out,
			    size_t max, size_t *n_out) MUST_USE;
/* Many looks at one state of the sessions, as it is at the first look; cheaper than one by one.
 * Fails silently: then each look is one by itself. */
void session_store_look_begin(struct session_store *ss);
void session_store_look_end(struct session_store *ss); /* safe without a beginning */
/* A number that has changed if anything was written since it was asked for last. Not between
 * _look_begin and _look_end. */
int session_store_version(struct session_store *ss, int64_t *out) MUST_USE;
/* The pumps that have a live session, after `after` in their order. */
int session_store_live_devices(struct session_store *ss, const char *after,
			       char (*out)[DEVICE_SERIAL_SIZE], size_t max, size_t *n_out) MUST_USE;

/* Fills in last_seen, last_nas, live_sessions, rejects (counted up to 1000); last_used; last_seen.
 */
int session_store_device(struct session_store *ss, struct device *d) MUST_USE;
int session_store_cert(struct session_store *ss, struct cert *c) MUST_USE;
/* Fills in tls, tls_cipher, tls_at and low of p->device. */
int session_store_tls(struct session_store *ss, struct model_pump *p) MUST_USE;
int session_store_nas(struct session_store *ss, struct nas *n) MUST_USE;

/* last_seen, live_sessions and the events. */
int session_store_nas_detail(struct session_store *ss, struct nas_detail *n) MUST_USE;

int session_store_list(struct session_store *ss, const struct list_query *q, struct session *out,
		       size_t max, size_t *n_out) MUST_USE;
/* Attempts and enrolment failures before `before` (ms; 0: now), newest first; device "": of all. */
int session_store_events(struct session_store *ss, const char *device, int64_t before,
			 struct event *out, size_t max, size_t *n_out) MUST_USE;
/* Fills in what the sessions know. */
int session_store_status(struct session_store *ss, struct status *out) MUST_USE;

#endif
