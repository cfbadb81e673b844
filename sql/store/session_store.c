/* SPDX-License-Identifier: BSD-2-Clause */
/* Owns opening the session database, groups of events, and its bounds in size. */
#include "sql/store/session_db.h"

#include <stdlib.h>
#include <string.h>

#include "sql/store/migrate.h"

#define PRUNE_ROWS 2000

int session_store_upgrade(const char *path, unsigned *from_out, unsigned *to_out)
{
	AUTO_DB db = NULL;
	int rc = db_open(path, DB_CREATE, DB_SYNC_FULL, &db);

	if (!rc)
		rc = schema_upgrade(db, &schema_sessions, from_out);
	if (!rc)
		*to_out = schema_sessions.version;
	return rc;
}

int session_store_open(const char *path, enum store_access access, struct session_store **out)
{
	AUTO_SESSION_STORE ss = calloc(1, sizeof(*ss));
	int rc;

	if (!ss)
		return err_set(ERR_NOMEM, "no memory for a store");
	rc = db_open(path, access == STORE_WRITE ? DB_WRITE : DB_READ, DB_SYNC_NORMAL, &ss->db);
	if (!rc)
		rc = schema_check(ss->db, &schema_sessions);
	if (rc)
		return rc;
	*out = ss;
	ss = NULL;
	return 0;
}

void session_store_close(struct session_store *ss)
{
	if (!ss)
		return;
	tx_end(&ss->tx);
	db_close(ss->db);
	free(ss);
}

int session_store_begin(struct session_store *ss)
{
	return tx_begin(&ss->tx, ss->db);
}

int session_store_commit(struct session_store *ss)
{
	return tx_commit(&ss->tx);
}

void session_store_rollback(struct session_store *ss)
{
	memset(ss->nas, 0, sizeof(ss->nas)); /* what was noted in this group was not kept */
	tx_end(&ss->tx);
}

void session_store_look_begin(struct session_store *ss)
{
	if (db_run(ss->db, "BEGIN"))
		db_rollback(ss->db);
}

void session_store_look_end(struct session_store *ss)
{
	db_rollback(ss->db);
}

int session_store_version(struct session_store *ss, int64_t *out)
{
	return db_version(ss->db, out);
}

int session_store_prune(struct session_store *ss, int64_t now, bool *done_out)
{
	int64_t events = 0, sessions = 0, stale = 0;
	AUTO_TX tx;
	int rc = tx_begin(&tx, ss->db);

	if (!rc)
		rc = db_run_count(ss->db, &stale,
				  "UPDATE sessions SET state = 'stopped', cause = 'stale',"
				  " stopped_at = ?1 WHERE id IN (SELECT id FROM sessions"
				  " WHERE state <> 'stopped' AND updated_at < ?2 LIMIT ?3)",
				  DB_I(now), DB_I(now - SESSION_STORE_STALE_MS), DB_I(PRUNE_ROWS));
	if (!rc)
		rc = db_run_count(ss->db, &sessions,
				  "DELETE FROM sessions WHERE id IN (SELECT id FROM sessions"
				  " WHERE state = 'stopped' AND stopped_at < ?1 LIMIT ?2)",
				  DB_I(now - SESSION_STORE_KEEP_MS), DB_I(PRUNE_ROWS));
	/* ids rise with time: the oldest come first, whatever their reason to go */
	if (!rc)
		rc = db_run_count(ss->db, &events,
				  "DELETE FROM events WHERE id IN (SELECT id FROM events"
				  " ORDER BY id LIMIT ?3) AND (at < ?1"
				  " OR id <= (SELECT max(id) FROM events) - ?2)",
				  DB_I(now - SESSION_STORE_KEEP_MS),
				  DB_I(SESSION_STORE_KEEP_EVENTS), DB_I(PRUNE_ROWS));
	if (!rc)
		rc = tx_commit(&tx);
	if (!rc)
		*done_out = events < PRUNE_ROWS && sessions < PRUNE_ROWS && stale < PRUNE_ROWS;
	return rc;
}
