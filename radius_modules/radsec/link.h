/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One TLS connection of a NAS, from its first byte to its end: the handshake and its deadline, the
 * stream of packets to radiusd and back, and Disconnect-Requests the other way
 * (draft-ietf-radext-reverse-coa). All functions belong to the loop's thread and never block.
 */
#ifndef RADIUS_MODULES_RADSEC_LINK_H
#define RADIUS_MODULES_RADSEC_LINK_H

#include <netinet/in.h>
#include <sys/queue.h>
#include <sys/socket.h>

#include <openssl/ssl.h>

#include "radius_modules/radsec/gate.h"
#include "radius_modules/radsec/relay.h"

#define LINK_HANDSHAKE_S 10
#define LINK_IDLE_S 3600 /* a NAS that lives sends requests, accounting or Status-Server */
#define LINK_UNREAD_S 30 /* what we sent must be taken within */
#define LINK_UNREAD_MAX (256 * 1024)
#define LINKS_PER_CERTIFICATE 8 /* the oldest goes: a NAS that restarted leaves dead ones */

struct event_base;
struct link;
LIST_HEAD(link_list, link);

/* What all connections share. */
struct links {
	struct event_base *base;
	SSL_CTX *tls;
	struct gate gate;
	struct link_list all;	       /* newest first */
	struct sockaddr_in auth, acct; /* radiusd's, on this machine */
	char radius_token[HOP_TOKEN_CHARS + 1];
	char dispatch_token[HOP_TOKEN_CHARS + 1];
	int dispatch_fd; /* answers to dispatchd leave here */
	struct links_refused {
		int64_t logged_us;
		uint64_t n; /* since that line */
	} refused[2];	    /* at the door, in the handshake */
};

/* A client connected. Takes the descriptor; refuses by closing it. */
void link_accept(struct links *all, int fd, const struct sockaddr *from);
/* One datagram of dispatchd's. */
void link_disconnect(struct links *all, const void *data, size_t len,
		     const struct sockaddr_in *from);
void links_done(struct links *all); /* closes all */

#endif
