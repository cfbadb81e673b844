/* SPDX-License-Identifier: BSD-2-Clause */
/* Owns what a recall has come to: its own counts, and its orders per NAS. Only reads. */
#include "sql/store/recall.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "sql/store/store_db.h"

#define RECALL_COLUMNS                                                                         \
	"SELECT id, CASE WHEN state = 'requested' AND requested_at < ?1 THEN 'lapsed'"         \
	" ELSE state END, chosen, reason, per_second, pumps, revoked, already, second_person," \
	" requested_at, requested_by, confirmed_at, confirmed_by, changed_at, changed_by,"     \
	" ended_at FROM recalls"

static void recall_read(const struct query *q, struct recall *out)
{
	*out = (struct recall){.id = (uint64_t)query_i64(q, 0)};
	snprintf(out->key, sizeof(out->key), "%" PRIu64, out->id);
	query_text(q, 1, out->state, sizeof(out->state));
	query_text(q, 2, out->chosen, sizeof(out->chosen));
	query_text(q, 3, out->reason, sizeof(out->reason));
	out->per_second = (uint32_t)query_i64(q, 4);
	out->pumps = (uint64_t)query_i64(q, 5);
	out->revoked = (uint64_t)query_i64(q, 6);
	out->already = (uint64_t)query_i64(q, 7);
	out->waiting = out->pumps - out->revoked - out->already;
	out->second_person = query_i64(q, 8) != 0;
	out->requested_at = query_i64(q, 9);
	query_text(q, 10, out->requested_by, sizeof(out->requested_by));
	out->confirmed_at = query_i64(q, 11);
	query_text(q, 12, out->confirmed_by, sizeof(out->confirmed_by));
	out->changed_at = query_i64(q, 13);
	query_text(q, 14, out->changed_by, sizeof(out->changed_by));
	out->ended_at = query_i64(q, 15);
}

/* The orders of a recall; ?1 is its id. */
#define COUNT_IF(what) "sum(CASE WHEN " what " THEN 1 ELSE 0 END)"
/* clang-format off */
#define OPEN_AND(what) COUNT_IF("o.state IN ('waiting', 'sent') AND o.last_result " what)
#define ORDER_COUNTS                                                       \
	"count(*), " COUNT_IF("o.state = 'acked'") ", "                    \
	COUNT_IF("o.state = 'gone'") ", " OPEN_AND("= 'nak'") ", "         \
	OPEN_AND("= 'silent'") ", " OPEN_AND("NOT IN ('nak', 'silent')")   \
	", " COUNT_IF("o.state = 'unsendable'")
/* clang-format on */
#define RECALL_ORDERS                                                             \
	" FROM recall_pumps p JOIN orders o ON o.revocation_id = p.revocation_id" \
	" WHERE p.recall_id = ?1"

static int order_counts(struct db *db, struct recall *out)
{
	AUTO_QUERY q;
	int rc = query_open(&q, db,
			    "SELECT COALESCE(max(o.done_at), 0), " ORDER_COUNTS RECALL_ORDERS,
			    DB_I(out->id));

	if (!rc)
		rc = query_next(&q);
	if (rc < 0)
		return rc;
	out->answered_at = query_i64(&q, 0);
	out->orders = (uint64_t)query_i64(&q, 1);
	out->acked = (uint64_t)query_i64(&q, 2);
	out->gone = (uint64_t)query_i64(&q, 3);
	out->refused = (uint64_t)query_i64(&q, 4);
	out->silent = (uint64_t)query_i64(&q, 5);
	out->unknown = (uint64_t)query_i64(&q, 6);
	out->unsendable = (uint64_t)query_i64(&q, 7);
	return 0;
}

int store_recall_show(struct store *st, uint64_t id, int64_t now, struct recall *out)
{
	int64_t unkept = 0;
	AUTO_QUERY q;
	int rc = query_open(&q, st->db, RECALL_COLUMNS " WHERE id = ?2",
			    DB_I(now - RECALL_LAPSE_MS), DB_I(id));

	if (!rc)
		rc = query_next(&q);
	if (rc < 0)
		return rc;
	if (rc == 0)
		return err_set(ERR_NOT_FOUND, "there is no recall %" PRIu64, id);
	recall_read(&q, out);
	query_close(&q);
	rc = order_counts(st->db, out);
	if (!rc)
		rc = db_number(st->db, &unkept,
			       "SELECT count(*) FROM certificates c WHERE c.state = 'revoked'"
			       " AND c.kept_at = 0 AND EXISTS (SELECT 1 FROM recall_pumps p"
			       " WHERE p.recall_id = ?1 AND p.device_id = c.device_id"
			       " AND p.state = 'revoked')",
			       DB_I(id));
	out->unkept = (uint64_t)unkept;
	return rc;
}

int store_recall_list(struct store *st, const struct list_query *q, int64_t now, struct recall *out,
		      size_t max, size_t *n_out)
{
	int64_t before = *q->after ? strtoll(q->after, NULL, 10) : INT64_MAX;
	AUTO_QUERY rows = {0};
	size_t limit, n = 0;
	int rc = list_limit(q, max, &limit);

	if (!rc)
		rc = query_open(&rows, st->db,
				RECALL_COLUMNS " WHERE id < ?2 AND state <> 'draft'"
					       " AND (?3 = 0 OR ended_at = 0)"
					       " ORDER BY id DESC LIMIT ?4",
				DB_I(now - RECALL_LAPSE_MS), DB_I(before), DB_I(q->live_only),
				DB_I(limit));
	while (!rc && n < limit && (rc = query_next(&rows)) == 1) {
		recall_read(&rows, &out[n++]);
		rc = 0;
	}
	if (rc < 0)
		return rc;
	*n_out = n;
	return 0;
}

int store_recall_nas(struct store *st, const struct recall_nas_query *q, struct recall_nas *out,
		     size_t max, size_t *n_out)
{
	AUTO_QUERY rows;
	size_t n = 0;
	int rc = query_open(&rows, st->db,
			    "SELECT o.nas, max(o.rtt_us) / 1000, " ORDER_COUNTS RECALL_ORDERS
			    " AND o.nas > ?2 GROUP BY o.nas ORDER BY o.nas LIMIT ?3",
			    DB_I(q->id), DB_T(q->after), DB_I(max));

	while (!rc && n < max && (rc = query_next(&rows)) == 1) {
		struct recall_nas *r = &out[n++];

		*r = (struct recall_nas){.slowest_ms = (uint32_t)query_i64(&rows, 1)};
		query_text(&rows, 0, r->nas, sizeof(r->nas));
		r->orders = (uint64_t)query_i64(&rows, 2);
		r->acked = (uint64_t)query_i64(&rows, 3);
		r->gone = (uint64_t)query_i64(&rows, 4);
		r->refused = (uint64_t)query_i64(&rows, 5);
		r->silent = (uint64_t)query_i64(&rows, 6);
		r->unknown = (uint64_t)query_i64(&rows, 7);
		r->unsendable = (uint64_t)query_i64(&rows, 8);
		rc = 0;
	}
	if (rc < 0)
		return rc;
	*n_out = n;
	return 0;
}
