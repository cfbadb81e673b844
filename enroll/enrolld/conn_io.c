/* SPDX-License-Identifier: BSD-2-Clause */
/* Owns a socket and its events. Never knows what is said over it. */
#include "enroll/enrolld/conn_io.h"

#include <errno.h>
#include <stdint.h>
#include <sys/socket.h>
#include <unistd.h>

#include <event2/event.h>

#define CLOSE_S 2
#define DROP_MAX 65536
#define STEPS_MAX 6 /* before other connections have their turn */

static void on_io(evutil_socket_t fd, short what, void *arg)
{
	struct conn_io *io = arg;
	enum step next = STEP_MORE;

	(void)fd;
	(void)what;
	for (int i = 0; i < STEPS_MAX && next == STEP_MORE; i++)
		next = io->step(io->conn);
	conn_io_go_on(io, next);
}

static void on_deadline(evutil_socket_t fd, short what, void *arg)
{
	struct conn_io *io = arg;

	(void)fd;
	(void)what;
	io->late(io->conn);
}

int conn_io_init(struct conn_io *io, struct event_base *base, int fd, enum step (*step)(void *conn),
		 void (*late)(void *conn), void *conn)
{
	*io = (struct conn_io){.fd = fd, .step = step, .late = late, .conn = conn};
	io->readable = event_new(base, fd, EV_READ, on_io, io);
	io->writable = event_new(base, fd, EV_WRITE, on_io, io);
	io->deadline = evtimer_new(base, on_deadline, io);
	if (!io->readable || !io->writable || !io->deadline || event_add(io->readable, NULL))
		return err_set(ERR_NOMEM, "no memory for a connection");
	return 0;
}

void conn_io_done(struct conn_io *io)
{
	if (io->readable)
		event_free(io->readable);
	if (io->writable)
		event_free(io->writable);
	if (io->deadline)
		event_free(io->deadline);
	close(io->fd);
}

void conn_io_deadline(struct conn_io *io, int seconds)
{
	struct timeval tv = {.tv_sec = seconds};

	event_add(io->deadline, &tv);
}

void conn_io_no_deadline(struct conn_io *io)
{
	event_del(io->deadline);
}

enum step conn_io_wait_read(struct conn_io *io)
{
	return event_add(io->readable, NULL) ? STEP_GONE : STEP_WAIT;
}

enum step conn_io_wait_write(struct conn_io *io)
{
	return event_add(io->writable, NULL) ? STEP_GONE : STEP_WAIT;
}

void conn_io_go_on(struct conn_io *io, enum step next)
{
	if (next == STEP_MORE)
		event_active(io->writable, EV_WRITE, 1);
}

void conn_io_close_begin(struct conn_io *io)
{
	shutdown(io->fd, SHUT_WR);
	conn_io_deadline(io, CLOSE_S);
}

enum step conn_io_close_step(struct conn_io *io)
{
	uint8_t dropped[4096];
	ssize_t n = recv(io->fd, dropped, sizeof(dropped), MSG_DONTWAIT);

	if (n > 0)
		return (io->n_dropped += (size_t)n) < DROP_MAX ? STEP_MORE : STEP_GONE;
	if (n < 0 && errno == EINTR)
		return STEP_MORE;
	return n < 0 && errno == EAGAIN ? conn_io_wait_read(io) : STEP_GONE;
}
