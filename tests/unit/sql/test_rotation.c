/* SPDX-License-Identifier: BSD-2-Clause */
/* Rotations: the plan of waves, and the steps of a stored one. */
#include "tests/unit/sql/fixture.h"

#include <stdio.h>
#include <string.h>

#include "sql/store/rotation.h"
#include "sql/store/rotation_plan.h"

#define NOON (12 * 60)

/* ---- the plan ---- */

static struct rotation_member member(const char *ward, const char *model)
{
	struct rotation_member m = {0};

	strcpy(m.ward, ward);
	strcpy(m.model, model);
	return m;
}

static void no_wave_has_two_wards_or_models_or_too_many_pumps(void **state)
{
	struct rotation_member all[60];
	size_t n = 0;
	uint32_t waves;

	(void)state;
	for (int i = 0; i < 25; i++)
		all[n++] = member("A", "One");
	for (int i = 0; i < 5; i++)
		all[n++] = member("A", "Two");
	for (int i = 0; i < 10; i++)
		all[n++] = member("B", "One");
	waves = rotation_plan(all, n, 2, 10);
	/* canaries: the first A/One, the first A/Two; then 24 + 4 + 10 */
	assert_int_equal(waves, 1 + 3 + 1 + 1);
	assert_int_equal(all[0].wave, 0);
	assert_int_equal(all[25].wave, 0);
	for (size_t i = 0; i < n; i++) {
		size_t in_wave = 0;

		for (size_t j = 0; all[i].wave && j < n; j++) {
			if (all[j].wave != all[i].wave)
				continue;
			in_wave++;
			assert_string_equal(all[j].ward, all[i].ward);
			assert_string_equal(all[j].model, all[i].model);
		}
		assert_true(in_wave <= 10);
	}
}

static void without_canaries_wave_0_is_empty_and_with_many_there_is_nothing_else(void **state)
{
	struct rotation_member all[] = {member("A", "One"), member("B", "One")};

	(void)state;
	assert_int_equal(rotation_plan(all, 0, 5, 10), 0);
	assert_int_equal(rotation_plan(all, 2, 0, 10), 3);
	assert_int_equal(all[0].wave, 1);
	assert_int_equal(rotation_plan(all, 2, 5, 10), 1);
}

static void quiet_hours_may_go_over_midnight(void **state)
{
	(void)state;
	assert_false(rotation_is_quiet(0, 0, 0));
	assert_true(rotation_is_quiet(360, 540, 360));
	assert_false(rotation_is_quiet(360, 540, 540));
	assert_true(rotation_is_quiet(1320, 300, 1439));
	assert_true(rotation_is_quiet(1320, 300, 0));
	assert_false(rotation_is_quiet(1320, 300, 300));
}

static void one_canary_halts_it_and_later_a_share(void **state)
{
	(void)state;
	assert_false(rotation_must_halt(0, 0, 5, 0));
	assert_true(rotation_must_halt(0, 1, 5, 100));
	assert_false(rotation_must_halt(3, 2, 100, 2));
	assert_true(rotation_must_halt(3, 3, 100, 2));
}

/* ---- stored rotations ---- */

static const struct rotation_start everybody = {
	.chosen = "all", .canaries = 1, .wave_max = 2, .budget_percent = 50, .patience_ms = 60000};

static struct rotation start(struct fixture *f)
{
	struct rotation r;

	assert_int_equal(store_rotation_start(f->st, &admin_now, &everybody, &r), 0);
	return r;
}

/* Pumps PG-10 and on, `n` of them, each with a certificate. */
static void pumps_enroll(struct fixture *f, unsigned n)
{
	for (unsigned i = 0; i < n; i++) {
		char serial[16], mac[MAC_SIZE];

		snprintf(serial, sizeof(serial), "PG-%u", 10 + i);
		snprintf(mac, sizeof(mac), "02:00:00:00:02:%02x", i);
		pump_add(f->st, serial, mac);
		enroll(f->st, serial, 100 + i, (uint8_t)(100 + i));
	}
}

static struct rotation step_at(struct fixture *f, int64_t at, uint32_t minute, bool seen)
{
	const struct action by = admin_at(at);
	struct rotation_late late[ROTATION_LATE_MAX];
	struct rotation r;
	size_t n = 0;
	bool changed;
	int rc = store_rotation_late(f->st, at, late, &n);

	for (size_t i = 0; i < n; i++)
		late[i].was_seen = seen;
	if (!rc)
		rc = store_rotation_step(f->st, &by, minute, late, n, &changed);
	assert_true(rc == 0 || rc == ERR_NOT_FOUND);
	assert_int_equal(store_rotation_show(f->st, 0, &r), 0);
	return r;
}

static void renewed(struct fixture *f, unsigned serial_no)
{
	char sql[120];

	snprintf(sql, sizeof(sql),
		 "UPDATE certificates SET state = 'superseded' WHERE serial = '%08x'", serial_no);
	sql_run(f->registry, sql);
}

static size_t asked(struct fixture *f, struct renewal_ask out[8])
{
	struct list_query q = {0};
	size_t n;

	assert_int_equal(store_renewal_asked(f->st, &q, out, 8, &n), 0);
	return n;
}

static void nothing_due_is_no_rotation(void **state)
{
	struct fixture *f = *state;
	struct rotation_start due = everybody;
	struct rotation r;

	due.due_percent = 99;
	assert_int_equal(store_rotation_start(f->st, &admin_now, &due, &r), ERR_UNCHANGED);
	pumps_enroll(f, 2);
	assert_int_equal(store_rotation_start(f->st, &admin_now, &due, &r), ERR_UNCHANGED);
	assert_int_equal(store_rotation_show(f->st, 0, &r), ERR_NOT_FOUND);
}

static void values_out_of_bounds_are_refused(void **state)
{
	struct fixture *f = *state;
	struct rotation_start bad = everybody;
	struct rotation r;

	pumps_enroll(f, 1);
	bad.wave_max = 0;
	assert_int_equal(store_rotation_start(f->st, &admin_now, &bad, &r), ERR_INVALID);
	bad = everybody;
	bad.quiet_until = 1440;
	assert_int_equal(store_rotation_start(f->st, &admin_now, &bad, &r), ERR_INVALID);
	bad = everybody;
	bad.patience_ms = 0;
	assert_int_equal(store_rotation_start(f->st, &admin_now, &bad, &r), ERR_INVALID);
}

static void a_dry_run_stores_nothing(void **state)
{
	struct fixture *f = *state;
	struct rotation_start dry = everybody;
	struct rotation_wave waves[8];
	struct rotation r;
	size_t n;

	pumps_enroll(f, 6);
	dry.dry_run = true;
	assert_int_equal(store_rotation_start(f->st, &admin_now, &dry, &r), 0);
	assert_int_equal(r.pumps, 6);
	assert_int_equal(store_rotation_preview(f->st, NOW, &dry, waves, 8, &n), 0);
	assert_int_equal(n, r.waves);
	assert_int_equal(waves[0].pumps, 1);
	assert_int_equal(store_rotation_show(f->st, 0, &r), ERR_NOT_FOUND);
}

static void there_is_one_rotation_at_a_time(void **state)
{
	struct fixture *f = *state;
	struct rotation_step cancel = {.state = "cancelled"};
	struct rotation r;

	pumps_enroll(f, 3);
	cancel.id = start(f).id;
	assert_int_equal(store_rotation_start(f->st, &admin_now, &everybody, &r), ERR_CONFLICT);
	assert_int_equal(store_rotation_change(f->st, &admin_now, &cancel), 0);
	assert_int_equal(store_rotation_change(f->st, &admin_now, &cancel), ERR_UNCHANGED);
	assert_int_equal(store_rotation_start(f->st, &admin_now, &everybody, &r), 0);
}

static void a_wave_waits_for_the_one_before_it(void **state)
{
	struct fixture *f = *state;
	struct renewal_ask a[8];
	struct rotation r;

	pumps_enroll(f, 4); /* canary 100; then 101 and 102; then 103 */
	start(f);
	assert_int_equal(asked(f, a), 0);
	step_at(f, NOW, NOON, false);
	assert_int_equal(asked(f, a), 1);
	assert_string_equal(a[0].cert_serial, "00000064");
	assert_int_equal(a[0].asked_at, NOW);
	step_at(f, NOW + 1000, NOON, false);
	assert_int_equal(asked(f, a), 1);
	renewed(f, 100);
	step_at(f, NOW + 2000, NOON, false);
	assert_int_equal(asked(f, a), 2);
	renewed(f, 101);
	renewed(f, 103); /* by itself, before its turn */
	step_at(f, NOW + 3000, NOON, false);
	assert_int_equal(asked(f, a), 1);
	renewed(f, 102);
	r = step_at(f, NOW + 4000, NOON, false);
	r = step_at(f, NOW + 5000, NOON, false);
	assert_string_equal(r.state, "done");
	assert_int_equal(r.renewed, 4);
}

static void no_wave_begins_in_quiet_hours(void **state)
{
	struct fixture *f = *state;
	struct rotation_start quiet = everybody;
	struct renewal_ask a[8];
	struct rotation r;

	pumps_enroll(f, 2);
	quiet.quiet_from = 360;
	quiet.quiet_until = 540;
	assert_int_equal(store_rotation_start(f->st, &admin_now, &quiet, &r), 0);
	step_at(f, NOW, 400, false);
	assert_int_equal(asked(f, a), 0);
	step_at(f, NOW, 540, false);
	assert_int_equal(asked(f, a), 1);
}

static void a_canary_that_does_not_renew_halts_it_until_people_resume_it(void **state)
{
	struct fixture *f = *state;
	struct rotation_step resume = {.state = "running"};
	struct renewal_ask a[8];
	struct rotation r;

	pumps_enroll(f, 3);
	resume.id = start(f).id;
	step_at(f, NOW, NOON, true);
	r = step_at(f, NOW + 60000, NOON, true);
	assert_string_equal(r.state, "halted");
	assert_int_equal(r.failed, 1);
	assert_string_equal(r.why, "1 of 1 pumps (canaries) failed to renew");
	r = step_at(f, NOW + 120000, NOON, true);
	assert_int_equal(r.wave, 1);
	assert_int_equal(asked(f, a), 1); /* it may still come */
	assert_int_equal(store_rotation_change(f->st, &admin_now, &resume), 0);
	r = step_at(f, NOW + 180000, NOON, true);
	assert_string_equal(r.state, "running");
	assert_int_equal(r.wave, 2);
	renewed(f, 100);
	r = step_at(f, NOW + 181000, NOON, true);
	assert_int_equal(r.failed, 0);
}

static void canaries_that_are_all_away_prove_nothing(void **state)
{
	struct fixture *f = *state;
	struct rotation r;

	pumps_enroll(f, 3);
	start(f);
	step_at(f, NOW, NOON, false);
	r = step_at(f, NOW + 60000, NOON, false);
	assert_string_equal(r.state, "halted");
	assert_int_equal(r.absent, 1);
	assert_int_equal(r.failed, 0);
}

static void pumps_in_a_storeroom_do_not_halt_it(void **state)
{
	struct fixture *f = *state;
	struct rotation r;

	pumps_enroll(f, 3);
	start(f);
	step_at(f, NOW, NOON, false);
	renewed(f, 100);
	step_at(f, NOW + 1000, NOON, false);
	r = step_at(f, NOW + 61000, NOON, false);
	r = step_at(f, NOW + 61001, NOON, false);
	assert_string_equal(r.state, "done");
	assert_int_equal(r.absent, 2);
}

static void revoked_pumps_are_not_waited_for(void **state)
{
	struct fixture *f = *state;
	struct rotation r;

	pumps_enroll(f, 2);
	start(f);
	step_at(f, NOW, NOON, false);
	renewed(f, 100);
	step_at(f, NOW + 1, NOON, false);
	sql_run(f->registry, "UPDATE certificates SET state = 'revoked' WHERE serial = '00000065'");
	r = step_at(f, NOW + 2, NOON, false);
	assert_string_equal(r.state, "done");
	assert_int_equal(r.gone, 1);
}

#define T(name) cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(no_wave_has_two_wards_or_models_or_too_many_pumps),
		cmocka_unit_test(
			without_canaries_wave_0_is_empty_and_with_many_there_is_nothing_else),
		cmocka_unit_test(quiet_hours_may_go_over_midnight),
		cmocka_unit_test(one_canary_halts_it_and_later_a_share),
		T(nothing_due_is_no_rotation),
		T(values_out_of_bounds_are_refused),
		T(a_dry_run_stores_nothing),
		T(there_is_one_rotation_at_a_time),
		T(a_wave_waits_for_the_one_before_it),
		T(no_wave_begins_in_quiet_hours),
		T(a_canary_that_does_not_renew_halts_it_until_people_resume_it),
		T(canaries_that_are_all_away_prove_nothing),
		T(pumps_in_a_storeroom_do_not_halt_it),
		T(revoked_pumps_are_not_waited_for),
	};

	return cmocka_run_group_tests_name("rotation", tests, NULL, NULL);
}
