/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * How long to wait after the n-th failure in a row. Pure. Pumps have been harmed by reject storms:
 * a refused pump tries ever more rarely, and a ward full of them never in step.
 */
#ifndef PUMP_AGENT_BACKOFF_H
#define PUMP_AGENT_BACKOFF_H

#include <stdint.h>

struct backoff {
	uint32_t first_ms;
	uint32_t max_ms; /* at most 2^30 */
	unsigned failures;
};

/* Counts one more failure. Half to all of first * 2^failures, capped; `random` chooses where. */
uint32_t backoff_failed(struct backoff *b, uint32_t random);
void backoff_succeeded(struct backoff *b);

#endif
