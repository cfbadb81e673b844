/* SPDX-License-Identifier: BSD-2-Clause */
/* Owns who has which role where, and what a role is given. */
#include "sql/people/people_db.h"

#include <stdio.h>
#include <string.h>

#define SESSION_MAX_S (24 * 3600)
#define OFFLINE_MAX_S (7 * 24 * 3600)

int user_role_put(struct db *db, int64_t user, int64_t role, const char *ward, const char *model)
{
	return db_run(db,
		      "INSERT INTO user_roles (user_id, role_id, ward, model)"
		      " VALUES (?1, ?2, ?3, ?4) ON CONFLICT (user_id, ward, model)"
		      " DO UPDATE SET role_id = excluded.role_id",
		      DB_I(user), DB_I(role), DB_T(ward), DB_T(model));
}

/* The role that the user has for just this ward and model; 0: none. */
static int role_there(struct db *db, int64_t user, const struct user_role *r, int64_t *role_out)
{
	int rc = db_number(db, role_out,
			   "SELECT role_id FROM user_roles WHERE user_id = ?1 AND ward = ?2"
			   " AND model = ?3",
			   DB_I(user), DB_T(r->ward), DB_T(r->model));

	if (rc == ERR_NOT_FOUND) {
		*role_out = 0;
		return 0;
	}
	return rc;
}

static int role_change(struct db *db, int64_t user, int64_t role, const struct user_role *r)
{
	int64_t has;
	int rc = role_there(db, user, r, &has);

	if (!rc && (has == role) == !r->remove)
		rc = err_set(ERR_UNCHANGED, "user %s %s that role there", r->name,
			     r->remove ? "does not have" : "has");
	if (rc)
		return rc;
	if (!r->remove)
		return user_role_put(db, user, role, r->ward, r->model);
	return db_run(db, "DELETE FROM user_roles WHERE user_id = ?1 AND ward = ?2 AND model = ?3",
		      DB_I(user), DB_T(r->ward), DB_T(r->model));
}

int people_user_role(struct people *p, const struct action *by, const struct user_role *r)
{
	struct db *db = p->st.db;
	int64_t user, role;
	AUTO_TX tx = {0};
	int rc = label_check("ward", r->ward);

	if (!rc)
		rc = label_check("model", r->model);
	if (!rc)
		rc = tx_begin(&tx, db);
	if (!rc)
		rc = user_id(db, r->name, &user);
	if (!rc)
		rc = role_id(db, r->role, &role);
	if (!rc)
		rc = role_change(db, user, role, r);
	if (!rc) /* a role that is replaced is taken away too */
		rc = tombstone_add(db, user, by->at);
	if (!rc)
		rc = audit_append(db, by, r->remove ? "user.role-remove" : "user.role", r->name,
				  "role=%s ward=%s model=%s", r->role, r->ward, r->model);
	if (!rc)
		rc = withdrawal_note(p, WITHDRAWAL_CHANGED, r->name, by->at);
	return rc ? rc : tx_commit(&tx);
}

static int terms_check(const struct role_terms *t)
{
	if (name_check("role", t->role))
		return ERR_INVALID;
	if (t->session_s < 60 || t->session_s > SESSION_MAX_S)
		return err_set(ERR_INVALID, "a session lasts from 1 minute to 24 hours");
	if (t->idle_s < 10 || t->idle_s > t->session_s)
		return err_set(
			ERR_INVALID,
			"automatic log-off comes after 10 seconds at least, and not later than"
			" the session ends");
	if (t->offline &&
	    (t->offline_s < 60 || t->offline_s > OFFLINE_MAX_S || t->offline_failures < 1 ||
	     t->offline_failures > 10 || t->offline_people < 1 || t->offline_people > 200))
		return err_set(ERR_INVALID, "offline: 1 minute to 7 days, 1 to 10 wrong tries,"
					    " 1 to 200 people on a pump");
	return 0;
}

/* ERR_UNCHANGED: the role is just so. */
static int terms_compare(struct people *p, const struct role_terms *t)
{
	struct role_terms has;
	int rc = people_role_terms(p, t->role, &has);

	if (rc)
		return rc == ERR_NOT_FOUND ? 0 : rc;
	has.users = t->users;
	return memcmp(&has, t, sizeof(has)) ? 0 : err_set(ERR_UNCHANGED, "role %s is so", t->role);
}

int people_role_set(struct people *p, const struct action *by, const struct role_terms *t)
{
	struct role_terms clean = {0};
	struct db *db = p->st.db;
	AUTO_TX tx = {0};
	int rc = terms_check(t);

	snprintf(clean.role, sizeof(clean.role), "%s", t->role);
	clean.session_s = t->session_s;
	clean.idle_s = t->idle_s;
	clean.offline = t->offline;
	if (t->offline) {
		clean.offline_s = t->offline_s;
		clean.offline_failures = t->offline_failures;
		clean.offline_people = t->offline_people;
		clean.offline_passwords = t->offline_passwords;
	}
	if (!rc)
		rc = tx_begin(&tx, db);
	if (!rc)
		rc = terms_compare(p, &clean);
	if (!rc)
		rc = db_run(db,
			    "INSERT INTO roles (name, session_s, idle_s, offline, offline_s,"
			    " offline_failures, offline_people, offline_passwords)"
			    " VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)"
			    " ON CONFLICT (name) DO UPDATE SET session_s = excluded.session_s,"
			    " idle_s = excluded.idle_s, offline = excluded.offline,"
			    " offline_s = excluded.offline_s,"
			    " offline_failures = excluded.offline_failures,"
			    " offline_people = excluded.offline_people,"
			    " offline_passwords = excluded.offline_passwords",
			    DB_T(clean.role), DB_I(clean.session_s), DB_I(clean.idle_s),
			    DB_I(clean.offline), DB_I(clean.offline_s),
			    DB_I(clean.offline_failures), DB_I(clean.offline_people),
			    DB_I(clean.offline_passwords));
	if (!rc)
		rc = db_run(db, "UPDATE policy SET epoch = epoch + 1 WHERE one = 1");
	if (!rc)
		rc = audit_append(db, by, "role.set", clean.role,
				  "session_s=%u idle_s=%u offline_s=%u failures=%u people=%u"
				  " passwords=%s",
				  clean.session_s, clean.idle_s, clean.offline_s,
				  clean.offline_failures, clean.offline_people,
				  clean.offline_passwords ? "yes" : "no");
	if (!rc)
		rc = withdrawal_note(p, WITHDRAWAL_TERMS, "-", by->at);
	return rc ? rc : tx_commit(&tx);
}
