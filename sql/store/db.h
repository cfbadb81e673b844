/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One connection to one database, for the files of sql/store alone: with db.c the only place that
 * knows SQLite. A connection belongs to one thread. Statements are prepared once and kept, found by
 * the address of their text: only string literals may be passed as `sql`.
 */
#ifndef SQL_STORE_DB_H
#define SQL_STORE_DB_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/ipc_record.h"

struct db;

enum db_mode {
	DB_READ,   /* the file must exist; nothing can be written */
	DB_LOOKUP, /* as DB_READ, and the file is mapped: no system call per page */
	DB_WRITE,  /* the file must exist */
	DB_CREATE, /* made with mode 0600 if missing */
};
enum db_sync {
	DB_SYNC_FULL,	/* a commit is on the disk when it returns */
	DB_SYNC_NORMAL, /* a commit survives the process, not a power cut */
};

/* Opens in WAL mode with foreign keys on. Blocks on the disk.
 * ERR_NOT_FOUND, ERR_IO, ERR_FULL, ERR_CORRUPT, ERR_NOMEM. */
int db_open(const char *path, enum db_mode mode, enum db_sync sync, struct db **out) MUST_USE;
void db_close(struct db *db); /* NULL ok */
const char *db_path(const struct db *db);

static inline void db_auto_close(struct db **db)
{
	db_close(*db);
}
#define AUTO_DB __attribute__((cleanup(db_auto_close))) struct db *

/* Called at once for each row that this connection inserts, updates or deletes: inside the
 * transaction, before anybody can see the change. It may not use the connection. Not told: rows of
 * WITHOUT ROWID tables, rows that a REPLACE pushes out, and a DELETE without WHERE; the registry
 * has none of these. */
enum db_change { DB_INSERTED, DB_UPDATED, DB_DELETED };
typedef void (*db_changed)(void *ctx, enum db_change how, const char *table, int64_t id);
void db_watch(struct db *db, db_changed fn, void *ctx);
/* Calls `reads` with the name of each table that the statement reads, more than once if it reads
 * more than one of its columns. */
int db_tables_read(struct db *db, const char *sql, void (*reads)(void *ctx, const char *table),
		   void *ctx) MUST_USE;
/* False inside a transaction. */
bool db_is_idle(const struct db *db);

struct db_value {
	enum { DB_INT, DB_TEXT, DB_BLOB, DB_NULL } type;
	int64_t number;
	const void *data;
	size_t len;
};
#define DB_I(v) ((struct db_value){.type = DB_INT, .number = (int64_t)(v)})
#define DB_T(s) ((struct db_value){.type = DB_TEXT, .data = (s)})
#define DB_B(p, n) ((struct db_value){.type = DB_BLOB, .data = (p), .len = (n)})
/* 0 becomes NULL: for optional references */
#define DB_REF(v) ((struct db_value){.type = (v) ? DB_INT : DB_NULL, .number = (int64_t)(v)})
#define DB_VALUES(...)                          \
	(const struct db_value[]){__VA_ARGS__}, \
		sizeof((const struct db_value[]){__VA_ARGS__}) / sizeof(struct db_value)

/* A running statement; text and blobs are bound without a copy and must live until it is closed. */
struct query {
	struct db *db;
	void *stmt;
};
#define AUTO_QUERY __attribute__((cleanup(query_close))) struct query
int query_open_values(struct query *q, struct db *db, const char *sql, const struct db_value *v,
		      size_t n) MUST_USE;
#define query_open(q, db, sql, ...) query_open_values((q), (db), (sql), DB_VALUES(__VA_ARGS__))
/* 1: a row is there; 0: no more. ERR_FULL, ERR_IO, ERR_CORRUPT, ERR_EXISTS (a UNIQUE rule),
 * ERR_CONFLICT (another rule of the schema), ERR_BUSY. */
int query_next(struct query *q) MUST_USE;
void query_close(struct query *q); /* safe on a zeroed struct and when called twice */

int64_t query_i64(const struct query *q, int column);
/* Cut at size - 1 bytes; NULL is "". */
void query_text(const struct query *q, int column, char *out, size_t size);
/* `out` is the address of a BLOB or HIDE member with room for max bytes. ERR_CORRUPT. */
int query_blob(const struct query *q, int column, void *out, size_t max) MUST_USE;

/* Runs a statement that yields no rows; with rows_out: how many it changed. */
int db_run_values(struct db *db, int64_t *rows_out, const char *sql, const struct db_value *v,
		  size_t n) MUST_USE;
#define db_run(db, sql, ...) db_run_values((db), NULL, (sql), DB_VALUES(__VA_ARGS__))
#define db_run_count(db, rows_out, sql, ...) \
	db_run_values((db), (rows_out), (sql), DB_VALUES(__VA_ARGS__))
/* The first column of the first row as a number. ERR_NOT_FOUND when there is no row. */
int db_number_values(struct db *db, int64_t *out, const char *sql, const struct db_value *v,
		     size_t n) MUST_USE;
#define db_number(db, out, sql, ...) db_number_values((db), (out), (sql), DB_VALUES(__VA_ARGS__))
/* A number that has changed when another connection has committed since it was last asked for. Not
 * within a transaction. */
int db_version(struct db *db, int64_t *out) MUST_USE;
/* Several statements without parameters (migrations); `text` needs no fixed address. */
int db_script(struct db *db, const char *text) MUST_USE;

/* Copies the database as this connection sees it (inside a transaction: as it was at its first
 * look) into a new file. `step` is told pages done and in all, and ends the copy by returning false
 * (ERR_UNAVAILABLE). Blocks long. ERR_EXISTS. */
int db_copy(struct db *db, const char *to, bool (*step)(void *ctx, uint64_t done, uint64_t total),
	    void *ctx) MUST_USE;
/* Reads the whole file. ERR_CORRUPT with the first finding. */
int db_integrity_check(struct db *db) MUST_USE;

/* A write transaction; ends undone unless it was committed. */
struct tx {
	struct db *db;
};
#define AUTO_TX __attribute__((cleanup(tx_end))) struct tx
int tx_begin(struct tx *tx, struct db *db) MUST_USE;
/* An error does not mean that nothing was written: only that it must not be acknowledged. */
int tx_commit(struct tx *tx) MUST_USE;
void tx_end(struct tx *tx);
/* From here to db_group_commit each struct tx is a part of one transaction: what it commits counts
 * once the group has committed, and what it leaves is undone alone. So several changes share one
 * wait for the disk. */
int db_group_begin(struct db *db) MUST_USE;
/* False: SQLite has undone the whole group (no space, a failing disk), parts that had ended well
 * included. */
bool db_group_is_whole(const struct db *db);
/* Ends the group in any case. A failure: as that of tx_commit, for every part. */
int db_group_commit(struct db *db) MUST_USE;
/* Ends whatever transaction is open, undone; nothing is fine. */
void db_rollback(struct db *db);

#endif
