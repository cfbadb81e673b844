/* SPDX-License-Identifier: BSD-2-Clause */
/* Owns reading and formatting time. Never sleeps. */
#include "base/clock.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

int64_t clock_wall_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_REALTIME, &ts);
	return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

int64_t clock_mono_us(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (int64_t)ts.tv_sec * 1000000 + ts.tv_nsec / 1000;
}

void clock_format(int64_t wall_ms, char *out)
{
	time_t seconds = (time_t)(wall_ms / 1000);
	struct tm tm;

	if (wall_ms == 0 || !gmtime_r(&seconds, &tm)) {
		strcpy(out, "-");
		return;
	}
	snprintf(out, CLOCK_TEXT_MAX, "%04u-%02u-%02uT%02u:%02u:%02u.%03uZ",
		 (unsigned)(tm.tm_year + 1900) % 10000, (unsigned)(tm.tm_mon + 1) % 100,
		 (unsigned)tm.tm_mday % 100, (unsigned)tm.tm_hour % 100, (unsigned)tm.tm_min % 100,
		 (unsigned)tm.tm_sec % 100, (unsigned)(wall_ms % 1000) % 1000);
}

int clock_duration_parse(const char *text, int64_t *ms_out)
{
	static const struct {
		char letter;
		int64_t ms;
	} units[] = {{'s', 1000}, {'m', 60000}, {'h', 3600000}, {'d', 86400000}};
	const int64_t longest = 3650LL * 86400000;
	char *end;
	long long n;

	errno = 0;
	n = strtoll(text, &end, 10);
	if (errno || text[0] < '0' || text[0] > '9' || strlen(end) != 1)
		return err_set(ERR_INVALID, "'%.32s' is no duration; write 90s, 15m, 24h or 7d",
			       text);
	for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++) {
		if (*end != units[i].letter)
			continue;
		if (n > longest / units[i].ms)
			return err_set(ERR_INVALID, "'%.32s' is longer than 10 years", text);
		*ms_out = n * units[i].ms;
		return 0;
	}
	return err_set(ERR_INVALID, "'%.32s' is no duration; write 90s, 15m, 24h or 7d", text);
}
