/* SPDX-License-Identifier: BSD-2-Clause */
/* Owns the table device_macs: which other network cards a pump has. */
#include "sql/store/store_db.h"

#include <string.h>

#define PER_PUMP_MAX 8

static int device_find(struct db *db, const char *serial, int64_t *id_out)
{
	int rc = db_number(db, id_out, "SELECT id FROM devices WHERE serial = ?1", DB_T(serial));

	return rc == ERR_NOT_FOUND ? err_set(rc, "the inventory has no pump '%s'", serial) : rc;
}

/* 0: free. ERR_UNCHANGED: the pump's already; ERR_EXISTS: another pump's. */
static int owner_check(struct db *db, const char *serial, const char *mac)
{
	char owner[DEVICE_SERIAL_SIZE];
	AUTO_QUERY q;
	int rc = query_open(&q, db,
			    "SELECT serial FROM devices WHERE mac = ?1 UNION ALL"
			    " SELECT d.serial FROM device_macs m JOIN devices d"
			    " ON d.id = m.device_id WHERE m.mac = ?1 LIMIT 1",
			    DB_T(mac));

	if (!rc)
		rc = query_next(&q);
	if (rc <= 0)
		return rc;
	query_text(&q, 0, owner, sizeof(owner));
	if (strcmp(owner, serial) != 0)
		return err_set(ERR_EXISTS, "MAC address %s belongs to pump %s", mac, owner);
	return err_set(ERR_UNCHANGED, "MAC address %s is known for pump %s", mac, serial);
}

static int mac_add(struct db *db, const struct action *by, int64_t device, const char *serial,
		   const char *mac)
{
	int64_t n;
	int rc = owner_check(db, serial, mac);

	if (!rc)
		rc = db_number(db, &n, "SELECT count(*) FROM device_macs WHERE device_id = ?1",
			       DB_I(device));
	if (!rc && n >= PER_PUMP_MAX)
		return err_set(ERR_LIMIT, "pump %s has %d further MAC addresses already", serial,
			       PER_PUMP_MAX);
	if (!rc)
		rc = db_run(db,
			    "INSERT INTO device_macs (device_id, mac, added_at)"
			    " VALUES (?1, ?2, ?3)",
			    DB_I(device), DB_T(mac), DB_I(by->at));
	return rc;
}

static int mac_remove(struct db *db, int64_t device, const char *serial, const char *mac)
{
	int64_t n;
	int rc = db_run_count(db, &n, "DELETE FROM device_macs WHERE device_id = ?1 AND mac = ?2",
			      DB_I(device), DB_T(mac));

	if (!rc && n == 0)
		rc = err_set(ERR_UNCHANGED, "pump %s has no further MAC address %s", serial, mac);
	return rc;
}

int store_device_mac(struct store *st, const struct action *by, const struct device_mac *rq)
{
	char mac[MAC_SIZE];
	AUTO_TX tx = {0};
	int64_t device;
	int rc = mac_normalise(rq->mac, mac);

	if (!rc)
		rc = tx_begin(&tx, st->db);
	if (!rc)
		rc = device_find(st->db, rq->device, &device);
	if (!rc)
		rc = rq->remove ? mac_remove(st->db, device, rq->device, mac)
				: mac_add(st->db, by, device, rq->device, mac);
	if (!rc)
		rc = audit_append(st->db, by, rq->remove ? "pump.mac.remove" : "pump.mac.add",
				  rq->device, "mac=%s", mac);
	return rc ? rc : tx_commit(&tx);
}

int store_device_mac_is_known(struct store *st, const char *device, const char *mac,
			      bool *known_out)
{
	int64_t n;
	int rc = db_number(st->db, &n,
			   "SELECT (SELECT count(*) FROM devices WHERE serial = ?1 AND mac = ?2)"
			   " + (SELECT count(*) FROM device_macs m JOIN devices d"
			   "    ON d.id = m.device_id WHERE d.serial = ?1 AND m.mac = ?2)",
			   DB_T(device), DB_T(mac));

	if (!rc)
		*known_out = n > 0;
	return rc;
}
