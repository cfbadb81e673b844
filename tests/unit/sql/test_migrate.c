/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/unit/sql/fixture.h"

#include <string.h>
#include <sys/stat.h>

#include "sql/store/migrate.h"

static const char *const two_steps[] = {
	"CREATE TABLE things (id INTEGER PRIMARY KEY, name TEXT NOT NULL);",
	"ALTER TABLE things ADD COLUMN size INTEGER NOT NULL DEFAULT 7;",
};
static const char *const broken_second[] = {
	"CREATE TABLE things (id INTEGER PRIMARY KEY, name TEXT NOT NULL);",
	"ALTER TABLE things ADD COLUMN size INTEGER NOT NULL DEFAULT 7; CREATE TABEL x;",
};
static const struct schema old_schema = {"things", 77, two_steps, 1};
static const struct schema new_schema = {"things", 77, two_steps, 2};
static const struct schema broken_schema = {"things", 77, broken_second, 2};

static void newer_database_is_refused_and_not_touched(void **state)
{
	struct fixture *f = *state;
	struct store *st = NULL;
	unsigned from, to;

	assert_int_equal(store_upgrade(f->registry, &from, &to), 0);
	sql_run(f->registry, "INSERT INTO schema_version (version, applied_at) VALUES (99, 1)");
	assert_int_equal(store_open(f->registry, STORE_WRITE, &st), ERR_NEWER);
	assert_non_null(strstr(err_text(), "99"));
	assert_int_equal(store_upgrade(f->registry, &from, &to), ERR_NEWER);
	assert_non_null(strstr(err_text(), "newer Pumpgate"));
	assert_int_equal(sql_number(f->registry, "SELECT count(*) FROM schema_version"), to + 1);
}

static void foreign_database_is_refused(void **state)
{
	struct fixture *f = *state;
	unsigned from, to;

	sql_run(f->registry, "CREATE TABLE somebody_elses (x)");
	assert_int_equal(store_upgrade(f->registry, &from, &to), ERR_CORRUPT);
	/* the two databases cannot be taken for each other either */
	assert_int_equal(session_store_upgrade(f->sessions, &from, &to), 0);
	assert_int_equal(store_upgrade(f->sessions, &from, &to), ERR_CORRUPT);
}

static void file_that_is_no_database_is_refused(void **state)
{
	struct fixture *f = *state;
	struct store *st = NULL;
	char junk[4096];

	memset(junk, 'x', sizeof(junk));
	assert_int_equal(buf_write_file(f->registry, 0600, junk, sizeof(junk)), 0);
	assert_int_equal(store_open(f->registry, STORE_READ, &st), ERR_CORRUPT);
	assert_int_equal(store_open("/nonexistent/registry.db", STORE_READ, &st), ERR_NOT_FOUND);
}

static void failing_step_leaves_the_old_version_whole(void **state)
{
	struct fixture *f = *state;
	AUTO_DB db = NULL;
	unsigned from = 9, version;

	assert_int_equal(db_open(f->registry, DB_CREATE, DB_SYNC_FULL, &db), 0);
	assert_int_equal(schema_upgrade(db, &old_schema, &from), 0);
	assert_int_not_equal(schema_upgrade(db, &broken_schema, &from), 0);
	assert_int_equal(schema_version(db, &broken_schema, &version), 0);
	assert_int_equal(version, 1);
	assert_int_equal(sql_number(f->registry, "SELECT count(*) FROM"
						 " pragma_table_info('things')"),
			 2);
}

static void older_database_is_upgraded_and_keeps_its_rows(void **state)
{
	struct fixture *f = *state;
	AUTO_DB db = NULL;
	unsigned from = 9;

	assert_int_equal(db_open(f->registry, DB_CREATE, DB_SYNC_FULL, &db), 0);
	assert_int_equal(schema_upgrade(db, &old_schema, &from), 0);
	assert_int_equal(from, 0);
	assert_int_equal(db_script(db, "INSERT INTO things (name) VALUES ('kept')"), 0);
	assert_int_equal(schema_check(db, &new_schema), ERR_CONFLICT);
	assert_int_equal(schema_upgrade(db, &new_schema, &from), 0);
	assert_int_equal(from, 1);
	assert_int_equal(schema_check(db, &new_schema), 0);
	assert_int_equal(sql_number(f->registry, "SELECT size FROM things WHERE name = 'kept'"), 7);
	assert_int_equal(schema_check(db, &old_schema), ERR_NEWER);
	/* again: nothing to do */
	assert_int_equal(schema_upgrade(db, &new_schema, &from), 0);
	assert_int_equal(from, 2);
}

static void databases_are_closed_to_other_users(void **state)
{
	struct fixture *f = *state;
	unsigned from, to;
	struct stat st;
	mode_t old = umask(077);

	assert_int_equal(store_upgrade(f->registry, &from, &to), 0);
	umask(old);
	assert_int_equal(stat(f->registry, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define BARE(t) cmocka_unit_test_setup_teardown(t, fixture_setup_bare, fixture_teardown)
		BARE(newer_database_is_refused_and_not_touched),
		BARE(foreign_database_is_refused),
		BARE(file_that_is_no_database_is_refused),
		BARE(failing_step_leaves_the_old_version_whole),
		BARE(older_database_is_upgraded_and_keeps_its_rows),
		BARE(databases_are_closed_to_other_users),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
