/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Which ports of this pump can be reached from outside, by the kernel's own list. Ports that only
 * listen on the loopback are left out, and so are UDP sockets with a port that the system chose for
 * a moment (from ip_local_port_range).
 */
#ifndef PUMP_AGENT_OPEN_PORTS_H
#define PUMP_AGENT_OPEN_PORTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define OPEN_PORTS_MAX 32

struct open_port {
	bool is_udp;
	uint16_t port;
};

/* In order, each once. */
struct open_ports {
	struct open_port all[OPEN_PORTS_MAX];
	size_t n;
	unsigned more; /* lines about further ones that found no room */
};

/* One line of /proc/net/{tcp,tcp6,udp,udp6}; anything else is passed over. udp_max: higher UDP
 * ports are left out. Pure. */
void open_ports_line(struct open_ports *o, bool is_udp, unsigned udp_max, const char *line);

/* Of this process's network namespace. Blocks on /proc; what can't be read counts for nothing. */
void open_ports_read(struct open_ports *out);

#endif
