/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Owns the outbox of Disconnect-Requests. An order is waiting, then sent (leased to the
 * dispatcher), and ends as acked, gone (the NAS knows no such session) or unsendable; anything else
 * goes back to waiting with a longer pause.
 */
#include "sql/store/store_db.h"

#include <stdio.h>
#include <string.h>

#define LEASE_MS 5000
#define PAUSE_MAX_S 60
#define AHEAD_MAX_MS (1000 * PAUSE_MAX_S + 1000) /* due later than this: the clock was set back */
#define AGE_MAX_MS (7LL * 24 * 3600 * 1000)	 /* by then no NAS holds a key any more */
#define SETTLED_MS 10000
#define SESSION_NOT_FOUND 503 /* RFC 5176 3.6: Session-Context-Not-Found */

int order_add(struct db *db, int64_t revocation, int64_t device_id, const struct foothold *hold,
	      const char *cause, int64_t now)
{
	int64_t nas = 0, port = 0;
	AUTO_QUERY q;
	int rc =
		query_open(&q, db, "SELECT id, das_port FROM nas WHERE name = ?1", DB_T(hold->nas));

	if (!rc)
		rc = query_next(&q);
	if (rc < 0)
		return rc;
	if (rc == 1) {
		nas = query_i64(&q, 0);
		port = query_i64(&q, 1);
	}
	return db_run(db,
		      "INSERT INTO orders (revocation_id, device_id, nas_id, nas, session_id,"
		      " calling_station, cause, state, attempts, last_result, error_cause, rtt_us,"
		      " detail, created_at, changed_at, done_at, next_at)"
		      " VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, 0, '', 0, 0, ?9, ?10, ?10, ?11,"
		      " ?10)",
		      DB_I(revocation), DB_I(device_id), DB_REF(nas), DB_T(hold->nas),
		      DB_T(hold->session_id), DB_T(hold->calling_station), DB_T(cause),
		      DB_T(port ? "waiting" : "unsendable"),
		      DB_T(port	 ? ""
			   : nas ? "the NAS has no DAS port"
				 : "the NAS is not registered"),
		      DB_I(now), DB_I(port ? 0 : now));
}

/* Is there an order that settles this foothold without another one? */
static int is_covered(struct db *db, int64_t device, const struct foothold *hold, bool settled,
		      int64_t now, bool *out)
{
	int64_t n;
	int rc = db_number(db, &n,
			   "SELECT count(*) FROM orders WHERE device_id = ?1 AND nas = ?2"
			   " AND ((session_id = ?3 AND (state = 'waiting'"
			   "   OR (?4 = 1 AND (?6 = 0 OR ?3 <> '')"
			   "    AND (state = 'sent' OR done_at > ?5))))"
			   "  OR (?4 = 1 AND ?6 > 0 AND (session_id = ?3 OR ?3 = '')"
			   "   AND created_at >= ?6))",
			   DB_I(device), DB_T(hold->nas), DB_T(hold->session_id), DB_I(settled),
			   DB_I(now - SETTLED_MS), DB_I(hold->at));

	*out = n > 0;
	return rc;
}

int store_order_late(struct store *st, const struct action *by, const char *device,
		     const struct foothold *hold, bool settled)
{
	int64_t id, revocation;
	bool covered;
	AUTO_TX tx = {0};
	int rc = tx_begin(&tx, st->db);

	if (!rc)
		rc = db_number(st->db, &id, "SELECT id FROM devices WHERE serial = ?1",
			       DB_T(device));
	if (!rc)
		rc = revocation_latest(st->db, id, &revocation);
	if (rc == ERR_NOT_FOUND)
		return err_set(ERR_CONFLICT, "the standing of pump '%s' was never changed", device);
	if (!rc)
		rc = is_covered(st->db, id, hold, settled, by->at, &covered);
	if (!rc && covered)
		return err_set(ERR_UNCHANGED, "an order is open for this session");
	if (!rc)
		rc = order_add(st->db, revocation, id, hold, "late", by->at);
	if (!rc)
		rc = audit_append(st->db, by, "order.late", device, "nas=%s session=%.100s",
				  hold->nas, hold->session_id);
	return rc ? rc : tx_commit(&tx);
}

static int leases_free(struct db *db, int64_t now, bool fresh)
{
	int rc = 0;

	if (fresh)
		rc = db_run(db,
			    "UPDATE orders SET next_at = ?1, state = 'waiting'"
			    " WHERE state = 'sent'",
			    DB_I(now));
	if (!rc)
		rc = db_run(db,
			    "UPDATE orders SET state = 'unsendable', done_at = ?1, changed_at = ?1,"
			    " detail = 'given up after seven days'"
			    " WHERE state IN ('waiting', 'sent') AND next_at <= ?1"
			    " AND created_at < ?2",
			    DB_I(now), DB_I(now - AGE_MAX_MS));
	return rc;
}

static int due_read(struct db *db, int64_t now, struct dispatch_order *out, size_t max,
		    size_t *n_out)
{
	AUTO_QUERY q;
	size_t n = 0;
	int rc = query_open(&q, db,
			    "SELECT o.id, d.serial, n.name, n.ip, n.das_port, n.secret,"
			    " o.session_id, o.calling_station, o.attempts, n.radsec"
			    " FROM orders o JOIN nas n ON n.id = o.nas_id"
			    " JOIN devices d ON d.id = o.device_id"
			    " WHERE o.state IN ('waiting', 'sent')"
			    " AND (o.next_at <= ?1 OR o.next_at > ?3)"
			    " ORDER BY o.next_at LIMIT ?2",
			    DB_I(now), DB_I(max), DB_I(now + AHEAD_MAX_MS));

	while (!rc && n < max && (rc = query_next(&q)) == 1) {
		struct dispatch_order *o = &out[n++];

		*o = (struct dispatch_order){.id = (uint64_t)query_i64(&q, 0)};
		query_text(&q, 1, o->device, sizeof(o->device));
		query_text(&q, 2, o->nas, sizeof(o->nas));
		nas_ip_read(&q, 3, o->nas_ip);
		o->das_port = (uint32_t)query_i64(&q, 4);
		rc = query_blob(&q, 5, &o->secret, sizeof(o->secret.data));
		query_text(&q, 6, o->session_id, sizeof(o->session_id));
		query_text(&q, 7, o->calling_station, sizeof(o->calling_station));
		o->attempt = (uint32_t)query_i64(&q, 8) + 1;
		o->radsec = query_i64(&q, 9) != 0;
		if (!rc)
			rc = nas_certs_reach(db, now, o);
	}
	*n_out = n;
	return rc < 0 ? rc : 0;
}

static int next_due(struct db *db, int64_t now, int64_t *out)
{
	int64_t last = 0;
	int rc = db_number(db, out,
			   "SELECT COALESCE(min(next_at), ?1) FROM orders"
			   " WHERE state IN ('waiting', 'sent')",
			   DB_I(INT64_MAX));

	if (!rc && *out != INT64_MAX)
		rc = db_number(db, &last,
			       "SELECT max(next_at) FROM orders"
			       " WHERE state IN ('waiting', 'sent')");
	if (!rc && last > now + AHEAD_MAX_MS)
		*out = now;
	return rc;
}

int store_orders_take(struct store *st, int64_t now, bool fresh, struct dispatch_order *out,
		      size_t max, size_t *n_out, int64_t *next_due_out)
{
	AUTO_TX tx = {0};
	size_t n = 0;
	int rc = next_due(st->db, now, next_due_out);

	if (rc)
		return rc;
	if (!fresh && *next_due_out > now) { /* nothing to write */
		*n_out = 0;
		return 0;
	}
	rc = tx_begin(&tx, st->db);
	if (!rc)
		rc = leases_free(st->db, now, fresh);
	if (!rc)
		rc = due_read(st->db, now, out, max, &n);
	for (size_t i = 0; !rc && i < n; i++)
		rc = db_run(st->db,
			    "UPDATE orders SET state = 'sent', attempts = attempts + 1,"
			    " changed_at = ?2, next_at = ?3 WHERE id = ?1",
			    DB_I(out[i].id), DB_I(now), DB_I(now + LEASE_MS));
	if (!rc)
		rc = next_due(st->db, now, next_due_out);
	if (!rc)
		rc = tx_commit(&tx);
	if (!rc)
		*n_out = n;
	return rc;
}

/* What a result makes of an order that was sent `attempts` times. */
static const char *state_after(const struct dispatch_result *r)
{
	if (!strcmp(r->result, "ack"))
		return "acked";
	if (!strcmp(r->result, "nak") && r->error_cause == SESSION_NOT_FOUND)
		return "gone";
	return strcmp(r->result, "unsendable") ? "waiting" : "unsendable";
}

static int64_t pause_ms(int64_t attempts)
{
	int64_t s = attempts < 1 ? 1 : attempts > 6 ? PAUSE_MAX_S : 1LL << (attempts - 1);

	return 1000 * (s > PAUSE_MAX_S ? PAUSE_MAX_S : s);
}

static int result_check(const struct dispatch_result *r)
{
	static const char *const known[] = {"ack", "nak", "silent", "unsendable"};

	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
		if (!strcmp(r->result, known[i]))
			return 0;
	return err_set(ERR_INVALID, "no dispatch result '%s'", r->result);
}

static int result_store(struct db *db, const struct action *by, const struct dispatch_result *r)
{
	const char *state = state_after(r);
	bool open = !strcmp(state, "waiting");
	int64_t attempts;
	char device[DEVICE_SERIAL_SIZE], nas[NAME_SIZE];
	AUTO_QUERY q;
	int rc = query_open(&q, db,
			    "SELECT o.attempts, d.serial, o.nas FROM orders o"
			    " JOIN devices d ON d.id = o.device_id"
			    " WHERE o.id = ?1 AND o.state IN ('waiting', 'sent')",
			    DB_I(r->id));

	if (!rc)
		rc = query_next(&q);
	if (rc <= 0)
		return rc; /* settled before: a repeated report */
	attempts = query_i64(&q, 0);
	query_text(&q, 1, device, sizeof(device));
	query_text(&q, 2, nas, sizeof(nas));
	query_close(&q);
	rc = db_run(db,
		    "UPDATE orders SET state = ?2, last_result = ?3, error_cause = ?4, rtt_us = ?5,"
		    " detail = ?6, changed_at = ?7, done_at = ?8, next_at = ?9 WHERE id = ?1",
		    DB_I(r->id), DB_T(state), DB_T(r->result), DB_I(r->error_cause),
		    DB_I(r->rtt_us), DB_T(r->detail), DB_I(by->at),
		    DB_I(open	 ? 0
			 : r->at ? r->at
				 : by->at),
		    DB_I(by->at + pause_ms(attempts)));
	if (!rc && !open)
		rc = audit_append(db, by, "order.done", device,
				  "order=%llu nas=%s state=%s error_cause=%u attempts=%lld",
				  (unsigned long long)r->id, nas, state, r->error_cause,
				  (long long)attempts);
	return rc;
}

int store_orders_result(struct store *st, const struct action *by,
			const struct dispatch_result *results, size_t n)
{
	AUTO_TX tx = {0};
	int rc = 0;

	for (size_t i = 0; !rc && i < n; i++)
		rc = result_check(&results[i]);
	if (!rc)
		rc = tx_begin(&tx, st->db);
	for (size_t i = 0; !rc && i < n; i++)
		rc = result_store(st->db, by, &results[i]);
	return rc ? rc : tx_commit(&tx);
}

int store_orders_nas_restarted(struct store *st, const char *nas, int64_t at)
{
	return db_run(st->db,
		      "UPDATE orders SET state = 'gone', last_result = 'restarted', done_at = ?2,"
		      " changed_at = ?2, detail = 'the NAS restarted'"
		      " WHERE nas = ?1 AND state IN ('waiting', 'sent') AND created_at < ?2",
		      DB_T(nas), DB_I(at));
}

bool store_has_open_orders(struct store *st, const char *nas)
{
	int64_t n = 0;

	return !db_number(st->db, &n,
			  "SELECT count(*) FROM orders WHERE nas = ?1"
			  " AND state IN ('waiting', 'sent')",
			  DB_T(nas)) &&
	       n > 0;
}

int store_order_list(struct store *st, uint64_t revocation, struct order_status *out, size_t max,
		     size_t *n_out)
{
	AUTO_QUERY q;
	size_t n = 0;
	int rc = query_open(&q, st->db,
			    "SELECT o.id, o.nas, COALESCE(n.ip, ''), o.session_id, o.cause,"
			    " o.state, o.attempts, o.last_result, o.error_cause, o.rtt_us,"
			    " o.created_at, o.done_at, o.next_at"
			    " FROM orders o LEFT JOIN nas n ON n.id = o.nas_id"
			    " WHERE o.revocation_id = ?1 ORDER BY o.id LIMIT ?2",
			    DB_I(revocation), DB_I(max));

	while (!rc && n < max && (rc = query_next(&q)) == 1) {
		struct order_status *o = &out[n++];

		*o = (struct order_status){.id = (uint64_t)query_i64(&q, 0)};
		query_text(&q, 1, o->nas, sizeof(o->nas));
		nas_ip_read(&q, 2, o->nas_ip);
		query_text(&q, 3, o->session_id, sizeof(o->session_id));
		query_text(&q, 4, o->cause, sizeof(o->cause));
		query_text(&q, 5, o->state, sizeof(o->state));
		o->attempts = (uint32_t)query_i64(&q, 6);
		query_text(&q, 7, o->last_result, sizeof(o->last_result));
		o->error_cause = (uint32_t)query_i64(&q, 8);
		o->rtt_us = (uint32_t)query_i64(&q, 9);
		o->created_at = query_i64(&q, 10);
		o->done_at = query_i64(&q, 11);
		o->next_at = query_i64(&q, 12);
		rc = 0;
	}
	if (rc < 0)
		return rc;
	*n_out = n;
	return 0;
}
