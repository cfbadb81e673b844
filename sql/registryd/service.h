/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the parts of pumpgate-registryd share. The loop thread answers the packet path from `facts`;
 * every other verb is a job in a lane whose thread owns its own connections:
 *   writer   the only one that changes the registry
 *   events   the only one that changes the sessions; groups what it is told
 *   queries  lists and single objects; two threads
 *   slow     what reads everything: totals, the audit chain
 *   backup   one copy of everything at a time
 */
#ifndef SQL_REGISTRYD_SERVICE_H
#define SQL_REGISTRYD_SERVICE_H

#include <limits.h>
#include <stdatomic.h>

#include "base/ipc_server.h"
#include "policies/anomaly.h"
#include "policies/report_policy.h"
#include "policies/admin_kinds.h"
#include "sql/serve/lane.h"
#include "sql/store/session_store.h"
#include "sql/store/store.h"

extern bool (*const registry_rights[ADMIN_KINDS])(uint16_t verb);

/* In the order of the verb tables. */
enum service_role {
	SERVICE_RADIUS,
	SERVICE_SIGNER,
	SERVICE_ENROLL,
	SERVICE_DISPATCH,
	SERVICE_ADMIN,
	SERVICE_CRED,
	SERVICE_ROLES
};

struct service {
	char registry_path[PATH_MAX];
	char sessions_path[PATH_MAX];
	int64_t started_at;
	bool recall_alone;		      /* [recall] second_person = no */
	struct anomaly_policy anomaly_policy; /* [anomaly], read at the start */
	struct report_policy report_policy;   /* [report], likewise */
	struct ipc_server *server;
	struct store *facts;	     /* loop thread only */
	struct standings *standings; /* NULL: there are none, everything is asked */
	struct lane *writer;
	struct lane *events;
	struct lane *queries;
	struct lane *slow;
	struct backups *backups;
	struct event_memory *ring; /* the event lane's; others ask for its descriptor and head */
	atomic_bool ring_look;	   /* now */
	atomic_ullong events_dropped;
	atomic_ullong accepts_lost;	      /* of the ring's count: noted */
	_Atomic int64_t accepts_lost_at;      /* when accepts were last lost; 0: never */
	atomic_uint connected[SERVICE_ROLES]; /* per role, as of the last request for status */
	struct ipc_role roles[SERVICE_ROLES + ADMIN_KINDS]; /* the last: admins who may less */
	uid_t *role_uids[SERVICE_ROLES + ADMIN_KINDS];	    /* owned */
	char admins_text[TEXT_SIZE];			    /* who they all are, for the audit */
};

/* Work that events cause in the registry; for the writer lane. */
enum followup_kind {
	FOLLOWUP_LATE,
	FOLLOWUP_SUPERSEDE,
	FOLLOWUP_RETURNED,
	FOLLOWUP_NAS_RESTARTED,
	FOLLOWUP_BACKUP,
	FOLLOWUP_ALARM,
	FOLLOWUP_ACCEPTS_LOST
};
struct followup {
	enum followup_kind kind;
	int64_t at;
	bool settled; /* LATE: an order that was just answered covers it */
	char device[DEVICE_SERIAL_SIZE];
	char issuer[ISSUER_SIZE];
	char cert_serial[CERT_SERIAL_SIZE];
	struct foothold hold;
	char actor[LABEL_SIZE]; /* BACKUP: who made it */
	struct alarm alarm;	/* ALARM */
};
/* A request handed to a lane, or (rq NULL) work for the writer that nobody waits for. */
struct request_job {
	struct lane_job job;
	struct service *service;
	struct ipc_request *rq;
	int64_t asked_at; /* wall ms */
	struct followup followup;
};
/* Loop thread: hands over or answers ERR_BUSY. */
void service_hand_over(struct service *s, struct lane *lane, struct ipc_request *rq);
#define REQUEST_NAME_SIZE 17
/* The request id as the log shows it, in every process. */
void request_name(uint64_t id, char out[REQUEST_NAME_SIZE]);

/* Reading connections of one thread. */
struct reader {
	struct service *service;
	struct store *registry;
	struct session_store *sessions;
	size_t n_query; /* records of the request that is being answered */
};
int reader_new(struct service *s, struct reader **out) MUST_USE;
void reader_free(struct reader *r); /* NULL ok */

/* Each lane's part. `_new` opens the worker's connections. */
struct writer;
int writer_new(struct service *s, struct writer **out) MUST_USE;
void writer_free(struct writer *w);
void writer_run(struct lane_job **jobs, size_t n, void *worker);
int64_t writer_idle(void *worker);

/* The map of standings (docs/decisions/0083): kept by the writer's thread, beaten by the loop's. */
struct standings;
int standings_new(struct store *registry, struct standings **out) MUST_USE;
void standings_free(struct standings *sd); /* NULL ok; closes the map */
/* Writer's thread, between transactions: puts what was marked, and some of what was never put. When
 * to go on (clock_mono_us). */
int64_t standings_serve(struct standings *sd);
/* Loop thread. */
void standings_beat(struct standings *sd);
int standings_fd(const struct standings *sd);

struct event_worker;
int event_worker_new(struct service *s, const char *home, struct event_worker **out) MUST_USE;
/* Any thread: the event ring is looked at now. */
void event_worker_look(struct service *s);
/* When its lane has ended: what is left in the event ring. True: nothing now. */
bool event_worker_finish(struct event_worker *w) MUST_USE;
void event_worker_free(struct event_worker *w, bool over); /* over: it has finished so. NULL ok */
void event_worker_run(struct lane_job **jobs, size_t n, void *worker);
int64_t event_worker_idle(void *worker);

struct backups;
int backups_new(struct service *s, struct backups **out) MUST_USE;
/* Ends a backup that is being made; what it wrote is removed. NULL ok. */
void backups_free(struct backups *b);

void queries_run(struct lane_job **jobs, size_t n, void *worker);

/* Any thread: accepts were lost since then (wall ms), so that no session tells where they led. */
bool service_accepts_lost(struct service *s, int64_t since);

/* Any thread but the writer's. Dropped and counted when the writer's queue is full: what caused it
 * is found again at the next event of the pump or the next start. */
void writer_follow_up(struct service *s, const struct followup *f);

/* Any thread: one line of a pump's history that no peer told. Dropped and counted when the lane is
 * full. */
void event_note(struct service *s, const struct enroll_event *e);

/* Loop-thread handlers for the verb tables. */
void verb_pump_facts(struct ipc_request *rq, void *ctx);
void verb_login_facts(struct ipc_request *rq, void *ctx);
void verb_mac_facts(struct ipc_request *rq, void *ctx);
void verb_birth_facts(struct ipc_request *rq, void *ctx);
void verb_zone_facts(struct ipc_request *rq, void *ctx);
void verb_nas_facts(struct ipc_request *rq, void *ctx);
void verb_standings(struct ipc_request *rq, void *ctx);
void verb_event_ring(struct ipc_request *rq, void *ctx);
void verb_cert_facts(struct ipc_request *rq, void *ctx);
void verb_event(struct ipc_request *rq, void *ctx);
void verb_write(struct ipc_request *rq, void *ctx);
void verb_query(struct ipc_request *rq, void *ctx);
void verb_slow(struct ipc_request *rq, void *ctx);
void verb_backup(struct ipc_request *rq, void *ctx);

/* Fills in what pumpgate.conf says: s->roles (verbs from the tables, uids from [users]) and
 * s->anomaly_policy and s->report_policy. *shared_out: some role belongs to a uid that is neither
 * root nor our own. ERR_INVALID, ERR_NOT_FOUND. */
int roles_init(struct service *s, const char *home, bool *shared_out) MUST_USE;
void roles_done(struct service *s);
/* Reads [recall]. ERR_INVALID. */
int rules_init(struct service *s, const char *home) MUST_USE;
/* The verbs of role i. */
const struct ipc_verb *verb_table(unsigned role, const char **name_out, size_t *n_out);

#endif
