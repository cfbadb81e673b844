/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Owns holding the registry against the signer's lists: what it has forgotten since it was restored
 * from a backup is refused until an operator merges it (docs/decisions/0094).
 */
#include "sql/store/store_db.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define SAME_SERIAL_MAX 16 /* issuers; serials are random, so one is usual */

int store_ledger_position(struct store *st, struct ledger_position *out)
{
	AUTO_QUERY q;
	int rc = query_open(&q, st->db,
			    "SELECT issued, issued_serial, revoked, revoked_serial, compare_needed"
			    " FROM ledger WHERE one = 1");

	*out = (struct ledger_position){0};
	if (!rc)
		rc = query_next(&q);
	if (rc <= 0)
		return rc ? rc : err_set(ERR_CORRUPT, "the registry has no ledger position");
	out->issued = (uint64_t)query_i64(&q, 0);
	query_text(&q, 1, out->issued_serial, sizeof(out->issued_serial));
	out->revoked = (uint64_t)query_i64(&q, 2);
	query_text(&q, 3, out->revoked_serial, sizeof(out->revoked_serial));
	out->compare_needed = query_i64(&q, 4) != 0;
	return 0;
}

static int gap_note(struct db *db, const char *kind, const struct ledger_entry *e, int64_t now)
{
	return db_run(db,
		      "INSERT INTO restored_gap (kind, device, serial, at, found_at, merged_at)"
		      " VALUES (?1, ?2, ?3, ?4, ?5, 0) ON CONFLICT (kind, serial) DO NOTHING",
		      DB_T(kind), DB_T(e->device), DB_T(e->cert_serial), DB_I(e->at), DB_I(now));
}

/* The pump goes on being refused, whatever this registry remembers of it. */
static int pump_hold(struct db *db, const struct ledger_entry *e, int64_t now, int64_t *held_out)
{
	int rc = db_run_count(db, held_out,
			      "UPDATE devices SET held_at = ?2 WHERE serial = ?1"
			      " AND state <> 'revoked' AND held_at = 0",
			      DB_T(e->device), DB_I(now));

	return rc ? rc : gap_note(db, "revoked", e, now);
}

/* By id: asked for the serial and the state at once, the database may well read through all that is
 * revoked. */
static int kept_note(struct db *db, const struct ledger_entry *e, int64_t now, int64_t *known_out)
{
	int64_t ids[SAME_SERIAL_MAX];
	AUTO_QUERY q;
	size_t n = 0;
	int rc = query_open(&q, db, "SELECT id, state FROM certificates WHERE serial = ?1 LIMIT ?2",
			    DB_T(e->cert_serial), DB_I(SAME_SERIAL_MAX));

	while (!rc && n < SAME_SERIAL_MAX && (rc = query_next(&q)) == 1) {
		char state[STATE_SIZE];

		query_text(&q, 1, state, sizeof(state));
		ids[n] = query_i64(&q, 0);
		n += !strcmp(state, "revoked");
		rc = 0;
	}
	query_close(&q);
	for (size_t i = 0; !rc && i < n; i++)
		rc = db_run(db,
			    "UPDATE certificates SET kept_at = ?2 WHERE id = ?1 AND kept_at = 0",
			    DB_I(ids[i]), DB_I(now));
	*known_out = (int64_t)n;
	return rc;
}

static int revoked_check(struct db *db, const struct ledger_entry *e, int64_t now, size_t *found)
{
	int64_t known, held = 0;
	int rc = kept_note(db, e, now, &known);

	if (rc || known)
		return rc;
	rc = pump_hold(db, e, now, &held);
	*found += held > 0;
	return rc;
}

static int issued_check(struct db *db, const struct ledger_entry *e, int64_t now, size_t *found)
{
	int64_t known;
	int rc = db_number(db, &known, "SELECT count(*) FROM certificates WHERE serial = ?1",
			   DB_T(e->cert_serial));

	if (rc || known)
		return rc;
	rc = db_run(db,
		    "UPDATE tokens SET state = 'void' WHERE state = 'open' AND device_id ="
		    " (SELECT id FROM devices WHERE serial = ?1)",
		    DB_T(e->device));
	if (!rc)
		rc = gap_note(db, "lost", e, now);
	*found += !rc;
	return rc;
}

static int position_set(struct db *db, const struct ledger_entry *last)
{
	if (last->revoked)
		return db_run(db, "UPDATE ledger SET revoked = ?1, revoked_serial = ?2",
			      DB_I(last->seq), DB_T(last->cert_serial));
	return db_run(db, "UPDATE ledger SET issued = ?1, issued_serial = ?2", DB_I(last->seq),
		      DB_T(last->cert_serial));
}

int store_ledger_entries(struct store *st, int64_t now, const struct ledger_entry *entries,
			 size_t n, size_t *found_out)
{
	const struct action by = {.actor = "signer", .at = now};
	size_t found = 0;
	AUTO_TX tx = {0};
	int rc = n ? tx_begin(&tx, st->db) : err_set(ERR_INVALID, "no entries");

	for (size_t i = 0; !rc && i < n; i++) {
		if (entries[i].revoked != entries[0].revoked || !*entries[i].cert_serial)
			return err_set(ERR_INVALID, "entries of one list, please");
		rc = entries[i].revoked ? revoked_check(st->db, &entries[i], now, &found)
					: issued_check(st->db, &entries[i], now, &found);
	}
	if (!rc)
		rc = position_set(st->db, &entries[n - 1]);
	if (!rc && found)
		rc = audit_append(st->db, &by, "registry.gap",
				  entries[0].revoked ? "revoked" : "lost",
				  "found=%zu up_to=%" PRIu64, found, entries[n - 1].seq);
	if (!rc)
		rc = tx_commit(&tx);
	if (!rc)
		*found_out = found;
	return rc;
}

int store_ledger_compared(struct store *st, int64_t now)
{
	int64_t changed;
	int rc = db_run_count(st->db, &changed,
			      "UPDATE ledger SET compare_needed = 0, compared_at = ?1"
			      " WHERE compare_needed = 1 OR compared_at = 0",
			      DB_I(now));

	return rc || changed ? rc : err_set(ERR_UNCHANGED, "compared before");
}

int store_unkept(struct store *st, struct ledger_entry *out, size_t max, size_t *n_out)
{
	AUTO_QUERY q;
	size_t n = 0;
	int rc = query_open(&q, st->db,
			    "SELECT c.serial, d.serial, c.revoked_at FROM certificates c"
			    " JOIN devices d ON d.id = c.device_id"
			    " WHERE c.state = 'revoked' AND c.kept_at = 0 ORDER BY c.id LIMIT ?1",
			    DB_I(max));

	while (!rc && n < max && (rc = query_next(&q)) == 1) {
		out[n] = (struct ledger_entry){.revoked = true, .at = query_i64(&q, 2)};
		query_text(&q, 0, out[n].cert_serial, sizeof(out[n].cert_serial));
		query_text(&q, 1, out[n].device, sizeof(out[n].device));
		n++;
		rc = 0;
	}
	*n_out = n;
	return rc < 0 ? rc : 0;
}

int store_gap_list(struct store *st, const struct list_query *q, struct gap *out, size_t max,
		   size_t *n_out)
{
	AUTO_QUERY rows = {0};
	int64_t after = 0;
	size_t limit, n = 0;
	int rc = list_limit(q, max, &limit);

	if (!rc && *q->after && sscanf(q->after, "%" SCNd64, &after) != 1)
		rc = err_set(ERR_INVALID, "no place in this list");
	if (!rc)
		rc = query_open(&rows, st->db,
				"SELECT id, kind, device, serial, at, found_at, merged_at"
				" FROM restored_gap WHERE id > ?1 AND (?2 = 0 OR merged_at = 0)"
				" ORDER BY id LIMIT ?3",
				DB_I(after), DB_I(q->live_only), DB_I(limit));
	while (!rc && n < limit && (rc = query_next(&rows)) == 1) {
		struct gap *g = &out[n++];

		*g = (struct gap){.at = query_i64(&rows, 4)};
		snprintf(g->key, sizeof(g->key), "%" PRId64, query_i64(&rows, 0));
		query_text(&rows, 1, g->kind, sizeof(g->kind));
		query_text(&rows, 2, g->device, sizeof(g->device));
		query_text(&rows, 3, g->cert_serial, sizeof(g->cert_serial));
		g->found_at = query_i64(&rows, 5);
		g->merged_at = query_i64(&rows, 6);
		rc = 0;
	}
	*n_out = n;
	return rc < 0 ? rc : 0;
}

int store_held(struct store *st, char (*out)[DEVICE_SERIAL_SIZE], size_t max, size_t *n_out)
{
	AUTO_QUERY q;
	size_t n = 0;
	int rc = query_open(&q, st->db,
			    "SELECT serial FROM devices WHERE held_at > 0 ORDER BY id LIMIT ?1",
			    DB_I(max));

	while (!rc && n < max && (rc = query_next(&q)) == 1) {
		query_text(&q, 0, out[n++], DEVICE_SERIAL_SIZE);
		rc = 0;
	}
	*n_out = n;
	return rc < 0 ? rc : 0;
}

int store_held_settle(struct store *st, const char *device, int64_t now)
{
	AUTO_TX tx;
	int rc = tx_begin(&tx, st->db);

	if (!rc)
		rc = db_run(
			st->db,
			"UPDATE devices SET held_at = 0 WHERE serial = ?1 AND state = 'revoked'",
			DB_T(device));
	if (!rc)
		rc = db_run(st->db,
			    "UPDATE restored_gap SET merged_at = ?2 WHERE kind = 'revoked'"
			    " AND device = ?1 AND merged_at = 0",
			    DB_T(device), DB_I(now));
	/* the signer had them before we did */
	if (!rc)
		rc = db_run(st->db,
			    "UPDATE certificates SET kept_at = ?2 WHERE state = 'revoked'"
			    " AND kept_at = 0 AND serial IN (SELECT serial FROM restored_gap"
			    " WHERE kind = 'revoked' AND device = ?1)",
			    DB_T(device), DB_I(now));
	return rc ? rc : tx_commit(&tx);
}

int store_cert_is_lost(struct store *st, const char *cert_serial, bool *lost_out)
{
	int64_t n;
	int rc = db_number(st->db, &n,
			   "SELECT (SELECT count(*) FROM restored_gap WHERE kind = 'lost'"
			   " AND serial = ?1) + (SELECT compare_needed FROM ledger)",
			   DB_T(cert_serial));

	if (!rc)
		*lost_out = n > 0;
	return rc;
}

int store_lost_settle(struct store *st, const struct action *by, uint32_t *n_out)
{
	int64_t n = 0;
	AUTO_TX tx;
	int rc = tx_begin(&tx, st->db);

	if (!rc)
		/* revocations of pumps that this registry does not know at all end here too */
		rc = db_run_count(st->db, &n,
				  "UPDATE restored_gap SET merged_at = ?1 WHERE merged_at = 0"
				  " AND (kind = 'lost' OR device NOT IN"
				  "  (SELECT serial FROM devices WHERE held_at > 0))",
				  DB_I(by->at));
	if (!rc && n)
		rc = audit_append(st->db, by, "registry.merge", "lost", "entries=%" PRId64, n);
	if (!rc)
		rc = tx_commit(&tx);
	if (!rc)
		*n_out = (uint32_t)n;
	return rc;
}

int store_mark_copy(struct store *st, const struct action *by, const char *action,
		    const char *detail)
{
	int64_t tokens = 0;
	AUTO_TX tx;
	int rc = tx_begin(&tx, st->db);

	if (!rc)
		rc = db_run(st->db, "UPDATE ledger SET compare_needed = 1");
	if (!rc)
		rc = db_run_count(st->db, &tokens,
				  "UPDATE tokens SET state = 'void' WHERE state = 'open'");
	if (!rc) /* perhaps not trusted any more since */
		rc = db_run(st->db, "UPDATE makers SET enabled = 0 WHERE enabled = ?1", DB_I(1));
	if (!rc) /* perhaps taken back since */
		rc = db_run(st->db,
			    "UPDATE approvals SET state = 'waiting' WHERE state = 'approved'");
	/* one that was cancelled since must not come to life again */
	if (!rc)
		rc = db_run(st->db, "UPDATE recalls SET state = 'paused' WHERE state = 'running'");
	if (!rc)
		rc = audit_append(st->db, by, action, "registry", "%s open_tokens_void=%" PRId64,
				  detail, tokens);
	return rc ? rc : tx_commit(&tx);
}
