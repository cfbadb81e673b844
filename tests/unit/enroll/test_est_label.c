/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/support/cmocka.h"

#include <stdio.h>

#include "enroll/est/est_label.h"

static void labels_that_no_path_can_have_are_refused(void **state)
{
	const char *bad[] = {"",
			     "a/b",
			     "ward 3",
			     "cacerts",
			     "simpleenroll",
			     "fullcmc",
			     "%41",
			     "a-label-that-is-longer-than-32-chr"};
	struct est_labels labels = {.n = 0};

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_int_equal(est_labels_add(&labels, bad[i], "any", "no"), ERR_INVALID);
	assert_int_equal(labels.n, 0);
}

static void terms_that_nobody_knows_are_refused(void **state)
{
	struct est_labels labels = {.n = 0};

	(void)state;
	assert_int_equal(est_labels_add(&labels, "a", "dsa", "no"), ERR_INVALID);
	assert_int_equal(est_labels_add(&labels, "a", "", "no"), ERR_INVALID);
	assert_int_equal(est_labels_add(&labels, "a", "any", "maybe"), ERR_INVALID);
	assert_int_equal(est_labels_add(&labels, "a", "any", "no"), 0);
	assert_int_equal(est_labels_add(&labels, "a", "ec-p384", "no"), ERR_EXISTS);
	assert_int_equal(labels.n, 1);
}

static void labels_are_bounded(void **state)
{
	struct est_labels labels = {.n = 0};
	char name[8];

	(void)state;
	for (int i = 0; i < EST_LABELS_MAX; i++) {
		snprintf(name, sizeof(name), "l%d", i);
		assert_int_equal(est_labels_add(&labels, name, "any", "no"), 0);
	}
	assert_int_equal(est_labels_add(&labels, "more", "any", "no"), ERR_LIMIT);
}

static void an_unknown_label_has_no_terms(void **state)
{
	struct est_labels labels = {.n = 0};

	(void)state;
	assert_int_equal(est_labels_add(&labels, "ward", "any", "no"), 0);
	assert_null(est_labels_find(&labels, "war"));
	assert_null(est_labels_find(&labels, "WARD"));
	assert_null(est_labels_find(&labels, "ward2"));
}

static void a_label_is_found_with_its_terms(void **state)
{
	struct est_labels labels = {.n = 0};
	const struct est_profile *p;

	(void)state;
	assert_int_equal(est_labels_add(&labels, "ward", "rsa-3072", "no"), 0);
	assert_int_equal(est_labels_add(&labels, "icu.1", "ec-p384", "yes"), 0);
	p = est_labels_find(&labels, "icu.1");
	assert_non_null(p);
	assert_string_equal(est_key_name(p->key), "ec-p384");
	assert_true(p->is_bound);
	p = est_labels_find(&labels, "");
	assert_non_null(p);
	assert_string_equal(est_key_name(p->key), "");
	assert_false(p->is_bound);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(labels_that_no_path_can_have_are_refused),
		cmocka_unit_test(terms_that_nobody_knows_are_refused),
		cmocka_unit_test(labels_are_bounded),
		cmocka_unit_test(an_unknown_label_has_no_terms),
		cmocka_unit_test(a_label_is_found_with_its_terms),
	};

	return cmocka_run_group_tests_name("enroll/est_label", tests, NULL, NULL);
}
