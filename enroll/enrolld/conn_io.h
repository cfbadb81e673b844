/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The socket of a connection: what it waits for, its deadline, and a polite end. A connection goes
 * on step by step, and others have their turn in between. Loop thread only; never blocks.
 */
#ifndef ENROLL_ENROLLD_CONN_IO_H
#define ENROLL_ENROLLD_CONN_IO_H

#include <stddef.h>

#include "base/err.h"

struct event;
struct event_base;

enum step {
	STEP_GONE, /* the connection is freed */
	STEP_WAIT, /* an event or an answer will go on */
	STEP_MORE, /* there is more to do now */
};

struct conn_io {
	int fd;
	struct event *readable, *writable, *deadline;
	enum step (*step)(void *conn);
	void (*late)(void *conn); /* the deadline has passed */
	void *conn;
	size_t n_dropped; /* bytes since the last answer */
};

/* The socket is the connection's from here on, also on failure, until conn_io_done. ERR_NOMEM. */
int conn_io_init(struct conn_io *io, struct event_base *base, int fd, enum step (*step)(void *conn),
		 void (*late)(void *conn), void *conn) MUST_USE;
void conn_io_done(struct conn_io *io);

/* Puts the one deadline to so many seconds from now. */
void conn_io_deadline(struct conn_io *io, int seconds);
void conn_io_no_deadline(struct conn_io *io);
/* STEP_WAIT, or STEP_GONE when it cannot be waited for. */
enum step conn_io_wait_read(struct conn_io *io);
enum step conn_io_wait_write(struct conn_io *io);
/* `next` is what something outside the steps said: when there is more, a turn will come. Else *io
 * is not looked at: it may be gone with its connection. */
void conn_io_go_on(struct conn_io *io, enum step next);

/* Nothing more is sent; what the peer still sends is to be dropped, for a short while. */
void conn_io_close_begin(struct conn_io *io);
/* The step of that while; STEP_GONE: it is over. A socket closed with unread bytes is reset, and
 * the peer may lose the answer before reading it. */
enum step conn_io_close_step(struct conn_io *io);

#endif
