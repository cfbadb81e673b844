/* SPDX-License-Identifier: BSD-2-Clause */
/* Owns the rules of the circuit breaker. Never reads a clock. */
#include "sql/directory/breaker.h"

bool breaker_admit(struct breaker *b, int64_t now_us)
{
	if (!b->open)
		return true;
	if (now_us < b->until_us)
		return false;
	b->trial = true;
	b->until_us = now_us + BREAKER_TRIAL_US;
	return true;
}

void breaker_good(struct breaker *b)
{
	*b = (struct breaker){.first_us = b->first_us};
}

static void shut(struct breaker *b, int64_t now_us, int64_t how_long_us)
{
	b->open = true;
	b->trial = false;
	b->open_us = how_long_us < BREAKER_MOST_US ? how_long_us : BREAKER_MOST_US;
	b->until_us = now_us + b->open_us;
}

static void count(struct breaker *b)
{
	if (b->failures < UINT32_MAX)
		b->failures++;
}

void breaker_bad(struct breaker *b, int64_t now_us)
{
	count(b);
	if (b->trial)
		shut(b, now_us, 2 * b->open_us);
	else if (!b->open && b->failures >= BREAKER_FAILURES)
		shut(b, now_us, b->first_us);
}

void breaker_trip(struct breaker *b, int64_t now_us)
{
	count(b);
	shut(b, now_us, BREAKER_MOST_US);
}

int64_t breaker_wait_us(const struct breaker *b, int64_t now_us)
{
	return b->open && b->until_us > now_us ? b->until_us - now_us : 0;
}
