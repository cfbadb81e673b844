/* SPDX-License-Identifier: BSD-2-Clause */
/* Owns the arithmetic of the cap (a token bucket). */
#include "ca/signerd/rate.h"

#define MINUTE_US INT64_C(60000000)

void rate_init(struct rate *r, uint32_t per_minute, int64_t now_us)
{
	*r = (struct rate){.per_minute = per_minute,
			   .tokens_milli = (int64_t)per_minute * 1000,
			   .at_us = now_us};
}

bool rate_take(struct rate *r, int64_t now_us)
{
	int64_t full = (int64_t)r->per_minute * 1000;
	int64_t passed_us = now_us - r->at_us;
	int64_t gained = passed_us >= MINUTE_US ? full : passed_us * full / MINUTE_US;

	if (gained > 0) { /* else too short a time: let it add up */
		r->tokens_milli = full - r->tokens_milli < gained ? full : r->tokens_milli + gained;
		r->at_us = now_us;
	}
	if (r->tokens_milli < 1000)
		return false;
	r->tokens_milli -= 1000;
	return true;
}
