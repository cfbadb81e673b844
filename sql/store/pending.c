/* SPDX-License-Identifier: BSD-2-Clause */
/* Owns the table pending_changes. Never carries anything out: registryd's writer does. */
#include "sql/store/pending.h"

#include <stdio.h>
#include <string.h>

#include "sql/store/store_db.h"

#define PENDING_COLUMNS                                                             \
	"SELECT d.serial, p.action, p.reason, p.asked_at, p.asked_by, p.at_latest," \
	" COALESCE(r.infusing, ''), COALESCE(r.at, 0) FROM pending_changes p"       \
	" JOIN devices d ON d.id = p.device_id LEFT JOIN reports r ON r.device_id = d.id"

static void pending_read(const struct query *q, struct pending_change *out)
{
	*out = (struct pending_change){.asked_at = query_i64(q, 3),
				       .at_latest = query_i64(q, 5),
				       .reported_at = query_i64(q, 7)};
	query_text(q, 0, out->device, sizeof(out->device));
	query_text(q, 1, out->action, sizeof(out->action));
	query_text(q, 2, out->reason, sizeof(out->reason));
	query_text(q, 4, out->asked_by, sizeof(out->asked_by));
	query_text(q, 6, out->infusing, sizeof(out->infusing));
}

static int rows_read(struct query *q, int rc, struct pending_change *out, size_t max, size_t *n_out)
{
	size_t n = 0;

	while (!rc && n < max && (rc = query_next(q)) == 1) {
		pending_read(q, &out[n++]);
		rc = 0;
	}
	if (rc < 0)
		return rc;
	*n_out = n;
	return 0;
}

/* ERR_UNCHANGED: the pump is so already. */
static int change_check(struct db *db, const struct standing_change *rq, int64_t *device_out)
{
	bool already = false;
	int rc;

	if (!strcmp(rq->action, "revoke"))
		return device_for_revocation(db, rq->device, device_out);
	rc = placement_check(db, rq, device_out, &already);
	return !rc && already ? err_set(ERR_UNCHANGED, "%s is so already", rq->device) : rc;
}

static int same_waits(struct db *db, int64_t device, const struct standing_change *rq,
		      bool *waits_out)
{
	int64_t n;
	int rc = db_number(db, &n,
			   "SELECT count(*) FROM pending_changes WHERE device_id = ?1"
			   " AND action = ?2 AND reason = ?3 AND (at_latest = 0) = (?4 = 0)",
			   DB_I(device), DB_T(rq->action), DB_T(rq->reason), DB_I(rq->at_latest));

	if (rc || !n)
		return rc;
	*waits_out = true;
	return err_set(ERR_UNCHANGED, "%s waits already", rq->device);
}

static int pending_put(struct db *db, const struct action *by, int64_t device,
		       const struct standing_change *rq)
{
	char what[STATE_SIZE + 16];
	int rc = db_run(db,
			"INSERT INTO pending_changes (device_id, action, reason, asked_at,"
			" asked_by, at_latest) VALUES (?1, ?2, ?3, ?4, ?5, ?6)"
			" ON CONFLICT (device_id) DO UPDATE SET action = ?2, reason = ?3,"
			" asked_at = ?4, asked_by = ?5, at_latest = ?6",
			DB_I(device), DB_T(rq->action), DB_T(rq->reason), DB_I(by->at),
			DB_T(by->actor), DB_I(rq->at_latest));

	snprintf(what, sizeof(what), "pump.%s-waits", rq->action);
	return rc ? rc
		  : audit_append(db, by, what, rq->device, "until it is idle%s reason=%s",
				 rq->at_latest ? " or its time is over" : "", rq->reason);
}

int store_pending_add(struct store *st, const struct action *by, const struct standing_change *rq,
		      bool *waits_out)
{
	int64_t device = 0;
	AUTO_TX tx = {0};
	int rc = label_check("reason", rq->reason);

	*waits_out = false;
	if (!rc && rq->at_latest && rq->at_latest <= by->at)
		rc = err_set(ERR_INVALID, "the latest time is not in the future");
	if (!rc)
		rc = tx_begin(&tx, st->db);
	if (!rc)
		rc = change_check(st->db, rq, &device);
	if (!rc)
		rc = same_waits(st->db, device, rq, waits_out);
	if (!rc)
		rc = pending_put(st->db, by, device, rq);
	if (!rc)
		rc = tx_commit(&tx);
	if (!rc)
		*waits_out = true;
	return rc;
}

int store_pending_cancel(struct store *st, const struct action *by, const char *device)
{
	int64_t gone = 0;
	AUTO_TX tx = {0};
	int rc = tx_begin(&tx, st->db);

	if (!rc)
		rc = db_run_count(st->db, &gone,
				  "DELETE FROM pending_changes WHERE device_id ="
				  " (SELECT id FROM devices WHERE serial = ?1)",
				  DB_T(device));
	if (!rc && !gone)
		return err_set(ERR_NOT_FOUND, "nothing waits for pump %.63s to be idle", device);
	if (!rc)
		rc = audit_append(st->db, by, "pump.waits-no-more", device, "cancelled");
	return rc ? rc : tx_commit(&tx);
}

int store_pending_list(struct store *st, const struct list_query *q, struct pending_change *out,
		       size_t max, size_t *n_out)
{
	AUTO_QUERY rows = {0};
	size_t limit;
	int rc = list_limit(q, max, &limit);

	if (!rc)
		rc = query_open(&rows, st->db,
				PENDING_COLUMNS
				" WHERE d.serial > ?1 AND (?2 = '' OR d.serial = ?2)"
				" ORDER BY d.serial LIMIT ?3",
				DB_T(q->after), DB_T(q->device), DB_I(limit));
	return rows_read(&rows, rc, out, limit, n_out);
}

int store_pending_show(struct store *st, const char *device, struct pending_change *out)
{
	AUTO_QUERY q;
	int rc = query_open(&q, st->db, PENDING_COLUMNS " WHERE d.serial = ?1", DB_T(device));

	if (!rc)
		rc = query_next(&q);
	if (rc == 0)
		return err_set(ERR_NOT_FOUND, "nothing waits for pump %.63s to be idle", device);
	if (rc < 0)
		return rc;
	pending_read(&q, out);
	return 0;
}

int store_pending_due(struct store *st, int64_t now, struct pending_change *out, size_t max,
		      size_t *n_out, int64_t *next_out, uint64_t *waiting_out)
{
	int64_t next = 0, waiting = 0;
	AUTO_QUERY q = {0};
	int rc = db_number(st->db, &waiting, "SELECT count(*) FROM pending_changes");

	if (!rc)
		rc = db_number(st->db, &next,
			       "SELECT COALESCE(min(at_latest), 0) FROM pending_changes"
			       " WHERE at_latest > ?1",
			       DB_I(now));
	if (!rc)
		rc = query_open(&q, st->db,
				PENDING_COLUMNS " WHERE (r.infusing = 'idle' AND r.at > ?1)"
						" OR (p.at_latest > 0 AND p.at_latest <= ?2)"
						" ORDER BY p.asked_at, d.serial LIMIT ?3",
				DB_I(now - STORE_IDLE_FRESH_MS), DB_I(now), DB_I(max));
	rc = rows_read(&q, rc, out, max, n_out);
	if (rc)
		return rc;
	*next_out = next ? next : INT64_MAX;
	*waiting_out = (uint64_t)waiting;
	return 0;
}

int pending_of_device(struct db *db, int64_t id, struct device *out)
{
	AUTO_QUERY q;
	int rc = query_open(&q, db,
			    "SELECT action, asked_at, asked_by, at_latest FROM pending_changes"
			    " WHERE device_id = ?1",
			    DB_I(id));

	if (!rc)
		rc = query_next(&q);
	if (rc <= 0)
		return rc;
	query_text(&q, 0, out->waiting, sizeof(out->waiting));
	out->waiting_since = query_i64(&q, 1);
	query_text(&q, 2, out->waiting_by, sizeof(out->waiting_by));
	out->waiting_at_latest = query_i64(&q, 3);
	return 0;
}
