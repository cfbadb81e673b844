/* SPDX-License-Identifier: BSD-2-Clause */
/* Makers and their anchors; which pumps a birth certificate may enrol, and how often. */
#include "tests/unit/sql/fixture.h"

#include <stdio.h>
#include <string.h>

#include <sodium.h>

#define OID "1.3.6.1.4.1.99999.1"

/* Something of a certificate's outer form, told apart by `mark`. */
static size_t anchor_put(uint8_t *out, uint8_t mark)
{
	memset(out, mark, 0x44);
	out[0] = 0x30;
	out[1] = 0x42;
	return 0x44;
}

static struct maker maker_of(const char *name, const char *models, uint8_t mark)
{
	struct maker m = {.enabled = true};

	strcpy(m.name, name);
	strcpy(m.models, models);
	m.anchors.len = (uint32_t)anchor_put(m.anchors.data, mark);
	return m;
}

static int add(struct fixture *f, const char *name, const char *models, uint8_t mark)
{
	struct maker m = maker_of(name, models, mark);

	return store_maker_add(f->st, &admin_now, &m);
}

/* What the signer asks for PG-1 of the fixture, whose maker and model are Maker and M1. */
static struct issue_begin request(const char *device, uint8_t key)
{
	struct token none = {0};
	struct issue_begin rq = token_request(device, &none, 100U + key, key);
	uint8_t der[0x44];

	strcpy(rq.method, "idevid");
	strcpy(rq.maker, "Maker");
	strcpy(rq.hw_type, OID);
	anchor_put(der, 1);
	crypto_hash_sha256(rq.anchor_sha256.data, der, sizeof(der));
	rq.anchor_sha256.len = 32;
	memset(rq.idevid_sha256.data, 0x77, 32);
	rq.idevid_sha256.len = 32;
	return rq;
}

static int begin(struct fixture *f, const struct issue_begin *rq)
{
	struct issue_grant grant;

	return store_issue_begin(f->st, &admin_now, rq, &grant);
}

static bool refused_as(const char *reason)
{
	size_t len = strlen(reason);

	return !strncmp(err_text(), reason, len) && err_text()[len] == ':';
}

static void makers_that_make_no_sense_are_refused(void **state)
{
	const char *models[] = {"",	",",	   "M1,",     "M1,M1", "M1=",	     "M1=x",
				"M1=1", "M1=1..2", "M1=1.2.", "=1.2",  "M1,M1=1.2.3"};
	struct fixture *f = *state;
	struct maker m = maker_of("Maker", "M1", 1);

	for (size_t i = 0; i < sizeof(models) / sizeof(models[0]); i++)
		assert_int_equal(add(f, "Maker", models[i], 1), ERR_INVALID);
	assert_int_equal(add(f, "", "M1", 1), ERR_INVALID);
	m.anchors.len = 0;
	assert_int_equal(store_maker_add(f->st, &admin_now, &m), ERR_INVALID);
	m.anchors.len = 0x43; /* cut off */
	assert_int_equal(store_maker_add(f->st, &admin_now, &m), ERR_INVALID);
	memset(m.anchors.data, 1, 0x44);
	m.anchors.len = 0x44;
	assert_int_equal(store_maker_add(f->st, &admin_now, &m), ERR_INVALID);
}

static void one_anchor_is_one_makers(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(add(f, "Maker", "M1", 1), 0);
	assert_int_equal(add(f, "Other", "M1", 1), ERR_EXISTS);
	assert_int_equal(add(f, "Other", "M1", 2), 0);
	assert_int_equal(add(f, "Maker", "M1", 1), ERR_UNCHANGED);
	assert_int_equal(add(f, "Maker", "M1,M2", 1), ERR_EXISTS);
	assert_int_equal(add(f, "Maker", "M1", 3), ERR_EXISTS);
}

static void only_enabled_makers_are_trusted(void **state)
{
	struct fixture *f = *state;
	struct maker *rows = calloc(4, sizeof(*rows));
	struct list_query q = {0};
	size_t n;

	assert_int_equal(add(f, "Maker", "M1", 1), 0);
	assert_int_equal(add(f, "Other", "M2", 2), 0);
	assert_int_equal(store_maker_enable(f->st, &admin_now, "Other", false), 0);
	assert_int_equal(store_maker_enable(f->st, &admin_now, "Other", false), ERR_UNCHANGED);
	assert_int_equal(store_maker_enable(f->st, &admin_now, "Nobody", false), ERR_NOT_FOUND);
	assert_int_equal(store_maker_trust(f->st, rows, 4, &n), 0);
	assert_int_equal(n, 1);
	assert_string_equal(rows[0].name, "Maker");
	assert_int_equal(rows[0].anchors.len, 0x44);
	assert_int_equal(store_maker_list(f->st, &q, rows, 4, &n), 0);
	assert_int_equal(n, 2);
	assert_int_equal(rows[0].anchors.len, 0);
	assert_int_equal(strlen(rows[0].anchor_sha256), 64);
	assert_false(rows[1].enabled);
	assert_int_equal(store_maker_remove(f->st, &admin_now, "Maker"), 0);
	assert_int_equal(store_maker_remove(f->st, &admin_now, "Maker"), ERR_NOT_FOUND);
	assert_int_equal(store_maker_trust(f->st, rows, 4, &n), 0);
	assert_int_equal(n, 0);
	free(rows);
}

static void who_may_not_vouch_is_refused(void **state)
{
	struct fixture *f = *state;
	struct issue_begin rq = request("PG-1", 1);
	uint8_t der[0x44];

	assert_int_equal(begin(f, &rq), ERR_DENIED); /* no maker at all */
	assert_true(refused_as("maker-refused"));
	assert_int_equal(add(f, "Maker", "M7,M1=" OID, 1), 0);
	assert_int_equal(add(f, "Other", "M1", 2), 0);
	rq = request("PG-404", 1);
	assert_int_equal(begin(f, &rq), ERR_NOT_FOUND);
	assert_true(refused_as("unknown-pump"));
	rq = request("PG-1", 1);
	strcpy(rq.maker, "Other"); /* its anchor is another's */
	assert_int_equal(begin(f, &rq), ERR_DENIED);
	rq = request("PG-1", 1);
	anchor_put(der, 2); /* another's anchor */
	crypto_hash_sha256(rq.anchor_sha256.data, der, sizeof(der));
	strcpy(rq.hw_type, OID);
	assert_int_equal(begin(f, &rq), ERR_DENIED);
	assert_true(refused_as("maker-refused"));
	rq = request("PG-1", 1);
	strcpy(rq.hw_type, "1.3.6.1.4.1.99999.2"); /* another model's certificate */
	assert_int_equal(begin(f, &rq), ERR_DENIED);
	assert_true(refused_as("maker-refused"));
	rq = request("PG-1", 1);
	rq.hw_type[0] = '\0';
	assert_int_equal(begin(f, &rq), ERR_DENIED);
	rq = request("PG-1", 1);
	rq.idevid_sha256.len = 0;
	assert_int_equal(begin(f, &rq), ERR_INVALID);
	assert_int_equal(store_maker_enable(f->st, &admin_now, "Maker", false), 0);
	rq = request("PG-1", 1);
	assert_int_equal(begin(f, &rq), ERR_DENIED);
	assert_true(refused_as("maker-refused"));
}

static void a_model_or_maker_that_the_inventory_does_not_have_is_refused(void **state)
{
	struct fixture *f = *state;
	struct issue_begin rq = request("PG-1", 1);

	assert_int_equal(add(f, "Maker", "M1", 1), 0);
	sql_run(f->registry, "UPDATE devices SET model = 'M2' WHERE serial = 'PG-1'");
	assert_int_equal(begin(f, &rq), ERR_DENIED);
	assert_true(refused_as("maker-refused"));
	sql_run(f->registry,
		"UPDATE devices SET model = 'M1', maker = 'Other' WHERE serial = 'PG-1'");
	assert_int_equal(begin(f, &rq), ERR_DENIED);
	assert_true(refused_as("maker-refused"));
}

static void a_birth_certificate_stands_for_one_key_and_one_time(void **state)
{
	struct fixture *f = *state;
	struct issue_begin first = request("PG-1", 1), other = request("PG-1", 2);
	struct issue_grant grant, again;
	struct issue_store save;

	assert_int_equal(add(f, "Maker", "M1", 1), 0);
	assert_int_equal(store_issue_begin(f->st, &admin_now, &first, &grant), 0);
	assert_int_equal(begin(f, &other), ERR_USED);
	assert_true(refused_as("idevid-used"));
	strcpy(first.cert_serial, "0000aaaa"); /* the signer asks with a new serial each time */
	assert_int_equal(store_issue_begin(f->st, &admin_now, &first, &again), 0);
	assert_string_equal(again.cert_serial, grant.cert_serial);
	save = store_request(grant.cert_serial, "certificate");
	assert_int_equal(store_issue_store(f->st, &admin_now, &save), 0);
	assert_int_equal(store_issue_begin(f->st, &admin_now, &first, &again), 0);
	assert_int_equal(again.der.len, strlen("certificate"));
	assert_int_equal(begin(f, &other), ERR_USED);
	assert_int_equal(sql_number(f->registry,
				    "SELECT count(*) FROM certificates c JOIN devices d"
				    " ON d.id = c.device_id WHERE d.serial = 'PG-1'"),
			 1);
	sql_run(f->registry, "UPDATE devices SET state = 'revoked' WHERE serial = 'PG-1'");
	assert_int_equal(begin(f, &first), ERR_CONFLICT);
}

static void a_pump_that_was_enrolled_with_a_token_is_not_enrolled_by_birth(void **state)
{
	struct fixture *f = *state;
	struct issue_begin rq = request("PG-1", 2);

	assert_int_equal(add(f, "Maker", "M1", 1), 0);
	enroll(f->st, "PG-1", 1, 1);
	assert_int_equal(begin(f, &rq), ERR_USED);
	assert_true(refused_as("idevid-used"));
}

static bool vouched(struct fixture *f, const char *device)
{
	struct birth_facts facts;

	assert_int_equal(store_birth_facts(f->st, device, &facts), 0);
	return facts.vouched;
}

static void on_the_network_a_maker_vouches_by_the_inventory(void **state)
{
	struct fixture *f = *state;
	struct birth_facts facts;

	assert_int_equal(store_birth_facts(f->st, "PG-404", &facts), 0);
	assert_false(facts.found);
	assert_false(vouched(f, "PG-1"));
	assert_int_equal(add(f, "Other", "M1", 2), 0);
	assert_false(vouched(f, "PG-1"));
	assert_int_equal(add(f, "Maker", "M7,M1=" OID, 1), 0);
	assert_true(vouched(f, "PG-1")); /* hwType can't be seen there */
	assert_int_equal(store_birth_facts(f->st, "PG-1", &facts), 0);
	assert_true(facts.found);
	assert_string_equal(facts.device_state, "expected");
	sql_run(f->registry, "UPDATE devices SET model = 'M2' WHERE serial = 'PG-1'");
	assert_false(vouched(f, "PG-1"));
	sql_run(f->registry, "UPDATE devices SET model = 'M7' WHERE serial = 'PG-1'");
	assert_true(vouched(f, "PG-1"));
	assert_int_equal(store_maker_enable(f->st, &admin_now, "Maker", false), 0);
	assert_false(vouched(f, "PG-1"));
}

static void after_a_restore_no_maker_is_trusted_until_somebody_says_so(void **state)
{
	struct fixture *f = *state;
	struct maker *rows = calloc(2, sizeof(*rows));
	size_t n;

	assert_int_equal(add(f, "Maker", "M1", 1), 0);
	assert_int_equal(store_mark_copy(f->st, &admin_now, "backup.restore", "test"), 0);
	assert_int_equal(store_maker_trust(f->st, rows, 2, &n), 0);
	assert_int_equal(n, 0);
	assert_int_equal(store_maker_enable(f->st, &admin_now, "Maker", true), 0);
	assert_int_equal(store_maker_trust(f->st, rows, 2, &n), 0);
	assert_int_equal(n, 1);
	free(rows);
}

static void other_methods_may_not_name_a_birth_certificate(void **state)
{
	struct fixture *f = *state;
	struct issue_begin rq = request("PG-1", 1);
	struct token token;

	token_make_for(f->st, "PG-1", &token);
	strcpy(rq.method, "token");
	memcpy(&rq.token, &token.token, sizeof(rq.token));
	assert_int_equal(begin(f, &rq), ERR_INVALID);
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)
	const struct CMUnitTest tests[] = {
		T(makers_that_make_no_sense_are_refused),
		T(one_anchor_is_one_makers),
		T(only_enabled_makers_are_trusted),
		T(who_may_not_vouch_is_refused),
		T(a_model_or_maker_that_the_inventory_does_not_have_is_refused),
		T(a_birth_certificate_stands_for_one_key_and_one_time),
		T(a_pump_that_was_enrolled_with_a_token_is_not_enrolled_by_birth),
		T(on_the_network_a_maker_vouches_by_the_inventory),
		T(after_a_restore_no_maker_is_trusted_until_somebody_says_so),
		T(other_methods_may_not_name_a_birth_certificate),
	};

	return cmocka_run_group_tests_name("sql/makers", tests, NULL, NULL);
}
