/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/support/cmocka.h"

#include "enroll/est/est_path.h"

static void foreign_and_near_miss_paths_are_not_found(void **state)
{
	static const char *const targets[] = {
		"",
		"/",
		"*",
		"/.well-known/est",
		"/.well-known/est/",
		"/.well-known/est//cacerts",
		"/.well-known/est/cacert",
		"/.well-known/est/cacertsx",
		"/.well-known/est/CACERTS",
		"/.well-known/est/cacerts/",
		"/.well-known/est/cacerts?x=1",
		"/.well-known/est/%63acerts",
		"/.well-known/est/none",
		"/.well-known/est/../est/cacerts",
		"/.well-known/est/a/b/cacerts",
		"/.well-known/est/a b/cacerts",
		"/.well-known/estate/cacerts",
		"https://host",
		"https:///cacerts",
		"http://host/.well-known/est/cacerts",
	};
	struct est_path path;

	(void)state;
	for (size_t i = 0; i < sizeof(targets) / sizeof(targets[0]); i++)
		assert_int_equal(est_path_parse(targets[i], &path), ERR_NOT_FOUND);
}

static void a_label_that_is_an_operation_or_too_long_is_refused(void **state)
{
	struct est_path path;

	(void)state;
	assert_int_equal(est_path_parse("/.well-known/est/cacerts/cacerts", &path), ERR_NOT_FOUND);
	assert_int_equal(est_path_parse("/.well-known/est/"
					"a123456789012345678901234567890123/cacerts",
					&path),
			 ERR_NOT_FOUND);
}

static void operations_and_labels_are_understood(void **state)
{
	static const struct {
		const char *target;
		enum est_operation operation;
		const char *label;
	} cases[] = {
		{"/.well-known/est/cacerts", EST_CACERTS, ""},
		{"/.well-known/est/csrattrs", EST_CSRATTRS, ""},
		{"/.well-known/est/simpleenroll", EST_SIMPLEENROLL, ""},
		{"/.well-known/est/simplereenroll", EST_SIMPLEREENROLL, ""},
		{"/.well-known/est/serverkeygen", EST_SERVERKEYGEN, ""},
		{"/.well-known/est/fullcmc", EST_FULLCMC, ""},
		{"/.well-known/est/ward-7.b_x~/cacerts", EST_CACERTS, "ward-7.b_x~"},
		{"https://est.example:8443/.well-known/est/cacerts", EST_CACERTS, ""},
		{"HTTPS://10.0.0.5/.well-known/est/l/csrattrs", EST_CSRATTRS, "l"},
	};
	struct est_path path;

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		assert_int_equal(est_path_parse(cases[i].target, &path), 0);
		assert_int_equal(path.operation, cases[i].operation);
		assert_string_equal(path.label, cases[i].label);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(foreign_and_near_miss_paths_are_not_found),
		cmocka_unit_test(a_label_that_is_an_operation_or_too_long_is_refused),
		cmocka_unit_test(operations_and_labels_are_understood),
	};

	return cmocka_run_group_tests_name("enroll/est_path", tests, NULL, NULL);
}
