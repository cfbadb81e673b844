/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Owns placing a pump in another zone than its own, and letting it back. Its certificates stay in
 * force: it is on the network, only elsewhere. Never touches a pump that is revoked.
 */
#include "sql/store/store_db.h"

#include <string.h>

/* What an action makes of devices.placement: "" for none. NULL: there is no such action. */
static const char *placement_of(const char *action)
{
	if (!strcmp(action, "quarantine"))
		return "quarantine";
	if (!strcmp(action, "park"))
		return "parking";
	return strcmp(action, "release") ? NULL : "";
}

struct placed_device {
	int64_t id;
	char placement[STATE_SIZE]; /* "": none */
};

static int device_for_placement(struct db *db, const char *serial, struct placed_device *out)
{
	char state[STATE_SIZE];
	AUTO_QUERY q;
	int rc = query_open(
		&q, db, "SELECT id, state, COALESCE(placement, '') FROM devices WHERE serial = ?1",
		DB_T(serial));

	if (!rc)
		rc = query_next(&q);
	if (rc < 0)
		return rc;
	if (rc == 0)
		return err_set(ERR_NOT_FOUND, "the inventory has no pump '%s'", serial);
	out->id = query_i64(&q, 0);
	query_text(&q, 1, state, sizeof(state));
	query_text(&q, 2, out->placement, sizeof(out->placement));
	if (!strcmp(state, "revoked"))
		return err_set(ERR_CONFLICT, "pump %s is revoked, and that is for good", serial);
	if (strcmp(state, "enrolled"))
		return err_set(ERR_CONFLICT,
			       "pump %s has no certificate yet: it gets on by its enrolment window "
			       "only (to keep it off: pumpctl pump revoke %s)",
			       serial, serial);
	return 0;
}

/* Without such a zone it would be put off the network, alarms and all. */
static int zone_for_placement(struct db *db, const char *placement)
{
	int64_t n = 1;
	int rc = *placement ? db_number(db, &n, "SELECT count(*) FROM zones WHERE purpose = ?1",
					DB_T(placement))
			    : 0;

	if (!rc && !n)
		rc = err_set(ERR_CONFLICT,
			     "there is no %s zone: add it first (pumpctl zone add NAME --vlan N "
			     "--%s)",
			     placement, placement);
	return rc;
}

static int placement_set(struct db *db, const struct action *by, const struct standing_change *rq,
			 int64_t device, const char *placement)
{
	return db_run(db,
		      "UPDATE devices SET placement = NULLIF(?2, ''), state_at = ?3, state_by = ?4,"
		      " state_reason = ?5 WHERE id = ?1",
		      DB_I(device), DB_T(placement), DB_I(by->at), DB_T(by->actor),
		      DB_T(rq->reason));
}

int placement_check(struct db *db, const struct standing_change *rq, int64_t *id_out,
		    bool *already_out)
{
	const char *placement = placement_of(rq->action);
	struct placed_device device;
	bool already;
	int rc;

	if (!placement)
		return err_set(ERR_INVALID, "no change of standing '%s'", rq->action);
	rc = device_for_placement(db, rq->device, &device);
	if (rc)
		return rc;
	already = !strcmp(device.placement, placement);
	rc = already ? 0 : zone_for_placement(db, placement);
	if (rc)
		return rc;
	*id_out = device.id;
	*already_out = already;
	return 0;
}

int placement_add(struct db *db, const struct action *by, const struct standing_change *rq,
		  int64_t asked_at, const struct foothold *holds, size_t n, bool *moved_out)
{
	bool already = false;
	int64_t device;
	int rc = placement_check(db, rq, &device, &already);

	*moved_out = !rc && !already;
	if (rc || already)
		return rc;
	rc = placement_set(db, by, rq, device, placement_of(rq->action));
	return rc ? rc : change_add(db, by, rq, device, asked_at, 0, holds, n);
}

int store_standing_change(struct store *st, const struct action *by,
			  const struct standing_change *rq, int64_t asked_at,
			  const struct foothold *holds, size_t n, struct revocation *out)
{
	bool moved = false;
	AUTO_TX tx = {0};
	int rc = label_check("reason", rq->reason);

	if (!rc)
		rc = tx_begin(&tx, st->db);
	if (!rc)
		rc = placement_add(st->db, by, rq, asked_at, holds, n, &moved);
	if (!rc && moved && strcmp(rq->action, "quarantine"))
		rc = decommission_cancel(st->db, by, rq->device);
	if (!rc && moved)
		rc = tx_commit(&tx);
	tx_end(&tx);
	if (rc)
		return rc;
	rc = store_revocation(st, rq->device, out);
	if (rc == ERR_NOT_FOUND)
		return err_set(ERR_UNCHANGED, "pump %s is in its own zone and was always there",
			       rq->device);
	out->already = !moved;
	return rc;
}

int store_zone_due(struct store *st, const char *device, struct zone_due *out)
{
	AUTO_QUERY q;
	int rc = query_open(&q, st->db,
			    "SELECT CASE WHEN d.placement IS NULL THEN z.name"
			    " ELSE COALESCE(p.name, '') END,"
			    " CASE WHEN d.placement IS NULL AND t.min IS NOT NULL"
			    " THEN COALESCE(l.name, '') ELSE '' END FROM devices d"
			    " JOIN zones z ON z.id = d.zone_id"
			    " LEFT JOIN zones p ON p.purpose = d.placement"
			    " LEFT JOIN zones l ON l.purpose = 'quarantine'"
			    " LEFT JOIN model_tls t ON t.model = d.model WHERE d.serial = ?1",
			    DB_T(device));

	if (!rc)
		rc = query_next(&q);
	if (rc <= 0)
		return rc ? rc : err_set(ERR_NOT_FOUND, "the inventory has no pump '%s'", device);
	query_text(&q, 0, out->zone, sizeof(out->zone));
	query_text(&q, 1, out->low, sizeof(out->low));
	return 0;
}
