/* SPDX-License-Identifier: BSD-2-Clause */
/* Owns carrying a recall out, batch by batch. Never decides whether it may run: recall.c does. */
#include "sql/store/recall.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "sql/store/store_db.h"

int store_recall_running(struct store *st, struct recall *out)
{
	AUTO_QUERY q;
	int rc = query_open(&q, st->db,
			    "SELECT id, requested_by, reason, per_second FROM recalls"
			    " WHERE state = 'running' ORDER BY id LIMIT 1");

	if (!rc)
		rc = query_next(&q);
	if (rc < 0)
		return rc;
	if (rc == 0)
		return err_set(ERR_NOT_FOUND, "no recall runs");
	*out = (struct recall){.id = (uint64_t)query_i64(&q, 0),
			       .per_second = (uint32_t)query_i64(&q, 3)};
	query_text(&q, 1, out->requested_by, sizeof(out->requested_by));
	query_text(&q, 2, out->reason, sizeof(out->reason));
	return 0;
}

int store_recall_next(struct store *st, uint64_t id, char (*devices)[DEVICE_SERIAL_SIZE],
		      size_t max, size_t *n_out)
{
	AUTO_QUERY q;
	size_t n = 0;
	int rc = query_open(
		&q, st->db,
		"SELECT d.serial FROM recall_pumps p JOIN devices d ON d.id = p.device_id"
		" WHERE p.recall_id = ?1 AND p.state = 'waiting'"
		" ORDER BY p.device_id LIMIT ?2",
		DB_I(id), DB_I(max));

	while (!rc && n < max && (rc = query_next(&q)) == 1) {
		query_text(&q, 0, devices[n++], DEVICE_SERIAL_SIZE);
		rc = 0;
	}
	if (rc < 0)
		return rc;
	*n_out = n;
	return 0;
}

/* revocation 0: it had been revoked before. */
static int pump_settle(struct db *db, const struct recall *rc, int64_t device, int64_t revocation)
{
	return db_run(db,
		      "UPDATE recall_pumps SET state = ?3, revocation_id = ?4"
		      " WHERE recall_id = ?1 AND device_id = ?2 AND state = 'waiting'",
		      DB_I(rc->id), DB_I(device), DB_T(revocation ? "revoked" : "already"),
		      DB_REF(revocation));
}

struct tally {
	int64_t revoked, already;
};

static int pump_carry_out(struct db *db, const struct action *by, const struct recall *recall,
			  const struct recall_item *item, struct tally *t)
{
	struct revoke rq = {0};
	int64_t device, revocation = 0;
	int rc = device_for_revocation(db, item->device, &device);

	if (rc == ERR_UNCHANGED) {
		t->already++;
		return pump_settle(db, recall, device, 0);
	}
	if (rc)
		return rc;
	snprintf(rq.reason, sizeof(rq.reason), "recall %" PRIu64 ": %s", recall->id,
		 recall->reason);
	memcpy(rq.device, item->device, strnlen(item->device, sizeof(rq.device) - 1));
	rc = revoke_add(db, by, &rq, device, by->at, item->holds, item->n_holds);
	if (!rc)
		rc = revocation_latest(db, device, &revocation);
	if (!rc)
		rc = pump_settle(db, recall, device, revocation);
	t->revoked += !rc;
	return rc;
}

/* ERR_UNCHANGED: somebody paused or cancelled it. */
static int running_check(struct db *db, uint64_t id)
{
	int64_t n;
	int rc = db_number(db, &n,
			   "SELECT count(*) FROM recalls WHERE id = ?1 AND state = 'running'",
			   DB_I(id));

	return rc || n ? rc : err_set(ERR_UNCHANGED, "recall %" PRIu64 " does not run", id);
}

static int end_if_done(struct db *db, const struct action *by, uint64_t id)
{
	int64_t ended;
	char object[32];
	int rc = db_run_count(db, &ended,
			      "UPDATE recalls SET state = 'done', ended_at = ?2 WHERE id = ?1"
			      " AND NOT EXISTS (SELECT 1 FROM recall_pumps WHERE recall_id = ?1"
			      "  AND state = 'waiting')",
			      DB_I(id), DB_I(by->at));

	snprintf(object, sizeof(object), "recall %" PRIu64, id);
	return rc || !ended ? rc : audit_append(db, by, "recall.done", object, "all pumps");
}

int store_recall_carry_out(struct store *st, int64_t now, const struct recall *recall,
			   const struct recall_item *items, size_t n)
{
	const struct action by = {.actor = recall->requested_by, .at = now};
	const struct action registryd = {.actor = "registryd", .at = now};
	struct tally t = {0};
	AUTO_TX tx = {0};
	int rc = n <= STORE_RECALL_MAX ? tx_begin(&tx, st->db)
				       : err_set(ERR_LIMIT, "too many pumps at once");

	if (!rc)
		rc = running_check(st->db, recall->id);
	for (size_t i = 0; !rc && i < n; i++)
		rc = pump_carry_out(st->db, &by, recall, &items[i], &t);
	if (!rc)
		rc = db_run(st->db,
			    "UPDATE recalls SET revoked = revoked + ?2, already = already + ?3"
			    " WHERE id = ?1",
			    DB_I(recall->id), DB_I(t.revoked), DB_I(t.already));
	if (!rc)
		rc = end_if_done(st->db, &registryd, recall->id);
	return rc ? rc : tx_commit(&tx);
}
