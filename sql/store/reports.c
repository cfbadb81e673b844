/* SPDX-License-Identifier: BSD-2-Clause */
/* Owns the table reports. Never changes a pump's standing. */
#include "sql/store/reports.h"

#include <stdio.h>
#include <string.h>

#include "sql/store/store_db.h"

#define SAME_MS 60000 /* so old may a row be that says the same, before it is written again */

#define REPORT_COLUMNS                                                                   \
	"SELECT r.at, r.infusing_at, r.changed_at, r.cert_serial, r.source, r.software," \
	" r.key_protection, r.infusing, r.clock_checked, r.clock_behind_ms,"             \
	" r.clock_ahead_ms, r.slots, r.server_anchors, r.device_anchors, r.ports,"       \
	" r.ports_more, d.serial FROM reports r JOIN devices d ON d.id = r.device_id"

static void report_read(const struct query *q, struct pump_report *out)
{
	*out = (struct pump_report){.at = query_i64(q, 0),
				    .infusing_at = query_i64(q, 1),
				    .changed_at = query_i64(q, 2),
				    .clock_checked = query_i64(q, 8) != 0,
				    .clock_behind_ms = (uint64_t)query_i64(q, 9),
				    .clock_ahead_ms = (uint64_t)query_i64(q, 10),
				    .ports_more = (uint32_t)query_i64(q, 15)};
	query_text(q, 3, out->cert_serial, sizeof(out->cert_serial));
	query_text(q, 4, out->source, sizeof(out->source));
	query_text(q, 5, out->software, sizeof(out->software));
	query_text(q, 6, out->key_protection, sizeof(out->key_protection));
	query_text(q, 7, out->infusing, sizeof(out->infusing));
	query_text(q, 11, out->slots, sizeof(out->slots));
	query_text(q, 12, out->server_anchors, sizeof(out->server_anchors));
	query_text(q, 13, out->device_anchors, sizeof(out->device_anchors));
	query_text(q, 14, out->ports, sizeof(out->ports));
	query_text(q, 16, out->device, sizeof(out->device));
}

/* *out is zero when there is none. */
static int old_read(struct db *db, int64_t device, struct pump_report *out)
{
	AUTO_QUERY q;
	int rc = query_open(&q, db, REPORT_COLUMNS " WHERE r.device_id = ?1", DB_I(device));

	*out = (struct pump_report){0};
	if (!rc)
		rc = query_next(&q);
	if (rc == 1)
		report_read(&q, out);
	return rc < 0 ? rc : 0;
}

static void change_put(char out[TEXT_SIZE], const char *what, const char *old, const char *new)
{
	size_t at = strlen(out);

	if (!strcmp(old, new))
		return;
	if (strlen(old) + strlen(new) < 64)
		snprintf(out + at, TEXT_SIZE - at, "%s%s %s -> %s", at ? ", " : "", what,
			 *old ? old : "none", *new ? new : "none");
	else
		snprintf(out + at, TEXT_SIZE - at, "%s%s", at ? ", " : "", what);
}

static void changes_put(const struct pump_report *old, const struct pump_report *new,
			char out[TEXT_SIZE])
{
	*out = '\0';
	if (!old->at) {
		snprintf(out, TEXT_SIZE, "first report: software %s, key in %s", new->software,
			 new->key_protection);
		return;
	}
	change_put(out, "software", old->software, new->software);
	change_put(out, "key protection", old->key_protection, new->key_protection);
	change_put(out, "open ports", old->ports, new->ports);
	change_put(out, "server anchors", old->server_anchors, new->server_anchors);
	change_put(out, "device anchors", old->device_anchors, new->device_anchors);
	change_put(out, "certificates", old->slots, new->slots);
}

static int report_write(struct db *db, int64_t device, const struct pump_report *r)
{
	return db_run(
		db,
		"INSERT INTO reports (device_id, at, infusing_at, changed_at, cert_serial, source,"
		" software, key_protection, infusing, clock_checked, clock_behind_ms,"
		" clock_ahead_ms, slots, server_anchors, device_anchors, ports, ports_more)"
		" VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16,"
		" ?17) ON CONFLICT (device_id) DO UPDATE SET at = ?2, infusing_at = ?3,"
		" changed_at = ?4, cert_serial = ?5, source = ?6, software = ?7,"
		" key_protection = ?8, infusing = ?9, clock_checked = ?10, clock_behind_ms = ?11,"
		" clock_ahead_ms = ?12, slots = ?13, server_anchors = ?14, device_anchors = ?15,"
		" ports = ?16, ports_more = ?17",
		DB_I(device), DB_I(r->at), DB_I(r->infusing_at), DB_I(r->changed_at),
		DB_T(r->cert_serial), DB_T(r->source), DB_T(r->software), DB_T(r->key_protection),
		DB_T(r->infusing), DB_I(r->clock_checked), DB_I(r->clock_behind_ms),
		DB_I(r->clock_ahead_ms), DB_T(r->slots), DB_T(r->server_anchors),
		DB_T(r->device_anchors), DB_T(r->ports), DB_I(r->ports_more));
}

/* Whose certificate it is; 0: nobody's. */
static int owner_read(struct db *db, const struct pump_report *r, struct report_answer *out,
		      int64_t *device_out)
{
	char serial[DEVICE_SERIAL_SIZE];
	AUTO_QUERY q;
	int rc = query_open(&q, db,
			    "SELECT d.id, d.serial, " DEVICE_STATE ", d.state_reason, c.state,"
			    " (SELECT o.wipe_order FROM decommissions o"
			    "  WHERE o.device_id = d.id AND o.state = 'ordered')"
			    " FROM issuers i JOIN certificates c ON c.issuer_id = i.id"
			    " JOIN devices d ON d.id = c.device_id"
			    " WHERE i.name = ?1 AND c.serial = ?2",
			    DB_T(r->issuer), DB_T(r->cert_serial));

	*out = (struct report_answer){0};
	*device_out = 0;
	if (!rc)
		rc = query_next(&q);
	if (rc <= 0)
		return rc;
	query_text(&q, 1, serial, sizeof(serial));
	if (strcmp(serial, r->device) != 0)
		return err_set(ERR_DENIED, "the certificate is that of pump %s", serial);
	*device_out = query_i64(&q, 0);
	query_text(&q, 2, out->state, sizeof(out->state));
	query_text(&q, 3, out->reason, sizeof(out->reason));
	query_text(&q, 4, out->cert_state, sizeof(out->cert_state));
	query_text(&q, 5, out->wipe_order, sizeof(out->wipe_order));
	return 0;
}

/* Only what has a certificate in force says anything about the pump. */
static bool is_believed(const struct report_answer *a)
{
	return !strcmp(a->cert_state, "valid") &&
	       (!strcmp(a->state, "enrolled") || !strcmp(a->state, "quarantined") ||
		!strcmp(a->state, "parked"));
}

static int report_keep(struct db *db, int64_t now, int64_t device, const struct pump_report *r,
		       char changes_out[TEXT_SIZE])
{
	struct pump_report new = *r, old;
	bool same_infusing;
	int rc = old_read(db, device, &old);

	if (rc)
		return rc;
	changes_put(&old, r, changes_out);
	same_infusing = old.at && !strcmp(old.infusing, r->infusing);
	if (!*changes_out && same_infusing && now >= old.at && now - old.at < SAME_MS)
		return 0;
	new.at = now;
	new.infusing_at = same_infusing ? old.infusing_at : now;
	new.changed_at = *changes_out ? now : old.changed_at;
	return report_write(db, device, &new);
}

int store_report(struct store *st, int64_t now, const struct pump_report *r,
		 struct report_answer *out, char changes_out[TEXT_SIZE])
{
	struct report_answer answer;
	int64_t device;
	AUTO_TX tx = {0};
	int rc = tx_begin(&tx, st->db);

	*changes_out = '\0';
	if (!rc)
		rc = owner_read(st->db, r, &answer, &device);
	if (!rc && device && is_believed(&answer)) {
		rc = report_keep(st->db, now, device, r, changes_out);
		if (!rc)
			rc = tx_commit(&tx);
	}
	if (!rc)
		*out = answer;
	return rc;
}

int store_report_show(struct store *st, const char *device, struct pump_report *out)
{
	AUTO_QUERY q;
	int rc = query_open(&q, st->db, REPORT_COLUMNS " WHERE d.serial = ?1", DB_T(device));

	if (!rc)
		rc = query_next(&q);
	if (rc == 0)
		return err_set(ERR_NOT_FOUND, "pump %s has not reported yet", device);
	if (rc < 0)
		return rc;
	report_read(&q, out);
	return 0;
}

int store_report_status(struct store *st, int64_t now, const struct report_policy *p,
			struct status *out)
{
	char software[NAME_SIZE];
	AUTO_QUERY q;
	int rc = query_open(&q, st->db,
			    "SELECT r.software, count(*) FROM reports r"
			    " JOIN devices d ON d.id = r.device_id WHERE d.state = 'enrolled'"
			    " AND r.at > ?1 GROUP BY r.software",
			    DB_I(now - STORE_REPORT_FRESH_MS));

	out->reporting = out->below_version = 0;
	memcpy(out->min_version, p->min_version, sizeof(out->min_version));
	while (!rc && (rc = query_next(&q)) == 1) {
		query_text(&q, 0, software, sizeof(software));
		out->reporting += (uint64_t)query_i64(&q, 1);
		if (report_is_old(p, software))
			out->below_version += (uint64_t)query_i64(&q, 1);
		rc = 0;
	}
	return rc;
}

/* Pumps d in use with their report r; what a report of the anchor ?1 since ?2 is. */
#define ANCHOR_FROM                                                 \
	" FROM devices d LEFT JOIN reports r ON r.device_id = d.id" \
	" WHERE d.state = 'enrolled'"
#define ANCHOR_HELD "COALESCE(r.at > ?2 AND instr(r.server_anchors, ?1) > 0, 0)"

static int anchor_check(const char *sha256)
{
	if (strlen(sha256) != 64 || strspn(sha256, "0123456789abcdef") != 64)
		return err_set(ERR_INVALID, "an anchor is named by its SHA-256 in hex");
	return 0;
}

int store_anchor_lack(struct store *st, const struct anchor_query *q, struct anchor_lack *out,
		      size_t max, size_t *n_out)
{
	size_t limit = q->limit ? q->limit : max, n = 0;
	AUTO_QUERY rows = {0};
	int rc = anchor_check(q->sha256);

	if (!rc && limit > max)
		rc = err_set(ERR_LIMIT, "at most %zu at once", max);
	if (!rc)
		rc = query_open(&rows, st->db,
				"SELECT d.serial, d.ward, d.model, COALESCE(r.at, 0)" ANCHOR_FROM
				" AND NOT " ANCHOR_HELD " AND d.serial > ?3"
				" ORDER BY d.serial LIMIT ?4",
				DB_T(q->sha256), DB_I(q->since), DB_T(q->after), DB_I(limit));
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

int store_anchor_count(struct store *st, const struct anchor_query *q, struct anchor_count *out)
{
	int64_t pumps, holding;
	int rc = anchor_check(q->sha256);

	if (!rc)
		rc = db_number(st->db, &pumps, "SELECT count(*)" ANCHOR_FROM);
	if (!rc)
		rc = db_number(st->db, &holding, "SELECT count(*)" ANCHOR_FROM " AND " ANCHOR_HELD,
			       DB_T(q->sha256), DB_I(q->since));
	if (rc)
		return rc;
	*out = (struct anchor_count){.pumps = (uint64_t)pumps, .holding = (uint64_t)holding};
	return 0;
}
