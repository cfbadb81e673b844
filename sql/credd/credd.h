/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the parts of pumpgate-credd share. The loop thread reads what came in, asks the throttle and
 * hands over; then a login goes
 *   hashing    standing of the pump, account, argon2id; a thread for each processor but one, which
 *              the network admission keeps
 *   contacts   standing of a pump that brings records; never behind passwords
 *   directory  only for accounts whose password is the hospital's: may wait long, delays nobody
 * else writer     the one thread that changes the database: audit row, session; then the answer and
 * people's administration goes through "admin" (lists; hashing of new secrets) to the writer.
 */
#ifndef SQL_CREDD_CREDD_H
#define SQL_CREDD_CREDD_H

#include <limits.h>
#include <pthread.h>
#include <stdatomic.h>

#include "base/ipc_client.h"
#include "base/ipc_server.h"
#include "policies/admin_kinds.h"
#include "sql/credd/hasher.h"
#include "sql/credd/judge.h"
#include "sql/credd/person_source.h"
#include "sql/credd/spray.h"
#include "sql/credd/throttle.h"
#include "sql/people/people.h"
#include "sql/serve/lane.h"
#include "sql/serve/uids.h"

struct event_base;

extern bool (*const cred_rights[ADMIN_KINDS])(uint16_t verb);

/* In the order of the verb tables. */
enum cred_role { CRED_ROLE_LOGIN, CRED_ROLE_ADMIN, CRED_ROLE_SIGNER, CRED_ROLES };

#define HASH_THREADS_MAX 4
#define DIRECTORY_THREADS 8

struct cred_settings {
	uint32_t argon2_memory_kib;
	uint32_t argon2_passes;
	uint32_t hash_threads;
};

struct credd {
	struct cred_settings settings;
	char home[PATH_MAX];
	char people_path[PATH_MAX];
	int64_t started_at;
	struct event_base *base;
	struct ipc_server *server;
	struct ipc_role roles[CRED_ROLES + ADMIN_KINDS]; /* the last: admins who may less */
	uid_t role_uids[CRED_ROLES + ADMIN_KINDS][UIDS_MAX];
	struct hasher *hasher;
	struct person_source source;	     /* verify NULL: no directory */
	struct people_source *people_source; /* what is behind it */
	struct lane *hashing, *contacts, *directory, *writer, *admin;
	uint8_t hash_key[16]; /* of the throttle's names, made at each start */
	pthread_mutex_t lock; /* of the two below; never held over a wait */
	struct throttle *throttle;
	struct spray spray;
	atomic_ullong accepted, refused, throttled, busy, spraying, behind;
	/* when these were last written down: one row a second, since a pump may say what it likes
	 */
	atomic_llong behind_told_ms, journal_told_ms;
	atomic_uint login_connections;
	bool shared; /* some role is another user's */
};

enum cred_job_kind { CRED_JOB_LOGIN, CRED_JOB_ADMIN };

/* A request on its way; its record stays readable until it is answered. */
struct cred_job {
	struct lane_job lane;
	struct credd *c;
	struct ipc_request *rq;
	enum cred_job_kind kind;
	int64_t arrived_us;
};

/* One login or contact. */
struct login_job {
	struct cred_job job;
	bool contact;
	bool by_badge;
	bool charged; /* throttle_end is due */
	bool tell;    /* of a throttled one: write it down */
	struct login_state says;
	struct cursor items; /* of the blob, after the state */
	struct throttle_who who;
	uint64_t password_print;
	char name[LOGIN_USER_SIZE];
	char password[LOGIN_PASSWORD_MAX + 1];
	struct login_facts pump;
	struct account account;
	bool account_known;
	bool provision; /* the account is the directory's and gets its row here with the login */
	struct person *person; /* owned; of the directory, NULL without */
	struct role_terms terms;
	char new_hash[PHC_SIZE];
	enum login_result result;
	const char *why;
	uint32_t retry_s;
	struct login_session session; /* of an accepted one */
	bool sprayed;
	struct cred_answer answer;
};
#define REQUEST_NAME_SIZE 17

/* One administration request. */
struct admin_job {
	struct cred_job job;
	char actor[ACTOR_SIZE];
	char (*hashes)[2][PHC_SIZE]; /* of the request's records: password, PIN; owned */
	struct glass_batch *glass;   /* of the request's records: new codes; owned (glass.h) */
};

/* Loop thread. */
void verb_login(struct ipc_request *rq, void *ctx);
void verb_admin_read(struct ipc_request *rq, void *ctx);
void verb_admin_write(struct ipc_request *rq, void *ctx);
void verb_admin_directory(struct ipc_request *rq, void *ctx);

/* The lanes' parts. A worker has its own connection to the database and to registryd. */
struct cred_worker {
	struct credd *c;
	struct people *people;
	struct ipc_client *registry;
};
int worker_new(struct credd *c, bool write, struct cred_worker **out) MUST_USE;
void worker_free(struct cred_worker *w); /* NULL ok */
void hashing_run(struct lane_job **jobs, size_t n, void *worker);
void directory_run(struct lane_job **jobs, size_t n, void *worker);
void admin_run(struct lane_job **jobs, size_t n, void *worker);
void writer_run(struct lane_job **jobs, size_t n, void *worker);

/* Any thread: to the writer, which ends it; when that is full it is answered "try again". */
void login_to_writer(struct login_job *j);
/* Any thread: answers with what the job says, nothing in the database; ends the job. */
void login_answer(struct login_job *j);
/* Any thread: gives the throttle its due, once. */
void login_settle(struct login_job *j);
/* Writer's thread, in its transaction: session, audit rows, journal. */
int login_write(struct people *p, struct login_job *j, int64_t now_ms) MUST_USE;
/* The same: a row about what a pump says of itself, if none of its kind was written this second. */
int login_odd(struct people *p, struct login_job *j, atomic_llong *told_ms, const char *action,
	      const char *detail, int64_t now_ms) MUST_USE;
/* The same: what the pump hears. */
int login_hears(struct people *p, struct login_job *j, int64_t now_ms) MUST_USE;
void request_name(uint64_t id, char out[REQUEST_NAME_SIZE]);
/* A directory thread: answers; ends the job. */
void admin_directory(struct cred_worker *w, struct admin_job *j);
/* [directory] of pumpgate.conf; c->source.verify stays NULL when there is none. Starts a thread:
 * call it before the system call filter. ERR_INVALID, ERR_DENIED, ERR_NOT_FOUND, ERR_IO, ERR_NOMEM.
 */
int source_open(struct credd *c) MUST_USE;
void source_close(struct credd *c);
/* Fills in directory_*; asks nobody. */
void source_status(struct credd *c, struct cred_status *out);
/* Writer's thread, in its transaction: the row of an account that the directory vouched for. */
int account_provision(struct people *p, struct login_job *j, int64_t now_ms) MUST_USE;
/* Writer's thread: runs and answers an administration request; ends the job. */
void admin_write(struct people *p, struct admin_job *j);
void admin_job_free(struct admin_job *j);

/* A number for a name under this start's key. */
uint64_t credd_print(const struct credd *c, const void *data, size_t len);

/* Reads [login] and [users] of pumpgate.conf. ERR_INVALID, ERR_NOT_FOUND. */
int cred_settings_read(struct credd *c) MUST_USE;
const struct ipc_verb *cred_verb_table(unsigned role, const char **name_out, size_t *n_out);
/* No more system calls than serving needs; `network`: a directory is asked. ERR_IO. */
int credd_confine(bool network) MUST_USE;

#endif
