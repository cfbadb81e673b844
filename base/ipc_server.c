/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Owns accepted local connections. Only the loop thread touches connections; other threads put
 * finished requests on a list and wake the loop through an eventfd. Never runs a verb that is not
 * in the peer's table.
 */
#include "base/ipc_server.h"

#include <errno.h>
#include <limits.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/queue.h>
#include <sys/socket.h>
#include <unistd.h>

#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/event.h>
#include <event2/listener.h>

#include "base/clock.h"
#include "base/ipc_socket.h"
#include "base/log.h"

#define HELLO_WAIT_S 3		     /* a peer that says nothing must not hold a place */
#define UNWELCOME_LOG_US 1000000     /* anybody can knock: one line a second is enough */
#define MESSAGES_AT_ONCE 64	     /* of one peer, before the others have their turn */
#define OUTPUT_MAX (8 * 1024 * 1024) /* unread answers before a peer that does not read is cut */

struct connection {
	LIST_ENTRY(connection) link;
	struct ipc_server *server;
	struct bufferevent *bev;
	const struct ipc_role *role; /* NULL until hello */
	uid_t uid;
	uint64_t number;
	unsigned in_flight;
	bool paused; /* reading stopped at max_in_flight */
};

struct ipc_request {
	STAILQ_ENTRY(ipc_request) link;
	struct ipc_server *server;
	uint64_t connection; /* a number, not a pointer: the connection may be gone */
	const struct ipc_role *role;
	const struct ipc_verb *verb;
	uid_t uid;
	uint64_t request_id;
	void *records;
	size_t n_records;
	struct buf answer; /* whole frame; empty for one-way */
	int fd;		   /* sent with the answer; -1: none. The handler's */
};

struct ipc_server {
	struct ipc_server_options o;
	struct event_base *base;
	struct evconnlistener *listener;
	struct event *wake;
	int wake_fd;
	pthread_t loop_thread;
	LIST_HEAD(, connection) connections;
	unsigned n_connections;
	uint64_t next_number;
	int64_t unwelcome_logged_us;
	uint64_t unwelcome;	   /* since then */
	pthread_mutex_t done_lock; /* held for a list operation only */
	STAILQ_HEAD(, ipc_request) done;
};

static void connection_close(struct connection *c)
{
	LIST_REMOVE(c, link);
	c->server->n_connections--;
	bufferevent_free(c->bev);
	free(c);
}

static struct connection *connection_by_number(struct ipc_server *s, uint64_t number)
{
	struct connection *c;

	LIST_FOREACH (c, &s->connections, link)
		if (c->number == number)
			return c;
	return NULL;
}

static void request_free(struct ipc_request *rq)
{
	if (rq->records) {
		explicit_bzero(rq->records, rq->n_records * rq->verb->req->size);
		free(rq->records);
	}
	buf_done(&rq->answer);
	free(rq);
}

static int frame_build(struct buf *b, uint16_t verb, int status, uint64_t id,
		       const struct record_desc *desc, const void *records, size_t n)
{
	struct ipc_header h = {.verb = verb, .status = (int16_t)status, .request_id = id};
	uint8_t *header;
	int rc;

	buf_init(b, IPC_PAYLOAD_MAX + IPC_HEADER_BYTES);
	rc = buf_reserve(b, IPC_HEADER_BYTES, &header);
	for (size_t i = 0; !rc && desc && i < n; i++)
		rc = record_put(b, desc, (const uint8_t *)records + i * desc->size);
	if (rc)
		return rc;
	h.len = (uint32_t)(b->len - IPC_HEADER_BYTES);
	ipc_header_build(&h, b->data);
	return 0;
}

static void frame_build_failure(struct buf *b, uint16_t verb, int code, uint64_t id)
{
	struct ipc_failure failure = {0};

	strncpy(failure.text, err_text(), sizeof(failure.text) - 1);
	if (frame_build(b, verb, code, id, &record_ipc_failure, &failure, 1))
		buf_done(b);
}

/* Loop thread: sends the answer if the connection still exists, and frees the request. */
static void request_finish(struct ipc_request *rq)
{
	struct ipc_server *s = rq->server;
	struct connection *c;

	c = connection_by_number(s, rq->connection);
	if (c) {
		c->in_flight--;
		if (rq->answer.len && rq->fd >= 0)
			ipc_socket_send_fd(c->bev, rq->answer.data, rq->answer.len, rq->fd);
		else if (rq->answer.len)
			ipc_socket_send(c->bev, rq->answer.data, rq->answer.len);
		if (evbuffer_get_length(bufferevent_get_output(c->bev)) > OUTPUT_MAX) {
			LOG(LOG_WARN, "ipc.peer_does_not_read", LOG_S("role", c->role->name));
			connection_close(c);
		} else if (c->paused) {
			c->paused = false;
			bufferevent_enable(c->bev, EV_READ);
			bufferevent_trigger(c->bev, EV_READ, BEV_TRIG_DEFER_CALLBACKS);
		}
	}
	request_free(rq);
}

static void request_done(struct ipc_request *rq)
{
	struct ipc_server *s = rq->server;
	uint64_t one = 1;
	bool first;
	ssize_t n;

	if (pthread_equal(pthread_self(), s->loop_thread)) {
		request_finish(rq);
		return;
	}
	pthread_mutex_lock(&s->done_lock);
	first = STAILQ_EMPTY(&s->done); /* else the loop has been woken and takes all */
	STAILQ_INSERT_TAIL(&s->done, rq, link);
	pthread_mutex_unlock(&s->done_lock);
	if (!first)
		return;
	n = write(s->wake_fd, &one, sizeof(one)); /* can only fail when already signalled */
	(void)n;
}

static void done_collect(evutil_socket_t fd, short what, void *arg)
{
	struct ipc_server *s = arg;
	struct ipc_request *rq;
	uint64_t count;
	ssize_t n = read(fd, &count, sizeof(count));

	(void)n;
	(void)what;
	for (;;) {
		pthread_mutex_lock(&s->done_lock);
		rq = STAILQ_FIRST(&s->done);
		if (rq)
			STAILQ_REMOVE_HEAD(&s->done, link);
		pthread_mutex_unlock(&s->done_lock);
		if (!rq)
			return;
		request_finish(rq);
	}
}

void ipc_request_reply(struct ipc_request *rq, const void *records, size_t n)
{
	if (!rq->verb->one_way) {
		int rc = frame_build(&rq->answer, rq->verb->verb, 0, rq->request_id, rq->verb->rep,
				     records, n);

		if (rc) {
			buf_done(&rq->answer);
			frame_build_failure(&rq->answer, rq->verb->verb, rc, rq->request_id);
		}
	}
	request_done(rq);
}

void ipc_request_reply_fd(struct ipc_request *rq, int fd)
{
	struct connection *c = connection_by_number(rq->server, rq->connection);

	if (c && evbuffer_get_length(bufferevent_get_output(c->bev))) {
		ipc_request_fail(rq, err_set(ERR_BUSY, "earlier answers are not read yet"));
		return;
	}
	rq->fd = fd;
	ipc_request_reply(rq, NULL, 0);
}

void ipc_request_fail(struct ipc_request *rq, int code)
{
	if (!rq->verb->one_way)
		frame_build_failure(&rq->answer, rq->verb->verb, code, rq->request_id);
	request_done(rq);
}

void ipc_request_release(struct ipc_request *rq)
{
	request_done(rq);
}

unsigned ipc_server_role_count(const struct ipc_server *s, const char *role)
{
	const struct connection *c;
	unsigned n = 0;

	LIST_FOREACH (c, &s->connections, link)
		n += c->role && !strcmp(c->role->name, role);
	return n;
}

const void *ipc_request_records(const struct ipc_request *rq, size_t *n_out)
{
	*n_out = rq->n_records;
	return rq->records;
}

const void *ipc_request_record(const struct ipc_request *rq)
{
	return rq->records;
}

uint64_t ipc_request_id(const struct ipc_request *rq)
{
	return rq->request_id;
}

const char *ipc_request_role(const struct ipc_request *rq)
{
	return rq->role->name;
}

const struct ipc_verb *ipc_request_verb(const struct ipc_request *rq)
{
	return rq->verb;
}

uid_t ipc_request_uid(const struct ipc_request *rq)
{
	return rq->uid;
}

static int hello_take(struct connection *c, const struct ipc_header *h, struct cursor *body)
{
	const struct ipc_server_options *o = &c->server->o;
	struct ipc_hello hello;
	struct buf answer;

	if (h->verb != IPC_HELLO || record_get(body, &record_ipc_hello, &hello) || body->left)
		return err_set(ERR_DENIED, "no proper hello");
	for (size_t i = 0; i < o->n_roles && !c->role; i++) {
		const struct ipc_role *role = &o->roles[i];

		if (strcmp(role->name, hello.role))
			continue;
		for (size_t u = 0; u < role->n_uids; u++)
			if (role->uids[u] == c->uid)
				c->role = role;
	}
	if (!c->role)
		return err_set(ERR_DENIED, "uid %u may not act as '%.16s'", (unsigned)c->uid,
			       hello.role);
	bufferevent_set_timeouts(c->bev, NULL, NULL);
	if (frame_build(&answer, IPC_HELLO, 0, h->request_id, NULL, NULL, 0) == 0)
		ipc_socket_send(c->bev, answer.data, answer.len);
	buf_done(&answer);
	return 0;
}

static const struct ipc_verb *verb_find(const struct ipc_role *role, uint16_t verb)
{
	for (size_t i = 0; i < role->n_verbs; i++)
		if (role->verbs[i].verb == verb)
			return &role->verbs[i];
	return NULL;
}

static int records_decode(struct ipc_request *rq, struct cursor *body)
{
	const struct ipc_verb *v = rq->verb;
	size_t cap = 0;

	while (body->left) {
		int rc;

		if (!v->req || rq->n_records == v->req_max)
			return err_set(ERR_INVALID, "too many records in a request");
		if (rq->n_records == cap) {
			size_t fresh = cap ? cap * 2 : 1;
			void *p = reallocarray(rq->records, fresh, v->req->size);

			if (!p)
				return err_set(ERR_NOMEM, "no memory for a request");
			rq->records = p;
			cap = fresh;
		}
		rc = record_get(body, v->req,
				(uint8_t *)rq->records + rq->n_records * v->req->size);
		if (rc)
			return rc;
		rq->n_records++;
	}
	if (v->req && rq->n_records == 0)
		return err_set(ERR_INVALID, "a request without its record");
	return 0;
}

static int request_take(struct connection *c, const struct ipc_header *h, struct cursor *body)
{
	const struct ipc_verb *v = verb_find(c->role, h->verb);
	struct ipc_request *rq;
	int rc;

	if (!v || h->status)
		return err_set(ERR_DENIED, "verb %u is not for %s", h->verb, c->role->name);
	rq = calloc(1, sizeof(*rq));
	if (!rq)
		return err_set(ERR_NOMEM, "no memory for a request");
	rq->server = c->server;
	rq->connection = c->number;
	rq->role = c->role;
	rq->verb = v;
	rq->uid = c->uid;
	rq->request_id = h->request_id;
	rq->fd = -1;
	rc = records_decode(rq, body);
	if (rc) {
		request_free(rq);
		return rc;
	}
	c->in_flight++;
	if (c->role->may && !v->one_way && !c->role->may(v->verb)) {
		LOG(LOG_WARN, "ipc.denied", LOG_S("verb", v->name), LOG_U("uid", c->uid),
		    LOG_S("kind", c->role->kind));
		ipc_request_fail(rq, err_set(ERR_DENIED,
					     "%s is more than the role %s allows; ask one of "
					     "[users] admins",
					     v->name, c->role->kind));
		return 0;
	}
	v->handle(rq, c->server->o.ctx); /* may answer, which may close c */
	return 0;
}

/* Takes one whole message off the input; 1 taken, 0 not there yet, negative: end the connection. */
static int message_take(struct connection *c)
{
	struct evbuffer *input = bufferevent_get_input(c->bev);
	uint8_t raw[IPC_HEADER_BYTES];
	struct ipc_header h;
	struct cursor body;
	uint8_t *whole;
	int rc;

	if (evbuffer_copyout(input, raw, sizeof(raw)) < (ev_ssize_t)sizeof(raw))
		return 0;
	rc = ipc_header_parse(raw, &h);
	if (rc)
		return rc;
	if (!c->role && h.len > 64)
		return err_set(ERR_LIMIT, "hello of %u bytes", h.len);
	if (evbuffer_get_length(input) < sizeof(raw) + h.len)
		return 0;
	whole = malloc(h.len ? h.len : 1); /* owned here: the handler may free the connection */
	if (!whole)
		return err_set(ERR_NOMEM, "no memory for a message");
	evbuffer_drain(input, sizeof(raw));
	evbuffer_remove(input, whole, h.len);
	body = cursor_of(whole, h.len);
	rc = c->role ? request_take(c, &h, &body) : hello_take(c, &h, &body);
	explicit_bzero(whole, h.len);
	free(whole);
	return rc ? rc : 1;
}

/* Takes at most `max` messages; false when the connection is gone. */
static bool messages_take(struct connection *c, unsigned max)
{
	struct ipc_server *s = c->server;
	uint64_t number = c->number;
	int rc = 1;

	for (unsigned n = 0; rc > 0 && n < max; n++) {
		if (c->in_flight >= s->o.max_in_flight) {
			c->paused = true;
			bufferevent_disable(c->bev, EV_READ);
			return true;
		}
		rc = message_take(c);
		if (rc > 0 && !connection_by_number(s, number))
			return false;
	}
	if (rc < 0) {
		LOG(LOG_WARN, "ipc.refused", LOG_U("uid", c->uid),
		    LOG_S("role", c->role ? c->role->name : "-"), LOG_S("why", err_text()));
		connection_close(c);
	} else if (rc > 0) { /* perhaps there are more: after the others */
		bufferevent_trigger(c->bev, EV_READ,
				    BEV_TRIG_IGNORE_WATERMARKS | BEV_TRIG_DEFER_CALLBACKS);
	}
	return rc >= 0;
}

static void connection_read(struct bufferevent *bev, void *arg)
{
	(void)bev;
	(void)messages_take(arg, MESSAGES_AT_ONCE);
}

static void connection_event(struct bufferevent *bev, short what, void *arg)
{
	(void)bev;
	if (!(what & (BEV_EVENT_EOF | BEV_EVENT_ERROR | BEV_EVENT_TIMEOUT)))
		return;
	/* what it said before it went still counts */
	if (!(what & BEV_EVENT_EOF) || messages_take(arg, UINT_MAX))
		connection_close(arg);
}

static bool may_take_a_role(const struct ipc_server *s, uid_t uid)
{
	for (size_t i = 0; i < s->o.n_roles; i++)
		for (size_t u = 0; u < s->o.roles[i].n_uids; u++)
			if (s->o.roles[i].uids[u] == uid)
				return true;
	return false;
}

/* Where processes have users of their own, none can take all places and shut out the others. */
static bool has_room(const struct ipc_server *s, uid_t uid)
{
	const struct connection *c;
	unsigned n = 0;

	LIST_FOREACH (c, &s->connections, link)
		n += c->uid == uid;
	return s->n_connections < s->o.max_connections &&
	       (uid == geteuid() || n < s->o.max_connections / 2);
}

static void unwelcome_log(struct ipc_server *s, uid_t uid, const char *event, const char *why)
{
	int64_t now_us = clock_mono_us();

	s->unwelcome++;
	if (s->unwelcome_logged_us && now_us - s->unwelcome_logged_us < UNWELCOME_LOG_US)
		return;
	LOG(LOG_WARN, event, LOG_U("uid", uid), LOG_S("role", "-"), LOG_S("why", why),
	    LOG_U("times", s->unwelcome));
	s->unwelcome_logged_us = now_us;
	s->unwelcome = 0;
}

/* A uid with no business here does not hold a place for as long as a hello may take. */
static bool is_welcome(struct ipc_server *s, uid_t uid)
{
	if (!may_take_a_role(s, uid))
		unwelcome_log(s, uid, "ipc.refused", "the uid has no role here");
	else if (!has_room(s, uid))
		unwelcome_log(s, uid, "ipc.too_many_connections", "no place is left");
	else
		return true;
	return false;
}

static void connection_accept(struct evconnlistener *l, evutil_socket_t fd, struct sockaddr *addr,
			      int addr_len, void *arg)
{
	const struct timeval hello_wait = {HELLO_WAIT_S, 0};
	struct ipc_server *s = arg;
	struct ucred peer = {.uid = (uid_t)-1}; /* nobody's */
	socklen_t len = sizeof(peer);
	struct connection *c;

	(void)l;
	(void)addr;
	(void)addr_len;
	(void)getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &len);
	if (!is_welcome(s, peer.uid)) {
		evutil_closesocket(fd);
		return;
	}
	c = calloc(1, sizeof(*c));
	if (!c || !(c->bev = bufferevent_socket_new(s->base, fd, BEV_OPT_CLOSE_ON_FREE))) {
		LOG(LOG_ERROR, "ipc.accept_failed", LOG_S("why", strerror(errno)));
		free(c);
		evutil_closesocket(fd);
		return;
	}
	c->server = s;
	c->uid = peer.uid;
	c->number = ++s->next_number;
	LIST_INSERT_HEAD(&s->connections, c, link);
	s->n_connections++;
	bufferevent_setcb(c->bev, connection_read, NULL, connection_event, c);
	bufferevent_setwatermark(c->bev, EV_READ, 0, IPC_PAYLOAD_MAX + IPC_HEADER_BYTES);
	bufferevent_set_timeouts(c->bev, &hello_wait, NULL);
	bufferevent_enable(c->bev, EV_READ | EV_WRITE);
}

static void accept_error(struct evconnlistener *l, void *arg)
{
	(void)l;
	(void)arg;
	LOG(LOG_ERROR, "ipc.accept_failed", LOG_S("why", strerror(errno)));
}

int ipc_server_new(struct event_base *base, const struct ipc_server_options *o,
		   struct ipc_server **out)
{
	struct ipc_server *s = calloc(1, sizeof(*s));
	int fd, rc;

	if (!s)
		return err_set(ERR_NOMEM, "no memory for a server");
	s->o = *o;
	s->base = base;
	s->loop_thread = pthread_self();
	s->wake_fd = -1;
	LIST_INIT(&s->connections);
	STAILQ_INIT(&s->done);
	pthread_mutex_init(&s->done_lock, NULL);
	rc = ipc_socket_listen(o->path, o->mode, o->group, &fd);
	if (rc) {
		ipc_server_free(s);
		return rc;
	}
	s->listener = evconnlistener_new(base, connection_accept, s,
					 LEV_OPT_CLOSE_ON_FREE | LEV_OPT_CLOSE_ON_EXEC, 0, fd);
	if (!s->listener)
		close(fd);
	s->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (s->wake_fd >= 0)
		s->wake = event_new(base, s->wake_fd, EV_READ | EV_PERSIST, done_collect, s);
	if (!s->listener || !s->wake || event_add(s->wake, NULL)) {
		ipc_server_free(s);
		return err_set(ERR_NOMEM, "%s: no memory for a server", o->path);
	}
	evconnlistener_set_error_cb(s->listener, accept_error);
	*out = s;
	return 0;
}

void ipc_server_free(struct ipc_server *s)
{
	struct connection *c;

	if (!s)
		return;
	if (s->listener) {
		evconnlistener_free(s->listener);
		unlink(s->o.path);
	}
	if (s->wake) {
		done_collect(s->wake_fd, 0, s);
		event_free(s->wake);
	}
	if (s->wake_fd >= 0)
		close(s->wake_fd);
	while ((c = LIST_FIRST(&s->connections)))
		connection_close(c);
	pthread_mutex_destroy(&s->done_lock);
	free(s);
}
