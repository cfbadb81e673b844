/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/unit/sql/fixture.h"

#include <string.h>

static int add_one(struct store *st, const char *serial, const char *mac, const char *zone)
{
	struct device d = {.maker = "Maker", .model = "M1", .ward = "3B"};
	struct add_outcome out;

	strcpy(d.serial, serial);
	strcpy(d.mac, mac);
	strcpy(d.zone, zone);
	assert_int_equal(store_device_add(st, &admin_now, &d, 1, &out), 0);
	return -(int)out.code;
}

static void malformed_serials_and_addresses_are_refused(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(add_one(f->st, "", "02:00:00:00:00:09", "wards"), ERR_INVALID);
	assert_int_equal(add_one(f->st, "pg-9", "02:00:00:00:00:09", "wards"), ERR_INVALID);
	assert_int_equal(add_one(f->st, "PG 9", "02:00:00:00:00:09", "wards"), ERR_INVALID);
	assert_int_equal(add_one(f->st, "PG'9", "02:00:00:00:00:09", "wards"), ERR_INVALID);
	assert_int_equal(add_one(f->st, "PG-9", "02:00:00:00:00", "wards"), ERR_INVALID);
	assert_int_equal(add_one(f->st, "PG-9", "02:00:00:00:00:0g", "wards"), ERR_INVALID);
	assert_int_equal(add_one(f->st, "PG-9", "ff:ff:ff:ff:ff:ff", "wards"), ERR_INVALID);
	assert_int_equal(add_one(f->st, "PG-9", "0:20:0:0:00:00:09", "wards"), ERR_INVALID);
	assert_int_equal(add_one(f->st, "PG-9", "00:00:00:00:00:00", "wards"), ERR_INVALID);
	assert_int_equal(add_one(f->st, "PG-9", "02:00:00:00:00:09", ""), ERR_INVALID);
}

static void unknown_zone_is_refused_with_the_next_step(void **state)
{
	struct device d = {.serial = "PG-9", .mac = "02:00:00:00:00:09", .zone = "nowhere"};
	struct fixture *f = *state;
	struct add_outcome out;

	assert_int_equal(store_device_add(f->st, &admin_now, &d, 1, &out), 0);
	assert_int_equal(out.code, -ERR_NOT_FOUND);
	assert_non_null(strstr(out.text, "pumpctl zone add nowhere"));
}

static void second_pump_with_the_same_mac_is_refused_in_any_spelling(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(add_one(f->st, "PG-9", "02-00-00-00-00-01", "wards"), ERR_EXISTS);
	assert_non_null(strstr(err_text(), "PG-1"));
	assert_int_equal(add_one(f->st, "PG-9", "020000000001", "wards"), ERR_EXISTS);
}

static void same_pump_again_is_unchanged_and_a_different_one_says_what_differs(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(add_one(f->st, "PG-1", "02-00-00-00-00-01", "wards"), ERR_UNCHANGED);
	assert_int_equal(add_one(f->st, "PG-1", "02:00:00:00:00:77", "wards"), ERR_EXISTS);
	assert_non_null(strstr(err_text(), "another MAC address"));
}

static void one_bad_row_does_not_keep_the_others_out(void **state)
{
	struct device d[3] = {{.serial = "PG-7", .mac = "02:00:00:00:00:07", .zone = "wards"},
			      {.serial = "PG-8", .mac = "nonsense", .zone = "wards"},
			      {.serial = "PG-7", .mac = "02:00:00:00:00:09", .zone = "wards"}};
	struct fixture *f = *state;
	struct add_outcome out[3];
	struct device shown;

	assert_int_equal(store_device_add(f->st, &admin_now, d, 3, out), 0);
	assert_int_equal(out[0].code, 0);
	assert_int_equal(out[1].code, -ERR_INVALID);
	assert_int_equal(out[2].code, -ERR_EXISTS); /* twice in one file */
	assert_int_equal(store_device_show(f->st, "PG-7", NOW, &shown), 0);
	assert_string_equal(shown.state, "expected");
	assert_int_equal(shown.vlan, 120);
	assert_int_equal(store_device_show(f->st, "PG-8", NOW, &shown), ERR_NOT_FOUND);
}

static void zones_have_bounds_and_only_one_is_for_onboarding(void **state)
{
	struct zone z = {.name = "lab", .vlan = 0};
	struct fixture *f = *state;

	assert_int_equal(store_zone_add(f->st, &admin_now, &z), ERR_INVALID);
	z.vlan = 4095;
	assert_int_equal(store_zone_add(f->st, &admin_now, &z), ERR_INVALID);
	z.vlan = 130;
	strcpy(z.purpose, "onboarding");
	assert_int_equal(store_zone_add(f->st, &admin_now, &z), ERR_EXISTS);
	strcpy(z.purpose, "garage");
	assert_int_equal(store_zone_add(f->st, &admin_now, &z), ERR_INVALID);
	z.purpose[0] = '\0';
	assert_int_equal(store_zone_add(f->st, &admin_now, &z), 0);
	assert_int_equal(store_zone_add(f->st, &admin_now, &z), ERR_UNCHANGED);
	z.vlan = 131;
	assert_int_equal(store_zone_add(f->st, &admin_now, &z), ERR_EXISTS);
	strcpy(z.name, "a b");
	assert_int_equal(store_zone_add(f->st, &admin_now, &z), ERR_INVALID);
}

static void nas_is_found_by_its_canonical_address_and_never_changes_silently(void **state)
{
	struct nas nas = {.name = "ap-6", .ip = "2001:db8:0:0::1", .secret = {.len = 10}};
	struct fixture *f = *state;
	struct nas_facts facts;

	memcpy(nas.secret.data, "abcdefghij", 10);
	assert_int_equal(store_nas_add(f->st, &admin_now, &nas), 0);
	assert_int_equal(store_nas_facts(f->st, "2001:db8::1", &facts), 0);
	assert_true(facts.found && facts.enabled);
	assert_int_equal(facts.secret.len, 10);
	assert_int_equal(store_nas_add(f->st, &admin_now, &nas), ERR_UNCHANGED);
	nas.secret.data[0] = 'X';
	assert_int_equal(store_nas_add(f->st, &admin_now, &nas), ERR_EXISTS);
	strcpy(nas.name, "ap-7");
	assert_int_equal(store_nas_add(f->st, &admin_now, &nas), ERR_EXISTS);
	assert_non_null(strstr(err_text(), "ap-6"));
	strcpy(nas.ip, "10.0.0.999");
	assert_int_equal(store_nas_add(f->st, &admin_now, &nas), ERR_INVALID);
	nas.secret.len = 3;
	strcpy(nas.ip, "10.0.0.99");
	assert_int_equal(store_nas_add(f->st, &admin_now, &nas), ERR_INVALID);
	assert_int_equal(store_nas_facts(f->st, "10.0.0.99", &facts), 0);
	assert_false(facts.found);
}

static void lists_go_on_after_a_key_and_refuse_more_than_the_maximum(void **state)
{
	struct list_query q = {.limit = 1};
	struct fixture *f = *state;
	struct device rows[2];
	size_t n;

	assert_int_equal(store_device_list(f->st, &q, NOW, rows, 2, &n), 0);
	assert_int_equal(n, 1);
	assert_string_equal(rows[0].serial, "PG-1");
	strcpy(q.after, "PG-1");
	assert_int_equal(store_device_list(f->st, &q, NOW, rows, 2, &n), 0);
	assert_string_equal(rows[0].serial, "PG-2");
	strcpy(q.after, "PG-2");
	assert_int_equal(store_device_list(f->st, &q, NOW, rows, 2, &n), 0);
	assert_int_equal(n, 0);
	q = (struct list_query){.limit = STORE_LIST_MAX + 1};
	assert_int_equal(store_device_list(f->st, &q, NOW, rows, 2, &n), ERR_LIMIT);
	q = (struct list_query){.state = "revoked"};
	assert_int_equal(store_device_list(f->st, &q, NOW, rows, 2, &n), 0);
	assert_int_equal(n, 0);
}

static void mac_facts_name_the_onboarding_zone_not_the_pumps_own(void **state)
{
	struct token_create rq = {.device = "PG-1", .ttl_ms = 60000, .mab_window_ms = 600000};
	struct fixture *f = *state;
	struct mac_facts facts;
	struct token token;

	assert_int_equal(store_mac_facts(f->st, "02:00:00:00:00:99", &facts), 0);
	assert_false(facts.found);
	assert_int_equal(store_mac_facts(f->st, "not a MAC", &facts), 0);
	assert_false(facts.found);
	assert_int_equal(store_mac_facts(f->st, "02-00-00-00-00-01", &facts), 0);
	assert_true(facts.found);
	assert_int_equal(facts.window_until, 0);
	assert_int_equal(facts.vlan, 900);
	assert_int_equal(store_token_create(f->st, &admin_now, &rq, &token), 0);
	assert_int_equal(store_mac_facts(f->st, "02:00:00:00:00:01", &facts), 0);
	assert_int_equal(facts.window_until, NOW + 600000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define WITH(t) cmocka_unit_test_setup_teardown(t, fixture_setup, fixture_teardown)
		WITH(malformed_serials_and_addresses_are_refused),
		WITH(unknown_zone_is_refused_with_the_next_step),
		WITH(second_pump_with_the_same_mac_is_refused_in_any_spelling),
		WITH(same_pump_again_is_unchanged_and_a_different_one_says_what_differs),
		WITH(one_bad_row_does_not_keep_the_others_out),
		WITH(zones_have_bounds_and_only_one_is_for_onboarding),
		WITH(nas_is_found_by_its_canonical_address_and_never_changes_silently),
		WITH(lists_go_on_after_a_key_and_refuse_more_than_the_maximum),
		WITH(mac_facts_name_the_onboarding_zone_not_the_pumps_own),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
