/* SPDX-License-Identifier: BSD-2-Clause */
/* Break-glass codes at the server: each for one pump, once, until a time, and named afterwards. */
#include "tests/support/cmocka.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "sql/people/glass.h"

#define NOW 1800000000000LL
#define DAY 86400000LL

static char dir[64];
static struct people *p;
static struct login_state says;
static const struct action admin = {.actor = "root", .at = NOW};

static int set_up(void **state)
{
	char path[96];
	unsigned from, to;

	(void)state;
	strcpy(dir, "/tmp/pumpgate-glass-XXXXXX");
	if (!mkdtemp(dir))
		return -1;
	snprintf(path, sizeof(path), "%s/clinicians.db", dir);
	says = (struct login_state){.generation = 5, .journal = {LOGIN_JOURNAL_ID, {1}}};
	return people_upgrade(path, &from, &to) || people_open(path, true, &p);
}

static int tear_down(void **state)
{
	char command[96];

	(void)state;
	people_close(p);
	snprintf(command, sizeof(command), "rm -rf '%s'", dir);
	return system(command);
}

static int issue(const char *device, uint32_t codes, int64_t not_after, uint64_t ids[4])
{
	struct glass_want w = {
		.ward = "ICU", .role = "nurse", .codes = codes, .not_after = not_after};
	struct glass_new made[BREAK_GLASS_PER_PUMP] = {{.salt = {1}, .hash = {2}}};
	int rc = str_copy(w.device, sizeof(w.device), device);

	rc = rc ? rc : people_begin(p);
	rc = rc ? rc : people_glass_add(p, &admin, &w, made, ids);
	if (rc)
		people_rollback(p);
	return rc ? rc : people_commit(p);
}

static size_t held(const char *device, int64_t now)
{
	struct login_code codes[BREAK_GLASS_PER_PUMP];
	size_t n = 99;

	assert_int_equal(people_glass_of(p, device, now, codes, BREAK_GLASS_PER_PUMP, &n), 0);
	return n;
}

/* One record of the pump's journal. */
static void told(const char *device, uint64_t seq, const char *what, uint64_t id)
{
	struct login_record r = {.seq = seq, .at = NOW};
	uint64_t stored;

	strcpy(r.what, what);
	break_glass_detail_build(id, r.detail);
	assert_int_equal(people_begin(p), 0);
	assert_int_equal(people_journal_add(p, device, "ICU", &says, &r, NOW, &stored), 0);
	assert_int_equal(people_commit(p), 0);
}

static bool seen(const char *device, uint64_t generation)
{
	struct login_terms terms;
	bool rolled_back;

	says.generation = generation;
	assert_int_equal(people_begin(p), 0);
	assert_int_equal(people_pump_seen(p, device, &says, NOW, &terms, &rolled_back), 0);
	assert_int_equal(people_commit(p), 0);
	return rolled_back;
}

static int review(uint64_t id, const char *person, const char *reason)
{
	struct glass_review r = {.id = id};

	strcpy(r.person, person);
	strcpy(r.reason, reason);
	return people_glass_review(p, &admin, &r);
}

static void codes_that_make_no_sense_are_refused(void **state)
{
	uint64_t ids[4];

	(void)state;
	assert_int_equal(issue("PG-1", 0, NOW + DAY, ids), ERR_INVALID);
	assert_int_equal(issue("PG-1", 5, NOW + DAY, ids), ERR_INVALID);
	assert_int_equal(issue("PG-1", 1, NOW, ids), ERR_INVALID);
	assert_int_equal(issue("PG-1", 1, NOW + 400 * DAY, ids), ERR_INVALID);
	assert_int_equal(issue("pg 1", 1, NOW + DAY, ids), ERR_INVALID);
	assert_int_equal(held("PG-1", NOW), 0);
}

static void a_used_code_is_held_by_no_pump_and_waits_for_its_review(void **state)
{
	struct glass_count n;
	uint64_t ids[4];

	(void)state;
	assert_int_equal(issue("PG-1", 2, NOW + DAY, ids), 0);
	told("PG-1", 1, "break-glass", ids[0]);
	assert_int_equal(held("PG-1", NOW), 1);
	assert_int_equal(people_glass_count(p, NOW, &n), 0);
	assert_int_equal(n.unreviewed, 1);
	assert_int_equal(n.open, 1);
	assert_int_equal(review(ids[0], "", "why"), ERR_INVALID);
	assert_int_equal(review(ids[0], "Anna", ""), ERR_INVALID);
	assert_int_equal(review(ids[1], "Anna", "network down"), ERR_CONFLICT);
	assert_int_equal(review(99, "Anna", "network down"), ERR_NOT_FOUND);
	assert_int_equal(review(ids[0], "Anna", "network down"), 0);
	assert_int_equal(review(ids[0], "Anna", "network down"), ERR_UNCHANGED);
	assert_int_equal(review(ids[0], "Bert", "network down"), ERR_EXISTS);
	assert_int_equal(people_glass_count(p, NOW, &n), 0);
	assert_int_equal(n.unreviewed, 0);
}

static void another_pumps_word_uses_no_code(void **state)
{
	uint64_t ids[4];

	(void)state;
	assert_int_equal(issue("PG-1", 1, NOW + DAY, ids), 0);
	told("PG-2", 1, "break-glass", ids[0]);
	assert_int_equal(held("PG-1", NOW), 1);
	assert_int_equal(held("PG-2", NOW), 0);
}

static void codes_end_with_their_time(void **state)
{
	uint64_t ids[4];

	(void)state;
	assert_int_equal(issue("PG-1", 1, NOW + DAY, ids), 0);
	assert_int_equal(held("PG-1", NOW + DAY - 1), 1);
	assert_int_equal(held("PG-1", NOW + DAY), 0);
}

static void a_new_envelope_ends_the_one_before(void **state)
{
	uint64_t first[4], second[4];

	(void)state;
	assert_int_equal(issue("PG-1", 2, NOW + DAY, first), 0);
	assert_int_equal(issue("PG-1", 1, NOW + DAY, second), 0);
	assert_int_equal(held("PG-1", NOW), 1);
	assert_true(second[0] > first[1]);
	told("PG-1", 1, "break-glass", first[0]); /* before the pump heard of it */
	assert_int_equal(review(first[0], "Anna", "had the old envelope"), 0);
}

static void a_pump_that_shows_an_older_store_holds_no_code_any_more(void **state)
{
	uint64_t ids[4];

	(void)state;
	assert_int_equal(issue("PG-1", 2, NOW + DAY, ids), 0);
	assert_false(seen("PG-1", 5));
	assert_int_equal(held("PG-1", NOW), 2);
	assert_true(seen("PG-1", 4));
	assert_int_equal(held("PG-1", NOW), 0);
}

static void a_pump_whose_store_is_gone_holds_no_code_any_more(void **state)
{
	uint64_t ids[4];

	(void)state;
	assert_int_equal(issue("PG-1", 2, NOW + DAY, ids), 0);
	assert_false(seen("PG-1", 0)); /* for the first time */
	assert_int_equal(held("PG-1", NOW), 2);
	assert_false(seen("PG-1", 7));
	assert_false(seen("PG-1", 0));
	assert_int_equal(held("PG-1", NOW), 0);
}

static void a_pump_that_found_an_old_copy_itself_holds_no_code_any_more(void **state)
{
	uint64_t ids[4];

	(void)state;
	assert_int_equal(issue("PG-1", 2, NOW + DAY, ids), 0);
	told("PG-1", 1, "rolled-back", 0);
	assert_int_equal(held("PG-1", NOW), 0);
}

static void a_lost_envelope_is_made_void_by_ward(void **state)
{
	const struct glass_void lost = {.ward = "ICU", .reason = "lost"};
	const struct glass_void nothing = {.reason = "lost"};
	uint64_t ids[4], n;

	(void)state;
	assert_int_equal(issue("PG-1", 2, NOW + DAY, ids), 0);
	assert_int_equal(issue("PG-2", 1, NOW + DAY, ids), 0);
	assert_int_equal(people_glass_void(p, &admin, &nothing, &n), ERR_INVALID);
	assert_int_equal(people_glass_void(p, &admin, &lost, &n), 0);
	assert_int_equal(n, 3);
	assert_int_equal(held("PG-1", NOW) + held("PG-2", NOW), 0);
	assert_int_equal(people_glass_void(p, &admin, &lost, &n), ERR_UNCHANGED);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define T(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
		T(codes_that_make_no_sense_are_refused),
		T(another_pumps_word_uses_no_code),
		T(codes_end_with_their_time),
		T(a_new_envelope_ends_the_one_before),
		T(a_pump_that_shows_an_older_store_holds_no_code_any_more),
		T(a_pump_whose_store_is_gone_holds_no_code_any_more),
		T(a_pump_that_found_an_old_copy_itself_holds_no_code_any_more),
		T(a_lost_envelope_is_made_void_by_ward),
		T(a_used_code_is_held_by_no_pump_and_waits_for_its_review),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
