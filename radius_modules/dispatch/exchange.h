/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What dispatchd has in hand, between its three threads: the taker (brings orders from the
 * registry), the loop (sends and hears) and the reporter (brings results back). Bounded: an order
 * is in hand from taking it until its result was reported, and only EXCHANGE_MAX fit.
 */
#ifndef DISPATCH_EXCHANGE_H
#define DISPATCH_EXCHANGE_H

#include "base/err.h"
#include "sql/proto/registry_records.h"

#define EXCHANGE_MAX 2048

struct exchange;

/* `wake(ctx)` is called from the taker's thread when orders came. ERR_NOMEM. */
int exchange_new(void (*wake)(void *ctx), void *ctx, struct exchange **out) MUST_USE;
void exchange_free(struct exchange *x); /* NULL ok; no thread may use it any more */

/* Taker: blocks until at least one order fits; how many fit. */
size_t exchange_room_wait(struct exchange *x);
/* Taker: n at most what exchange_room_wait() said. Orders that are in hand already are left out.
 * Wipes the secrets in `orders`. */
void exchange_offer(struct exchange *x, struct dispatch_order *orders, size_t n);

/* Loop: never blocks. False: none. The copy inside is wiped. */
bool exchange_take(struct exchange *x, struct dispatch_order *out);
/* Loop: never blocks, always fits. */
void exchange_finish(struct exchange *x, const struct dispatch_result *result);

/* Reporter: blocks until there are results; copies up to max of them, which stay in hand. */
size_t exchange_results_wait(struct exchange *x, struct dispatch_result *out, size_t max);
/* Reporter: the registry has the first n. */
void exchange_reported(struct exchange *x, size_t n);
/* Any thread: waits until every finished order was reported, at most `wait_ms`. */
void exchange_flush(struct exchange *x, int wait_ms);

#endif
