/* SPDX-License-Identifier: BSD-2-Clause */
/* Owns the beginning and the end of rotations. Never asks a pump: rotation_run.c does. */
#include "sql/store/rotation.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sql/store/rotation_plan.h"
#include "sql/store/store_db.h"

/* Each pump's certificate in use, when it is due; one that has expired can't be renewed any more.
 * Of a CA other than the one that was registered last (?6: 1 only those, 2 those too) at any age.
 */
#define DUE_CERTIFICATES                                                                        \
	"SELECT c.id, d.ward, d.model FROM certificates c JOIN devices d ON d.id = c.device_id" \
	" WHERE c.state = 'valid' AND d.state = 'enrolled' AND c.not_after > ?1"                \
	" AND (?2 = '' OR d.model = ?2) AND (?3 = '' OR d.ward = ?3)"                           \
	" AND CASE WHEN c.issuer_id = (SELECT max(id) FROM issuers)"                            \
	"  THEN ?6 <> 1 AND (?1 - c.not_before) * 100 >= ?4 * (c.not_after - c.not_before)"     \
	"  ELSE ?6 > 0 OR (?1 - c.not_before) * 100 >= ?4 * (c.not_after - c.not_before) END"   \
	" AND NOT EXISTS (SELECT 1 FROM certificates n WHERE n.device_id = c.device_id"         \
	"  AND n.id > c.id AND n.state = 'valid') ORDER BY d.ward, d.model, d.serial LIMIT ?5"

struct plan {
	struct rotation_member *all;
	size_t n;
	uint32_t waves;
};

static void plan_free(struct plan *p)
{
	free(p->all);
}
#define AUTO_PLAN __attribute__((cleanup(plan_free))) struct plan

static int plan_grow(struct plan *p, size_t *room)
{
	size_t more = *room ? *room * 2 : 256;
	struct rotation_member *all = realloc(p->all, more * sizeof(*all));

	if (!all)
		return err_set(ERR_NOMEM, "no memory for a rotation");
	p->all = all;
	*room = more;
	return 0;
}

static int plan_read(struct db *db, int64_t now, const struct rotation_start *rq, struct plan *p)
{
	int choice = rq->old_ca ? 1 : rq->or_old_ca ? 2 : 0;
	AUTO_QUERY q;
	size_t room = 0;
	int rc = query_open(&q, db, DUE_CERTIFICATES, DB_I(now), DB_T(rq->model), DB_T(rq->ward),
			    DB_I(rq->due_percent), DB_I(ROTATION_PUMPS_MAX + 1), DB_I(choice));

	while (!rc && (rc = query_next(&q)) == 1) {
		rc = p->n < room ? 0 : plan_grow(p, &room);
		if (rc)
			break;
		p->all[p->n].certificate = query_i64(&q, 0);
		query_text(&q, 1, p->all[p->n].ward, LABEL_SIZE);
		query_text(&q, 2, p->all[p->n++].model, LABEL_SIZE);
	}
	if (rc)
		return rc;
	if (p->n == 0)
		return err_set(ERR_UNCHANGED, "no certificate is due");
	if (p->n > ROTATION_PUMPS_MAX)
		return err_set(ERR_LIMIT, "a rotation has at most %d pumps; take a ward or a model",
			       ROTATION_PUMPS_MAX);
	p->waves = rotation_plan(p->all, p->n, rq->canaries, rq->wave_max);
	return 0;
}

static int start_check(const struct rotation_start *rq)
{
	int rc = label_check("choice", rq->chosen);

	rc = rc ? rc : label_check("ward", rq->ward);
	rc = rc ? rc : label_check("model", rq->model);
	if (rc)
		return rc;
	if (rq->wave_max < 1 || rq->wave_max > ROTATION_WAVE_MAX)
		return err_set(ERR_INVALID, "a wave has 1 to %d pumps", ROTATION_WAVE_MAX);
	if (rq->canaries > ROTATION_WAVE_MAX)
		return err_set(ERR_INVALID, "at most %d canaries", ROTATION_WAVE_MAX);
	if (rq->due_percent > 100 || rq->budget_percent > 100)
		return err_set(ERR_INVALID, "percent go from 0 to 100");
	if (rq->quiet_from >= 1440 || rq->quiet_until >= 1440)
		return err_set(ERR_INVALID, "a day has 1440 minutes");
	if (rq->patience_ms < 1000 || rq->patience_ms > 365LL * 86400 * 1000)
		return err_set(ERR_INVALID, "patience goes from a second to a year");
	return 0;
}

static int none_open(struct db *db)
{
	int64_t n;
	int rc = db_number(db, &n,
			   "SELECT count(*) FROM rotations WHERE state IN ('running', 'halted')");

	if (!rc && n)
		rc = err_set(ERR_CONFLICT, "another rotation is not at its end: pumpctl cert "
					   "rotation shows it");
	return rc;
}

static int plan_store(struct db *db, const struct action *by, const struct rotation_start *rq,
		      const struct plan *p, int64_t *id)
{
	char object[32];
	int rc = db_number(
		db, id,
		"INSERT INTO rotations (state, chosen, requested_at, requested_by,"
		" patience_ms, budget_percent, quiet_from, quiet_until, waves, wave,"
		" pumps, forgiven, resumed, why, ended_at) VALUES ('running', ?1, ?2, ?3, ?4, ?5,"
		" ?6, ?7, ?8, -1, ?9, 0, 0, '', 0) RETURNING id",
		DB_T(rq->chosen), DB_I(by->at), DB_T(by->actor), DB_I(rq->patience_ms),
		DB_I(rq->budget_percent), DB_I(rq->quiet_from), DB_I(rq->quiet_until),
		DB_I(p->waves), DB_I(p->n));

	for (size_t i = 0; !rc && i < p->n; i++)
		rc = db_run(db,
			    "INSERT INTO rotation_certificates (rotation_id, certificate_id, wave,"
			    " state, asked_at, ended_at) VALUES (?1, ?2, ?3, 'waiting', 0, 0)",
			    DB_I(*id), DB_I(p->all[i].certificate), DB_I(p->all[i].wave));
	snprintf(object, sizeof(object), "rotation %" PRId64, rc ? 0 : *id);
	return rc ? rc
		  : audit_append(db, by, "rotation.start", object, "pumps=%zu waves=%u chosen=%s",
				 p->n, p->waves, rq->chosen);
}

int store_rotation_start(struct store *st, const struct action *by, const struct rotation_start *rq,
			 struct rotation *out)
{
	AUTO_PLAN p = {0};
	AUTO_TX tx = {0};
	int64_t id = 0;
	int rc = start_check(rq);

	if (!rc)
		rc = tx_begin(&tx, st->db);
	if (!rc && !rq->dry_run)
		rc = none_open(st->db);
	if (!rc)
		rc = plan_read(st->db, by->at, rq, &p);
	if (!rc && rq->dry_run) {
		*out = (struct rotation){.pumps = p.n, .waiting = p.n, .waves = p.waves};
		return str_copy(out->state, sizeof(out->state), "planned");
	}
	if (!rc)
		rc = plan_store(st->db, by, rq, &p, &id);
	if (!rc)
		rc = tx_commit(&tx);
	return rc ? rc : store_rotation_show(st, (uint64_t)id, out);
}

/* The canaries' wave has pumps of many wards: shown without one. */
static void wave_add(struct rotation_wave *w, const struct rotation_member *m)
{
	w->wave = m->wave;
	w->pumps++;
	w->waiting++;
	if (m->wave) {
		memcpy(w->ward, m->ward, sizeof(w->ward));
		memcpy(w->model, m->model, sizeof(w->model));
	}
}

int store_rotation_preview(struct store *st, int64_t now, const struct rotation_start *rq,
			   struct rotation_wave *out, size_t max, size_t *n_out)
{
	AUTO_PLAN p = {0};
	int rc = start_check(rq);

	if (!rc)
		rc = plan_read(st->db, now, rq, &p);
	if (rc)
		return rc;
	memset(out, 0, max * sizeof(*out));
	*n_out = p.waves < max ? p.waves : max;
	for (size_t i = 0; i < p.n; i++)
		if (p.all[i].wave < *n_out)
			wave_add(&out[p.all[i].wave], &p.all[i]);
	return 0;
}

static int state_read(struct db *db, uint64_t id, char out[STATE_SIZE])
{
	AUTO_QUERY q;
	int rc = query_open(&q, db, "SELECT state FROM rotations WHERE id = ?1", DB_I(id));

	if (!rc)
		rc = query_next(&q);
	if (rc == 0)
		return err_set(ERR_NOT_FOUND, "there is no rotation %" PRIu64, id);
	if (rc < 0)
		return rc;
	query_text(&q, 0, out, STATE_SIZE);
	return 0;
}

static int change_check(const char *was, const struct rotation_step *rq)
{
	bool resume = !strcmp(rq->state, "running");

	if (!resume && strcmp(rq->state, "cancelled"))
		return err_set(ERR_INVALID, "a rotation is resumed or cancelled");
	if (!strcmp(was, rq->state))
		return err_set(ERR_UNCHANGED, "rotation %" PRIu64 " is %s", rq->id, was);
	if (resume ? strcmp(was, "halted") != 0 : strcmp(was, "running") && strcmp(was, "halted"))
		return err_set(ERR_CONFLICT, "rotation %" PRIu64 " is %s", rq->id, was);
	return 0;
}

int store_rotation_change(struct store *st, const struct action *by, const struct rotation_step *rq)
{
	char was[STATE_SIZE], object[32];
	AUTO_TX tx;
	int rc = tx_begin(&tx, st->db);

	if (!rc)
		rc = state_read(st->db, rq->id, was);
	if (!rc)
		rc = change_check(was, rq);
	if (!rc)
		rc = db_run(st->db,
			    "UPDATE rotations SET state = ?2, why = '', ended_at = ?3,"
			    " resumed = resumed + 1, forgiven ="
			    " (SELECT count(*) FROM rotation_certificates WHERE rotation_id = ?1"
			    "  AND state = 'failed') WHERE id = ?1",
			    DB_I(rq->id), DB_T(rq->state),
			    DB_I(!strcmp(rq->state, "cancelled") ? by->at : 0));
	snprintf(object, sizeof(object), "rotation %" PRIu64, rq->id);
	if (!rc)
		rc = audit_append(st->db, by,
				  !strcmp(rq->state, "running") ? "rotation.resume"
								: "rotation.cancel",
				  object, "was=%s", was);
	return rc ? rc : tx_commit(&tx);
}
