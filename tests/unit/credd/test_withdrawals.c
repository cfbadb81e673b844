/* SPDX-License-Identifier: BSD-2-Clause */
/* Old copies of the clinician database: what is noticed, and who does not come back by them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "sql/people/copies.h"
#include "sql/people/glass.h"
#include "sql/people/withdrawals.h"
#include "sql/store/backup.h"

#define NOW INT64_C(1800000000000)
#define KEY "the-key-of-this-machine"

static const struct action admin = {.actor = "admin", .at = NOW};

struct fixture {
	char dir[64];
	char path[96];
	char list[96];
	char backup[96];
	struct people *p;
};

static int one_remove(const char *path, const struct stat *st, int flag, struct FTW *at)
{
	(void)st;
	(void)flag;
	(void)at;
	return remove(path);
}

static void user_make(struct people *p, const char *name)
{
	struct user_add u = {.role = "nurse"};

	snprintf(u.name, sizeof(u.name), "%s", name);
	assert_int_equal(people_begin(p), 0);
	assert_int_equal(people_user_add(p, &admin, &u, "hash-1", ""), 0);
	assert_int_equal(people_commit(p), 0);
}

static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));
	unsigned from, to;

	strcpy(f->dir, "/tmp/pumpgate-test-XXXXXX");
	if (!mkdtemp(f->dir))
		return 1;
	snprintf(f->path, sizeof(f->path), "%s/clinicians.db", f->dir);
	snprintf(f->list, sizeof(f->list), "%s/" WITHDRAWALS_NAME, f->dir);
	snprintf(f->backup, sizeof(f->backup), "%s/backup", f->dir);
	if (people_upgrade(f->path, &from, &to) || people_open(f->path, true, &f->p))
		return 1;
	user_make(f->p, "anna");
	user_make(f->p, "bert");
	user_make(f->p, "carla");
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	people_close(f->p);
	nftw(f->dir, one_remove, 8, FTW_DEPTH | FTW_PHYS);
	free(f);
	return 0;
}

static void caught_up(struct fixture *f, struct people_gap *gap)
{
	people_close(f->p);
	f->p = NULL;
	assert_int_equal(people_catch_up(f->path, NOW + 1000, gap), 0);
	assert_int_equal(people_open(f->path, true, &f->p), 0);
}

static void backed_up(struct fixture *f)
{
	struct people_copy made;

	assert_int_equal(people_copy_make(f->p, f->backup, KEY, NOW, &made), 0);
	assert_int_equal(made.users, 3);
}

static int staged(struct fixture *f, const char *key, bool dry)
{
	struct people_copy got;

	return people_copy_stage(f->backup, f->dir, key, &admin, dry, &got);
}

static void restored(struct fixture *f)
{
	char aside[PATH_MAX];

	people_close(f->p);
	f->p = NULL;
	assert_int_equal(staged(f, KEY, false), 0);
	assert_int_equal(backup_settle(f->dir, aside), 0);
	assert_non_null(strstr(aside, "before-restore-"));
	assert_int_equal(people_open(f->path, true, &f->p), 0);
}

static void state_set(struct fixture *f, const char *name, const char *word)
{
	struct user_state s = {0};

	snprintf(s.name, sizeof(s.name), "%s", name);
	snprintf(s.state, sizeof(s.state), "%s", word);
	assert_int_equal(people_user_state(f->p, &admin, &s), 0);
}

static void password_set(struct fixture *f, const char *name)
{
	struct user_secret s = {0};

	snprintf(s.name, sizeof(s.name), "%s", name);
	assert_int_equal(people_user_secret(f->p, &admin, &s, "hash-2"), 0);
}

static bool is_enabled(struct fixture *f, const char *name)
{
	struct account a;

	assert_int_equal(people_account_by_name(f->p, name, &a), 0);
	return a.enabled;
}

static struct cred_status status_of(struct fixture *f)
{
	struct cred_status st = {0};

	assert_int_equal(people_status(f->p, NOW, &st), 0);
	return st;
}

/* ---- the list ---- */

static void lines_that_are_no_withdrawal_are_refused(void **state)
{
	static const char *const bad[] = {
		"",
		"1 2 3 disabled",
		"1 2 3 disabled ",
		"1 2 3 loved anna",
		"x 2 3 disabled anna",
		"-1 2 3 disabled anna",
		"99999999999999999999 2 3 disabled anna",
		"1 2 3 disabledanna",
	};
	struct withdrawal x;

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_int_equal(withdrawal_parse(bad[i], &x), ERR_CORRUPT);
	assert_int_equal(withdrawal_parse("7 2 3 disabled anna von der alm", &x), 0);
	assert_int_equal(x.number, 7);
	assert_int_equal(x.kind, WITHDRAWAL_DISABLED);
	assert_string_equal(x.name, "anna von der alm");
}

static void a_changed_list_stops_the_start(void **state)
{
	struct fixture *f = *state;
	struct people_gap gap;
	FILE *list = fopen(f->list, "a");

	fputs("nonsense\n", list);
	fclose(list);
	assert_int_equal(people_catch_up(f->path, NOW, &gap), ERR_CORRUPT);
}

static void half_a_line_of_a_power_cut_is_dropped(void **state)
{
	struct fixture *f = *state;
	struct people_gap gap;
	FILE *list;

	caught_up(f, &gap);
	list = fopen(f->list, "a");
	fputs("99 1 5 disab", list);
	fclose(list);
	caught_up(f, &gap);
	assert_int_equal(gap.withdrawals, 0);
	state_set(f, "anna", "disabled");
	caught_up(f, &gap);
	assert_int_equal(gap.withdrawals, 0);
}

static void without_its_list_nothing_is_withdrawn(void **state)
{
	struct fixture *f = *state;

	people_close(f->p);
	f->p = NULL;
	chmod(f->list, 0400);
	unlink(f->list);
	assert_int_equal(mkdir(f->list, 0700), 0); /* it can't be opened */
	assert_int_not_equal(people_open(f->path, true, &f->p), 0);
	rmdir(f->list);
	assert_int_equal(people_open(f->path, true, &f->p), 0);
}

/* ---- an old copy ---- */

static void an_old_copy_brings_no_disabled_user_back(void **state)
{
	struct fixture *f = *state;
	struct people_gap gap;
	struct login_tombstone t[8];
	uint64_t before;
	size_t n;

	caught_up(f, &gap);
	assert_true(gap.list_began);
	backed_up(f);
	state_set(f, "anna", "disabled");
	before = status_of(f).tombstones;
	restored(f);
	assert_true(is_enabled(f, "anna")); /* so would it be */
	caught_up(f, &gap);
	assert_false(gap.list_began);
	assert_int_equal(gap.withdrawals, 1);
	assert_int_equal(gap.held, 1);
	assert_false(is_enabled(f, "anna"));
	assert_true(is_enabled(f, "bert"));
	assert_int_equal(status_of(f).held, 1);
	/* pumps that heard of it hear it again, under a number that they do not have */
	assert_int_equal(people_tombstones(f->p, before, t, 8, &n), 0);
	assert_int_equal(n, 1);
	assert_string_equal(t[0].user, "anna");
	assert_true(t[0].seq > before);
	caught_up(f, &gap);
	assert_int_equal(gap.withdrawals, 0);
}

static void a_file_put_back_by_hand_is_no_way_around_it(void **state)
{
	struct fixture *f = *state;
	struct people_gap gap;
	char from[128];

	caught_up(f, &gap);
	backed_up(f);
	state_set(f, "anna", "disabled");
	people_close(f->p);
	f->p = NULL;
	snprintf(from, sizeof(from), "%s/clinicians.db", f->backup);
	assert_int_equal(rename(from, f->path), 0);
	caught_up(f, &gap);
	assert_int_equal(gap.held, 1);
	assert_false(is_enabled(f, "anna"));
}

static void an_old_password_does_not_count_again(void **state)
{
	struct fixture *f = *state;
	struct people_gap gap;

	caught_up(f, &gap);
	backed_up(f);
	password_set(f, "bert");
	state_set(f, "bert", "disabled");
	state_set(f, "bert", "enabled"); /* says nothing about the password */
	restored(f);
	caught_up(f, &gap);
	assert_int_equal(gap.held, 1);
	assert_false(is_enabled(f, "bert"));
	password_set(f, "bert");
	state_set(f, "bert", "enabled");
	caught_up(f, &gap);
	assert_true(is_enabled(f, "bert"));
	assert_int_equal(status_of(f).held, 0);
	restored(f); /* and once more from the same backup */
	caught_up(f, &gap);
	assert_false(is_enabled(f, "bert"));
}

static void who_was_enabled_again_stays_enabled(void **state)
{
	struct fixture *f = *state;
	struct people_gap gap;

	caught_up(f, &gap);
	backed_up(f);
	state_set(f, "carla", "disabled");
	state_set(f, "carla", "enabled");
	restored(f);
	caught_up(f, &gap);
	assert_int_equal(gap.held, 0);
	assert_true(is_enabled(f, "carla"));
}

static void withdrawals_of_accounts_that_are_lost_are_counted(void **state)
{
	struct fixture *f = *state;
	struct people_gap gap;

	caught_up(f, &gap);
	backed_up(f);
	user_make(f->p, "dora");
	state_set(f, "dora", "disabled");
	restored(f);
	caught_up(f, &gap);
	assert_int_equal(gap.unknown, 1);
	assert_int_equal(gap.held, 0);
}

static void on_another_machine_the_missing_list_is_told(void **state)
{
	struct fixture *f = *state;
	struct people_gap gap;
	FILE *list;

	caught_up(f, &gap);
	state_set(f, "anna", "disabled");
	backed_up(f);
	people_close(f->p);
	f->p = NULL;
	list = fopen(f->list, "w"); /* as pumpctl init makes it there */
	fputs("0 1 5 begin -\n", list);
	fclose(list);
	assert_int_equal(people_open(f->path, true, &f->p), 0);
	restored(f);
	caught_up(f, &gap);
	assert_true(gap.list_began);
	caught_up(f, &gap);
	assert_false(gap.list_began);
}

static void after_a_restore_pumps_keep_no_verifier_and_no_code(void **state)
{
	static const struct glass_want want = {
		.device = "PG-1", .role = "nurse", .codes = 1, .not_after = NOW + 86400000};
	const struct glass_new code = {.salt = {1}, .hash = {2}};
	struct fixture *f = *state;
	struct login_code codes[4];
	struct people_gap gap;
	uint64_t ids[BREAK_GLASS_PER_PUMP], epoch;
	size_t n;

	caught_up(f, &gap);
	assert_int_equal(people_begin(f->p), 0);
	assert_int_equal(people_glass_add(f->p, &admin, &want, &code, ids), 0);
	assert_int_equal(people_commit(f->p), 0);
	epoch = status_of(f).policy_epoch;
	backed_up(f);
	restored(f);
	assert_true(status_of(f).policy_epoch > epoch);
	assert_int_equal(people_glass_of(f->p, "PG-1", NOW, codes, 4, &n), 0);
	assert_int_equal(n, 0);
	epoch = status_of(f).policy_epoch;
	state_set(f, "anna", "disabled");
	restored(f);
	caught_up(f, &gap);
	assert_true(status_of(f).policy_epoch > epoch);
}

/* ---- the backup ---- */

static void a_backup_under_another_key_is_refused(void **state)
{
	struct fixture *f = *state;

	backed_up(f);
	assert_int_equal(staged(f, "another-key", false), ERR_DENIED);
	assert_int_equal(staged(f, KEY, true), 0);
}

static void a_changed_backup_is_refused_and_leaves_nothing(void **state)
{
	struct fixture *f = *state;
	char path[128], aside[PATH_MAX];
	int fd;

	backed_up(f);
	snprintf(path, sizeof(path), "%s/clinicians.db", f->backup);
	fd = open(path, O_WRONLY);
	assert_int_equal(pwrite(fd, "x", 1, 9000), 1);
	close(fd);
	assert_int_equal(staged(f, KEY, false), ERR_CORRUPT);
	assert_int_equal(backup_settle(f->dir, aside), 0);
	assert_string_equal(aside, "");
	snprintf(path, sizeof(path), "%s/clinicians.ini", f->backup);
	unlink(path);
	assert_int_equal(staged(f, KEY, false), ERR_NOT_FOUND);
}

static void a_large_database_is_copied_whole_and_no_folder_overwritten(void **state)
{
	struct fixture *f = *state;
	struct people_copy made;

	assert_int_equal(people_begin(f->p), 0);
	for (unsigned i = 0; i < 20000; i++) {
		struct user_add u = {0};

		snprintf(u.name, sizeof(u.name), "user-%u", i);
		assert_int_equal(people_user_add(f->p, &admin, &u, "", ""), 0);
	}
	assert_int_equal(people_commit(f->p), 0);
	assert_int_equal(people_copy_make(f->p, f->backup, KEY, NOW, &made), 0);
	assert_int_equal(made.users, 20003);
	assert_int_equal(people_copy_make(f->p, f->backup, KEY, NOW, &made), ERR_EXISTS);
	assert_int_equal(staged(f, KEY, true), 0);
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		T(lines_that_are_no_withdrawal_are_refused),
		T(a_changed_list_stops_the_start),
		T(half_a_line_of_a_power_cut_is_dropped),
		T(without_its_list_nothing_is_withdrawn),
		T(an_old_copy_brings_no_disabled_user_back),
		T(a_file_put_back_by_hand_is_no_way_around_it),
		T(an_old_password_does_not_count_again),
		T(who_was_enabled_again_stays_enabled),
		T(withdrawals_of_accounts_that_are_lost_are_counted),
		T(on_another_machine_the_missing_list_is_told),
		T(after_a_restore_pumps_keep_no_verifier_and_no_code),
		T(a_backup_under_another_key_is_refused),
		T(a_changed_backup_is_refused_and_leaves_nothing),
		T(a_large_database_is_copied_whole_and_no_folder_overwritten),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
