/* SPDX-License-Identifier: BSD-2-Clause */
/* The address of the clinicians' server as a bundle has it. Pure. */
#ifndef PUMP_AGENT_LOGIN_ADDRESS_H
#define PUMP_AGENT_LOGIN_ADDRESS_H

#include <netinet/in.h>
#include <sys/socket.h>

#include "base/err.h"

/* "192.0.2.1:2083" or "[2001:db8::1]:2083": numbers only, so that no login waits for a name
 * service. Pure. ERR_INVALID. */
int radsec_address_parse(const char *text, struct sockaddr_storage *out,
			 socklen_t *len_out) MUST_USE;

#endif
