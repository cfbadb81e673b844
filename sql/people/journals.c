/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Owns what pumps deliver: journal records, each stored once and in order, and the generation of
 * their verifiers, which may only rise.
 */
#include "sql/people/glass.h"
#include "sql/people/people_db.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"

#define JOURNALS_MAX 1000 /* of one pump, in all its life */

static int policy_read(struct db *db, struct login_terms *terms)
{
	AUTO_QUERY q;
	int rc = query_open(&q, db, "SELECT epoch, tombstone FROM policy WHERE one = 1");

	if (!rc)
		rc = query_next(&q);
	if (rc <= 0)
		return rc ? rc : err_set(ERR_CORRUPT, "the policy's row is missing");
	terms->policy_epoch = (uint64_t)query_i64(&q, 0);
	terms->tombstone = (uint64_t)query_i64(&q, 1);
	return 0;
}

static int stored_read(struct db *db, const char *device, const struct login_state *says,
		       int64_t *stored)
{
	int rc = db_number(db, stored,
			   "SELECT stored FROM journals WHERE device = ?1 AND journal = ?2",
			   DB_T(device), DB_B(says->journal.data, says->journal.len));

	*stored = rc == ERR_NOT_FOUND ? 0 : *stored;
	return rc == ERR_NOT_FOUND ? 0 : rc;
}

int people_pump_seen(struct people *p, const char *device, const struct login_state *says,
		     int64_t now_ms, struct login_terms *terms, bool *rolled_back)
{
	int64_t had = -1, stored = 0;
	int rc = policy_read(p->st.db, terms);

	if (!rc)
		rc = db_number(p->st.db, &had, "SELECT generation FROM pumps WHERE device = ?1",
			       DB_T(device));
	rc = rc == ERR_NOT_FOUND ? 0 : rc;
	if (!rc)
		rc = stored_read(p->st.db, device, says, &stored);
	/* 0: it holds none. What it says now is what the next is held against: told once. */
	*rolled_back = says->generation && had > 0 && says->generation < (uint64_t)had;
	if (!rc && (had < 0 || says->generation) && says->generation != (uint64_t)had &&
	    says->generation <= INT64_MAX)
		rc = db_run(p->st.db,
			    "INSERT INTO pumps (device, generation, seen_at) VALUES (?1, ?2, ?3)"
			    " ON CONFLICT (device) DO UPDATE SET generation = excluded.generation,"
			    " seen_at = excluded.seen_at",
			    DB_T(device), DB_I(says->generation), DB_I(now_ms));
	/* which codes an agent used whose store is gone or old, nobody knows */
	if (!rc && (*rolled_back || (had > 0 && !says->generation && says->journal.len)))
		rc = people_glass_distrust(p, device, now_ms);
	terms->stored = (uint64_t)stored;
	terms->drop = *rolled_back;
	return rc;
}

/* What a pump says is shown to people later: no control characters. */
static void visible(char *text)
{
	for (char *c = text; *c; c++)
		if ((unsigned char)*c < 0x20 || *c == 0x7f)
			*c = '?';
}

static int journal_note(struct db *db, const char *device, const char *ward, struct login_record r,
			int64_t now_ms)
{
	struct action by = {.actor = *r.user ? r.user : "-", .at = now_ms};
	char action[REASON_SIZE], at[CLOCK_TEXT_MAX];

	visible(r.what);
	visible(r.user);
	visible(r.role);
	visible(r.method);
	visible(r.result);
	visible(r.login_id);
	visible(r.detail);
	snprintf(action, sizeof(action), "pump.%s", r.what);
	clock_format(r.at, at);
	return audit_append(db, &by, action, device,
			    "offline number=%" PRIu64
			    " at=%s%s method=%s ward=%s role=%s result=%s login=%s %s",
			    r.seq, at, r.clock_unsure ? " (clock unsure)" : "", r.method, ward,
			    r.role, r.result, r.login_id, r.detail);
}

static int journal_room(struct db *db, const char *device)
{
	int64_t n;
	int rc = db_number(db, &n, "SELECT COUNT(*) FROM journals WHERE device = ?1", DB_T(device));

	if (!rc && n >= JOURNALS_MAX)
		rc = err_set(ERR_LIMIT, "pump %s has begun its journal too often", device);
	return rc;
}

int people_journal_add(struct people *p, const char *device, const char *ward,
		       const struct login_state *says, const struct login_record *r, int64_t now_ms,
		       uint64_t *stored)
{
	int64_t last = 0;
	int rc = stored_read(p->st.db, device, says, &last);

	if (!rc)
		*stored = (uint64_t)last;
	if (!rc && r->seq <= (uint64_t)last)
		return err_set(ERR_UNCHANGED, "that record is here already");
	if (!rc && r->seq != (uint64_t)last + 1)
		return err_set(ERR_CONFLICT, "record %" PRIu64 " follows on %" PRId64, r->seq,
			       last);
	if (!rc && last == 0)
		rc = journal_room(p->st.db, device);
	if (!rc)
		rc = journal_note(p->st.db, device, ward, *r, now_ms);
	if (!rc && !strcmp(r->what, "logout"))
		rc = db_run(p->st.db,
			    "UPDATE logins SET ended_at = ?3 WHERE login_id = ?1 AND device = ?2"
			    " AND ended_at = 0",
			    DB_T(r->login_id), DB_T(device), DB_I(now_ms));
	if (!rc && !strcmp(r->what, "break-glass"))
		rc = people_glass_used(p, device, r, now_ms);
	if (!rc && !strcmp(r->what, "rolled-back"))
		rc = people_glass_distrust(p, device, now_ms);
	if (!rc)
		rc = db_run(p->st.db,
			    "INSERT INTO journals (device, journal, stored) VALUES (?1, ?2, ?3)"
			    " ON CONFLICT (device, journal) DO UPDATE SET stored = excluded.stored",
			    DB_T(device), DB_B(says->journal.data, says->journal.len),
			    DB_I(r->seq));
	if (!rc)
		*stored = r->seq;
	return rc;
}
