/* SPDX-License-Identifier: BSD-2-Clause */
/* Owns a connection's life. Never knows what an EST operation means. */
#include "enroll/enrolld/conn.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <openssl/err.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/secret.h"

#define HANDSHAKE_S 10
#define REQUEST_S 15 /* from its first byte to its last */
#define IDLE_S 30
#define WRITE_S 15
#define READ_BYTES 16384 /* a TLS record */
#define OUT_MAX (EST_ANSWER_MAX + 4096)

static enum step gone(struct conn *c)
{
	c->gone(c, c->ctx);
	conn_free(c);
	return STEP_GONE;
}

void conn_free(struct conn *c)
{
	if (!c)
		return;
	if (c->waiting)
		c->waiting->conn = NULL;
	SSL_free(c->ssl);
	conn_io_done(&c->io);
	http_request_done(&c->request);
	buf_done(&c->in);
	buf_done(&c->out);
	tls_peer_done(&c->peer.tls);
	free(c);
}

/* What an SSL_* call that returned `ret` waits for; STEP_GONE here only says that it failed. */
static enum step tls_wait(struct conn *c, int ret)
{
	switch (SSL_get_error(c->ssl, ret)) {
	case SSL_ERROR_WANT_READ:
		return conn_io_wait_read(&c->io);
	case SSL_ERROR_WANT_WRITE:
		return conn_io_wait_write(&c->io);
	default:
		return STEP_GONE;
	}
}

/* No more from us. */
static enum step linger(struct conn *c)
{
	conn_io_close_begin(&c->io);
	c->state = CONN_CLOSING;
	return STEP_MORE;
}

static enum step handshake_refused(struct conn *c, enum reason reason)
{
	if (reason == REASON_NONE) /* somebody looked whether the port is open */
		return gone(c);
	if (noise_allow(&c->service->noise, clock_mono_us()))
		LOG(LOG_WARN, "enroll.tls_refused", LOG_S("source", c->peer.source),
		    LOG_S("reason", reason_name(reason)), LOG_S("detail", err_text()));
	return linger(c);
}

static enum step step_handshake(struct conn *c)
{
	int ret;

	ERR_clear_error();
	errno = 0;
	ret = SSL_accept(c->ssl);
	if (ret == 1) {
		if (tls_peer_get(c->ssl, &c->peer.tls))
			return handshake_refused(c, REASON_WRONG_CA);
		tls_channel_get(c->ssl, &c->peer.channel);
		c->state = CONN_READING;
		conn_io_deadline(&c->io, IDLE_S);
		return STEP_MORE;
	}
	if (tls_wait(c, ret) == STEP_WAIT)
		return STEP_WAIT;
	return handshake_refused(c, tls_failure(c->ssl));
}

static void write_begin(struct conn *c)
{
	c->state = CONN_WRITING;
	c->out_done = 0;
	conn_io_deadline(&c->io, WRITE_S);
}

static enum step answer_put(struct conn *c, struct est_answer *a)
{
	a->head.keep_alive = !c->close_after;
	a->head.minor = c->request.minor;
	buf_reset(&c->out);
	if (http_response_build(&c->out, &a->head, clock_wall_ms(), a->body.data, a->body.len))
		return gone(c);
	write_begin(c);
	return STEP_MORE;
}

/* A request that breaks HTTP's rules: answered, and the last one. */
static enum step refuse_http(struct conn *c, int status, const char *why)
{
	AUTO_EST_ANSWER a = {.head = {.status = status, .type = "text/plain; charset=utf-8"}};

	if (noise_allow(&c->service->noise, clock_mono_us()))
		LOG(LOG_WARN, "enroll.http_refused", LOG_S("source", c->peer.source),
		    LOG_U("status", status), LOG_S("why", why));
	buf_init(&a.body, 1024);
	if (buf_printf(&a.body, "%s\n", why))
		return gone(c);
	c->close_after = true;
	return answer_put(c, &a);
}

static enum step request_take(struct conn *c)
{
	AUTO_EST_ANSWER a = {.head = {.status = 500}};
	unsigned minor = c->request.minor;
	int rc;

	c->close_after = !c->request.keep_alive;
	rc = est_service_begin(c->service, &c->request, &c->peer, &a, &c->waiting);
	http_request_reset(&c->request); /* the token in its head is wiped before anybody waits */
	c->request.minor = minor;
	if (rc) {
		LOG(LOG_ERROR, "enroll.request_dropped", LOG_S("why", err_text()));
		return gone(c);
	}
	if (!c->waiting)
		return answer_put(c, &a);
	c->waiting->conn = c;
	c->state = CONN_WAITING;
	conn_io_no_deadline(&c->io); /* the pool's own bounds hold here */
	return STEP_WAIT;
}

void conn_answer(struct conn *c, struct est_answer *answer)
{
	c->waiting = NULL;
	conn_io_go_on(&c->io, answer ? answer_put(c, answer) : gone(c));
}

/* Feeds what has been read; STEP_WAIT: more bytes are needed. */
static enum step request_feed(struct conn *c)
{
	size_t used = 0;
	int rc;

	while (c->in.len && c->request.state != HTTP_DONE) {
		bool in_head = c->request.state == HTTP_HEAD;

		rc = http_request_feed(&c->request, c->in.data, c->in.len, &used);
		if (rc)
			return refuse_http(c, c->request.status, err_text());
		memmove(c->in.data, c->in.data + used, c->in.len - used);
		secret_wipe(c->in.data + c->in.len - used, used);
		c->in.len -= used;
		if (in_head && c->request.wants_continue && c->in.len == 0) {
			static const char go_on[] = "HTTP/1.1 100 Continue\r\n\r\n";

			buf_reset(&c->out);
			if (buf_put_str(&c->out, go_on))
				return gone(c);
			c->is_interim = true;
			write_begin(c);
			return STEP_MORE;
		}
	}
	return c->request.state == HTTP_DONE ? request_take(c) : STEP_WAIT;
}

static enum step step_read(struct conn *c)
{
	enum step step = request_feed(c);
	uint8_t *at;
	int ret;

	if (step != STEP_WAIT || c->state != CONN_READING)
		return step;
	/* request_feed has emptied `in` */
	if (buf_reserve(&c->in, READ_BYTES, &at))
		return gone(c);
	ERR_clear_error();
	errno = 0;
	ret = SSL_read(c->ssl, at, READ_BYTES);
	c->in.len = ret > 0 ? (size_t)ret : 0;
	if (ret <= 0)
		return tls_wait(c, ret) == STEP_WAIT ? STEP_WAIT : gone(c);
	if (!c->is_begun) {
		c->is_begun = true;
		conn_io_deadline(&c->io, REQUEST_S);
	}
	return STEP_MORE;
}

static enum step closing_begin(struct conn *c)
{
	ERR_clear_error();
	(void)SSL_shutdown(c->ssl); /* close_notify; the peer's is not waited for */
	ERR_clear_error();
	return linger(c);
}

static enum step step_write(struct conn *c)
{
	int ret;

	ERR_clear_error();
	errno = 0;
	ret = SSL_write(c->ssl, c->out.data + c->out_done, (int)(c->out.len - c->out_done));
	if (ret <= 0)
		return tls_wait(c, ret) == STEP_WAIT ? STEP_WAIT : gone(c);
	c->out_done += (size_t)ret;
	if (c->out_done < c->out.len)
		return STEP_MORE;
	buf_done(&c->out);
	if (c->is_interim) { /* the body is still due within the request's time, begun anew once */
		c->is_interim = false;
		c->state = CONN_READING;
		conn_io_deadline(&c->io, REQUEST_S);
		return STEP_MORE;
	}
	if (c->close_after)
		return closing_begin(c);
	http_request_reset(&c->request);
	c->state = CONN_READING;
	c->is_begun = c->in.len != 0;
	conn_io_deadline(&c->io, c->is_begun ? REQUEST_S : IDLE_S);
	return STEP_MORE;
}

static enum step step(void *arg)
{
	struct conn *c = arg;
	enum step next;

	switch (c->state) {
	case CONN_HANDSHAKE:
		return step_handshake(c);
	case CONN_READING:
		return step_read(c);
	case CONN_WRITING:
		return step_write(c);
	case CONN_CLOSING:
		next = conn_io_close_step(&c->io);
		return next == STEP_GONE ? gone(c) : next;
	case CONN_WAITING:
		break;
	}
	return STEP_WAIT;
}

static void late(void *arg)
{
	struct conn *c = arg;
	enum step next;

	if (c->state == CONN_HANDSHAKE) {
		err_text_set("the handshake took too long");
		next = handshake_refused(c, REASON_TLS_FAILED);
	} else if (c->state == CONN_READING) { /* idle: closed without a word, RFC 9112 9.5 */
		next = c->is_begun ? refuse_http(c, 408, "The request took too long.")
				   : closing_begin(c);
	} else {
		next = gone(c);
	}
	conn_io_go_on(&c->io, next);
}

int conn_new(struct event_base *base, SSL_CTX *tls, int fd, const struct sockaddr *sa,
	     struct est_service *service, void (*gone_cb)(struct conn *c, void *ctx), void *ctx,
	     struct conn **out)
{
	struct conn *c = calloc(1, sizeof(*c));
	int rc;

	if (!c) {
		close(fd);
		return err_set(ERR_NOMEM, "no memory for a connection");
	}
	c->service = service;
	c->gone = gone_cb;
	c->ctx = ctx;
	est_source_format(sa, c->peer.source);
	(void)throttle_source(sa, c->peer.source_key); /* else all zero: one source */
	http_request_init(&c->request);
	buf_init(&c->in, READ_BYTES);
	buf_init(&c->out, OUT_MAX);
	c->ssl = SSL_new(tls);
	rc = conn_io_init(&c->io, base, fd, step, late, c);
	if (rc || !c->ssl || SSL_set_fd(c->ssl, fd) != 1 ||
	    makers_announce(service->makers, c->ssl)) {
		conn_free(c);
		return err_set(ERR_NOMEM, "no memory for a connection");
	}
	SSL_set_accept_state(c->ssl);
	conn_io_deadline(&c->io, HANDSHAKE_S);
	*out = c;
	return 0;
}
