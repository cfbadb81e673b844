/* SPDX-License-Identifier: BSD-2-Clause */
/* Owns the SQLite connection and its prepared statements. Never knows a table. */
#include "sql/store/db.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <sqlite3.h>
#include <unistd.h>

#define STATEMENTS 256 /* slots; more distinct texts than this are a bug */
#define BUSY_WAIT_MS 5000
#define LOOKUP_WAIT_MS 100	/* a loop thread waits here */
#define COPY_PAGES 512		/* between two looks at the one who watches */
#define MAP_BYTES "17179869184" /* at most; SQLite caps it too */

struct db {
	sqlite3 *sqlite;
	char *path;
	bool was_full; /* the running transaction found no space */
	bool grouped;  /* transactions are parts of one that commits later */
	db_changed changed;
	void *changed_ctx;
	struct {
		const char *sql;
		sqlite3_stmt *stmt;
	} kept[STATEMENTS];
};

/* The library's failure as an ERR_* with a text. */
static int failure(struct db *db, int rc)
{
	int extended = sqlite3_extended_errcode(db->sqlite);
	int os = sqlite3_system_errno(db->sqlite);

	switch (rc & 0xff) {
	case SQLITE_NOMEM:
		return err_set(ERR_NOMEM, "%s: no memory", db->path);
	case SQLITE_CONSTRAINT:
		if (extended == SQLITE_CONSTRAINT_UNIQUE ||
		    extended == SQLITE_CONSTRAINT_PRIMARYKEY)
			return err_set(ERR_EXISTS, "%s", sqlite3_errmsg(db->sqlite));
		return err_set(ERR_CONFLICT, "%s", sqlite3_errmsg(db->sqlite));
	case SQLITE_CORRUPT:
	case SQLITE_NOTADB:
		return err_set(ERR_CORRUPT, "%s: %s", db->path, sqlite3_errmsg(db->sqlite));
	case SQLITE_BUSY:
	case SQLITE_LOCKED:
		return err_set(ERR_BUSY, "%s is locked by another program", db->path);
	case SQLITE_FULL:
		db->was_full = true;
		return err_set(ERR_FULL, "%s: no space left on the disk; nothing was changed",
			       db->path);
	case SQLITE_IOERR:
	case SQLITE_CANTOPEN:
		if (os == ENOSPC || os == EDQUOT) {
			db->was_full = true;
			return err_set(ERR_FULL,
				       "%s: no space left on the disk; nothing was changed",
				       db->path);
		}
		return err_set(ERR_IO, "%s: %s (%s)", db->path, sqlite3_errmsg(db->sqlite),
			       os ? strerror(os) : "no reason given");
	default:
		return err_set(ERR_INTERNAL, "%s: %s", db->path, sqlite3_errmsg(db->sqlite));
	}
}

int db_version(struct db *db, int64_t *out)
{
	return db_number(db, out, "PRAGMA data_version");
}

int db_script(struct db *db, const char *text)
{
	int rc = sqlite3_exec(db->sqlite, text, NULL, NULL, NULL);

	return rc == SQLITE_OK ? 0 : failure(db, rc);
}

static int settings_apply(struct db *db, enum db_mode mode, enum db_sync sync)
{
	int rc;

	sqlite3_extended_result_codes(db->sqlite, 1);
	sqlite3_busy_timeout(db->sqlite, mode == DB_LOOKUP ? LOOKUP_WAIT_MS : BUSY_WAIT_MS);
	rc = db_script(db, "PRAGMA foreign_keys = ON; PRAGMA trusted_schema = OFF;"
			   "PRAGMA temp_store = MEMORY;"
			   "PRAGMA cache_size = -16384;");
	if (!rc && mode == DB_CREATE)
		rc = db_script(db, "PRAGMA journal_mode = WAL;");
	if (!rc && (mode == DB_WRITE || mode == DB_CREATE))
		return db_script(db, sync == DB_SYNC_FULL ? "PRAGMA synchronous = FULL;"
							  : "PRAGMA synchronous = NORMAL;");
	if (!rc)
		/* mapped: among a million pumps a look-up costs no more than among a thousand */
		rc = db_script(db, "PRAGMA query_only = ON; PRAGMA mmap_size = 2147418112;");
	if (!rc && mode == DB_LOOKUP)
		rc = db_script(db, "PRAGMA mmap_size = " MAP_BYTES ";");
	return rc;
}

int db_open(const char *path, enum db_mode mode, enum db_sync sync, struct db **out)
{
	AUTO_DB db = calloc(1, sizeof(*db));
	int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_NOFOLLOW;
	int rc;

	if (!db || !(db->path = strdup(path)))
		return err_set(ERR_NOMEM, "no memory for a database");
	if (mode == DB_CREATE)
		flags |= SQLITE_OPEN_CREATE; /* the process's umask is 077 */
	rc = sqlite3_open_v2(path, &db->sqlite, flags, NULL);
	if (rc != SQLITE_OK && sqlite3_system_errno(db->sqlite) == ENOENT)
		return err_set(ERR_NOT_FOUND, "%s does not exist", path);
	if (rc != SQLITE_OK)
		return failure(db, rc);
	rc = settings_apply(db, mode, sync);
	if (rc)
		return rc;
	*out = db;
	db = NULL;
	return 0;
}

void db_close(struct db *db)
{
	if (!db)
		return;
	for (size_t i = 0; i < STATEMENTS; i++)
		sqlite3_finalize(db->kept[i].stmt);
	sqlite3_close(db->sqlite);
	free(db->path);
	free(db);
}

const char *db_path(const struct db *db)
{
	return db->path;
}

static void row_changed(void *arg, int op, const char *schema, const char *table, sqlite3_int64 id)
{
	const struct db *db = arg;

	(void)schema;
	db->changed(db->changed_ctx,
		    op == SQLITE_INSERT	  ? DB_INSERTED
		    : op == SQLITE_DELETE ? DB_DELETED
					  : DB_UPDATED,
		    table, id);
}

void db_watch(struct db *db, db_changed fn, void *ctx)
{
	db->changed = fn;
	db->changed_ctx = ctx;
	sqlite3_update_hook(db->sqlite, fn ? row_changed : NULL, db);
}

struct reads {
	void (*fn)(void *ctx, const char *table);
	void *ctx;
};

static int read_note(void *arg, int what, const char *table, const char *column, const char *schema,
		     const char *trigger)
{
	const struct reads *r = arg;

	(void)column;
	(void)schema;
	(void)trigger;
	if (what == SQLITE_READ)
		r->fn(r->ctx, table);
	return SQLITE_OK;
}

int db_tables_read(struct db *db, const char *sql, void (*reads)(void *ctx, const char *table),
		   void *ctx)
{
	struct reads r = {reads, ctx};
	sqlite3_stmt *stmt = NULL;
	int rc;

	sqlite3_set_authorizer(db->sqlite, read_note, &r);
	rc = sqlite3_prepare_v2(db->sqlite, sql, -1, &stmt, NULL);
	sqlite3_set_authorizer(db->sqlite, NULL, NULL);
	sqlite3_finalize(stmt);
	return rc == SQLITE_OK ? 0 : failure(db, rc);
}

bool db_is_idle(const struct db *db)
{
	return sqlite3_get_autocommit(db->sqlite) != 0;
}

/* The kept statement for this text, prepared on first use. */
static int statement(struct db *db, const char *sql, sqlite3_stmt **out)
{
	size_t slot = ((uintptr_t)sql >> 3) * 2654435761U % STATEMENTS;
	int rc;

	for (size_t tried = 0; tried < STATEMENTS; tried++, slot = (slot + 1) % STATEMENTS) {
		if (db->kept[slot].sql == sql) {
			*out = db->kept[slot].stmt;
			return 0;
		}
		if (db->kept[slot].sql)
			continue;
		rc = sqlite3_prepare_v3(db->sqlite, sql, -1, SQLITE_PREPARE_PERSISTENT, out, NULL);
		if (rc != SQLITE_OK)
			return failure(db, rc);
		db->kept[slot].sql = sql;
		db->kept[slot].stmt = *out;
		return 0;
	}
	return err_set(ERR_INTERNAL, "too many statements");
}

static int value_bind(sqlite3_stmt *stmt, int at, const struct db_value *v)
{
	switch (v->type) {
	case DB_INT:
		return sqlite3_bind_int64(stmt, at, v->number);
	case DB_TEXT:
		return sqlite3_bind_text(stmt, at, v->data, -1, SQLITE_STATIC);
	case DB_BLOB: /* a NULL pointer would bind NULL */
		return sqlite3_bind_blob(stmt, at, v->data ? v->data : "", (int)v->len,
					 SQLITE_STATIC);
	case DB_NULL:
		break;
	}
	return sqlite3_bind_null(stmt, at);
}

int query_open_values(struct query *q, struct db *db, const char *sql, const struct db_value *v,
		      size_t n)
{
	sqlite3_stmt *stmt;
	int rc;

	*q = (struct query){0};
	rc = statement(db, sql, &stmt);
	if (rc)
		return rc;
	if (sqlite3_stmt_busy(stmt) || sqlite3_bind_parameter_count(stmt) != (int)n)
		return err_set(ERR_INTERNAL, "statement in use or called wrongly: %.80s", sql);
	for (size_t i = 0; i < n; i++) {
		rc = value_bind(stmt, (int)i + 1, &v[i]);
		if (rc != SQLITE_OK)
			return failure(db, rc);
	}
	*q = (struct query){.db = db, .stmt = stmt};
	return 0;
}

int query_next(struct query *q)
{
	int rc = sqlite3_step(q->stmt);

	if (rc == SQLITE_ROW)
		return 1;
	return rc == SQLITE_DONE ? 0 : failure(q->db, rc);
}

void query_close(struct query *q)
{
	if (q->stmt) {
		sqlite3_reset(q->stmt);
		sqlite3_clear_bindings(q->stmt); /* they point at the caller's memory */
	}
	q->stmt = NULL;
}

int64_t query_i64(const struct query *q, int column)
{
	return sqlite3_column_int64(q->stmt, column);
}

void query_text(const struct query *q, int column, char *out, size_t size)
{
	const void *text = sqlite3_column_text(q->stmt, column);
	size_t len = (size_t)sqlite3_column_bytes(q->stmt, column);

	if (!text)
		len = 0;
	if (len >= size)
		len = size - 1;
	if (len)
		memcpy(out, text, len);
	out[len] = 0;
}

int query_blob(const struct query *q, int column, void *out, size_t max)
{
	const void *data = sqlite3_column_blob(q->stmt, column);
	size_t len = (size_t)sqlite3_column_bytes(q->stmt, column);
	struct record_blob *blob = out;

	if (len > max)
		return err_set(ERR_CORRUPT, "%s: a stored value is longer than it may be",
			       q->db->path);
	if (len)
		memcpy(blob->data, data, len);
	blob->len = (uint32_t)len;
	return 0;
}

int db_run_values(struct db *db, int64_t *rows_out, const char *sql, const struct db_value *v,
		  size_t n)
{
	AUTO_QUERY q;
	int rc = query_open_values(&q, db, sql, v, n);

	if (rc)
		return rc;
	rc = query_next(&q);
	if (rc > 0)
		return err_set(ERR_INTERNAL, "rows where none belong: %.80s", sql);
	if (!rc && rows_out)
		*rows_out = sqlite3_changes64(db->sqlite);
	return rc;
}

int db_number_values(struct db *db, int64_t *out, const char *sql, const struct db_value *v,
		     size_t n)
{
	AUTO_QUERY q;
	int rc = query_open_values(&q, db, sql, v, n);

	if (rc)
		return rc;
	rc = query_next(&q);
	if (rc < 0)
		return rc;
	if (rc == 0)
		return err_set(ERR_NOT_FOUND, "no such row");
	*out = query_i64(&q, 0);
	return query_next(&q) < 0 ? ERR_IO : 0; /* runs an INSERT ... RETURNING to its end */
}

static int copy_run(struct db *db, sqlite3 *to, bool (*step)(void *, uint64_t, uint64_t), void *ctx)
{
	sqlite3_backup *b = sqlite3_backup_init(to, "main", db->sqlite, "main");
	bool go_on = true;
	int rc = SQLITE_OK;

	if (!b)
		return err_set(ERR_IO, "%s: %s", db->path, sqlite3_errmsg(to));
	while (go_on && (rc = sqlite3_backup_step(b, COPY_PAGES)) == SQLITE_OK) {
		uint64_t total = (uint64_t)sqlite3_backup_pagecount(b);

		go_on = step(ctx, total - (uint64_t)sqlite3_backup_remaining(b), total);
	}
	sqlite3_backup_finish(b);
	if (!go_on)
		return err_set(ERR_UNAVAILABLE, "the copy of %s was ended", db->path);
	if (rc == SQLITE_DONE)
		return 0;
	if ((rc & 0xff) == SQLITE_FULL || (rc & 0xff) == SQLITE_IOERR)
		return err_set((rc & 0xff) == SQLITE_FULL ? ERR_FULL : ERR_IO, "copy of %s: %s",
			       db->path, sqlite3_errstr(rc));
	return failure(db, rc);
}

int db_copy(struct db *db, const char *to, bool (*step)(void *ctx, uint64_t done, uint64_t total),
	    void *ctx)
{
	sqlite3 *copy = NULL;
	int rc;

	if (access(to, F_OK) == 0)
		return err_set(ERR_EXISTS, "%s is there already", to);
	rc = sqlite3_open_v2(
		to, &copy, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOFOLLOW, NULL);
	rc = rc == SQLITE_OK ? copy_run(db, copy, step, ctx)
			     : err_set(ERR_IO, "%s: %s", to, sqlite3_errstr(rc));
	sqlite3_close(copy);
	return rc;
}

int db_integrity_check(struct db *db)
{
	char text[200];
	AUTO_QUERY q;
	int rc = query_open_values(&q, db, "PRAGMA integrity_check(1)", NULL, 0);

	if (!rc)
		rc = query_next(&q);
	if (rc < 0)
		return rc;
	query_text(&q, 0, text, sizeof(text));
	return strcmp(text, "ok") ? err_set(ERR_CORRUPT, "%s: %s", db->path, text) : 0;
}

/* A part of a group that SQLite has given up as a whole (no space, a failing disk) would otherwise
 * begin and commit one of its own. */
static int part_begin(struct db *db)
{
	if (db_is_idle(db))
		return err_set(ERR_IO, "%s: what this change was to commit with has failed",
			       db->path);
	return db_run(db, "SAVEPOINT part");
}

int tx_begin(struct tx *tx, struct db *db)
{
	int rc = db->grouped ? part_begin(db) : db_run(db, "BEGIN IMMEDIATE");

	tx->db = rc ? NULL : db;
	return rc;
}

int tx_commit(struct tx *tx)
{
	int rc = tx->db->grouped ? db_run(tx->db, "RELEASE part") : db_run(tx->db, "COMMIT");

	if (!rc)
		tx->db = NULL;
	return rc;
}

void db_rollback(struct db *db)
{
	if (!db_is_idle(db))
		(void)sqlite3_exec(db->sqlite, "ROLLBACK", NULL, NULL, NULL);
}

static void part_undo(struct db *db)
{
	if (db_is_idle(db))
		return; /* SQLite has undone all of the group */
	if (sqlite3_exec(db->sqlite, "ROLLBACK TO part; RELEASE part", NULL, NULL, NULL) !=
	    SQLITE_OK)
		db_rollback(db); /* rather nothing of the group than half of this part */
}

/* What is in the log can go where it belongs, and the log begin anew: that may be room enough. */
static void room_make(struct db *db)
{
	if (db->was_full)
		(void)sqlite3_wal_checkpoint_v2(db->sqlite, NULL, SQLITE_CHECKPOINT_PASSIVE, NULL,
						NULL);
	db->was_full = false;
}

void tx_end(struct tx *tx)
{
	struct db *db = tx->db;

	tx->db = NULL;
	if (!db)
		return;
	if (db->grouped) {
		part_undo(db);
		return;
	}
	db_rollback(db);
	room_make(db);
}

int db_group_begin(struct db *db)
{
	int rc = db_run(db, "BEGIN IMMEDIATE");

	db->grouped = rc == 0;
	return rc;
}

bool db_group_is_whole(const struct db *db)
{
	return db->grouped && !db_is_idle(db);
}

int db_group_commit(struct db *db)
{
	int rc = db_is_idle(db) ? err_set(ERR_IO, "%s: nothing of it was written", db->path)
				: db_run(db, "COMMIT");

	db->grouped = false;
	db_rollback(db);
	room_make(db);
	return rc;
}
