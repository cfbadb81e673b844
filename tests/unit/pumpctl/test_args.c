/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/support/cmocka.h"

#include <string.h>

#include "enroll/pumpctl/args.h"
#include "enroll/pumpctl/report.h"

static const struct option_spec options[] = {
	{"zone", 0, OPTION_VALUE, "Z", "zone", true},
	{"all", 'a', OPTION_FLAG, NULL, "all", false},
	{"number", 'n', OPTION_VALUE, "N", "number", false},
	{"users", 0, OPTION_MAYBE_NUMBER, "[N]", "users", false},
};
static const struct verb verbs[] = {
	{.name = "run", .operands = "", .summary = "Run", .examples = {"a", "b", "c"}},
	{.group = "pump",
	 .name = "add",
	 .operands = "SERIAL",
	 .n_operands = 1,
	 .summary = "Add",
	 .options = options,
	 .n_options = 4,
	 .examples = {"a", "b", "c"}},
};

static int parse(struct call *call, const char *const argv[])
{
	int argc = 0;

	while (argv[argc])
		argc++;
	return args_parse(verbs, 2, argc, argv, call);
}
#define PARSE(call, ...) parse((call), (const char *const[]){"pumpctl", __VA_ARGS__, NULL})

static void what_is_not_understood_is_refused_and_says_how_to_go_on(void **state)
{
	struct call c;

	(void)state;
	assert_int_equal(parse(&c, (const char *const[]){"pumpctl", NULL}), ERR_INVALID);
	assert_non_null(strstr(err_text(), "pumpctl --help"));
	assert_int_equal(PARSE(&c, "frob"), ERR_INVALID);
	assert_int_equal(PARSE(&c, "pump"), ERR_INVALID);
	assert_int_equal(PARSE(&c, "pump", "frob"), ERR_INVALID);
	assert_int_equal(PARSE(&c, "run", "--frob"), ERR_INVALID);
	assert_non_null(strstr(err_text(), "pumpctl run --help"));
	assert_int_equal(PARSE(&c, "run", "word"), ERR_INVALID);
	assert_int_equal(PARSE(&c, "run", "-json"), ERR_INVALID);
	assert_int_equal(PARSE(&c, "--zone", "x", "pump", "add"), ERR_INVALID);
	assert_int_equal(PARSE(&c, "--home"), ERR_INVALID);
	assert_int_equal(PARSE(&c, "--home", "", "run"), ERR_INVALID);
	assert_int_equal(PARSE(&c, "--json=yes", "run"), ERR_INVALID);
}

static void missing_doubled_and_valueless_options_are_refused(void **state)
{
	struct call c;

	(void)state;
	assert_int_equal(PARSE(&c, "pump", "add", "PG-1"), ERR_INVALID);
	assert_non_null(strstr(err_text(), "--zone Z is missing"));
	assert_int_equal(PARSE(&c, "pump", "add", "--zone", "icu"), ERR_INVALID);
	assert_int_equal(PARSE(&c, "pump", "add", "PG-1", "--zone"), ERR_INVALID);
	assert_int_equal(PARSE(&c, "pump", "add", "PG-1", "--zone", "--all"), ERR_INVALID);
	assert_int_equal(PARSE(&c, "pump", "add", "PG-1", "--zone", "a", "--zone", "b"),
			 ERR_INVALID);
	assert_int_equal(PARSE(&c, "pump", "add", "PG-1", "PG-2", "--zone", "a"), ERR_INVALID);
	assert_int_equal(PARSE(&c, "pump", "add", "PG-1", "--zone", "a", "--all=1"), ERR_INVALID);
}

static void global_options_may_stand_anywhere(void **state)
{
	struct call c;

	(void)state;
	assert_int_equal(PARSE(&c, "--home", "/h", "pump", "--json", "add", "PG-1", "--zone", "z"),
			 0);
	assert_string_equal(c.home, "/h");
	assert_true(c.json);
	assert_string_equal(c.operands[0], "PG-1");
	assert_int_equal(PARSE(&c, "run", "--home=/other"), 0);
	assert_string_equal(c.home, "/other");
	assert_int_equal(PARSE(&c, "pump", "add", "--help"), 0);
	assert_true(c.help);
	assert_ptr_equal(c.verb, &verbs[1]);
	assert_int_equal(PARSE(&c, "pump", "-h"), 0);
	assert_string_equal(c.group, "pump");
	assert_int_equal(PARSE(&c, "--version"), 0);
}

static void values_come_with_equals_as_next_word_or_by_letter(void **state)
{
	struct call c;
	unsigned long n;

	(void)state;
	assert_int_equal(PARSE(&c, "pump", "add", "--zone=icu", "-n", "7", "-a", "--", "-X"), 0);
	assert_string_equal(call_value(&c, "zone"), "icu");
	assert_true(call_flag(&c, "all"));
	assert_string_equal(c.operands[0], "-X");
	assert_int_equal(call_number(&c, "number", 1, 1, 9, &n), 0);
	assert_int_equal(n, 7);
	assert_int_equal(call_number(&c, "number", 1, 1, 6, &n), ERR_INVALID);
	assert_int_equal(PARSE(&c, "pump", "add", "P", "--zone", "-"), 0);
	assert_string_equal(call_value(&c, "zone"), "-");
}

static void numbers_with_signs_or_tails_are_refused(void **state)
{
	static const char *const bad[] = {"-1", "+1", " 1", "1x", "", "99999999999999999999"};
	struct call c;
	unsigned long n;

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		assert_int_equal(PARSE(&c, "pump", "add", "P", "--zone", "z", "-n", bad[i]), 0);
		assert_int_equal(call_number(&c, "number", 1, 0, 1000, &n), ERR_INVALID);
	}
}

static void a_maybe_number_takes_only_a_number(void **state)
{
	struct call c;

	(void)state;
	assert_int_equal(PARSE(&c, "pump", "add", "--zone", "z", "--users", "PG-1"), 0);
	assert_true(call_flag(&c, "users"));
	assert_null(call_value(&c, "users"));
	assert_string_equal(c.operands[0], "PG-1");
	assert_int_equal(PARSE(&c, "pump", "add", "--zone", "z", "--users", "61000", "PG-1"), 0);
	assert_string_equal(call_value(&c, "users"), "61000");
}

static void exit_statuses_are_the_documented_ones(void **state)
{
	(void)state;
	assert_int_equal(exit_status_of(0), 0);
	assert_int_equal(exit_status_of(ERR_NOT_FOUND), 1);
	assert_int_equal(exit_status_of(ERR_UNCHANGED), 2);
	assert_int_equal(exit_status_of(ERR_UNAVAILABLE), 75);
	assert_int_equal(exit_status_of(ERR_TIMEOUT), 75);
	assert_int_equal(exit_status_of(ERR_BUSY), 75);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_not_understood_is_refused_and_says_how_to_go_on),
		cmocka_unit_test(missing_doubled_and_valueless_options_are_refused),
		cmocka_unit_test(global_options_may_stand_anywhere),
		cmocka_unit_test(values_come_with_equals_as_next_word_or_by_letter),
		cmocka_unit_test(numbers_with_signs_or_tails_are_refused),
		cmocka_unit_test(a_maybe_number_takes_only_a_number),
		cmocka_unit_test(exit_statuses_are_the_documented_ones),
	};

	return cmocka_run_group_tests_name("pumpctl/args", tests, NULL, NULL);
}
