/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/support/cmocka.h"

#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"

static char line[8192];

/* What log_write sends to standard error, into `line`. */
static void capture(const char *event, const struct log_pair *pairs, size_t n)
{
	int saved = dup(STDERR_FILENO), fds[2];
	ssize_t got;

	assert_int_equal(pipe(fds), 0);
	dup2(fds[1], STDERR_FILENO);
	log_write(LOG_INFO, event, pairs, n);
	dup2(saved, STDERR_FILENO);
	close(fds[1]);
	close(saved);
	got = read(fds[0], line, sizeof(line) - 1);
	close(fds[0]);
	assert_true(got > 0);
	line[got] = '\0';
}

static size_t count(const char *text, char c)
{
	size_t n = 0;

	for (; *text; text++)
		n += *text == c;
	return n;
}

static void value_can_not_forge_a_line_or_a_pair(void **state)
{
	const struct log_pair pairs[] = {
		LOG_S("user", "x\n2026-01-01 info pumpgate auth.accept serial=PG-1"),
		LOG_S("esc", "\x1b[2J\r\t\x7f\x9b"),
		LOG_S("quote", "a\" verdict=accept b=\""),
		LOG_S("back", "\\x0a"),
	};

	(void)state;
	capture("auth.reject", pairs, 4);
	assert_int_equal(count(line, '\n'), 1);
	assert_null(strchr(line, '\x1b'));
	assert_null(strchr(line, '\r'));
	assert_null(strchr(line, '\x9b'));
	assert_non_null(strstr(line, " user=\"x\\x0a2026"));
	assert_non_null(strstr(line, "esc=\\x1b[2J\\x0d\\x09\\x7f\\x9b"));
	assert_non_null(strstr(line, "quote=\"a\\x22 verdict=accept b=\\x22\""));
	assert_non_null(strstr(line, "back=\\x5cx0a\n"));
	assert_int_equal(count(line, '"') % 2, 0);
}

static void long_values_and_lines_are_cut_and_still_end_in_one_newline(void **state)
{
	static char big[4096];
	struct log_pair pairs[12];

	(void)state;
	memset(big, 'A', sizeof(big) - 1);
	for (size_t i = 0; i < 12; i++)
		pairs[i] = LOG_S("k", big);
	capture("big", pairs, 1);
	assert_true(strlen(line) < 340);
	assert_non_null(strstr(line, "A...\n"));
	capture("big", pairs, 12);
	assert_true(strlen(line) <= 2048);
	assert_int_equal(count(line, '\n'), 1);
	assert_int_equal(line[strlen(line) - 1], '\n');
}

static void escape_never_writes_past_its_room(void **state)
{
	const char in[] = "a\"b\nlong enough to be cut somewhere";
	char out[64];

	(void)state;
	for (size_t size = 1; size < sizeof(out); size++) {
		memset(out, 0x5a, sizeof(out));
		log_escape(in, sizeof(in) - 1, out, size);
		assert_true(strnlen(out, size) < size);
		for (size_t i = size; i < sizeof(out); i++)
			assert_int_equal(out[i], 0x5a);
	}
}

static void escape_keeps_whole_what_fits_to_the_last_byte(void **state)
{
	char out[8];

	(void)state;
	log_escape("abcdefg", 7, out, sizeof(out));
	assert_string_equal(out, "abcdefg");
	log_escape("abcdefgh", 8, out, sizeof(out));
	assert_string_equal(out, "abcd...");
	log_escape("", 0, out, sizeof(out));
	assert_string_equal(out, "");
}

static void line_shows_numbers_empty_values_and_level(void **state)
{
	const struct log_pair pairs[] = {LOG_U("ms", -7), LOG_S("none", NULL)};

	(void)state;
	capture("x.y", pairs, 2);
	assert_non_null(strstr(line, "Z info unit x.y ms=-7 none=\"\"\n"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(value_can_not_forge_a_line_or_a_pair),
		cmocka_unit_test(long_values_and_lines_are_cut_and_still_end_in_one_newline),
		cmocka_unit_test(escape_never_writes_past_its_room),
		cmocka_unit_test(escape_keeps_whole_what_fits_to_the_last_byte),
		cmocka_unit_test(line_shows_numbers_empty_values_and_level),
	};

	log_start("unit", LOG_INFO);
	return cmocka_run_group_tests_name("base/log", tests, NULL, NULL);
}
