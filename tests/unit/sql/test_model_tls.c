/* SPDX-License-Identifier: BSD-2-Clause */
/* The floor of TLS of a model, and what is known of the TLS of its pumps. */
#include "tests/unit/sql/fixture.h"

#include <string.h>

#include "policies/reason.h"
#include "sql/store/model_tls.h"

static int floor_set(struct fixture *f, const char *model, uint32_t min)
{
	struct model_tls m = {.min = min, .below = 3};

	strcpy(m.model, model);
	return store_model_tls_set(f->st, &admin_now, &m);
}

static void jail_add(struct fixture *f)
{
	struct zone jail = {.name = "jail", .vlan = 198, .purpose = "quarantine", .session_s = 900};

	assert_int_equal(store_zone_add(f->st, &admin_now, &jail), 0);
}

static uint32_t floor_of(struct fixture *f)
{
	struct pump_facts facts;

	assert_int_equal(store_pump_facts(f->st, ISSUER, "00000001", &facts), 0);
	assert_true(facts.found);
	return facts.tls_min;
}

static void seen(struct fixture *f, const char *verdict, uint32_t tls, const char *cipher,
		 const char *cert, const char *zone, int64_t at)
{
	struct auth_event e = {.at = at,
			       .method = "eap-tls",
			       .device = "PG-1",
			       .mac = "02:00:00:00:00:01",
			       .nas = "ap-1",
			       .tls = tls};

	strcpy(e.verdict, verdict);
	strcpy(e.reason, strcmp(verdict, "quarantine") ? "in-good-standing" : "tls-below-model");
	strcpy(e.tls_cipher, cipher);
	strcpy(e.cert_serial, cert);
	strcpy(e.zone, zone);
	strcpy(e.session_id, zone);
	assert_int_equal(session_store_begin(f->ss), 0);
	assert_int_equal(session_store_auth(f->ss, &e, NOW), 0);
	assert_int_equal(session_store_commit(f->ss), 0);
}

static struct model_pump tls_of(struct fixture *f, const char *device)
{
	struct model_pump p = {0};

	strcpy(p.device, device);
	assert_int_equal(session_store_tls(f->ss, &p), 0);
	return p;
}

static void a_floor_without_a_zone_to_fall_into_is_refused(void **state)
{
	struct fixture *f = *state;

	enroll(f->st, "PG-1", 1, 1);
	assert_int_equal(floor_set(f, "M1", 13), ERR_CONFLICT);
	assert_non_null(strstr(err_text(), "zone add NAME --vlan N --quarantine"));
	assert_int_equal(floor_of(f), 0);
	jail_add(f);
	assert_int_equal(floor_set(f, "M9", 13), ERR_NOT_FOUND);
	assert_int_equal(floor_set(f, "", 13), ERR_INVALID);
	assert_int_equal(floor_set(f, "M1", 11), ERR_INVALID);
	assert_int_equal(floor_set(f, "M1", 14), ERR_INVALID);
	assert_int_equal(floor_set(f, "M1", 0), ERR_UNCHANGED);
	assert_int_equal(floor_of(f), 0);
}

static void a_floor_is_in_the_facts_until_it_is_taken_away(void **state)
{
	struct fixture *f = *state;
	struct list_query q = {.limit = 1};
	struct audit_row row;
	size_t n;

	enroll(f->st, "PG-1", 1, 1);
	jail_add(f);
	assert_int_equal(floor_set(f, "M1", 13), 0);
	assert_int_equal(floor_set(f, "M1", 13), ERR_UNCHANGED);
	assert_int_equal(floor_of(f), 13);
	assert_int_equal(store_audit_tail(f->st, &q, &row, 1, &n), 0);
	assert_string_equal(row.action, "model.tls");
	assert_string_equal(row.detail, "min=1.3 below=3");
	assert_int_equal(floor_set(f, "M1", 12), 0);
	assert_int_equal(floor_of(f), 12);
	assert_int_equal(floor_set(f, "M1", 0), 0);
	assert_int_equal(floor_of(f), 0);
}

static void the_zone_for_what_is_below_is_told_by_its_purpose_alone(void **state)
{
	struct fixture *f = *state;
	struct zone_facts z;

	assert_int_equal(store_zone_facts(f->st, "", &z), ERR_INVALID);
	assert_int_equal(store_zone_facts(f->st, "onboarding", &z), ERR_INVALID);
	assert_int_equal(store_zone_facts(f->st, "quarantine", &z), 0);
	assert_int_equal(z.vlan, 0);
	jail_add(f);
	assert_int_equal(store_zone_facts(f->st, "quarantine", &z), 0);
	assert_string_equal(z.zone, "jail");
	assert_int_equal(z.vlan, 198);
	assert_int_equal(z.session_s, 900);
}

static void what_was_negotiated_last_is_kept_for_each_pump(void **state)
{
	struct fixture *f = *state;
	struct device d = {.serial = "PG-1"};
	struct event e[4];
	size_t n;

	assert_string_equal(tls_of(f, "PG-1").tls, "");
	/* a refusal proves nothing that counts from then on */
	seen(f, "reject", 13, "TLS_AES_128_GCM_SHA256", "00000001", "", NOW);
	assert_int_equal(tls_of(f, "PG-1").tls_at, 0);
	seen(f, "accept", 12, "ECDHE-ECDSA-AES256-GCM-SHA384", "00000001", "wards", NOW + 1);
	seen(f, "accept", 13, "TLS_AES_256_GCM_SHA384", "00000002", "wards", NOW + 2);
	assert_string_equal(tls_of(f, "PG-1").tls, "1.3");
	assert_int_equal(tls_of(f, "PG-1").tls_at, NOW + 2);
	/* MAC authentication tells nothing of TLS, and leaves what is known */
	seen(f, "onboard", 0, "", "", "onboarding", NOW + 3);
	assert_string_equal(tls_of(f, "PG-1").tls_cipher, "TLS_AES_256_GCM_SHA384");
	assert_int_equal(session_store_device(f->ss, &d), 0);
	assert_string_equal(d.tls, "1.3");
	assert_int_equal(session_store_events(f->ss, "PG-1", 0, e, 4, &n), 0);
	assert_int_equal(n, 4);
	assert_string_equal(e[2].tls, "1.2");
	assert_string_equal(e[3].tls_cipher, "TLS_AES_128_GCM_SHA256");
}

static void a_pump_is_low_until_it_is_let_on_otherwise(void **state)
{
	struct fixture *f = *state;

	seen(f, "quarantine", 12, "X", "00000001", "jail", NOW);
	assert_true(tls_of(f, "PG-1").low);
	seen(f, "accept", 13, "Y", "00000001", "wards", NOW + 1);
	assert_false(tls_of(f, "PG-1").low);
	seen(f, "quarantine", 0, "", "00000001", "jail", NOW + 2);
	assert_true(tls_of(f, "PG-1").low);
	assert_false(tls_of(f, "PG-2").low);
}

static void pumps_without_a_certificate_in_force_are_not_asked_about(void **state)
{
	struct fixture *f = *state;
	struct model_query q = {.limit = 1}, none = {.model = "M2"};
	struct model_pump p[4];
	size_t n;

	enroll(f->st, "PG-2", 2, 2);
	assert_int_equal(store_model_pumps(f->st, &q, p, 4, &n), 0);
	assert_int_equal(n, 1);
	assert_string_equal(p[0].device, "PG-2");
	assert_string_equal(p[0].model, "M1");
	assert_string_equal(p[0].key_type, "p256");
	enroll(f->st, "PG-1", 1, 1);
	strcpy(q.model, "M1");
	assert_int_equal(store_model_pumps(f->st, &q, p, 4, &n), 0);
	assert_string_equal(p[0].device, "PG-1");
	strcpy(q.after, "PG-1");
	assert_int_equal(store_model_pumps(f->st, &q, p, 4, &n), 0);
	assert_string_equal(p[0].device, "PG-2");
	strcpy(q.after, "PG-2");
	assert_int_equal(store_model_pumps(f->st, &q, p, 4, &n), 0);
	assert_int_equal(n, 0);
	assert_int_equal(store_model_pumps(f->st, &none, p, 4, &n), 0);
	assert_int_equal(n, 0);
	q.limit = 5;
	assert_int_equal(store_model_pumps(f->st, &q, p, 4, &n), ERR_LIMIT);
}

static void the_quarantine_zone_is_a_right_place_while_there_is_a_floor(void **state)
{
	struct fixture *f = *state;
	struct foothold holds[4];
	struct zone_due due;
	size_t n;

	enroll(f->st, "PG-1", 1, 1);
	jail_add(f);
	seen(f, "quarantine", 12, "X", "00000001", "jail", NOW);
	assert_int_equal(store_zone_due(f->st, "PG-1", &due), 0);
	assert_string_equal(due.low, "");
	assert_int_equal(session_store_misplaced(f->ss, "PG-1", &due, INT64_MAX, holds, 4, &n), 0);
	assert_int_equal(n, 1);
	assert_int_equal(floor_set(f, "M1", 13), 0);
	assert_int_equal(store_zone_due(f->st, "PG-1", &due), 0);
	assert_string_equal(due.zone, "wards");
	assert_string_equal(due.low, "jail");
	assert_int_equal(session_store_misplaced(f->ss, "PG-1", &due, INT64_MAX, holds, 4, &n), 0);
	assert_int_equal(n, 0);
	/* any other place is still a wrong one */
	seen(f, "accept", 13, "X", "00000001", "lobby", NOW + 1);
	assert_int_equal(session_store_misplaced(f->ss, "PG-1", &due, INT64_MAX, holds, 4, &n), 0);
	assert_int_equal(n, 1);
}

#define TEST(fn) cmocka_unit_test_setup_teardown(fn, fixture_setup, fixture_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_floor_without_a_zone_to_fall_into_is_refused),
		TEST(a_floor_is_in_the_facts_until_it_is_taken_away),
		TEST(the_zone_for_what_is_below_is_told_by_its_purpose_alone),
		TEST(what_was_negotiated_last_is_kept_for_each_pump),
		TEST(a_pump_is_low_until_it_is_let_on_otherwise),
		TEST(pumps_without_a_certificate_in_force_are_not_asked_about),
		TEST(the_quarantine_zone_is_a_right_place_while_there_is_a_floor),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
