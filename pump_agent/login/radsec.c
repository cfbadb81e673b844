/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Owns the connection to the clinicians' server. Never sends a byte of a login to a server that has
 * not proven itself, never waits beyond a deadline, never asks a name service.
 */
#include "pump_agent/login/radsec.h"

#include <errno.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <openssl/ssl.h>

#include "base/clock.h"
#include "ca/request/server_name.h"
#include "pump_agent/bundle.h"
#include "pump_agent/tls_client.h"

struct radsec {
	int fd; /* -1: no connection */
	int stop_fd;
	SSL_CTX *ctx;
	SSL *ssl;
};

int radsec_new(struct radsec **out)
{
	struct radsec *r = calloc(1, sizeof(*r));

	if (!r)
		return err_set(ERR_NOMEM, "no memory for a RADIUS client");
	r->fd = -1;
	r->stop_fd = -1;
	*out = r;
	return 0;
}

void radsec_watch(struct radsec *r, int stop_fd)
{
	r->stop_fd = stop_fd;
}

void radsec_close(struct radsec *r)
{
	SSL_free(r->ssl);
	SSL_CTX_free(r->ctx);
	r->ssl = NULL;
	r->ctx = NULL;
	if (r->fd >= 0)
		close(r->fd);
	r->fd = -1;
	ERR_clear_error();
}

void radsec_free(struct radsec *r)
{
	if (!r)
		return;
	radsec_close(r);
	free(r);
}

bool radsec_is_open(const struct radsec *r)
{
	return r->ssl != NULL;
}

/* Until `fd` is ready for `events`. ERR_TIMEOUT, ERR_CONFLICT when there is something else to do.
 */
static int wait_for(const struct radsec *r, short events, int64_t deadline_us)
{
	struct pollfd fds[] = {{r->fd, events, 0}, {r->stop_fd, POLLIN, 0}};

	for (;;) {
		int64_t left_ms = (deadline_us - clock_mono_us() + 999) / 1000;
		int n = left_ms > 0 ? poll(fds, 2, (int)left_ms) : 0;

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return err_errno(ERR_IO, "poll");
		if (n == 0)
			return err_set(ERR_TIMEOUT, "the server did not answer in time");
		if (fds[1].revents)
			return err_set(ERR_CONFLICT, "was given up");
		return 0;
	}
}

static int connect_to(struct radsec *r, const struct radsec_server *s, int64_t deadline_us)
{
	int one = 1;
	int error = 0;
	socklen_t len = sizeof(error);
	int rc;

	r->fd = socket(s->address.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (r->fd < 0)
		return err_errno(ERR_UNAVAILABLE, "socket");
	(void)setsockopt(r->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	if (connect(r->fd, (const struct sockaddr *)&s->address, s->address_len) == 0)
		return 0;
	if (errno != EINPROGRESS)
		return err_errno(ERR_UNAVAILABLE, "connect");
	rc = wait_for(r, POLLOUT, deadline_us);
	if (rc)
		return rc;
	if (getsockopt(r->fd, SOL_SOCKET, SO_ERROR, &error, &len) || error) {
		errno = error ? error : errno;
		return err_errno(ERR_UNAVAILABLE, "connect");
	}
	return 0;
}

/* As with RADIUS: a server whose old key is in wrong hands has the name of the next epoch before
 * every pump was told (docs/decisions/0196). A name without epochs has none after it. */
static int next_name_take(SSL *ssl, const char *name)
{
	char next[SERVER_NAME_MAX];

	if (server_name_next(name, next, sizeof(next)))
		return 0;
	return X509_VERIFY_PARAM_add1_host(SSL_get0_param(ssl), next, 0) == 1
		       ? 0
		       : err_ossl(ERR_NOMEM, "TLS");
}

static int tls_set_up(struct radsec *r, const struct radsec_server *s)
{
	const struct tls_client us = {s->anchors, s->cert, s->key, NULL};
	int rc = s->anchors && s->cert ? tls_client_ctx(&us, &r->ctx)
				       : err_set(ERR_INTERNAL, "RadSec without anchors");

	if (rc)
		return rc;
	r->ssl = SSL_new(r->ctx);
	if (!r->ssl || SSL_set_fd(r->ssl, r->fd) != 1)
		return err_ossl(ERR_NOMEM, "TLS");
	rc = tls_client_expect(r->ssl, s->name, false);
	return rc ? rc : next_name_take(r->ssl, s->name);
}

/* After a call on the connection that returned `n` <= 0: waits for what it wants. */
static int tls_wait(struct radsec *r, int n, int64_t deadline_us)
{
	long verify = SSL_get_verify_result(r->ssl);

	switch (SSL_get_error(r->ssl, n)) {
	case SSL_ERROR_WANT_READ:
		return wait_for(r, POLLIN, deadline_us);
	case SSL_ERROR_WANT_WRITE:
		return wait_for(r, POLLOUT, deadline_us);
	case SSL_ERROR_SSL:
		if (verify != X509_V_OK) {
			ERR_clear_error();
			return err_set(ERR_CRYPTO, "the server did not prove itself: %s",
				       X509_verify_cert_error_string(verify));
		}
		return err_ossl(ERR_UNAVAILABLE, "TLS");
	default:
		ERR_clear_error();
		return err_set(ERR_UNAVAILABLE, "the server closed the connection");
	}
}

static int handshake(struct radsec *r, int64_t deadline_us)
{
	int n, rc;

	while ((n = SSL_connect(r->ssl)) != 1) {
		rc = tls_wait(r, n, deadline_us);
		if (rc)
			return rc;
	}
	if (SSL_get_verify_result(r->ssl) != X509_V_OK || !SSL_get0_peer_certificate(r->ssl))
		return err_set(ERR_CRYPTO, "the server did not prove itself");
	return 0;
}

int radsec_open(struct radsec *r, const struct radsec_server *s, int64_t deadline_us)
{
	int rc;

	if (radsec_is_open(r))
		return 0;
	rc = connect_to(r, s, deadline_us);
	rc = rc ? rc : tls_set_up(r, s);
	rc = rc ? rc : handshake(r, deadline_us);
	if (rc)
		radsec_close(r);
	return rc;
}

static int send_all(struct radsec *r, const uint8_t *data, size_t len, int64_t deadline_us)
{
	int n, rc;

	/* without partial writes: all of it, or the same call again */
	while ((n = SSL_write(r->ssl, data, (int)len)) <= 0) {
		rc = tls_wait(r, n, deadline_us);
		if (rc)
			return rc;
	}
	return 0;
}

static int receive(struct radsec *r, uint8_t *out, size_t len, int64_t deadline_us)
{
	int n, rc;

	while (len) {
		n = SSL_read(r->ssl, out, (int)len);
		if (n > 0) {
			out += n;
			len -= (size_t)n;
			continue;
		}
		rc = tls_wait(r, n, deadline_us);
		if (rc)
			return rc;
	}
	return 0;
}

static int packet_receive(struct radsec *r, int64_t deadline_us, uint8_t out[RADIUS_PACKET_MAX],
			  size_t *len_out)
{
	int rc = receive(r, out, RADIUS_HEADER_BYTES, deadline_us);
	size_t len = (size_t)out[2] << 8 | out[3];

	if (rc)
		return rc;
	if (len < RADIUS_HEADER_BYTES || len > RADIUS_PACKET_MAX)
		return err_set(ERR_INVALID, "the server sent no RADIUS packet");
	*len_out = len;
	return receive(r, out + RADIUS_HEADER_BYTES, len - RADIUS_HEADER_BYTES, deadline_us);
}

int radsec_exchange(struct radsec *r, const struct radius_packet *request, int64_t deadline_us,
		    uint8_t answer[RADIUS_PACKET_MAX], size_t *len_out)
{
	int rc = radsec_is_open(r) ? send_all(r, request->data, request->len, deadline_us)
				   : err_set(ERR_UNAVAILABLE, "there is no connection");

	do {
		rc = rc ? rc : packet_receive(r, deadline_us, answer, len_out);
	} while (!rc && answer[1] != request->data[1]); /* late, to one that was given up */
	if (rc)
		radsec_close(r);
	return rc;
}
