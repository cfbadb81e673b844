/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/support/cmocka.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/config.h"

static char path[] = "/tmp/test_config.XXXXXX";

static int read_text(const char *text, struct config **out)
{
	assert_int_equal(buf_write_file(path, 0600, text, strlen(text)), 0);
	return config_read(path, out);
}

/* Reading fails and the error text has `words`. */
static void assert_refused(const char *text, const char *words)
{
	struct config *c = NULL;

	if (read_text(text, &c) != ERR_INVALID)
		fail_msg("taken: %s", text);
	assert_null(c);
	if (!strstr(err_text(), words))
		fail_msg("'%s' not in '%s'", words, err_text());
}

static void read_names_the_line_that_it_cannot_read(void **state)
{
	(void)state;
	assert_refused("[a]\nx = 1\nnonsense\n", "line 3");
	assert_refused("[a]\nx = 1\n[unclosed\n", "line 3");
}

static void read_refuses_a_missing_file_and_one_that_is_too_long(void **state)
{
	struct config *c = NULL;
	char *big = malloc(70001);

	(void)state;
	assert_int_equal(config_read("/nonexistent/conf", &c), ERR_NOT_FOUND);
	memset(big, '#', 70000);
	for (int i = 99; i < 70000; i += 100)
		big[i] = '\n';
	big[70000] = '\0';
	assert_int_equal(read_text(big, &c), ERR_LIMIT);
	assert_null(c);
	free(big);
}

static void read_refuses_a_key_given_twice(void **state)
{
	(void)state;
	assert_refused("[a]\nx = 1\ny = 2\nx = 3\n", "line 4");
}

/* libinih would take the second line as more of the first value. */
static void read_refuses_an_indented_line_instead_of_taking_it_for_the_key_above(void **state)
{
	(void)state;
	assert_refused("[a]\nx = 1\n  y = 2\n", "line 3");
}

/* libinih would cut the line and take the rest for a line of its own. */
static void read_refuses_a_line_that_is_too_long(void **state)
{
	char text[1024] = "[a]\nx = ";

	(void)state;
	memset(text + strlen(text), 'v', 400);
	strcat(text, "\n");
	assert_refused(text, "line 2");
}

static void read_refuses_a_nul_byte(void **state)
{
	struct config *c = NULL;

	(void)state;
	assert_int_equal(buf_write_file(path, 0600, "[a]\nx = 1\0y\n", 12), 0);
	assert_int_equal(config_read(path, &c), ERR_INVALID);
}

static void unknown_keys_are_named(void **state)
{
	AUTO_CONFIG c = NULL;

	(void)state;
	assert_int_equal(read_text("[listen]\nport = 5\nprot = 6\n[other]\nz = 1\n", &c), 0);
	assert_string_equal(config_str(c, "listen", "port", "0"), "5");
	assert_int_equal(config_check_unused(c, "listen"), ERR_INVALID);
	assert_non_null(strstr(err_text(), "[listen] prot"));
	assert_string_equal(config_str(c, "listen", "prot", "0"), "6");
	assert_int_equal(config_check_unused(c, "listen"), 0);
}

static void numbers_are_refused_outside_their_bounds(void **state)
{
	static const char *const bad[] = {"4", "11", "-6", "6x", "", "18446744073709551622", "six"};
	uint32_t v = 42;

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		AUTO_CONFIG c = NULL;
		char text[64];

		snprintf(text, sizeof(text), "[a]\nn = %s\n", bad[i]);
		assert_int_equal(read_text(text, &c), 0);
		if (config_u32(c, "a", "n", 7, 5, 10, &v) != ERR_INVALID)
			fail_msg("'%s' was taken", bad[i]);
		assert_non_null(strstr(err_text(), "5 to 10"));
		assert_int_equal(v, 42);
	}
}

static void values_and_fallbacks_are_found(void **state)
{
	AUTO_CONFIG c = NULL;
	uint32_t v;
	int64_t ms;

	(void)state;
	assert_int_equal(read_text("; comment\n[a]\nn = 10 ; ten\nd = 2h\nbad = soon\n", &c), 0);
	assert_int_equal(config_u32(c, "a", "n", 7, 5, 10, &v), 0);
	assert_int_equal(v, 10);
	assert_int_equal(config_u32(c, "b", "n", 7, 5, 10, &v), 0);
	assert_int_equal(v, 7);
	assert_int_equal(config_duration(c, "a", "d", "1s", &ms), 0);
	assert_int_equal(ms, 7200000);
	assert_int_equal(config_duration(c, "a", "e", "1s", &ms), 0);
	assert_int_equal(ms, 1000);
	assert_int_equal(config_duration(c, "a", "bad", "1s", &ms), ERR_INVALID);
	assert_non_null(strstr(err_text(), "[a] bad"));
	assert_null(config_str(c, "a", "none", NULL));
}

static int make_file(void **state)
{
	int fd = mkstemp(path);

	(void)state;
	return fd < 0 ? -1 : close(fd);
}

static int drop_file(void **state)
{
	(void)state;
	return unlink(path);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(read_names_the_line_that_it_cannot_read),
		cmocka_unit_test(read_refuses_a_missing_file_and_one_that_is_too_long),
		cmocka_unit_test(read_refuses_a_key_given_twice),
		cmocka_unit_test(
			read_refuses_an_indented_line_instead_of_taking_it_for_the_key_above),
		cmocka_unit_test(read_refuses_a_line_that_is_too_long),
		cmocka_unit_test(read_refuses_a_nul_byte),
		cmocka_unit_test(unknown_keys_are_named),
		cmocka_unit_test(numbers_are_refused_outside_their_bounds),
		cmocka_unit_test(values_and_fallbacks_are_found),
	};

	return cmocka_run_group_tests_name("base/config", tests, make_file, drop_file);
}
