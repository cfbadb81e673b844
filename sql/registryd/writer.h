/* SPDX-License-Identifier: BSD-2-Clause */
/* What the files of the writer lane share. All of it runs on the writer's thread. */
#ifndef SQL_REGISTRYD_WRITER_H
#define SQL_REGISTRYD_WRITER_H

#include "sql/registryd/service.h"

#define PARKED_MAX 32

/* A dispatch_take that waits for an order to become due. */
struct parked_take {
	struct ipc_request *rq;
	int64_t until_us; /* clock_mono_us */
};

struct writer {
	struct service *service;
	struct store *registry;		/* the only writing connection */
	struct session_store *sessions; /* reads: where a pump is on */
	struct parked_take parked[PARKED_MAX];
	size_t n_parked;
	int64_t next_due; /* wall ms of the earliest open order; INT64_MAX: none */
	bool swept;	  /* the footholds of revoked pumps were looked at after the start */
};

/* The peer's Unix user, or its role, for audit and log. */
void actor_name(struct ipc_request *rq, char out[LABEL_SIZE]);

/* Each handles one verb: answers `rq` and logs one line. */
void writer_issue(struct writer *w, struct ipc_request *rq, const struct action *by);
void writer_revoke(struct writer *w, struct ipc_request *rq, const struct action *by,
		   int64_t asked_at);
void writer_take(struct writer *w, struct ipc_request *rq);
/* Answers parked takes whose time or order has come; when to look again (clock_mono_us). */
int64_t writer_takes_serve(struct writer *w);
void writer_takes_end(struct writer *w);

/* Every live session of a revoked pump gets its order, whatever was lost in a crash. */
void writer_sweep(struct writer *w);
void writer_followup(struct writer *w, const struct followup *f);

/* One line, and the answer: empty when rc is 0, else the failure. */
void writer_tell(struct ipc_request *rq, int rc, const char *event, const char *object,
		 const char *actor);

#endif
