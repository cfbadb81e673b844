/* SPDX-License-Identifier: BSD-2-Clause */
/* Time sources for the shells of programs. Pure code takes its `now` as an argument instead. */
#ifndef BASE_CLOCK_H
#define BASE_CLOCK_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

/* Milliseconds since 1970-01-01 UTC. */
int64_t clock_wall_ms(void);
/* Microseconds of a clock that never steps; only differences mean anything. */
int64_t clock_mono_us(void);

#define CLOCK_TEXT_MAX 32
/* "2026-11-22T12:00:00.123Z" (RFC 3339); "-" for 0. out must hold CLOCK_TEXT_MAX. */
void clock_format(int64_t wall_ms, char *out);
/* "90s", "15m", "24h", "7d" to milliseconds, at most 10 years. ERR_INVALID. */
int clock_duration_parse(const char *text, int64_t *ms_out) MUST_USE;

#endif
