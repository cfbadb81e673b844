/* SPDX-License-Identifier: BSD-2-Clause */
/* Owns who may be connected to the HTTP port. Never reads a byte of a connection. */
#include "enroll/enrolld/status_port.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <event2/event.h>
#include <event2/listener.h>

#include "base/clock.h"
#include "base/log.h"
#include "enroll/enrolld/est_service.h"

#define BACKLOG 128
#define PAUSE_MS 100

TAILQ_HEAD(status_conn_list, status_conn);

struct status_port {
	struct event_base *base;
	struct evconnlistener *listener;
	struct event *resume; /* accepting again after the system had nothing left */
	struct status_service *service;
	struct status_conn_list conns; /* oldest first */
	unsigned n_conns;
};

static void on_gone(struct status_conn *c, void *ctx)
{
	struct status_port *p = ctx;

	TAILQ_REMOVE(&p->conns, c, link);
	p->n_conns--;
}

static bool source_has_room(const struct status_port *p, const struct sockaddr *sa)
{
	uint8_t key[THROTTLE_SOURCE_BYTES];
	const struct status_conn *c;
	unsigned n = 0;

	if (!throttle_source(sa, key))
		return false;
	TAILQ_FOREACH (c, &p->conns, link)
		n += !memcmp(c->source_key, key, sizeof(key));
	return n < STATUS_CONNECTIONS_PER_SOURCE;
}

/* Full: the oldest that nobody is working for makes room, be it slow in asking or in reading. */
static void room_make(struct status_port *p)
{
	struct status_conn *c;

	TAILQ_FOREACH (c, &p->conns, link) {
		if (c->state == STATUS_WAITING)
			continue;
		on_gone(c, p);
		status_conn_free(c);
		return;
	}
}

static void refuse(struct status_port *p, int fd, const struct sockaddr *sa)
{
	char source[IP_SIZE];

	close(fd);
	est_source_format(sa, source);
	if (noise_allow(&p->service->noise, clock_mono_us()))
		LOG(LOG_WARN, "status.too_many_connections", LOG_U("all", p->n_conns),
		    LOG_S("source", source));
}

static void on_accept(struct evconnlistener *listener, evutil_socket_t fd, struct sockaddr *sa,
		      int len, void *ctx)
{
	struct status_port *p = ctx;
	struct status_conn *c;

	(void)listener;
	(void)len;
	if (!source_has_room(p, sa)) {
		refuse(p, fd, sa);
		return;
	}
	if (p->n_conns == STATUS_CONNECTIONS_MAX)
		room_make(p);
	if (p->n_conns == STATUS_CONNECTIONS_MAX) {
		refuse(p, fd, sa);
		return;
	}
	if (status_conn_new(p->base, fd, sa, p->service, on_gone, p, &c)) {
		LOG(LOG_ERROR, "status.connection_dropped", LOG_S("why", err_text()));
		return;
	}
	TAILQ_INSERT_TAIL(&p->conns, c, link);
	p->n_conns++;
}

static void on_accept_error(struct evconnlistener *listener, void *ctx)
{
	struct status_port *p = ctx;
	struct timeval pause = {.tv_usec = PAUSE_MS * 1000};

	LOG(LOG_ERROR, "status.accept_failed", LOG_S("why", strerror(errno)));
	evconnlistener_disable(listener);
	evtimer_add(p->resume, &pause);
}

static void on_resume(evutil_socket_t fd, short what, void *ctx)
{
	struct status_port *p = ctx;

	(void)fd;
	(void)what;
	evconnlistener_enable(p->listener);
}

int status_port_new(struct event_base *base, const char *address, uint32_t port,
		    struct status_service *service, struct status_port **out)
{
	struct sockaddr_storage sa = {0};
	struct status_port *p;
	char text[80];
	int len = sizeof(sa), rc;

	snprintf(text, sizeof(text), strchr(address, ':') ? "[%s]:%u" : "%s:%u", address, port);
	if (evutil_parse_sockaddr_port(text, (struct sockaddr *)&sa, &len))
		return err_set(ERR_INVALID, "[listen] est_address = %.60s: no IP address", address);
	p = calloc(1, sizeof(*p));
	if (!p)
		return err_set(ERR_NOMEM, "no memory for the HTTP port");
	TAILQ_INIT(&p->conns);
	p->base = base;
	p->service = service;
	p->resume = evtimer_new(base, on_resume, p);
	p->listener = evconnlistener_new_bind(base, on_accept, p,
					      LEV_OPT_CLOSE_ON_FREE | LEV_OPT_CLOSE_ON_EXEC |
						      LEV_OPT_REUSEABLE,
					      BACKLOG, (struct sockaddr *)&sa, len);
	if (!p->resume || !p->listener) {
		rc = err_errno(ERR_IO, "listen on %s port %u", address, port);
		status_port_free(p);
		return rc;
	}
	evconnlistener_set_error_cb(p->listener, on_accept_error);
	*out = p;
	return 0;
}

void status_port_free(struct status_port *p)
{
	struct status_conn *c;

	if (!p)
		return;
	while ((c = TAILQ_FIRST(&p->conns))) {
		on_gone(c, p);
		status_conn_free(c);
	}
	if (p->listener)
		evconnlistener_free(p->listener);
	if (p->resume)
		event_free(p->resume);
	free(p);
}
