/* SPDX-License-Identifier: BSD-2-Clause */
/* The plain HTTP port: its socket and its connections, bounded in all and per source. */
#ifndef ENROLL_ENROLLD_STATUS_PORT_H
#define ENROLL_ENROLLD_STATUS_PORT_H

#include "enroll/enrolld/status_conn.h"

#define STATUS_CONNECTIONS_MAX 256
#define STATUS_CONNECTIONS_PER_SOURCE 64

struct status_port;

/* Listens on a numeric address. `service` must stay valid. ERR_INVALID for the address, ERR_IO,
 * ERR_NOMEM. */
int status_port_new(struct event_base *base, const char *address, uint32_t port,
		    struct status_service *service, struct status_port **out) MUST_USE;
void status_port_free(struct status_port *p); /* NULL ok; ends all connections */

#endif
