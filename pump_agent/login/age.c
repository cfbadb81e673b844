/* SPDX-License-Identifier: BSD-2-Clause */
/* Owns the counting of time against a clock that may lie. Never reads a clock. */
#include "pump_agent/login/age.h"

#include <string.h>

RECORD_DESCRIBE(age, AGE_FIELDS)

bool age_step(struct age *a, const struct age_now *now)
{
	bool same_boot = *a->boot && !strcmp(a->boot, now->boot) && now->boot_ms >= a->boot_ms;
	int64_t wall_d = now->wall_ms - a->wall_ms;
	int64_t passed = same_boot ? now->boot_ms - a->boot_ms : wall_d;
	int64_t expected = a->wall_ms + (same_boot ? passed : 0);
	bool back = a->wall_ms && now->wall_ms < expected - AGE_TOLERANCE_MS;
	bool found = back && !a->is_set_back;

	if (a->wall_ms && passed > 0) /* the first look only sets the marks */
		a->age_ms += (uint64_t)passed;
	a->wall_ms = now->wall_ms > expected ? now->wall_ms : expected;
	a->boot_ms = now->boot_ms;
	memcpy(a->boot, now->boot, sizeof(a->boot));
	a->is_set_back = a->is_set_back || back;
	return found;
}

void age_confirm(struct age *a, const struct age_now *now)
{
	(void)age_step(a, now);
	a->wall_ms = now->wall_ms;
	a->is_set_back = false;
}
