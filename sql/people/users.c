/* SPDX-License-Identifier: BSD-2-Clause */
/* Owns what admins do with accounts: add, enable, disable, secrets, badges. */
#include "sql/people/people_db.h"

#include <string.h>

#define BADGES_MAX 8 /* of one person */

static int badge_check(const char *number)
{
	for (const char *c = number; *c; c++)
		if ((unsigned char)*c <= 0x20 || (unsigned char)*c >= 0x7f)
			return err_set(ERR_INVALID, "badge '%s': only printable ASCII, no blanks",
				       number);
	return 0;
}

static bool is_source(const char *source)
{
	return !strcmp(source, "local") || !strcmp(source, "directory");
}

static int user_check(const struct user_add *u, const char *source)
{
	if (!*u->name || strlen(u->name) >= LOGIN_USER_SIZE)
		return err_set(ERR_INVALID, "a user's name has 1 to %d bytes", LOGIN_USER_SIZE - 1);
	if (!is_source(source))
		return err_set(ERR_INVALID, "user %s: source is 'local' or 'directory', not '%s'",
			       u->name, source);
	if (!strcmp(source, "directory") && u->password.len)
		return err_set(ERR_INVALID, "user %s: the directory has the password", u->name);
	if (u->pin.len && !*u->badge)
		return err_set(ERR_INVALID, "user %s: a PIN goes with a badge", u->name);
	if ((*u->ward || *u->model) && !*u->role)
		return err_set(ERR_INVALID, "user %s: ward and model go with a role", u->name);
	if (label_check("name", u->name) || label_check("display", u->display) ||
	    label_check("ward", u->ward) || label_check("model", u->model))
		return ERR_INVALID;
	return badge_check(u->badge);
}

/* ERR_UNCHANGED or ERR_EXISTS when there is such a user. */
static int user_compare(struct db *db, const struct user_add *u, const char *source)
{
	char display[LOGIN_DISPLAY_SIZE], has[LOGIN_WORD_SIZE];
	AUTO_QUERY q;
	int rc = query_open(&q, db, "SELECT display, source, expires_at FROM users WHERE name = ?1",
			    DB_T(u->name));

	if (!rc)
		rc = query_next(&q);
	if (rc <= 0)
		return rc;
	query_text(&q, 0, display, sizeof(display));
	query_text(&q, 1, has, sizeof(has));
	if (!strcmp(display, u->display) && !strcmp(has, source) && query_i64(&q, 2) == u->expires)
		return err_set(ERR_UNCHANGED, "user %s is there already", u->name);
	return err_set(ERR_EXISTS, "there is another user %s", u->name);
}

/* Gives badge `number` to the user, or a new PIN to a badge that the user has. */
static int badge_put(struct db *db, int64_t user, const char *number, const char *pin_hash,
		     int64_t now)
{
	int64_t owner, n;
	int rc =
		db_number(db, &owner, "SELECT user_id FROM badges WHERE number = ?1", DB_T(number));

	if (!rc && owner != user)
		return err_set(ERR_EXISTS, "badge %s is another user's", number);
	if (!rc)
		return db_run(db, "UPDATE badges SET pin_hash = ?2 WHERE number = ?1", DB_T(number),
			      DB_T(pin_hash));
	if (rc == ERR_NOT_FOUND)
		rc = db_number(db, &n, "SELECT COUNT(*) FROM badges WHERE user_id = ?1",
			       DB_I(user));
	if (!rc && n >= BADGES_MAX)
		rc = err_set(ERR_LIMIT, "a user has at most %d badges", BADGES_MAX);
	return rc ? rc
		  : db_run(db,
			   "INSERT INTO badges (number, user_id, pin_hash, added_at)"
			   " VALUES (?1, ?2, ?3, ?4)",
			   DB_T(number), DB_I(user), DB_T(pin_hash), DB_I(now));
}

static int user_insert(struct db *db, const struct action *by, const struct user_add *u,
		       const char *source, const char *hash)
{
	return db_run(
		db,
		"INSERT INTO users (name, display, source, state, state_by, state_reason, hash,"
		" expires_at, added_at, last_login_at, last_device)"
		" VALUES (?1, ?2, ?3, 'enabled', ?4, '', ?5, ?6, ?7, 0, '')",
		DB_T(u->name), DB_T(u->display), DB_T(source), DB_T(by->actor), DB_T(hash),
		DB_I(u->expires), DB_I(by->at));
}

int people_user_add(struct people *p, const struct action *by, const struct user_add *u,
		    const char *hash, const char *pin_hash)
{
	const char *source = *u->source ? u->source : "local";
	struct db *db = p->st.db;
	int64_t user = 0, role = 0;
	int rc = user_check(u, source);

	if (!rc)
		rc = user_compare(db, u, source);
	if (!rc && *u->role)
		rc = role_id(db, u->role, &role);
	if (!rc)
		rc = user_insert(db, by, u, source, hash);
	if (!rc)
		rc = user_id(db, u->name, &user);
	if (!rc && *u->badge)
		rc = badge_put(db, user, u->badge, pin_hash, by->at);
	if (!rc && role)
		rc = user_role_put(db, user, role, u->ward, u->model);
	return rc ? rc
		  : audit_append(db, by, "user.add", u->name,
				 "source=%s password=%s badge=%s role=%s ward=%s model=%s", source,
				 *hash ? "yes" : "no", *u->badge ? "yes" : "no", u->role, u->ward,
				 u->model);
}

int people_user_state(struct people *p, const struct action *by, const struct user_state *s)
{
	struct db *db = p->st.db;
	bool disable = !strcmp(s->state, "disabled");
	int64_t user, rows = 0;
	AUTO_TX tx = {0};
	int rc = disable || !strcmp(s->state, "enabled")
			 ? label_check("reason", s->reason)
			 : err_set(ERR_INVALID, "an account is 'enabled' or 'disabled'");

	if (!rc)
		rc = tx_begin(&tx, db);
	if (!rc)
		rc = user_id(db, s->name, &user);
	if (!rc)
		rc = db_run_count(db, &rows,
				  "UPDATE users SET state = ?2, state_by = ?3, state_reason = ?4"
				  " WHERE id = ?1 AND (state <> ?2 OR state_by = '" PEOPLE_RESTORED
				  "')",
				  DB_I(user), DB_T(s->state), DB_T(by->actor), DB_T(s->reason));
	if (!rc && rows == 0)
		rc = err_set(ERR_UNCHANGED, "user %s is %s already", s->name, s->state);
	if (!rc && disable)
		rc = tombstone_add(db, user, by->at);
	if (!rc && disable)
		rc = db_run(db,
			    "UPDATE logins SET ended_at = ?2 WHERE user_id = ?1 AND ended_at = 0",
			    DB_I(user), DB_I(by->at));
	if (!rc)
		rc = audit_append(db, by, disable ? "user.disable" : "user.enable", s->name, "%s",
				  s->reason);
	if (!rc)
		rc = withdrawal_note(p, disable ? WITHDRAWAL_DISABLED : WITHDRAWAL_ENABLED, s->name,
				     by->at);
	return rc ? rc : tx_commit(&tx);
}

static int password_put(struct db *db, int64_t user, const char *name, const char *hash)
{
	int64_t rows = 0;
	int rc = db_run_count(db, &rows,
			      "UPDATE users SET hash = ?2 WHERE id = ?1 AND source = 'local'",
			      DB_I(user), DB_T(hash));

	if (!rc && rows == 0)
		rc = err_set(ERR_CONFLICT, "user %s logs in with the directory's password", name);
	return rc;
}

static int badge_remove(struct db *db, int64_t user, const char *name, const char *number)
{
	int64_t rows = 0;
	int rc = db_run_count(db, &rows, "DELETE FROM badges WHERE user_id = ?1 AND number = ?2",
			      DB_I(user), DB_T(number));

	if (!rc && rows == 0)
		rc = err_set(ERR_UNCHANGED, "user %s has no badge %s", name, number);
	return rc;
}

int people_user_secret(struct people *p, const struct action *by, const struct user_secret *s,
		       const char *hash)
{
	struct db *db = p->st.db;
	int64_t user;
	AUTO_TX tx = {0};
	int rc = badge_check(s->badge);

	if (!rc && s->remove && !*s->badge)
		rc = err_set(ERR_INVALID, "which badge is to be taken away?");
	if (!rc)
		rc = tx_begin(&tx, db);
	if (!rc)
		rc = user_id(db, s->name, &user);
	if (!rc && s->remove)
		rc = badge_remove(db, user, s->name, s->badge);
	else if (!rc && *s->badge)
		rc = badge_put(db, user, s->badge, hash, by->at);
	else if (!rc)
		rc = password_put(db, user, s->name, hash);
	if (!rc)
		rc = tombstone_add(db, user, by->at);
	if (!rc)
		rc = audit_append(db, by,
				  s->remove   ? "user.badge-remove"
				  : *s->badge ? "user.badge"
					      : "user.password",
				  s->name, "%s", s->badge);
	if (!rc)
		rc = withdrawal_note(p, WITHDRAWAL_CHANGED, s->name, by->at);
	return rc ? rc : tx_commit(&tx);
}
