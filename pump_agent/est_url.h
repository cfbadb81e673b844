/* SPDX-License-Identifier: BSD-2-Clause */
/* The parts of an EST address. Pure. */
#ifndef PUMP_AGENT_EST_URL_H
#define PUMP_AGENT_EST_URL_H

#include <stdint.h>

#include "base/err.h"
#include "pump_agent/bundle.h"

struct est_url {
	char host[SERVER_NAME_MAX]; /* name or address, without the brackets of IPv6 */
	uint16_t port;
	char path[EST_URL_MAX]; /* from its "/" on, without one at the end */
};

/* "https://HOST[:PORT]/PATH" that est_url_check passes. ERR_INVALID. */
int est_url_parse(const char *url, struct est_url *out) MUST_USE;

#endif
