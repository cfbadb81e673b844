/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/support/cmocka.h"

#include "enroll/pumpctl/conf_edit.h"

static const char *edited(struct buf *b, const char *text, const char *key, const char *value)
{
	assert_int_equal(conf_edit(text, "users", key, value, b), 0);
	return buf_cstr(b);
}

static void key_of_another_section_stays(void **state)
{
	AUTO_BUF b = {.max = 1000};

	(void)state;
	assert_string_equal(edited(&b, "[a]\nadmins = x\n[users]\nadmins = y\n[b]\nadmins = z\n",
				   "admins", "root"),
			    "[a]\nadmins = x\n[users]\nadmins = root\n[b]\nadmins = z\n");
}

static void key_that_only_begins_alike_stays(void **state)
{
	AUTO_BUF b = {.max = 1000};

	(void)state;
	assert_string_equal(edited(&b, "[users]\nadmins2 = x\n; admins = y\n", "admins", "root"),
			    "[users]\nadmins = root\nadmins2 = x\n; admins = y\n");
}

static void section_that_only_begins_alike_stays(void **state)
{
	AUTO_BUF b = {.max = 1000};

	(void)state;
	assert_string_equal(edited(&b, "[users2]\nadmins = x\n", "admins", "root"),
			    "[users2]\nadmins = x\n\n[users]\nadmins = root\n");
}

static void comments_and_order_stay(void **state)
{
	AUTO_BUF b = {.max = 1000};

	(void)state;
	assert_string_equal(edited(&b,
				   "# a\n[users]\n# who\nadmins=root\nviewers : v\n\n[c]\nk = 1",
				   "viewers", ""),
			    "# a\n[users]\n# who\nadmins=root\nviewers = \n\n[c]\nk = 1\n");
}

static void second_section_of_the_name_is_looked_at_too(void **state)
{
	AUTO_BUF b = {.max = 1000};

	(void)state;
	assert_string_equal(
		edited(&b, "[users]\na = 1\n[b]\n[users]\nviewers = x\n", "viewers", "y"),
		"[users]\na = 1\n[b]\n[users]\nviewers = y\n");
}

static void empty_file_gets_the_section(void **state)
{
	AUTO_BUF b = {.max = 1000};

	(void)state;
	assert_string_equal(edited(&b, "", "viewers", "v"), "\n[users]\nviewers = v\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(key_of_another_section_stays),
		cmocka_unit_test(key_that_only_begins_alike_stays),
		cmocka_unit_test(section_that_only_begins_alike_stays),
		cmocka_unit_test(comments_and_order_stay),
		cmocka_unit_test(second_section_of_the_name_is_looked_at_too),
		cmocka_unit_test(empty_file_gets_the_section),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
