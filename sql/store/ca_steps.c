/* SPDX-License-Identifier: BSD-2-Clause */
/* Owns what the registry knows of a roll-over of the pumps' CA: who still has a certificate of the
 * old one, and the audit of the steps. Never decides one. */
#include <stdio.h>
#include <string.h>

#include "sql/store/store_db.h"

/* Pumps d in use, and whether one still lives by a certificate of the CA named ?1. */
#define IN_USE " FROM devices d WHERE d.state = 'enrolled'"
#define HAS_OF_IT                                                                        \
	" AND EXISTS (SELECT 1 FROM issuers i JOIN certificates c ON c.issuer_id = i.id" \
	" AND c.device_id = d.id AND c.state = 'valid' WHERE i.name = ?1)"

int store_issuer_lack(struct store *st, const struct issuer_query *q, struct anchor_lack *out,
		      size_t max, size_t *n_out)
{
	size_t limit = q->limit ? q->limit : max, n = 0;
	AUTO_QUERY rows = {0};
	int rc = limit > max ? err_set(ERR_LIMIT, "at most %zu at once", max) : 0;

	if (!rc)
		rc = query_open(&rows, st->db,
				"SELECT d.serial, d.ward, d.model, COALESCE((SELECT r.at FROM"
				" reports r WHERE r.device_id = d.id), 0)" IN_USE HAS_OF_IT
				" AND d.serial > ?2 ORDER BY d.serial LIMIT ?3",
				DB_T(q->issuer), DB_T(q->after), DB_I(limit));
	while (!rc && n < limit && (rc = query_next(&rows)) == 1) {
		out[n] = (struct anchor_lack){.reported_at = query_i64(&rows, 3)};
		query_text(&rows, 0, out[n].device, sizeof(out[n].device));
		query_text(&rows, 1, out[n].ward, sizeof(out[n].ward));
		query_text(&rows, 2, out[n++].model, sizeof(out[0].model));
		rc = 0;
	}
	if (rc < 0)
		return rc;
	*n_out = n;
	return 0;
}

int store_issuer_count(struct store *st, const struct issuer_query *q, struct anchor_count *out)
{
	int64_t pumps, left;
	int rc = db_number(st->db, &pumps, "SELECT count(*)" IN_USE);

	if (!rc)
		rc = db_number(st->db, &left, "SELECT count(*)" IN_USE HAS_OF_IT, DB_T(q->issuer));
	if (rc)
		return rc;
	*out = (struct anchor_count){.pumps = (uint64_t)pumps, .holding = (uint64_t)(pumps - left)};
	return 0;
}

/* The last step that stands in the audit of this CA; "" when there is none. */
static int last_step(struct db *db, const char *object, char action[REASON_SIZE],
		     char detail[TEXT_SIZE])
{
	AUTO_QUERY q;
	int rc = query_open(&q, db,
			    "SELECT action, detail FROM audit WHERE object = ?1"
			    " ORDER BY seq DESC LIMIT 1",
			    DB_T(object));

	action[0] = detail[0] = '\0';
	if (!rc)
		rc = query_next(&q);
	if (rc <= 0)
		return rc;
	query_text(&q, 0, action, REASON_SIZE);
	query_text(&q, 1, detail, TEXT_SIZE);
	return 0;
}

static int step_check(const struct ca_step *rq)
{
	static const char *const steps[] = {"start", "switch", "retire", "finish", "abort"};

	if (strcmp(rq->ca, "device") != 0 && strcmp(rq->ca, "server") != 0)
		return err_set(ERR_INVALID, "the CA is device or server");
	for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]); i++)
		if (!strcmp(rq->step, steps[i]))
			return 0;
	return err_set(ERR_INVALID, "no step \"%s\" of a roll-over", rq->step);
}

int store_ca_step(struct store *st, const struct action *by, const struct ca_step *rq)
{
	char object[32], action[REASON_SIZE], detail[TEXT_SIZE];
	char last[REASON_SIZE], last_detail[TEXT_SIZE];
	bool ends = !strcmp(rq->step, "finish") || !strcmp(rq->step, "abort");
	AUTO_TX tx = {0};
	int rc = step_check(rq);

	snprintf(object, sizeof(object), "%s CA", rq->ca);
	snprintf(action, sizeof(action), "ca.%s", rq->step);
	snprintf(detail, sizeof(detail), "issuer=%s other=%s", rq->issuer,
		 *rq->other ? rq->other : "none");
	if (!rc)
		rc = tx_begin(&tx, st->db);
	if (!rc)
		rc = last_step(st->db, object, last, last_detail);
	if (rc)
		return rc;
	if (ends ? !*last || !strcmp(last, "ca.finish") || !strcmp(last, "ca.abort")
		 : !strcmp(last, action) && !strcmp(last_detail, detail))
		return err_set(ERR_UNCHANGED, "that step is in the audit");
	rc = audit_append(st->db, by, action, object, "%s", detail);
	return rc ? rc : tx_commit(&tx);
}
