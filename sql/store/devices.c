/* SPDX-License-Identifier: BSD-2-Clause */
/* Owns the inventory: adding and reading pumps. State changes stand in issue.c and revoke.c. */
#include "sql/store/store_db.h"

#include <stdio.h>
#include <string.h>

static int device_check(const struct device *in, char mac[MAC_SIZE])
{
	int rc = device_serial_check(in->serial);

	if (!rc)
		rc = mac_normalise(in->mac, mac);
	if (!rc)
		rc = label_check("maker", in->maker);
	if (!rc)
		rc = label_check("model", in->model);
	if (!rc)
		rc = label_check("ward", in->ward);
	if (!rc && !*in->zone)
		rc = err_set(ERR_INVALID, "a pump needs a zone");
	return rc;
}

/* 0: neither serial nor MAC is taken. ERR_UNCHANGED, ERR_EXISTS. */
static int device_compare(struct db *db, const struct device *in, const char *mac)
{
	struct device old;
	AUTO_QUERY q;
	int rc = query_open(&q, db,
			    "SELECT d.serial, d.maker, d.model, d.mac, d.ward, z.name"
			    " FROM devices d JOIN zones z ON z.id = d.zone_id"
			    " WHERE d.serial = ?1 OR d.mac = ?2 ORDER BY d.serial <> ?1 LIMIT 1",
			    DB_T(in->serial), DB_T(mac));

	if (!rc)
		rc = query_next(&q);
	if (rc <= 0)
		return rc;
	query_text(&q, 0, old.serial, sizeof(old.serial));
	query_text(&q, 1, old.maker, sizeof(old.maker));
	query_text(&q, 2, old.model, sizeof(old.model));
	query_text(&q, 3, old.mac, sizeof(old.mac));
	query_text(&q, 4, old.ward, sizeof(old.ward));
	query_text(&q, 5, old.zone, sizeof(old.zone));
	if (strcmp(old.serial, in->serial))
		return err_set(ERR_EXISTS, "MAC address %s belongs to pump %s", mac, old.serial);
	if (!strcmp(old.maker, in->maker) && !strcmp(old.model, in->model) &&
	    !strcmp(old.mac, mac) && !strcmp(old.ward, in->ward) && !strcmp(old.zone, in->zone))
		return err_set(ERR_UNCHANGED, "pump %s is just so already", in->serial);
	return err_set(ERR_EXISTS, "pump %s exists with %s%s%s%s%s", in->serial,
		       strcmp(old.maker, in->maker) ? "another maker, " : "",
		       strcmp(old.model, in->model) ? "another model, " : "",
		       strcmp(old.mac, mac) ? "another MAC address, " : "",
		       strcmp(old.ward, in->ward) ? "another ward, " : "",
		       strcmp(old.zone, in->zone) ? "another zone" : "the rest equal");
}

/* A pump that was wiped, and said so, may have another life: 1. */
static int device_is_wiped(struct db *db, const char *serial)
{
	int64_t n;
	int rc = db_number(db, &n,
			   "SELECT count(*) FROM devices d WHERE d.serial = ?1"
			   " AND d.state = 'revoked' AND d.held_at = 0"
			   " AND (SELECT c.state FROM decommissions c WHERE c.device_id = d.id"
			   "  ORDER BY c.id DESC LIMIT 1) = 'wiped'",
			   DB_T(serial));

	return rc ? rc : n > 0;
}

/* Its certificates stay revoked: it gets new ones, as any pump that is expected. */
static int device_return(struct db *db, const struct action *by, const struct device *in,
			 const char *mac, int64_t zone)
{
	int64_t others;
	int rc = db_number(db, &others,
			   "SELECT count(*) FROM devices WHERE mac = ?1 AND serial <> ?2",
			   DB_T(mac), DB_T(in->serial));

	if (!rc && others)
		rc = err_set(ERR_EXISTS, "MAC address %s belongs to another pump", mac);
	if (!rc)
		rc = db_run(db,
			    "UPDATE devices SET maker = ?2, model = ?3, mac = ?4, ward = ?5,"
			    " zone_id = ?6, state = 'expected', state_at = ?7, state_by = ?8,"
			    " state_reason = 'came back after it was wiped', mab_until = 0,"
			    " placement = NULL WHERE serial = ?1",
			    DB_T(in->serial), DB_T(in->maker), DB_T(in->model), DB_T(mac),
			    DB_T(in->ward), DB_I(zone), DB_I(by->at), DB_T(by->actor));
	return rc ? rc
		  : audit_append(db, by, "pump.return", in->serial,
				 "maker=%s model=%s mac=%s zone=%s", in->maker, in->model, mac,
				 in->zone);
}

static int device_insert(struct db *db, const struct action *by, const struct device *in)
{
	char mac[MAC_SIZE];
	int64_t zone;
	int rc = device_check(in, mac);
	int returns = rc ? 0 : device_is_wiped(db, in->serial);

	if (returns < 0)
		rc = returns;
	if (!rc && !returns)
		rc = device_compare(db, in, mac);
	if (rc)
		return rc;
	rc = db_number(db, &zone, "SELECT id FROM zones WHERE name = ?1", DB_T(in->zone));
	if (rc == ERR_NOT_FOUND)
		return err_set(ERR_NOT_FOUND,
			       "there is no zone '%s': add it first (pumpctl zone add %s --vlan N)",
			       in->zone, in->zone);
	if (!rc && returns)
		return device_return(db, by, in, mac, zone);
	if (!rc)
		rc = db_run(db,
			    "INSERT INTO devices (serial, maker, model, mac, ward, zone_id, state,"
			    " state_at, state_by, state_reason, added_at, mab_until)"
			    " VALUES (?1, ?2, ?3, ?4, ?5, ?6, 'expected', ?7, ?8, '', ?7, 0)",
			    DB_T(in->serial), DB_T(in->maker), DB_T(in->model), DB_T(mac),
			    DB_T(in->ward), DB_I(zone), DB_I(by->at), DB_T(by->actor));
	if (!rc)
		rc = audit_append(db, by, "pump.add", in->serial,
				  "maker=%s model=%s mac=%s zone=%s", in->maker, in->model, mac,
				  in->zone);
	return rc;
}

/* Outcomes that are about one pump and leave the transaction whole. */
static bool is_about_pump(int rc)
{
	return rc == 0 || rc == ERR_INVALID || rc == ERR_EXISTS || rc == ERR_UNCHANGED ||
	       rc == ERR_NOT_FOUND;
}

int store_device_add(struct store *st, const struct action *by, const struct device *devices,
		     size_t n, struct add_outcome *out)
{
	AUTO_TX tx = {0};
	int rc = tx_begin(&tx, st->db);

	for (size_t i = 0; !rc && i < n; i++) {
		rc = device_insert(st->db, by, &devices[i]);
		if (!is_about_pump(rc))
			return rc;
		out[i] = (struct add_outcome){.code = (uint32_t)-rc};
		memcpy(out[i].serial, devices[i].serial, sizeof(out[i].serial));
		if (rc)
			snprintf(out[i].text, sizeof(out[i].text), "%s", err_text());
		rc = 0;
	}
	return rc ? rc : tx_commit(&tx);
}

#define DEVICE_COLUMNS                                                                    \
	"SELECT d.serial, d.maker, d.model, d.mac, d.ward, z.name, z.vlan, " DEVICE_STATE \
	", d.state_at, d.state_by, d.state_reason, d.added_at, d.mab_until, d.id"         \
	" FROM devices d JOIN zones z ON z.id = d.zone_id"

/* The newest certificate, the open token, open orders. */
static int device_complete(struct db *db, int64_t id, int64_t now, struct device *out)
{
	AUTO_QUERY cert = {0};
	AUTO_QUERY token = {0};
	AUTO_QUERY report = {0};
	int64_t orders, untold, alarms;
	int rc = query_open(&cert, db,
			    "SELECT serial, state, not_after FROM certificates WHERE device_id = ?1"
			    " AND state <> 'reserved' ORDER BY id DESC LIMIT 1",
			    DB_I(id));

	if (!rc)
		rc = query_next(&cert);
	if (rc == 1) {
		query_text(&cert, 0, out->cert_serial, sizeof(out->cert_serial));
		query_text(&cert, 1, out->cert_state, sizeof(out->cert_state));
		out->cert_not_after = query_i64(&cert, 2);
	}
	if (rc >= 0)
		rc = query_open(&token, db,
				"SELECT expires_at FROM tokens WHERE device_id = ?1"
				" AND state = 'open' AND expires_at > ?2 ORDER BY id DESC LIMIT 1",
				DB_I(id), DB_I(now));
	if (rc >= 0)
		rc = query_next(&token);
	if (rc == 1)
		out->token_until = query_i64(&token, 0);
	if (rc >= 0)
		rc = query_open(&report, db,
				"SELECT at, software, key_protection, infusing FROM reports"
				" WHERE device_id = ?1",
				DB_I(id));
	if (rc >= 0)
		rc = query_next(&report);
	if (rc == 1) {
		out->reported_at = query_i64(&report, 0);
		query_text(&report, 1, out->software, sizeof(out->software));
		query_text(&report, 2, out->key_protection, sizeof(out->key_protection));
		query_text(&report, 3, out->infusing, sizeof(out->infusing));
	}
	if (rc >= 0)
		rc = pending_of_device(db, id, out);
	if (rc >= 0)
		rc = db_number(db, &orders,
			       "SELECT count(*) FROM orders WHERE device_id = ?1"
			       " AND state IN ('waiting', 'sent')",
			       DB_I(id));
	if (!rc)
		rc = db_number(db, &untold,
			       "SELECT count(DISTINCT o.nas)" ORDERS_UNTOLD " AND o.device_id = ?1",
			       DB_I(id), DB_I(now - UNTOLD_MS));
	if (!rc)
		rc = db_number(db, &alarms,
			       "SELECT count(*) FROM alarms WHERE device = ?1 AND state = 'open'",
			       DB_T(out->serial));
	if (rc)
		return rc;
	out->open_alarms = (uint32_t)alarms;
	out->open_orders = (uint32_t)orders;
	out->untold_nas = (uint32_t)untold;
	return 0;
}

static int device_read(struct db *db, const struct query *q, int64_t now, struct device *out)
{
	*out = (struct device){0};
	query_text(q, 0, out->serial, sizeof(out->serial));
	query_text(q, 1, out->maker, sizeof(out->maker));
	query_text(q, 2, out->model, sizeof(out->model));
	query_text(q, 3, out->mac, sizeof(out->mac));
	query_text(q, 4, out->ward, sizeof(out->ward));
	query_text(q, 5, out->zone, sizeof(out->zone));
	out->vlan = (uint32_t)query_i64(q, 6);
	query_text(q, 7, out->state, sizeof(out->state));
	out->state_at = query_i64(q, 8);
	query_text(q, 9, out->state_by, sizeof(out->state_by));
	query_text(q, 10, out->state_reason, sizeof(out->state_reason));
	out->added_at = query_i64(q, 11);
	out->mab_until = query_i64(q, 12);
	return device_complete(db, query_i64(q, 13), now, out);
}

static int other_macs_read(struct db *db, struct device *out)
{
	char mac[MAC_SIZE];
	AUTO_QUERY q;
	size_t at = 0;
	int rc = query_open(&q, db,
			    "SELECT m.mac FROM devices d JOIN device_macs m ON m.device_id = d.id"
			    " WHERE d.serial = ?1 ORDER BY m.id",
			    DB_T(out->serial));

	while (!rc && (rc = query_next(&q)) == 1) {
		query_text(&q, 0, mac, sizeof(mac));
		at += (size_t)snprintf(out->other_macs + at, sizeof(out->other_macs) - at, "%s%s",
				       at ? ", " : "", mac);
		if (at >= sizeof(out->other_macs))
			return 0; /* as many as there is room for */
		rc = 0;
	}
	return rc;
}

int store_device_show(struct store *st, const char *serial, int64_t now, struct device *out)
{
	AUTO_QUERY q;
	int rc = query_open(&q, st->db, DEVICE_COLUMNS " WHERE d.serial = ?1", DB_T(serial));

	if (!rc)
		rc = query_next(&q);
	if (rc < 0)
		return rc;
	if (rc == 0)
		return err_set(ERR_NOT_FOUND, "the inventory has no pump '%s'", serial);
	rc = device_read(st->db, &q, now, out);
	return rc ? rc : other_macs_read(st->db, out);
}

int store_device_list(struct store *st, const struct list_query *q, int64_t now, struct device *out,
		      size_t max, size_t *n_out)
{
	AUTO_QUERY rows;
	size_t limit, n = 0;
	int rc = list_limit(q, max, &limit);

	if (rc)
		return rc;
	rc = query_open(&rows, st->db,
			DEVICE_COLUMNS " WHERE d.serial > ?1 AND (?2 = '' OR d.serial = ?2)"
				       " AND (?3 = '' OR " DEVICE_STATE " = ?3)"
				       " AND (?4 = '' OR z.name = ?4)"
				       " AND (?5 = '' OR d.ward = ?5)"
				       " AND (?6 = '' OR d.model = ?6)"
				       " ORDER BY d.serial LIMIT ?7",
			DB_T(q->after), DB_T(q->device), DB_T(q->state), DB_T(q->zone),
			DB_T(q->ward), DB_T(q->model), DB_I(limit));
	while (!rc && n < limit && (rc = query_next(&rows)) == 1)
		rc = device_read(st->db, &rows, now, &out[n++]);
	if (rc < 0)
		return rc;
	*n_out = n;
	return 0;
}
