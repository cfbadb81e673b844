/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/unit/sql/fixture.h"

#include <string.h>

static const struct revoke stolen = {.device = "PG-1", .reason = "stolen"};

static struct ledger_entry entry(bool revoked, uint64_t seq, const char *serial, const char *device)
{
	struct ledger_entry e = {.revoked = revoked, .seq = seq, .at = NOW};

	strcpy(e.cert_serial, serial);
	strcpy(e.device, device);
	return e;
}

static void told(struct fixture *f, struct ledger_entry e, size_t want_found)
{
	size_t found = 99;

	assert_int_equal(store_ledger_entries(f->st, NOW, &e, 1, &found), 0);
	assert_int_equal(found, want_found);
}

static const char *state_of(struct fixture *f, const char *serial)
{
	static struct pump_facts facts;

	assert_int_equal(store_pump_facts(f->st, ISSUER, serial, &facts), 0);
	return facts.found ? facts.device_state : "unknown";
}

static void entries_of_two_lists_and_none_at_all_are_refused(void **state)
{
	struct fixture *f = *state;
	struct ledger_position p;
	struct ledger_entry two[] = {entry(true, 1, "01", "PG-1"), entry(false, 1, "02", "PG-1")};
	size_t found;

	assert_int_equal(store_ledger_entries(f->st, NOW, two, 2, &found), ERR_INVALID);
	assert_int_equal(store_ledger_entries(f->st, NOW, two, 0, &found), ERR_INVALID);
	assert_int_equal(store_ledger_position(f->st, &p), 0);
	assert_int_equal(p.revoked + p.issued, 0);
}

static void a_forgotten_revocation_holds_just_its_pump_back(void **state)
{
	struct fixture *f = *state;
	struct issue_grant grant;
	struct issue_begin begin;
	struct token token;

	enroll(f->st, "PG-1", 1, 1);
	enroll(f->st, "PG-2", 2, 2);
	token_make_for(f->st, "PG-1", &token);
	told(f, entry(true, 1, "00000001", "PG-1"), 1);
	assert_string_equal(state_of(f, "00000001"), "held");
	assert_string_equal(state_of(f, "00000002"), "enrolled");
	begin = token_request("PG-1", &token, 3, 3);
	assert_int_equal(store_issue_begin(f->st, &admin_now, &begin, &grant), ERR_CONFLICT);
	assert_non_null(strstr(err_text(), "restored-gap: "));
	told(f, entry(true, 1, "00000001", "PG-1"), 0); /* told again: no news */
	assert_int_equal(sql_number(f->registry, "SELECT count(*) FROM restored_gap"), 1);
}

static void a_revocation_of_a_pump_by_a_certificate_that_was_lost_holds_it_too(void **state)
{
	struct fixture *f = *state;

	enroll(f->st, "PG-1", 1, 1);
	told(f, entry(true, 1, "0000000f", "PG-1"), 1);
	assert_string_equal(state_of(f, "00000001"), "held");
}

static void a_lost_certificate_voids_the_open_token_of_its_pump_only(void **state)
{
	struct fixture *f = *state;
	struct issue_grant grant;
	struct issue_begin one, two;
	struct token token_1, token_2;

	token_make_for(f->st, "PG-1", &token_1);
	token_make_for(f->st, "PG-2", &token_2);
	told(f, entry(false, 1, "0000000f", "PG-1"), 1);
	one = token_request("PG-1", &token_1, 1, 1);
	two = token_request("PG-2", &token_2, 2, 2);
	assert_int_equal(store_issue_begin(f->st, &admin_now, &one, &grant), ERR_EXPIRED);
	assert_int_equal(store_issue_begin(f->st, &admin_now, &two, &grant), 0);
}

static void what_is_known_is_no_gap_and_moves_the_position(void **state)
{
	struct fixture *f = *state;
	struct ledger_entry out[4];
	struct ledger_position p;
	struct revocation r;
	size_t n;

	enroll(f->st, "PG-1", 1, 1);
	assert_int_equal(store_revoke(f->st, &admin_now, &stolen, NOW, NULL, 0, &r), 0);
	assert_int_equal(r.unkept, 1);
	assert_int_equal(r.kept_at, 0);
	assert_int_equal(store_unkept(f->st, out, 4, &n), 0);
	assert_int_equal(n, 1);
	assert_string_equal(out[0].cert_serial, "00000001");
	assert_string_equal(out[0].device, "PG-1");
	told(f, entry(false, 7, "00000001", "PG-1"), 0);
	told(f, entry(true, 3, "00000001", "PG-1"), 0);
	assert_int_equal(store_unkept(f->st, out, 4, &n), 0);
	assert_int_equal(n, 0);
	assert_int_equal(store_revocation(f->st, "PG-1", &r), 0);
	assert_int_equal(r.unkept, 0);
	assert_int_equal(r.kept_at, NOW);
	assert_int_equal(store_ledger_position(f->st, &p), 0);
	assert_int_equal(p.issued, 7);
	assert_int_equal(p.revoked, 3);
	assert_string_equal(p.revoked_serial, "00000001");
}

static void a_copy_lets_nobody_on_before_the_signer_was_heard(void **state)
{
	struct fixture *f = *state;
	struct mac_facts mac;

	enroll(f->st, "PG-1", 1, 1);
	assert_int_equal(store_mark_copy(f->st, &admin_now, "backup.restore", ""), 0);
	assert_string_equal(state_of(f, "00000001"), "held");
	assert_int_equal(store_mac_facts(f->st, "02:00:00:00:00:02", &mac), 0);
	assert_string_equal(mac.device_state, "held");
	assert_int_equal(store_ledger_compared(f->st, NOW), 0);
	assert_string_equal(state_of(f, "00000001"), "enrolled");
	assert_int_equal(store_ledger_compared(f->st, NOW), ERR_UNCHANGED);
}

static void settling_needs_the_revocation_first(void **state)
{
	char held[4][DEVICE_SERIAL_SIZE];
	struct fixture *f = *state;
	struct revocation r;
	uint32_t lost = 99;
	size_t n;

	enroll(f->st, "PG-1", 1, 1);
	told(f, entry(true, 1, "00000001", "PG-1"), 1);
	told(f, entry(false, 2, "0000000f", "PG-2"), 1);
	assert_int_equal(store_held(f->st, held, 4, &n), 0);
	assert_int_equal(n, 1);
	assert_string_equal(held[0], "PG-1");
	assert_int_equal(store_revoke(f->st, &admin_now, &stolen, NOW, NULL, 0, &r), 0);
	assert_int_equal(store_held_settle(f->st, "PG-1", NOW), 0);
	assert_string_equal(state_of(f, "00000001"), "revoked");
	assert_int_equal(store_lost_settle(f->st, &admin_now, &lost), 0);
	assert_int_equal(lost, 1);
	assert_int_equal(
		sql_number(f->registry, "SELECT count(*) FROM restored_gap WHERE merged_at = 0"),
		0);
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)
	const struct CMUnitTest tests[] = {
		T(entries_of_two_lists_and_none_at_all_are_refused),
		T(a_forgotten_revocation_holds_just_its_pump_back),
		T(a_revocation_of_a_pump_by_a_certificate_that_was_lost_holds_it_too),
		T(a_lost_certificate_voids_the_open_token_of_its_pump_only),
		T(what_is_known_is_no_gap_and_moves_the_position),
		T(a_copy_lets_nobody_on_before_the_signer_was_heard),
		T(settling_needs_the_revocation_first),
	};

	return cmocka_run_group_tests_name("ledger", tests, NULL, NULL);
}
