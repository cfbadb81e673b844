/* SPDX-License-Identifier: BSD-2-Clause */
/* Which ports of an address are free at this moment. */
#ifndef ENROLL_PUMPCTL_PORTS_H
#define ENROLL_PUMPCTL_PORTS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"

enum port_kind { PORT_UDP, PORT_TCP };

/* Whether a server could bind it now. */
bool port_is_free(enum port_kind kind, const char *address, uint32_t port);
/* The first of `n` (1 or 2) free ports in a row, at or above `from`, tried in steps of 10. ERR_FULL
 * when there is none within 1000 tries. */
int port_choose(enum port_kind kind, const char *address, uint32_t from, unsigned n,
		uint32_t *out) MUST_USE;

#endif
