/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One line per outcome on standard error: time, level, program, event name, key=value pairs.
 * String values are escaped and capped, so bytes from a peer can neither forge a line nor fill a
 * disk. Never pass a secret.
 *
 *   LOG(LOG_INFO, "enroll.issued", LOG_S("serial", serial), LOG_U("ms", elapsed));
 */
#ifndef BASE_LOG_H
#define BASE_LOG_H

#include <stddef.h>
#include <stdint.h>

enum log_level { LOG_ERROR, LOG_WARN, LOG_INFO, LOG_DEBUG };

struct log_pair {
	const char *key;
	const char *text; /* NULL: `number` counts */
	int64_t number;
};

/* A function, so that an array can be given too without a warning. */
static inline const char *log_text(const char *v)
{
	return v ? v : "";
}

#define LOG_S(k, v) ((struct log_pair){.key = (k), .text = log_text(v)})
#define LOG_U(k, v) ((struct log_pair){.key = (k), .number = (int64_t)(v)})

/* `program` must stay valid. Lines above `level` are dropped. Call once, before threads start. */
void log_start(const char *program, enum log_level level);
/* Thread-safe: one write(2) per line of at most 2 KiB; each value is cut at 256 bytes. */
void log_write(enum log_level level, const char *event, const struct log_pair *pairs, size_t n);

#define LOG(level, event, ...)                                              \
	log_write((level), (event), (const struct log_pair[]){__VA_ARGS__}, \
		  sizeof((const struct log_pair[]){__VA_ARGS__}) / sizeof(struct log_pair))

/* Printable ASCII of `in` with everything else as \xNN; cut with "..." when out is too small. */
void log_escape(const char *in, size_t in_len, char *out, size_t out_size);

#endif
