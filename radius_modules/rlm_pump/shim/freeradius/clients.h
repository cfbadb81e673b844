/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Debian leaves this header out of libfreeradius-dev though radiusd.h includes it. This one
 * declares just what radiusd.h and rlm_pump need; rlm_pump.c asserts the resulting sizes.
 */
#ifndef SHIM_FREERADIUS_CLIENTS_H
#define SHIM_FREERADIUS_CLIENTS_H

typedef struct radclient_list RADCLIENT_LIST;

/* Only the beginning of the real one: never allocate or copy it. rlm_pump checks at start, on a
 * client that the server made, that these members are where they are expected. */
typedef struct radclient {
	RADCLIENT_LIST *list;
	fr_ipaddr_t ipaddr;
	fr_ipaddr_t src_ipaddr;
	char const *longname;
	char const *shortname;
	char const *secret;
} RADCLIENT;

RADCLIENT *client_afrom_query(TALLOC_CTX *ctx, char const *identifier, char const *secret,
			      char const *shortname, char const *type, char const *server,
			      bool require_ma);

#endif
