/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Owns revocation, and the receipt of every change of standing: one transaction, one receipt,
 * however often it is asked for.
 */
#include "sql/store/store_db.h"

#include <stdio.h>
#include <string.h>

int revocation_latest(struct db *db, int64_t device_id, int64_t *id_out)
{
	return db_number(db, id_out,
			 "SELECT id FROM revocations WHERE device_id = ?1 ORDER BY id DESC LIMIT 1",
			 DB_I(device_id));
}

/* Counts come from the orders, so that late ones are in them. */
int store_revocation(struct store *st, const char *device, struct revocation *out)
{
	AUTO_QUERY q;
	int rc = query_open(&q, st->db,
			    "SELECT r.id, r.asked_at, r.committed_at, r.certificates, r.revoked_by,"
			    " r.reason, r.return_refused_at, r.action,"
			    " (SELECT count(*) FROM orders o WHERE o.revocation_id = r.id"
			    "  AND o.session_id <> ''),"
			    " (SELECT count(*) FROM orders o WHERE o.revocation_id = r.id),"
			    " (SELECT count(*) FROM certificates c WHERE c.device_id = d.id"
			    "  AND c.state = 'revoked' AND c.kept_at = 0),"
			    " (SELECT COALESCE(max(c.kept_at), 0) FROM certificates c"
			    "  WHERE c.device_id = d.id AND c.state = 'revoked')"
			    " FROM devices d JOIN revocations r ON r.device_id = d.id"
			    " WHERE d.serial = ?1 ORDER BY r.id DESC LIMIT 1",
			    DB_T(device));

	if (!rc)
		rc = query_next(&q);
	if (rc < 0)
		return rc;
	if (rc == 0)
		return err_set(ERR_NOT_FOUND, "the standing of pump '%s' was never changed",
			       device);
	*out = (struct revocation){.id = (uint64_t)query_i64(&q, 0)};
	memcpy(out->device, device, strnlen(device, sizeof(out->device) - 1));
	out->asked_at = query_i64(&q, 1);
	out->committed_at = query_i64(&q, 2);
	out->certificates = (uint32_t)query_i64(&q, 3);
	query_text(&q, 4, out->by, sizeof(out->by));
	query_text(&q, 5, out->reason, sizeof(out->reason));
	query_text(&q, 7, out->action, sizeof(out->action));
	if (!strcmp(out->action, "revoke"))
		out->return_refused_at = query_i64(&q, 6);
	else
		out->returned_at = query_i64(&q, 6);
	out->sessions = (uint32_t)query_i64(&q, 8);
	out->orders = (uint32_t)query_i64(&q, 9);
	out->unkept = (uint32_t)query_i64(&q, 10);
	out->kept_at = out->unkept ? 0 : query_i64(&q, 11);
	return 0;
}

int device_for_revocation(struct db *db, const char *serial, int64_t *id_out)
{
	char state[STATE_SIZE];
	AUTO_QUERY q;
	int rc =
		query_open(&q, db, "SELECT id, state FROM devices WHERE serial = ?1", DB_T(serial));

	if (!rc)
		rc = query_next(&q);
	if (rc < 0)
		return rc;
	if (rc == 0)
		return err_set(ERR_NOT_FOUND, "the inventory has no pump '%s'", serial);
	*id_out = query_i64(&q, 0);
	query_text(&q, 1, state, sizeof(state));
	return strcmp(state, "revoked") ? 0 : err_set(ERR_UNCHANGED, "%s is revoked", serial);
}

/* Pump, certificates and tokens out of force. */
static int standing_end(struct db *db, const struct action *by, int64_t device, const char *reason,
			int64_t *certificates_out)
{
	int rc = db_run(db,
			"UPDATE devices SET state = 'revoked', state_at = ?2, state_by = ?3,"
			" state_reason = ?4, mab_until = 0, placement = NULL WHERE id = ?1",
			DB_I(device), DB_I(by->at), DB_T(by->actor), DB_T(reason));

	if (!rc)
		rc = db_run_count(db, certificates_out,
				  "UPDATE certificates SET state = 'revoked', revoked_at = ?2"
				  " WHERE device_id = ?1 AND state <> 'revoked'",
				  DB_I(device), DB_I(by->at));
	if (!rc)
		rc = db_run(db,
			    "UPDATE tokens SET state = 'void' WHERE device_id = ?1"
			    " AND state = 'open'",
			    DB_I(device));
	return rc;
}

int change_add(struct db *db, const struct action *by, const struct standing_change *rq,
	       int64_t device_id, int64_t asked_at, int64_t certificates,
	       const struct foothold *holds, size_t n)
{
	char what[STATE_SIZE + 8];
	int64_t id;
	int rc = db_number(db, &id,
			   "INSERT INTO revocations (device_id, asked_at, committed_at,"
			   " certificates, revoked_by, reason, return_refused_at, action)"
			   " VALUES (?1, ?2, ?3, ?4, ?5, ?6, 0, ?7) RETURNING id",
			   DB_I(device_id), DB_I(asked_at), DB_I(by->at), DB_I(certificates),
			   DB_T(by->actor), DB_T(rq->reason), DB_T(rq->action));

	for (size_t i = 0; !rc && i < n; i++)
		rc = order_add(db, id, device_id, &holds[i],
			       *holds[i].session_id ? "session" : "recent", by->at);
	/* what waited for the pump to be idle is done, or can't be done any more */
	if (!rc)
		rc = db_run(db,
			    "DELETE FROM pending_changes WHERE device_id = ?1"
			    " AND (action = ?2 OR ?2 = 'revoke')",
			    DB_I(device_id), DB_T(rq->action));
	snprintf(what, sizeof(what), "pump.%s", rq->action);
	if (!rc)
		rc = audit_append(db, by, what, rq->device,
				  "certificates=%lld orders=%zu reason=%s", (long long)certificates,
				  n, rq->reason);
	return rc;
}

int revoke_add(struct db *db, const struct action *by, const struct revoke *rq, int64_t device,
	       int64_t asked_at, const struct foothold *holds, size_t n)
{
	struct standing_change change = {.action = "revoke"};
	int64_t certificates;
	int rc = standing_end(db, by, device, rq->reason, &certificates);

	memcpy(change.device, rq->device, sizeof(change.device));
	memcpy(change.reason, rq->reason, sizeof(change.reason));
	return rc ? rc : change_add(db, by, &change, device, asked_at, certificates, holds, n);
}

int store_revoke(struct store *st, const struct action *by, const struct revoke *rq,
		 int64_t asked_at, const struct foothold *holds, size_t n, struct revocation *out)
{
	bool already;
	int64_t device;
	AUTO_TX tx = {0};
	int rc = label_check("reason", rq->reason);

	if (!rc)
		rc = tx_begin(&tx, st->db);
	if (!rc)
		rc = device_for_revocation(st->db, rq->device, &device);
	already = rc == ERR_UNCHANGED;
	if (!rc)
		rc = revoke_add(st->db, by, rq, device, asked_at, holds, n);
	if (!rc)
		rc = tx_commit(&tx);
	tx_end(&tx);
	if (rc && !already)
		return rc;
	rc = store_revocation(st, rq->device, out);
	out->already = already;
	return rc;
}

int store_standing_changes_since(struct store *st, int64_t since, uint64_t after,
				 struct revocation *out, size_t max, size_t *n_out)
{
	AUTO_QUERY q;
	size_t n = 0;
	int rc = query_open(&q, st->db,
			    "SELECT r.id, d.serial, r.asked_at FROM revocations r"
			    " JOIN devices d ON d.id = r.device_id"
			    " WHERE r.committed_at >= ?1 AND r.id > ?2 AND NOT EXISTS"
			    "  (SELECT 1 FROM revocations l WHERE l.device_id = d.id"
			    "   AND l.id > r.id) ORDER BY r.id LIMIT ?3",
			    DB_I(since), DB_I(after), DB_I(max));

	while (!rc && n < max && (rc = query_next(&q)) == 1) {
		out[n] = (struct revocation){.id = (uint64_t)query_i64(&q, 0)};
		query_text(&q, 1, out[n].device, sizeof(out[n].device));
		out[n].asked_at = query_i64(&q, 2);
		n++;
		rc = 0;
	}
	if (rc < 0)
		return rc;
	*n_out = n;
	return 0;
}

int store_footholds_everywhere(struct store *st, const char *device, struct foothold *out,
			       size_t max, size_t *n_out)
{
	AUTO_QUERY q;
	size_t n = 0;
	/* RFC 3580 3.21: upper case, dashes */
	int rc = query_open(&q, st->db,
			    "SELECT n.name, upper(replace(d.mac, ':', '-')) FROM devices d, nas n"
			    " WHERE d.serial = ?1 AND n.das_port > 0 ORDER BY n.name LIMIT ?2",
			    DB_T(device), DB_I(max));

	while (!rc && n < max && (rc = query_next(&q)) == 1) {
		out[n] = (struct foothold){0};
		query_text(&q, 0, out[n].nas, sizeof(out[n].nas));
		query_text(&q, 1, out[n].calling_station, sizeof(out[n].calling_station));
		n++;
		rc = 0;
	}
	*n_out = n;
	return rc < 0 ? rc : 0;
}

int store_return_noted(struct store *st, const char *device, int64_t at)
{
	int64_t changed;
	int rc = db_run_count(st->db, &changed,
			      "UPDATE revocations SET return_refused_at = ?2"
			      " WHERE return_refused_at = 0 AND committed_at <= ?2 AND id ="
			      " (SELECT max(r.id) FROM revocations r JOIN devices d"
			      "  ON d.id = r.device_id WHERE d.serial = ?1)",
			      DB_T(device), DB_I(at));

	if (!rc && !changed)
		rc = err_set(ERR_UNCHANGED, "already noted");
	return rc;
}

int store_event_standing(struct store *st, const char *device, const char *issuer,
			 const char *cert_serial, struct event_standing *out)
{
	int64_t noted;
	AUTO_QUERY q = {0};
	int64_t older = 0;
	int rc;

	*out = (struct event_standing){0};
	rc = query_open(&q, st->db,
			"SELECT " DEVICE_PLACED ", COALESCE((SELECT r.return_refused_at"
			" FROM revocations r"
			" WHERE r.device_id = d.id ORDER BY r.id DESC LIMIT 1), -1)"
			" FROM devices d WHERE d.serial = ?1",
			DB_T(device));
	if (!rc)
		rc = query_next(&q);
	if (rc <= 0)
		return rc;
	query_text(&q, 0, out->state, sizeof(out->state));
	noted = query_i64(&q, 1);
	out->revoked = !strcmp(out->state, "revoked");
	out->changed = noted >= 0;
	out->return_unnoted = !noted;
	if (!out->revoked && *issuer && *cert_serial) {
		rc = db_number(st->db, &older,
			       "SELECT count(*) FROM issuers i"
			       " JOIN certificates c ON c.issuer_id = i.id AND c.serial = ?2"
			       " JOIN certificates o ON o.device_id = c.device_id AND o.id < c.id"
			       " WHERE i.name = ?1 AND c.state = 'valid' AND o.state = 'valid'",
			       DB_T(issuer), DB_T(cert_serial));
		if (rc)
			return rc;
	}
	out->superseding = older > 0;
	return 0;
}
