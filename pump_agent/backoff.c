/* SPDX-License-Identifier: BSD-2-Clause */
/* Owns the waiting rule. Never reads a clock. */
#include "pump_agent/backoff.h"

uint32_t backoff_failed(struct backoff *b, uint32_t random)
{
	uint64_t whole = b->first_ms;

	for (unsigned i = 0; i < b->failures && whole < b->max_ms; i++)
		whole *= 2;
	if (whole > b->max_ms)
		whole = b->max_ms;
	if (b->failures < 64)
		b->failures++;
	return (uint32_t)(whole / 2 + (whole - whole / 2) * random / UINT32_MAX);
}

void backoff_succeeded(struct backoff *b)
{
	b->failures = 0;
}
