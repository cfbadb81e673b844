/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Takes events off radiusd's threads and hands them to registryd from a thread of its own: an
 * authentication costs no message and no wake-up of its own, many share one. After a quiet time the
 * first event leaves at once; those that follow within EVENT_GATHER_MS leave together.
 */
#ifndef RADIUS_MODULES_RLM_PUMP_EVENT_QUEUE_H
#define RADIUS_MODULES_RLM_PUMP_EVENT_QUEUE_H

#include "sql/client/registry_client.h"

#define EVENT_GATHER_MS 20 /* an event waits no longer than that while registryd takes them */
#define EVENT_RETRY_MS 200 /* between tries while it does not */
#define EVENT_SEND_MS 300  /* one try */
#define EVENT_KEPT_MAX 512 /* the newest accepts are kept, and as many rejects; about 1.5 MB */

struct event_queue;

/* Starts the thread, which takes no signals; does not connect. ERR_NOMEM, ERR_LIMIT. */
int event_queue_new(const char *socket_path, struct event_queue **out) MUST_USE;
/* Delivers what waits, as long as registryd takes it at once (one try of EVENT_SEND_MS), ends the
 * thread and frees. How many events were lost. NULL ok. No other thread may use the queue any more.
 */
size_t event_queue_end(struct event_queue *q);

/* Any thread; never waits for registryd. The event is kept whatever is returned:
 *   0                it will leave within EVENT_GATHER_MS
 *   ERR_UNAVAILABLE  registryd is away: it will be delivered when that is back
 *   ERR_BUSY         the same, and the oldest event of its kind was given up for this one */
int event_queue_put(struct event_queue *q, const struct auth_event *e) MUST_USE;

#endif
