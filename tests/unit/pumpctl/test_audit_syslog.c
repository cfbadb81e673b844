/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/support/cmocka.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "enroll/pumpctl/audit_syslog.h"

static struct audit_row row_of(const char *detail)
{
	struct audit_row r = {.seq = 12,
			      .at = 1795348800123,
			      .actor = "root",
			      .action = "pump.revoke",
			      .object = "PG-1",
			      .hash = "ab"};

	strcpy(r.detail, detail);
	return r;
}

static void values_can_not_end_their_field(void **state)
{
	struct audit_row r = row_of("a\"]b\\c] [x@1 y=\"z\"]");
	AUTO_BUF b = {.max = 8192};

	(void)state;
	assert_int_equal(audit_syslog_put(&b, &r, "host"), 0);
	assert_non_null(strstr(buf_cstr(&b),
			       "detail=\"a\\\"\\]b\\\\c\\] [x@1 y=\\\"z\\\"\\]\" hash=\"ab\"]"));
}

static void no_value_makes_a_second_line(void **state)
{
	struct audit_row r = row_of("a\nb\r\t\x7f\xc2\x85"
				    "c\xff\xed\xa0\x80");
	AUTO_BUF b = {.max = 8192};

	(void)state;
	assert_int_equal(audit_syslog_put(&b, &r, "host"), 0);
	assert_non_null(strstr(buf_cstr(&b), "detail=\"a\\x0ab\\x0d\\x09\\x7f\\xc2\\x85"
					     "c\\xff\\xed\\xa0\\x80\""));
}

static void header_words_have_no_blanks(void **state)
{
	struct audit_row r = row_of("");
	AUTO_BUF b = {.max = 8192};

	(void)state;
	strcpy(r.action, "odd action\n");
	assert_int_equal(audit_syslog_put(&b, &r, "a host\n"), 0);
	assert_non_null(strstr(buf_cstr(&b), "Z a_host_ pumpgate - odd_action_ [pumpgate@32473"));
}

static void row_is_one_message_of_rfc_5424(void **state)
{
	struct audit_row r = row_of("stolen, m\xc3\xbcller says");
	AUTO_BUF b = {.max = 8192};

	(void)state;
	assert_int_equal(audit_syslog_put(&b, &r, ""), 0);
	assert_string_equal(buf_cstr(&b),
			    "<109>1 2026-11-22T12:00:00.123Z - pumpgate - pump.revoke "
			    "[pumpgate@32473 seq=\"12\" actor=\"root\" action=\"pump.revoke\" "
			    "object=\"PG-1\" detail=\"stolen, m\xc3\xbcller says\" hash=\"ab\"]");
}

static void any_bytes_make_one_whole_line(void **state)
{
	unsigned seed = (unsigned)time(NULL);

	(void)state;
	print_message("# seed %u\n", seed);
	srand(seed);
	for (int round = 0; round < 2000; round++) {
		struct audit_row r = row_of("");
		AUTO_BUF b = {.max = 8192};
		size_t quotes = 0;

		for (size_t i = 0; i < sizeof(r.detail) - 1; i++)
			r.detail[i] = (char)(1 + rand() % 255);
		assert_int_equal(audit_syslog_put(&b, &r, "h"), 0);
		for (size_t i = 0; i < b.len; i++) {
			assert_true(b.data[i] >= 0x20 && b.data[i] != 0x7f);
			if (b.data[i] == '\\' && strchr("\"\\]", b.data[i + 1]))
				i++;
			else
				quotes += b.data[i] == '"';
		}
		assert_int_equal(quotes, 12);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(values_can_not_end_their_field),
		cmocka_unit_test(no_value_makes_a_second_line),
		cmocka_unit_test(header_words_have_no_blanks),
		cmocka_unit_test(row_is_one_message_of_rfc_5424),
		cmocka_unit_test(any_bytes_make_one_whole_line),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
