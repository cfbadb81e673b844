/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The loop's side of dispatchd: one connected UDP socket per NAS that has orders, driven by lane.h.
 * Orders for NAS that speak RadSec go to radsecd on this machine.
 * All functions belong to the loop's thread.
 */
#ifndef DISPATCH_SENDER_H
#define DISPATCH_SENDER_H

#include "radius_modules/radsec/hop.h"
#include "sql/proto/registry_records.h"

struct event_base;
struct sender;

/* How to reach radsecd; port 0: not at all. */
struct sender_radsec {
	uint16_t port;
	char token[HOP_TOKEN_CHARS + 1];
};

/* `radsec` is copied. `finish` is called for each order exactly once, with what became of it.
 * ERR_NOMEM. */
int sender_new(struct event_base *base, const struct sender_radsec *radsec,
	       void (*finish)(const struct dispatch_result *result, void *ctx), void *ctx,
	       struct sender **out) MUST_USE;
/* Orders that are under way are dropped without a result. */
void sender_free(struct sender *s); /* NULL ok */

/* Sends as soon as the NAS's window allows. Wipes the secret in `order`. */
void sender_add(struct sender *s, struct dispatch_order *order);

#endif
