/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One plain HTTP connection of somebody who wants to know what is revoked: one request, one answer,
 * a polite end. Every wait has a deadline that no trickle of bytes can push out. Loop thread only.
 */
#ifndef ENROLL_ENROLLD_STATUS_CONN_H
#define ENROLL_ENROLLD_STATUS_CONN_H

#include <sys/queue.h>
#include <sys/socket.h>

#include "enroll/enrolld/conn_io.h"
#include "enroll/enrolld/status_service.h"
#include "enroll/enrolld/throttle.h"
#include "sql/proto/registry_records.h"

struct event_base;

enum status_conn_state {
	STATUS_READING,
	STATUS_WAITING, /* for the signer */
	STATUS_WRITING,
	STATUS_CLOSING, /* answered; drops what still comes, so that the answer is not lost */
};

struct status_conn {
	TAILQ_ENTRY(status_conn) link; /* the port's, oldest first */
	enum status_conn_state state;
	struct conn_io io;
	struct status_service *service;
	char source[IP_SIZE];
	uint8_t source_key[THROTTLE_SOURCE_BYTES];
	struct http_request request;
	char known[32];	      /* If-None-Match */
	struct buf out;	      /* head and a small body, being written */
	struct crl_copy *crl; /* then this; a reference */
	size_t out_done;
	struct status_job *job; /* STATUS_WAITING */
	void (*gone)(struct status_conn *c, void *ctx);
	void *ctx;
};

/* Takes fd over, also on failure. `gone` runs just before the connection frees itself. ERR_NOMEM.
 */
int status_conn_new(struct event_base *base, int fd, const struct sockaddr *sa,
		    struct status_service *service, void (*gone)(struct status_conn *c, void *ctx),
		    void *ctx, struct status_conn **out) MUST_USE;
/* Ends it at once. */
void status_conn_free(struct status_conn *c);

/* The signer has answered c->job, which is freed by the caller. May free the connection. */
void status_conn_answer(struct status_conn *c, struct status_job *job);

#endif
