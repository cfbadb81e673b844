/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Owns the queue of requests that wait for a person: bounded, one row per pump and key, each in the
 * end approved, denied or forgotten. An approval counts for the key that was seen, never for the
 * pump.
 */
#include "sql/store/approvals.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"

#define WAITING_MS (7LL * 24 * 3600 * 1000)  /* then it is forgotten, unless it is asked again */
#define APPROVED_MS (7LL * 24 * 3600 * 1000) /* the pump must have come back by then */
#define WAITING_MAX 1000
#define WAITING_OF_ONE_MAX 3
#define SPKI_BYTES 32
#define KEY_HEX (2 * SPKI_BYTES)
#define KEY_DIGITS_MIN 16 /* 64 bits: nobody makes a key to fit */

static void key_text(const void *spki, char out[KEY_HEX + 1])
{
	hex_encode(spki, SPKI_BYTES, out, KEY_HEX + 1);
}

static int waits(const struct issue_begin *rq, const char *device)
{
	char key[KEY_HEX + 1];

	key_text(rq->spki_sha256.data, key);
	return err_set(ERR_BUSY, "approval-pending: pump %s, key %s", device, key);
}

static int bounds_check(struct db *db, int64_t device_id, const char *device)
{
	int64_t all, own;
	int rc = db_number(db, &all, "SELECT count(*) FROM approvals WHERE state = 'waiting'");

	if (!rc)
		rc = db_number(db, &own,
			       "SELECT count(*) FROM approvals WHERE device_id = ?1"
			       " AND state = 'waiting'",
			       DB_I(device_id));
	if (!rc && own >= WAITING_OF_ONE_MAX)
		rc = err_set(ERR_LIMIT, "%d other keys of pump %s wait for approval already",
			     WAITING_OF_ONE_MAX, device);
	if (!rc && all >= WAITING_MAX)
		rc = err_set(ERR_LIMIT, "%d requests wait for approval already", WAITING_MAX);
	return rc;
}

/* Into the queue, or in it again after its time. */
static int enqueue(struct db *db, const struct action *by, const struct issue_begin *rq,
		   const struct approval_of *of)
{
	char key[KEY_HEX + 1];
	int rc = db_run(db, "DELETE FROM approvals WHERE state = 'waiting' AND expires_at <= ?1",
			DB_I(by->at));

	if (!rc)
		rc = bounds_check(db, of->device_id, of->device);
	if (!rc)
		rc = db_run(
			db,
			"INSERT INTO approvals (device_id, spki_sha256, key_type, prior_id,"
			" state, source, asked_at, expires_at, decided_at, decided_by,"
			" decided_why) VALUES (?1, ?2, ?3, ?4, 'waiting', ?5, ?6, ?7, 0, '', '')"
			" ON CONFLICT (device_id, spki_sha256) DO UPDATE SET"
			" key_type = excluded.key_type, prior_id = excluded.prior_id,"
			" state = 'waiting', source = excluded.source,"
			" asked_at = excluded.asked_at, expires_at = excluded.expires_at,"
			" decided_at = 0, decided_by = '', decided_why = ''",
			DB_I(of->device_id), DB_B(rq->spki_sha256.data, SPKI_BYTES),
			DB_T(rq->key_type), DB_I(of->prior_id), DB_T(rq->source), DB_I(by->at),
			DB_I(by->at + WAITING_MS));
	key_text(rq->spki_sha256.data, key);
	if (!rc)
		rc = audit_append(db, by, "approval.ask", of->device, "key=%s source=%s", key,
				  rq->source);
	return rc;
}

int approval_check(struct db *db, const struct action *by, const struct issue_begin *rq,
		   const struct approval_of *of, bool *queued_out)
{
	char state[STATE_SIZE] = "", why[TEXT_SIZE];
	bool in_time = false;
	AUTO_QUERY q;
	int rc = query_open(&q, db,
			    "SELECT state, expires_at, decided_why FROM approvals"
			    " WHERE device_id = ?1 AND spki_sha256 = ?2",
			    DB_I(of->device_id), DB_B(rq->spki_sha256.data, SPKI_BYTES));

	*queued_out = false;
	if (!rc)
		rc = query_next(&q);
	if (rc < 0)
		return rc;
	if (rc == 1) {
		query_text(&q, 0, state, sizeof(state));
		in_time = by->at < query_i64(&q, 1);
		query_text(&q, 2, why, sizeof(why));
	}
	query_close(&q);
	if (!strcmp(state, "denied"))
		return err_set(ERR_DENIED, "approval-denied: %s", why);
	if (!strcmp(state, "approved") && in_time)
		return 0;
	if (!strcmp(state, "waiting") && in_time)
		return waits(rq, of->device);
	rc = enqueue(db, by, rq, of);
	if (rc)
		return rc;
	*queued_out = true;
	return waits(rq, of->device);
}

int approval_use(struct db *db, const struct action *by, const struct issue_begin *rq,
		 const struct approval_of *of)
{
	char key[KEY_HEX + 1];
	int64_t n = 0;
	int rc = db_run_count(db, &n,
			      "UPDATE approvals SET state = 'used' WHERE device_id = ?1"
			      " AND spki_sha256 = ?2 AND state = 'approved' AND expires_at > ?3",
			      DB_I(of->device_id), DB_B(rq->spki_sha256.data, SPKI_BYTES),
			      DB_I(by->at));

	if (!rc && n != 1)
		rc = err_set(ERR_DENIED, "this key was not approved");
	key_text(rq->spki_sha256.data, key);
	return rc ? rc : audit_append(db, by, "approval.use", of->device, "key=%s", key);
}

/* ---- what people see and decide ---- */

#define APPROVAL_COLUMNS                                                                           \
	"SELECT a.id, d.serial, lower(hex(a.spki_sha256)), a.key_type, a.source, c.serial,"        \
	" CASE WHEN a.state IN ('waiting', 'approved') AND a.expires_at <= ?1 THEN 'expired'"      \
	" ELSE a.state END, a.asked_at, a.expires_at, a.decided_at, a.decided_by, a.decided_why,"  \
	" d.maker, d.model, d.ward, d.state FROM approvals a JOIN devices d ON d.id = a.device_id" \
	" JOIN certificates c ON c.id = a.prior_id"

static void approval_take(const struct query *q, struct approval *a)
{
	*a = (struct approval){.asked_at = query_i64(q, 7), .expires_at = query_i64(q, 8)};
	snprintf(a->place, sizeof(a->place), "%" PRId64, query_i64(q, 0));
	query_text(q, 1, a->device, sizeof(a->device));
	query_text(q, 2, a->key, sizeof(a->key));
	query_text(q, 3, a->key_type, sizeof(a->key_type));
	query_text(q, 4, a->source, sizeof(a->source));
	query_text(q, 5, a->prior, sizeof(a->prior));
	query_text(q, 6, a->state, sizeof(a->state));
	a->decided_at = query_i64(q, 9);
	query_text(q, 10, a->decided_by, sizeof(a->decided_by));
	query_text(q, 11, a->decided_why, sizeof(a->decided_why));
	query_text(q, 12, a->maker, sizeof(a->maker));
	query_text(q, 13, a->model, sizeof(a->model));
	query_text(q, 14, a->ward, sizeof(a->ward));
	query_text(q, 15, a->device_state, sizeof(a->device_state));
}

int store_approval_list(struct store *st, const struct list_query *q, int64_t now,
			struct approval *out, size_t max, size_t *n_out)
{
	AUTO_QUERY rows = {0};
	int64_t after = 0;
	size_t limit, n = 0;
	int rc = list_limit(q, max, &limit);

	if (!rc && *q->after && sscanf(q->after, "%" SCNd64, &after) != 1)
		rc = err_set(ERR_INVALID, "no place in this list");
	if (!rc)
		rc = query_open(&rows, st->db,
				APPROVAL_COLUMNS " WHERE a.id > ?2 AND (?3 = '' OR d.serial = ?3)"
						 " AND (?5 = 0 OR (a.state = 'waiting'"
						 "  AND a.expires_at > ?1)) ORDER BY a.id LIMIT ?4",
				DB_I(now), DB_I(after), DB_T(q->device), DB_I(limit),
				DB_I(q->live_only));
	while (!rc && n < limit && (rc = query_next(&rows)) == 1) {
		approval_take(&rows, &out[n++]);
		rc = 0;
	}
	*n_out = n;
	return rc < 0 ? rc : 0;
}

static int decision_check(const struct approval_decision *d)
{
	size_t len = strlen(d->key);

	if (len < KEY_DIGITS_MIN || strspn(d->key, "0123456789abcdef") != len)
		return err_set(ERR_INVALID,
			       "name the key by at least its first %d hex digits, in lower case",
			       KEY_DIGITS_MIN);
	return label_check("reason", d->reason);
}

/* The one request of this pump whose key begins so. */
static int approval_find(struct db *db, const struct approval_decision *d, int64_t now,
			 struct approval *out)
{
	AUTO_QUERY q;
	int rc = query_open(&q, db,
			    APPROVAL_COLUMNS " WHERE d.serial = ?2"
					     " AND substr(lower(hex(a.spki_sha256)), 1, ?4) = ?3",
			    DB_I(now), DB_T(d->device), DB_T(d->key), DB_I(strlen(d->key)));

	if (!rc)
		rc = query_next(&q);
	if (rc < 0)
		return rc;
	if (rc == 0)
		return err_set(ERR_NOT_FOUND, "no request of pump %s for a key %s...", d->device,
			       d->key);
	approval_take(&q, out);
	rc = query_next(&q);
	if (rc == 1)
		rc = err_set(ERR_CONFLICT, "two keys of pump %s begin so: give more digits",
			     d->device);
	return rc;
}

static int decide(struct db *db, const struct action *by, const struct approval_decision *d,
		  struct approval *a)
{
	const char *to = d->approve ? "approved" : "denied";
	int64_t until = d->approve ? by->at + APPROVED_MS : a->expires_at;
	int rc;

	if (!strcmp(a->state, to))
		return err_set(ERR_UNCHANGED, "this key is %s already", to);
	if (!strcmp(a->state, "used"))
		return err_set(ERR_USED, "the pump has its certificate for this key already%s",
			       d->approve ? "" : ": pumpctl pump revoke");
	if (!strcmp(a->state, "expired") && d->approve)
		return err_set(ERR_EXPIRED,
			       "the request is past its time: the pump must ask once more");
	if (d->approve && strcmp(a->device_state, "enrolled"))
		return err_set(ERR_CONFLICT, "pump %s is %s", a->device, a->device_state);
	rc = db_run(db,
		    "UPDATE approvals SET state = ?2, decided_at = ?3, decided_by = ?4,"
		    " decided_why = ?5, expires_at = ?6 WHERE id = ?1",
		    DB_I(strtoll(a->place, NULL, 10)), DB_T(to), DB_I(by->at), DB_T(by->actor),
		    DB_T(d->reason), DB_I(until));
	if (!rc)
		rc = audit_append(db, by, d->approve ? "approval.approve" : "approval.deny",
				  a->device, "key=%s %s", a->key, d->reason);
	return rc;
}

int store_approval_decide(struct store *st, const struct action *by,
			  const struct approval_decision *d, struct approval *out)
{
	struct approval a;
	AUTO_TX tx = {0};
	int rc = decision_check(d);

	if (!rc)
		rc = tx_begin(&tx, st->db);
	if (!rc)
		rc = approval_find(st->db, d, by->at, &a);
	if (!rc)
		rc = decide(st->db, by, d, &a);
	if (!rc)
		rc = approval_find(st->db, d, by->at, &a);
	if (!rc)
		rc = tx_commit(&tx);
	if (!rc)
		*out = a;
	return rc;
}
