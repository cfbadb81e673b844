/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/support/cmocka.h"

#include <string.h>

#include "sql/wire/login_wire.h"

static void a_blob_that_is_cut_anywhere_is_refused(void **state)
{
	struct login_tombstone t = {.seq = 7, .user = "anna"};
	AUTO_BUF b = {.max = LOGIN_BLOB_MAX};

	(void)state;
	assert_int_equal(login_item_put(&b, LOGIN_KIND_TOMBSTONE, &record_login_tombstone, &t), 0);
	for (size_t len = 1; len < b.len; len++) {
		struct cursor blob = cursor_of(b.data, len), record;
		uint8_t kind;

		assert_int_equal(login_item_next(&blob, &kind, &record), ERR_INVALID);
	}
}

static void an_item_that_does_not_fit_leaves_the_blob_as_it_was(void **state)
{
	struct login_tombstone t = {.seq = 7, .user = "anna"};
	AUTO_BUF b = {.max = 12};

	(void)state;
	assert_int_equal(buf_put(&b, "x", 1), 0);
	assert_int_equal(login_item_put(&b, LOGIN_KIND_TOMBSTONE, &record_login_tombstone, &t),
			 ERR_LIMIT);
	assert_int_equal(b.len, 1);
}

static void items_come_back_in_order_and_an_unknown_kind_can_be_skipped(void **state)
{
	struct login_tombstone t = {.seq = 7, .user = "anna"}, back;
	struct login_terms terms = {.tombstone = 7, .more = true}, terms_back;
	AUTO_BUF b = {.max = LOGIN_BLOB_MAX};
	struct cursor blob, record;
	uint8_t kind;

	(void)state;
	assert_int_equal(login_item_put(&b, LOGIN_KIND_TOMBSTONE, &record_login_tombstone, &t), 0);
	assert_int_equal(login_item_put(&b, 200, &record_login_tombstone, &t), 0);
	assert_int_equal(login_item_put(&b, LOGIN_KIND_TERMS, &record_login_terms, &terms), 0);
	blob = cursor_of(b.data, b.len);
	assert_int_equal(login_item_next(&blob, &kind, &record), 1);
	assert_int_equal(kind, LOGIN_KIND_TOMBSTONE);
	assert_int_equal(record_get(&record, &record_login_tombstone, &back), 0);
	assert_string_equal(back.user, "anna");
	assert_int_equal(login_item_next(&blob, &kind, &record), 1);
	assert_int_equal(kind, 200);
	assert_int_equal(login_item_next(&blob, &kind, &record), 1);
	assert_int_equal(record_get(&record, &record_login_terms, &terms_back), 0);
	assert_true(terms_back.more);
	assert_int_equal(login_item_next(&blob, &kind, &record), 0);
}

static void all_that_an_accept_needs_fits_one_packet(void **state)
{
	struct login_grant g = {.session_s = UINT32_MAX,
				.idle_s = UINT32_MAX,
				.offline = true,
				.offline_s = UINT32_MAX,
				.offline_failures = UINT32_MAX,
				.offline_people = UINT32_MAX,
				.directory = true};
	struct login_terms terms = {.server_time = INT64_MAX,
				    .policy_epoch = UINT64_MAX,
				    .tombstone = UINT64_MAX,
				    .more = true,
				    .stored = UINT64_MAX,
				    .drop = true};
	AUTO_BUF b = {.max = LOGIN_BLOB_MAX};

	(void)state;
	memset(g.user, 'u', sizeof(g.user) - 1);
	memset(g.display, 'd', sizeof(g.display) - 1);
	memset(g.role, 'r', sizeof(g.role) - 1);
	memset(g.login_id, 'i', sizeof(g.login_id) - 1);
	assert_int_equal(login_item_put(&b, LOGIN_KIND_TERMS, &record_login_terms, &terms), 0);
	assert_int_equal(login_item_put(&b, LOGIN_KIND_GRANT, &record_login_grant, &g), 0);
	assert_true(b.len < LOGIN_BLOB_MAX / 4);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_blob_that_is_cut_anywhere_is_refused),
		cmocka_unit_test(an_item_that_does_not_fit_leaves_the_blob_as_it_was),
		cmocka_unit_test(items_come_back_in_order_and_an_unknown_kind_can_be_skipped),
		cmocka_unit_test(all_that_an_accept_needs_fits_one_packet),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
