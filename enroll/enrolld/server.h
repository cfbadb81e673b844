/* SPDX-License-Identifier: BSD-2-Clause */
/* The listening socket and the set of connections, bounded in all and per source. */
#ifndef ENROLL_ENROLLD_SERVER_H
#define ENROLL_ENROLLD_SERVER_H

#include "enroll/enrolld/conn.h"

#define SERVER_CONNECTIONS_MAX 1000
#define SERVER_CONNECTIONS_PER_SOURCE 200

struct server;

/* Listens on a numeric address. `tls` and `service` must stay valid. ERR_INVALID for the address,
 * ERR_IO, ERR_NOMEM. */
int server_new(struct event_base *base, const char *address, uint32_t port, SSL_CTX *tls,
	       struct est_service *service, struct server **out) MUST_USE;
void server_free(struct server *s); /* NULL ok; ends all connections */

#endif
