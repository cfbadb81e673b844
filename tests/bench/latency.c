/* SPDX-License-Identifier: BSD-2-Clause */
/* Owns a growing list of times. */
#include "tests/bench/latency.h"

#include <err.h>
#include <stdlib.h>

void latency_add(struct latency *l, int64_t us)
{
	if (l->n == l->cap) {
		l->cap = l->cap ? l->cap * 2 : 1024;
		l->us = reallocarray(l->us, l->cap, sizeof(*l->us));
		if (!l->us)
			err(1, "latency");
	}
	l->us[l->n++] = us < 0 ? 0 : us > UINT32_MAX ? UINT32_MAX : (uint32_t)us;
}

static int by_size(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

	return x < y ? -1 : x > y;
}

uint32_t latency_percentile(struct latency *l, unsigned percent)
{
	if (l->n == 0)
		return 0;
	qsort(l->us, l->n, sizeof(*l->us), by_size);
	return l->us[(l->n - 1) * percent / 100];
}

void latency_done(struct latency *l)
{
	free(l->us);
	*l = (struct latency){0};
}
