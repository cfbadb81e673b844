/* SPDX-License-Identifier: BSD-2-Clause */
/* FreeRADIUS's configuration of this home, rendered from the installed templates. */
#ifndef ENROLL_PUMPCTL_RADDB_H
#define ENROLL_PUMPCTL_RADDB_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"
#include "enroll/pumpctl/settings.h"

struct raddb_word {
	const char *name; /* between the at signs */
	const char *value;
};

/* Copies `in`, each @NAME@ replaced by its value. Pure. ERR_INVALID for a name that is not there,
 * ERR_LIMIT. Other at signs stay. */
int raddb_fill(const char *in, size_t len, const struct raddb_word *words, size_t n,
	       struct buf *out) MUST_USE;

/* Whether FreeRADIUS's configuration can hold the path as it is. Pure. */
bool raddb_path_is_plain(const char *path);

/* Renders every template into HOME/radius/raddb, mode 0600, for radiusd's user. Files that are
 * right already stay untouched; files that no template knows stay too. ERR_NOT_FOUND without
 * templates. */
int raddb_render(const struct settings *s, bool *changed) MUST_USE;

#endif
