/* SPDX-License-Identifier: BSD-2-Clause */
/* Owns what admins see of accounts. No hash leaves through here. */
#include "sql/people/people_db.h"

#include <string.h>

#define USER_COLUMNS                                                                \
	"SELECT u.name, u.display, u.source, u.state, u.state_by, u.state_reason,"  \
	" u.expires_at, u.hash <> '',"                                              \
	" (SELECT COUNT(*) FROM badges b WHERE b.user_id = u.id),"                  \
	" (SELECT COUNT(*) FROM user_roles ur WHERE ur.user_id = u.id),"            \
	" (SELECT MIN(r.name) FROM user_roles ur JOIN roles r ON r.id = ur.role_id" \
	"  WHERE ur.user_id = u.id),"                                               \
	" (SELECT COUNT(*) FROM logins l WHERE l.user_id = u.id AND l.ended_at = 0" \
	"  AND l.until_at > ?1), u.added_at, u.last_login_at, u.last_device FROM users u"

static void user_read(const struct query *q, struct user *out)
{
	memset(out, 0, sizeof(*out));
	query_text(q, 0, out->name, sizeof(out->name));
	query_text(q, 1, out->display, sizeof(out->display));
	query_text(q, 2, out->source, sizeof(out->source));
	query_text(q, 3, out->state, sizeof(out->state));
	query_text(q, 4, out->state_by, sizeof(out->state_by));
	query_text(q, 5, out->state_reason, sizeof(out->state_reason));
	out->expires = query_i64(q, 6);
	out->has_password = query_i64(q, 7) != 0;
	out->badges = (uint32_t)query_i64(q, 8);
	out->roles = (uint32_t)query_i64(q, 9);
	query_text(q, 10, out->role, sizeof(out->role));
	out->sessions = (uint32_t)query_i64(q, 11);
	out->added_at = query_i64(q, 12);
	out->last_login = query_i64(q, 13);
	query_text(q, 14, out->last_device, sizeof(out->last_device));
}

int people_user_list(struct people *p, const struct list_query *query, int64_t now_ms,
		     struct user *out, size_t max, size_t *n_out)
{
	size_t limit, n = 0;
	AUTO_QUERY q = {0};
	int rc = list_limit(query, max, &limit);

	if (!rc)
		rc = query_open(&q, p->st.db,
				USER_COLUMNS " WHERE u.name > ?2 AND (?3 = '' OR u.state = ?3)"
					     " AND (?4 = '' OR EXISTS (SELECT 1 FROM user_roles w"
					     " WHERE w.user_id = u.id AND w.ward = ?4))"
					     " ORDER BY u.name LIMIT ?5",
				DB_I(now_ms), DB_T(query->after), DB_T(query->state),
				DB_T(query->ward), DB_I(limit));
	while (!rc && n < limit && (rc = query_next(&q)) == 1) {
		user_read(&q, &out[n++]);
		rc = 0;
	}
	if (rc < 0)
		return rc;
	*n_out = n;
	return 0;
}

int people_user_show(struct people *p, const char *name, int64_t now_ms, struct user *out)
{
	AUTO_QUERY q;
	int rc = query_open(&q, p->st.db, USER_COLUMNS " WHERE u.name = ?2", DB_I(now_ms),
			    DB_T(name));

	if (!rc)
		rc = query_next(&q);
	if (rc <= 0)
		return rc ? rc : err_set(ERR_NOT_FOUND, "there is no user '%s'", name);
	user_read(&q, out);
	return 0;
}

int people_user_roles(struct people *p, const char *name, struct user_role *out, size_t max,
		      size_t *n_out)
{
	int64_t user = 0;
	size_t n = 0;
	AUTO_QUERY q = {0};
	int rc = *name ? user_id(p->st.db, name, &user) : 0;

	if (!rc)
		rc = query_open(
			&q, p->st.db,
			"SELECT u.name, r.name, ur.ward, ur.model FROM user_roles ur"
			" JOIN users u ON u.id = ur.user_id JOIN roles r ON r.id = ur.role_id"
			" WHERE ?1 = 0 OR u.id = ?1 ORDER BY u.name, ur.ward, ur.model"
			" LIMIT ?2",
			DB_I(user), DB_I(max));
	while (!rc && n < max && (rc = query_next(&q)) == 1) {
		struct user_role *r = &out[n++];

		memset(r, 0, sizeof(*r));
		query_text(&q, 0, r->name, sizeof(r->name));
		query_text(&q, 1, r->role, sizeof(r->role));
		query_text(&q, 2, r->ward, sizeof(r->ward));
		query_text(&q, 3, r->model, sizeof(r->model));
		rc = 0;
	}
	if (rc < 0)
		return rc;
	*n_out = n;
	return 0;
}

int people_user_badges(struct people *p, const char *name, struct user_badge *out, size_t max,
		       size_t *n_out)
{
	int64_t user;
	size_t n = 0;
	AUTO_QUERY q = {0};
	int rc = user_id(p->st.db, name, &user);

	if (!rc)
		rc = query_open(
			&q, p->st.db,
			"SELECT number, added_at FROM badges WHERE user_id = ?1 ORDER BY id",
			DB_I(user));
	while (!rc && n < max && (rc = query_next(&q)) == 1) {
		memset(&out[n], 0, sizeof(out[n]));
		query_text(&q, 0, out[n].badge, sizeof(out[n].badge));
		out[n++].added_at = query_i64(&q, 1);
		rc = 0;
	}
	if (rc < 0)
		return rc;
	*n_out = n;
	return 0;
}
