/* SPDX-License-Identifier: BSD-2-Clause */
/* A cap on certificates per minute: what a broken-into front end could still get is bounded. Pure.
 */
#ifndef CA_SIGNERD_RATE_H
#define CA_SIGNERD_RATE_H

#include <stdbool.h>
#include <stdint.h>

struct rate {
	uint32_t per_minute;
	int64_t tokens_milli; /* thousandths of a certificate; at most one minute's worth */
	int64_t at_us;
};

/* Starts full. `now_us` is of a clock that never steps. */
void rate_init(struct rate *r, uint32_t per_minute, int64_t now_us);
/* Takes one; false when there is none left. */
bool rate_take(struct rate *r, int64_t now_us);

#endif
