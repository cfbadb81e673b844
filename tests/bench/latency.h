/* SPDX-License-Identifier: BSD-2-Clause */
/* Times of many like events, and their percentiles. */
#ifndef TESTS_BENCH_LATENCY_H
#define TESTS_BENCH_LATENCY_H

#include <stddef.h>
#include <stdint.h>

struct latency {
	uint32_t *us; /* owned */
	size_t n;
	size_t cap;
};

void latency_add(struct latency *l, int64_t us);
/* The value that `percent` of the events did not pass; 0 when there are none. Sorts. */
uint32_t latency_percentile(struct latency *l, unsigned percent);
void latency_done(struct latency *l);

#endif
