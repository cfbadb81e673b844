/* SPDX-License-Identifier: BSD-2-Clause */
/* Which serials a file has named already, and on which line: 16 bytes for each. */
#ifndef ENROLL_PUMPCTL_SERIAL_SET_H
#define ENROLL_PUMPCTL_SERIAL_SET_H

#include <stddef.h>

#include "base/err.h"

struct serial_set;

int serial_set_new(size_t max, struct serial_set **out) MUST_USE;
void serial_set_free(struct serial_set *s); /* NULL ok */
/* ERR_EXISTS: it is there already, from line *before_out. ERR_LIMIT, ERR_NOMEM. Serials count as
 * the same when a keyed 64-bit hash is; the key is random, so nobody can prepare two that collide.
 */
int serial_set_add(struct serial_set *s, const char *serial, unsigned line,
		   unsigned *before_out) MUST_USE;

#endif
