/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The addresses of a host: of an address, itself; of a name, from /etc/hosts and the name servers
 * of /etc/resolv.conf. Not by the C library, whose resolver knows no deadline and loads plug-ins,
 * which a static program cannot.
 */
#ifndef PUMP_AGENT_RESOLVE_H
#define PUMP_AGENT_RESOLVE_H

#include <netinet/in.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

#define RESOLVE_MAX 8
#define RESOLVE_TEXT_MAX INET6_ADDRSTRLEN

struct resolve_list {
	size_t n;
	struct resolve_address {
		int family; /* AF_INET, AF_INET6 */
		uint8_t bytes[16];
	} at[RESOLVE_MAX];
};

bool resolve_is_address(const char *host);
/* Blocks, up to `deadline_us` (of clock_mono_us) or until `stop` (NULL ok) is true. At least one.
 * ERR_UNAVAILABLE: there is no such name, or nobody says; ERR_NOMEM. */
int resolve_name(const char *host, int64_t deadline_us, const atomic_bool *stop,
		 struct resolve_list *out) MUST_USE;
void resolve_text(const struct resolve_list *l, size_t i, char out[RESOLVE_TEXT_MAX]);

#endif
