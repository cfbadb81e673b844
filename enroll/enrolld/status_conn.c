/* SPDX-License-Identifier: BSD-2-Clause */
/* Owns a plain connection's life. Never knows what its answer means. */
#include "enroll/enrolld/status_conn.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "enroll/enrolld/est_service.h"

#define REQUEST_S 10 /* from the connection to the request's last byte */
#define WRITE_S 60   /* a list of some megabytes over a poor line */
#define READ_BYTES 4096
#define OUT_MAX 16384

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
	conn_io_done(&c->io);
	http_request_done(&c->request);
	buf_done(&c->out);
	crl_copy_unref(c->crl);
	free(c);
}

/* After a call that would have blocked; anything else ends the connection. */
static enum step wait_for(struct status_conn *c, enum step (*wait)(struct conn_io *io))
{
	if (errno == EINTR)
		return STEP_MORE;
	if ((errno == EAGAIN || errno == EWOULDBLOCK) && wait(&c->io) == STEP_WAIT)
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
	conn_io_deadline(&c->io, WRITE_S);
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
	conn_io_no_deadline(&c->io); /* the asker's own bounds hold here */
	return STEP_WAIT;
}

void status_conn_answer(struct status_conn *c, struct status_job *job)
{
	AUTO_STATUS_ANSWER a = {.head = {.status = 500}};

	c->job = NULL;
	conn_io_go_on(&c->io,
		      status_service_finish(job, c->known, &a) ? gone(c) : answer_put(c, &a));
}

static enum step step_read(struct status_conn *c)
{
	uint8_t in[READ_BYTES];
	ssize_t n = recv(c->io.fd, in, sizeof(in), MSG_DONTWAIT);
	size_t at = 0, used;

	if (n < 0)
		return wait_for(c, conn_io_wait_read);
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
			if (send(c->io.fd, go_on, sizeof(go_on) - 1, MSG_DONTWAIT | MSG_NOSIGNAL) !=
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
	ssize_t n = send(c->io.fd, at, left, MSG_DONTWAIT | MSG_NOSIGNAL);

	if (n < 0)
		return wait_for(c, conn_io_wait_write);
	c->out_done += (size_t)n;
	if (c->out_done < c->out.len + crl_len)
		return STEP_MORE;
	conn_io_close_begin(&c->io);
	c->state = STATUS_CLOSING;
	return STEP_MORE;
}

static enum step step(void *arg)
{
	struct status_conn *c = arg;
	enum step next;

	switch (c->state) {
	case STATUS_READING:
		return step_read(c);
	case STATUS_WRITING:
		return step_write(c);
	case STATUS_CLOSING:
		next = conn_io_close_step(&c->io);
		return next == STEP_GONE ? gone(c) : next;
	case STATUS_WAITING:
		break;
	}
	return STEP_WAIT;
}

static void late(void *arg)
{
	struct status_conn *c = arg;
	bool is_slow = c->state == STATUS_READING && http_request_is_begun(&c->request);

	conn_io_go_on(&c->io,
		      is_slow ? refuse_http(c, 408, "The request took too long.") : gone(c));
}

int status_conn_new(struct event_base *base, int fd, const struct sockaddr *sa,
		    struct status_service *service,
		    void (*gone_cb)(struct status_conn *c, void *ctx), void *ctx,
		    struct status_conn **out)
{
	struct status_conn *c = calloc(1, sizeof(*c));
	int rc;

	if (!c) {
		close(fd);
		return err_set(ERR_NOMEM, "no memory for a connection");
	}
	c->service = service;
	c->gone = gone_cb;
	c->ctx = ctx;
	est_source_format(sa, c->source);
	(void)throttle_source(sa, c->source_key); /* else all zero: one source */
	http_request_init(&c->request);
	buf_init(&c->out, OUT_MAX);
	rc = conn_io_init(&c->io, base, fd, step, late, c);
	if (rc) {
		status_conn_free(c);
		return rc;
	}
	conn_io_deadline(&c->io, REQUEST_S);
	*out = c;
	return 0;
}
