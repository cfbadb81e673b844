/* SPDX-License-Identifier: BSD-2-Clause */
/* Owns what a rotation has come to, and what pumps are told. Only reads. */
#include <inttypes.h>
#include <stdio.h>

#include "sql/store/rotation.h"
#include "sql/store/store_db.h"

/* clang-format off */
#define COUNT_OF(state) "COALESCE(sum(CASE WHEN r.state = '" state "' THEN 1 ELSE 0 END), 0)"
#define COUNTS                                                     \
	COUNT_OF("waiting") ", " COUNT_OF("asked") ", "            \
	COUNT_OF("renewed") ", " COUNT_OF("failed") ", "           \
	COUNT_OF("absent") ", " COUNT_OF("gone")
/* clang-format on */

int store_rotation_show(struct store *st, uint64_t id, struct rotation *out)
{
	AUTO_QUERY q;
	int rc = query_open(
		&q, st->db,
		"SELECT o.id, o.state, o.chosen, o.requested_at, o.requested_by, o.waves, o.wave,"
		" o.pumps, o.why, o.ended_at, " COUNTS
		" FROM rotations o LEFT JOIN rotation_certificates r ON r.rotation_id = o.id"
		" WHERE o.id = CASE ?1 WHEN 0 THEN (SELECT max(id) FROM rotations) ELSE ?1 END"
		" GROUP BY o.id",
		DB_I(id));

	if (!rc)
		rc = query_next(&q);
	if (rc < 0)
		return rc;
	if (rc == 0)
		return err_set(ERR_NOT_FOUND,
			       id ? "there is no rotation %" PRIu64 : "there was no rotation yet",
			       id);
	*out = (struct rotation){.id = (uint64_t)query_i64(&q, 0),
				 .requested_at = query_i64(&q, 3),
				 .waves = (uint32_t)query_i64(&q, 5),
				 .wave = (uint32_t)(query_i64(&q, 6) + 1),
				 .pumps = (uint64_t)query_i64(&q, 7),
				 .ended_at = query_i64(&q, 9),
				 .waiting = (uint64_t)query_i64(&q, 10),
				 .asked = (uint64_t)query_i64(&q, 11),
				 .renewed = (uint64_t)query_i64(&q, 12),
				 .failed = (uint64_t)query_i64(&q, 13),
				 .absent = (uint64_t)query_i64(&q, 14),
				 .gone = (uint64_t)query_i64(&q, 15)};
	query_text(&q, 1, out->state, sizeof(out->state));
	query_text(&q, 2, out->chosen, sizeof(out->chosen));
	query_text(&q, 4, out->requested_by, sizeof(out->requested_by));
	query_text(&q, 8, out->why, sizeof(out->why));
	return 0;
}

int store_rotation_waves(struct store *st, const struct rotation_wave_query *rq,
			 struct rotation_wave *out, size_t max, size_t *n_out)
{
	AUTO_QUERY q;
	size_t n = 0;
	int rc = query_open(
		&q, st->db,
		"SELECT r.wave, CASE r.wave WHEN 0 THEN '' ELSE min(d.ward) END,"
		" CASE r.wave WHEN 0 THEN '' ELSE min(d.model) END, count(*), " COUNTS
		" FROM rotation_certificates r JOIN certificates c ON c.id = r.certificate_id"
		" JOIN devices d ON d.id = c.device_id WHERE r.rotation_id = ?1 AND r.wave >= ?2"
		" GROUP BY r.wave ORDER BY r.wave LIMIT ?3",
		DB_I(rq->id), DB_I(rq->from), DB_I(max));

	while (!rc && n < max && (rc = query_next(&q)) == 1) {
		struct rotation_wave *w = &out[n++];

		*w = (struct rotation_wave){.wave = (uint32_t)query_i64(&q, 0),
					    .pumps = (uint64_t)query_i64(&q, 3),
					    .waiting = (uint64_t)query_i64(&q, 4),
					    .asked = (uint64_t)query_i64(&q, 5),
					    .renewed = (uint64_t)query_i64(&q, 6),
					    .failed = (uint64_t)query_i64(&q, 7),
					    .absent = (uint64_t)query_i64(&q, 8),
					    .gone = (uint64_t)query_i64(&q, 9)};
		query_text(&q, 1, w->ward, sizeof(w->ward));
		query_text(&q, 2, w->model, sizeof(w->model));
		rc = 0;
	}
	if (rc < 0)
		return rc;
	*n_out = n;
	return 0;
}

int store_renewal_asked(struct store *st, const struct list_query *q, struct renewal_ask *out,
			size_t max, size_t *n_out)
{
	AUTO_QUERY rows;
	size_t limit, n = 0;
	int rc = list_limit(q, max, &limit);

	if (!rc)
		rc = query_open(&rows, st->db,
				"SELECT c.serial, r.asked_at FROM rotations o"
				" JOIN rotation_certificates r ON r.rotation_id = o.id"
				" JOIN certificates c ON c.id = r.certificate_id"
				" WHERE o.state IN ('running', 'halted') AND c.state = 'valid'"
				" AND r.state IN ('asked', 'failed', 'absent') AND c.serial > ?1"
				" ORDER BY c.serial LIMIT ?2",
				DB_T(q->after), DB_I(limit));
	while (!rc && n < limit && (rc = query_next(&rows)) == 1) {
		out[n].asked_at = query_i64(&rows, 1);
		query_text(&rows, 0, out[n].cert_serial, sizeof(out[n].cert_serial));
		n++;
		rc = 0;
	}
	if (rc < 0)
		return rc;
	*n_out = n;
	return 0;
}
