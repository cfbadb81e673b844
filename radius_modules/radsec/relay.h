/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What becomes of a RADIUS packet between a NAS's TLS connection and this machine's own UDP: which
 * packets may pass, and how they are signed anew. Pure: bytes in, bytes out.
 *
 * Inside TLS everything is signed with RFC 6614's constant, which protects nothing: TLS does.
 */
#ifndef RADIUS_MODULES_RADSEC_RELAY_H
#define RADIUS_MODULES_RADSEC_RELAY_H

#include "radius_modules/packet/radius_packet.h"
#include "radius_modules/radsec/hop.h"

/* How long the packet at the start of a stream is: 0 while its header is not whole. ERR_INVALID:
 * what comes is no RADIUS (RFC 6613 2.6.4: the connection must be closed). */
int relay_length(const uint8_t *data, size_t len, size_t *packet_len_out) MUST_USE;

/* What must be kept of a request to know its answer. */
struct relay_asked {
	bool waiting;
	uint8_t code;
	uint8_t id;					   /* the asker's */
	uint8_t authenticator[RADIUS_AUTHENTICATOR_BYTES]; /* the asker's */
	uint8_t sent[RADIUS_AUTHENTICATOR_BYTES];	   /* of the packet that went on */
};

/* An Access- or Accounting-Request of a NAS, with `hop` added, for radiusd. The id stays, and an
 * Access-Request's authenticator, which hides what its answer carries. ERR_INVALID: it names a hop
 * itself, or an attribute is empty; ERR_LIMIT: no room; ERR_CRYPTO. */
int relay_request(const struct radius_view *in, const char *hop, struct relay_asked *asked_out,
		  struct radius_packet *out) MUST_USE;

/* radiusd's answer to what relay_request() made, for the NAS. ERR_DENIED: it is not; ERR_INVALID:
 * of another kind. */
int relay_answer(const struct radius_view *in, const struct relay_asked *asked,
		 struct radius_packet *out) MUST_USE;

/* The answer to a Status-Server (RFC 5997 3), which asks whether the connection is alive. */
int relay_status(const struct radius_view *in, struct radius_packet *out) MUST_USE;

/* A Disconnect-Request of dispatchd's for the NAS, under another id; its hop attribute names the
 * certificates, apart by blanks, into serials[]. ERR_DENIED: not signed with `token`; ERR_INVALID:
 * no such request; ERR_LIMIT. */
#define RELAY_SERIALS_SIZE (RADIUS_ATTR_MAX + 1)
int relay_disconnect(const struct radius_view *in, const char *token, uint8_t id,
		     char serials[RELAY_SERIALS_SIZE], struct relay_asked *asked_out,
		     struct radius_packet *out) MUST_USE;
/* The NAS's answer to that, for dispatchd. ERR_DENIED, ERR_INVALID. */
int relay_disconnect_answer(const struct radius_view *in, const struct relay_asked *asked,
			    const char *token, struct radius_packet *out) MUST_USE;
/* What dispatchd is told when the NAS holds no connection: NAK 502 (RFC 5176 3.6, "not routable").
 */
int relay_disconnect_unroutable(const struct radius_view *in, const char *token,
				struct radius_packet *out) MUST_USE;

#endif
