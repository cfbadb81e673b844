/* SPDX-License-Identifier: BSD-2-Clause */
/* Owns which break-glass codes are good, used, and named afterwards. */
#include "sql/people/glass.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "sql/people/people_db.h"

static int want_check(const struct action *by, const struct glass_want *w)
{
	int64_t left_ms = w->not_after - by->at;

	if (device_serial_check(w->device) || label_check("ward", w->ward))
		return ERR_INVALID;
	if (w->codes < 1 || w->codes > BREAK_GLASS_PER_PUMP)
		return err_set(ERR_INVALID, "1 to %d codes for a pump", BREAK_GLASS_PER_PUMP);
	if (left_ms <= 0 || left_ms > GLASS_DAYS_MAX * INT64_C(86400000))
		return err_set(ERR_INVALID, "codes are good for 1 to %d days", GLASS_DAYS_MAX);
	return 0;
}

static int open_void(struct db *db, const char *device, int64_t *n_out)
{
	return db_run_count(db, n_out,
			    "UPDATE break_glass SET state = 'void' WHERE device = ?1"
			    " AND state = 'open'",
			    DB_T(device));
}

static int code_insert(struct db *db, const struct action *by, const struct glass_want *w,
		       const struct role_terms *terms, const struct glass_new *k, uint64_t *id_out)
{
	int64_t id = 0;
	int rc = db_run(
		db,
		"INSERT INTO break_glass (device, ward, role, session_s, idle_s, salt, hash,"
		" state, issued_at, issued_by, not_after, used_at, told_at, reviewed_at,"
		" reviewed_by, person, reason) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, 'open',"
		" ?8, ?9, ?10, 0, 0, 0, '', '', '')",
		DB_T(w->device), DB_T(w->ward), DB_T(w->role), DB_I(terms->session_s),
		DB_I(terms->idle_s), DB_B(k->salt, sizeof(k->salt)), DB_B(k->hash, sizeof(k->hash)),
		DB_I(by->at), DB_T(by->actor), DB_I(w->not_after));

	rc = rc ? rc : db_number(db, &id, "SELECT MAX(id) FROM break_glass");
	*id_out = (uint64_t)id;
	return rc;
}

int people_glass_add(struct people *p, const struct action *by, const struct glass_want *w,
		     const struct glass_new *codes, uint64_t ids_out[BREAK_GLASS_PER_PUMP])
{
	struct db *db = p->st.db;
	struct role_terms terms;
	int64_t replaced = 0;
	int rc = want_check(by, w);

	rc = rc ? rc : people_role_terms(p, w->role, &terms);
	rc = rc ? rc : open_void(db, w->device, &replaced);
	for (uint32_t i = 0; !rc && i < w->codes; i++)
		rc = code_insert(db, by, w, &terms, &codes[i], &ids_out[i]);
	return rc ? rc
		  : audit_append(db, by, "break-glass.issue", w->device,
				 "codes=%" PRIu64 "-%" PRIu64 " ward=%s role=%s replaced=%" PRId64,
				 ids_out[0], ids_out[w->codes - 1], w->ward, w->role, replaced);
}

int people_glass_of(struct people *p, const char *device, int64_t now_ms, struct login_code *out,
		    size_t max, size_t *n_out)
{
	size_t n = 0;
	AUTO_QUERY q;
	int rc = query_open(&q, p->st.db,
			    "SELECT id, salt, hash, not_after, role, session_s, idle_s"
			    " FROM break_glass WHERE device = ?1 AND state = 'open'"
			    " AND not_after > ?2 ORDER BY id LIMIT ?3",
			    DB_T(device), DB_I(now_ms), DB_I(max));

	while (!rc && n < max && (rc = query_next(&q)) == 1) {
		struct login_code *k = &out[n++];

		memset(k, 0, sizeof(*k));
		k->id = (uint64_t)query_i64(&q, 0);
		rc = query_blob(&q, 1, &k->salt, BREAK_GLASS_SALT);
		rc = rc ? rc : query_blob(&q, 2, &k->hash, BREAK_GLASS_HASH);
		k->not_after = query_i64(&q, 3);
		query_text(&q, 4, k->role, sizeof(k->role));
		k->session_s = (uint32_t)query_i64(&q, 5);
		k->idle_s = (uint32_t)query_i64(&q, 6);
	}
	if (rc < 0)
		return rc;
	*n_out = n;
	return 0;
}

int people_glass_used(struct people *p, const char *device, const struct login_record *r,
		      int64_t now_ms)
{
	uint64_t id = break_glass_detail_parse(r->detail);

	if (!id || id > INT64_MAX)
		return 0;
	/* void and expired ones too: the pump had not heard of that yet */
	return db_run(p->st.db,
		      "UPDATE break_glass SET state = 'used', used_at = ?3, told_at = ?4"
		      " WHERE id = ?1 AND device = ?2 AND state IN ('open', 'void')",
		      DB_I(id), DB_T(device), DB_I(r->at), DB_I(now_ms));
}

int people_glass_distrust(struct people *p, const char *device, int64_t now_ms)
{
	const struct action by = {.actor = "-", .at = now_ms};
	int64_t n = 0;
	int rc = open_void(p->st.db, device, &n);

	if (rc || !n)
		return rc;
	return audit_append(p->st.db, &by, "break-glass.void", device,
			    "codes=%" PRId64 " because the pump shows an older store than before",
			    n);
}

/* ---- people ---- */

static void glass_read(const struct query *q, int64_t now_ms, struct glass *g)
{
	memset(g, 0, sizeof(*g));
	query_text(q, 0, g->key, sizeof(g->key));
	g->id = (uint64_t)query_i64(q, 0);
	query_text(q, 1, g->device, sizeof(g->device));
	query_text(q, 2, g->ward, sizeof(g->ward));
	query_text(q, 3, g->role, sizeof(g->role));
	query_text(q, 4, g->state, sizeof(g->state));
	g->issued_at = query_i64(q, 5);
	query_text(q, 6, g->issued_by, sizeof(g->issued_by));
	g->not_after = query_i64(q, 7);
	g->used_at = query_i64(q, 8);
	g->told_at = query_i64(q, 9);
	g->reviewed_at = query_i64(q, 10);
	query_text(q, 11, g->reviewed_by, sizeof(g->reviewed_by));
	query_text(q, 12, g->person, sizeof(g->person));
	query_text(q, 13, g->reason, sizeof(g->reason));
	if (!strcmp(g->state, "open") && g->not_after <= now_ms)
		memcpy(g->state, "expired", sizeof("expired"));
}

int people_glass_list(struct people *p, const struct list_query *query, int64_t now_ms,
		      struct glass *out, size_t max, size_t *n_out)
{
	int64_t before = *query->after ? strtoll(query->after, NULL, 10) : INT64_MAX;
	size_t limit, n = 0;
	AUTO_QUERY q = {0};
	int rc = list_limit(query, max, &limit);

	if (!rc)
		rc = query_open(
			&q, p->st.db,
			"SELECT id, device, ward, role, state, issued_at, issued_by, not_after,"
			" used_at, told_at, reviewed_at, reviewed_by, person, reason"
			" FROM break_glass WHERE id < ?1 AND (?2 = '' OR device = ?2)"
			" AND (?3 = '' OR ward = ?3) AND (?4 = '' OR state = ?4)"
			" ORDER BY id DESC LIMIT ?5",
			DB_I(before), DB_T(query->device), DB_T(query->ward), DB_T(query->state),
			DB_I(limit));
	while (!rc && n < limit && (rc = query_next(&q)) == 1) {
		glass_read(&q, now_ms, &out[n++]);
		rc = 0;
	}
	if (rc < 0)
		return rc;
	*n_out = n;
	return 0;
}

int people_glass_count(struct people *p, int64_t now_ms, struct glass_count *out)
{
	int64_t open = 0, used = 0;
	int rc = db_number(p->st.db, &open,
			   "SELECT COUNT(*) FROM break_glass WHERE state = 'open'"
			   " AND not_after > ?1",
			   DB_I(now_ms));

	rc = rc ? rc
		: db_number(p->st.db, &used,
			    "SELECT COUNT(*) FROM break_glass WHERE state = 'used'");
	out->open = (uint64_t)open;
	out->unreviewed = (uint64_t)used;
	return rc;
}

/* ERR_NOT_FOUND. */
static int glass_state(struct db *db, const struct glass_review *r, char *device, char *state,
		       bool *is_same)
{
	char person[LOGIN_DISPLAY_SIZE], reason[TEXT_SIZE];
	AUTO_QUERY q;
	int rc = query_open(&q, db,
			    "SELECT device, state, person, reason FROM break_glass WHERE id = ?1",
			    DB_I(r->id));

	rc = rc ? rc : query_next(&q);
	if (rc <= 0)
		return rc ? rc : err_set(ERR_NOT_FOUND, "there is no code %" PRIu64, r->id);
	query_text(&q, 0, device, DEVICE_SERIAL_SIZE);
	query_text(&q, 1, state, STATE_SIZE);
	query_text(&q, 2, person, sizeof(person));
	query_text(&q, 3, reason, sizeof(reason));
	*is_same = !strcmp(person, r->person) && !strcmp(reason, r->reason);
	return 0;
}

static int review_check(const char *state, const struct glass_review *r, bool is_same)
{
	if (!strcmp(state, "reviewed"))
		return is_same ? err_set(ERR_UNCHANGED, "code %" PRIu64 " is reviewed just so",
					 r->id)
			       : err_set(ERR_EXISTS, "code %" PRIu64 " was reviewed before", r->id);
	return strcmp(state, "used")
		       ? err_set(ERR_CONFLICT, "no pump has said that code %" PRIu64 " was used",
				 r->id)
		       : 0;
}

int people_glass_review(struct people *p, const struct action *by, const struct glass_review *r)
{
	char device[DEVICE_SERIAL_SIZE], state[STATE_SIZE];
	struct db *db = p->st.db;
	bool is_same = false;
	AUTO_TX tx = {0};
	int rc = label_check("name", r->person);

	rc = rc ? rc : label_check("reason", r->reason);
	if (!rc && (!*r->person || !*r->reason))
		rc = err_set(ERR_INVALID, "say who it was, and why");
	rc = rc ? rc : tx_begin(&tx, db);
	rc = rc ? rc : glass_state(db, r, device, state, &is_same);
	rc = rc ? rc : review_check(state, r, is_same);
	rc = rc ? rc
		: db_run(db,
			 "UPDATE break_glass SET state = 'reviewed', reviewed_at = ?2,"
			 " reviewed_by = ?3, person = ?4, reason = ?5 WHERE id = ?1",
			 DB_I(r->id), DB_I(by->at), DB_T(by->actor), DB_T(r->person),
			 DB_T(r->reason));
	rc = rc ? rc
		: audit_append(db, by, "break-glass.review", device, "code=%" PRIu64 " by %s: %s",
			       r->id, r->person, r->reason);
	return rc ? rc : tx_commit(&tx);
}

int people_glass_void(struct people *p, const struct action *by, const struct glass_void *v,
		      uint64_t *n_out)
{
	struct db *db = p->st.db;
	int64_t n = 0;
	AUTO_TX tx = {0};
	int rc = label_check("reason", v->reason);

	if (!rc && !*v->device == !*v->ward)
		rc = err_set(ERR_INVALID, "codes of one pump, or of one ward");
	rc = rc ? rc : tx_begin(&tx, db);
	rc = rc ? rc
		: db_run_count(db, &n,
			       "UPDATE break_glass SET state = 'void' WHERE state = 'open'"
			       " AND (?1 = '' OR device = ?1) AND (?2 = '' OR ward = ?2)",
			       DB_T(v->device), DB_T(v->ward));
	if (!rc && !n)
		rc = err_set(ERR_UNCHANGED, "there is no code to make void");
	rc = rc ? rc
		: audit_append(db, by, "break-glass.void", *v->device ? v->device : v->ward,
			       "codes=%" PRId64 " %s", n, v->reason);
	rc = rc ? rc : tx_commit(&tx);
	if (!rc)
		*n_out = (uint64_t)n;
	return rc;
}
