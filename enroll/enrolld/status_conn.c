/* SPDX-License-Identifier: BSD-2-Clause */
/* Owns a plain connection's life. Never knows what its answer means. */
#include "enroll/enrolld/status_conn.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <event2/event.h>

#include "base/clock.h"
#include "base/log.h"
#include "enroll/enrolld/est_service.h"

#define REQUEST_S 10 /* from the connection to the request's last byte */
#define WRITE_S 60   /* a list of some megabytes over a poor line */
#define CLOSE_S 2
#define READ_BYTES 4096
#define OUT_MAX 16384
#define DROP_MAX 65536
#define STEPS_MAX 6 /* before other connections have their turn */

enum step {
	STEP_GONE, /* the connection is freed */
	STEP_WAIT, /* an event or the signer will go on */
	STEP_MORE, /* there is more to do now */
};

static void deadline_set(struct status_conn *c, int seconds)
{
	struct timeval tv = {.tv_sec = seconds};

	event_add(c->deadline, &tv);
}

static enum step gone(struct status_conn *c)
{
	c->gone(c, c->ctx);
	status_conn_free(c);
	return STEP_GONE;
}

void status_conn_free(struct status_conn *c)
{
	if (!c)
		return;
	if (c->job)
		c->job->waiter = NULL;
	if (c->readable)
		event_free(c->readable);
	if (c->writable)
		event_free(c->writable);
	if (c->deadline)
		event_free(c->deadline);
	close(c->fd);
	http_request_done(&c->request);
	buf_done(&c->out);
	crl_copy_unref(c->crl);
	free(c);
}

/* After a call that would have blocked; anything else ends the connection. */
static enum step wait_for(struct status_conn *c, struct event *ev)
{
	if (errno == EINTR)
		return STEP_MORE;
	if ((errno == EAGAIN || errno == EWOULDBLOCK) && !event_add(ev, NULL))
		return STEP_WAIT;
	return gone(c);
}

static enum step answer_put(struct status_conn *c, struct status_answer *a)
{
	size_t len = a->crl ? a->crl->len : a->body.len;
	int rc;

	a->head.minor = c->request.minor;
	rc = http_response_head_build(&c->out, &a->head, clock_wall_ms(), len);
	if (!rc && !a->crl && len)
		rc = buf_put(&c->out, a->body.data, len);
	if (rc)
		return gone(c);
	c->crl = crl_copy_ref(a->crl);
	c->state = STATUS_WRITING;
	deadline_set(c, WRITE_S);
	return STEP_MORE;
}

static enum step refuse_http(struct status_conn *c, int status, const char *why)
{
	AUTO_STATUS_ANSWER a = {.head = {.status = status}};

	if (noise_allow(&c->service->noise, clock_mono_us()))
		LOG(LOG_WARN, "status.http_refused", LOG_S("source", c->source),
		    LOG_U("status", status), LOG_S("why", why));
	return status_answer_text(&a, status, why) ? gone(c) : answer_put(c, &a);
}

static enum step request_take(struct status_conn *c)
{
	AUTO_STATUS_ANSWER a = {.head = {.status = 500}};
	const char *known = http_request_field(&c->request, "If-None-Match");

	if (known && str_copy(c->known, sizeof(c->known), known))
		c->known[0] = '\0'; /* none of ours is so long */
	if (status_service_begin(c->service, &c->request, c->source, &a, &c->job)) {
		LOG(LOG_ERROR, "status.request_dropped", LOG_S("why", err_text()));
		return gone(c);
	}
	if (!c->job)
		return answer_put(c, &a);
	c->job->waiter = c;
	c->state = STATUS_WAITING;
	event_del(c->deadline); /* the asker's own bounds hold here */
	return STEP_WAIT;
}

void status_conn_answer(struct status_conn *c, struct status_job *job)
{
	AUTO_STATUS_ANSWER a = {.head = {.status = 500}};

	c->job = NULL;
	if (status_service_finish(job, c->known, &a))
		gone(c);
	else if (answer_put(c, &a) == STEP_MORE)
		event_active(c->writable, EV_WRITE, 1);
}

static enum step step_read(struct status_conn *c)
{
	uint8_t in[READ_BYTES];
	ssize_t n = recv(c->fd, in, sizeof(in), MSG_DONTWAIT);
	size_t at = 0, used;

	if (n < 0)
		return wait_for(c, c->readable);
	if (n == 0)
		return gone(c);
	while (at < (size_t)n && c->request.state != HTTP_DONE) {
		bool in_head = c->request.state == HTTP_HEAD;

		if (http_request_feed(&c->request, in + at, (size_t)n - at, &used))
			return refuse_http(c, c->request.status, err_text());
		at += used;
		if (in_head && c->request.wants_continue && at == (size_t)n) {
			static const char go_on[] = "HTTP/1.1 100 Continue\r\n\r\n";

			/* the first bytes on this socket: they fit, or the asker waits no longer */
			if (send(c->fd, go_on, sizeof(go_on) - 1, MSG_DONTWAIT | MSG_NOSIGNAL) !=
			    (ssize_t)sizeof(go_on) - 1)
				return gone(c);
		}
	}
	return c->request.state == HTTP_DONE ? request_take(c) : STEP_MORE;
}

static enum step step_write(struct status_conn *c)
{
	size_t crl_len = c->crl ? c->crl->len : 0;
	bool in_crl = c->out_done >= c->out.len;
	const uint8_t *at = in_crl && crl_len ? c->crl->data + (c->out_done - c->out.len)
					      : c->out.data + c->out_done;
	size_t left = (in_crl ? c->out.len + crl_len : c->out.len) - c->out_done;
	ssize_t n = send(c->fd, at, left, MSG_DONTWAIT | MSG_NOSIGNAL);

	if (n < 0)
		return wait_for(c, c->writable);
	c->out_done += (size_t)n;
	if (c->out_done < c->out.len + crl_len)
		return STEP_MORE;
	shutdown(c->fd, SHUT_WR);
	c->state = STATUS_CLOSING;
	deadline_set(c, CLOSE_S);
	return STEP_MORE;
}

/* A socket closed with unread bytes is reset, and the peer may lose the answer before reading it.
 */
static enum step step_close(struct status_conn *c)
{
	uint8_t dropped[READ_BYTES];
	ssize_t n = recv(c->fd, dropped, sizeof(dropped), MSG_DONTWAIT);

	if (n > 0 && (c->n_dropped += (size_t)n) < DROP_MAX)
		return STEP_MORE;
	return n < 0 ? wait_for(c, c->readable) : gone(c);
}

static enum step step(struct status_conn *c)
{
	switch (c->state) {
	case STATUS_READING:
		return step_read(c);
	case STATUS_WRITING:
		return step_write(c);
	case STATUS_CLOSING:
		return step_close(c);
	case STATUS_WAITING:
		break;
	}
	return STEP_WAIT;
}

static void on_io(evutil_socket_t fd, short what, void *arg)
{
	struct status_conn *c = arg;
	enum step next = STEP_MORE;

	(void)fd;
	(void)what;
	for (int i = 0; i < STEPS_MAX && next == STEP_MORE; i++)
		next = step(c);
	if (next == STEP_MORE)
		event_active(c->writable, EV_WRITE, 1);
}

static void on_deadline(evutil_socket_t fd, short what, void *arg)
{
	struct status_conn *c = arg;

	(void)fd;
	(void)what;
	if (c->state == STATUS_READING && http_request_is_begun(&c->request)) {
		if (refuse_http(c, 408, "The request took too long.") == STEP_MORE)
			event_active(c->writable, EV_WRITE, 1);
		return;
	}
	gone(c);
}

int status_conn_new(struct event_base *base, int fd, const struct sockaddr *sa,
		    struct status_service *service,
		    void (*gone_cb)(struct status_conn *c, void *ctx), void *ctx,
		    struct status_conn **out)
{
	struct status_conn *c = calloc(1, sizeof(*c));

	if (!c) {
		close(fd);
		return err_set(ERR_NOMEM, "no memory for a connection");
	}
	c->fd = fd;
	c->service = service;
	c->gone = gone_cb;
	c->ctx = ctx;
	est_source_format(sa, c->source);
	(void)throttle_source(sa, c->source_key); /* else all zero: one source */
	http_request_init(&c->request);
	buf_init(&c->out, OUT_MAX);
	c->readable = event_new(base, fd, EV_READ, on_io, c);
	c->writable = event_new(base, fd, EV_WRITE, on_io, c);
	c->deadline = evtimer_new(base, on_deadline, c);
	if (!c->readable || !c->writable || !c->deadline || event_add(c->readable, NULL)) {
		status_conn_free(c);
		return err_set(ERR_NOMEM, "no memory for a connection");
	}
	deadline_set(c, REQUEST_S);
	*out = c;
	return 0;
}
