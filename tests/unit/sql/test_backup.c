/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/unit/sql/fixture.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "sql/store/backup.h"

static bool go_on(void *ctx, uint64_t done, uint64_t total)
{
	(void)ctx;
	return done <= total;
}

static bool stop(void *ctx, uint64_t done, uint64_t total)
{
	(void)ctx;
	(void)done;
	(void)total;
	return false;
}

static const char *in(struct fixture *f, const char *name)
{
	static char path[4][PATH_MAX];
	static unsigned at;
	char *p = path[at++ % 4];

	snprintf(p, PATH_MAX, "%s/%s", f->dir, name);
	return p;
}

static void backup(struct fixture *f, struct backup_state *out)
{
	assert_int_equal(
		backup_make(f->registry, f->sessions, in(f, "b"), &admin_now, go_on, NULL, out), 0);
}

static int teardown(void **state)
{
	struct fixture *f = *state;
	char command[128];

	snprintf(command, sizeof(command), "rm -rf %s/*", f->dir);
	return system(command) + fixture_teardown(state);
}

static void a_backup_that_is_ended_leaves_nothing(void **state)
{
	struct fixture *f = *state;
	struct backup_state s;

	/* small databases are copied in one step, so one of them must be larger */
	sql_run(f->sessions, "CREATE TABLE padding (x); WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL"
			     " SELECT i + 1 FROM n WHERE i < 5000)"
			     " INSERT INTO padding SELECT randomblob(1000) FROM n");
	assert_int_equal(
		backup_make(f->registry, f->sessions, in(f, "b"), &admin_now, stop, NULL, &s),
		ERR_UNAVAILABLE);
	assert_int_equal(access(in(f, "b"), F_OK), -1);
}

static void an_existing_folder_is_refused(void **state)
{
	struct fixture *f = *state;
	struct backup_state s;

	assert_int_equal(mkdir(in(f, "b"), 0700), 0);
	assert_int_equal(
		backup_make(f->registry, f->sessions, in(f, "b"), &admin_now, go_on, NULL, &s),
		ERR_EXISTS);
}

static void a_changed_or_incomplete_backup_is_refused_and_nothing_staged(void **state)
{
	struct fixture *f = *state;
	struct backup_state s;
	char aside[PATH_MAX];

	backup(f, &s);
	sql_run(in(f, "b/registry.db"), "UPDATE devices SET state = 'revoked'");
	assert_int_equal(backup_stage(in(f, "b"), f->dir, &admin_now, &s), ERR_CORRUPT);
	assert_int_equal(unlink(in(f, "b/sessions.db")), 0);
	assert_int_not_equal(backup_stage(in(f, "b"), f->dir, &admin_now, &s), 0);
	assert_int_equal(unlink(in(f, "b/backup.ini")), 0);
	assert_int_equal(backup_stage(in(f, "b"), f->dir, &admin_now, &s), ERR_NOT_FOUND);
	assert_int_equal(backup_settle(f->dir, aside), 0);
	assert_string_equal(aside, "");
}

static void a_backup_holds_what_was_committed_and_comes_back(void **state)
{
	const struct revoke stolen = {.device = "PG-1", .reason = "stolen"};
	struct fixture *f = *state;
	struct audit_check check;
	struct ledger_position p;
	struct backup_state s;
	struct revocation r;
	struct store *st;
	char aside[PATH_MAX], old[PATH_MAX + 16];

	enroll(f->st, "PG-1", 1, 1); /* still in the log, not in the file */
	backup(f, &s);
	assert_int_equal(s.certificates, 1);
	assert_int_equal(access(in(f, "b/registry.db-wal"), F_OK), -1);
	assert_int_equal(store_revoke(f->st, &admin_now, &stolen, NOW, NULL, 0, &r), 0);
	store_close(f->st);
	session_store_close(f->ss);
	f->st = NULL;
	f->ss = NULL;
	assert_int_equal(backup_stage(in(f, "b"), f->dir, &admin_now, &s), 0);
	/* nothing has moved yet */
	assert_int_equal(sql_number(f->registry, "SELECT count(*) FROM revocations"), 1);
	assert_int_equal(backup_settle(f->dir, aside), 0);
	assert_int_equal(sql_number(f->registry, "SELECT count(*) FROM revocations"), 0);
	snprintf(old, sizeof(old), "%s/registry.db", aside);
	assert_int_equal(sql_number(old, "SELECT count(*) FROM revocations"), 1);
	assert_int_equal(store_open(f->registry, STORE_READ, &st), 0);
	assert_int_equal(store_ledger_position(st, &p), 0);
	assert_true(p.compare_needed);
	assert_int_equal(store_audit_verify(st, &check), 0);
	assert_true(check.intact);
	store_close(st);
	assert_int_equal(backup_settle(f->dir, aside), 0); /* once is enough */
	assert_string_equal(aside, "");
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, fixture_setup, teardown)
	const struct CMUnitTest tests[] = {
		T(a_backup_that_is_ended_leaves_nothing),
		T(an_existing_folder_is_refused),
		T(a_changed_or_incomplete_backup_is_refused_and_nothing_staged),
		T(a_backup_holds_what_was_committed_and_comes_back),
	};

	return cmocka_run_group_tests_name("backup", tests, NULL, NULL);
}
