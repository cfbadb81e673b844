/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Owns orders to wipe and what came of them. Never judges a signature: what reaches store_wiped was
 * verified by the signer.
 */
#include "sql/store/decommission.h"

#include <string.h>

#include "base/secret.h"
#include "sql/store/store_db.h"

#define ORDER_BYTES 16
#define ANSWER_MS 2000 /* so long does a wiped pump keep its port */

/* 1: the pump's latest order; 0: there is none. */
static int latest(struct db *db, const char *device, struct decommission *out)
{
	AUTO_QUERY q;
	int rc = query_open(&q, db,
			    "SELECT c.wipe_order, c.state, c.ordered_at, c.ordered_by, c.reason,"
			    " c.received_at, c.cert_serial, c.statement, c.signature"
			    " FROM devices d JOIN decommissions c ON c.device_id = d.id"
			    " WHERE d.serial = ?1 ORDER BY c.id DESC LIMIT 1",
			    DB_T(device));

	if (!rc)
		rc = query_next(&q);
	if (rc <= 0)
		return rc;
	*out = (struct decommission){.ordered_at = query_i64(&q, 2),
				     .received_at = query_i64(&q, 5)};
	memcpy(out->device, device, strnlen(device, sizeof(out->device) - 1));
	query_text(&q, 0, out->wipe_order, sizeof(out->wipe_order));
	query_text(&q, 1, out->state, sizeof(out->state));
	query_text(&q, 3, out->ordered_by, sizeof(out->ordered_by));
	query_text(&q, 4, out->reason, sizeof(out->reason));
	query_text(&q, 6, out->cert_serial, sizeof(out->cert_serial));
	rc = query_blob(&q, 7, &out->statement, sizeof(out->statement.data));
	rc = rc ? rc : query_blob(&q, 8, &out->signature, sizeof(out->signature.data));
	return rc ? rc : 1;
}

int store_decommission_show(struct store *st, const char *device, struct decommission *out)
{
	int rc = latest(st->db, device, out);

	if (rc == 0)
		return err_set(ERR_NOT_FOUND, "pump '%s' was never decommissioned", device);
	return rc < 0 ? rc : 0;
}

static int order_insert(struct db *db, const struct action *by, const struct standing_change *rq,
			int64_t device)
{
	char order[2 * ORDER_BYTES + 1];
	uint8_t random[ORDER_BYTES];
	int rc;

	secret_fill_random(random, sizeof(random));
	hex_encode(random, sizeof(random), order, sizeof(order));
	rc = db_run(db,
		    "INSERT INTO decommissions (device_id, wipe_order, state, ordered_at,"
		    " ordered_by, reason, received_at, cert_serial)"
		    " VALUES (?1, ?2, 'ordered', ?3, ?4, ?5, 0, '')",
		    DB_I(device), DB_T(order), DB_I(by->at), DB_T(by->actor), DB_T(rq->reason));
	return rc ? rc
		  : audit_append(db, by, "pump.decommission", rq->device, "order=%s reason=%s",
				 order, rq->reason);
}

int store_decommission(struct store *st, const struct action *by, const struct standing_change *rq,
		       int64_t asked_at, const struct foothold *holds, size_t n, bool *moved_out)
{
	struct standing_change move = *rq;
	struct decommission before = {0};
	int64_t device;
	AUTO_TX tx = {0};
	bool revoked;
	int rc = label_check("reason", rq->reason);

	*moved_out = false;
	if (!rc)
		rc = tx_begin(&tx, st->db);
	if (rc)
		return rc;
	rc = device_for_revocation(st->db, rq->device, &device);
	revoked = rc == ERR_UNCHANGED;
	if (rc && !revoked)
		return rc;
	rc = latest(st->db, rq->device, &before);
	if (rc < 0)
		return rc;
	if (rc == 1 && !strcmp(before.state, "ordered"))
		return 0;
	if (rc == 1 && revoked && !strcmp(before.state, "wiped"))
		return err_set(ERR_UNCHANGED, "pump %s is wiped", rq->device);
	memcpy(move.action, "quarantine", sizeof("quarantine"));
	rc = revoked ? 0 : placement_add(st->db, by, &move, asked_at, holds, n, moved_out);
	rc = rc ? rc : order_insert(st->db, by, rq, device);
	return rc ? rc : tx_commit(&tx);
}

int decommission_cancel(struct db *db, const struct action *by, const char *device)
{
	int64_t n;
	int rc = db_run_count(db, &n,
			      "UPDATE decommissions SET state = 'cancelled' WHERE state = 'ordered'"
			      " AND device_id = (SELECT id FROM devices WHERE serial = ?1)",
			      DB_T(device));

	return rc || !n ? rc
			: audit_append(db, by, "pump.decommission_cancelled", device, "%s", "");
}

int store_wipe_orders(struct store *st, const struct list_query *q, int64_t now,
		      struct wipe_order *out, size_t max, size_t *n_out)
{
	AUTO_QUERY rows;
	size_t limit, n = 0;
	int rc = list_limit(q, max, &limit);

	if (rc)
		return rc;
	rc = query_open(&rows, st->db,
			"SELECT wipe_order FROM decommissions WHERE (state = 'ordered'"
			" OR (state = 'wiped' AND received_at > ?3)) AND wipe_order > ?1"
			" ORDER BY wipe_order LIMIT ?2",
			DB_T(q->after), DB_I(limit), DB_I(now - STORE_WIPED_MS));
	while (!rc && n < limit && (rc = query_next(&rows)) == 1) {
		query_text(&rows, 0, out[n].wipe_order, sizeof(out[n].wipe_order));
		n++;
		rc = 0;
	}
	if (rc < 0)
		return rc;
	*n_out = n;
	return 0;
}

/* The pump that both the certificate and the order are of. ERR_DENIED; ERR_UNCHANGED. */
static int wiped_find(struct db *db, const struct wiped *w, int64_t *device, int64_t *order)
{
	char state[STATE_SIZE];
	AUTO_QUERY q;
	int rc = query_open(&q, db,
			    "SELECT d.id, o.id, o.state FROM issuers i"
			    " JOIN certificates c ON c.issuer_id = i.id AND c.serial = ?2"
			    " JOIN devices d ON d.id = c.device_id"
			    " JOIN decommissions o ON o.device_id = d.id"
			    " WHERE i.name = ?1 AND d.serial = ?3 AND o.wipe_order = ?4"
			    " AND c.state <> 'reserved'",
			    DB_T(w->issuer), DB_T(w->cert_serial), DB_T(w->device),
			    DB_T(w->wipe_order));

	if (!rc)
		rc = query_next(&q);
	if (rc < 0)
		return rc;
	if (rc == 0)
		return err_set(ERR_DENIED, "no such order for pump %s", w->device);
	*device = query_i64(&q, 0);
	*order = query_i64(&q, 1);
	query_text(&q, 2, state, sizeof(state));
	if (!strcmp(state, "wiped"))
		return err_set(ERR_UNCHANGED, "the statement of pump %s is here", w->device);
	return strcmp(state, "ordered")
		       ? err_set(ERR_DENIED, "the order for pump %s was taken back", w->device)
		       : 0;
}

/* The pump's port stays open until it has heard that its statement is here: that answer crosses the
 * network which the orders of this transaction close. */
static int orders_put_off(struct db *db, int64_t device, int64_t now)
{
	return db_run(db,
		      "UPDATE orders SET next_at = next_at + ?3"
		      " WHERE device_id = ?1 AND created_at = ?2 AND state = 'waiting'",
		      DB_I(device), DB_I(now), DB_I(ANSWER_MS));
}

int store_wiped(struct store *st, const struct action *by, const struct wiped *w,
		const struct foothold *holds, size_t n)
{
	struct revoke end = {.reason = "decommissioned: wiped"};
	int64_t device, order, again;
	AUTO_TX tx = {0};
	int rc = tx_begin(&tx, st->db);

	rc = rc ? rc : wiped_find(st->db, w, &device, &order);
	rc = rc ? rc
		: db_run(st->db,
			 "UPDATE decommissions SET state = 'wiped', received_at = ?2,"
			 " cert_serial = ?3, statement = ?4, signature = ?5 WHERE id = ?1",
			 DB_I(order), DB_I(by->at), DB_T(w->cert_serial),
			 DB_B(w->statement.data, w->statement.len),
			 DB_B(w->signature.data, w->signature.len));
	rc = rc ? rc
		: audit_append(st->db, by, "pump.wiped", w->device, "order=%s certificate=%s",
			       w->wipe_order, w->cert_serial);
	if (rc)
		return rc;
	rc = device_for_revocation(st->db, w->device, &again);
	memcpy(end.device, w->device, sizeof(end.device));
	if (rc == ERR_UNCHANGED)
		rc = 0; /* it was revoked before */
	else if (!rc)
		rc = revoke_add(st->db, by, &end, device, by->at, holds, n);
	rc = rc ? rc : orders_put_off(st->db, device, by->at);
	return rc ? rc : tx_commit(&tx);
}
