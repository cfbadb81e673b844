/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * An ini file ([section], key = value) read once at start, with typed, bounded getters. A key that
 * nobody asked for is an error: a misspelt setting must not be silently ignored.
 */
#ifndef BASE_CONFIG_H
#define BASE_CONFIG_H

#include <stdint.h>

#include "base/err.h"

struct config;

/* Blocks on the disk. ERR_NOT_FOUND, ERR_IO, ERR_INVALID with the line number, ERR_LIMIT. */
int config_read(const char *path, struct config **out) MUST_USE;
void config_free(struct config *c); /* NULL ok */

static inline void config_auto_free(struct config **c)
{
	config_free(*c);
}
#define AUTO_CONFIG __attribute__((cleanup(config_auto_free))) struct config *

/* The value or `fallback`; valid as long as the config. */
const char *config_str(struct config *c, const char *section, const char *key,
		       const char *fallback);
/* ERR_INVALID names the key and the bounds. */
int config_u32(struct config *c, const char *section, const char *key, uint32_t fallback,
	       uint32_t min, uint32_t max, uint32_t *out) MUST_USE;
/* A duration such as "12h" in milliseconds (clock_duration_parse). */
int config_duration(struct config *c, const char *section, const char *key, const char *fallback,
		    int64_t *ms_out) MUST_USE;
/* After the last getter: ERR_INVALID names the first key of `section` that no getter asked for. */
int config_check_unused(const struct config *c, const char *section) MUST_USE;

#endif
