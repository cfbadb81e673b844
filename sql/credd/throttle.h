/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Who must wait before trying again. Pure: the time is an argument, nothing is locked or allocated
 * beyond what throttle_new says.
 *
 * Each try is charged when it comes in and given back when it succeeds, so many at once gain
 * nothing. Three meters, each with a growing delay that has an end and with charges that fade:
 *   (user, pump)  a few tries, then up to a minute
 *   pump          more tries, then up to half a minute
 *   source        (the address) many, then up to ten seconds
 * A user who has logged in at this pump before waits for the first meter alone. So nobody at
 * another pump, and nobody with other names, can keep a nurse out at the bedside
 * (docs/decisions/0156).
 */
#ifndef SQL_CREDD_THROTTLE_H
#define SQL_CREDD_THROTTLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

#define THROTTLE_PUMP_IN_FLIGHT 4 /* logins of one pump being worked on */

struct throttle;

/* Room for so many pumps and sources that made mistakes lately, at about 900 bytes a pump; when it
 * is full the one that was quiet longest is forgotten. ERR_NOMEM. */
int throttle_new(size_t max_pumps, size_t max_sources, struct throttle **out) MUST_USE;
void throttle_free(struct throttle *t); /* NULL ok */

/* Keyed hashes, so that nobody can aim at a place in the tables. */
struct throttle_who {
	uint64_t user;
	uint64_t pump;
	uint64_t source;
};

enum throttle_verdict {
	THROTTLE_WAIT = 0, /* not before *wait_ms */
	THROTTLE_BUSY,	   /* too many of this pump at once; nothing is charged */
	THROTTLE_GO,	   /* charged: throttle_end must follow */
};
/* *tell: worth a line in the audit, once a minute at most for a pump. */
enum throttle_verdict throttle_begin(struct throttle *t, const struct throttle_who *who,
				     int64_t now_ms, int64_t *wait_ms, bool *tell) MUST_USE;

enum throttle_end {
	THROTTLE_FAILED, /* the charge stays */
	THROTTLE_UNSURE, /* nobody could say: given back */
	THROTTLE_SUCCEEDED,
};
void throttle_end(struct throttle *t, const struct throttle_who *who, enum throttle_end how,
		  int64_t now_ms);

/* Takes this user's delays away everywhere. How many pumps made the user wait. */
unsigned throttle_unlock(struct throttle *t, uint64_t user, int64_t now_ms);

#endif
