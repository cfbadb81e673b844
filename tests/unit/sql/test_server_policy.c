/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/unit/sql/fixture.h"

#include <string.h>

static struct server_policy policy(uint64_t number, const char *name)
{
	struct server_policy p = {.number = number, .der = {.len = 4, .data = {0x30, 2, 5, 0}}};

	strcpy(p.radius_name, name);
	return p;
}

static void a_policy_without_number_name_or_signature_is_refused(void **state)
{
	struct fixture *f = *state;
	struct server_policy none = policy(0, "a.b"), nameless = policy(1, ""),
			     unsigned_one = policy(1, "a.b"), huge = policy(UINT64_MAX, "a.b");

	unsigned_one.der.len = 0;
	assert_int_equal(store_server_policy_set(f->st, &admin_now, &none), ERR_INVALID);
	assert_int_equal(store_server_policy_set(f->st, &admin_now, &nameless), ERR_INVALID);
	assert_int_equal(store_server_policy_set(f->st, &admin_now, &unsigned_one), ERR_INVALID);
	assert_int_equal(store_server_policy_set(f->st, &admin_now, &huge), ERR_INVALID);
}

static void an_older_policy_does_not_take_the_place_of_a_newer_one(void **state)
{
	struct fixture *f = *state;
	struct server_policy newer = policy(9, "radius-2.x.org"),
			     same = policy(9, "radius-9.x.org"),
			     older = policy(8, "radius-1.x.org"), out;
	size_t n;

	assert_int_equal(store_server_policy_set(f->st, &admin_now, &newer), 0);
	assert_int_equal(store_server_policy_set(f->st, &admin_now, &older), ERR_CONFLICT);
	assert_int_equal(store_server_policy_set(f->st, &admin_now, &same), ERR_CONFLICT);
	assert_int_equal(store_server_policy(f->st, &out, 1, &n), 0);
	assert_int_equal(n, 1);
	assert_string_equal(out.radius_name, "radius-2.x.org");
}

static void the_newest_policy_is_kept_with_who_set_it(void **state)
{
	struct fixture *f = *state;
	struct server_policy first = policy(1, "radius-2.x.org"),
			     next = policy(2, "radius-3.x.org"), out;
	size_t n;

	next.named_at = 77;
	strcpy(next.login_server, "10.0.0.5:22087");
	strcpy(next.login_name, "login-1.x.org");
	assert_int_equal(store_server_policy(f->st, &out, 1, &n), 0);
	assert_int_equal(n, 0);
	assert_int_equal(store_server_policy_set(f->st, &admin_now, &first), 0);
	assert_int_equal(store_server_policy_set(f->st, &admin_now, &next), 0);
	assert_int_equal(store_server_policy(f->st, &out, 1, &n), 0);
	assert_int_equal(n, 1);
	assert_int_equal(out.number, 2);
	assert_int_equal(out.der.len, 4);
	assert_string_equal(out.set_by, admin_now.actor);
	assert_int_equal(out.named_at, 77);
	assert_string_equal(out.login_server, "10.0.0.5:22087");
	assert_string_equal(out.login_name, "login-1.x.org");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
			a_policy_without_number_name_or_signature_is_refused, fixture_setup,
			fixture_teardown),
		cmocka_unit_test_setup_teardown(
			an_older_policy_does_not_take_the_place_of_a_newer_one, fixture_setup,
			fixture_teardown),
		cmocka_unit_test_setup_teardown(the_newest_policy_is_kept_with_who_set_it,
						fixture_setup, fixture_teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
