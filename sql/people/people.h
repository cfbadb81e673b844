/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The clinician database: accounts, badges, roles, tombstones, logins and their audit chain. Typed;
 * no database type is visible here. As sql/store/store.h says of stores: one connection, one
 * thread; each mutation is one transaction with its audit row, idempotent, on the disk when it
 * returns 0. All calls block on the disk and may return ERR_FULL, ERR_IO, ERR_CORRUPT, ERR_NOMEM
 * besides what is listed. Names are prepared (sql/wire/login_text.h) by the caller; no secret
 * comes here but as the PHC string of its hash.
 */
#ifndef SQL_PEOPLE_PEOPLE_H
#define SQL_PEOPLE_PEOPLE_H

#include "sql/proto/cred_records.h"
#include "sql/store/store.h"

#define PHC_SIZE 129 /* crypto_pwhash_STRBYTES and a NUL */

struct people;

/* As store_upgrade and store_open. */
int people_upgrade(const char *path, unsigned *from_out, unsigned *to_out) MUST_USE;
int people_open(const char *path, bool write, struct people **out) MUST_USE;
void people_close(struct people *p); /* NULL ok */
/* Who disables accounts in a database that was restored; no Unix user has such a name. */
#define PEOPLE_RESTORED "(restored)"

/* What a database that is behind the list of withdrawals beside it (decision 205) had forgotten. */
struct people_gap {
	bool list_began;      /* there was none of this database: a new machine, or a first start */
	uint64_t withdrawals; /* that it lacked */
	uint64_t held;	      /* accounts that are disabled now, until a person looks at them */
	uint64_t unknown;     /* withdrawals of accounts that it lacks wholly */
};
/* Before the database is served, at each start: an old copy, however it came there, brings nobody
 * back. Accounts that were disabled later, and those of which a secret, badge or role was changed
 * later, are disabled as PEOPLE_RESTORED; open break-glass codes become void; the policy epoch
 * rises above all that pumps have heard, so that they keep no verifier from before. One transaction
 * with its audit rows; repeatable. ERR_CORRUPT: the list was changed. */
int people_catch_up(const char *path, int64_t now_ms, struct people_gap *out) MUST_USE;

static inline void people_auto_close(struct people **p)
{
	people_close(*p);
}
#define AUTO_PEOPLE __attribute__((cleanup(people_auto_close))) struct people *

/* ---- logins: reading ---- */

struct account {
	int64_t id;
	char name[LOGIN_USER_SIZE];
	char display[LOGIN_DISPLAY_SIZE];
	bool directory;
	bool enabled;
	int64_t expires_at;
	int64_t badge_id;    /* 0: found by name */
	char hash[PHC_SIZE]; /* of the password, or of the badge's PIN; "" none */
};
/* ERR_NOT_FOUND. */
int people_account_by_name(struct people *p, const char *name, struct account *out) MUST_USE;
int people_account_by_badge(struct people *p, const char *number, struct account *out) MUST_USE;
/* The role that counts at a pump of this ward and model: the most particular one (ward and model,
 * then ward, then model, then any). ERR_NOT_FOUND: none. */
int people_role_at(struct people *p, int64_t account, const char *ward, const char *model,
		   struct role_terms *out) MUST_USE;
/* ERR_NOT_FOUND. */
int people_role_terms(struct people *p, const char *role, struct role_terms *out) MUST_USE;

/* ---- logins: writing; several share a transaction, begun and ended by the caller ---- */

int people_begin(struct people *p) MUST_USE;
int people_commit(struct people *p) MUST_USE; /* as tx_commit */
void people_rollback(struct people *p);	      /* nothing open is fine */

struct login_note {
	struct action by; /* actor: the account, or "-" when there is none of that name */
	const char *action;
	const char *device; /* "" when even the pump is unknown */
	const char *detail;
};
int people_note(struct people *p, const struct login_note *n) MUST_USE;

/* A login that was accepted: session and last login; new_hash: replaces the hash it was verified
 * with, "" keeps it. ERR_CONFLICT: the account was disabled or its secret changed since it was
 * read. */
int people_login_add(struct people *p, const struct account *a, const char *new_hash,
		     const struct login_session *s) MUST_USE;

/* What a pump says of itself, and what it is to be told. `terms` is filled in but for server_time.
 * rolled_back: it shows an older generation of verifiers than before. That says->tombstone is above
 * terms->tombstone means that this database is an old copy, and its list of withdrawals too. */
int people_pump_seen(struct people *p, const char *device, const struct login_state *says,
		     int64_t now_ms, struct login_terms *terms, bool *rolled_back) MUST_USE;
/* Tombstones after number `after`, oldest first. */
int people_tombstones(struct people *p, uint64_t after, struct login_tombstone *out, size_t max,
		      size_t *n_out) MUST_USE;
/* One record of a pump's journal, with its audit row; ward: where the pump is now, as it tells.
 * *stored: the journal's last number that is here. ERR_UNCHANGED: it was here; ERR_CONFLICT: not
 * the next one. */
int people_journal_add(struct people *p, const char *device, const char *ward,
		       const struct login_state *says, const struct login_record *r, int64_t now_ms,
		       uint64_t *stored) MUST_USE;

/* ---- people ---- */

/* In the caller's transaction. hash, pin_hash: "" none. ERR_INVALID; ERR_UNCHANGED: such an account
 * is there (secrets are not compared); ERR_EXISTS: it is, and differs, or the badge is another's;
 * ERR_NOT_FOUND: no such role. */
int people_user_add(struct people *p, const struct action *by, const struct user_add *u,
		    const char *hash, const char *pin_hash) MUST_USE;
int people_user_list(struct people *p, const struct list_query *q, int64_t now_ms, struct user *out,
		     size_t max, size_t *n_out) MUST_USE;
/* The rest: ERR_NOT_FOUND when there is no such user. */
int people_user_show(struct people *p, const char *name, int64_t now_ms, struct user *out) MUST_USE;
/* Disabling makes a tombstone. ERR_UNCHANGED, ERR_INVALID. */
int people_user_state(struct people *p, const struct action *by,
		      const struct user_state *s) MUST_USE;
/* With a tombstone. ERR_EXISTS: the badge is another's; ERR_CONFLICT: a directory account has no
 * password here; ERR_UNCHANGED: no such badge to remove. */
int people_user_secret(struct people *p, const struct action *by, const struct user_secret *s,
		       const char *hash) MUST_USE;
/* Taking a role away makes a tombstone. ERR_UNCHANGED; ERR_NOT_FOUND: no such role either. */
int people_user_role(struct people *p, const struct action *by, const struct user_role *r) MUST_USE;
int people_user_roles(struct people *p, const char *name, struct user_role *out, size_t max,
		      size_t *n_out) MUST_USE;
int people_user_badges(struct people *p, const char *name, struct user_badge *out, size_t max,
		       size_t *n_out) MUST_USE;
int people_login_list(struct people *p, const struct list_query *q, int64_t now_ms,
		      struct login_session *out, size_t max, size_t *n_out) MUST_USE;
int people_role_list(struct people *p, const struct list_query *q, struct role_terms *out,
		     size_t max, size_t *n_out) MUST_USE;
/* Raises the policy epoch when it changes what a pump may keep. ERR_UNCHANGED, ERR_INVALID. */
int people_role_set(struct people *p, const struct action *by, const struct role_terms *t) MUST_USE;
/* Counts that stand in the database. */
int people_status(struct people *p, int64_t now_ms, struct cred_status *out) MUST_USE;

/* As store_audit_tail, store_audit_head and store_audit_verify, of this database's chain. */
int people_audit_tail(struct people *p, const struct list_query *q, struct audit_row *out,
		      size_t max, size_t *n_out) MUST_USE;
int people_audit_head(struct people *p, uint64_t seq, struct audit_head *out) MUST_USE;
int people_audit_verify(struct people *p, struct audit_check *out) MUST_USE;

#endif
