/* SPDX-License-Identifier: BSD-2-Clause */
/* Owns the probing of ports. Never keeps one. */
#include "enroll/pumpctl/ports.h"

#include <netdb.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

#define STEP 10
#define TRIES 1000

bool port_is_free(enum port_kind kind, const char *address, uint32_t port)
{
	struct addrinfo hints = {.ai_flags = AI_NUMERICHOST | AI_NUMERICSERV,
				 .ai_socktype = kind == PORT_UDP ? SOCK_DGRAM : SOCK_STREAM};
	struct addrinfo *ai = NULL;
	char service[8];
	int fd, one = 1;
	bool is_free;

	snprintf(service, sizeof(service), "%u", port);
	if (getaddrinfo(address, service, &hints, &ai))
		return false;
	fd = socket(ai->ai_family, ai->ai_socktype | SOCK_CLOEXEC, 0);
	if (fd >= 0 && kind == PORT_TCP) /* as a server: TIME_WAIT is no hindrance */
		setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	is_free = fd >= 0 && bind(fd, ai->ai_addr, ai->ai_addrlen) == 0 &&
		  (kind == PORT_UDP || listen(fd, 1) == 0);
	if (fd >= 0)
		close(fd);
	freeaddrinfo(ai);
	return is_free;
}

int port_choose(enum port_kind kind, const char *address, uint32_t from, unsigned n, uint32_t *out)
{
	for (unsigned i = 0; i < TRIES && from + n <= 65536; i++, from += STEP) {
		unsigned got = 0;

		while (got < n && port_is_free(kind, address, from + got))
			got++;
		if (got == n) {
			*out = from;
			return 0;
		}
	}
	return err_set(ERR_FULL, "no free port on %s; is the address one of this machine's?",
		       address);
}
