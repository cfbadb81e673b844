/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * HTTPS requests to one server, one after the other over one connection while it lasts. HTTP/1.1
 * is libevent's (evhttp). No redirects, no proxies, nothing from the environment; names are asked
 * of the name servers in /etc/resolv.conf by libevent, addresses of nobody. A call blocks, at most
 * wait_ms, and ends within a quarter of a second after `stop` turned true. One thread.
 */
#ifndef PUMP_AGENT_HTTPS_H
#define PUMP_AGENT_HTTPS_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "pump_agent/tls_client.h"

#define HTTPS_HEADERS_MAX 16384
#define HTTPS_HOST_MAX 254
#define HTTPS_FIELDS_MAX 4

/* Nothing is owned; all must live as long as the struct https. */
struct https_server {
	const char *host; /* DNS name or IP address, without brackets */
	uint16_t port;
	struct tls_client tls;
	size_t answer_max;   /* bytes of one answer's body */
	unsigned wait_ms;    /* for a whole request */
	unsigned connect_ms; /* of it: for the name, the connection and TLS */
	const atomic_bool *stop;
};

struct https_request {
	const char *path;
	const struct buf *body; /* NULL: GET; else POST */
	struct https_field {
		const char *name, *value;
	} fields[HTTPS_FIELDS_MAX]; /* up to the first without a name */
};

struct https_answer {
	int status;
	int64_t date_s;	 /* its Date, seconds since 1970; 0: none */
	int64_t again_s; /* its Retry-After, from now; 0: none */
};

struct https;

/* No connection yet. ERR_NOMEM, ERR_CRYPTO, ERR_INVALID (no root among the anchors). */
int https_new(const struct https_server *server, struct https **out) MUST_USE;
void https_free(struct https *h); /* NULL ok */

/*
 * One request; its answer's body is appended to `body`, whatever the status. A connection that the
 * server closed meanwhile is made anew. ERR_UNAVAILABLE no connection, or it broke; ERR_TIMEOUT;
 * ERR_CRYPTO the server did not prove itself; ERR_LIMIT the answer is too large; ERR_INVALID no
 * HTTP; ERR_NOMEM.
 */
int https_request(struct https *h, const struct https_request *r, struct buf *body,
		  struct https_answer *out) MUST_USE;

/* The newest connection's number, from 1, and base64 of what names it (RFC 7030 3.5): tls-unique in
 * TLS 1.2 (RFC 5929 3), tls-exporter in TLS 1.3 (RFC 9266); "" when there is none. */
unsigned https_connection(const struct https *h, const char **binding_out);
/* SHA-256 of the anchor that the newest connection's server proved itself by. ERR_CRYPTO: none was
 * proven. */
int https_anchor(const struct https *h, uint8_t out[32]) MUST_USE;
/* True: the last request failed because the server's certificate has expired, by our clock. */
bool https_is_expired(const struct https *h);

#endif
