/* SPDX-License-Identifier: BSD-2-Clause */
/* What the files of the writer lane share. All of it runs on the writer's thread. */
#ifndef SQL_REGISTRYD_WRITER_H
#define SQL_REGISTRYD_WRITER_H

#include "sql/registryd/service.h"
#include "sql/serve/uids.h"

#define PARKED_MAX 32

/* A dispatch_take that waits for an order to become due. */
struct parked_take {
	struct ipc_request *rq;
	int64_t until_us; /* clock_mono_us */
};

/* `pumpctl nas test`: an order that is in no database, and who waits for what becomes of it. */
#define PROBES_MAX 8
struct parked_probe {
	struct ipc_request *rq; /* NULL: the slot is free */
	struct nas_probe answer;
	uint64_t id;
	char session_id[SESSION_ID_SIZE];
	bool taken;
	int64_t until_us; /* clock_mono_us */
};

struct writer {
	struct service *service;
	struct store *registry;		/* the only writing connection */
	struct session_store *sessions; /* reads: where a pump is on */
	struct parked_take parked[PARKED_MAX];
	size_t n_parked;
	struct parked_probe probes[PROBES_MAX];
	uint64_t probe_count;
	int64_t next_due; /* wall ms of the earliest open order; INT64_MAX: none */
	bool swept; /* the sessions against their pumps' standing were looked for since the start */
	struct ipc_request *keeper; /* the signer, waiting for revocations; NULL: it is not */
	int64_t keeper_until_us;
	struct batch *batch;	    /* writer_recall.c */
	struct issue_group *issues; /* writer_issue.c */
	int64_t rotation_at_us;	    /* when to look after the rotation; INT64_MAX: none runs */
	int64_t pending_at_us; /* when to look for pumps that became idle; INT64_MAX: none waits */
	int64_t recall_at_us;  /* when to look for a batch; INT64_MAX: no recall runs */
};

/* writer_issue.c */
#define ISSUE_GROUP_MAX 32
int writer_issue_init(struct writer *w) MUST_USE;
void writer_issue_done(struct writer *w);
/* Of the requests (NULL: none) those at the front that belong to issuances, with one commit for
 * all: answers them and logs one line for each. How many; 0: fewer than two are such. */
size_t writer_issue_group(struct writer *w, struct ipc_request *const *rqs, size_t n);

/* Each handles one verb: answers `rq` and logs one line. */
void writer_issue(struct writer *w, struct ipc_request *rq, const struct action *by);
void writer_revoke(struct writer *w, struct ipc_request *rq, const struct action *by,
		   int64_t asked_at);
/* The same without an answer. Logs what went wrong after the commit. */
int writer_revoke_one(struct writer *w, const struct action *by, const struct revoke *rq,
		      int64_t asked_at, struct revocation *out) MUST_USE;
void writer_change_tell(struct ipc_request *rq, int rc, const struct action *by, const char *action,
			const char *device, const struct revocation *receipt);
void writer_standing(struct writer *w, struct ipc_request *rq, const struct action *by,
		     int64_t asked_at);
/* The same without an answer, also on the service's own account. */
int writer_standing_one(struct writer *w, const struct action *by, const struct standing_change *rq,
			int64_t asked_at, struct revocation *out) MUST_USE;
/* Where the pump may be on, at most FOOTHOLDS_MAX; every NAS when the sessions can't be read. */
#define FOOTHOLDS_MAX 512
size_t writer_holds_find(struct writer *w, const char *device, int64_t since,
			 struct foothold *holds);
/* To be told of a change of standing now, at most FOOTHOLDS_MAX. */
size_t writer_holds_to_tell(struct writer *w, const char *device, struct foothold *holds);
/* After a revocation's commit: orders for what came up meanwhile. `holds` is room for
 * FOOTHOLDS_MAX. */
int writer_sessions_again(struct writer *w, const char *device, int64_t since,
			  int64_t accepts_since, struct foothold *holds) MUST_USE;

/* writer_recall.c */
int writer_recall_init(struct writer *w) MUST_USE;
void writer_recall_done(struct writer *w);
/* The verbs of docs/decisions/0175; false: it is none of them. */
bool writer_decommission(struct writer *w, struct ipc_request *rq, const struct action *by,
			 int64_t asked_at);
/* The verbs of docs/decisions/0100; false: it is none of them. */
/* Rotation's verbs; false: none of them. */
bool writer_rotation(struct writer *w, struct ipc_request *rq, const struct action *by);
/* Takes a step when one is due; when the next one is. */
int64_t writer_rotation_serve(struct writer *w);
bool writer_recall(struct writer *w, struct ipc_request *rq, const struct action *by);
/* Carries out one batch when it is time; when to look again (clock_mono_us). */
int64_t writer_recall_serve(struct writer *w);

void writer_take(struct writer *w, struct ipc_request *rq);
/* The verbs of docs/decisions/0094; false: it is none of them. */
bool writer_ledger(struct writer *w, struct ipc_request *rq, const struct action *by);
/* As writer_takes_serve, for the signer that waits for revocations. */
int64_t writer_ledger_serve(struct writer *w);
void writer_ledger_end(struct writer *w);
/* Answers parked takes whose time or order has come; when to look again (clock_mono_us). */
int64_t writer_takes_serve(struct writer *w);
void writer_takes_end(struct writer *w);

/* writer_alarm.c: what the event lane found odd; the verbs about alarms and what tells them from
 * pumps that move. False: it is none of them. */
void writer_alarm_raise(struct writer *w, const struct alarm *found);
bool writer_alarm(struct writer *w, struct ipc_request *rq, const struct action *by);

/* writer_report.c: what a pump says of itself, and what follows. False: another verb. */
bool writer_report(struct writer *w, struct ipc_request *rq);

/* writer_pending.c: changes of standing that wait until their pump is idle. As writer_revoke, but
 * only then; answers at once whether it waits. */
void writer_pending_ask(struct writer *w, struct ipc_request *rq, const struct action *by,
			const struct standing_change *change, int64_t asked_at);
/* False: another verb. */
bool writer_pending(struct writer *w, struct ipc_request *rq, const struct action *by);
/* A pump has said that it is idle. */
void writer_pending_look(struct writer *w);
/* Does what is due; when to look again (clock_mono_us). */
int64_t writer_pending_serve(struct writer *w);

/* writer_probe.c */
void writer_probe(struct writer *w, struct ipc_request *rq);
bool writer_probes_wait(const struct writer *w); /* some is not with the dispatcher yet */
/* Adds the orders of probes that no dispatcher has; how many. */
size_t writer_probes_take(struct writer *w, struct dispatch_order *out, size_t max);
/* Answers the probes among `results`, and moves the others to the front; how many those are. */
size_t writer_probes_result(struct writer *w, struct dispatch_result *results, size_t n);
/* Answers those whose time is over; when to look again (clock_mono_us). */
int64_t writer_probes_serve(struct writer *w);
void writer_probes_end(struct writer *w);

/* Every live session that is against its pump's standing gets its order, whatever was lost in a
 * crash. */
void writer_sweep(struct writer *w);
void writer_followup(struct writer *w, const struct followup *f);

/* One line, and the answer: empty when rc is 0, else the failure. */
void writer_tell(struct ipc_request *rq, int rc, const char *event, const char *object,
		 const char *actor);

#endif
