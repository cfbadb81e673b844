/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/support/cmocka.h"

#include "enroll/enrolld/outcome.h"

static void a_wrong_token_and_an_unknown_pump_look_alike(void **state)
{
	struct outcome wrong = outcome_of(ERR_DENIED, "token-wrong: x", true);
	struct outcome unknown = outcome_of(ERR_NOT_FOUND, "unknown-pump: y", true);

	(void)state;
	assert_int_equal(wrong.status, 401);
	assert_int_equal(unknown.status, 401);
	assert_int_equal(wrong.retry_after_s, unknown.retry_after_s);
	assert_true(wrong.is_failure && unknown.is_failure);
	assert_int_equal(wrong.reason, REASON_TOKEN_WRONG); /* the log may know */
	assert_int_equal(unknown.reason, REASON_UNKNOWN_PUMP);
}

/* A renewal has no password to ask for again. */
static void a_renewal_is_never_challenged(void **state)
{
	(void)state;
	for (enum reason r = 0; r < REASON_COUNT; r++)
		assert_int_not_equal(outcome_of(ERR_DENIED, reason_name(r), false).status, 401);
}

/* RFC 7030 4.2.3: 202 comes with Retry-After */
static void a_request_that_waits_for_a_person_is_told_when_to_ask_again(void **state)
{
	struct outcome o = outcome_of(ERR_BUSY, "approval-pending: pump PG-1", false);

	(void)state;
	assert_int_equal(o.status, 202);
	assert_true(o.retry_after_s > 0);
	assert_false(o.is_failure);
}

static void no_error_is_ever_a_success(void **state)
{
	(void)state;
	for (int rc = ERR_INTERNAL; rc < 0; rc++) {
		for (enum reason r = 0; r < REASON_COUNT; r++)
			assert_true(outcome_of(rc, reason_name(r), true).status >= 400 ||
				    r == REASON_APPROVAL_PENDING);
		assert_true(outcome_of(rc, "", true).status >= 400);
		assert_true(outcome_of(rc, ": ", false).status >= 400);
	}
}

static void trouble_inside_is_not_the_pumps_fault(void **state)
{
	static const int passing[] = {ERR_TIMEOUT, ERR_UNAVAILABLE, ERR_BUSY, ERR_FULL};

	(void)state;
	for (size_t i = 0; i < sizeof(passing) / sizeof(passing[0]); i++) {
		struct outcome o = outcome_of(passing[i], "/run/sock: no answer", true);

		assert_int_equal(o.status, 503);
		assert_int_equal(o.reason, REASON_SIGNER_AWAY);
		assert_true(o.retry_after_s > 0);
		assert_false(o.is_failure);
	}
	assert_int_equal(outcome_of(ERR_UNAVAILABLE, "registry-away: x", true).status, 503);
	assert_int_equal(outcome_of(ERR_INTERNAL, "a bug", true).status, 500);
	assert_false(outcome_of(ERR_INTERNAL, "a bug", true).is_failure);
}

static void the_signers_reason_decides(void **state)
{
	struct outcome o = outcome_of(ERR_CRYPTO, "key-refused: RSA of 1024 bits", true);

	(void)state;
	assert_int_equal(o.status, 400);
	assert_int_equal(o.reason, REASON_KEY_REFUSED);
	assert_string_equal(o.detail, "RSA of 1024 bits");
	assert_int_equal(outcome_of(ERR_USED, "token-used: a: b", true).status, 403);
	assert_string_equal(outcome_of(ERR_USED, "token-used: a: b", true).detail, "a: b");
	assert_int_equal(outcome_of(ERR_EXPIRED, "token-expired", true).status, 403);
	assert_int_equal(outcome_of(ERR_CONFLICT, "pump-revoked: x", true).status, 403);
	assert_int_equal(outcome_of(ERR_DENIED, "renewal-unproven: x", false).status, 403);
	assert_int_equal(outcome_of(ERR_DENIED, "approval-denied: x", false).status, 403);
	assert_int_equal(outcome_of(0, "token-used: of an earlier call", true).status, 200);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_wrong_token_and_an_unknown_pump_look_alike),
		cmocka_unit_test(a_renewal_is_never_challenged),
		cmocka_unit_test(a_request_that_waits_for_a_person_is_told_when_to_ask_again),
		cmocka_unit_test(no_error_is_ever_a_success),
		cmocka_unit_test(trouble_inside_is_not_the_pumps_fault),
		cmocka_unit_test(the_signers_reason_decides),
	};

	return cmocka_run_group_tests_name("enroll/outcome", tests, NULL, NULL);
}
