/* SPDX-License-Identifier: BSD-2-Clause */
/* Renewals that wait for a person: what is not approved, what an approval is for, bounds. */
#include "tests/unit/sql/fixture.h"

#include <stdio.h>
#include <string.h>

#define DAY 86400000LL
#define NEVER_USED 60 /* key and serial numbers from here on are this file's */

static int ask_at(struct fixture *f, unsigned prior, uint8_t key, int64_t at,
		  struct issue_grant *out)
{
	struct action by = {.actor = "signer", .at = at};
	struct token none = {0};
	struct issue_begin rq = token_request("", &none, NEVER_USED + key, key);

	strcpy(rq.method, "renewal");
	strcpy(rq.prior_issuer, ISSUER);
	strcpy(rq.source, "192.0.2.7");
	snprintf(rq.prior_serial, sizeof(rq.prior_serial), "%08x", prior);
	rq.unproven = true;
	return store_issue_begin(f->st, &by, &rq, out);
}

static int ask(struct fixture *f, unsigned prior, uint8_t key)
{
	struct issue_grant grant;

	return ask_at(f, prior, key, NOW, &grant);
}

static int decide_at(struct fixture *f, const char *device, uint8_t key, bool approve, int64_t at)
{
	struct action by = admin_at(at);
	struct approval_decision d = {.approve = approve, .reason = "board replaced"};
	struct approval a;

	strcpy(d.device, device);
	for (int i = 0; i < 32; i++)
		sprintf(d.key + 2 * i, "%02x", key);
	return store_approval_decide(f->st, &by, &d, &a);
}

static int decide(struct fixture *f, const char *device, uint8_t key, bool approve)
{
	return decide_at(f, device, key, approve, NOW);
}

static size_t waiting(struct fixture *f, int64_t now)
{
	struct list_query q = {.live_only = true};
	struct approval rows[16];
	size_t n;

	assert_int_equal(store_approval_list(f->st, &q, now, rows, 16, &n), 0);
	return n;
}

static void unproven_renewal_gets_nothing_and_is_listed_once(void **state)
{
	struct fixture *f = *state;
	struct list_query q = {.device = "PG-1"};
	struct approval rows[4];
	size_t n;

	enroll(f->st, "PG-1", 1, 1);
	assert_int_equal(ask(f, 1, 2), ERR_BUSY);
	assert_non_null(strstr(err_text(), "approval-pending: "));
	assert_int_equal(ask(f, 1, 2), ERR_BUSY);
	assert_int_equal(store_approval_list(f->st, &q, NOW, rows, 4, &n), 0);
	assert_int_equal(n, 1);
	assert_string_equal(rows[0].device, "PG-1");
	assert_string_equal(rows[0].state, "waiting");
	assert_string_equal(rows[0].source, "192.0.2.7");
	assert_string_equal(rows[0].prior, "00000001");
	assert_int_equal(strncmp(rows[0].key, "0202020202", 10), 0);
	assert_int_equal(sql_number(f->registry, "SELECT count(*) FROM certificates"), 1);
	assert_int_equal(sql_number(f->registry, "SELECT count(*) FROM audit"
						 " WHERE action = 'approval.ask'"),
			 1);
}

static void approval_is_for_that_key_and_that_pump_alone(void **state)
{
	struct fixture *f = *state;
	struct issue_grant grant;

	enroll(f->st, "PG-1", 1, 1);
	enroll(f->st, "PG-2", 2, 9);
	assert_int_equal(ask(f, 1, 2), ERR_BUSY);
	assert_int_equal(decide(f, "PG-2", 2, true), ERR_NOT_FOUND);
	assert_int_equal(decide(f, "PG-1", 3, true), ERR_NOT_FOUND);
	assert_int_equal(decide(f, "PG-1", 2, true), 0);
	assert_int_equal(decide(f, "PG-1", 2, true), ERR_UNCHANGED);
	assert_int_equal(ask(f, 1, 3), ERR_BUSY); /* another key of the same pump */
	assert_int_equal(ask(f, 2, 4), ERR_BUSY); /* another pump */
	assert_int_equal(ask_at(f, 1, 2, NOW, &grant), 0);
	assert_string_equal(grant.device, "PG-1");
	/* spent: it is no approval for a further certificate, and can't be taken back */
	assert_int_equal(
		sql_number(f->registry, "SELECT count(*) FROM approvals WHERE state = 'used'"), 1);
	assert_int_equal(decide(f, "PG-1", 2, false), ERR_USED);
	assert_int_equal(ask(f, 1, 3), ERR_BUSY);
	assert_int_equal(sql_number(f->registry, "SELECT count(*) FROM certificates"
						 " WHERE method = 'approved'"),
			 1);
	assert_int_equal(decide(f, "PG-1", 3, true), 0); /* each is spent by itself */
	assert_int_equal(ask(f, 2, 4), ERR_BUSY);
	assert_int_equal(decide(f, "PG-2", 4, true), 0);
	assert_int_equal(ask(f, 1, 5), ERR_BUSY);
	assert_int_equal(decide(f, "PG-1", 5, true), 0);
	assert_int_equal(ask(f, 1, 5), 0);
	assert_int_equal(ask(f, 1, 3), 0);
	assert_int_equal(ask(f, 2, 4), 0);
	/* a lost answer costs nothing */
	assert_int_equal(ask_at(f, 1, 2, NOW, &grant), 0);
	assert_string_equal(grant.cert_serial, "0000003e");
}

static void denied_key_is_refused_with_the_reason_until_somebody_thinks_better(void **state)
{
	struct fixture *f = *state;
	struct issue_grant grant;

	enroll(f->st, "PG-1", 1, 1);
	assert_int_equal(ask(f, 1, 2), ERR_BUSY);
	assert_int_equal(decide(f, "PG-1", 2, false), 0);
	assert_int_equal(ask_at(f, 1, 2, NOW + 8 * 3600000LL, &grant), ERR_DENIED);
	assert_non_null(strstr(err_text(), "approval-denied: board replaced"));
	assert_int_equal(waiting(f, NOW), 0);
	assert_int_equal(decide(f, "PG-1", 2, true), 0);
	assert_int_equal(ask(f, 1, 2), 0);
}

static void requests_and_approvals_end(void **state)
{
	struct fixture *f = *state;
	struct issue_grant grant;

	enroll(f->st, "PG-1", 1, 1);
	sql_run(f->registry, "UPDATE certificates SET not_after = not_after * 2");
	assert_int_equal(ask(f, 1, 2), ERR_BUSY);
	assert_int_equal(waiting(f, NOW + 7 * DAY), 0);
	assert_int_equal(decide_at(f, "PG-1", 2, true, NOW + 7 * DAY), ERR_EXPIRED);
	assert_int_equal(ask_at(f, 1, 2, NOW + 7 * DAY, &grant), ERR_BUSY);
	assert_int_equal(waiting(f, NOW + 7 * DAY), 1);
	assert_int_equal(decide_at(f, "PG-1", 2, true, NOW + 8 * DAY), 0);
	assert_int_equal(ask_at(f, 1, 2, NOW + 15 * DAY, &grant), ERR_BUSY);
	assert_int_equal(waiting(f, NOW + 15 * DAY), 1);
}

static void queue_is_bounded_per_pump_and_forgets(void **state)
{
	struct fixture *f = *state;
	struct issue_grant grant;

	enroll(f->st, "PG-1", 1, 1);
	enroll(f->st, "PG-2", 2, 9);
	sql_run(f->registry, "UPDATE certificates SET not_after = not_after * 2");
	for (uint8_t key = 2; key < 5; key++)
		assert_int_equal(ask(f, 1, key), ERR_BUSY);
	assert_int_equal(ask(f, 1, 5), ERR_LIMIT);
	assert_int_equal(ask(f, 2, 6), ERR_BUSY); /* others are not kept out */
	assert_int_equal(ask_at(f, 1, 5, NOW + 7 * DAY, &grant), ERR_BUSY);
	assert_int_equal(sql_number(f->registry, "SELECT count(*) FROM approvals"), 1);
}

static void decision_needs_digits_enough_and_a_pump_in_force(void **state)
{
	struct approval_decision d = {.device = "PG-1", .key = "020202020202020", .approve = true};
	struct revoke revoke = {.device = "PG-1", .reason = "stolen"};
	struct fixture *f = *state;
	struct revocation receipt;
	struct approval a;

	enroll(f->st, "PG-1", 1, 1);
	assert_int_equal(ask(f, 1, 2), ERR_BUSY);
	assert_int_equal(store_approval_decide(f->st, &admin_now, &d, &a), ERR_INVALID);
	strcpy(d.key, "020202020202020%");
	assert_int_equal(store_approval_decide(f->st, &admin_now, &d, &a), ERR_INVALID);
	assert_int_equal(store_revoke(f->st, &admin_now, &revoke, NOW, NULL, 0, &receipt), 0);
	assert_int_equal(decide(f, "PG-1", 2, true), ERR_CONFLICT);
	assert_int_equal(ask(f, 1, 2), ERR_CONFLICT);
}

static void two_keys_that_begin_alike_need_more_digits(void **state)
{
	struct approval_decision d = {.device = "PG-1", .key = "0202020202020202", .approve = true};
	struct fixture *f = *state;
	struct approval a;

	enroll(f->st, "PG-1", 1, 1);
	assert_int_equal(ask(f, 1, 2), ERR_BUSY);
	assert_int_equal(ask(f, 1, 3), ERR_BUSY);
	sql_run(f->registry,
		"UPDATE approvals SET spki_sha256 = x'020202020202020202' || zeroblob(23)"
		" WHERE hex(spki_sha256) LIKE '03%'");
	assert_int_equal(store_approval_decide(f->st, &admin_now, &d, &a), ERR_CONFLICT);
	strcat(d.key, "0202");
	assert_int_equal(store_approval_decide(f->st, &admin_now, &d, &a), 0);
	assert_string_equal(a.state, "approved");
	assert_string_equal(a.decided_by, "root");
}

static void restored_approval_has_to_be_given_again(void **state)
{
	struct fixture *f = *state;

	enroll(f->st, "PG-1", 1, 1);
	assert_int_equal(ask(f, 1, 2), ERR_BUSY);
	assert_int_equal(decide(f, "PG-1", 2, true), 0);
	assert_int_equal(store_mark_copy(f->st, &admin_now, "backup.restore", ""), 0);
	assert_int_equal(waiting(f, NOW), 1);
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, fixture_setup, fixture_teardown)
	const struct CMUnitTest tests[] = {
		TEST(unproven_renewal_gets_nothing_and_is_listed_once),
		TEST(approval_is_for_that_key_and_that_pump_alone),
		TEST(denied_key_is_refused_with_the_reason_until_somebody_thinks_better),
		TEST(requests_and_approvals_end),
		TEST(queue_is_bounded_per_pump_and_forgets),
		TEST(decision_needs_digits_enough_and_a_pump_in_force),
		TEST(two_keys_that_begin_alike_need_more_digits),
		TEST(restored_approval_has_to_be_given_again),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
