/* SPDX-License-Identifier: BSD-2-Clause */
/* Lists of pumps, the choice that is shown before a recall, and its report. */
#include "tests/support/cmocka.h"

#include <stdlib.h>
#include <string.h>

#include "enroll/pumpctl/recall_choice.h"
#include "enroll/pumpctl/recall_report.h"
#include "enroll/pumpctl/serial_list.h"

#define AT 1795348800000LL

struct heard {
	char text[2000];
};

static int on_serial(void *ctx, unsigned line, const char *serial)
{
	struct heard *h = ctx;
	size_t at = strlen(h->text);

	snprintf(h->text + at, sizeof(h->text) - at, "%u %s;", line, serial);
	return 0;
}

static int on_bad(void *ctx, unsigned line, const char *text, const char *why)
{
	struct heard *h = ctx;
	size_t at = strlen(h->text);

	snprintf(h->text + at, sizeof(h->text) - at, "%u !%.20s: %.24s;", line, text, why);
	return 0;
}

/* Reads `data` in pieces of `piece` bytes. */
static int list_read(const char *data, size_t len, size_t piece, size_t max, struct heard *h)
{
	const struct serial_list_sink sink = {on_serial, on_bad, h};
	struct serial_list l;
	int rc = serial_list_init(&l, &sink, max);

	h->text[0] = '\0';
	for (size_t at = 0; !rc && at < len; at += piece)
		rc = serial_list_feed(&l, data + at, len - at < piece ? len - at : piece);
	if (!rc)
		rc = serial_list_end(&l);
	serial_list_done(&l);
	return rc;
}

static void list_says_per_line_what_is_wrong(void **state)
{
	static const char text[] = "PG-1\nPG 2\nPG-1\npg-3\nPG-4\x01\nPG-\0 5\n";
	struct heard h;

	(void)state;
	for (size_t piece = 1; piece < sizeof(text); piece++) {
		assert_int_equal(list_read(text, sizeof(text) - 1, piece, 100, &h), 0);
		assert_non_null(strstr(h.text, "1 PG-1;2 !PG 2: "));
		assert_non_null(strstr(h.text, ";3 !PG-1: is on line 1 already;4 !pg-3: "));
		assert_non_null(strstr(h.text, ";5 !PG-4\\x01: "));
		assert_non_null(strstr(h.text, ";6 !PG-\\x00 5: a serial has no NUL;"));
	}
}

static void list_bounds_its_lines_and_its_pumps(void **state)
{
	char line[SERIAL_LIST_LINE_MAX * 3];
	struct heard h;

	(void)state;
	memset(line, 'A', sizeof(line));
	line[sizeof(line) - 2] = '\n';
	line[sizeof(line) - 1] = 'B';
	assert_int_equal(list_read(line, sizeof(line), 100, 100, &h), 0);
	assert_non_null(strstr(h.text, "the line is too long"));
	assert_non_null(strstr(h.text, "2 B;"));
	assert_int_equal(list_read("A\nB\nC\n", 6, 6, 2, &h), ERR_LIMIT);
}

static void list_takes_titles_remarks_and_any_line_end(void **state)
{
	static const char text[] = "\xef\xbb\xbfSerial\r\n\r\n# by the maker\n  PG-1 # first\r\n"
				   "\tPG-2\nPG-3";
	struct heard h;

	(void)state;
	assert_int_equal(list_read(text, sizeof(text) - 1, 3, 100, &h), 0);
	assert_string_equal(h.text, "4 PG-1;5 PG-2;6 PG-3;");
	assert_int_equal(list_read("SERIAL\nSERIAL\n", 14, 14, 100, &h), 0);
	assert_string_equal(h.text, "2 SERIAL;"); /* a pump may be called so, below the title */
	assert_int_equal(list_read("", 0, 1, 100, &h), 0);
	assert_string_equal(h.text, "");
}

static void choice_counts_by_ward_and_model_and_leaves_out_the_revoked(void **state)
{
	struct device d = {.serial = "PG-1", .ward = "3B", .model = "P1", .state = "enrolled"};
	struct recall_choice c = {.chosen = "ward=3B"};
	char text[2000] = "";
	FILE *to = fmemopen(text, sizeof(text), "w");

	(void)state;
	assert_int_equal(recall_choice_add(&c, &d), 0);
	d.live_sessions = 2;
	for (int i = 0; i < 3; i++) {
		strcpy(d.ward, "4A");
		assert_int_equal(recall_choice_add(&c, &d), 0);
	}
	strcpy(d.state, "revoked");
	assert_int_equal(recall_choice_add(&c, &d), 0);
	assert_int_equal(c.n, 4);
	assert_int_equal(c.n_groups, 2);
	assert_int_equal(c.on, 3);
	assert_int_equal(c.already, 1);
	recall_choice_print(to, &c);
	fclose(to);
	assert_non_null(strstr(text, "4 pumps, 3 of them on the network now; 1 more are revoked"));
	assert_true(strstr(text, "4A") < strstr(text, "3B")); /* the largest first */
	recall_choice_free(&c);
}

static void choice_shows_a_screen_at_most(void **state)
{
	struct device d = {.serial = "PG-1", .model = "P1", .state = "enrolled"};
	struct recall_choice c = {.chosen = "list l.txt"};
	char text[4000] = "";
	FILE *to = fmemopen(text, sizeof(text), "w");
	unsigned lines = 0;

	(void)state;
	for (int i = 0; i < 100; i++) {
		snprintf(d.ward, sizeof(d.ward), "Ward %d", i);
		assert_int_equal(recall_choice_add(&c, &d), 0);
	}
	recall_choice_print(to, &c);
	fclose(to);
	for (const char *at = text; (at = strchr(at, '\n')); at++)
		lines++;
	assert_in_range(lines, 10, 20);
	assert_non_null(strstr(text, "and 85 more groups"));
	recall_choice_free(&c);
}

static void nothing_is_green_that_is_open_untold_or_unkept(void **state)
{
	static const struct {
		struct recall r;
		enum recall_outcome outcome;
	} cases[] = {
		{{.state = "requested", .pumps = 30}, RECALL_STOPPED},
		{{.state = "lapsed", .pumps = 30}, RECALL_STOPPED},
		{{.state = "paused", .pumps = 30, .revoked = 3}, RECALL_STOPPED},
		{{.state = "cancelled", .pumps = 30, .revoked = 3}, RECALL_STOPPED},
		{{.state = "running", .pumps = 3, .revoked = 3}, RECALL_OPEN},
		{{.state = "done", .revoked = 3, .silent = 1}, RECALL_OPEN},
		{{.state = "done", .revoked = 3, .refused = 1}, RECALL_OPEN},
		{{.state = "done", .revoked = 3, .unknown = 1}, RECALL_OPEN},
		{{.state = "done", .revoked = 3, .acked = 3, .unkept = 1}, RECALL_OPEN},
		{{.state = "done", .revoked = 3, .acked = 3, .unsendable = 1}, RECALL_UNSENT},
		{{.state = "done", .revoked = 3, .acked = 2, .gone = 1}, RECALL_GREEN},
		{{.state = "done", .already = 3}, RECALL_GREEN},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		assert_int_equal(recall_outcome(&cases[i].r), cases[i].outcome);
		assert_int_equal(recall_is_settled(&cases[i].r), cases[i].outcome != RECALL_OPEN);
	}
}

static void report_shows_the_nas_that_are_not_green_first_and_counts_the_rest(void **state)
{
	struct recall_nas nas[] = {{.nas = "ap-1", .orders = 5, .acked = 5},
				   {.nas = "ap-2", .orders = 5, .acked = 4, .silent = 1},
				   {.nas = "ap-3", .orders = 1, .unsendable = 1}};
	struct recall_report r = {.recall = {.id = 7,
					     .state = "done",
					     .chosen = "ward=3B",
					     .reason = "recall\n26",
					     .pumps = 11,
					     .revoked = 10,
					     .already = 1,
					     .requested_at = AT,
					     .requested_by = "alice",
					     .second_person = true,
					     .confirmed_at = AT + 1000,
					     .confirmed_by = "bob",
					     .ended_at = AT + 1800,
					     .orders = 11,
					     .acked = 9,
					     .silent = 1,
					     .unsendable = 1},
				  .nas = nas,
				  .n_nas = 3};
	char text[4000] = "", next[200];
	FILE *to = fmemopen(text, sizeof(text), "w");

	(void)state;
	recall_report_print(to, &r);
	fclose(to);
	assert_non_null(strstr(text, "recall 7 is done: recall\\x0a26 (ward=3B)"));
	assert_non_null(strstr(text, "by alice"));
	assert_non_null(strstr(text, "by bob"));
	assert_non_null(strstr(text, "10 of 11, 1 had been before, in 0.8 s"));
	assert_non_null(strstr(text, "9 acknowledged, 1 no answer (retries go on), 1 cannot be"));
	assert_true(strstr(text, "ap-3") < strstr(text, "ap-2"));
	assert_null(strstr(text, "ap-1"));
	assert_non_null(strstr(text, "1 NAS have confirmed everything"));
	recall_next_step(&r.recall, next, sizeof(next));
	assert_non_null(strstr(next, "pumpctl recall show 7"));
	strcpy(r.recall.state, "requested");
	recall_next_step(&r.recall, next, sizeof(next));
	assert_non_null(strstr(next, "pumpctl recall confirm 7 --count 11"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(list_says_per_line_what_is_wrong),
		cmocka_unit_test(list_bounds_its_lines_and_its_pumps),
		cmocka_unit_test(list_takes_titles_remarks_and_any_line_end),
		cmocka_unit_test(choice_counts_by_ward_and_model_and_leaves_out_the_revoked),
		cmocka_unit_test(choice_shows_a_screen_at_most),
		cmocka_unit_test(nothing_is_green_that_is_open_untold_or_unkept),
		cmocka_unit_test(report_shows_the_nas_that_are_not_green_first_and_counts_the_rest),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
