/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The service's side of local connections, on libevent. One table per role is the whole attack
 * surface: a connection says its role once, the kernel says its uid; a verb that is not in the
 * role's table, a malformed message or a role that the uid may not take ends the connection.
 *
 * Handlers run on the loop thread and get decoded records. A handler either answers at once or
 * hands the request to another thread, which answers later; every request that is not one-way must
 * be answered exactly once. If its connection is gone by then the answer is dropped silently.
 */
#ifndef BASE_IPC_SERVER_H
#define BASE_IPC_SERVER_H

#include <sys/types.h>

#include "base/ipc_frame.h"

struct event_base;
struct ipc_server;
struct ipc_request;

typedef void (*ipc_handler)(struct ipc_request *rq, void *ctx);

struct ipc_verb {
	uint16_t verb; /* never IPC_HELLO */
	const char *name;
	const struct record_desc *req; /* NULL: no records allowed */
	uint32_t req_max;	       /* most records in one request */
	const struct record_desc *rep; /* NULL: the reply is empty */
	bool one_way;		       /* no reply is sent */
	ipc_handler handle;
};

struct ipc_role {
	const char *name;
	const uid_t *uids; /* who may take the role */
	size_t n_uids;
	const struct ipc_verb *verbs;
	size_t n_verbs;
	/* Of roles of one name the first that the uid may take is taken. So some uids may ask less:
	 * what `may` refuses is answered ERR_DENIED, and `kind` says to whom. NULL: everything. */
	bool (*may)(uint16_t verb);
	const char *kind;
};

struct ipc_server_options {
	const char *path;	  /* an old socket file there is replaced */
	mode_t mode;		  /* of the socket file */
	gid_t group;		  /* of the socket file; (gid_t)-1 leaves it */
	unsigned max_connections; /* half of them for a uid that is not our own */
	unsigned max_in_flight;	  /* unanswered requests per connection; then its reading pauses */
	const struct ipc_role *roles;
	size_t n_roles;
	void *ctx; /* for the handlers */
};

/* Listens. Pointers in `o` must stay valid. ERR_IO, ERR_NOMEM, ERR_LIMIT. */
int ipc_server_new(struct event_base *base, const struct ipc_server_options *o,
		   struct ipc_server **out) MUST_USE;
/* Closes all; requests still held by other threads must be answered or released before. */
void ipc_server_free(struct ipc_server *s); /* NULL ok */

/* Loop thread: how many connections have taken the role now. */
unsigned ipc_server_role_count(const struct ipc_server *s, const char *role);

/* The request's records, decoded: an array of verb->req structs, valid until it is answered. */
const void *ipc_request_records(const struct ipc_request *rq, size_t *n_out);
/* A request that holds exactly one record: that record. */
const void *ipc_request_record(const struct ipc_request *rq);
uint64_t ipc_request_id(const struct ipc_request *rq);
const char *ipc_request_role(const struct ipc_request *rq);
const struct ipc_verb *ipc_request_verb(const struct ipc_request *rq);
uid_t ipc_request_uid(const struct ipc_request *rq);

/* Any thread. Each ends the request: the pointer is gone afterwards. */
void ipc_request_reply(struct ipc_request *rq, const void *records, size_t n);
/* Loop thread: an empty reply that hands `fd` over (as a copy of it). ERR_BUSY is answered instead
 * when the peer has not read what it was sent before. */
void ipc_request_reply_fd(struct ipc_request *rq, int fd);
/* `code` with the calling thread's err_text(). */
void ipc_request_fail(struct ipc_request *rq, int code);
/* For one-way messages: nothing is sent. */
void ipc_request_release(struct ipc_request *rq);

#endif
