/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/unit/sql/fixture.h"

#include <stdio.h>
#include <string.h>

static struct audit_check verify(struct fixture *f)
{
	struct audit_check check;

	assert_int_equal(store_audit_verify(f->st, &check), 0);
	return check;
}

static void changed_bit_in_any_column_is_found(void **state)
{
	static const char *const changes[] = {
		"UPDATE audit SET at = at + 1 WHERE seq = 3",
		"UPDATE audit SET actor = 'nobody' WHERE seq = 3",
		"UPDATE audit SET action = action || ' ' WHERE seq = 3",
		"UPDATE audit SET object = 'PG-9' WHERE seq = 3",
		"UPDATE audit SET detail = '' WHERE seq = 3",
		"UPDATE audit SET hash = zeroblob(32) WHERE seq = 3",
		"UPDATE audit SET hash = x'00' WHERE seq = 3",
		/* moved from one column to its neighbour: lengths are hashed too */
		"UPDATE audit SET object = substr(object, 2), action = action || substr(object, 1, "
		"1)"
		" WHERE seq = 3",
	};
	struct fixture *f = *state;

	for (size_t i = 0; i < sizeof(changes) / sizeof(changes[0]); i++) {
		struct audit_check check;

		sql_run(f->registry, "CREATE TABLE keep AS SELECT * FROM audit WHERE seq = 3");
		sql_run(f->registry, changes[i]);
		check = verify(f);
		assert_false(check.intact);
		assert_int_equal(check.bad_seq, 3);
		sql_run(f->registry, "DELETE FROM audit WHERE seq = 3;"
				     "INSERT INTO audit SELECT * FROM keep; DROP TABLE keep");
		assert_true(verify(f).intact);
	}
}

static void removed_row_is_found(void **state)
{
	struct fixture *f = *state;
	struct audit_check check;

	sql_run(f->registry, "DELETE FROM audit WHERE seq = 2");
	check = verify(f);
	assert_false(check.intact);
	assert_int_equal(check.bad_seq, 2);
	/* closing the gap does not hide it */
	sql_run(f->registry, "UPDATE audit SET seq = -seq WHERE seq > 2;"
			     "UPDATE audit SET seq = -seq - 1 WHERE seq < 0");
	assert_false(verify(f).intact);
}

static void swapped_rows_are_found(void **state)
{
	struct fixture *f = *state;

	sql_run(f->registry, "UPDATE audit SET seq = -seq WHERE seq IN (2, 3);"
			     "UPDATE audit SET seq = 3 WHERE seq = -2;"
			     "UPDATE audit SET seq = 2 WHERE seq = -3");
	assert_false(verify(f).intact);
}

static void cut_tail_is_found_when_the_head_was_left(void **state)
{
	struct fixture *f = *state;

	sql_run(f->registry, "DELETE FROM audit WHERE seq = (SELECT max(seq) FROM audit)");
	assert_false(verify(f).intact);
	assert_non_null(strstr(verify(f).text, "end is missing"));
}

static void refused_action_leaves_no_audit_row(void **state)
{
	struct zone bad = {.name = "wards", .vlan = 121};
	struct fixture *f = *state;
	uint64_t before = verify(f).rows;

	assert_int_equal(store_zone_add(f->st, &admin_now, &bad), ERR_EXISTS);
	assert_int_equal(verify(f).rows, before);
}

/* The head was set back: the next row's number is taken, which is nothing about the pump. */
static void pump_whose_audit_row_cannot_be_written_is_not_added(void **state)
{
	struct fixture *f = *state;
	struct device d = {.serial = "PG-9", .mac = "02:00:00:00:00:09", .zone = "wards"};
	struct add_outcome out;

	sql_run(f->registry, "UPDATE audit_head SET seq = seq - 1");
	assert_int_equal(store_device_add(f->st, &admin_now, &d, 1, &out), ERR_CORRUPT);
	assert_int_equal(
		sql_number(f->registry, "SELECT count(*) FROM devices WHERE serial = 'PG-9'"), 0);
}

static void long_chain_is_whole_and_its_head_is_the_last_hash(void **state)
{
	struct list_query tail = {.limit = 2};
	struct fixture *f = *state;
	struct audit_check check;
	struct audit_row rows[2];
	char serial[32], mac[32];
	size_t n;

	for (unsigned i = 0; i < 300; i++) {
		snprintf(serial, sizeof(serial), "LONG-%u", i);
		snprintf(mac, sizeof(mac), "02:00:00:01:%02x:%02x", i >> 8, i & 255);
		pump_add(f->st, serial, mac);
	}
	check = verify(f);
	assert_true(check.intact);
	assert_int_equal(store_audit_tail(f->st, &tail, rows, 2, &n), 0);
	assert_int_equal(n, 2);
	assert_int_equal(rows[1].seq, check.rows);
	assert_int_equal(rows[0].seq, check.rows - 1);
	assert_string_equal(rows[1].hash, check.head);
	assert_string_equal(rows[1].object, "LONG-299");
	strcpy(tail.after, "1");
	assert_int_equal(store_audit_tail(f->st, &tail, rows, 2, &n), 0);
	assert_int_equal(rows[0].seq, 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define WITH(t) cmocka_unit_test_setup_teardown(t, fixture_setup, fixture_teardown)
		WITH(changed_bit_in_any_column_is_found),
		WITH(removed_row_is_found),
		WITH(swapped_rows_are_found),
		WITH(cut_tail_is_found_when_the_head_was_left),
		WITH(refused_action_leaves_no_audit_row),
		WITH(pump_whose_audit_row_cannot_be_written_is_not_added),
		WITH(long_chain_is_whole_and_its_head_is_the_last_hash),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
