/* SPDX-License-Identifier: BSD-2-Clause */
/* Owns the one row about the event ring: what was taken last, and what was lost. */
#include "sql/store/session_db.h"

#include <string.h>

#define TAKEN_MAX 256

int session_store_ring(struct session_store *ss, struct ring_note *out)
{
	AUTO_QUERY q;
	int rc = query_open_values(&q, ss->db, "SELECT ring, lost_accepts, lost_at FROM event_ring",
				   NULL, 0);

	if (!rc)
		rc = query_next(&q);
	if (rc <= 0)
		return rc ? rc : err_set(ERR_CORRUPT, "the row about the event ring is missing");
	query_text(&q, 0, out->ring, sizeof(out->ring));
	out->lost_accepts = (uint64_t)query_i64(&q, 1);
	out->lost_at = query_i64(&q, 2);
	return 0;
}

int session_store_ring_note(struct session_store *ss, const struct ring_note *note)
{
	return db_run(ss->db,
		      "UPDATE event_ring SET ring = ?1, lost_accepts = ?2, lost_at = ?3,"
		      " taken = CASE WHEN ring = ?1 THEN taken ELSE x'' END",
		      DB_T(note->ring), DB_I(note->lost_accepts), DB_I(note->lost_at));
}

int session_store_ring_taken(struct session_store *ss, const uint64_t *numbers, size_t n)
{
	return db_run(ss->db, "UPDATE event_ring SET taken = ?1",
		      DB_B(numbers, n * sizeof(*numbers)));
}

int session_store_ring_untaken(struct session_store *ss, uint64_t *out, size_t max, size_t *n_out)
{
	struct {
		uint32_t len;
		uint8_t data[TAKEN_MAX * sizeof(uint64_t)];
	} taken;
	AUTO_QUERY q;
	int rc = query_open_values(&q, ss->db, "SELECT taken FROM event_ring", NULL, 0);

	if (!rc)
		rc = query_next(&q);
	if (rc == 1)
		rc = query_blob(&q, 0, &taken, sizeof(taken.data));
	else if (!rc)
		rc = err_set(ERR_CORRUPT, "the row about the event ring is missing");
	if (rc)
		return rc;
	if (taken.len > max * sizeof(*out))
		return err_set(ERR_LIMIT, "%u entries were taken", taken.len);
	memcpy(out, taken.data, taken.len);
	*n_out = taken.len / sizeof(*out);
	return 0;
}
