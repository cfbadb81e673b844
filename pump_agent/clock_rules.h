/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What to do about a wall clock that may be wrong: a pump's battery is flat and it begins in 1970,
 * or it wakes in 2038, and no certificate is valid then. Pure; times are milliseconds since 1970
 * UTC.
 *
 * The floor is a time that has certainly passed: when the agent was built, when the pump's
 * certificate and its server's CAs began, when the server last confirmed the clock. Certificates
 * of servers begin with their CA, so at the floor a handshake works. No check is ever switched off,
 * and the clock never goes below the floor.
 */
#ifndef PUMP_AGENT_CLOCK_RULES_H
#define PUMP_AGENT_CLOCK_RULES_H

#include <stdbool.h>
#include <stdint.h>

#define CLOCK_STEP_MS 300000 /* closer than that to the server's time is close enough */

struct clock_view {
	int64_t now_ms;
	int64_t floor_ms;
	bool is_guess;	 /* set to the floor by us: only known to be too early */
	bool is_steered; /* the kernel's clock is kept by NTP: that is somebody else's */
	bool is_proven; /* a server confirmed it since the pump was started, and nobody set it since
			 */
	bool was_lowered; /* once already without success */
};

/* All return the time to set, or 0: leave the clock alone. */

/* Below the floor it is wrong for certain. */
int64_t clock_rule_raise(const struct clock_view *v);
/*
 * A server's certificate has expired, by this clock. Either it has, or the clock is ahead: then the
 * floor is worth one try, which is undone when it brings nothing. A clock that is proven, or
 * steered, is believed.
 */
int64_t clock_rule_expired(const struct clock_view *v);
/* A server that proved itself says what time it is. A time below the floor is no time. */
int64_t clock_rule_told(const struct clock_view *v, int64_t server_ms);

#endif
