/* SPDX-License-Identifier: BSD-2-Clause */
/* Owns the connections of NAS. Never judges a request: radiusd does. */
#include "radius_modules/radsec/link.h"

#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/bufferevent_ssl.h>
#include <event2/event.h>
#include <openssl/err.h>

#include "base/clock.h"
#include "base/log.h"
#include "radius_modules/radsec/tls.h"

#define READS_PER_WAKE 64
#define INPUT_MAX (4 * RADIUS_PACKET_MAX)
#define REFUSED_LOG_US 1000000
#define IDS 256

/* A Disconnect-Request that a NAS has yet to answer. */
struct errand {
	struct relay_asked asked;
	struct sockaddr_in from;
};

struct link {
	struct links *all;
	struct bufferevent *tls;
	struct event *deadline;
	struct event *answers[2]; /* of radiusd: authentication, accounting */
	int fds[2];
	struct gate_source source;
	struct hop_origin origin; /* its serial is "" until the handshake is over */
	struct relay_asked asked[IDS];
	struct errand errands[IDS];
	uint8_t next_errand;
	uint64_t requests;
	LIST_ENTRY(link) next;
};

static bool is_member(const struct link *l)
{
	return *l->origin.cert_serial;
}

static void link_free(struct link *l)
{
	for (int i = 0; i < 2; i++) {
		if (l->answers[i])
			event_free(l->answers[i]);
		if (l->fds[i] >= 0)
			close(l->fds[i]);
	}
	if (l->deadline)
		event_free(l->deadline);
	if (l->tls)
		bufferevent_free(l->tls); /* closes the socket too */
	gate_leave(&l->all->gate, l->source, is_member(l));
	LIST_REMOVE(l, next);
	free(l);
}

enum refused_at { REFUSED_AT_DOOR = 0, REFUSED_IN_HANDSHAKE };

/* Strangers can't fill the log: one line a second of each kind, which counts the others. */
static void refused_log(struct links *all, enum refused_at at, const char *ip, const char *why)
{
	struct links_refused *r = &all->refused[at];
	int64_t now_us = clock_mono_us();

	r->n++;
	if (r->logged_us && now_us - r->logged_us < REFUSED_LOG_US)
		return;
	LOG(LOG_WARN, "radsec.refused", LOG_S("ip", ip), LOG_S("why", why),
	    LOG_U("since_last_line", r->n));
	r->logged_us = now_us;
	r->n = 0;
}

static void link_end(struct link *l, const char *why)
{
	if (is_member(l))
		LOG(LOG_INFO, "radsec.closed", LOG_S("certificate", l->origin.cert_serial),
		    LOG_S("ip", l->origin.ip), LOG_U("requests", l->requests), LOG_S("why", why));
	else
		refused_log(l->all, REFUSED_IN_HANDSHAKE, l->origin.ip, why);
	link_free(l);
}

/* False: the NAS does not take what it is sent; the connection is over. */
static bool link_send(struct link *l, const struct radius_packet *p)
{
	struct evbuffer *out = bufferevent_get_output(l->tls);

	if (evbuffer_get_length(out) > LINK_UNREAD_MAX) {
		link_end(l, "it does not read what it is sent");
		return false;
	}
	bufferevent_write(l->tls, p->data, p->len);
	return true;
}

/* ---- radiusd's answers ---- */

static void on_answer(evutil_socket_t fd, short what, void *ctx)
{
	struct link *l = ctx;
	uint8_t data[RADIUS_PACKET_MAX];
	struct radius_packet p;
	struct radius_view v;

	(void)what;
	for (int i = 0; i < READS_PER_WAKE; i++) {
		ssize_t n = recv(fd, data, sizeof(data), MSG_DONTWAIT);
		struct relay_asked *asked;

		if (n < 0) /* nothing more; or radiusd is away, and the NAS asks again */
			return;
		if (radius_view_parse(data, (size_t)n, &v))
			continue;
		asked = &l->asked[v.id];
		if (!asked->waiting || relay_answer(&v, asked, &p))
			continue;
		asked->waiting = false;
		if (!link_send(l, &p))
			return;
	}
}

static int answers_open(struct link *l, int i, const struct sockaddr_in *to)
{
	l->fds[i] = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (l->fds[i] < 0 ||
	    connect(l->fds[i], (const struct sockaddr *)(const void *)to, sizeof(*to)))
		return err_errno(ERR_IO, "no way to radiusd");
	l->answers[i] = event_new(l->all->base, l->fds[i], EV_READ | EV_PERSIST, on_answer, l);
	if (!l->answers[i] || event_add(l->answers[i], NULL))
		return err_set(ERR_NOMEM, "no memory for a connection");
	return 0;
}

/* ---- what a NAS sends ---- */

static int request_pass(struct link *l, const struct radius_view *v)
{
	int fd = l->fds[v->code == RADIUS_ACCOUNTING_REQUEST];
	struct radius_packet p;
	char hop[HOP_SIZE];
	int rc;

	hop_build(l->all->radius_token, &l->origin, hop);
	rc = relay_request(v, hop, &l->asked[v->id], &p);
	if (rc)
		return rc;
	l->requests++;
	/* What radiusd can't take now is lost, as a datagram may be: the NAS asks again. */
	(void)!send(fd, p.data, p.len, MSG_DONTWAIT | MSG_NOSIGNAL);
	return 0;
}

/* True; false: the link is gone. */
static bool status_answer(struct link *l, const struct radius_view *v)
{
	struct radius_packet p;

	if (relay_status(v, &p))
		return true;
	return link_send(l, &p);
}

static void errand_answer(struct link *l, const struct radius_view *v)
{
	struct errand *e = &l->errands[v->id];
	struct radius_packet p;

	if (!e->asked.waiting || relay_disconnect_answer(v, &e->asked, l->all->dispatch_token, &p))
		return;
	e->asked.waiting = false;
	(void)!sendto(l->all->dispatch_fd, p.data, p.len, MSG_DONTWAIT | MSG_NOSIGNAL,
		      (const struct sockaddr *)(const void *)&e->from, sizeof(e->from));
}

/* False: the link is gone. */
static bool packet_take(struct link *l, const uint8_t *data, size_t len)
{
	struct radius_view v;
	int rc = radius_view_parse(data, len, &v);

	if (!rc) {
		switch (v.code) {
		case RADIUS_ACCESS_REQUEST:
		case RADIUS_ACCOUNTING_REQUEST:
			rc = request_pass(l, &v);
			break;
		case RADIUS_STATUS_SERVER:
			return status_answer(l, &v);
		case RADIUS_DISCONNECT_ACK:
		case RADIUS_DISCONNECT_NAK:
			errand_answer(l, &v);
			break;
		default:
			rc = err_set(ERR_INVALID, "a packet of code %u", v.code);
		}
	}
	if (rc)
		link_end(l, err_text());
	return !rc;
}

static void on_read(struct bufferevent *tls, void *ctx)
{
	struct evbuffer *in = bufferevent_get_input(tls);
	struct link *l = ctx;
	size_t n;

	for (;;) {
		size_t have = evbuffer_get_length(in);
		const uint8_t *data = evbuffer_pullup(in, have < 4 ? (ssize_t)have : 4);

		if (relay_length(data, have < 4 ? have : 4, &n)) {
			link_end(l, err_text());
			return;
		}
		if (!n || have < n)
			return;
		data = evbuffer_pullup(in, (ssize_t)n);
		if (!data || !packet_take(l, data, n))
			return;
		evbuffer_drain(in, n);
	}
}

/* ---- the connection itself ---- */

/* The oldest of a certificate's connections makes room. */
static void crowd_thin(struct links *all, const struct link *newest)
{
	struct link *l, *oldest = NULL;
	unsigned n = 0;

	LIST_FOREACH (l, &all->all, next) {
		if (strcmp(l->origin.cert_serial, newest->origin.cert_serial) != 0)
			continue;
		n++;
		oldest = l;
	}
	if (n > LINKS_PER_CERTIFICATE)
		link_end(oldest, "too many connections with this certificate");
}

static int link_promote(struct link *l)
{
	static const struct timeval idle = {LINK_IDLE_S, 0}, unread = {LINK_UNREAD_S, 0};
	char serial[CERT_SERIAL_SIZE];
	int rc = radsec_tls_peer(bufferevent_openssl_get_ssl(l->tls), serial);

	if (rc || (rc = answers_open(l, 0, &l->all->auth)) ||
	    (rc = answers_open(l, 1, &l->all->acct)))
		return rc;
	memcpy(l->origin.cert_serial, serial, sizeof(serial));
	gate_promote(&l->all->gate, l->source);
	event_free(l->deadline);
	l->deadline = NULL;
	bufferevent_set_timeouts(l->tls, &idle, &unread);
	LOG(LOG_INFO, "radsec.connected", LOG_S("certificate", serial), LOG_S("ip", l->origin.ip),
	    LOG_S("tls", SSL_get_version(bufferevent_openssl_get_ssl(l->tls))));
	crowd_thin(l->all, l);
	return 0;
}

static const char *tls_error(struct bufferevent *tls, char out[160])
{
	unsigned long code = bufferevent_get_openssl_error(tls);

	if (!code)
		return "connection lost";
	ERR_error_string_n(code, out, 160);
	return out;
}

static void on_event(struct bufferevent *tls, short what, void *ctx)
{
	struct link *l = ctx;
	char text[160];

	if (what & BEV_EVENT_CONNECTED) {
		if (link_promote(l))
			link_end(l, err_text());
	} else if (what & BEV_EVENT_TIMEOUT) {
		link_end(l, what & BEV_EVENT_READING ? "idle" : "it does not read what it is sent");
	} else if (what & BEV_EVENT_ERROR) {
		link_end(l, tls_error(tls, text));
	} else if (what & BEV_EVENT_EOF) {
		link_end(l, "closed by the NAS");
	}
	ERR_clear_error();
}

static void on_deadline(evutil_socket_t fd, short what, void *ctx)
{
	(void)fd;
	(void)what;
	link_end(ctx, "the TLS handshake took too long");
}

static void ip_text(const struct sockaddr *from, char out[IP_SIZE])
{
	const void *address =
		from->sa_family == AF_INET6
			? (const void *)&((const struct sockaddr_in6 *)(const void *)from)
				  ->sin6_addr
			: (const void *)&((const struct sockaddr_in *)(const void *)from)->sin_addr;

	if (!inet_ntop(from->sa_family, address, out, IP_SIZE))
		out[0] = '\0';
}

/* A NAS whose power failed is found out within two minutes or so. */
static void keep_alive(int fd)
{
	const int on = 1, idle_s = 60, every_s = 20, probes = 3;

	setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof(on));
	setsockopt(fd, IPPROTO_TCP, TCP_KEEPIDLE, &idle_s, sizeof(idle_s));
	setsockopt(fd, IPPROTO_TCP, TCP_KEEPINTVL, &every_s, sizeof(every_s));
	setsockopt(fd, IPPROTO_TCP, TCP_KEEPCNT, &probes, sizeof(probes));
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
}

/* Takes the descriptor in any case. */
static int link_open(struct link *l, int fd)
{
	static const struct timeval deadline = {LINK_HANDSHAKE_S, 0};
	SSL *ssl = SSL_new(l->all->tls);

	if (ssl) /* owned, with the descriptor, by the bufferevent from here on */
		l->tls = bufferevent_openssl_socket_new(
			l->all->base, fd, ssl, BUFFEREVENT_SSL_ACCEPTING, BEV_OPT_CLOSE_ON_FREE);
	if (!l->tls) {
		SSL_free(ssl);
		close(fd);
		return err_set(ERR_NOMEM, "no memory for a connection");
	}
	bufferevent_openssl_set_allow_dirty_shutdown(l->tls, 1);
	l->deadline = evtimer_new(l->all->base, on_deadline, l);
	if (!l->deadline || event_add(l->deadline, &deadline))
		return err_set(ERR_NOMEM, "no memory for a connection");
	bufferevent_setcb(l->tls, on_read, NULL, on_event, l);
	bufferevent_setwatermark(l->tls, EV_READ, 0, INPUT_MAX);
	bufferevent_enable(l->tls, EV_READ | EV_WRITE);
	return 0;
}

void link_accept(struct links *all, int fd, const struct sockaddr *from)
{
	struct gate_source source = gate_source_of(from);
	char ip[IP_SIZE];
	struct link *l;

	ip_text(from, ip);
	if (!gate_enter(&all->gate, source)) {
		refused_log(all, REFUSED_AT_DOOR, ip, "too many connections without a certificate");
		close(fd);
		return;
	}
	l = calloc(1, sizeof(*l));
	if (!l) {
		gate_leave(&all->gate, source, false);
		close(fd);
		return;
	}
	l->all = all;
	l->source = source;
	l->fds[0] = l->fds[1] = -1;
	memcpy(l->origin.ip, ip, sizeof(ip));
	LIST_INSERT_HEAD(&all->all, l, next);
	keep_alive(fd);
	if (link_open(l, fd))
		link_end(l, err_text());
}

void links_done(struct links *all)
{
	struct link *l;

	while ((l = LIST_FIRST(&all->all)))
		link_free(l);
}

/* ---- Disconnect-Requests, over the NAS's own connection ---- */

/* The newest connection with one of these certificates, whose serials stand apart by blanks. */
static struct link *link_of(struct links *all, const char *serials)
{
	struct link *l;

	LIST_FOREACH (l, &all->all, next) {
		size_t len = strlen(l->origin.cert_serial);

		for (const char *at = serials; len && *at; at += strcspn(at, " ")) {
			at += strspn(at, " ");
			if (strcspn(at, " ") == len && !memcmp(at, l->origin.cert_serial, len))
				return l;
		}
	}
	return NULL;
}

/* The same request again: it is on its way, and TCP does not lose it. */
static bool is_underway(const struct link *l, const struct radius_view *v)
{
	for (size_t i = 0; i < IDS; i++)
		if (l->errands[i].asked.waiting && l->errands[i].asked.id == v->id &&
		    !memcmp(l->errands[i].asked.authenticator, v->authenticator,
			    RADIUS_AUTHENTICATOR_BYTES))
			return true;
	return false;
}

void link_disconnect(struct links *all, const void *data, size_t len,
		     const struct sockaddr_in *from)
{
	char serials[RELAY_SERIALS_SIZE];
	struct relay_asked asked;
	struct radius_packet p;
	struct radius_view v;
	struct link *l;
	uint8_t id;

	if (radius_view_parse(data, len, &v) ||
	    relay_disconnect(&v, all->dispatch_token, 0, serials, &asked, &p)) {
		LOG(LOG_WARN, "radsec.not_dispatchd", LOG_S("why", err_text()));
		return;
	}
	l = link_of(all, serials);
	if (!l) {
		LOG(LOG_WARN, "radsec.not_connected", LOG_S("certificates", serials));
		if (!relay_disconnect_unroutable(&v, all->dispatch_token, &p))
			(void)!sendto(all->dispatch_fd, p.data, p.len, MSG_DONTWAIT | MSG_NOSIGNAL,
				      (const struct sockaddr *)(const void *)from, sizeof(*from));
		return;
	}
	if (is_underway(l, &v))
		return;
	id = l->next_errand++; /* an unanswered one of 256 before loses its turn */
	if (relay_disconnect(&v, all->dispatch_token, id, serials, &asked, &p))
		return;
	l->errands[id] = (struct errand){.asked = asked, .from = *from};
	(void)link_send(l, &p);
}
