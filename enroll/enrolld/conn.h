/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One TLS connection of a pump: handshake, requests one after another, answers, a polite end. Every
 * wait has a deadline that no trickle of bytes can push out. Loop thread only; never blocks.
 */
#ifndef ENROLL_ENROLLD_CONN_H
#define ENROLL_ENROLLD_CONN_H

#include <sys/queue.h>
#include <sys/socket.h>

#include "enroll/enrolld/conn_io.h"
#include "enroll/enrolld/est_service.h"

struct event_base;

enum conn_state {
	CONN_HANDSHAKE,
	CONN_READING, /* a request, or idle between two */
	CONN_WAITING, /* for the signer or registryd */
	CONN_WRITING,
	CONN_CLOSING, /* answered; drops what still comes, so that the answer is not lost */
};

struct conn {
	TAILQ_ENTRY(conn) link; /* server's, oldest first */
	enum conn_state state;
	struct conn_io io;
	SSL *ssl;
	struct est_service *service;
	struct est_peer peer;
	struct http_request request;
	bool is_begun;	  /* the request's own deadline runs */
	bool close_after; /* what is being written is the last answer */
	bool is_interim;  /* what is being written is 100 Continue */
	struct buf in;	  /* read, not yet fed to the request: pipelined */
	struct buf out;	  /* being written */
	size_t out_done;
	struct waiting *waiting; /* CONN_WAITING: for this job */
	void (*gone)(struct conn *c, void *ctx);
	void *ctx;
};

/* Takes fd over, also on failure. `gone` runs just before the connection frees itself.
 * ERR_NOMEM, ERR_CRYPTO. */
int conn_new(struct event_base *base, SSL_CTX *tls, int fd, const struct sockaddr *sa,
	     struct est_service *service, void (*gone)(struct conn *c, void *ctx), void *ctx,
	     struct conn **out) MUST_USE;
/* Ends it at once, without another word to the peer. */
void conn_free(struct conn *c);

/* The answer that CONN_WAITING waits for; NULL: none can be made. May free the connection. */
void conn_answer(struct conn *c, struct est_answer *answer);

#endif
