/* SPDX-License-Identifier: BSD-2-Clause */
/* Owns opening the clinician database, its transactions, and what pumps must forget. */
#include "sql/people/people_db.h"

#include <stdlib.h>

#include "sql/store/migrate.h"

int people_upgrade(const char *path, unsigned *from_out, unsigned *to_out)
{
	AUTO_DB db = NULL;
	int rc = db_open(path, DB_CREATE, DB_SYNC_FULL, &db);

	if (!rc)
		rc = schema_upgrade(db, &schema_clinicians, from_out);
	if (!rc)
		*to_out = schema_clinicians.version;
	return rc;
}

int people_open(const char *path, bool write, struct people **out)
{
	AUTO_PEOPLE p = calloc(1, sizeof(*p));
	int rc;

	if (!p)
		return err_set(ERR_NOMEM, "no memory for the clinician database");
	rc = db_open(path, write ? DB_WRITE : DB_READ, DB_SYNC_FULL, &p->st.db);
	if (!rc)
		rc = schema_check(p->st.db, &schema_clinicians);
	if (!rc && write)
		rc = withdrawals_open(path, &p->withdrawals);
	if (rc)
		return rc;
	*out = p;
	p = NULL;
	return 0;
}

void people_close(struct people *p)
{
	if (!p)
		return;
	db_close(p->st.db);
	withdrawals_close(p->withdrawals);
	free(p);
}

int people_begin(struct people *p)
{
	return db_run(p->st.db, "BEGIN IMMEDIATE");
}

int people_commit(struct people *p)
{
	return db_run(p->st.db, "COMMIT");
}

void people_rollback(struct people *p)
{
	db_rollback(p->st.db);
}

int people_note(struct people *p, const struct login_note *n)
{
	return audit_append(p->st.db, &n->by, n->action, n->device, "%s", n->detail);
}

int people_audit_tail(struct people *p, const struct list_query *q, struct audit_row *out,
		      size_t max, size_t *n_out)
{
	return store_audit_tail(&p->st, q, out, max, n_out);
}

int people_audit_head(struct people *p, uint64_t seq, struct audit_head *out)
{
	return store_audit_head(&p->st, seq, out);
}

int people_audit_verify(struct people *p, struct audit_check *out)
{
	return store_audit_verify(&p->st, out);
}

int user_id(struct db *db, const char *name, int64_t *id_out)
{
	int rc = db_number(db, id_out, "SELECT id FROM users WHERE name = ?1", DB_T(name));

	return rc == ERR_NOT_FOUND ? err_set(rc, "there is no user '%s'", name) : rc;
}

int role_id(struct db *db, const char *role, int64_t *id_out)
{
	int rc = db_number(db, id_out, "SELECT id FROM roles WHERE name = ?1", DB_T(role));

	return rc == ERR_NOT_FOUND ? err_set(rc, "there is no role '%s'", role) : rc;
}

int tombstone_add(struct db *db, int64_t user, int64_t now)
{
	int64_t seq;
	int rc = db_run(db, "UPDATE policy SET tombstone = tombstone + 1 WHERE one = 1");

	if (!rc)
		rc = db_number(db, &seq, "SELECT tombstone FROM policy WHERE one = 1");
	if (!rc)
		rc = db_run(db, "DELETE FROM tombstones WHERE user_id = ?1", DB_I(user));
	return rc ? rc
		  : db_run(db, "INSERT INTO tombstones (seq, user_id, at) VALUES (?1, ?2, ?3)",
			   DB_I(seq), DB_I(user), DB_I(now));
}

int withdrawal_note(struct people *p, enum withdrawal_kind kind, const char *name, int64_t now)
{
	struct withdrawal x = {.at = now, .kind = kind};
	int64_t number, epoch;
	int rc = str_copy(x.name, sizeof(x.name), name);

	if (!rc)
		rc = db_number(p->st.db, &number, "SELECT tombstone FROM policy WHERE one = 1");
	if (!rc)
		rc = db_number(p->st.db, &epoch, "SELECT epoch FROM policy WHERE one = 1");
	if (rc)
		return rc;
	x.number = (uint64_t)number;
	x.epoch = (uint64_t)epoch;
	return withdrawals_append(p->withdrawals, &x);
}

int people_tombstones(struct people *p, uint64_t after, struct login_tombstone *out, size_t max,
		      size_t *n_out)
{
	size_t n = 0;
	AUTO_QUERY q;
	int rc =
		query_open(&q, p->st.db,
			   "SELECT t.seq, u.name FROM tombstones t JOIN users u ON u.id = t.user_id"
			   " WHERE t.seq > ?1 ORDER BY t.seq LIMIT ?2",
			   DB_I(after), DB_I(max));

	while (!rc && n < max && (rc = query_next(&q)) == 1) {
		out[n].seq = (uint64_t)query_i64(&q, 0);
		query_text(&q, 1, out[n].user, sizeof(out[n].user));
		n++;
		rc = 0;
	}
	if (rc < 0)
		return rc;
	*n_out = n;
	return 0;
}

int people_status(struct people *p, int64_t now_ms, struct cred_status *out)
{
	AUTO_QUERY q;
	int rc = query_open(&q, p->st.db,
			    "SELECT (SELECT COUNT(*) FROM users),"
			    " (SELECT COUNT(*) FROM users WHERE state = 'disabled'),"
			    " (SELECT COUNT(*) FROM logins WHERE until_at > ?1 AND ended_at = 0),"
			    " epoch, tombstone,"
			    " (SELECT COUNT(*) FROM users WHERE state = 'disabled'"
			    "  AND state_by = '" PEOPLE_RESTORED "')"
			    " FROM policy WHERE one = 1",
			    DB_I(now_ms));

	if (!rc)
		rc = query_next(&q);
	if (rc <= 0)
		return rc ? rc : err_set(ERR_CORRUPT, "the policy's row is missing");
	out->users = (uint64_t)query_i64(&q, 0);
	out->disabled = (uint64_t)query_i64(&q, 1);
	out->sessions = (uint64_t)query_i64(&q, 2);
	out->policy_epoch = (uint64_t)query_i64(&q, 3);
	out->tombstones = (uint64_t)query_i64(&q, 4);
	out->held = (uint64_t)query_i64(&q, 5);
	out->schema = schema_clinicians.version;
	return 0;
}
