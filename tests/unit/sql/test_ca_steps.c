/* SPDX-License-Identifier: BSD-2-Clause */
/* A roll-over of the pumps' CA as the registry sees it: whose certificates are of the old one, what
 * was begun before it, and its audit. */
#include "tests/unit/sql/fixture.h"

#include <string.h>

#include "sql/store/rotation.h"

#define NEXT "/CN=Pumpgate Device CA 2"

static void next_ca_register(struct fixture *f)
{
	struct issuer next = {.issuer = NEXT, .der = {.len = 4, .data = "der2"}};

	assert_int_equal(store_issuer_set(f->st, &admin_now, &next), 0);
}

static void step_that_is_none_is_refused(void **state)
{
	struct fixture *f = *state;
	struct ca_step s = {.ca = "nas", .step = "start"};

	assert_int_equal(store_ca_step(f->st, &admin_now, &s), ERR_INVALID);
	strcpy(s.ca, "device");
	strcpy(s.step, "explode");
	assert_int_equal(store_ca_step(f->st, &admin_now, &s), ERR_INVALID);
	strcpy(s.step, "finish"); /* of nothing */
	assert_int_equal(store_ca_step(f->st, &admin_now, &s), ERR_UNCHANGED);
}

static int64_t rows(struct fixture *f)
{
	return sql_number(f->registry, "SELECT count(*) FROM audit WHERE action LIKE 'ca.%'");
}

static void each_step_stands_in_the_audit_once(void **state)
{
	struct fixture *f = *state;
	struct ca_step s = {.ca = "device", .step = "start", .issuer = ISSUER, .other = NEXT};

	assert_int_equal(store_ca_step(f->st, &admin_now, &s), 0);
	assert_int_equal(store_ca_step(f->st, &admin_now, &s), ERR_UNCHANGED);
	assert_int_equal(rows(f), 1);
	strcpy(s.ca, "server"); /* another CA's is another step */
	assert_int_equal(store_ca_step(f->st, &admin_now, &s), 0);
	strcpy(s.ca, "device");
	strcpy(s.step, "abort");
	s.other[0] = '\0';
	assert_int_equal(store_ca_step(f->st, &admin_now, &s), 0);
	assert_int_equal(store_ca_step(f->st, &admin_now, &s), ERR_UNCHANGED);
	strcpy(s.step, "start");
	strcpy(s.other, NEXT);
	assert_int_equal(store_ca_step(f->st, &admin_now, &s), 0);
	assert_int_equal(rows(f), 4);
}

static void pumps_of_the_old_ca_are_counted_until_they_have_moved(void **state)
{
	struct fixture *f = *state;
	const struct issuer_query q = {.issuer = ISSUER}, of_next = {.issuer = NEXT};
	struct anchor_count count;
	struct anchor_lack left[4];
	size_t n = 0;

	enroll(f->st, "PG-1", 1, 1);
	enroll(f->st, "PG-2", 2, 2);
	next_ca_register(f);
	assert_int_equal(store_issuer_count(f->st, &q, &count), 0);
	assert_int_equal(count.pumps, 2);
	assert_int_equal(count.holding, 0);
	assert_int_equal(store_issuer_lack(f->st, &q, left, 4, &n), 0);
	assert_int_equal(n, 2);
	assert_string_equal(left[0].device, "PG-1");
	/* as its first use of the new one leaves it */
	sql_run(f->registry,
		"UPDATE certificates SET state = 'superseded' WHERE serial = '00000001'");
	assert_int_equal(store_issuer_count(f->st, &q, &count), 0);
	assert_int_equal(count.holding, 1);
	assert_int_equal(store_issuer_lack(f->st, &q, left, 4, &n), 0);
	assert_int_equal(n, 1);
	assert_string_equal(left[0].device, "PG-2");
	assert_int_equal(store_issuer_count(f->st, &of_next, &count), 0);
	assert_int_equal(count.holding, 2);
}

/* Reserved before the switch, signed after it, and the other way round: one certificate. */
static void what_was_begun_under_the_old_ca_goes_on_under_the_next(void **state)
{
	struct fixture *f = *state;
	struct issue_grant first, again;
	struct issue_begin rq;
	struct issue_store save;
	struct pump_facts facts;
	struct token token;

	token_make_for(f->st, "PG-1", &token);
	rq = token_request("PG-1", &token, 1, 1);
	assert_int_equal(store_issue_begin(f->st, &admin_now, &rq, &first), 0);
	next_ca_register(f);
	strcpy(rq.issuer, NEXT);
	strcpy(rq.cert_serial, "00000077");
	assert_int_equal(store_issue_begin(f->st, &admin_now, &rq, &again), 0);
	assert_string_equal(again.cert_serial, first.cert_serial);
	save = store_request(again.cert_serial, "certificate");
	strcpy(save.issuer, "/CN=Nobody");
	assert_int_equal(store_issue_store(f->st, &admin_now, &save), ERR_NOT_FOUND);
	strcpy(save.issuer, NEXT);
	assert_int_equal(store_issue_store(f->st, &admin_now, &save), 0);
	assert_int_equal(store_pump_facts(f->st, NEXT, "00000001", &facts), 0);
	assert_true(facts.found);
	assert_int_equal(store_pump_facts(f->st, ISSUER, "00000001", &facts), 0);
	assert_false(facts.found);
	/* stored, it is that CA's for good */
	strcpy(save.issuer, ISSUER);
	assert_int_equal(store_issue_store(f->st, &admin_now, &save), ERR_NOT_FOUND);
	/* and the same request gets it again, whoever issues now */
	assert_int_equal(store_issue_begin(f->st, &admin_now, &rq, &again), 0);
	assert_int_equal(again.der.len, strlen("certificate"));
}

static uint64_t due(struct fixture *f, bool old_ca, bool or_old_ca, uint32_t percent)
{
	struct rotation_start rq = {.chosen = "x",
				    .wave_max = 9,
				    .patience_ms = 60000,
				    .due_percent = percent,
				    .old_ca = old_ca,
				    .or_old_ca = or_old_ca,
				    .dry_run = true};
	struct rotation r = {0};
	int rc = store_rotation_start(f->st, &admin_now, &rq, &r);

	assert_true(rc == 0 || rc == ERR_UNCHANGED);
	return rc ? 0 : r.pumps;
}

static void rotation_takes_those_of_the_old_ca_at_any_age(void **state)
{
	struct fixture *f = *state;

	enroll(f->st, "PG-1", 1, 1);
	enroll(f->st, "PG-2", 2, 2);
	assert_int_equal(due(f, true, false, 75), 0); /* there is no old one */
	assert_int_equal(due(f, false, true, 75), 0);
	next_ca_register(f);
	sql_run(f->registry, "UPDATE certificates SET issuer_id = (SELECT max(id) FROM issuers)"
			     " WHERE serial = '00000002'");
	assert_int_equal(due(f, false, false, 75), 0);
	assert_int_equal(due(f, true, false, 75), 1);
	assert_int_equal(due(f, true, false, 0), 1);
	assert_int_equal(due(f, false, true, 75), 1);
	assert_int_equal(due(f, false, false, 0), 2);
}

#define WITH(name) cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		WITH(step_that_is_none_is_refused),
		WITH(each_step_stands_in_the_audit_once),
		WITH(pumps_of_the_old_ca_are_counted_until_they_have_moved),
		WITH(what_was_begun_under_the_old_ca_goes_on_under_the_next),
		WITH(rotation_takes_those_of_the_old_ca_at_any_age),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
