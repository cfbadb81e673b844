/* SPDX-License-Identifier: BSD-2-Clause */
/* Owns the arithmetic of the cap (a token bucket). */
#include "ca/signerd/rate.h"

void rate_init_window(struct rate *r, uint32_t n, int64_t window_us, int64_t now_us)
{
	*r = (struct rate){
		.n = n, .window_us = window_us, .tokens_milli = (int64_t)n * 1000, .at_us = now_us};
}

void rate_init(struct rate *r, uint32_t per_minute, int64_t now_us)
{
	rate_init_window(r, per_minute, RATE_MINUTE_US, now_us);
}

void rate_spent(struct rate *r, uint32_t n)
{
	int64_t milli = (int64_t)n * 1000;

	r->tokens_milli = r->tokens_milli > milli ? r->tokens_milli - milli : 0;
}

bool rate_ready(struct rate *r, int64_t now_us)
{
	int64_t full = (int64_t)r->n * 1000;
	int64_t passed_us = now_us - r->at_us;
	int64_t gained = passed_us >= r->window_us ? full : passed_us * full / r->window_us;

	if (gained > 0) { /* else too short a time: let it add up */
		r->tokens_milli = full - r->tokens_milli < gained ? full : r->tokens_milli + gained;
		r->at_us = now_us;
	}
	return r->tokens_milli >= 1000;
}

bool rate_take(struct rate *r, int64_t now_us)
{
	if (!rate_ready(r, now_us))
		return false;
	r->tokens_milli -= 1000;
	return true;
}
