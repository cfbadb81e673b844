/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Owns what happens to a clinician database that is older than the list of withdrawals beside it:
 * nobody comes back by it. Runs in credd before it serves.
 */
#include "sql/people/people_db.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define DISABLED_LATER "after a restore: was disabled later"
#define CHANGED_LATER "after a restore: password, PIN, badge or role was changed later"

struct catch_up {
	struct people *p;
	uint64_t number, epoch;		  /* of the database */
	uint64_t list_number, list_epoch; /* the highest of the list */
	uint64_t lines;
	struct people_gap gap;
};

/* First pass: how far the list goes. */
static int line_count(void *ctx, const struct withdrawal *x)
{
	struct catch_up *c = ctx;

	c->lines++;
	if (x->number > c->list_number)
		c->list_number = x->number;
	if (x->epoch > c->list_epoch)
		c->list_epoch = x->epoch;
	return 0;
}

/* A changed secret outweighs being disabled: being enabled again says nothing about it. */
static int hold(struct catch_up *c, const struct withdrawal *x, const char *reason)
{
	int64_t rows = 0;
	int rc = db_run_count(c->p->st.db, &rows,
			      "UPDATE users SET state = 'disabled', state_by = '" PEOPLE_RESTORED
			      "', state_reason = ?2 WHERE name = ?1 AND NOT (state = 'disabled'"
			      " AND state_by = '" PEOPLE_RESTORED
			      "' AND state_reason = '" CHANGED_LATER "')",
			      DB_T(x->name), DB_T(reason));
	int64_t known;

	if (rc || rows)
		return rc;
	rc = user_id(c->p->st.db, x->name, &known); /* held already */
	if (rc != ERR_NOT_FOUND)
		return rc;
	c->gap.unknown++;
	return 0;
}

/* Second pass, in its order. Being enabled again undoes what this pass did for being disabled, and
 * nothing else. */
static int line_apply(void *ctx, const struct withdrawal *x)
{
	struct catch_up *c = ctx;

	if (x->number <= c->number)
		return 0;
	switch (x->kind) {
	case WITHDRAWAL_DISABLED:
		c->gap.withdrawals++;
		return hold(c, x, DISABLED_LATER);
	case WITHDRAWAL_CHANGED:
		c->gap.withdrawals++;
		return hold(c, x, CHANGED_LATER);
	case WITHDRAWAL_ENABLED:
		return db_run(c->p->st.db,
			      "UPDATE users SET state = 'enabled' WHERE name = ?1"
			      " AND state_by = '" PEOPLE_RESTORED
			      "' AND state_reason = '" DISABLED_LATER "'",
			      DB_T(x->name));
	default:
		return 0;
	}
}

/* Above everything that any pump has heard: the list's numbers, and for the epoch the seconds since
 * 1970, which also passes a list that is lost. */
static int policy_raise(struct catch_up *c, int64_t now_ms)
{
	uint64_t number = c->list_number > c->number ? c->list_number : c->number;
	uint64_t epoch = c->list_epoch > c->epoch ? c->list_epoch : c->epoch;
	uint64_t now_s = (uint64_t)(now_ms / 1000);

	epoch = epoch + 1 > now_s ? epoch + 1 : now_s;
	return db_run(c->p->st.db, "UPDATE policy SET tombstone = ?1, epoch = ?2 WHERE one = 1",
		      DB_I(number), DB_I(epoch));
}

/* One account whose holding is not yet told to pumps. ERR_NOT_FOUND: none. */
static int held_next(struct catch_up *c, int64_t *id, struct user_state *out)
{
	AUTO_QUERY q;
	int rc = query_open(&q, c->p->st.db,
			    "SELECT u.id, u.name, u.state_reason FROM users u"
			    " WHERE u.state = 'disabled' AND u.state_by = '" PEOPLE_RESTORED
			    "' AND NOT EXISTS (SELECT 1 FROM tombstones t WHERE t.user_id = u.id"
			    " AND t.seq > ?1) ORDER BY u.id LIMIT 1",
			    DB_I(c->list_number));

	if (!rc)
		rc = query_next(&q);
	if (rc <= 0)
		return rc ? rc : err_set(ERR_NOT_FOUND, "nobody else");
	*id = query_i64(&q, 0);
	query_text(&q, 1, out->name, sizeof(out->name));
	query_text(&q, 2, out->reason, sizeof(out->reason));
	return 0;
}

static int held_tell(struct catch_up *c, const struct action *by)
{
	struct db *db = c->p->st.db;
	struct user_state u;
	int64_t id;
	int rc;

	while ((rc = held_next(c, &id, &u)) == 0) {
		rc = tombstone_add(db, id, by->at);
		if (!rc)
			rc = db_run(db,
				    "UPDATE logins SET ended_at = ?2 WHERE user_id = ?1"
				    " AND ended_at = 0",
				    DB_I(id), DB_I(by->at));
		if (!rc)
			rc = audit_append(db, by, "user.disable", u.name, "%s", u.reason);
		if (!rc)
			rc = withdrawal_note(c->p, WITHDRAWAL_DISABLED, u.name, by->at);
		if (rc)
			return rc;
		c->gap.held++;
	}
	return rc == ERR_NOT_FOUND ? 0 : rc;
}

static int gap_close(struct catch_up *c, int64_t now_ms)
{
	const struct action by = {.actor = PEOPLE_RESTORED, .at = now_ms};
	struct db *db = c->p->st.db;
	int64_t codes = 0;
	AUTO_TX tx = {0};
	int rc = tx_begin(&tx, db);

	if (!rc)
		rc = withdrawals_each(c->p->withdrawals, line_apply, c);
	if (!rc)
		rc = policy_raise(c, now_ms);
	if (!rc)
		rc = held_tell(c, &by);
	if (!rc)
		rc = db_run_count(db, &codes,
				  "UPDATE break_glass SET state = 'void' WHERE state = 'open'");
	if (!rc)
		rc = audit_append(db, &by, "clinicians.behind", "",
				  "withdrawals=%" PRIu64 " held=%" PRIu64 " unknown=%" PRIu64
				  " from=%" PRIu64 " to=%" PRIu64 " codes-void=%" PRId64,
				  c->gap.withdrawals, c->gap.held, c->gap.unknown, c->number,
				  c->list_number, codes);
	if (!rc) /* the new epoch and number: nothing is behind after this */
		rc = withdrawal_note(c->p, WITHDRAWAL_TERMS, "-", now_ms);
	return rc ? rc : tx_commit(&tx);
}

int people_catch_up(const char *path, int64_t now_ms, struct people_gap *out)
{
	AUTO_PEOPLE p = NULL;
	struct catch_up c = {0};
	int64_t number = 0, epoch = 0;
	int rc = people_open(path, true, &p);

	*out = (struct people_gap){0};
	c.p = p;
	if (!rc)
		rc = db_number(p->st.db, &number, "SELECT tombstone FROM policy WHERE one = 1");
	if (!rc)
		rc = db_number(p->st.db, &epoch, "SELECT epoch FROM policy WHERE one = 1");
	c.number = (uint64_t)number;
	c.epoch = (uint64_t)epoch;
	if (!rc)
		rc = withdrawals_each(p->withdrawals, line_count, &c);
	if (!rc && (c.lines == 0 || c.list_number < c.number)) {
		c.gap.list_began = true;
		rc = withdrawal_note(p, WITHDRAWAL_BEGIN, "-", now_ms);
	} else if (!rc && (c.list_number > c.number || c.list_epoch > c.epoch)) {
		rc = gap_close(&c, now_ms);
	}
	if (!rc)
		*out = c.gap;
	return rc;
}
