/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Who may open one more connection: counts those that have not yet shown a certificate, in all and
 * per source, so that nobody without one can take the room of those who have. Pure.
 */
#ifndef RADIUS_MODULES_RADSEC_GATE_H
#define RADIUS_MODULES_RADSEC_GATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define GATE_CONNECTIONS_MAX 2048 /* in all */
#define GATE_STRANGERS_MAX 256	  /* in a handshake, in all */
#define GATE_STRANGERS_PER_SOURCE 16

/* An IPv4 address, or the first 64 bits of an IPv6 one, which is what one machine may have. */
struct gate_source {
	uint8_t bytes[8];
};

struct gate {
	struct gate_source strangers[GATE_STRANGERS_MAX];
	size_t n_strangers;
	size_t n_members;
};

struct sockaddr;
struct gate_source gate_source_of(const struct sockaddr *from);

/* True: it is counted as a stranger. */
bool gate_enter(struct gate *g, struct gate_source from);
/* A stranger showed a certificate. */
void gate_promote(struct gate *g, struct gate_source from);
void gate_leave(struct gate *g, struct gate_source from, bool member);

#endif
