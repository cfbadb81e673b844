/* SPDX-License-Identifier: BSD-2-Clause */
/* Owns the carrying out of a rotation, step by step. Never decides who is in which wave. */
#include <inttypes.h>
#include <stdio.h>

#include "sql/store/rotation.h"
#include "sql/store/rotation_plan.h"
#include "sql/store/store_db.h"

struct running {
	int64_t id, patience_ms, wave, waves, forgiven, resumed;
	uint32_t budget_percent, quiet_from, quiet_until;
};

static int running_read(struct db *db, struct running *out)
{
	AUTO_QUERY q;
	int rc =
		query_open(&q, db,
			   "SELECT id, patience_ms, wave, waves, forgiven, resumed, budget_percent,"
			   " quiet_from, quiet_until FROM rotations WHERE state = 'running'");

	if (!rc)
		rc = query_next(&q);
	if (rc < 0)
		return rc;
	if (rc == 0)
		return err_set(ERR_NOT_FOUND, "no rotation runs");
	*out = (struct running){
		query_i64(&q, 0),	    query_i64(&q, 1),		query_i64(&q, 2),
		query_i64(&q, 3),	    query_i64(&q, 4),		query_i64(&q, 5),
		(uint32_t)query_i64(&q, 6), (uint32_t)query_i64(&q, 7), (uint32_t)query_i64(&q, 8)};
	return 0;
}

int store_rotation_late(struct store *st, int64_t now, struct rotation_late *out, size_t *n_out)
{
	struct running r;
	AUTO_QUERY q = {0};
	size_t n = 0;
	int rc = running_read(st->db, &r);

	if (!rc)
		rc = query_open(&q, st->db,
				"SELECT r.certificate_id, d.serial, r.asked_at"
				" FROM rotation_certificates r"
				" JOIN certificates c ON c.id = r.certificate_id"
				" JOIN devices d ON d.id = c.device_id WHERE r.rotation_id = ?1"
				" AND r.wave = ?2 AND r.state = 'asked' AND r.asked_at <= ?3"
				" AND c.state = 'valid' LIMIT ?4",
				DB_I(r.id), DB_I(r.wave), DB_I(now - r.patience_ms),
				DB_I(ROTATION_LATE_MAX));
	while (!rc && n < ROTATION_LATE_MAX && (rc = query_next(&q)) == 1) {
		out[n] = (struct rotation_late){.certificate = query_i64(&q, 0),
						.asked_at = query_i64(&q, 2)};
		query_text(&q, 1, out[n++].device, DEVICE_SERIAL_SIZE);
		rc = 0;
	}
	if (rc < 0)
		return rc;
	*n_out = n;
	return 0;
}

/* Those that pumps or people have settled meanwhile; a late one may come after all. */
static int settle(struct db *db, const struct running *r, int64_t now, int64_t *changed)
{
	int64_t renewed = 0, gone = 0;
	int rc = db_run_count(db, &renewed,
			      "UPDATE rotation_certificates SET state = 'renewed', ended_at = ?2"
			      " WHERE rotation_id = ?1 AND wave <= ?3"
			      " AND state IN ('asked', 'failed', 'absent') AND certificate_id IN"
			      " (SELECT id FROM certificates WHERE state = 'superseded')",
			      DB_I(r->id), DB_I(now), DB_I(r->wave));

	if (!rc)
		rc = db_run_count(db, &gone,
				  "UPDATE rotation_certificates SET state = 'gone', ended_at = ?2"
				  " WHERE rotation_id = ?1 AND wave <= ?3"
				  " AND state IN ('asked', 'failed', 'absent') AND certificate_id"
				  " IN (SELECT id FROM certificates WHERE state = 'revoked')",
				  DB_I(r->id), DB_I(now), DB_I(r->wave));
	*changed += renewed + gone;
	return rc;
}

static int late_settle(struct db *db, const struct running *r, int64_t now,
		       const struct rotation_late *late, size_t n, int64_t *changed)
{
	int64_t done = 0;
	int rc = 0;

	for (size_t i = 0; !rc && i < n; i++, *changed += done)
		rc = db_run_count(db, &done,
				  "UPDATE rotation_certificates SET state = ?3, ended_at = ?4"
				  " WHERE rotation_id = ?1 AND certificate_id = ?2"
				  " AND state = 'asked'",
				  DB_I(r->id), DB_I(late[i].certificate),
				  DB_T(late[i].was_seen ? "failed" : "absent"), DB_I(now));
	return rc;
}

static int count(struct db *db, const struct running *r, const char *state, int64_t *out)
{
	return db_number(db, out,
			 "SELECT count(*) FROM rotation_certificates WHERE rotation_id = ?1"
			 " AND state = ?2",
			 DB_I(r->id), DB_T(state));
}

static int state_set(struct db *db, const struct action *by, const struct running *r,
		     const char *state, const char *action, const char *why)
{
	char object[32];
	int rc = db_run(db,
			"UPDATE rotations SET state = ?2, why = ?3, ended_at = CASE ?2"
			" WHEN 'done' THEN ?4 ELSE 0 END WHERE id = ?1",
			DB_I(r->id), DB_T(state), DB_T(why), DB_I(by->at));

	snprintf(object, sizeof(object), "rotation %" PRId64, r->id);
	return rc ? rc : audit_append(db, by, action, object, "%s", why);
}

static int wave_ask(struct db *db, const struct action *by, struct running *r)
{
	int64_t asked = 0;
	char object[32];
	int rc = db_run(db, "UPDATE rotations SET wave = ?2 WHERE id = ?1", DB_I(r->id),
			DB_I(r->wave + 1));

	r->wave++;
	if (!rc)
		rc = db_run_count(db, &asked,
				  "UPDATE rotation_certificates SET state = 'asked', asked_at = ?3"
				  " WHERE rotation_id = ?1 AND wave = ?2 AND state = 'waiting'",
				  DB_I(r->id), DB_I(r->wave), DB_I(by->at));
	snprintf(object, sizeof(object), "rotation %" PRId64, r->id);
	return rc ? rc
		  : audit_append(db, by, "rotation.wave", object, "wave=%" PRId64 " asked=%" PRId64,
				 r->wave, asked);
}

static bool has_wave(struct db *db, const struct running *r, int64_t wave)
{
	int64_t n = 0;

	return !db_number(db, &n,
			  "SELECT EXISTS (SELECT 1 FROM rotation_certificates"
			  " WHERE rotation_id = ?1 AND wave = ?2)",
			  DB_I(r->id), DB_I(wave)) &&
	       n;
}

/* Where it goes from here, once what happened is settled. */
static int go_on(struct db *db, const struct action *by, uint32_t minute, struct running *r,
		 int64_t *changed)
{
	int64_t asked, failed, renewed;
	char why[TEXT_SIZE];
	int rc = count(db, r, "asked", &asked);

	rc = rc ? rc : count(db, r, "failed", &failed);
	rc = rc ? rc : count(db, r, "renewed", &renewed);
	if (rc)
		return rc;
	failed -= r->forgiven;
	if (failed > 0 &&
	    rotation_must_halt((uint32_t)r->wave, (uint64_t)failed,
			       (uint64_t)(asked + failed + renewed), r->budget_percent)) {
		snprintf(why, sizeof(why), "%" PRId64 " of %" PRId64 " pumps%s failed to renew",
			 failed, asked + failed + renewed, r->wave ? "" : " (canaries)");
		*changed += 1;
		return state_set(db, by, r, "halted", "rotation.halt", why);
	}
	if (asked)
		return 0;
	if (r->wave == 0 && !renewed && !r->resumed && has_wave(db, r, 0)) {
		*changed += 1;
		return state_set(db, by, r, "halted", "rotation.halt",
				 "no canary renewed: none of them is on the network");
	}
	if (r->wave + 1 >= r->waves) {
		*changed += 1;
		return state_set(db, by, r, "done", "rotation.done", "");
	}
	if (rotation_is_quiet(r->quiet_from, r->quiet_until, minute))
		return 0;
	*changed += 1;
	rc = wave_ask(db, by, r);
	return rc ? rc : settle(db, r, by->at, changed); /* some have renewed by themselves */
}

int store_rotation_step(struct store *st, const struct action *by, uint32_t minute,
			const struct rotation_late *late, size_t n_late, bool *changed_out)
{
	struct running r;
	int64_t changed = 0;
	AUTO_TX tx;
	int rc = tx_begin(&tx, st->db);

	if (!rc)
		rc = running_read(st->db, &r);
	if (!rc)
		rc = settle(st->db, &r, by->at, &changed);
	if (!rc)
		rc = late_settle(st->db, &r, by->at, late, n_late, &changed);
	if (!rc)
		rc = go_on(st->db, by, minute, &r, &changed);
	*changed_out = changed > 0;
	if (rc || !changed) /* nothing to keep */
		return rc;
	return tx_commit(&tx);
}
