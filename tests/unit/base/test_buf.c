/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/support/cmocka.h"

#include <string.h>

#include "base/buf.h"

static void put_refuses_to_pass_the_maximum_and_changes_nothing(void **state)
{
	AUTO_BUF b = {.max = 4};

	(void)state;
	assert_int_equal(buf_put(&b, "abc", 3), 0);
	assert_int_equal(buf_put(&b, "de", 2), ERR_LIMIT);
	assert_int_equal(b.len, 3);
	assert_memory_equal(b.data, "abc", 3);
	assert_int_equal(buf_put(&b, "d", 1), 0);
}

static void cursor_refuses_to_read_past_the_end_and_stays(void **state)
{
	struct cursor c = cursor_of("\x01\x02", 2);
	uint32_t wide;
	uint16_t two;

	(void)state;
	assert_int_equal(cursor_u32(&c, &wide), ERR_INVALID);
	assert_int_equal(c.left, 2);
	assert_int_equal(cursor_u16(&c, &two), 0);
	assert_int_equal(two, 0x0102);
}

static void hex_refuses_odd_and_foreign_text(void **state)
{
	uint8_t out[4];
	size_t len;

	(void)state;
	assert_int_equal(hex_decode("abc", sizeof(out), out, &len), ERR_INVALID);
	assert_int_equal(hex_decode("zz", sizeof(out), out, &len), ERR_INVALID);
	assert_int_equal(hex_decode("0011223344", sizeof(out), out, &len), ERR_LIMIT);
	assert_int_equal(hex_decode("00ffA0", sizeof(out), out, &len), 0);
	assert_int_equal(len, 3);
	assert_memory_equal(out, "\x00\xff\xa0", 3);
}

static void str_copy_refuses_what_does_not_fit_whole(void **state)
{
	char small[4] = "old";

	(void)state;
	assert_int_equal(str_copy(small, sizeof(small), "four"), ERR_LIMIT);
	assert_string_equal(small, "");
	assert_int_equal(str_copy(small, sizeof(small), "abc"), 0);
	assert_string_equal(small, "abc");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(put_refuses_to_pass_the_maximum_and_changes_nothing),
		cmocka_unit_test(cursor_refuses_to_read_past_the_end_and_stays),
		cmocka_unit_test(hex_refuses_odd_and_foreign_text),
		cmocka_unit_test(str_copy_refuses_what_does_not_fit_whole),
	};

	return cmocka_run_group_tests_name("base/buf", tests, NULL, NULL);
}
