/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A RADIUS client over TLS (RFC 6614): one connection to one server, which must prove to be of our
 * anchors and of its name; we show the pump's certificate. The key is an EVP_PKEY, of a file or of
 * a provider (TPM). Every call ends at its deadline, or when the descriptor of radsec_watch turns
 * readable. One thread.
 */
#ifndef PUMP_AGENT_LOGIN_RADSEC_H
#define PUMP_AGENT_LOGIN_RADSEC_H

#include <netinet/in.h>
#include <stdbool.h>

#include "base/buf.h"
#include "pump_agent/bundle.h"
#include "pump_agent/x509_auto.h"
#include "radius_modules/packet/radius_packet.h"

/* Nothing is owned; it must live until the connection is closed. */
struct radsec_server {
	struct sockaddr_storage address;
	socklen_t address_len;
	const char *name; /* DNS name in its certificate */
	const STACK_OF(X509) * anchors;
	EVP_PKEY *key;
	X509 *cert;
};

struct radsec;

/* Not connected yet. ERR_NOMEM. */
int radsec_new(struct radsec **out) MUST_USE;
void radsec_free(struct radsec *r); /* NULL ok */
void radsec_close(struct radsec *r);
/* What ends a call early with ERR_CONFLICT; -1: nothing does. */
void radsec_watch(struct radsec *r, int stop_fd);
bool radsec_is_open(const struct radsec *r);

/* Connects if there is no connection. `deadline_us` is of clock_mono_us.
 * ERR_UNAVAILABLE, ERR_TIMEOUT; ERR_CRYPTO: the server did not prove itself; ERR_NOMEM. */
int radsec_open(struct radsec *r, const struct radsec_server *s, int64_t deadline_us) MUST_USE;
/*
 * Sends one request, whose number must not be that of the one before, and takes the answer to it:
 * any whole packet with its number; the caller verifies it. After any error the connection is
 * closed. ERR_UNAVAILABLE: the server is gone; ERR_TIMEOUT; ERR_INVALID: no RADIUS.
 */
int radsec_exchange(struct radsec *r, const struct radius_packet *request, int64_t deadline_us,
		    uint8_t answer[RADIUS_PACKET_MAX], size_t *len_out) MUST_USE;

#endif
