/* SPDX-License-Identifier: BSD-2-Clause */
/* Owns the counts of connections. Never closes one. */
#include "radius_modules/radsec/gate.h"

#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>

struct gate_source gate_source_of(const struct sockaddr *from)
{
	struct gate_source s = {{0}};

	if (from->sa_family == AF_INET6) {
		const struct in6_addr *a =
			&((const struct sockaddr_in6 *)(const void *)from)->sin6_addr;

		/* an IPv4 address in IPv6 clothes differs in its last four bytes */
		memcpy(s.bytes, a->s6_addr + (IN6_IS_ADDR_V4MAPPED(a) ? 8 : 0), sizeof(s.bytes));
	} else if (from->sa_family == AF_INET) {
		memcpy(s.bytes + 4, &((const struct sockaddr_in *)(const void *)from)->sin_addr, 4);
	}
	return s;
}

static size_t from_source(const struct gate *g, struct gate_source from)
{
	size_t n = 0;

	for (size_t i = 0; i < g->n_strangers; i++)
		n += !memcmp(&g->strangers[i], &from, sizeof(from));
	return n;
}

bool gate_enter(struct gate *g, struct gate_source from)
{
	if (g->n_strangers == GATE_STRANGERS_MAX ||
	    g->n_strangers + g->n_members >= GATE_CONNECTIONS_MAX ||
	    from_source(g, from) >= GATE_STRANGERS_PER_SOURCE)
		return false;
	g->strangers[g->n_strangers++] = from;
	return true;
}

static void stranger_remove(struct gate *g, struct gate_source from)
{
	for (size_t i = 0; i < g->n_strangers; i++) {
		if (memcmp(&g->strangers[i], &from, sizeof(from)) != 0)
			continue;
		g->strangers[i] = g->strangers[--g->n_strangers];
		return;
	}
}

void gate_promote(struct gate *g, struct gate_source from)
{
	stranger_remove(g, from);
	g->n_members++;
}

void gate_leave(struct gate *g, struct gate_source from, bool member)
{
	if (member)
		g->n_members--;
	else
		stranger_remove(g, from);
}
