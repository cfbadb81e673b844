/* SPDX-License-Identifier: BSD-2-Clause */
/* Owns what one login reads and leaves behind: account, role, session. */
#include "sql/people/people_db.h"

#include <stdlib.h>
#include <string.h>

#define SESSIONS_KEPT_MS (7LL * 24 * 3600 * 1000)

#define ACCOUNT_COLUMNS "u.id, u.name, u.display, u.source, u.state, u.expires_at"

static void account_read(const struct query *q, struct account *out)
{
	char word[STATE_SIZE];

	memset(out, 0, sizeof(*out));
	out->id = query_i64(q, 0);
	query_text(q, 1, out->name, sizeof(out->name));
	query_text(q, 2, out->display, sizeof(out->display));
	query_text(q, 3, word, sizeof(word));
	out->directory = !strcmp(word, "directory");
	query_text(q, 4, word, sizeof(word));
	out->enabled = !strcmp(word, "enabled");
	out->expires_at = query_i64(q, 5);
	out->badge_id = query_i64(q, 6);
	query_text(q, 7, out->hash, sizeof(out->hash));
}

static int account_next(struct query *q, struct account *out)
{
	int rc = query_next(q);

	if (rc <= 0)
		return rc ? rc : err_set(ERR_NOT_FOUND, "no such account");
	account_read(q, out);
	return 0;
}

int people_account_by_name(struct people *p, const char *name, struct account *out)
{
	AUTO_QUERY q;
	int rc = query_open(&q, p->st.db,
			    "SELECT " ACCOUNT_COLUMNS ", 0, u.hash FROM users u WHERE u.name = ?1",
			    DB_T(name));

	return rc ? rc : account_next(&q, out);
}

int people_account_by_badge(struct people *p, const char *number, struct account *out)
{
	AUTO_QUERY q;
	int rc = query_open(&q, p->st.db,
			    "SELECT " ACCOUNT_COLUMNS ", b.id, b.pin_hash FROM badges b"
			    " JOIN users u ON u.id = b.user_id WHERE b.number = ?1",
			    DB_T(number));

	return rc ? rc : account_next(&q, out);
}

#define TERMS_COLUMNS                                                                 \
	"r.name, r.session_s, r.idle_s, r.offline, r.offline_s, r.offline_failures, " \
	"r.offline_people, r.offline_passwords"

static void terms_read(const struct query *q, struct role_terms *out)
{
	memset(out, 0, sizeof(*out));
	query_text(q, 0, out->role, sizeof(out->role));
	out->session_s = (uint32_t)query_i64(q, 1);
	out->idle_s = (uint32_t)query_i64(q, 2);
	out->offline = query_i64(q, 3) != 0;
	out->offline_s = (uint32_t)query_i64(q, 4);
	out->offline_failures = (uint32_t)query_i64(q, 5);
	out->offline_people = (uint32_t)query_i64(q, 6);
	out->offline_passwords = query_i64(q, 7) != 0;
}

static int terms_next(struct query *q, struct role_terms *out)
{
	int rc = query_next(q);

	if (rc <= 0)
		return rc ? rc : err_set(ERR_NOT_FOUND, "no such role");
	terms_read(q, out);
	return 0;
}

int people_role_at(struct people *p, int64_t account, const char *ward, const char *model,
		   struct role_terms *out)
{
	AUTO_QUERY q;
	int rc = query_open(&q, p->st.db,
			    "SELECT " TERMS_COLUMNS " FROM user_roles ur"
			    " JOIN roles r ON r.id = ur.role_id WHERE ur.user_id = ?1"
			    " AND ur.ward IN ('', ?2) AND ur.model IN ('', ?3)"
			    " ORDER BY ur.ward = '', ur.model = '' LIMIT 1",
			    DB_I(account), DB_T(ward), DB_T(model));

	return rc ? rc : terms_next(&q, out);
}

int people_role_terms(struct people *p, const char *role, struct role_terms *out)
{
	AUTO_QUERY q;
	int rc = query_open(&q, p->st.db, "SELECT " TERMS_COLUMNS " FROM roles r WHERE r.name = ?1",
			    DB_T(role));

	return rc ? rc : terms_next(&q, out);
}

int people_role_list(struct people *p, const struct list_query *query, struct role_terms *out,
		     size_t max, size_t *n_out)
{
	size_t limit, n = 0;
	AUTO_QUERY q = {0};
	int rc = list_limit(query, max, &limit);

	if (!rc)
		rc = query_open(&q, p->st.db,
				"SELECT " TERMS_COLUMNS ", (SELECT COUNT(*) FROM user_roles ur"
				" WHERE ur.role_id = r.id) FROM roles r WHERE r.name > ?1"
				" ORDER BY r.name LIMIT ?2",
				DB_T(query->after), DB_I(limit));
	while (!rc && n < limit && (rc = query_next(&q)) == 1) {
		terms_read(&q, &out[n]);
		out[n++].users = (uint32_t)query_i64(&q, 8);
		rc = 0;
	}
	if (rc < 0)
		return rc;
	*n_out = n;
	return 0;
}

/* The secret that was verified must still be in force: it may have been changed meanwhile. */
static int account_still(struct db *db, const struct account *a, const char *new_hash)
{
	const char *hash = *new_hash ? new_hash : a->hash;
	int64_t rows = 0;
	int rc;

	if (a->badge_id)
		rc = db_run_count(db, &rows,
				  "UPDATE badges SET pin_hash = ?3 WHERE id = ?1 AND pin_hash = ?2"
				  " AND EXISTS (SELECT 1 FROM users u WHERE u.id = user_id"
				  " AND u.state = 'enabled')",
				  DB_I(a->badge_id), DB_T(a->hash), DB_T(hash));
	else
		rc = db_run_count(db, &rows,
				  "UPDATE users SET hash = ?3 WHERE id = ?1 AND hash = ?2"
				  " AND state = 'enabled'",
				  DB_I(a->id), DB_T(a->hash), DB_T(hash));
	if (!rc && rows != 1)
		rc = err_set(ERR_CONFLICT, "the account was changed meanwhile");
	return rc;
}

int people_login_add(struct people *p, const struct account *a, const char *new_hash,
		     const struct login_session *s)
{
	struct db *db = p->st.db;
	int rc = account_still(db, a, new_hash);

	if (!rc)
		rc = db_run(db,
			    "UPDATE users SET last_login_at = ?2, last_device = ?3 WHERE id = ?1",
			    DB_I(a->id), DB_I(s->started), DB_T(s->device));
	if (!rc)
		rc = db_run(db, "DELETE FROM logins WHERE until_at < ?1",
			    DB_I(s->started - SESSIONS_KEPT_MS));
	return rc ? rc
		  : db_run(db,
			   "INSERT INTO logins (login_id, user_id, device, ward, role, method,"
			   " started_at, until_at, ended_at)"
			   " VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, 0)",
			   DB_T(s->login_id), DB_I(a->id), DB_T(s->device), DB_T(s->ward),
			   DB_T(s->role), DB_T(s->method), DB_I(s->started), DB_I(s->until));
}

int people_login_list(struct people *p, const struct list_query *query, int64_t now_ms,
		      struct login_session *out, size_t max, size_t *n_out)
{
	int64_t before = *query->after ? strtoll(query->after, NULL, 10) : INT64_MAX;
	size_t limit, n = 0;
	AUTO_QUERY q = {0};
	int rc = list_limit(query, max, &limit);

	if (!rc)
		rc = query_open(
			&q, p->st.db,
			"SELECT l.id, l.login_id, u.name, l.device, l.ward, l.role, l.method,"
			" l.started_at, l.until_at, l.ended_at FROM logins l"
			" JOIN users u ON u.id = l.user_id WHERE l.id < ?1"
			" AND (?2 = '' OR l.device = ?2)"
			" AND (?3 = 0 OR (l.ended_at = 0 AND l.until_at > ?4))"
			" ORDER BY l.id DESC LIMIT ?5",
			DB_I(before), DB_T(query->device), DB_I(query->live_only), DB_I(now_ms),
			DB_I(limit));
	while (!rc && n < limit && (rc = query_next(&q)) == 1) {
		struct login_session *s = &out[n++];

		memset(s, 0, sizeof(*s));
		query_text(&q, 0, s->key, sizeof(s->key));
		query_text(&q, 1, s->login_id, sizeof(s->login_id));
		query_text(&q, 2, s->user, sizeof(s->user));
		query_text(&q, 3, s->device, sizeof(s->device));
		query_text(&q, 4, s->ward, sizeof(s->ward));
		query_text(&q, 5, s->role, sizeof(s->role));
		query_text(&q, 6, s->method, sizeof(s->method));
		s->started = query_i64(&q, 7);
		s->until = query_i64(&q, 8);
		s->ended = query_i64(&q, 9);
		rc = 0;
	}
	if (rc < 0)
		return rc;
	*n_out = n;
	return 0;
}
