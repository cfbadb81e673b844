/* SPDX-License-Identifier: BSD-2-Clause */
/* Owns the tables zones and nas. */
#include "sql/store/store_db.h"

#include <string.h>

#define SESSION_S_MIN 60
#define SESSION_S_MAX (7 * 24 * 3600)

static int zone_check(const struct zone *z)
{
	int rc = name_check("zone", z->name);

	if (!rc)
		rc = label_check("filter", z->filter_id);
	if (rc)
		return rc;
	if (*z->purpose && strcmp(z->purpose, "onboarding") && strcmp(z->purpose, "quarantine") &&
	    strcmp(z->purpose, "parking"))
		return err_set(ERR_INVALID, "a zone is for onboarding, quarantine or parking");
	if (z->vlan < 1 || z->vlan > 4094)
		return err_set(ERR_INVALID, "VLAN %u: must be 1 to 4094", z->vlan);
	if (z->session_s && (z->session_s < SESSION_S_MIN || z->session_s > SESSION_S_MAX))
		return err_set(ERR_INVALID,
			       "session time of %u s: must be 0 (none) or %d s to 7 days",
			       z->session_s, SESSION_S_MIN);
	return 0;
}

#define ZONE_COLUMNS "SELECT name, vlan, filter_id, session_s, purpose"

static void zone_read(const struct query *q, struct zone *out)
{
	*out = (struct zone){0};
	query_text(q, 0, out->name, sizeof(out->name));
	out->vlan = (uint32_t)query_i64(q, 1);
	query_text(q, 2, out->filter_id, sizeof(out->filter_id));
	out->session_s = (uint32_t)query_i64(q, 3);
	query_text(q, 4, out->purpose, sizeof(out->purpose));
}

/* 0: no such zone. ERR_UNCHANGED, ERR_EXISTS. */
static int zone_compare(struct db *db, const struct zone *z)
{
	struct zone old;
	AUTO_QUERY q;
	int rc = query_open(&q, db, ZONE_COLUMNS " FROM zones WHERE name = ?1", DB_T(z->name));

	if (!rc)
		rc = query_next(&q);
	if (rc <= 0)
		return rc;
	zone_read(&q, &old);
	if (old.vlan == z->vlan && !strcmp(old.filter_id, z->filter_id) &&
	    old.session_s == z->session_s && !strcmp(old.purpose, z->purpose))
		return err_set(ERR_UNCHANGED, "zone %s is just so already", z->name);
	return err_set(ERR_EXISTS, "zone %s exists with VLAN %u, filter '%s', %u s%s%s", z->name,
		       old.vlan, old.filter_id, old.session_s, *old.purpose ? ", for " : "",
		       old.purpose);
}

int store_zone_add(struct store *st, const struct action *by, const struct zone *z)
{
	AUTO_TX tx = {0};
	int64_t other;
	int rc = zone_check(z);

	if (!rc)
		rc = tx_begin(&tx, st->db);
	if (!rc)
		rc = zone_compare(st->db, z);
	if (!rc && *z->purpose) {
		rc = db_number(st->db, &other, "SELECT count(*) FROM zones WHERE purpose = ?1",
			       DB_T(z->purpose));
		if (!rc && other)
			rc = err_set(ERR_EXISTS, "there is a zone for %s already", z->purpose);
	}
	if (!rc)
		rc = db_run(st->db,
			    "INSERT INTO zones (name, vlan, filter_id, session_s, purpose,"
			    " added_at) VALUES (?1, ?2, ?3, ?4, NULLIF(?5, ''), ?6)",
			    DB_T(z->name), DB_I(z->vlan), DB_T(z->filter_id), DB_I(z->session_s),
			    DB_T(z->purpose), DB_I(by->at));
	if (!rc)
		rc = audit_append(st->db, by, "zone.add", z->name,
				  "vlan=%u filter=%s session_s=%u%s%s", z->vlan, z->filter_id,
				  z->session_s, *z->purpose ? " purpose=" : "", z->purpose);
	return rc ? rc : tx_commit(&tx);
}

int store_zone_list(struct store *st, const struct list_query *q, struct zone *out, size_t max,
		    size_t *n_out)
{
	AUTO_QUERY rows;
	size_t limit, n = 0;
	int rc = list_limit(q, max, &limit);

	if (rc)
		return rc;
	rc = query_open(&rows, st->db,
			ZONE_COLUMNS ", (SELECT count(*) FROM devices WHERE zone_id = zones.id)"
				     " FROM zones WHERE name > ?1 ORDER BY name LIMIT ?2",
			DB_T(q->after), DB_I(limit));
	while (!rc && n < limit && (rc = query_next(&rows)) == 1) {
		zone_read(&rows, &out[n]);
		out[n++].devices = (uint64_t)query_i64(&rows, 5);
		rc = 0;
	}
	if (rc < 0)
		return rc;
	*n_out = n;
	return 0;
}
