/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/support/cmocka.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "enroll/pumpctl/inventory_csv.h"

#define HEAD "serial,maker,model,mac,ward,zone\n"
#define ROW(n) "PG-" #n ",Acme,P1,02:00:00:00:00:0" #n ",3B,icu\n"

struct seen {
	unsigned good, bad, ignored;
	unsigned good_line, bad_line; /* of the last */
	struct device last;
	char bad_serial[64];
	char why[256];
	int stop_with;
};

static int on_row(void *ctx, unsigned line, const struct device *d)
{
	struct seen *s = ctx;

	s->good++;
	s->good_line = line;
	s->last = *d;
	return s->stop_with;
}

static int on_bad(void *ctx, unsigned line, const char *serial, const char *why)
{
	struct seen *s = ctx;

	s->bad++;
	s->bad_line = line;
	snprintf(s->bad_serial, sizeof(s->bad_serial), "%s", serial);
	snprintf(s->why, sizeof(s->why), "%s", why);
	return 0;
}

static void on_ignored(void *ctx, const char *column)
{
	struct seen *s = ctx;

	assert_true(strlen(column) < 64);
	s->ignored++;
}

/* Reads the text in pieces of `piece` bytes. */
static int read_pieces(const char *text, size_t len, size_t piece, struct seen *s)
{
	const struct inventory_sink sink = {on_row, on_bad, on_ignored, s};
	AUTO_INVENTORY v = NULL;
	int rc = inventory_new(&sink, &v);

	for (size_t at = 0; !rc && at < len; at += piece)
		rc = inventory_feed(v, text + at, len - at < piece ? len - at : piece);
	return rc ? rc : inventory_end(v);
}

static int read_text(const char *text, struct seen *s)
{
	memset(s, 0, sizeof(*s));
	return read_pieces(text, strlen(text), 7, s);
}

static void an_unusable_header_ends_the_reading(void **state)
{
	static const char *const bad[] = {
		"",
		"\n\n",
		"serial,maker,model,mac\nPG-1,a,b,020000000001\n", /* no zone */
		"serial,serial,maker,model,mac,zone\n",
		"\"serial,maker,model,mac,zone\n",
		"\xff\xfes\0e\0r\0",
	};
	struct seen s;

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		assert_int_equal(read_text(bad[i], &s), ERR_INVALID);
		assert_int_equal(s.good, 0);
	}
}

/* libcsv reads on to the end of the piece: what follows a refused header there is not an inventory.
 */
static void nothing_is_taken_after_an_unusable_header(void **state)
{
	static const char text[] = "serial,maker\rserial,maker,model,mac,ward,zone\r" ROW(1) "x\n";
	struct seen s = {0};

	(void)state;
	assert_int_equal(read_pieces(text, sizeof(text) - 1, sizeof(text), &s), ERR_INVALID);
	assert_int_equal(s.good + s.bad, 0);
}

static void a_bad_row_is_named_and_its_neighbours_go_in(void **state)
{
	static const struct {
		const char *row, *why;
	} cases[] = {
		{"pg-2,Acme,P1,02:00:00:00:00:02,3B,icu", "serial: only A-Z"},
		{",Acme,P1,02:00:00:00:00:02,3B,icu", "serial: is empty"},
		{"PG-2,Acme,P1,02:00:00:00:00,3B,icu", "mac:"},
		{"PG-2,Acme,P1,02:00:00:00:00:02:03,3B,icu", "mac:"},
		{"PG-2,Acme,P1,01:00:00:00:00:02,3B,icu", "group address"},
		{"PG-2,Acme,P1,00:00:00:00:00:00,3B,icu", "all zero"},
		{"PG-2,=cmd|' /C calc'!A0,P1,02:00:00:00:00:02,3B,icu", "formula"},
		{"PG-2,+1,P1,02:00:00:00:00:02,3B,icu", "formula"},
		{"PG-2,-1,P1,02:00:00:00:00:02,3B,icu", "formula"},
		{"PG-2,@x,P1,02:00:00:00:00:02,3B,icu", "formula"},
		{"PG-2,Ac\"me,P1,02:00:00:00:00:02,3B,icu", "quote"},
		{"PG-2,\"Acme\"x,P1,02:00:00:00:00:02,3B,icu", "quote"},
		{"PG-2,Ac\xff,P1,02:00:00:00:00:02,3B,icu", "UTF-8"},
		{"PG-2,\xc0\xaf,P1,02:00:00:00:00:02,3B,icu", "UTF-8"},
		{"PG-2,\xed\xa0\x80,P1,02:00:00:00:00:02,3B,icu", "UTF-8"},
		{"PG-2,a\x1b[2J,P1,02:00:00:00:00:02,3B,icu", "control"},
		{"PG-2,\"a\nb\",P1,02:00:00:00:00:02,3B,icu", "control"},
		{"PG-2,Acme,P1,02:00:00:00:00:02,3B", "fewer"},
		{"PG-2,Acme,P1,02:00:00:00:00:02,3B,icu,x", "more"},
		{"PG-2,Acme,P1,02:00:00:00:00:02,3B,", "zone: is empty"},
		{"PG-1,Acme,P1,02:00:00:00:00:02,3B,icu", "as in line 2"},
		{"PG-2,Acme,P1,02:00:00:00:00:02,3B,"
		 "a-zone-name-that-is-longer-than-thirty-two-bytes",
		 "zone: longer"},
	};
	char text[1024];
	struct seen s;

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		snprintf(text, sizeof(text), HEAD ROW(1) "%s\n" ROW(3), cases[i].row);
		assert_int_equal(read_text(text, &s), 0);
		assert_int_equal(s.good, 2);
		assert_int_equal(s.bad, 1);
		assert_int_equal(s.bad_line, 3);
		if (!strstr(s.why, cases[i].why))
			fail_msg("'%s' said: %s", cases[i].row, s.why);
		assert_string_equal(s.last.serial, "PG-3");
	}
}

static void a_nul_byte_is_refused(void **state)
{
	static const char text[] = HEAD "PG-1,Ac\0me,P1,020000000001,,icu\n" ROW(2);
	struct seen s = {0};

	(void)state;
	assert_int_equal(read_pieces(text, sizeof(text) - 1, 5, &s), 0);
	assert_int_equal(s.bad, 1);
	assert_non_null(strstr(s.why, "control"));
	assert_int_equal(s.good, 1);
}

static void a_line_of_ten_megabytes_is_refused_and_the_rest_is_read(void **state)
{
	const size_t len = 10 * 1024 * 1024;
	char *text = malloc(len + 256);
	struct seen s = {0};
	size_t at;

	(void)state;
	assert_non_null(text);
	at = (size_t)sprintf(text, HEAD ROW(1));
	memset(text + at, 'x', len);
	at += len;
	at += (size_t)sprintf(text + at, "\n" ROW(2));
	assert_int_equal(read_pieces(text, at, 65536, &s), 0);
	assert_int_equal(s.good, 2);
	assert_int_equal(s.good_line, 4);
	assert_int_equal(s.bad, 1);
	assert_int_equal(s.bad_line, 3);
	assert_non_null(strstr(s.why, "longer than 4096"));
	free(text);
}

static void an_unclosed_quote_costs_no_more_than_its_rows(void **state)
{
	char text[16384];
	size_t at = (size_t)sprintf(text, HEAD ROW(1) "\"PG-2,Acme\n");
	unsigned rows = 0;
	struct seen s = {0};

	(void)state;
	while (at < 12000) {
		at += (size_t)sprintf(text + at, "PX-%u,Acme,P1,0200000%05u,3B,icu\n", rows, rows);
		rows++;
	}
	assert_int_equal(read_pieces(text, at, 512, &s), 0);
	assert_int_equal(s.bad, 1);
	assert_int_equal(s.bad_line, 3);
	assert_true(s.good > rows / 2);
	assert_int_equal(s.good_line, rows + 3);
}

static void nothing_is_reported_after_an_unusable_header(void **state)
{
	struct seen s;

	(void)state;
	assert_int_equal(read_text("serial,x\rPG-1\rA\"B\r", &s), ERR_INVALID);
	assert_int_equal(s.good + s.bad, 0);
}

static void a_sink_that_stops_ends_the_reading(void **state)
{
	const struct inventory_sink sink = {on_row, on_bad, NULL,
					    &(struct seen){.stop_with = ERR_UNAVAILABLE}};
	AUTO_INVENTORY v = NULL;

	(void)state;
	assert_int_equal(inventory_new(&sink, &v), 0);
	assert_int_equal(inventory_feed(v, HEAD ROW(1) ROW(2), strlen(HEAD ROW(1) ROW(2))),
			 ERR_UNAVAILABLE);
}

static void byte_order_mark_line_ends_separators_and_quotes_are_understood(void **state)
{
	static const char *const forms[] = {
		"serial,maker,model,mac,ward,zone\nPG-1,Acme,P1,02-00-00-00-00-AB,3B,icu\n",
		"\xef\xbb\xbfserial,maker,model,mac,ward,zone\r\n"
		"PG-1,Acme,P1,0200.0000.00ab,3B,icu\r\n",
		"SERIAL;Maker;MODEL;Mac;Ward;Zone\r\nPG-1;Acme;P1;0200000000AB;3B;icu",
		"zone\tward\tmac\tmodel\tmaker\tserial\nicu\t3B\t02:00:00:00:00:ab\tP1\tAcme\tPG-1",
		"serial,maker,model,mac,ward,zone\rPG-1,Acme,P1,02:00:00:00:00:ab,3B,icu\r",
		"\n\nserial,asset tag,maker,model,mac,ward,zone\n\n"
		"\"PG-1\",\"a,b\"\"c\", Acme ,P1,02:00:00:00:00:ab,\"3B\",icu\n\n",
	};
	struct seen s;

	(void)state;
	for (size_t i = 0; i < sizeof(forms) / sizeof(forms[0]); i++) {
		assert_int_equal(read_text(forms[i], &s), 0);
		if (s.good != 1 || s.bad)
			fail_msg("form %zu: %u good, %u bad: %s", i, s.good, s.bad, s.why);
		assert_string_equal(s.last.serial, "PG-1");
		assert_string_equal(s.last.maker, "Acme");
		assert_string_equal(s.last.mac, "02:00:00:00:00:ab");
		assert_string_equal(s.last.ward, "3B");
		assert_string_equal(s.last.zone, "icu");
		assert_int_equal(s.ignored, i == 5);
	}
}

static void the_same_comes_out_however_the_bytes_are_cut(void **state)
{
	static const char text[] = HEAD ROW(1) "bad row\n" ROW(2) "\"PG-3\",\"A\"\"c\",P1,"
								  "020000000003,,icu\r\n";

	(void)state;
	for (size_t piece = 1; piece < sizeof(text); piece++) {
		struct seen s = {0};

		assert_int_equal(read_pieces(text, sizeof(text) - 1, piece, &s), 0);
		assert_int_equal(s.good, 3);
		assert_int_equal(s.bad, 1);
		assert_int_equal(s.bad_line, 3);
		assert_int_equal(s.good_line, 5);
		assert_string_equal(s.last.maker, "A\"c");
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_unusable_header_ends_the_reading),
		cmocka_unit_test(nothing_is_taken_after_an_unusable_header),
		cmocka_unit_test(a_bad_row_is_named_and_its_neighbours_go_in),
		cmocka_unit_test(a_nul_byte_is_refused),
		cmocka_unit_test(a_line_of_ten_megabytes_is_refused_and_the_rest_is_read),
		cmocka_unit_test(an_unclosed_quote_costs_no_more_than_its_rows),
		cmocka_unit_test(nothing_is_reported_after_an_unusable_header),
		cmocka_unit_test(a_sink_that_stops_ends_the_reading),
		cmocka_unit_test(byte_order_mark_line_ends_separators_and_quotes_are_understood),
		cmocka_unit_test(the_same_comes_out_however_the_bytes_are_cut),
	};

	return cmocka_run_group_tests_name("pumpctl/inventory_csv", tests, NULL, NULL);
}
