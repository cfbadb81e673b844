/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * How much time has passed for what may only live for a while, on a pump whose wall clock anybody
 * may set. While the system runs, the clock since its start counts, which nobody can set; over a
 * restart the wall clock, which must not have gone back. Pure; milliseconds.
 *
 * What is left: who switches a pump off and, before the agent starts, sets its clock back to when
 * it was last running, hides the time that it was off.
 */
#ifndef PUMP_AGENT_LOGIN_AGE_H
#define PUMP_AGENT_LOGIN_AGE_H

#include "base/ipc_record.h"

#define AGE_BOOT_SIZE 64
#define AGE_TOLERANCE_MS 120000 /* of two clocks that were read one after the other, and drift */

/* Read by the shell, all at once. */
struct age_now {
	int64_t wall_ms;	  /* since 1970 */
	int64_t boot_ms;	  /* since the system was started, sleep included */
	char boot[AGE_BOOT_SIZE]; /* names this run of the system; "" is never the same */
};

#define AGE_FIELDS(X, S)                                        \
	X(S, U64, age_ms, 1)   /* rises only */                 \
	X(S, TIME, wall_ms, 1) /* the latest that has passed */ \
	X(S, TIME, boot_ms, 1) /* when it was looked at last */ \
	X(S, STR, boot, AGE_BOOT_SIZE)                          \
	X(S, BOOL, is_set_back, 1) /* until somebody who knows the time says otherwise */
RECORD_DECLARE(age, AGE_FIELDS)

/* True: it was just found out that the clock was set back. */
bool age_step(struct age *a, const struct age_now *now);
/* The server, which has proven itself, agrees with the wall clock. */
void age_confirm(struct age *a, const struct age_now *now);

#endif
