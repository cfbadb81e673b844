/* SPDX-License-Identifier: BSD-2-Clause */
/* Owns the two sockets between the RADIUS server and hostapd's DAS. Never ends a session itself. */
#include "tests/support/testswitch/switch_das.h"

#include <netinet/in.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include <event2/event.h>

#include "radius_modules/packet/radius_packet.h"

struct switch_das {
	int outer; /* towards the server */
	int inner; /* connected to hostapd */
	struct event *outer_readable, *inner_readable;
	const struct secret *secret;
	switch_das_end end;
	void *ctx;
	struct sockaddr_in asked_by[256]; /* per identifier that was handed on */
};

static int address(const char *text, struct sockaddr_in *out)
{
	int len = sizeof(*out);

	if (evutil_parse_sockaddr_port(text, (struct sockaddr *)out, &len) ||
	    out->sin_family != AF_INET || !out->sin_port)
		return err_set(ERR_INVALID, "%s: wanted ADDRESS:PORT", text);
	return 0;
}

static void answer_ack(struct switch_das *d, const struct radius_view *rq,
		       const struct sockaddr_in *to)
{
	struct radius_packet p;

	radius_begin(&p, RADIUS_DISCONNECT_ACK, rq->id);
	if (!radius_sign_reply(&p, rq->authenticator, secret_data(d->secret),
			       secret_len(d->secret)))
		(void)!sendto(d->outer, p.data, p.len, 0, (const struct sockaddr *)to, sizeof(*to));
}

static void on_outer(evutil_socket_t fd, short what, void *ctx)
{
	struct switch_das *d = ctx;
	uint8_t data[RADIUS_PACKET_MAX];
	struct sockaddr_in from;
	socklen_t from_len = sizeof(from);
	ssize_t n =
		recvfrom(fd, data, sizeof(data), MSG_DONTWAIT, (struct sockaddr *)&from, &from_len);
	struct radius_view rq;
	char session[RADIUS_ATTR_MAX + 1] = "", station[RADIUS_ATTR_MAX + 1] = "";

	(void)what;
	if (n < 0 || radius_view_parse(data, (size_t)n, &rq) ||
	    rq.code != RADIUS_DISCONNECT_REQUEST ||
	    radius_verify_request(&rq, secret_data(d->secret), secret_len(d->secret), true))
		return; /* RFC 5176 2.3: silence */
	radius_attr_str(&rq, RADIUS_ACCT_SESSION_ID, session, sizeof(session));
	radius_attr_str(&rq, RADIUS_CALLING_STATION_ID, station, sizeof(station));
	if ((session[0] || station[0]) && d->end(session, station, d->ctx)) {
		answer_ack(d, &rq, &from);
		return;
	}
	d->asked_by[rq.id] = from;
	(void)!send(d->inner, data, (size_t)n, MSG_NOSIGNAL);
}

static void on_inner(evutil_socket_t fd, short what, void *ctx)
{
	struct switch_das *d = ctx;
	uint8_t data[RADIUS_PACKET_MAX];
	ssize_t n = recv(fd, data, sizeof(data), MSG_DONTWAIT);
	const struct sockaddr_in *to;

	(void)what;
	if (n < RADIUS_HEADER_BYTES)
		return;
	to = &d->asked_by[data[1]];
	if (to->sin_port)
		(void)!sendto(d->outer, data, (size_t)n, 0, (const struct sockaddr *)to,
			      sizeof(*to));
}

int switch_das_new(struct event_base *base, const char *listen_at, const char *hostapd,
		   const struct secret *secret, switch_das_end end, void *ctx,
		   struct switch_das **out)
{
	struct sockaddr_in at, to;
	struct switch_das *d;
	int rc = address(listen_at, &at);

	rc = rc ? rc : address(hostapd, &to);
	if (rc)
		return rc;
	d = calloc(1, sizeof(*d));
	if (!d)
		return err_set(ERR_NOMEM, "no memory for the DAS");
	d->secret = secret;
	d->end = end;
	d->ctx = ctx;
	d->outer = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	d->inner = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (d->outer < 0 || d->inner < 0 || bind(d->outer, (struct sockaddr *)&at, sizeof(at)) ||
	    connect(d->inner, (struct sockaddr *)&to, sizeof(to))) {
		rc = err_errno(ERR_IO, "%s", listen_at);
		switch_das_free(d);
		return rc;
	}
	d->outer_readable = event_new(base, d->outer, EV_READ | EV_PERSIST, on_outer, d);
	d->inner_readable = event_new(base, d->inner, EV_READ | EV_PERSIST, on_inner, d);
	if (!d->outer_readable || !d->inner_readable || event_add(d->outer_readable, NULL) ||
	    event_add(d->inner_readable, NULL)) {
		switch_das_free(d);
		return err_set(ERR_NOMEM, "no memory for events");
	}
	*out = d;
	return 0;
}

void switch_das_free(struct switch_das *d)
{
	if (!d)
		return;
	if (d->outer_readable)
		event_free(d->outer_readable);
	if (d->inner_readable)
		event_free(d->inner_readable);
	if (d->outer >= 0)
		close(d->outer);
	if (d->inner >= 0)
		close(d->inner);
	free(d);
}
