/* SPDX-License-Identifier: BSD-2-Clause */
/* Owns the table model_ports. Never changes a pump. */
#include "sql/store/model_ports.h"

#include <stdio.h>
#include <string.h>

#include "policies/port_profile.h"
#include "policies/tls_profile.h"
#include "sql/store/store_db.h"

/* ERR_NOT_FOUND: nothing is set. */
static int allowed_read(struct db *db, const char *model, char out[REPORT_PORTS_SIZE])
{
	AUTO_QUERY q;
	int rc =
		query_open(&q, db, "SELECT allowed FROM model_ports WHERE model = ?1", DB_T(model));

	if (!rc)
		rc = query_next(&q);
	if (rc == 0)
		return err_set(ERR_NOT_FOUND, "nothing is set for model %.64s", model);
	if (rc < 0)
		return rc;
	query_text(&q, 0, out, REPORT_PORTS_SIZE);
	return 0;
}

int model_check(struct db *db, const char *model)
{
	int64_t n;
	int rc = label_check("model", model);

	if (!rc && !*model)
		rc = err_set(ERR_INVALID, "no model is named");
	if (!rc)
		rc = db_number(db, &n, "SELECT count(*) FROM devices WHERE model = ?1",
			       DB_T(model));
	if (!rc && !n)
		rc = err_set(ERR_NOT_FOUND,
			     "no pump is of model '%.64s'; the models: pumpctl model list", model);
	return rc;
}

static int ports_put(struct db *db, const struct action *by, const char *model, bool any,
		     const char *allowed)
{
	int rc = any ? db_run(db, "DELETE FROM model_ports WHERE model = ?1", DB_T(model))
		     : db_run(db,
			      "INSERT INTO model_ports (model, allowed, set_at, set_by)"
			      " VALUES (?1, ?2, ?3, ?4) ON CONFLICT (model) DO UPDATE"
			      " SET allowed = ?2, set_at = ?3, set_by = ?4",
			      DB_T(model), DB_T(allowed), DB_I(by->at), DB_T(by->actor));

	return rc ? rc
		  : audit_append(db, by, "model.ports", model, "%s",
				 any	    ? "any"
				 : *allowed ? allowed
					    : "none");
}

int store_model_ports_set(struct store *st, const struct action *by, const struct model_ports *m)
{
	char allowed[REPORT_PORTS_SIZE] = "", was[REPORT_PORTS_SIZE];
	AUTO_TX tx = {0};
	int rc = m->any ? 0
			: port_list_parse(*m->allowed ? m->allowed : "none", REPORT_PORTS_MAX,
					  allowed, sizeof(allowed));

	if (!rc)
		rc = tx_begin(&tx, st->db);
	if (!rc)
		rc = model_check(st->db, m->model);
	if (rc)
		return rc;
	rc = allowed_read(st->db, m->model, was);
	if (rc && rc != ERR_NOT_FOUND)
		return rc;
	if (m->any ? rc == ERR_NOT_FOUND : !rc && !strcmp(was, allowed))
		return err_set(ERR_UNCHANGED, "that is so already");
	rc = ports_put(st->db, by, m->model, m->any, allowed);
	return rc ? rc : tx_commit(&tx);
}

int store_model_ports_list(struct store *st, const struct list_query *q, struct model_ports *out,
			   size_t max, size_t *n_out)
{
	AUTO_QUERY rows = {0};
	size_t limit, n = 0;
	int rc = list_limit(q, max, &limit);

	if (!rc)
		rc = query_open(&rows, st->db,
				"SELECT d.model, count(*), m.allowed, m.model IS NULL,"
				" COALESCE(m.set_at, 0), COALESCE(m.set_by, ''), COALESCE(t.min, 0)"
				" FROM devices d LEFT JOIN model_ports m ON m.model = d.model"
				" LEFT JOIN model_tls t ON t.model = d.model WHERE d.model > ?1"
				" GROUP BY d.model, m.allowed, m.model, m.set_at, m.set_by, t.min"
				" ORDER BY d.model LIMIT ?2",
				DB_T(q->after), DB_I(limit));
	while (!rc && n < limit && (rc = query_next(&rows)) == 1) {
		out[n] = (struct model_ports){.pumps = (uint64_t)query_i64(&rows, 1),
					      .any = query_i64(&rows, 3) != 0,
					      .set_at = query_i64(&rows, 4)};
		snprintf(out[n].tls_min, sizeof(out[n].tls_min), "%s",
			 tls_version_name((uint32_t)query_i64(&rows, 6)));
		query_text(&rows, 0, out[n].model, sizeof(out[n].model));
		query_text(&rows, 2, out[n].allowed, sizeof(out[n].allowed));
		query_text(&rows, 5, out[n].set_by, sizeof(out[n].set_by));
		n++;
		rc = 0;
	}
	if (rc < 0)
		return rc;
	*n_out = n;
	return 0;
}

int store_model_ports_beyond(struct store *st, const char *device, const char *open,
			     char out[REPORT_PORTS_SIZE])
{
	char allowed[REPORT_PORTS_SIZE], model[LABEL_SIZE];
	AUTO_QUERY q;
	int rc =
		query_open(&q, st->db, "SELECT model FROM devices WHERE serial = ?1", DB_T(device));

	*out = '\0';
	if (!rc)
		rc = query_next(&q);
	if (rc <= 0)
		return rc;
	query_text(&q, 0, model, sizeof(model));
	rc = allowed_read(st->db, model, allowed);
	if (rc)
		return rc == ERR_NOT_FOUND ? 0 : rc;
	(void)port_list_beyond(open, allowed, out, REPORT_PORTS_SIZE);
	return 0;
}
