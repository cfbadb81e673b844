/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/support/cmocka.h"

#include <stdlib.h>
#include <string.h>

#include "enroll/pumpctl/record_json.h"
#include "enroll/pumpctl/table.h"
#include "sql/proto/registry_records.h"

static void a_hidden_field_is_shown_in_no_form(void **state)
{
	struct nas n = {.name = "ap-1", .ip = "192.0.2.1"};
	char *text = NULL, *json, cell[TABLE_CELL_MAX];
	size_t len;
	FILE *f = open_memstream(&text, &len);
	json_t *j;

	(void)state;
	memcpy(n.secret.data, "testing123", 10);
	n.secret.len = 10;
	j = record_to_json(&record_nas, &n);
	json = json_dumps(j, JSON_COMPACT);
	assert_null(strstr(json, "testing"));
	assert_null(strstr(json, "74657374"));
	assert_null(json_object_get(j, "secret"));
	record_print(f, &record_nas, &n);
	fclose(f);
	assert_null(strstr(text, "testing"));
	assert_null(strstr(text, "74657374"));
	table_cell(&record_nas, &n, "secret", cell);
	assert_string_equal(cell, "(hidden)");
	free(text);
	free(json);
	json_decref(j);
}

static void times_are_rfc_3339_or_null(void **state)
{
	struct nas n = {.last_seen = 0};
	json_t *j = record_to_json(&record_nas, &n);

	(void)state;
	assert_true(json_is_null(json_object_get(j, "last_seen")));
	json_decref(j);
	n.last_seen = 1795348800123LL;
	j = record_to_json(&record_nas, &n);
	assert_string_equal(json_string_value(json_object_get(j, "last_seen")),
			    "2026-11-22T12:00:00.123Z");
	json_decref(j);
}

static void bytes_that_are_no_text_stay_printable(void **state)
{
	struct event e = {.identity = "a\xff\x1b[2Jz"};
	char cell[TABLE_CELL_MAX];
	json_t *j = record_to_json(&record_event, &e);

	(void)state;
	table_cell(&record_event, &e, "identity", cell);
	assert_string_equal(cell, "a\\xff\\x1b[2Jz");
	assert_string_equal(json_string_value(json_object_get(j, "identity")), "a\\xff\\x1b[2Jz");
	json_decref(j);
}

static size_t width_of(const size_t *widths, size_t n)
{
	size_t sum = (n - 1) * 2;

	for (size_t i = 0; i < n; i++)
		sum += widths[i];
	return sum;
}

static void a_table_fits_and_takes_from_the_widest_first(void **state)
{
	size_t widths[] = {8, 40, 20, 5};
	size_t tiny[] = {3, 9, 9};

	(void)state;
	table_fit(widths, 4, 60);
	assert_true(width_of(widths, 4) <= 60);
	assert_int_equal(widths[0], 8);
	assert_int_equal(widths[3], 5);
	table_fit(tiny, 3, 1); /* cannot: stays readable */
	assert_int_equal(tiny[0], 3);
	assert_int_equal(tiny[1], 6);
}

static void a_table_cuts_only_where_a_terminal_ends(void **state)
{
	static const struct column columns[] = {{"NAME", "name"}, {"FILTER", "filter_id"}};
	struct zone z = {.name = "intensive-care-unit-west", .filter_id = "f"};

	(void)state;
	for (size_t width = 0; width <= 20; width += 20) {
		char *text = NULL;
		size_t len;
		FILE *f = open_memstream(&text, &len);
		struct table t = {.to = f, .columns = columns, .n_columns = 2, .width = width};

		table_print(&t, &record_zone, &z, 1);
		fclose(f);
		if (width) {
			assert_non_null(strstr(text, "~"));
			for (char *line = strtok(text, "\n"); line; line = strtok(NULL, "\n"))
				assert_true(strlen(line) <= width);
		} else {
			assert_non_null(strstr(text, "intensive-care-unit-west"));
		}
		free(text);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_hidden_field_is_shown_in_no_form),
		cmocka_unit_test(times_are_rfc_3339_or_null),
		cmocka_unit_test(bytes_that_are_no_text_stay_printable),
		cmocka_unit_test(a_table_fits_and_takes_from_the_widest_first),
		cmocka_unit_test(a_table_cuts_only_where_a_terminal_ends),
	};

	return cmocka_run_group_tests_name("pumpctl/show", tests, NULL, NULL);
}
