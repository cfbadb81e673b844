/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Owns which change of which table may change the facts of a certificate, and reads them in bulk. A
 * table that is not named here changes everything: a new one costs time until it is, never truth.
 */
#include "sql/store/store_db.h"

#include <string.h>

#define STANDINGS                                                     \
	"SELECT " PUMP_FACTS_COLUMNS ", c.id, d.id, i.name, c.serial" \
	" FROM certificates c JOIN issuers i ON i.id = c.issuer_id" PUMP_FACTS_JOINS

static const char by_certificate[] = STANDINGS " WHERE c.id = ?1 LIMIT ?2";
static const char by_device[] = STANDINGS " WHERE c.device_id = ?1 ORDER BY c.id DESC LIMIT ?2";
static const char after[] = STANDINGS " WHERE c.id > ?1 ORDER BY c.id LIMIT ?2";

enum effect { EFFECT_ALL, EFFECT_NONE, EFFECT_CERTIFICATE, EFFECT_DEVICE, EFFECT_LEDGER };

static const struct {
	const char *table;
	enum effect effect;
	enum effect inserted; /* of a new row, which no pump in its own zone can refer to yet */
} effects[] = {
	{"certificates", EFFECT_CERTIFICATE, EFFECT_CERTIFICATE},
	{"devices", EFFECT_DEVICE, EFFECT_DEVICE},
	{"zones", EFFECT_ALL, EFFECT_NONE},
	{"issuers", EFFECT_ALL, EFFECT_NONE},
	{"ledger", EFFECT_LEDGER, EFFECT_LEDGER},
	{"model_tls", EFFECT_ALL, EFFECT_ALL},
	/* facts do not read these */
	{"tokens", EFFECT_NONE, EFFECT_NONE},
	{"certificate_der", EFFECT_NONE, EFFECT_NONE},
	{"revocations", EFFECT_NONE, EFFECT_NONE},
	{"orders", EFFECT_NONE, EFFECT_NONE},
	{"audit", EFFECT_NONE, EFFECT_NONE},
	{"audit_head", EFFECT_NONE, EFFECT_NONE},
	{"nas", EFFECT_NONE, EFFECT_NONE},
	{"restored_gap", EFFECT_NONE, EFFECT_NONE},
	{"approvals", EFFECT_NONE, EFFECT_NONE},
	{"recalls", EFFECT_NONE, EFFECT_NONE},
	{"recall_pumps", EFFECT_NONE, EFFECT_NONE},
	{"recall_rule", EFFECT_NONE, EFFECT_NONE},
	{"device_macs", EFFECT_NONE, EFFECT_NONE},
	{"alarms", EFFECT_NONE, EFFECT_NONE},
	{"makers", EFFECT_NONE, EFFECT_NONE},
	{"server_policy", EFFECT_NONE, EFFECT_NONE},
	{"maker_anchors", EFFECT_NONE, EFFECT_NONE},
	{"decommissions", EFFECT_NONE, EFFECT_NONE},
	{"rotations", EFFECT_NONE, EFFECT_NONE},
	{"rotation_certificates", EFFECT_NONE, EFFECT_NONE},
	{"reports", EFFECT_NONE, EFFECT_NONE},
	{"pending_changes", EFFECT_NONE, EFFECT_NONE},
	{"model_ports", EFFECT_NONE, EFFECT_NONE},
	{"nas_certificates", EFFECT_NONE, EFFECT_NONE},
};

static enum effect effect_of(const char *table, enum db_change how)
{
	for (size_t i = 0; i < sizeof(effects) / sizeof(effects[0]); i++)
		if (!strcmp(effects[i].table, table))
			return how == DB_INSERTED ? effects[i].inserted : effects[i].effect;
	return EFFECT_ALL;
}

static void changed(void *ctx, enum db_change how, const char *table, int64_t id)
{
	const struct standing_watch *w = ctx;

	switch (effect_of(table, how)) {
	case EFFECT_CERTIFICATE:
		w->certificate(w->ctx, id);
		return;
	case EFFECT_DEVICE:
		w->device(w->ctx, id);
		return;
	case EFFECT_LEDGER:
		w->ledger(w->ctx);
		return;
	case EFFECT_NONE:
		return;
	case EFFECT_ALL:
		break;
	}
	w->all(w->ctx);
}

static void table_check(void *ctx, const char *table)
{
	bool *unknown = ctx;

	for (size_t i = 0; i < sizeof(effects) / sizeof(effects[0]); i++)
		if (!strcmp(effects[i].table, table) && effects[i].effect != EFFECT_NONE)
			return;
	*unknown = true;
}

int store_standings_watch(struct store *st, const struct standing_watch *w)
{
	bool unknown = false;
	int rc = db_tables_read(st->db, after, table_check, &unknown);

	if (!rc && unknown)
		rc = err_set(ERR_INTERNAL, "the verdict's facts depend on a table whose changes "
					   "are not watched");
	if (!rc)
		db_watch(st->db, changed, (void *)(uintptr_t)w);
	return rc;
}

int store_standings_hold(struct store *st, bool *hold_out)
{
	int64_t needed = 1;
	int rc = db_number(st->db, &needed, "SELECT compare_needed FROM ledger");

	if (!rc)
		*hold_out = needed != 0;
	return rc;
}

int store_standings_version(struct store *st, int64_t *version_out)
{
	return db_number(st->db, version_out, "PRAGMA data_version");
}

int store_standings_count(struct store *st, uint64_t *valid_out, int64_t *max_id_out)
{
	int64_t valid = 0, certificates = 0, devices = 0;
	int rc = db_number(st->db, &valid,
			   "SELECT count(*) FROM certificates WHERE state = 'valid'");

	if (!rc)
		rc = db_number(st->db, &certificates,
			       "SELECT COALESCE(max(id), 0) FROM certificates");
	if (!rc)
		rc = db_number(st->db, &devices, "SELECT COALESCE(max(id), 0) FROM devices");
	if (rc)
		return rc;
	*valid_out = (uint64_t)valid;
	*max_id_out = certificates > devices ? certificates : devices;
	return 0;
}

static void standing_read(const struct query *q, struct standing *out)
{
	memset(out, 0, sizeof(*out));
	pump_facts_read(q, &out->facts);
	out->certificate = query_i64(q, PUMP_FACTS_N);
	out->device = query_i64(q, PUMP_FACTS_N + 1);
	query_text(q, PUMP_FACTS_N + 2, out->name.issuer, sizeof(out->name.issuer));
	query_text(q, PUMP_FACTS_N + 3, out->name.cert_serial, sizeof(out->name.cert_serial));
}

int store_standings(struct store *st, enum standing_pick pick, int64_t id, struct standing *out,
		    size_t max, size_t *n_out)
{
	static const char *const texts[] = {[STANDING_CERTIFICATE] = by_certificate,
					    [STANDING_DEVICE] = by_device,
					    [STANDING_AFTER] = after};
	AUTO_QUERY q = {0};
	size_t n = 0;
	int rc;

	if (!db_is_idle(st->db))
		return err_set(ERR_BUSY, "standings are read between transactions");
	rc = query_open(&q, st->db, texts[pick], DB_I(id), DB_I(max));
	while (!rc && n < max && (rc = query_next(&q)) == 1) {
		standing_read(&q, &out[n++]);
		rc = 0;
	}
	if (rc < 0)
		return rc;
	*n_out = n;
	return 0;
}
