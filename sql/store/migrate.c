/* SPDX-License-Identifier: BSD-2-Clause */
/* Owns the steps from one schema version to the next. Never knows what a migration says. */
#include "sql/store/migrate.h"

#include "base/clock.h"

int schema_version(struct db *db, const struct schema *s, unsigned *out)
{
	int64_t id, tables, version = 0;
	int rc = db_number(db, &id, "SELECT application_id FROM pragma_application_id");

	if (!rc)
		rc = db_number(db, &tables, "SELECT count(*) FROM sqlite_master");
	if (rc)
		return rc;
	if (tables == 0) {
		*out = 0;
		return 0;
	}
	if (id != (int64_t)s->application_id)
		return err_set(ERR_CORRUPT, "%s is not a Pumpgate %s database", db_path(db),
			       s->name);
	rc = db_number(db, &version, "SELECT max(version) FROM schema_version");
	if (rc)
		return rc;
	*out = (unsigned)version;
	return 0;
}

static int newer(const struct db *db, const struct schema *s, unsigned version)
{
	return err_set(
		ERR_NEWER,
		"%s: the %s database has schema version %u; this program knows up to %u. It was "
		"written by a newer Pumpgate: install that version, or restore a backup made "
		"with this one",
		db_path(db), s->name, version, s->version);
}

int schema_check(struct db *db, const struct schema *s)
{
	unsigned version;
	int rc = schema_version(db, s, &version);

	if (rc)
		return rc;
	if (version > s->version)
		return newer(db, s, version);
	if (version < s->version)
		return err_set(
			ERR_CONFLICT,
			"%s: the %s database has schema version %u and needs an upgrade to %u",
			db_path(db), s->name, version, s->version);
	return 0;
}

static int step(struct db *db, const struct schema *s, unsigned to)
{
	AUTO_TX tx;
	AUTO_BUF id;
	const char *text;
	int rc = tx_begin(&tx, db);

	buf_init(&id, 128);
	if (!rc && to == 1) {
		rc = buf_printf(&id, "PRAGMA application_id = %u;", s->application_id);
		text = buf_cstr(&id);
		if (!rc)
			rc = text ? db_script(db, text) : ERR_NOMEM;
		if (!rc)
			rc = db_script(db, "CREATE TABLE schema_version ("
					   " version INTEGER NOT NULL PRIMARY KEY,"
					   " applied_at BIGINT NOT NULL);");
	}
	if (!rc)
		rc = db_script(db, s->texts[to - 1]);
	if (!rc)
		rc = db_run(db, "INSERT INTO schema_version (version, applied_at) VALUES (?1, ?2)",
			    DB_I(to), DB_I(clock_wall_ms()));
	if (!rc)
		rc = tx_commit(&tx);
	return rc ? err_add(rc, "upgrade of the %s database to version %u", s->name, to) : 0;
}

int schema_upgrade(struct db *db, const struct schema *s, unsigned *from_out)
{
	unsigned version;
	int rc = schema_version(db, s, &version);

	if (rc)
		return rc;
	if (version > s->version)
		return newer(db, s, version);
	for (unsigned to = version + 1; to <= s->version; to++) {
		rc = step(db, s, to);
		if (rc)
			return rc;
	}
	*from_out = version;
	return 0;
}
