/* SPDX-License-Identifier: BSD-2-Clause */
/* Owns the table model_tls. Never changes a pump; standings.c knows that facts depend on it. */
#include "sql/store/model_tls.h"

#include <string.h>

#include "policies/tls_profile.h"
#include "sql/store/store_db.h"

static int min_check(const struct model_tls *m)
{
	if (m->min && m->min != 12 && m->min != 13)
		return err_set(ERR_INVALID, "a floor of TLS is 1.2, 1.3 or none");
	return 0;
}

/* Where a pump below the floor goes. */
static int low_zone_check(struct db *db)
{
	int64_t n;
	int rc = db_number(db, &n, "SELECT count(*) FROM zones WHERE purpose = 'quarantine'");

	if (!rc && !n)
		rc = err_set(ERR_CONFLICT,
			     "there is no quarantine zone, and a pump below the floor "
			     "would be refused; first: pumpctl zone add NAME --vlan N "
			     "--quarantine");
	return rc;
}

/* 0: none is set. */
static int min_read(struct db *db, const char *model, int64_t *out)
{
	return db_number(db, out, "SELECT COALESCE(max(min), 0) FROM model_tls WHERE model = ?1",
			 DB_T(model));
}

static int min_put(struct db *db, const struct action *by, const struct model_tls *m)
{
	int rc = m->min ? db_run(db,
				 "INSERT INTO model_tls (model, min, set_at, set_by)"
				 " VALUES (?1, ?2, ?3, ?4) ON CONFLICT (model) DO UPDATE"
				 " SET min = ?2, set_at = ?3, set_by = ?4",
				 DB_T(m->model), DB_I(m->min), DB_I(by->at), DB_T(by->actor))
			: db_run(db, "DELETE FROM model_tls WHERE model = ?1", DB_T(m->model));

	if (rc)
		return rc;
	return m->min ? audit_append(db, by, "model.tls", m->model, "min=%s below=%llu",
				     tls_version_name(m->min), (unsigned long long)m->below)
		      : audit_append(db, by, "model.tls", m->model, "none");
}

int store_model_tls_set(struct store *st, const struct action *by, const struct model_tls *m)
{
	int64_t was = 0;
	AUTO_TX tx = {0};
	int rc = min_check(m);

	if (!rc)
		rc = tx_begin(&tx, st->db);
	if (!rc)
		rc = model_check(st->db, m->model);
	if (!rc && m->min)
		rc = low_zone_check(st->db);
	if (!rc)
		rc = min_read(st->db, m->model, &was);
	if (!rc && was == (int64_t)m->min)
		rc = err_set(ERR_UNCHANGED, "that is so already");
	if (!rc)
		rc = min_put(st->db, by, m);
	return rc ? rc : tx_commit(&tx);
}

int store_model_pumps(struct store *st, const struct model_query *q, struct model_pump *out,
		      size_t max, size_t *n_out)
{
	size_t limit = q->limit ? q->limit : max, n = 0;
	AUTO_QUERY rows = {0};
	int rc = limit > max ? err_set(ERR_LIMIT, "at most %zu at once", max) : 0;

	if (!rc)
		rc = query_open(&rows, st->db,
				"SELECT serial, model, ward, key_type FROM"
				" (SELECT d.serial, d.model, d.ward,"
				"  (SELECT c.key_type FROM certificates c WHERE c.device_id = d.id"
				"   AND c.state = 'valid' ORDER BY c.id DESC LIMIT 1) AS key_type"
				"  FROM devices d WHERE d.serial > ?1 AND d.state = 'enrolled'"
				"  AND (?2 = '' OR d.model = ?2)) p WHERE key_type IS NOT NULL"
				" ORDER BY serial LIMIT ?3",
				DB_T(q->after), DB_T(q->model), DB_I(limit));
	while (!rc && n < limit && (rc = query_next(&rows)) == 1) {
		out[n] = (struct model_pump){0};
		query_text(&rows, 0, out[n].device, sizeof(out[n].device));
		query_text(&rows, 1, out[n].model, sizeof(out[n].model));
		query_text(&rows, 2, out[n].ward, sizeof(out[n].ward));
		query_text(&rows, 3, out[n].key_type, sizeof(out[n].key_type));
		n++;
		rc = 0;
	}
	if (rc < 0)
		return rc;
	*n_out = n;
	return 0;
}
