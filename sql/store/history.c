/* SPDX-License-Identifier: BSD-2-Clause */
/* Owns reading a pump's history out of audit and orders, and the registry's totals. */
#include "sql/store/recall.h"
#include "sql/store/store_db.h"

#include <stdio.h>
#include <string.h>

#define EXPIRING_MS (14LL * 24 * 3600 * 1000)

static int events_of_audit(struct db *db, const char *device, int64_t before, struct event *out,
			   size_t max, size_t *n_out)
{
	char actor[LABEL_SIZE];
	AUTO_QUERY q;
	size_t n = 0;
	int rc = query_open(&q, db,
			    "SELECT at, action, actor, detail FROM audit"
			    " WHERE object = ?1 AND at < ?2 ORDER BY seq DESC LIMIT ?3",
			    DB_T(device), DB_I(before), DB_I(max));

	while (!rc && n < max && (rc = query_next(&q)) == 1) {
		struct event *e = &out[n++];

		*e = (struct event){.at = query_i64(&q, 0), .source = "audit"};
		query_text(&q, 1, e->what, sizeof(e->what));
		query_text(&q, 2, actor, sizeof(actor));
		memcpy(e->identity, actor, sizeof(actor));
		query_text(&q, 3, e->detail, sizeof(e->detail));
		snprintf(e->device, sizeof(e->device), "%s", device);
		rc = 0;
	}
	*n_out = n;
	return rc < 0 ? rc : 0;
}

static int events_of_orders(struct db *db, const char *device, int64_t before, struct event *out,
			    size_t max, size_t *n_out)
{
	AUTO_QUERY q;
	size_t n = 0;
	int rc = query_open(&q, db,
			    "SELECT o.changed_at, o.state, o.cause, o.nas, o.attempts,"
			    " o.last_result, o.error_cause, o.rtt_us, o.detail"
			    " FROM devices d JOIN orders o ON o.device_id = d.id"
			    " WHERE d.serial = ?1 AND o.changed_at < ?2"
			    " ORDER BY o.changed_at DESC, o.id DESC LIMIT ?3",
			    DB_T(device), DB_I(before), DB_I(max));

	while (!rc && n < max && (rc = query_next(&q)) == 1) {
		struct event *e = &out[n++];
		char result[STATE_SIZE], detail[TEXT_SIZE];

		*e = (struct event){.at = query_i64(&q, 0), .source = "dispatch"};
		query_text(&q, 1, e->what, sizeof(e->what));
		query_text(&q, 2, e->reason, sizeof(e->reason));
		query_text(&q, 3, e->nas, sizeof(e->nas));
		query_text(&q, 5, result, sizeof(result));
		query_text(&q, 8, detail, sizeof(detail));
		snprintf(e->detail, sizeof(e->detail),
			 "attempts=%lld last=%s error_cause=%lld rtt_us=%lld %.150s",
			 (long long)query_i64(&q, 4), *result ? result : "-",
			 (long long)query_i64(&q, 6), (long long)query_i64(&q, 7), detail);
		snprintf(e->device, sizeof(e->device), "%s", device);
		rc = 0;
	}
	*n_out = n;
	return rc < 0 ? rc : 0;
}

/* Merges two runs that are newest first; the second is moved in place after the first. */
void events_merge(struct event *rows, size_t n_first, size_t n_second)
{
	for (size_t i = n_first; i < n_first + n_second; i++) {
		struct event moving = rows[i];
		size_t at = i;

		while (at > 0 && rows[at - 1].at < moving.at)
			at--;
		memmove(&rows[at + 1], &rows[at], (i - at) * sizeof(rows[0]));
		rows[at] = moving;
	}
}

int store_events(struct store *st, const char *device, int64_t before, struct event *out,
		 size_t max, size_t *n_out)
{
	int64_t end = before ? before : INT64_MAX;
	size_t audit = 0, orders = 0;
	int rc = events_of_audit(st->db, device, end, out, max / 2, &audit);

	if (!rc)
		rc = events_of_orders(st->db, device, end, out + audit, max - audit, &orders);
	if (rc)
		return rc;
	events_merge(out, audit, orders);
	*n_out = audit + orders;
	return 0;
}

static int count_states(struct db *db, struct status *out)
{
	char state[STATE_SIZE];
	AUTO_QUERY q;
	int rc = query_open(&q, db,
			    "SELECT " DEVICE_PLACED
			    ", count(*) FROM devices d GROUP BY d.state, d.placement");

	while (!rc && (rc = query_next(&q)) == 1) {
		uint64_t n = (uint64_t)query_i64(&q, 1);

		query_text(&q, 0, state, sizeof(state));
		out->devices += n;
		if (!strcmp(state, "expected"))
			out->expected = n;
		else if (!strcmp(state, "enrolled"))
			out->enrolled = n;
		else if (!strcmp(state, "quarantined"))
			out->quarantined = n;
		else if (!strcmp(state, "parked"))
			out->parked = n;
		else
			out->revoked = n;
		rc = 0;
	}
	return rc;
}

static int count_ledger(struct db *db, struct status *out)
{
	AUTO_QUERY q;
	int rc = query_open(&q, db,
			    "SELECT compare_needed, compared_at,"
			    " (SELECT count(*) FROM certificates"
			    "  WHERE state = 'revoked' AND kept_at = 0),"
			    " (SELECT COALESCE(min(revoked_at), 0) FROM certificates"
			    "  WHERE state = 'revoked' AND kept_at = 0),"
			    " (SELECT count(*) FROM devices WHERE held_at > 0),"
			    " (SELECT count(*) FROM restored_gap WHERE merged_at = 0"
			    "  AND kind = 'lost') FROM ledger WHERE one = 1");

	if (!rc)
		rc = query_next(&q);
	if (rc <= 0)
		return rc;
	out->compare_needed = query_i64(&q, 0) != 0;
	out->compared_at = query_i64(&q, 1);
	out->unkept = (uint64_t)query_i64(&q, 2);
	out->unkept_oldest = query_i64(&q, 3);
	out->held = (uint64_t)query_i64(&q, 4);
	out->lost = (uint64_t)query_i64(&q, 5);
	return 0;
}

static int count_recalls(struct db *db, int64_t now, struct status *out)
{
	AUTO_QUERY q;
	int rc =
		query_open(&q, db,
			   "SELECT COALESCE(sum(CASE state WHEN 'requested' THEN 1 ELSE 0 END), 0),"
			   " COALESCE(sum(CASE state WHEN 'running' THEN 1 ELSE 0 END), 0),"
			   " COALESCE(sum(CASE state WHEN 'paused' THEN 1 ELSE 0 END), 0)"
			   " FROM recalls WHERE state <> 'requested' OR requested_at >= ?1",
			   DB_I(now - RECALL_LAPSE_MS));

	if (!rc)
		rc = query_next(&q);
	if (rc < 0)
		return rc;
	out->recalls_requested = (uint64_t)query_i64(&q, 0);
	out->recalls_running = (uint64_t)query_i64(&q, 1);
	out->recalls_paused = (uint64_t)query_i64(&q, 2);
	return 0;
}

int store_status(struct store *st, int64_t now, struct status *out)
{
	struct db *db = st->db;
	int64_t n[11] = {0}, waiting = 0;
	int rc = count_states(db, out);

	if (!rc)
		rc = count_ledger(db, out);
	if (!rc)
		rc = count_recalls(db, now, out);
	if (!rc)
		rc = db_number(db, &n[0],
			       "SELECT count(*) FROM certificates WHERE state = 'valid'");
	if (!rc)
		rc = db_number(db, &n[1],
			       "SELECT count(*) FROM certificates WHERE state = 'valid'"
			       " AND not_after < ?1",
			       DB_I(now + EXPIRING_MS));
	if (!rc)
		rc = db_number(db, &n[2],
			       "SELECT count(*) FROM orders WHERE state IN ('waiting', 'sent')");
	if (!rc)
		rc = db_number(db, &n[3],
			       "SELECT COALESCE(min(created_at), 0) FROM orders"
			       " WHERE state IN ('waiting', 'sent')");
	if (!rc)
		rc = db_number(db, &n[4], "SELECT count(*) FROM zones");
	if (!rc)
		rc = db_number(db, &n[5], "SELECT count(*) FROM nas");
	if (!rc)
		rc = db_number(db, &n[6], "SELECT COALESCE(max(seq), 0) FROM audit");
	if (!rc)
		rc = db_number(db, &n[7], "SELECT max(version) FROM schema_version");
	if (!rc)
		rc = db_number(db, &n[8],
			       "SELECT count(DISTINCT o.device_id)" ORDERS_UNTOLD " AND ?1 = 0",
			       DB_I(0), DB_I(now - UNTOLD_MS));
	if (!rc)
		rc = db_number(db, &n[9],
			       "SELECT count(*) FROM approvals WHERE state = 'waiting'"
			       " AND expires_at > ?1",
			       DB_I(now));
	if (!rc)
		rc = db_number(db, &waiting, "SELECT count(*) FROM pending_changes");
	if (!rc)
		rc = db_number(db, &n[10], "SELECT count(*) FROM alarms WHERE state = 'open'");
	if (rc)
		return rc;
	out->certificates = (uint64_t)n[0];
	out->expiring = (uint64_t)n[1];
	out->orders_open = (uint64_t)n[2];
	out->orders_oldest = n[3];
	out->zones = (uint64_t)n[4];
	out->nas = (uint64_t)n[5];
	out->audit_rows = (uint64_t)n[6];
	out->registry_schema = (uint32_t)n[7];
	out->untold = (uint64_t)n[8];
	out->approvals = (uint64_t)n[9];
	out->open_alarms = (uint64_t)n[10];
	out->waiting = (uint64_t)waiting;
	return 0;
}
