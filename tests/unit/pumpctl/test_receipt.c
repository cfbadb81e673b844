/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/support/cmocka.h"

#include <stdlib.h>
#include <string.h>

#include "enroll/pumpctl/receipt.h"

#define ASKED 1795348800000LL

static struct receipt *receipt_with(unsigned orders, ...)
{
	struct receipt *r = calloc(1, sizeof(*r));
	va_list states;

	r->revocation = (struct revocation){.device = "PG-1",
					    .asked_at = ASKED,
					    .committed_at = ASKED + 7,
					    .orders = orders,
					    .by = "root",
					    .reason = "lost"};
	va_start(states, orders);
	for (unsigned i = 0; i < orders; i++) {
		strcpy(r->orders[i].state, va_arg(states, const char *));
		strcpy(r->orders[i].nas, "ap-1");
		r->orders[i].done_at = ASKED + 20;
	}
	va_end(states);
	r->n_orders = orders;
	return r;
}

static void nothing_is_green_that_no_nas_confirmed(void **state)
{
	static const struct {
		const char *a, *b;
		enum receipt_outcome outcome;
	} cases[] = {
		{"acked", "acked", RECEIPT_GREEN},
		{"acked", "gone", RECEIPT_GREEN},
		{"acked", "waiting", RECEIPT_OPEN},
		{"sent", "gone", RECEIPT_OPEN},
		{"acked", "unsendable", RECEIPT_UNSENT},
		{"waiting", "unsendable", RECEIPT_OPEN},
		{"acked", "", RECEIPT_OPEN},
		{"acked", "a-later-state", RECEIPT_OPEN},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct receipt *r = receipt_with(2, cases[i].a, cases[i].b);

		assert_int_equal(receipt_outcome(r), cases[i].outcome);
		assert_int_equal(receipt_is_settled(r), cases[i].outcome != RECEIPT_OPEN);
		free(r);
	}
}

static void an_order_that_was_not_listed_keeps_it_open(void **state)
{
	struct receipt *r = receipt_with(1, "acked");

	(void)state;
	r->revocation.orders = 2;
	assert_int_equal(receipt_outcome(r), RECEIPT_OPEN);
	free(r);
}

static void it_stays_open_until_the_signer_has_written_it_down(void **state)
{
	struct receipt *r = calloc(1, sizeof(*r));

	(void)state;
	r->revocation.certificates = 1;
	r->revocation.unkept = 1;
	assert_int_equal(receipt_outcome(r), RECEIPT_OPEN);
	r->revocation.unkept = 0;
	r->revocation.kept_at = 1;
	assert_int_equal(receipt_outcome(r), RECEIPT_GREEN);
	free(r);
}

static void the_receipt_says_times_and_who_did_not_answer(void **state)
{
	struct receipt *r = receipt_with(2, "acked", "waiting");
	char *text = NULL;
	size_t len;
	FILE *f = open_memstream(&text, &len);
	json_t *j;

	(void)state;
	strcpy(r->orders[1].nas, "sw-2");
	r->orders[1].attempts = 3;
	receipt_print(f, r);
	fclose(f);
	assert_non_null(strstr(text, "7 ms after asking"));
	assert_non_null(strstr(text, "disconnected 20 ms"));
	assert_non_null(strstr(text, "sw-2"));
	assert_non_null(strstr(text, "no answer after 3 tries; retries go on"));
	assert_non_null(strstr(text, "return refused   not tried yet"));
	free(text);
	j = receipt_to_json(r);
	assert_int_equal(json_integer_value(json_object_get(j, "committed_ms")), 7);
	assert_true(json_is_false(json_object_get(j, "confirmed")));
	assert_int_equal(json_array_size(json_object_get(j, "orders")), 2);
	json_decref(j);
	free(r);
}

static void the_receipt_names_the_change_and_when_it_was_seen_to_hold(void **state)
{
	static const struct {
		const char *action, *words, *at_zero, *seen;
	} cases[] = {
		{"revoke", "is revoked by root: lost", "not tried yet", "return refused   at 2026"},
		{"quarantine", "is quarantined by root: lost", "not seen there yet", "since 2026"},
		{"park", "is parked by root: lost", "not seen there yet", "since 2026"},
		{"release", "is released by root: lost", "not seen there yet", "since 2026"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]) * 2; i++) {
		struct receipt *r = receipt_with(0);
		bool seen = i % 2;
		char *text = NULL;
		size_t len;
		FILE *f = open_memstream(&text, &len);

		strcpy(r->revocation.action, cases[i / 2].action);
		if (seen && i / 2 == 0)
			r->revocation.return_refused_at = ASKED;
		else if (seen)
			r->revocation.returned_at = ASKED;
		receipt_print(f, r);
		fclose(f);
		assert_non_null(strstr(text, cases[i / 2].words));
		assert_non_null(strstr(text, seen ? cases[i / 2].seen : cases[i / 2].at_zero));
		free(text);
		free(r);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(nothing_is_green_that_no_nas_confirmed),
		cmocka_unit_test(an_order_that_was_not_listed_keeps_it_open),
		cmocka_unit_test(it_stays_open_until_the_signer_has_written_it_down),
		cmocka_unit_test(the_receipt_names_the_change_and_when_it_was_seen_to_hold),
		cmocka_unit_test(the_receipt_says_times_and_who_did_not_answer),
	};

	return cmocka_run_group_tests_name("pumpctl/receipt", tests, NULL, NULL);
}
