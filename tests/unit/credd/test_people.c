/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/support/cmocka.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "sql/people/people.h"

#define NOW 1800000000000LL

struct fixture {
	char dir[64];
	char path[96];
	struct people *p;
};

static const struct action admin = {.actor = "root", .at = NOW};

static int add(struct people *p, const struct user_add *u, const char *hash, const char *pin)
{
	int rc = people_begin(p);

	if (!rc)
		rc = people_user_add(p, &admin, u, hash, pin);
	if (!rc)
		return people_commit(p);
	people_rollback(p);
	return rc;
}

static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));
	const struct user_add anna = {.name = "anna",
				      .display = "Anna Meier",
				      .badge = "7790",
				      .role = "nurse",
				      .ward = "ICU"};
	unsigned from, to;

	strcpy(f->dir, "/tmp/pumpgate-test-XXXXXX");
	if (!mkdtemp(f->dir))
		return 1;
	snprintf(f->path, sizeof(f->path), "%s/clinicians.db", f->dir);
	if (people_upgrade(f->path, &from, &to) || people_open(f->path, true, &f->p) ||
	    add(f->p, &anna, "hash-1", "pin-1"))
		return 1;
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;
	char path[128];
	static const char *const ends[] = {"", "-wal", "-shm"};

	people_close(f->p);
	for (size_t i = 0; i < 3; i++) {
		snprintf(path, sizeof(path), "%s%s", f->path, ends[i]);
		unlink(path);
	}
	snprintf(path, sizeof(path), "%s/withdrawn.log", f->dir);
	unlink(path);
	rmdir(f->dir);
	free(f);
	return 0;
}

static struct people *people_of(void **state)
{
	return ((struct fixture *)*state)->p;
}

static void accounts_that_make_no_sense_are_refused(void **state)
{
	struct people *p = people_of(state);

	assert_int_equal(add(p, &(struct user_add){.name = ""}, "", ""), ERR_INVALID);
	assert_int_equal(add(p, &(struct user_add){.name = "x", .source = "moon"}, "", ""),
			 ERR_INVALID);
	assert_int_equal(add(p, &(struct user_add){.name = "x", .ward = "ICU"}, "", ""),
			 ERR_INVALID);
	assert_int_equal(add(p, &(struct user_add){.name = "x", .role = "queen"}, "", ""),
			 ERR_NOT_FOUND);
	assert_int_equal(add(p, &(struct user_add){.name = "x", .badge = "7790"}, "", ""),
			 ERR_EXISTS); /* Anna's */
	assert_int_equal(add(p, &(struct user_add){.name = "x", .badge = "77 90"}, "", ""),
			 ERR_INVALID);
	assert_int_equal(add(p, &(struct user_add){.name = "x", .pin = {4, "1234"}}, "", ""),
			 ERR_INVALID);
	assert_int_equal(
		add(p,
		    &(struct user_add){.name = "x", .source = "directory", .password = {2, "pw"}},
		    "", ""),
		ERR_INVALID);
	assert_int_equal(add(p, &(struct user_add){.name = "anna", .display = "Other"}, "", ""),
			 ERR_EXISTS);
	assert_int_equal(
		add(p, &(struct user_add){.name = "anna", .display = "Anna Meier"}, "", ""),
		ERR_UNCHANGED);
}

static void names_that_mean_something_to_sql_are_just_names(void **state)
{
	static const char *const names[] = {"'", "anna' --", "x'); DROP TABLE users; --",
					    "%", "_",	     "*)(uid=*"};
	struct people *p = people_of(state);
	struct account a;

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		struct user_add u = {0};

		assert_int_equal(people_account_by_name(p, names[i], &a), ERR_NOT_FOUND);
		strcpy(u.name, names[i]);
		assert_int_equal(add(p, &u, "h", ""), 0);
		assert_int_equal(people_account_by_name(p, names[i], &a), 0);
		assert_string_equal(a.name, names[i]);
	}
	assert_int_equal(people_account_by_name(p, "anna", &a), 0);
}

static void the_most_particular_role_counts_and_no_role_is_none(void **state)
{
	struct people *p = people_of(state);
	struct user_role r = {.name = "anna", .role = "physician"};
	struct role_terms t;
	struct account a;

	assert_int_equal(people_account_by_name(p, "anna", &a), 0);
	assert_int_equal(people_role_at(p, a.id, "Ward 7", "M1", &t), ERR_NOT_FOUND);
	assert_int_equal(people_role_at(p, a.id, "ICU", "M1", &t), 0);
	assert_string_equal(t.role, "nurse");
	assert_int_equal(people_user_role(p, &admin, &r), 0); /* anywhere */
	assert_int_equal(people_role_at(p, a.id, "Ward 7", "M1", &t), 0);
	assert_string_equal(t.role, "physician");
	assert_int_equal(people_role_at(p, a.id, "ICU", "M1", &t), 0);
	assert_string_equal(t.role, "nurse");
	assert_int_equal(people_user_role(p, &admin, &r), ERR_UNCHANGED);
	r.remove = true;
	assert_int_equal(people_user_role(p, &admin, &r), 0);
	assert_int_equal(people_role_at(p, a.id, "Ward 7", "M1", &t), ERR_NOT_FOUND);
	strcpy(r.role, "queen");
	assert_int_equal(people_user_role(p, &admin, &r), ERR_NOT_FOUND);
}

static void disabling_makes_a_tombstone_and_each_user_has_one(void **state)
{
	struct people *p = people_of(state);
	struct user_state s = {.name = "anna", .state = "disabled"};
	struct login_tombstone t[4];
	struct account a;
	size_t n;

	assert_int_equal(people_tombstones(p, 0, t, 4, &n), 0);
	assert_int_equal(n, 0);
	assert_int_equal(people_user_state(p, &admin, &s), 0);
	assert_int_equal(people_user_state(p, &admin, &s), ERR_UNCHANGED);
	assert_int_equal(people_account_by_name(p, "anna", &a), 0);
	assert_false(a.enabled);
	assert_int_equal(people_tombstones(p, 0, t, 4, &n), 0);
	assert_int_equal(n, 1);
	assert_string_equal(t[0].user, "anna");
	strcpy(s.state, "enabled");
	assert_int_equal(people_user_state(p, &admin, &s), 0);
	strcpy(s.state, "disabled");
	assert_int_equal(people_user_state(p, &admin, &s), 0);
	assert_int_equal(people_tombstones(p, 0, t, 4, &n), 0);
	assert_int_equal(n, 1);
	assert_int_equal(t[0].seq, 2);
	assert_int_equal(people_tombstones(p, 2, t, 4, &n), 0);
	assert_int_equal(n, 0);
	strcpy(s.name, "nobody");
	assert_int_equal(people_user_state(p, &admin, &s), ERR_NOT_FOUND);
}

static int login_as_renewing(struct people *p, const struct account *a, const char *new_hash)
{
	struct login_session s = {.started = NOW, .until = NOW + 1000};
	static unsigned n;
	int rc = people_begin(p);

	snprintf(s.login_id, sizeof(s.login_id), "%u", n++);
	strcpy(s.device, "PG-1");
	if (!rc)
		rc = people_login_add(p, a, new_hash, &s);
	if (!rc)
		return people_commit(p);
	people_rollback(p);
	return rc;
}

static int login_as(struct people *p, const struct account *a)
{
	return login_as_renewing(p, a, "");
}

static void a_login_renews_the_hash_of_just_the_secret_that_was_verified(void **state)
{
	struct people *p = people_of(state);
	struct account by_name, by_badge, now;

	assert_int_equal(people_account_by_name(p, "anna", &by_name), 0);
	assert_int_equal(people_account_by_badge(p, "7790", &by_badge), 0);
	assert_int_equal(login_as_renewing(p, &by_name, "hash-1-dearer"), 0);
	assert_int_equal(people_account_by_name(p, "anna", &now), 0);
	assert_string_equal(now.hash, "hash-1-dearer");
	assert_int_equal(people_account_by_badge(p, "7790", &now), 0);
	assert_string_equal(now.hash, "pin-1");
	assert_int_equal(login_as_renewing(p, &by_badge, "pin-1-dearer"), 0);
	assert_int_equal(people_account_by_badge(p, "7790", &now), 0);
	assert_string_equal(now.hash, "pin-1-dearer");
	/* a second login that was verified with the hash of before */
	assert_int_equal(login_as_renewing(p, &by_name, "hash-1-again"), ERR_CONFLICT);
}

static void a_login_whose_account_changed_meanwhile_is_not_stored(void **state)
{
	struct people *p = people_of(state);
	struct user_secret pin = {.name = "anna", .badge = "7790"};
	struct user_state off = {.name = "anna", .state = "disabled"};
	struct account by_name, by_badge;

	assert_int_equal(people_account_by_name(p, "anna", &by_name), 0);
	assert_int_equal(people_account_by_badge(p, "7790", &by_badge), 0);
	assert_int_equal(login_as(p, &by_name), 0);
	assert_int_equal(login_as(p, &by_badge), 0);
	assert_int_equal(people_user_secret(p, &admin, &pin, "pin-2"), 0);
	assert_int_equal(login_as(p, &by_badge), ERR_CONFLICT);
	assert_int_equal(login_as(p, &by_name), 0);
	assert_int_equal(people_account_by_badge(p, "7790", &by_badge), 0);
	assert_int_equal(people_user_state(p, &admin, &off), 0);
	assert_int_equal(login_as(p, &by_name), ERR_CONFLICT);
	assert_int_equal(login_as(p, &by_badge), ERR_CONFLICT);
}

static int journal_add(struct people *p, uint8_t journal, uint64_t seq, uint64_t *stored)
{
	struct login_state says = {.journal = {LOGIN_JOURNAL_ID, {journal}}};
	struct login_record r = {.seq = seq, .at = NOW, .what = "login", .user = "an\nna"};

	return people_journal_add(p, "PG-1", "ICU", &says, &r, NOW, stored);
}

static void journal_records_are_stored_once_in_order_and_per_journal(void **state)
{
	struct people *p = people_of(state);
	struct list_query q = {0};
	struct audit_row rows[16];
	uint64_t stored = 0;
	size_t n;

	assert_int_equal(journal_add(p, 1, 2, &stored), ERR_CONFLICT); /* 1 is missing */
	assert_int_equal(journal_add(p, 1, 1, &stored), 0);
	assert_int_equal(journal_add(p, 1, 2, &stored), 0);
	assert_int_equal(journal_add(p, 1, 1, &stored), ERR_UNCHANGED); /* a replay */
	assert_int_equal(stored, 2);
	assert_int_equal(journal_add(p, 1, 4, &stored), ERR_CONFLICT);
	assert_int_equal(journal_add(p, 2, 1, &stored), 0); /* a new file */
	assert_int_equal(stored, 1);
	assert_int_equal(people_audit_tail(p, &q, rows, 16, &n), 0);
	assert_int_equal(n, 4); /* with the fixture's */
	assert_string_equal(rows[3].action, "pump.login");
	assert_string_equal(rows[3].actor, "an?na");
	assert_non_null(strstr(rows[3].detail, "offline"));
}

static void an_older_generation_of_verifiers_is_told_once(void **state)
{
	struct people *p = people_of(state);
	struct login_state says = {.generation = 5};
	struct login_terms terms = {0};
	bool back;

	assert_int_equal(people_pump_seen(p, "PG-1", &says, NOW, &terms, &back), 0);
	assert_false(back);
	says.generation = 7;
	assert_int_equal(people_pump_seen(p, "PG-1", &says, NOW, &terms, &back), 0);
	assert_false(back);
	says.generation = 6;
	assert_int_equal(people_pump_seen(p, "PG-2", &says, NOW, &terms, &back), 0);
	assert_false(back); /* another pump's */
	assert_int_equal(people_pump_seen(p, "PG-1", &says, NOW, &terms, &back), 0);
	assert_true(back);
	assert_true(terms.drop);
	assert_int_equal(people_pump_seen(p, "PG-1", &says, NOW, &terms, &back), 0);
	assert_false(back);
	says.generation = 0; /* a plain client */
	assert_int_equal(people_pump_seen(p, "PG-1", &says, NOW, &terms, &back), 0);
	assert_false(back);
}

static void terms_out_of_bounds_are_refused_and_a_change_raises_the_epoch(void **state)
{
	struct people *p = people_of(state);
	struct role_terms t = {.role = "nurse", .session_s = 30, .idle_s = 20};
	struct cred_status st = {0};

	assert_int_equal(people_role_set(p, &admin, &t), ERR_INVALID);
	t.session_s = 3600;
	t.idle_s = 7200;
	assert_int_equal(people_role_set(p, &admin, &t), ERR_INVALID);
	t.idle_s = 60;
	t.offline = true;
	assert_int_equal(people_role_set(p, &admin, &t), ERR_INVALID);
	t.offline_s = 3600;
	t.offline_failures = 5;
	t.offline_people = 50;
	assert_int_equal(people_role_set(p, &admin, &t), 0);
	assert_int_equal(people_role_set(p, &admin, &t), ERR_UNCHANGED);
	assert_int_equal(people_status(p, NOW, &st), 0);
	assert_int_equal(st.policy_epoch, 2);
	assert_int_equal(people_role_terms(p, "nurse", &t), 0);
	assert_false(t.offline_passwords); /* until the house says so */
	t.offline_passwords = true;
	assert_int_equal(people_role_set(p, &admin, &t), 0);
	t.offline_passwords = false;
	assert_int_equal(people_role_terms(p, "nurse", &t), 0);
	assert_true(t.offline_passwords);
	assert_int_equal(people_status(p, NOW, &st), 0);
	assert_int_equal(st.policy_epoch, 3);
}

static void what_admins_do_and_who_logged_in_is_one_chain(void **state)
{
	struct people *p = people_of(state);
	const struct login_note note = {
		.by = admin, .action = "login.refused", .device = "PG-1", .detail = "online"};
	struct audit_check check;

	assert_int_equal(people_begin(p), 0);
	assert_int_equal(people_note(p, &note), 0);
	people_rollback(p);
	assert_int_equal(people_audit_verify(p, &check), 0);
	assert_true(check.intact);
	assert_int_equal(check.rows, 1);
	assert_int_equal(people_begin(p), 0);
	assert_int_equal(people_note(p, &note), 0);
	assert_int_equal(people_commit(p), 0);
	assert_int_equal(people_audit_verify(p, &check), 0);
	assert_true(check.intact);
	assert_int_equal(check.rows, 2);
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		T(accounts_that_make_no_sense_are_refused),
		T(names_that_mean_something_to_sql_are_just_names),
		T(the_most_particular_role_counts_and_no_role_is_none),
		T(disabling_makes_a_tombstone_and_each_user_has_one),
		T(a_login_renews_the_hash_of_just_the_secret_that_was_verified),
		T(a_login_whose_account_changed_meanwhile_is_not_stored),
		T(journal_records_are_stored_once_in_order_and_per_journal),
		T(an_older_generation_of_verifiers_is_told_once),
		T(terms_out_of_bounds_are_refused_and_a_change_raises_the_epoch),
		T(what_admins_do_and_who_logged_in_is_one_chain),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
