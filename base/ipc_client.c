/* SPDX-License-Identifier: BSD-2-Clause */
/* Owns the client's side of a local connection. Never waits longer than it was told to. */
#include "base/ipc_client.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/secret.h"

struct ipc_client {
	int fd; /* -1: not connected */
	struct sockaddr_un addr;
	char role[IPC_ROLE_MAX];
	uint64_t request_id;
	uint64_t next_id; /* from a random start, for requests that were given none */
	struct buf out;
	struct buf in;
	bool wants_fd;
	int fd_in; /* -1: none has come */
};

int ipc_client_new(const char *path, const char *role, struct ipc_client **out)
{
	struct ipc_client *c = calloc(1, sizeof(*c));
	int rc;

	if (!c)
		return err_set(ERR_NOMEM, "no memory for a client");
	c->fd = -1;
	c->fd_in = -1;
	secret_fill_random(&c->next_id, sizeof(c->next_id));
	c->addr.sun_family = AF_UNIX;
	buf_init(&c->out, IPC_PAYLOAD_MAX + IPC_HEADER_BYTES);
	buf_init(&c->in, IPC_PAYLOAD_MAX);
	if ((rc = str_copy(c->addr.sun_path, sizeof(c->addr.sun_path), path)) ||
	    (rc = str_copy(c->role, sizeof(c->role), role))) {
		ipc_client_free(c);
		return err_add(rc, "%s", path);
	}
	*out = c;
	return 0;
}

static void disconnect(struct ipc_client *c)
{
	if (c->fd >= 0)
		close(c->fd);
	c->fd = -1;
}

void ipc_client_free(struct ipc_client *c)
{
	if (!c)
		return;
	disconnect(c);
	buf_done(&c->out);
	buf_done(&c->in);
	free(c);
}

void ipc_client_request_id_set(struct ipc_client *c, uint64_t id)
{
	c->request_id = id;
}

/* Waits for `events`; 0, ERR_TIMEOUT or ERR_IO. */
static int wait_for(int fd, short events, int64_t deadline_us)
{
	for (;;) {
		struct pollfd p = {.fd = fd, .events = events};
		int64_t left_us = deadline_us - clock_mono_us();
		int n;

		if (left_us <= 0)
			return err_set(ERR_TIMEOUT, "no answer in time");
		n = poll(&p, 1, (int)((left_us + 999) / 1000));
		if (n > 0)
			return 0;
		if (n < 0 && errno != EINTR)
			return err_errno(ERR_IO, "poll");
	}
}

static int send_all(struct ipc_client *c, int64_t deadline_us)
{
	size_t done = 0;

	while (done < c->out.len) {
		ssize_t n = send(c->fd, c->out.data + done, c->out.len - done,
				 MSG_NOSIGNAL | MSG_DONTWAIT);
		int rc;

		if (n >= 0) {
			done += (size_t)n;
			continue;
		}
		if (errno == EINTR)
			continue;
		if (errno != EAGAIN)
			return err_errno(ERR_UNAVAILABLE, "%s", c->addr.sun_path);
		rc = wait_for(c->fd, POLLOUT, deadline_us);
		if (rc)
			return err_add(ERR_UNAVAILABLE, "%s: does not read", c->addr.sun_path);
	}
	return 0;
}

/* recv(2) that keeps the descriptor that came along, if one is wanted. The kernel closes others. */
static ssize_t receive(struct ipc_client *c, uint8_t *out, size_t len)
{
	union {
		struct cmsghdr align;
		char room[CMSG_SPACE(sizeof(int))];
	} control;
	struct iovec part = {.iov_base = out, .iov_len = len};
	struct msghdr msg = {.msg_iov = &part,
			     .msg_iovlen = 1,
			     .msg_control = &control,
			     .msg_controllen = sizeof(control.room)};
	struct cmsghdr *head;
	ssize_t n;

	if (!c->wants_fd)
		return recv(c->fd, out, len, MSG_DONTWAIT);
	n = recvmsg(c->fd, &msg, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
	head = n > 0 ? CMSG_FIRSTHDR(&msg) : NULL;
	if (head && head->cmsg_level == SOL_SOCKET && head->cmsg_type == SCM_RIGHTS &&
	    head->cmsg_len == CMSG_LEN(sizeof(int))) {
		if (c->fd_in >= 0)
			close(c->fd_in);
		memcpy(&c->fd_in, CMSG_DATA(head), sizeof(c->fd_in));
	}
	return n;
}

/* What has come, at least one byte and at most len. */
static int receive_some(struct ipc_client *c, uint8_t *out, size_t len, int64_t deadline_us,
			size_t *len_out)
{
	for (;;) {
		int rc = wait_for(c->fd, POLLIN, deadline_us);
		ssize_t n;

		if (rc)
			return err_add(ERR_TIMEOUT, "%s", c->addr.sun_path);
		n = receive(c, out, len);
		if (n > 0) {
			*len_out = (size_t)n;
			return 0;
		}
		if (n == 0)
			return err_set(ERR_TIMEOUT, "%s: closed the connection", c->addr.sun_path);
		if (errno != EINTR && errno != EAGAIN)
			return err_errno(ERR_TIMEOUT, "%s", c->addr.sun_path);
	}
}

static int message_build(struct buf *b, uint16_t verb, uint64_t id, const struct record_desc *desc,
			 const void *records, size_t n)
{
	struct ipc_header h = {.verb = verb, .request_id = id};
	uint8_t *header;
	int rc;

	buf_reset(b);
	rc = buf_reserve(b, IPC_HEADER_BYTES, &header);
	for (size_t i = 0; !rc && desc && i < n; i++)
		rc = record_put(b, desc, (const uint8_t *)records + i * desc->size);
	if (rc)
		return rc;
	h.len = (uint32_t)(b->len - IPC_HEADER_BYTES);
	ipc_header_build(&h, b->data);
	return 0;
}

/* Receives the reply to (verb, id) into c->in. A look-up's answer comes in one piece, so one read
 * for header and payload is all that it takes. */
static int reply_receive(struct ipc_client *c, uint16_t verb, uint64_t id, int64_t deadline_us,
			 struct ipc_header *h)
{
	uint8_t first[2048];
	size_t got = 0, n;
	uint8_t *body;
	int rc;

	while (got < IPC_HEADER_BYTES) {
		rc = receive_some(c, first + got, sizeof(first) - got, deadline_us, &n);
		if (rc)
			return rc;
		got += n;
	}
	if (ipc_header_parse(first, h) || h->status > 0 || got - IPC_HEADER_BYTES > h->len)
		return err_set(ERR_INVALID, "%s: malformed answer", c->addr.sun_path);
	if (h->verb != verb || h->request_id != id)
		return err_set(ERR_INVALID, "%s: answered another request", c->addr.sun_path);
	buf_reset(&c->in);
	rc = buf_reserve(&c->in, h->len, &body);
	if (rc)
		return rc;
	got -= IPC_HEADER_BYTES;
	if (got)
		memcpy(body, first + IPC_HEADER_BYTES, got);
	explicit_bzero(first, sizeof(first));
	for (; got < h->len; got += n) {
		rc = receive_some(c, body + got, h->len - got, deadline_us, &n);
		if (rc)
			return rc;
	}
	return 0;
}

static int failure_take(struct ipc_client *c, int status)
{
	struct cursor body = cursor_of(c->in.data, c->in.len);
	struct ipc_failure failure;

	if (record_get(&body, &record_ipc_failure, &failure))
		return err_set(status, "%s", err_name(status));
	return err_set(status, "%s", failure.text);
}

static int connect_and_hello(struct ipc_client *c, int64_t deadline_us)
{
	struct ipc_hello hello = {0};
	struct ipc_header h;
	int rc;

	c->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (c->fd < 0)
		return err_errno(ERR_IO, "socket");
	if (connect(c->fd, (struct sockaddr *)&c->addr, sizeof(c->addr)))
		return err_errno(errno == EACCES ? ERR_DENIED : ERR_UNAVAILABLE, "%s",
				 c->addr.sun_path);
	memcpy(hello.role, c->role, sizeof(hello.role));
	rc = message_build(&c->out, IPC_HELLO, 0, &record_ipc_hello, &hello, 1);
	if (rc)
		return rc;
	rc = send_all(c, deadline_us); /* may be cut off before it is heard */
	if (!rc)
		rc = reply_receive(c, IPC_HELLO, 0, deadline_us, &h);
	if (rc == ERR_TIMEOUT || rc == ERR_UNAVAILABLE)
		rc = err_add(ERR_UNAVAILABLE, "no welcome");
	return rc ? rc : h.status ? failure_take(c, h.status) : 0;
}

/* True when the idle connection is still open: a restarted service has closed it. */
static bool still_open(int fd)
{
	uint8_t byte;
	ssize_t n = recv(fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT);

	return n < 0 && errno == EAGAIN; /* unasked bytes are a protocol error too */
}

static int ensure_connected(struct ipc_client *c, int64_t deadline_us)
{
	int rc;

	if (c->fd >= 0 && still_open(c->fd))
		return 0;
	disconnect(c);
	rc = connect_and_hello(c, deadline_us);
	if (rc)
		disconnect(c);
	return rc;
}

static int records_take(struct ipc_client *c, const struct record_desc *desc, void *out, size_t max,
			size_t *n_out)
{
	struct cursor body = cursor_of(c->in.data, c->in.len);
	size_t n = 0;

	while (body.left) {
		int rc;

		if (!desc || n == max)
			return err_set(ERR_INVALID, "%s: more records than asked for",
				       c->addr.sun_path);
		rc = record_get(&body, desc, (uint8_t *)out + n * desc->size);
		if (rc)
			return rc;
		n++;
	}
	if (n_out)
		*n_out = n;
	else if (desc && n != 1)
		return err_set(ERR_INVALID, "%s: no record in the answer", c->addr.sun_path);
	return 0;
}

int ipc_client_call(struct ipc_client *c, uint16_t verb, const struct record_desc *req_desc,
		    const void *req, size_t n_req, const struct record_desc *rep_desc,
		    void *rep_out, size_t max_rep, size_t *n_out, int timeout_ms)
{
	int64_t deadline_us = clock_mono_us() + (int64_t)timeout_ms * 1000;
	uint64_t id = c->request_id ? c->request_id : c->next_id++;
	struct ipc_header h;
	int rc;

	rc = ensure_connected(c, deadline_us);
	if (rc || (rc = message_build(&c->out, verb, id, req_desc, req, n_req)))
		return rc;
	rc = send_all(c, deadline_us);
	if (!rc)
		rc = reply_receive(c, verb, id, deadline_us, &h);
	if (!rc && h.status)
		return failure_take(c, h.status);
	if (!rc)
		rc = records_take(c, rep_desc, rep_out, max_rep, n_out);
	if (rc)
		disconnect(c); /* a late answer must not meet the next question */
	return rc;
}

int ipc_client_call_fd(struct ipc_client *c, uint16_t verb, const struct record_desc *req_desc,
		       const void *req, size_t n_req, int *fd_out, int timeout_ms)
{
	int rc;

	c->wants_fd = true;
	rc = ipc_client_call(c, verb, req_desc, req, n_req, NULL, NULL, 0, NULL, timeout_ms);
	c->wants_fd = false;
	if (!rc && c->fd_in < 0)
		rc = err_set(ERR_INVALID, "%s: no descriptor in the answer", c->addr.sun_path);
	if (rc && c->fd_in >= 0)
		close(c->fd_in);
	if (!rc)
		*fd_out = c->fd_in;
	c->fd_in = -1;
	return rc;
}

int ipc_client_post(struct ipc_client *c, uint16_t verb, const struct record_desc *desc,
		    const void *record)
{
	const int64_t hello_us =
		100000; /* only the first post after a reconnect waits, for hello */
	uint64_t id = c->request_id ? c->request_id : c->next_id++;
	ssize_t n;
	int rc;

	rc = ensure_connected(c, clock_mono_us() + hello_us);
	if (rc || (rc = message_build(&c->out, verb, id, desc, record, 1)))
		return rc;
	do
		n = send(c->fd, c->out.data, c->out.len, MSG_NOSIGNAL | MSG_DONTWAIT);
	while (n < 0 && errno == EINTR);
	if (n == (ssize_t)c->out.len)
		return 0;
	if (n < 0 && errno == EAGAIN)
		return err_set(ERR_BUSY, "%s: queue full, message dropped", c->addr.sun_path);
	disconnect(c); /* broken, or half a message: the stream can't go on */
	return err_set(ERR_UNAVAILABLE, "%s: message dropped", c->addr.sun_path);
}
