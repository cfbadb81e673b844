/* SPDX-License-Identifier: BSD-2-Clause */
/* Owns the order in which pumps renew. Never asks the database or the clock. */
#include "sql/store/rotation_plan.h"

#include <string.h>

static bool is_same_group(const struct rotation_member *a, const struct rotation_member *b)
{
	return !strcmp(a->ward, b->ward) && !strcmp(a->model, b->model);
}

uint32_t rotation_plan(struct rotation_member *all, size_t n, uint32_t canaries, uint32_t wave_max)
{
	uint32_t wave = 0, in_wave = 0, left = canaries;
	size_t last = n; /* the one before that is no canary */

	for (size_t i = 0; i < n; i++) {
		bool first = i == 0 || !is_same_group(&all[i], &all[i - 1]);

		if (first && left) {
			left--;
			all[i].wave = 0;
			continue;
		}
		if (last == n || in_wave == wave_max || !is_same_group(&all[i], &all[last])) {
			wave++;
			in_wave = 0;
		}
		all[i].wave = wave;
		in_wave++;
		last = i;
	}
	return n ? wave + 1 : 0;
}

bool rotation_is_quiet(uint32_t from, uint32_t until, uint32_t minute)
{
	if (from <= until)
		return minute >= from && minute < until;
	return minute >= from || minute < until;
}

bool rotation_must_halt(uint32_t wave, uint64_t failed, uint64_t asked, uint32_t percent)
{
	if (failed == 0)
		return false;
	return wave == 0 || failed * 100 > asked * percent;
}
