/* SPDX-License-Identifier: BSD-2-Clause */
/* A cap on certificates per time: what a broken-into front end or registry could still get is
 * bounded. Pure. */
#ifndef CA_SIGNERD_RATE_H
#define CA_SIGNERD_RATE_H

#include <stdbool.h>
#include <stdint.h>

#define RATE_MINUTE_US INT64_C(60000000)
#define RATE_HOUR_US (60 * RATE_MINUTE_US)

struct rate {
	uint32_t n; /* per window */
	int64_t window_us;
	int64_t tokens_milli; /* thousandths of a certificate; at most one window's worth */
	int64_t at_us;
};

/* Starts full. `now_us` is of a clock that never steps. */
void rate_init(struct rate *r, uint32_t per_minute, int64_t now_us);
void rate_init_window(struct rate *r, uint32_t n, int64_t window_us, int64_t now_us);
/* Counts `n` that were taken before it began. */
void rate_spent(struct rate *r, uint32_t n);
/* Whether one is left. */
bool rate_ready(struct rate *r, int64_t now_us);
/* Takes one; false when there is none left. */
bool rate_take(struct rate *r, int64_t now_us);

#endif
