/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Where radiusd's threads leave their events: in registryd's event ring (sql/proto/event_ring.h),
 * from where they reach the session database whatever happens to this process or to registryd.
 * While registryd has none to give they stand in memory of our own, until a thread has fetched its
 * ring and moved them there.
 */
#ifndef RADIUS_MODULES_RLM_PUMP_EVENT_OUTBOX_H
#define RADIUS_MODULES_RLM_PUMP_EVENT_OUTBOX_H

#include "sql/client/registry_client.h"
#include "sql/proto/event_ring.h"

#define OUTBOX_FETCH_MS 100 /* for registryd to hand its ring over */
#define OUTBOX_RETRY_MS 200 /* between two attempts */
#define OUTBOX_LOOK_MS 250  /* between two looks whether the ring is read */

struct event_outbox;

/* Starts the thread, which takes no signals; does not connect. ERR_NOMEM, ERR_LIMIT. */
int event_outbox_new(const char *socket_path, struct event_outbox **out) MUST_USE;
/* Ends the thread and frees. How many events are lost: those that registryd's ring never had. NULL
 * ok. No other thread may use the outbox any more. */
size_t event_outbox_end(struct event_outbox *o);

/* Any thread. No system call and no lock while registryd reads its ring; else an accept asks for it
 * first, OUTBOX_FETCH_MS at most and not all the time. The outcome:
 *   0                registryd will have it within milliseconds
 *   ERR_UNAVAILABLE  it is kept until registryd is back
 *   ERR_LIMIT        there is no room: it is lost, and counted where registryd sees it */
int event_outbox_put(struct event_outbox *o, const struct auth_event *e) MUST_USE;

#endif
