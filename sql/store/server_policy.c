/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Owns the table server_policy: the newest signed policy, for pumps to fetch. Never verifies one:
 * pumps do.
 */
#include "sql/store/store_db.h"

#include <inttypes.h>
#include <string.h>

int store_server_policy_set(struct store *st, const struct action *by,
			    const struct server_policy *p)
{
	AUTO_TX tx = {0};
	int64_t number = 0;
	int rc = 0;

	if (!p->number || p->number > INT64_MAX || !*p->radius_name || !p->der.len)
		return err_set(ERR_INVALID, "a server policy needs number, name and signature");
	rc = tx_begin(&tx, st->db);
	if (!rc)
		rc = db_number(st->db, &number,
			       "SELECT coalesce(max(number), 0) FROM server_policy WHERE 0 = ?1",
			       DB_I(0));
	if (!rc && (uint64_t)number >= p->number)
		return err_set(ERR_CONFLICT, "policy %" PRId64 " is newer than %" PRIu64, number,
			       p->number);
	if (!rc)
		rc = db_run(st->db, "DELETE FROM server_policy WHERE id = ?1", DB_I(1));
	if (!rc)
		rc = db_run(
			st->db,
			"INSERT INTO server_policy (id, number, radius_name, der, set_at, set_by,"
			" login_server, login_name, named_at)"
			" VALUES (1, ?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
			DB_I((int64_t)p->number), DB_T(p->radius_name),
			DB_B(p->der.data, p->der.len), DB_I(by->at), DB_T(by->actor),
			DB_T(p->login_server), DB_T(p->login_name), DB_I(p->named_at));
	if (!rc)
		rc = audit_append(st->db, by, "server.policy", p->radius_name,
				  "number=%" PRIu64 " login=%s", p->number, p->login_server);
	return rc ? rc : tx_commit(&tx);
}

int store_server_policy(struct store *st, struct server_policy *out, size_t max, size_t *n_out)
{
	AUTO_QUERY q = {0};
	int rc = query_open(&q, st->db,
			    "SELECT number, radius_name, set_at, set_by, der, login_server,"
			    " login_name, named_at FROM server_policy"
			    " WHERE id = ?1",
			    DB_I(1));

	*n_out = 0;
	if (!rc)
		rc = query_next(&q);
	if (rc <= 0 || !max)
		return rc < 0 ? rc : 0;
	*out = (struct server_policy){.number = (uint64_t)query_i64(&q, 0),
				      .set_at = query_i64(&q, 2)};
	query_text(&q, 1, out->radius_name, sizeof(out->radius_name));
	query_text(&q, 3, out->set_by, sizeof(out->set_by));
	query_text(&q, 5, out->login_server, sizeof(out->login_server));
	query_text(&q, 6, out->login_name, sizeof(out->login_name));
	out->named_at = query_i64(&q, 7);
	rc = query_blob(&q, 4, &out->der, sizeof(out->der.data));
	*n_out = rc ? 0 : 1;
	return rc;
}
