/* SPDX-License-Identifier: BSD-2-Clause */
/* Owns the reading of the kernel's lists of sockets. Opens none. */
#include "pump_agent/open_ports.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

#define LINE_MAX_BYTES 256
#define LINES_MAX 4096 /* of each list: a pump has a few dozen */
#define TCP_LISTENS 0x0a
#define UDP_UNCONNECTED 0x07
#define UDP_MAX 32767 /* without a range that can be read */

/* The kernel writes each 32 bits of an address as a number of this machine. */
static bool is_loopback(const char *hex)
{
	uint32_t words[4] = {0};
	struct in6_addr a;
	size_t n = strlen(hex) / 8;

	for (size_t i = 0; i < n && i < 4; i++)
		if (sscanf(hex + 8 * i, "%8x", &words[i]) != 1)
			return false;
	if (n == 1)
		return ntohl(words[0]) >> 24 == 127;
	memcpy(&a, words, sizeof(a));
	return IN6_IS_ADDR_LOOPBACK(&a) || (IN6_IS_ADDR_V4MAPPED(&a) && a.s6_addr[12] == 127);
}

static int order(const struct open_port *a, const struct open_port *b)
{
	if (a->is_udp != b->is_udp)
		return a->is_udp ? 1 : -1;
	return (int)a->port - (int)b->port;
}

static void port_put(struct open_ports *o, struct open_port p)
{
	size_t at = 0;

	while (at < o->n && order(&o->all[at], &p) < 0)
		at++;
	if (at < o->n && !order(&o->all[at], &p))
		return;
	if (o->n == OPEN_PORTS_MAX) {
		o->more++;
		return;
	}
	memmove(&o->all[at + 1], &o->all[at], (o->n - at) * sizeof(p));
	o->all[at] = p;
	o->n++;
}

void open_ports_line(struct open_ports *o, bool is_udp, unsigned udp_max, const char *line)
{
	char address[33];
	unsigned port, state;

	if (sscanf(line, " %*u: %32[0-9A-Fa-f]:%4x %*[0-9A-Fa-f]:%*4x %2x", address, &port,
		   &state) != 3)
		return;
	if ((strlen(address) != 8 && strlen(address) != 32) || !port || is_loopback(address))
		return;
	if (state != (is_udp ? UDP_UNCONNECTED : TCP_LISTENS) || (is_udp && port > udp_max))
		return;
	port_put(o, (struct open_port){is_udp, (uint16_t)port});
}

static void list_read(struct open_ports *o, const char *path, bool is_udp, unsigned udp_max)
{
	FILE *f = fopen(path, "re");
	char line[LINE_MAX_BYTES];

	if (!f)
		return;
	for (unsigned i = 0; i < LINES_MAX && fgets(line, sizeof(line), f); i++)
		open_ports_line(o, is_udp, udp_max, line);
	fclose(f);
}

static unsigned udp_max_read(void)
{
	FILE *f = fopen("/proc/sys/net/ipv4/ip_local_port_range", "re");
	unsigned low = UDP_MAX + 1;

	if (!f)
		return UDP_MAX;
	if (fscanf(f, "%5u", &low) != 1 || !low)
		low = UDP_MAX + 1;
	fclose(f);
	return low - 1;
}

void open_ports_read(struct open_ports *out)
{
	unsigned udp_max = udp_max_read();

	*out = (struct open_ports){0};
	list_read(out, "/proc/net/tcp", false, udp_max);
	list_read(out, "/proc/net/tcp6", false, udp_max);
	list_read(out, "/proc/net/udp", true, udp_max);
	list_read(out, "/proc/net/udp6", true, udp_max);
}
