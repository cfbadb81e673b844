/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/unit/sql/fixture.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>

#include "sql/store/store_db.h"

static int begin(struct fixture *f, const struct issue_begin *rq, int64_t at,
		 struct issue_grant *out)
{
	struct action by = {.actor = "signer", .at = at};

	return store_issue_begin(f->st, &by, rq, out);
}

static struct issue_begin renewal_request(unsigned prior, unsigned serial_no, uint8_t key)
{
	struct token none = {0};
	struct issue_begin rq = token_request("", &none, serial_no, key);

	strcpy(rq.method, "renewal");
	strcpy(rq.prior_issuer, ISSUER);
	snprintf(rq.prior_serial, sizeof(rq.prior_serial), "%08x", prior);
	return rq;
}

static void wrong_token_and_unknown_pump_are_refused_with_one_text(void **state)
{
	struct fixture *f = *state;
	struct issue_grant grant;
	struct issue_begin rq;
	struct token token;
	char first[256];

	token_make_for(f->st, "PG-1", &token);
	rq = token_request("PG-404", &token, 1, 1);
	assert_int_equal(begin(f, &rq, NOW, &grant), ERR_DENIED);
	strcpy(first, err_text());
	rq = token_request("PG-2", &token, 1, 1); /* another pump's token */
	assert_int_equal(begin(f, &rq, NOW, &grant), ERR_DENIED);
	assert_string_equal(err_text(), first);
	rq = token_request("PG-1", &token, 1, 1);
	rq.token.data[5] ^= 1;
	assert_int_equal(begin(f, &rq, NOW, &grant), ERR_DENIED);
	assert_string_equal(err_text(), first);
	rq.token.len = 0;
	assert_int_equal(begin(f, &rq, NOW, &grant), ERR_DENIED);
	/* and the right one still works: nothing was burnt */
	rq = token_request("PG-1", &token, 1, 1);
	assert_int_equal(begin(f, &rq, NOW, &grant), 0);
}

static void expired_and_replaced_tokens_are_refused(void **state)
{
	struct fixture *f = *state;
	struct issue_grant grant;
	struct token old, fresh;
	struct issue_begin rq;

	token_make_for(f->st, "PG-1", &old);
	rq = token_request("PG-1", &old, 1, 1);
	assert_int_equal(begin(f, &rq, old.expires + 1, &grant), ERR_EXPIRED);
	token_make_for(f->st, "PG-1", &fresh);
	assert_int_equal(begin(f, &rq, NOW, &grant), ERR_EXPIRED);
	rq = token_request("PG-1", &fresh, 1, 1);
	assert_int_equal(begin(f, &rq, NOW, &grant), 0);
}

static void used_token_is_refused_for_another_key_and_resumed_for_its_own(void **state)
{
	struct fixture *f = *state;
	struct issue_grant grant;
	struct issue_begin rq;
	struct issue_store save;
	struct token token;

	token_make_for(f->st, "PG-1", &token);
	rq = token_request("PG-1", &token, 1, 1);
	assert_int_equal(begin(f, &rq, NOW, &grant), 0);
	assert_string_equal(grant.cert_serial, "00000001");
	assert_string_equal(grant.maker, "Maker");
	rq = token_request("PG-1", &token, 2, 2);
	assert_int_equal(begin(f, &rq, NOW, &grant), ERR_USED);
	rq = token_request("PG-1", &token, 3, 1); /* the answer was lost: the signer asks again */
	assert_int_equal(begin(f, &rq, NOW, &grant), 0);
	assert_string_equal(grant.cert_serial, "00000001");
	assert_int_equal(grant.der.len, 0);
	save = store_request("00000001", "certificate");
	assert_int_equal(store_issue_store(f->st, &admin_now, &save), 0);
	assert_int_equal(begin(f, &rq, NOW, &grant), 0);
	assert_int_equal(grant.der.len, strlen("certificate"));
}

static void key_of_another_pump_is_refused(void **state)
{
	struct fixture *f = *state;
	struct issue_grant grant;
	struct issue_begin rq;
	struct token token;

	enroll(f->st, "PG-1", 1, 7);
	token_make_for(f->st, "PG-2", &token);
	rq = token_request("PG-2", &token, 2, 7);
	assert_int_equal(begin(f, &rq, NOW, &grant), ERR_DENIED);
	assert_non_null(strstr(err_text(), "another pump uses this key"));
}

static void revoked_pump_gets_nothing(void **state)
{
	struct revoke revoke = {.device = "PG-1", .reason = "stolen"};
	struct token_create again = {.device = "PG-1", .ttl_ms = 60000};
	struct fixture *f = *state;
	struct revocation receipt;
	struct issue_grant grant;
	struct issue_begin rq;
	struct token token;

	token_make_for(f->st, "PG-1", &token);
	assert_int_equal(store_revoke(f->st, &admin_now, &revoke, NOW, NULL, 0, &receipt), 0);
	rq = token_request("PG-1", &token, 1, 1);
	assert_int_equal(begin(f, &rq, NOW, &grant), ERR_CONFLICT);
	assert_int_equal(store_token_create(f->st, &admin_now, &again, &token), ERR_CONFLICT);
}

static void revocation_between_begin_and_store_wins(void **state)
{
	struct revoke revoke = {.device = "PG-1", .reason = "stolen"};
	struct fixture *f = *state;
	struct revocation receipt;
	struct issue_grant grant;
	struct pump_facts facts;
	struct issue_store save;
	struct issue_begin rq;
	struct token token;

	token_make_for(f->st, "PG-1", &token);
	rq = token_request("PG-1", &token, 1, 1);
	assert_int_equal(begin(f, &rq, NOW, &grant), 0);
	assert_int_equal(store_revoke(f->st, &admin_now, &revoke, NOW, NULL, 0, &receipt), 0);
	save = store_request(grant.cert_serial, "certificate");
	assert_int_equal(store_issue_store(f->st, &admin_now, &save), ERR_CONFLICT);
	assert_int_equal(store_pump_facts(f->st, ISSUER, grant.cert_serial, &facts), 0);
	assert_string_equal(facts.cert_state, "revoked");
	assert_string_equal(facts.device_state, "revoked");
	assert_int_equal(store_issue_store(f->st, &admin_now, &save), ERR_CONFLICT);
}

static void taken_serial_and_unknown_issuer_are_refused_without_burning_the_token(void **state)
{
	struct fixture *f = *state;
	struct issue_grant grant;
	struct issue_begin rq;
	struct token token;

	enroll(f->st, "PG-1", 1, 1);
	token_make_for(f->st, "PG-2", &token);
	rq = token_request("PG-2", &token, 1, 2);
	assert_int_equal(begin(f, &rq, NOW, &grant), ERR_EXISTS);
	strcpy(rq.cert_serial, "00000002");
	strcpy(rq.issuer, "/CN=Somebody");
	assert_int_equal(begin(f, &rq, NOW, &grant), ERR_CONFLICT);
	strcpy(rq.issuer, ISSUER);
	strcpy(rq.cert_serial, "ABCD");
	assert_int_equal(begin(f, &rq, NOW, &grant), ERR_INVALID);
	strcpy(rq.cert_serial, "0000000000000000000000000000000000000000ff");
	assert_int_equal(begin(f, &rq, NOW, &grant), ERR_INVALID);
	strcpy(rq.cert_serial, "00000002");
	rq.spki_sha256.len = 31;
	assert_int_equal(begin(f, &rq, NOW, &grant), ERR_INVALID);
	rq.spki_sha256.len = 32;
	assert_int_equal(begin(f, &rq, NOW, &grant), 0);
}

static void store_refuses_what_was_not_reserved_or_differs(void **state)
{
	struct fixture *f = *state;
	struct issue_store save = store_request("0000000a", "certificate");

	assert_int_equal(store_issue_store(f->st, &admin_now, &save), ERR_NOT_FOUND);
	enroll(f->st, "PG-1", 10, 1);
	assert_int_equal(store_issue_store(f->st, &admin_now, &save), ERR_UNCHANGED);
	save = store_request("0000000a", "another one");
	assert_int_equal(store_issue_store(f->st, &admin_now, &save), ERR_EXISTS);
	save.not_after = save.not_before;
	assert_int_equal(store_issue_store(f->st, &admin_now, &save), ERR_INVALID);
}

static void enrolment_puts_the_certificate_in_force_and_closes_the_window(void **state)
{
	struct token_create rq = {.device = "PG-1", .ttl_ms = 60000, .mab_window_ms = 600000};
	struct fixture *f = *state;
	struct pump_facts facts;
	struct token token;
	struct device d;

	assert_int_equal(store_token_create(f->st, &admin_now, &rq, &token), 0);
	assert_int_equal(store_pump_facts(f->st, ISSUER, "00000001", &facts), 0);
	assert_false(facts.found);
	enroll(f->st, "PG-1", 1, 1);
	assert_int_equal(store_pump_facts(f->st, ISSUER, "00000001", &facts), 0);
	assert_true(facts.found);
	assert_string_equal(facts.device, "PG-1");
	assert_string_equal(facts.device_state, "enrolled");
	assert_string_equal(facts.cert_state, "valid");
	assert_string_equal(facts.zone, "wards");
	assert_string_equal(facts.filter_id, "pumps");
	assert_int_equal(facts.vlan, 120);
	assert_int_equal(facts.session_s, 3600);
	assert_int_equal(facts.not_after, NOW + 86400000);
	assert_int_equal(store_pump_facts(f->st, "/CN=Somebody", "00000001", &facts), 0);
	assert_false(facts.found); /* the same serial under another issuer is another certificate */
	assert_int_equal(store_device_show(f->st, "PG-1", NOW, &d), 0);
	assert_int_equal(d.mab_until, 0);
	assert_int_equal(d.token_until, 0);
	rq.mab_window_ms = 600000;
	assert_int_equal(store_token_create(f->st, &admin_now, &rq, &token), ERR_CONFLICT);
}

static void renewal_needs_a_certificate_in_force(void **state)
{
	struct fixture *f = *state;
	struct issue_begin rq = renewal_request(1, 2, 2);
	struct issue_grant grant;

	assert_int_equal(begin(f, &rq, NOW, &grant), ERR_NOT_FOUND);
	enroll(f->st, "PG-1", 1, 1);
	assert_int_equal(begin(f, &rq, NOW + 86400001, &grant), ERR_EXPIRED);
	strcpy(rq.device, "PG-2");
	assert_int_equal(begin(f, &rq, NOW, &grant), ERR_DENIED);
	strcpy(rq.device, "PG-1");
	assert_int_equal(begin(f, &rq, NOW, &grant), 0);
	assert_string_equal(grant.device, "PG-1");
	rq = renewal_request(2, 3, 3); /* reserved only */
	assert_int_equal(begin(f, &rq, NOW, &grant), ERR_CONFLICT);
}

static void pump_comes_back_once_with_a_certificate_past_its_end(void **state)
{
	struct fixture *f = *state;
	struct issue_begin rq = renewal_request(1, 2, 2);
	const int64_t late = NOW + 86400001;
	struct issue_grant grant;

	enroll(f->st, "PG-1", 1, 1);
	assert_int_equal(begin(f, &rq, NOW, &grant), 0); /* a renewal in time, never used */
	rq = renewal_request(1, 3, 3);
	assert_int_equal(begin(f, &rq, late, &grant), ERR_EXPIRED); /* the signer did not say so */
	rq.late = true;
	assert_int_equal(begin(f, &rq, late, &grant), 0);
	assert_string_equal(grant.cert_serial, "00000003");
	assert_int_equal(begin(f, &rq, late, &grant), 0); /* the answer was lost */
	assert_string_equal(grant.cert_serial, "00000003");
	rq = renewal_request(1, 4, 4);
	rq.late = true;
	assert_int_equal(begin(f, &rq, late, &grant), ERR_USED);
}

static void renewal_is_resumed_for_the_same_key_and_bounded_in_number(void **state)
{
	struct fixture *f = *state;
	struct issue_begin rq = renewal_request(1, 2, 2);
	struct issue_grant grant;
	int rc = 0;

	enroll(f->st, "PG-1", 1, 1);
	assert_int_equal(begin(f, &rq, NOW, &grant), 0);
	rq = renewal_request(1, 3, 2);
	assert_int_equal(begin(f, &rq, NOW, &grant), 0);
	assert_string_equal(grant.cert_serial, "00000002");
	for (unsigned i = 0; i < 32 && !rc; i++) {
		rq = renewal_request(1, 100 + i, (uint8_t)(100 + i));
		rc = begin(f, &rq, NOW, &grant);
	}
	assert_int_equal(rc, ERR_LIMIT);
}

static void unfinished_request_needs_its_token_in_force(void **state)
{
	struct fixture *f = *state;
	struct issue_grant grant;
	struct issue_begin rq;
	struct issue_store save;
	struct token token, newer;

	token_make_for(f->st, "PG-1", &token);
	rq = token_request("PG-1", &token, 1, 1);
	assert_int_equal(begin(f, &rq, NOW, &grant), 0);
	assert_int_equal(begin(f, &rq, token.expires, &grant), 0);
	assert_int_equal(begin(f, &rq, token.expires + 1, &grant), ERR_EXPIRED);
	token_make_for(f->st, "PG-1", &newer); /* the first one got lost, an admin thinks */
	assert_int_equal(begin(f, &rq, NOW, &grant), ERR_EXPIRED);
	/* signed before that was known: it can be fetched */
	save = store_request("00000001", "certificate");
	assert_int_equal(store_issue_store(f->st, &admin_now, &save), 0);
	assert_int_equal(begin(f, &rq, token.expires + 1, &grant), 0);
	assert_true(grant.der.len > 0);
}

/* Each renewal is proven by the one before it. */
static void chain_of_renewals_that_are_never_used_is_bounded(void **state)
{
	struct fixture *f = *state;
	struct issue_grant grant;
	struct issue_begin rq;
	struct issue_store save;
	unsigned n = 1;
	int rc = 0;

	enroll(f->st, "PG-1", 1, 1);
	for (; n < 40 && !rc; n++) {
		rq = renewal_request(n, n + 1, (uint8_t)(n + 1));
		rc = begin(f, &rq, NOW, &grant);
		if (rc)
			break;
		save = store_request(grant.cert_serial, "renewed");
		assert_int_equal(store_issue_store(f->st, &admin_now, &save), 0);
	}
	assert_int_equal(rc, ERR_LIMIT);
	assert_int_equal(n, 17);
	/* one use, and there is room again */
	sprintf(rq.cert_serial, "%08x", n);
	assert_int_equal(store_supersede(f->st, &admin_now, ISSUER, rq.cert_serial), 0);
	rq = renewal_request(n, n + 1, (uint8_t)(n + 1));
	assert_int_equal(begin(f, &rq, NOW, &grant), 0);
}

static void old_certificate_is_superseded_only_by_a_newer_valid_one(void **state)
{
	struct fixture *f = *state;
	struct issue_begin rq = renewal_request(1, 2, 2);
	struct event_standing standing;
	struct issue_grant grant;
	struct issue_store save;
	struct pump_facts facts;

	enroll(f->st, "PG-1", 1, 1);
	assert_int_equal(begin(f, &rq, NOW, &grant), 0);
	assert_int_equal(store_supersede(f->st, &admin_now, ISSUER, "00000002"), ERR_UNCHANGED);
	save = store_request("00000002", "renewed");
	assert_int_equal(store_issue_store(f->st, &admin_now, &save), 0);
	assert_int_equal(store_supersede(f->st, &admin_now, ISSUER, "00000001"), ERR_UNCHANGED);
	assert_int_equal(store_event_standing(f->st, "PG-1", ISSUER, "00000001", &standing), 0);
	assert_false(standing.superseding);
	assert_int_equal(store_event_standing(f->st, "PG-1", ISSUER, "00000002", &standing), 0);
	assert_true(standing.superseding);
	assert_int_equal(store_supersede(f->st, &admin_now, ISSUER, "00000002"), 0);
	assert_int_equal(store_pump_facts(f->st, ISSUER, "00000001", &facts), 0);
	assert_string_equal(facts.cert_state, "superseded");
	assert_int_equal(store_pump_facts(f->st, ISSUER, "00000002", &facts), 0);
	assert_string_equal(facts.cert_state, "valid");
	assert_int_equal(store_event_standing(f->st, "PG-1", ISSUER, "00000002", &standing), 0);
	assert_false(standing.superseding);
}

static void token_times_are_bounded_and_the_token_is_not_stored(void **state)
{
	struct token_create rq = {.device = "PG-1", .ttl_ms = 59999};
	struct fixture *f = *state;
	struct token token;
	char sql[256];

	assert_int_equal(store_token_create(f->st, &admin_now, &rq, &token), ERR_INVALID);
	rq.ttl_ms = 7ULL * 24 * 3600 * 1000 + 1;
	assert_int_equal(store_token_create(f->st, &admin_now, &rq, &token), ERR_INVALID);
	rq.ttl_ms = 60000;
	rq.mab_window_ms = 24ULL * 3600 * 1000 + 1;
	assert_int_equal(store_token_create(f->st, &admin_now, &rq, &token), ERR_INVALID);
	rq.mab_window_ms = 0;
	strcpy(rq.device, "PG-404");
	assert_int_equal(store_token_create(f->st, &admin_now, &rq, &token), ERR_NOT_FOUND);
	token_make_for(f->st, "PG-1", &token);
	assert_int_equal(token.token.len, 32);
	snprintf(sql, sizeof(sql),
		 "SELECT (SELECT count(*) FROM tokens WHERE instr(hash, '%.32s')) +"
		 " (SELECT count(*) FROM audit WHERE instr(detail, '%.32s'))",
		 token.token.data, token.token.data);
	assert_int_equal(sql_number(f->registry, sql), 0);
}

/* ---- several on one commit ---- */

static void what_a_group_has_not_committed_is_not_there(void **state)
{
	struct fixture *f = *state;
	struct issue_grant grant;
	struct issue_begin rq;
	struct token token;

	token_make_for(f->st, "PG-1", &token);
	rq = token_request("PG-1", &token, 1, 1);
	assert_int_equal(store_group_begin(f->st), 0);
	assert_int_equal(begin(f, &rq, NOW, &grant), 0);
	assert_true(store_group_is_whole(f->st));
	/* as the disk has it, and whoever comes after a crash */
	assert_int_equal(sql_number(f->registry, "SELECT count(*) FROM certificates"), 0);
	assert_int_equal(store_group_commit(f->st), 0);
	assert_int_equal(sql_number(f->registry, "SELECT count(*) FROM certificates"), 1);
	assert_false(store_group_is_whole(f->st));
}

static void one_that_fails_in_a_group_leaves_the_others_and_nothing_of_itself(void **state)
{
	struct fixture *f = *state;
	struct issue_begin first, second, taken;
	struct token a, b;
	struct tx tx;
	struct issue_grant grant;
	struct issue_store save;

	token_make_for(f->st, "PG-1", &a);
	token_make_for(f->st, "PG-2", &b);
	first = token_request("PG-1", &a, 1, 1);
	taken = token_request("PG-2", &b, 1, 2); /* the serial of the first: fails late */
	second = token_request("PG-2", &b, 2, 2);
	save = store_request("00000001", "certificate");
	assert_int_equal(store_group_begin(f->st), 0);
	assert_int_equal(begin(f, &first, NOW, &grant), 0);
	assert_int_equal(begin(f, &taken, NOW, &grant), ERR_EXISTS);
	assert_int_equal(store_issue_store(f->st, &admin_now, &save), 0);
	assert_int_equal(begin(f, &first, NOW, &grant), 0); /* the same pump once more */
	assert_string_equal(grant.cert_serial, "00000001");
	assert_int_equal(begin(f, &second, NOW, &grant), 0); /* its token was not burnt */
	assert_int_equal(tx_begin(&tx, f->st->db), 0);	     /* and one that fails half-way */
	assert_int_equal(db_run(f->st->db, "UPDATE certificates SET state = 'revoked'"), 0);
	tx_end(&tx);
	assert_int_equal(store_group_commit(f->st), 0);
	assert_int_equal(sql_number(f->registry, "SELECT count(*) FROM certificates"), 2);
	assert_int_equal(sql_number(f->registry, "SELECT count(*) FROM certificates"
						 " WHERE state = 'valid'"),
			 1);
	assert_int_equal(sql_number(f->registry, "SELECT count(*) FROM audit"
						 " WHERE action LIKE 'cert.%'"),
			 3);
}

static void on_a_disk_that_refuses_a_group_is_nothing_and_can_be_repeated(void **state)
{
	const struct rlimit none = {.rlim_cur = 1, .rlim_max = RLIM_INFINITY};
	struct fixture *f = *state;
	struct issue_begin rq[2];
	struct issue_grant grant;
	struct rlimit usual;
	struct token a, b;
	int rc;

	token_make_for(f->st, "PG-1", &a);
	token_make_for(f->st, "PG-2", &b);
	rq[0] = token_request("PG-1", &a, 1, 1);
	rq[1] = token_request("PG-2", &b, 2, 2);
	signal(SIGXFSZ, SIG_IGN);
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &usual), 0);
	assert_int_equal(store_group_begin(f->st), 0);
	assert_int_equal(begin(f, &rq[0], NOW, &grant), 0);
	assert_int_equal(begin(f, &rq[1], NOW, &grant), 0);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &none), 0);
	rc = store_group_commit(f->st);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &usual), 0);
	assert_int_not_equal(rc, 0);
	assert_int_equal(sql_number(f->registry, "SELECT count(*) FROM certificates"), 0);
	assert_int_equal(store_group_begin(f->st), 0);
	for (int i = 0; i < 2; i++)
		assert_int_equal(begin(f, &rq[i], NOW, &grant), 0);
	assert_int_equal(store_group_commit(f->st), 0);
	assert_int_equal(sql_number(f->registry, "SELECT count(*) FROM certificates"), 2);
}

/* As SQLite itself does when a disk fails in the middle of one part. */
static void after_a_group_was_undone_as_a_whole_no_part_commits_alone(void **state)
{
	struct fixture *f = *state;
	struct issue_grant grant;
	struct issue_begin rq;
	struct token token;

	token_make_for(f->st, "PG-1", &token);
	rq = token_request("PG-1", &token, 1, 1);
	assert_int_equal(store_group_begin(f->st), 0);
	db_rollback(f->st->db);
	assert_false(store_group_is_whole(f->st));
	assert_int_not_equal(begin(f, &rq, NOW, &grant), 0);
	assert_int_not_equal(store_group_commit(f->st), 0);
	assert_int_equal(sql_number(f->registry, "SELECT count(*) FROM certificates"), 0);
	assert_int_equal(begin(f, &rq, NOW, &grant), 0); /* and alone again as ever */
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define WITH(t) cmocka_unit_test_setup_teardown(t, fixture_setup, fixture_teardown)
		WITH(wrong_token_and_unknown_pump_are_refused_with_one_text),
		WITH(expired_and_replaced_tokens_are_refused),
		WITH(used_token_is_refused_for_another_key_and_resumed_for_its_own),
		WITH(key_of_another_pump_is_refused),
		WITH(revoked_pump_gets_nothing),
		WITH(revocation_between_begin_and_store_wins),
		WITH(taken_serial_and_unknown_issuer_are_refused_without_burning_the_token),
		WITH(store_refuses_what_was_not_reserved_or_differs),
		WITH(enrolment_puts_the_certificate_in_force_and_closes_the_window),
		WITH(renewal_needs_a_certificate_in_force),
		WITH(pump_comes_back_once_with_a_certificate_past_its_end),
		WITH(renewal_is_resumed_for_the_same_key_and_bounded_in_number),
		WITH(chain_of_renewals_that_are_never_used_is_bounded),
		WITH(unfinished_request_needs_its_token_in_force),
		WITH(old_certificate_is_superseded_only_by_a_newer_valid_one),
		WITH(token_times_are_bounded_and_the_token_is_not_stored),
		WITH(what_a_group_has_not_committed_is_not_there),
		WITH(one_that_fails_in_a_group_leaves_the_others_and_nothing_of_itself),
		WITH(on_a_disk_that_refuses_a_group_is_nothing_and_can_be_repeated),
		WITH(after_a_group_was_undone_as_a_whole_no_part_commits_alone),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
