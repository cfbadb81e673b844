/* SPDX-License-Identifier: BSD-2-Clause */
/* NAS in the registry: standing, secrets and their versions, and what is told of them. */
#include "tests/unit/sql/fixture.h"

#include <string.h>

#define SECRET "a-secret-of-the-nas-32-characters"

static struct nas nas_with(const char *name, const char *ip, const char *secret)
{
	struct nas n = {.das_port = 3799};

	strcpy(n.name, name);
	strcpy(n.ip, ip);
	n.secret.len = (uint32_t)strlen(secret);
	memcpy(n.secret.data, secret, n.secret.len);
	return n;
}

static void add(struct fixture *f, const char *name, const char *ip)
{
	struct nas n = nas_with(name, ip, SECRET);

	assert_int_equal(store_nas_add(f->st, &admin_now, &n), 0);
}

static int64_t audit_rows(struct fixture *f, const char *sql)
{
	return sql_number(f->registry, sql);
}

static void an_unknown_nas_cannot_be_changed(void **state)
{
	struct fixture *f = *state;
	struct nas n = nas_with("nobody", "", SECRET);
	struct dispatch_order to;
	struct nas_detail d;

	assert_int_equal(store_nas_enable(f->st, &admin_now, "nobody", false), ERR_NOT_FOUND);
	assert_int_equal(store_nas_secret(f->st, &admin_now, &n), ERR_NOT_FOUND);
	assert_int_equal(store_nas_show(f->st, "nobody", NOW, &d), ERR_NOT_FOUND);
	assert_int_equal(store_nas_reach(f->st, "nobody", NOW, &to), ERR_NOT_FOUND);
}

static void a_secret_that_is_short_or_holds_a_nul_is_refused(void **state)
{
	struct fixture *f = *state;
	struct nas n = nas_with("sw-9", "192.0.2.9", "short12");

	assert_int_equal(store_nas_add(f->st, &admin_now, &n), ERR_INVALID);
	add(f, "sw-9", "192.0.2.9");
	assert_int_equal(store_nas_secret(f->st, &admin_now, &n), ERR_INVALID);
	n = nas_with("sw-9", "192.0.2.9", "long-enough-but");
	n.secret.data[3] = 0;
	assert_int_equal(store_nas_secret(f->st, &admin_now, &n), ERR_INVALID);
}

static void a_disabled_nas_is_known_as_such_at_once(void **state)
{
	struct fixture *f = *state;
	struct nas_facts facts;

	add(f, "sw-9", "192.0.2.9");
	assert_int_equal(store_nas_enable(f->st, &admin_now, "sw-9", true), ERR_UNCHANGED);
	assert_int_equal(store_nas_enable(f->st, &admin_now, "sw-9", false), 0);
	assert_int_equal(store_nas_facts(f->st, "192.0.2.9", &facts), 0);
	assert_true(facts.found);
	assert_false(facts.enabled);
	assert_int_equal(store_nas_enable(f->st, &admin_now, "sw-9", false), ERR_UNCHANGED);
	assert_int_equal(store_nas_enable(f->st, &admin_now, "sw-9", true), 0);
	assert_int_equal(store_nas_facts(f->st, "192.0.2.9", &facts), 0);
	assert_true(facts.enabled);
	assert_int_equal(audit_rows(f, "SELECT count(*) FROM audit WHERE object = 'sw-9'"), 3);
}

static void another_secret_has_another_version_and_the_same_one_is_nothing(void **state)
{
	struct fixture *f = *state;
	struct nas n = nas_with("sw-9", "", SECRET);
	struct nas_facts facts;

	add(f, "sw-9", "192.0.2.9");
	assert_int_equal(store_nas_secret(f->st, &admin_now, &n), ERR_UNCHANGED);
	n.secret.data[0] = 'b';
	assert_int_equal(store_nas_secret(f->st, &admin_now, &n), 0);
	assert_int_equal(store_nas_facts(f->st, "192.0.2.9", &facts), 0);
	assert_int_equal(facts.secret_version, 2);
	assert_int_equal(facts.secret.len, n.secret.len);
	assert_memory_equal(facts.secret.data, n.secret.data, n.secret.len);
	assert_int_equal(audit_rows(f, "SELECT count(*) FROM audit WHERE action = 'nas.secret' AND"
				       " object = 'sw-9' AND detail = 'version=2'"),
			 1);
}

static void a_claim_names_only_another_nas(void **state)
{
	struct fixture *f = *state;
	char other[NAME_SIZE];

	add(f, "sw-8", "192.0.2.8");
	add(f, "sw-9", "192.0.2.9");
	assert_int_equal(store_nas_claimed(f->st, "sw-9", "192.0.2.8", "", other), 0);
	assert_string_equal(other, "sw-8");
	assert_int_equal(store_nas_claimed(f->st, "sw-9", "", "sw-8", other), 0);
	assert_string_equal(other, "sw-8");
	assert_int_equal(store_nas_claimed(f->st, "sw-9", "192.0.2.9", "sw-9", other), 0);
	assert_string_equal(other, "");
	assert_int_equal(store_nas_claimed(f->st, "sw-9", "192.0.2.77", "floor-3", other), 0);
	assert_string_equal(other, "");
}

static void events_of_a_nas_are_counted_by_kind_and_are_no_pump_s(void **state)
{
	struct fixture *f = *state;
	struct nas_event e = {.at = NOW, .kind = "wrong-secret", .nas = "sw-9", .count = 3};
	struct nas_detail d;
	struct event rows[4];
	size_t n;

	add(f, "sw-9", "192.0.2.9");
	assert_int_equal(session_store_begin(f->ss), 0);
	assert_int_equal(session_store_nas_event(f->ss, &e, "wrong-secret", "3 packets", NOW), 0);
	strcpy(e.kind, "claim");
	e.at = NOW + 5;
	assert_int_equal(session_store_nas_event(f->ss, &e, "names-another-nas", "sw-8", NOW), 0);
	assert_int_equal(session_store_commit(f->ss), 0);
	assert_int_equal(store_nas_show(f->st, "sw-9", NOW, &d), 0);
	assert_int_equal(session_store_nas_detail(f->ss, &d), 0);
	assert_int_equal(d.wrong_secret_events, 1);
	assert_int_equal(d.wrong_secret_at, NOW);
	assert_int_equal(d.claim_events, 1);
	assert_int_equal(d.claim_at, NOW + 5);
	assert_string_equal(d.last_event, "names-another-nas: sw-8");
	assert_int_equal(session_store_events(f->ss, "sw-9", 0, rows, 4, &n), 0);
	assert_int_equal(n, 0);
}

/* A User-Name can be anything that a NAS sends. */
static void a_user_name_cannot_make_an_event_of_a_nas(void **state)
{
	struct fixture *f = *state;
	struct auth_event e = {.at = NOW,
			       .verdict = "reject",
			       .reason = "wrong-secret",
			       .identity = "nas sw-9",
			       .nas = "sw-8"};
	struct nas_detail d;

	add(f, "sw-9", "192.0.2.9");
	assert_int_equal(session_store_begin(f->ss), 0);
	assert_int_equal(session_store_auth(f->ss, &e, NOW), 0);
	assert_int_equal(session_store_commit(f->ss), 0);
	assert_int_equal(store_nas_show(f->st, "sw-9", NOW, &d), 0);
	assert_int_equal(session_store_nas_detail(f->ss, &d), 0);
	assert_int_equal(d.wrong_secret_events + d.claim_events, 0);
	assert_string_equal(d.last_event, "");
}

#define RUN(test) cmocka_unit_test_setup_teardown(test, fixture_setup, fixture_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		RUN(an_unknown_nas_cannot_be_changed),
		RUN(a_secret_that_is_short_or_holds_a_nul_is_refused),
		RUN(a_disabled_nas_is_known_as_such_at_once),
		RUN(another_secret_has_another_version_and_the_same_one_is_nothing),
		RUN(a_claim_names_only_another_nas),
		RUN(events_of_a_nas_are_counted_by_kind_and_are_no_pump_s),
		RUN(a_user_name_cannot_make_an_event_of_a_nas),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
