/* SPDX-License-Identifier: BSD-2-Clause */
/* Owns the switch's RADIUS client for MAC authentication. Never touches the port. */
#include "tests/support/testswitch/switch_mab.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

#include <event2/event.h>

#include "base/buf.h"
#include "base/clock.h"
#include "radius_modules/packet/radius_packet.h"

#define TRIES 4
#define WAIT_MS 800
#define MAC_TEXT 18
#define SERVICE_CALL_CHECK 10
#define PORT_TYPE_ETHERNET 15
#define ACCT_START 1
#define ACCT_STOP 2

/* One request on its way; a new one of the same kind takes the place of an unanswered one. */
struct exchange {
	struct switch_mab *mab;
	int fd;
	struct event *readable;
	struct event *timer;
	struct radius_packet packet;
	unsigned tries;
	bool busy;
};

struct switch_mab {
	struct switch_mab_options o;
	switch_mab_done done;
	void *ctx;
	struct exchange auth, acct;
	uint8_t next_id;
	char mac[MAC_TEXT];
	char session_id[24];
	uint8_t class_value[RADIUS_ATTR_MAX];
	size_t class_len;
	int64_t started_us; /* 0: no accounting session is open */
};

static int server_connect(const char *text, int *fd_out)
{
	struct sockaddr_in to;
	int len = sizeof(to), fd;

	if (evutil_parse_sockaddr_port(text, (struct sockaddr *)&to, &len) ||
	    to.sin_family != AF_INET || !to.sin_port)
		return err_set(ERR_INVALID, "%s: wanted ADDRESS:PORT", text);
	fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return err_errno(ERR_IO, "socket");
	*fd_out = fd;
	return connect(fd, (struct sockaddr *)&to, sizeof(to)) ? err_errno(ERR_IO, "%s", text) : 0;
}

static void transmit(struct exchange *x)
{
	struct timeval tv = {.tv_sec = WAIT_MS / 1000, .tv_usec = WAIT_MS % 1000 * 1000};

	/* What can't be sent is sent again, as what was lost. */
	(void)!send(x->fd, x->packet.data, x->packet.len, MSG_NOSIGNAL);
	x->tries++;
	x->busy = true;
	event_add(x->timer, &tv);
}

static void accepted(struct switch_mab *m, const struct radius_view *v)
{
	char vlan[8] = "";
	uint32_t session_s = 0;
	struct radius_attr a;

	m->class_len = 0;
	if (radius_attr_find(v, RADIUS_CLASS, &a)) {
		memcpy(m->class_value, a.value, a.len);
		m->class_len = a.len;
	}
	radius_attr_u32(v, RADIUS_SESSION_TIMEOUT, &session_s);
	radius_attr_tagged_str(v, RADIUS_TUNNEL_PRIVATE_GROUP_ID, vlan, sizeof(vlan));
	m->done(SWITCH_MAB_ACCEPT, m->mac, (uint32_t)strtoul(vlan, NULL, 10), session_s, m->ctx);
}

static void on_readable(evutil_socket_t fd, short what, void *ctx)
{
	struct exchange *x = ctx;
	struct switch_mab *m = x->mab;
	uint8_t data[RADIUS_PACKET_MAX];
	struct radius_view v;
	ssize_t n = recv(fd, data, sizeof(data), MSG_DONTWAIT);

	(void)what;
	if (n < 0 || !x->busy || radius_view_parse(data, (size_t)n, &v) ||
	    v.id != x->packet.data[1] ||
	    radius_verify_reply(&v, x->packet.data + 4, secret_data(m->o.secret),
				secret_len(m->o.secret), x == &m->auth))
		return;
	x->busy = false;
	event_del(x->timer);
	if (x == &m->auth && v.code == RADIUS_ACCESS_ACCEPT)
		accepted(m, &v);
	else if (x == &m->auth)
		m->done(SWITCH_MAB_REJECT, m->mac, 0, 0, m->ctx);
}

static void on_timer(evutil_socket_t fd, short what, void *ctx)
{
	struct exchange *x = ctx;

	(void)fd;
	(void)what;
	if (x->tries < TRIES) {
		transmit(x);
		return;
	}
	x->busy = false;
	if (x == &x->mab->auth)
		x->mab->done(SWITCH_MAB_SILENT, x->mab->mac, 0, 0, x->mab->ctx);
}

static int exchange_open(struct event_base *base, struct switch_mab *m, struct exchange *x,
			 const char *server)
{
	int rc = server_connect(server, &x->fd);

	if (rc)
		return rc;
	x->mab = m;
	x->readable = event_new(base, x->fd, EV_READ | EV_PERSIST, on_readable, x);
	x->timer = evtimer_new(base, on_timer, x);
	if (!x->readable || !x->timer || event_add(x->readable, NULL))
		return err_set(ERR_NOMEM, "no memory for events");
	return 0;
}

static void exchange_close(struct exchange *x)
{
	if (x->readable)
		event_free(x->readable);
	if (x->timer)
		event_free(x->timer);
	if (x->fd >= 0)
		close(x->fd);
}

int switch_mab_new(struct event_base *base, const struct switch_mab_options *o,
		   switch_mab_done done, void *ctx, struct switch_mab **out)
{
	struct switch_mab *m = calloc(1, sizeof(*m));
	int rc;

	if (!m)
		return err_set(ERR_NOMEM, "no memory for a RADIUS client");
	m->o = *o;
	m->done = done;
	m->ctx = ctx;
	m->auth.fd = m->acct.fd = -1;
	secret_fill_random(&m->next_id, sizeof(m->next_id));
	rc = exchange_open(base, m, &m->auth, o->auth_server);
	rc = rc ? rc : exchange_open(base, m, &m->acct, o->acct_server);
	if (rc) {
		switch_mab_free(m);
		return rc;
	}
	*out = m;
	return 0;
}

void switch_mab_free(struct switch_mab *m)
{
	if (!m)
		return;
	exchange_close(&m->auth);
	exchange_close(&m->acct);
	free(m);
}

bool switch_mab_is_asking(const struct switch_mab *m)
{
	return m->auth.busy;
}

/* "02-00-00-00-00-01", as RFC 3580 3.21 wants it. */
static void station_text(const char *mac, char out[MAC_TEXT])
{
	size_t i = 0;

	for (; mac[i] && i < MAC_TEXT - 1; i++)
		out[i] = mac[i] == ':' ? '-' : (char)toupper((unsigned char)mac[i]);
	out[i] = '\0';
}

/* What every request of the port says. */
static int put_port(struct switch_mab *m, struct radius_packet *p)
{
	char station[MAC_TEXT], user[MAC_TEXT];
	struct in_addr ip;
	size_t n = 0;
	int rc;

	station_text(m->mac, station);
	for (size_t i = 0; m->mac[i]; i++)
		if (m->mac[i] != ':')
			user[n++] = m->mac[i];
	user[n] = '\0';
	if (inet_pton(AF_INET, m->o.nas_ip, &ip) != 1)
		return err_set(ERR_INVALID, "%s: not an IPv4 address", m->o.nas_ip);
	rc = radius_put_str(p, RADIUS_USER_NAME, user);
	rc = rc ? rc : radius_put_u32(p, RADIUS_SERVICE_TYPE, SERVICE_CALL_CHECK);
	rc = rc ? rc : radius_put_str(p, RADIUS_CALLING_STATION_ID, station);
	rc = rc ? rc : radius_put(p, RADIUS_NAS_IP_ADDRESS, &ip, sizeof(ip));
	rc = rc ? rc : radius_put_str(p, RADIUS_NAS_IDENTIFIER, m->o.nas_identifier);
	rc = rc ? rc : radius_put_u32(p, RADIUS_NAS_PORT_TYPE, PORT_TYPE_ETHERNET);
	rc = rc ? rc : radius_put_u32(p, RADIUS_NAS_PORT, m->o.port_number);
	rc = rc ? rc : radius_put_str(p, RADIUS_NAS_PORT_ID, m->o.port_name);
	return rc ? rc : radius_put_str(p, RADIUS_ACCT_SESSION_ID, m->session_id);
}

int switch_mab_ask(struct switch_mab *m, const char *mac)
{
	uint8_t random[RADIUS_AUTHENTICATOR_BYTES];
	int rc;

	if (m->auth.busy)
		return err_set(ERR_BUSY, "another MAC is being asked for");
	rc = str_copy(m->mac, sizeof(m->mac), mac);
	if (rc)
		return rc;
	if (!m->started_us) { /* else it is re-authentication of the same session */
		secret_fill_random(random, sizeof(random));
		snprintf(m->session_id, sizeof(m->session_id), "MAB");
		hex_encode(random, 8, m->session_id + 3, sizeof(m->session_id) - 3);
	}
	secret_fill_random(random, sizeof(random));
	radius_begin(&m->auth.packet, RADIUS_ACCESS_REQUEST, m->next_id++);
	rc = put_port(m, &m->auth.packet);
	rc = rc ? rc
		: radius_sign_access_request(&m->auth.packet, random, secret_data(m->o.secret),
					     secret_len(m->o.secret));
	if (rc)
		return rc;
	m->auth.tries = 0;
	transmit(&m->auth);
	return 0;
}

bool switch_mab_is_session(const struct switch_mab *m, const char *session_id, const char *station)
{
	char own[MAC_TEXT];

	if (!m->started_us || (session_id[0] && strcmp(session_id, m->session_id) != 0))
		return false;
	station_text(m->mac, own);
	return !station[0] || !strcasecmp(station, own);
}

static void account(struct switch_mab *m, uint32_t type, uint32_t cause)
{
	struct radius_packet *p = &m->acct.packet;
	int64_t seconds = (clock_mono_us() - m->started_us) / 1000000;
	int rc;

	radius_begin(p, RADIUS_ACCOUNTING_REQUEST, m->next_id++);
	rc = radius_put_u32(p, RADIUS_ACCT_STATUS_TYPE, type);
	rc = rc ? rc : put_port(m, p);
	if (!rc && m->class_len)
		rc = radius_put(p, RADIUS_CLASS, m->class_value, m->class_len);
	rc = rc ? rc
		: radius_put_u32(p, RADIUS_EVENT_TIMESTAMP, (uint32_t)(clock_wall_ms() / 1000));
	if (!rc && type == ACCT_STOP) {
		rc = radius_put_u32(p, RADIUS_ACCT_SESSION_TIME, (uint32_t)seconds);
		rc = rc ? rc : radius_put_u32(p, RADIUS_ACCT_TERMINATE_CAUSE, cause);
	}
	rc = rc ? rc : radius_sign_request(p, secret_data(m->o.secret), secret_len(m->o.secret));
	if (rc)
		return;
	m->acct.tries = 0;
	transmit(&m->acct);
}

void switch_mab_start(struct switch_mab *m)
{
	m->started_us = clock_mono_us();
	account(m, ACCT_START, 0);
}

void switch_mab_stop(struct switch_mab *m, uint32_t terminate_cause)
{
	if (!m->started_us)
		return;
	account(m, ACCT_STOP, terminate_cause);
	m->started_us = 0;
}
