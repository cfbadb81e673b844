/* SPDX-License-Identifier: BSD-2-Clause */
/* Owns who may be connected. Never reads a byte of a connection. */
#include "enroll/enrolld/server.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <event2/event.h>
#include <event2/listener.h>

#include "base/clock.h"
#include "base/log.h"

#define BACKLOG 256
#define PAUSE_MS 100

TAILQ_HEAD(conn_list, conn);

struct server {
	struct event_base *base;
	struct evconnlistener *listener;
	struct event *resume; /* accepting again after the system had nothing left */
	SSL_CTX *tls;
	struct est_service *service;
	struct conn_list conns; /* oldest first */
	unsigned n_conns;
	struct noise noise;
};

static void on_gone(struct conn *c, void *ctx)
{
	struct server *s = ctx;

	TAILQ_REMOVE(&s->conns, c, link);
	s->n_conns--;
}

static unsigned count_from(const struct server *s, const uint8_t key[THROTTLE_SOURCE_BYTES])
{
	const struct conn *c;
	unsigned n = 0;

	TAILQ_FOREACH (c, &s->conns, link)
		n += !memcmp(c->peer.source_key, key, THROTTLE_SOURCE_BYTES);
	return n;
}

/* Makes room by ending the oldest connection that nobody is working for. */
static void oldest_idle_end(struct server *s)
{
	struct conn *c;

	TAILQ_FOREACH (c, &s->conns, link) {
		if (c->state == CONN_WAITING || c->state == CONN_WRITING)
			continue;
		on_gone(c, s);
		conn_free(c);
		return;
	}
}

static bool has_room(struct server *s, const struct sockaddr *sa)
{
	uint8_t key[THROTTLE_SOURCE_BYTES];

	if (!throttle_source(sa, key) || count_from(s, key) >= SERVER_CONNECTIONS_PER_SOURCE)
		return false;
	if (s->n_conns == SERVER_CONNECTIONS_MAX)
		oldest_idle_end(s);
	return s->n_conns < SERVER_CONNECTIONS_MAX;
}

static void on_accept(struct evconnlistener *listener, evutil_socket_t fd, struct sockaddr *sa,
		      int len, void *ctx)
{
	struct server *s = ctx;
	struct conn *c;
	char source[IP_SIZE];
	int on = 1;

	(void)listener;
	(void)len;
	if (!has_room(s, sa)) {
		close(fd);
		est_source_format(sa, source);
		if (noise_allow(&s->noise, clock_mono_us()))
			LOG(LOG_WARN, "enroll.too_many_connections", LOG_U("all", s->n_conns),
			    LOG_S("source", source));
		return;
	}
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	if (conn_new(s->base, s->tls, fd, sa, s->service, on_gone, s, &c)) {
		LOG(LOG_ERROR, "enroll.connection_dropped", LOG_S("why", err_text()));
		return;
	}
	TAILQ_INSERT_TAIL(&s->conns, c, link);
	s->n_conns++;
}

static void on_accept_error(struct evconnlistener *listener, void *ctx)
{
	struct server *s = ctx;
	struct timeval pause = {.tv_usec = PAUSE_MS * 1000};

	LOG(LOG_ERROR, "enroll.accept_failed", LOG_S("why", strerror(errno)));
	evconnlistener_disable(listener);
	evtimer_add(s->resume, &pause);
}

static void on_resume(evutil_socket_t fd, short what, void *ctx)
{
	struct server *s = ctx;

	(void)fd;
	(void)what;
	evconnlistener_enable(s->listener);
}

static int address_build(const char *address, uint32_t port, struct sockaddr_storage *out,
			 int *len_out)
{
	char text[80];

	snprintf(text, sizeof(text), strchr(address, ':') ? "[%s]:%u" : "%s:%u", address, port);
	*len_out = sizeof(*out);
	memset(out, 0, sizeof(*out));
	if (evutil_parse_sockaddr_port(text, (struct sockaddr *)out, len_out))
		return err_set(ERR_INVALID, "[listen] est_address = %.60s: no IP address", address);
	return 0;
}

int server_new(struct event_base *base, const char *address, uint32_t port, SSL_CTX *tls,
	       struct est_service *service, struct server **out)
{
	struct sockaddr_storage sa;
	struct server *s;
	int len, rc = address_build(address, port, &sa, &len);

	if (rc)
		return rc;
	s = calloc(1, sizeof(*s));
	if (!s)
		return err_set(ERR_NOMEM, "no memory for the server");
	TAILQ_INIT(&s->conns);
	s->base = base;
	s->tls = tls;
	s->service = service;
	s->resume = evtimer_new(base, on_resume, s);
	s->listener = evconnlistener_new_bind(base, on_accept, s,
					      LEV_OPT_CLOSE_ON_FREE | LEV_OPT_CLOSE_ON_EXEC |
						      LEV_OPT_REUSEABLE,
					      BACKLOG, (struct sockaddr *)&sa, len);
	if (!s->resume || !s->listener) {
		rc = err_errno(ERR_IO, "listen on %s port %u", address, port);
		server_free(s);
		return rc;
	}
	evconnlistener_set_error_cb(s->listener, on_accept_error);
	*out = s;
	return 0;
}

void server_free(struct server *s)
{
	struct conn *c;

	if (!s)
		return;
	while ((c = TAILQ_FIRST(&s->conns))) {
		on_gone(c, s);
		conn_free(c);
	}
	if (s->listener)
		evconnlistener_free(s->listener);
	if (s->resume)
		event_free(s->resume);
	free(s);
}
