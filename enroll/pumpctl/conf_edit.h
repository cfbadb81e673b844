/* SPDX-License-Identifier: BSD-2-Clause */
/* One setting of an ini file changed, and nothing else: comments and order stay. Pure. */
#ifndef ENROLL_PUMPCTL_CONF_EDIT_H
#define ENROLL_PUMPCTL_CONF_EDIT_H

#include "base/buf.h"

/* `out` becomes `text` with `key` of `section` set to `value`: its line is replaced, else a line is
 * added below the section's header, else the section at the end. The key should stand there at most
 * once (config_read refuses else). ERR_LIMIT, ERR_NOMEM. */
int conf_edit(const char *text, const char *section, const char *key, const char *value,
	      struct buf *out) MUST_USE;

#endif
