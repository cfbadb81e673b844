/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The pump's wall clock as the agent keeps it: raised to the floor, set to the time of a server
 * that proved itself, else left alone (clock_rules.h). What a server confirmed is kept in the state
 * folder's `clock.json`. Any thread may call; calls may block on the disk.
 */
#ifndef PUMP_AGENT_WALL_CLOCK_H
#define PUMP_AGENT_WALL_CLOCK_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "pump_agent/store.h"

struct wall_clock;

/* How the clock stands, for status.json. */
struct clock_report {
	const char *basis;  /* "server": confirmed or set by it; "floor": raised to it; "system" */
	int64_t checked_ms; /* by this clock; 0: no server was asked yet */
	int64_t off_ms;	    /* then, before it was set: positive when the clock was behind */
	bool is_refused;    /* it had to be set, and the system did not let us */
};

/*
 * `may_set`: false only tells. Raises the clock at once when it is below what is known already.
 * A clock.json that cannot be read counts as none. ERR_NOMEM, ERR_LIMIT.
 */
int wall_clock_new(const struct store *store, bool may_set, struct wall_clock **out) MUST_USE;
void wall_clock_free(struct wall_clock *c); /* NULL ok */

/* `ms` has passed for certain. */
void wall_clock_floor(struct wall_clock *c, int64_t ms);
/* The latest beginning among certificates that are trusted. */
void wall_clock_floor_of(struct wall_clock *c, const STACK_OF(X509) * trusted);
/* A server was refused because its certificate has expired. True: the clock was changed, another
 * try is worth it. */
bool wall_clock_expired(struct wall_clock *c);
/* The time by a server that proved itself over TLS. */
void wall_clock_told(struct wall_clock *c, int64_t server_ms);

/* True: it was raised or lowered to the floor, and no server has told the time since. */
bool wall_clock_is_guess(struct wall_clock *c);
struct clock_report wall_clock_report(struct wall_clock *c);

#endif
