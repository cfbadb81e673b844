/* SPDX-License-Identifier: BSD-2-Clause */
/* Owns the rules for a doubtful wall clock. Never asks what time it is. */
#include "pump_agent/clock_rules.h"

int64_t clock_rule_raise(const struct clock_view *v)
{
	return v->now_ms < v->floor_ms ? v->floor_ms : 0;
}

int64_t clock_rule_expired(const struct clock_view *v)
{
	if (v->is_guess || v->is_proven || v->is_steered || v->was_lowered)
		return 0;
	return v->now_ms > v->floor_ms ? v->floor_ms : 0;
}

int64_t clock_rule_told(const struct clock_view *v, int64_t server_ms)
{
	int64_t off_ms = server_ms - v->now_ms;

	if (server_ms < v->floor_ms || v->is_steered)
		return 0;
	if (v->is_guess || off_ms >= CLOCK_STEP_MS || off_ms <= -CLOCK_STEP_MS)
		return server_ms;
	return 0;
}
