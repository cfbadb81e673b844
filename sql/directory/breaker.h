/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A circuit breaker for one server: after some failures in a row it is left alone for a while that
 * doubles, then a single call tries it. Pure: the clock is an argument. Not thread-safe by itself.
 */
#ifndef SQL_DIRECTORY_BREAKER_H
#define SQL_DIRECTORY_BREAKER_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"

#define BREAKER_FAILURES 3		  /* in a row open it */
#define BREAKER_MOST_US (60 * 1000000LL)  /* it stays open at most */
#define BREAKER_TRIAL_US (15 * 1000000LL) /* a trial that is not heard of again counts as lost */

struct breaker {	   /* closed, nothing has failed, when all but first_us is zero */
	int64_t first_us;  /* how long it stays open at first */
	uint32_t failures; /* in a row */
	bool open;
	bool trial;	  /* while open: somebody tries it now */
	int64_t open_us;  /* how long this time */
	int64_t until_us; /* while open: when a trial may start */
};

/* May a call go to the server now? When open and its time is over: one caller may, which reports by
 * breaker_good or breaker_bad; others wait BREAKER_TRIAL_US for it. */
bool breaker_admit(struct breaker *b, int64_t now_us) MUST_USE;
void breaker_good(struct breaker *b);
/* While open only a trial's failure counts: calls from before the opening may report late. */
void breaker_bad(struct breaker *b, int64_t now_us);
/* Opens at once for the longest time: the server answers, but refuses us. */
void breaker_trip(struct breaker *b, int64_t now_us);
/* Until a trial may start; 0 when closed or due. */
int64_t breaker_wait_us(const struct breaker *b, int64_t now_us);

#endif
