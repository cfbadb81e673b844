/* SPDX-License-Identifier: BSD-2-Clause */
/* Owns the log line's form. Never opens a file, never waits for a lock. */
#include "base/log.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"

#define LINE_MAX_BYTES 2048
#define VALUE_MAX_BYTES 256

static const char *program_name = "pumpgate";
static enum log_level level_max = LOG_INFO;

void log_start(const char *program, enum log_level level)
{
	program_name = program;
	level_max = level;
}

void log_escape(const char *in, size_t in_len, char *out, size_t out_size)
{
	static const char cut[] = "...";
	size_t used = 0, keep = 0; /* keep: how much may stay in front of "..." */

	for (size_t i = 0; i < in_len; i++) {
		unsigned char c = (unsigned char)in[i];
		size_t need = c >= 0x20 && c < 0x7f && c != '"' && c != '\\' ? 1 : 4;

		if (used + need + 1 > out_size) {
			used = keep;
			if (used + sizeof(cut) <= out_size) {
				memcpy(out + used, cut, sizeof(cut));
				return;
			}
			break;
		}
		if (need == 1)
			out[used] = (char)c;
		else
			snprintf(out + used, 5, "\\x%02x", c);
		used += need;
		if (used + sizeof(cut) <= out_size)
			keep = used;
	}
	out[used] = '\0';
}

void log_write(enum log_level level, const char *event, const struct log_pair *pairs, size_t n)
{
	static const char *const levels[] = {"error", "warn", "info", "debug"};
	char line[LINE_MAX_BYTES], when[CLOCK_TEXT_MAX], value[VALUE_MAX_BYTES];
	size_t used;
	ssize_t done;

	if (level > level_max)
		return;
	clock_format(clock_wall_ms(), when);
	used = (size_t)snprintf(line, sizeof(line), "%s %s %s %s", when, levels[level],
				program_name, event);
	for (size_t i = 0; i < n && used < sizeof(line) - 1; i++) {
		const char *text = pairs[i].text;
		const char *quote = "";

		if (text) {
			log_escape(text, strlen(text), value, sizeof(value));
			quote = value[0] == '\0' || strchr(value, ' ') ? "\"" : "";
		} else {
			snprintf(value, sizeof(value), "%" PRId64, pairs[i].number);
		}
		used += (size_t)snprintf(line + used, sizeof(line) - used, " %s=%s%s%s",
					 pairs[i].key, quote, value, quote);
	}
	if (used > sizeof(line) - 2)
		used = sizeof(line) - 2;
	line[used++] = '\n';
	done = write(STDERR_FILENO, line, used); /* a log that can't be written stops nobody */
	(void)done;
}
