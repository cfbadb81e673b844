/* SPDX-License-Identifier: BSD-2-Clause */
/* Who may come in while the server is away, on a clock of the test's own. */
#include "tests/support/cmocka.h"

#include <stdio.h>
#include <string.h>

#include "pump_agent/login/offline.h"

#define HOUR INT64_C(3600000)
#define BASE_MS INT64_C(1790000000000)

static const struct offline_verifier VERIFIER = {.salt = {1}, .hash = {2}};
static const uint8_t RIGHT[PIN_HASH_BYTES] = {2};
static const uint8_t WRONG[PIN_HASH_BYTES] = {3};

static struct offline o;
static struct age_now now;

static void wait_ms(int64_t ms)
{
	now.wall_ms += ms;
	now.boot_ms += ms;
}

static struct login_grant grant_of(const char *user)
{
	struct login_grant g = {.role = "nurse",
				.session_s = 600,
				.idle_s = 120,
				.offline = true,
				.offline_s = 72 * 3600,
				.offline_failures = 5,
				.offline_people = 50};

	assert_int_equal(str_copy(g.user, sizeof(g.user), user), 0);
	return g;
}

static void granted(const char *user, const char *badge)
{
	struct login_grant g = grant_of(user);

	offline_grant(&o, &(struct offline_key){badge, false}, &g, &VERIFIER);
}

static enum offline_verdict login(const char *badge, const uint8_t hash[PIN_HASH_BYTES])
{
	const struct offline_key k = {badge, false};
	struct offline_person p;
	enum offline_verdict v = offline_try(&o, &now, &k, &p);

	return v == OFFLINE_OK ? offline_judge(&o, &now, &k, hash) : v;
}

static enum offline_verdict by_password(const char *name, const uint8_t hash[PIN_HASH_BYTES])
{
	const struct offline_key k = {name, true};
	struct offline_person p;
	enum offline_verdict v = offline_try(&o, &now, &k, &p);

	return v == OFFLINE_OK ? offline_judge(&o, &now, &k, hash) : v;
}

/* What a server says that has nothing to say. */
static struct login_terms terms_of(void)
{
	return (struct login_terms){.policy_epoch = 1, .tombstone = o.head.tombstone};
}

static enum offline_heard hear(const struct login_terms *t, const struct login_tombstone *stones,
			       size_t n)
{
	struct offline_news news = {.terms = t, .tombstones = stones, .n_tombstones = n};

	return offline_hear(&o, &now, &news);
}

static void hear_codes(const struct login_code *codes, size_t n)
{
	struct login_terms t = terms_of();
	struct offline_news news = {.terms = &t, .codes = codes, .n_codes = n, .has_codes = true};

	(void)offline_hear(&o, &now, &news);
}

static struct login_code code_of(uint64_t id, int64_t not_after)
{
	return (struct login_code){.id = id,
				   .salt.len = BREAK_GLASS_SALT,
				   .hash = {BREAK_GLASS_HASH, {(uint8_t)id}},
				   .not_after = not_after,
				   .role = "emergency",
				   .session_s = 900};
}

static int set_up(void **state)
{
	struct login_terms t = {.policy_epoch = 1};

	(void)state;
	now = (struct age_now){.wall_ms = BASE_MS, .boot_ms = 50000, .boot = "boot-1"};
	offline_init(&o, "PG-1");
	(void)hear(&t, NULL, 0);
	granted("anna", "1001");
	return 0;
}

/* ---- refusals ---- */

static void a_badge_that_never_logged_in_here_is_refused(void **state)
{
	(void)state;
	assert_int_equal(login("1002", RIGHT), OFFLINE_UNKNOWN);
	assert_int_equal(login("", RIGHT), OFFLINE_UNKNOWN);
	assert_int_equal(login("anna", RIGHT), OFFLINE_UNKNOWN);
}

static void after_five_wrong_pins_the_right_one_is_refused(void **state)
{
	(void)state;
	for (int i = 0; i < 5; i++)
		assert_int_equal(login("1001", WRONG), OFFLINE_WRONG);
	assert_int_equal(login("1001", RIGHT), OFFLINE_UNKNOWN);
	assert_int_equal(o.head.n_people, 0);
	assert_string_equal(o.records[0].what, "refused");
	assert_int_equal(o.head.n_records, 1);
}

static void a_try_counts_before_it_is_judged(void **state)
{
	struct offline_person p;

	(void)state;
	for (int i = 0; i < 5; i++) /* the plug is pulled before the answer */
		assert_int_equal(offline_try(&o, &now, &(struct offline_key){"1001", false}, &p),
				 OFFLINE_OK);
	assert_int_equal(login("1001", RIGHT), OFFLINE_UNKNOWN);
}

static void after_72_hours_of_running_a_person_is_unknown(void **state)
{
	(void)state;
	wait_ms(72 * HOUR - 1);
	assert_int_equal(login("1001", RIGHT), OFFLINE_OK);
	wait_ms(1);
	assert_int_equal(login("1001", RIGHT), OFFLINE_UNKNOWN);
}

static void a_server_cannot_grant_more_than_72_hours_or_5_failures(void **state)
{
	struct login_grant g = grant_of("bert");

	(void)state;
	g.offline_s = UINT32_MAX;
	g.offline_failures = 1000;
	offline_grant(&o, &(struct offline_key){"1002", false}, &g, &VERIFIER);
	assert_int_equal(o.people[1].failures_max, 5);
	wait_ms(72 * HOUR);
	assert_int_equal(login("1002", RIGHT), OFFLINE_UNKNOWN);
}

static void a_clock_set_back_while_running_does_not_lengthen_a_life(void **state)
{
	(void)state;
	wait_ms(71 * HOUR);
	now.wall_ms -= 71 * HOUR;
	assert_int_equal(login("1001", RIGHT), OFFLINE_CLOCK);
	wait_ms(HOUR);
	assert_int_equal(login("1001", RIGHT), OFFLINE_UNKNOWN);
}

static void a_clock_set_back_over_a_restart_is_refused(void **state)
{
	(void)state;
	wait_ms(10 * HOUR);
	assert_int_equal(login("1001", RIGHT), OFFLINE_OK);
	now = (struct age_now){.wall_ms = BASE_MS, .boot_ms = 1000, .boot = "boot-2"};
	assert_int_equal(login("1001", RIGHT), OFFLINE_CLOCK);
	wait_ms(20 * HOUR); /* nobody has said that it is right now */
	assert_int_equal(login("1001", RIGHT), OFFLINE_CLOCK);
	assert_string_equal(o.records[1].what, "clock-set-back");
	assert_int_equal(o.head.n_records, 2);
}

static void a_clock_set_back_and_forth_is_for_the_server_to_judge(void **state)
{
	(void)state;
	now.wall_ms -= HOUR;
	assert_int_equal(login("1001", RIGHT), OFFLINE_CLOCK);
	now.wall_ms += HOUR;
	assert_int_equal(login("1001", RIGHT), OFFLINE_CLOCK);
}

static void the_time_that_a_pump_was_off_counts(void **state)
{
	(void)state;
	now = (struct age_now){.wall_ms = BASE_MS + 72 * HOUR, .boot_ms = 1000, .boot = "boot-2"};
	assert_int_equal(login("1001", RIGHT), OFFLINE_UNKNOWN);
}

static void a_tombstone_takes_a_person_away(void **state)
{
	struct login_terms t = terms_of();
	struct login_tombstone stone = {.seq = 7, .user = "anna"};

	(void)state;
	t.tombstone = 7;
	granted("bert", "1002");
	assert_int_equal(hear(&t, &stone, 1), OFFLINE_HEARD_LESS);
	assert_int_equal(login("1001", RIGHT), OFFLINE_UNKNOWN);
	assert_int_equal(login("1002", RIGHT), OFFLINE_OK);
	assert_int_equal(o.head.tombstone, 7);
}

static void a_new_epoch_takes_everybody_away(void **state)
{
	struct login_terms t = terms_of();

	(void)state;
	t.policy_epoch = 2;
	assert_int_equal(hear(&t, NULL, 0), OFFLINE_HEARD_LESS);
	assert_int_equal(login("1001", RIGHT), OFFLINE_UNKNOWN);
}

static void a_login_that_the_server_did_not_grant_offline_takes_away_what_was_there(void **state)
{
	struct login_grant g = grant_of("anna");

	(void)state;
	g.offline = false;
	offline_grant(&o, &(struct offline_key){"1001", false}, &g, &VERIFIER);
	assert_int_equal(o.head.n_people, 0);
	granted("anna", "1001");
	g = grant_of("anna");
	g.directory = true; /* the directory's password is not for a file */
	offline_grant(&o, &(struct offline_key){"1001", false}, &g, &VERIFIER);
	assert_int_equal(o.head.n_people, 0);
}

static void a_password_is_kept_only_under_a_tpm(void **state)
{
	const struct offline_key k = {"berta", true};
	struct offline_verifier v = VERIFIER;
	struct login_grant g = grant_of("berta");

	(void)state;
	g.directory = true;
	offline_grant(&o, &k, &g, &v);
	assert_int_equal(by_password("berta", RIGHT), OFFLINE_UNKNOWN);
	v.is_of_tpm = true;
	offline_grant(&o, &k, &g, &v);
	assert_int_equal(by_password("berta", RIGHT), OFFLINE_OK);
	assert_string_equal(o.records[0].method, "password");
	offline_grant(&o, &k, &g, NULL); /* let in, and the pump may keep it no longer */
	assert_int_equal(by_password("berta", RIGHT), OFFLINE_UNKNOWN);
}

static void a_name_is_no_badge_and_a_badge_no_name(void **state)
{
	const struct offline_key k = {"1001", true};
	struct offline_verifier v = {.salt = {1}, .hash = {3}, .is_of_tpm = true};
	struct login_grant g = grant_of("mallory");

	(void)state;
	offline_grant(&o, &k, &g, &v); /* an account that is called like anna's badge */
	assert_int_equal(login("1001", WRONG), OFFLINE_WRONG);
	assert_int_equal(by_password("1001", RIGHT), OFFLINE_WRONG);
	assert_int_equal(by_password("1001", WRONG), OFFLINE_OK); /* that is mallory's */
	assert_int_equal(login("1001", RIGHT), OFFLINE_OK);
	assert_string_equal(o.records[1].user, "anna");
}

static void after_five_wrong_passwords_the_right_one_is_refused_and_the_pin_is_not(void **state)
{
	const struct offline_key k = {"anna", true};
	struct offline_verifier v = VERIFIER;
	struct login_grant g = grant_of("anna");

	(void)state;
	v.is_of_tpm = true;
	offline_grant(&o, &k, &g, &v);
	assert_int_equal(o.head.n_people, 2);
	for (int i = 0; i < 5; i++)
		assert_int_equal(by_password("anna", WRONG), OFFLINE_WRONG);
	assert_int_equal(by_password("anna", RIGHT), OFFLINE_UNKNOWN);
	assert_int_equal(login("1001", RIGHT), OFFLINE_OK);
}

static void a_tombstone_takes_the_password_away_too(void **state)
{
	const struct offline_key k = {"anna", true};
	struct offline_verifier v = VERIFIER;
	struct login_grant g = grant_of("anna");
	struct login_terms t = terms_of();
	struct login_tombstone stone = {.seq = 7, .user = "anna"};

	(void)state;
	v.is_of_tpm = true;
	offline_grant(&o, &k, &g, &v);
	t.tombstone = 7;
	assert_int_equal(hear(&t, &stone, 1), OFFLINE_HEARD_LESS);
	assert_int_equal(by_password("anna", RIGHT), OFFLINE_UNKNOWN);
	assert_int_equal(o.head.n_people, 0);
}

static void a_badge_that_changed_hands_is_the_last_ones(void **state)
{
	(void)state;
	granted("bert", "1001");
	assert_int_equal(o.head.n_people, 1);
	assert_string_equal(o.people[0].user, "bert");
}

static void the_51st_person_takes_the_place_of_the_oldest(void **state)
{
	char user[16], badge[16];

	(void)state;
	for (int i = 0; i < 50; i++) {
		snprintf(user, sizeof(user), "u%d", i);
		snprintf(badge, sizeof(badge), "b%d", i);
		granted(user, badge);
	}
	assert_int_equal(o.head.n_people, 50);
	assert_int_equal(login("1001", RIGHT), OFFLINE_UNKNOWN);
	assert_int_equal(login("b0", RIGHT), OFFLINE_OK);
}

static void a_full_journal_lets_nobody_in_by_pin_but_by_code(void **state)
{
	struct login_code k = code_of(1, BASE_MS + HOUR);

	(void)state;
	hear_codes(&k, 1);
	while (o.head.n_records < OFFLINE_RECORDS_MAX - OFFLINE_RECORDS_SPARE)
		assert_int_equal(login("1001", RIGHT), OFFLINE_OK);
	assert_int_equal(login("1001", RIGHT), OFFLINE_FULL);
	assert_int_equal(offline_code_use(&o, &now, 0), OFFLINE_OK);
}

static void a_code_works_once(void **state)
{
	struct login_code k = code_of(5, BASE_MS + HOUR);

	(void)state;
	hear_codes(&k, 1);
	assert_int_equal(offline_code_use(&o, &now, 0), OFFLINE_OK);
	assert_int_equal(offline_code_use(&o, &now, 0), OFFLINE_UNKNOWN);
	hear_codes(&k, 1); /* the server has not heard of it yet */
	assert_int_equal(offline_code_use(&o, &now, 0), OFFLINE_UNKNOWN);
	assert_string_equal(o.records[0].what, "break-glass");
	assert_int_equal(break_glass_detail_parse(o.records[0].detail), 5);
}

static void a_code_ends_with_its_time_also_under_a_clock_set_back(void **state)
{
	struct login_code k = code_of(5, BASE_MS + HOUR);

	(void)state;
	hear_codes(&k, 1);
	wait_ms(HOUR);
	(void)offline_tick(&o, &now);
	assert_int_equal(offline_code_use(&o, &now, 0), OFFLINE_UNKNOWN);
	now.wall_ms -= HOUR;
	assert_int_equal(offline_code_use(&o, &now, 0), OFFLINE_UNKNOWN);
}

static void a_code_that_the_server_no_longer_names_is_void(void **state)
{
	struct login_code k[2] = {code_of(5, BASE_MS + HOUR), code_of(6, BASE_MS + HOUR)};

	(void)state;
	hear_codes(k, 2);
	hear_codes(k + 1, 1);
	assert_int_equal(o.head.n_codes, 1);
	assert_int_equal(o.codes[0].id, 6);
	assert_false(offline_code_is_good(&o, &now, 1));
}

static void an_old_copy_believes_nobody_and_no_code_and_tells_on_in_a_new_journal(void **state)
{
	struct login_code k = code_of(5, BASE_MS + HOUR);
	struct offline before;

	(void)state;
	hear_codes(&k, 1);
	assert_int_equal(login("1001", RIGHT), OFFLINE_OK);
	before = o;
	offline_roll_back(&o, &now, "pump");
	assert_int_equal(o.head.n_people + o.head.n_codes, 0);
	assert_int_equal(login("1001", RIGHT), OFFLINE_UNKNOWN);
	assert_true(o.head.generation > before.head.generation + 1000000);
	assert_memory_not_equal(o.head.journal.data, before.head.journal.data, LOGIN_JOURNAL_ID);
	assert_int_equal(o.head.n_records, 2);
	assert_int_equal(o.records[0].seq, 1);
	assert_string_equal(o.records[1].what, "rolled-back");
}

static void a_server_that_knows_better_makes_it_an_old_copy(void **state)
{
	struct login_terms t = terms_of();

	(void)state;
	t.drop = true;
	t.stored = 1000;
	assert_int_equal(login("1001", RIGHT), OFFLINE_OK);
	assert_true(hear(&t, NULL, 0));
	assert_int_equal(o.head.n_people, 0);
	assert_int_equal(o.head.n_records, 2); /* not acknowledged: numbers of another copy */
}

static void another_pumps_store_is_refused(void **state)
{
	(void)state;
	assert_int_equal(offline_check(&o, "PG-1"), 0);
	assert_int_equal(offline_check(&o, "PG-2"), ERR_CORRUPT);
	assert_int_equal(offline_check(&o, ""), ERR_CORRUPT);
}

/* ---- what goes well ---- */

static void the_right_pin_lets_in_and_makes_a_record(void **state)
{
	(void)state;
	assert_int_equal(login("1001", WRONG), OFFLINE_WRONG);
	assert_int_equal(login("1001", RIGHT), OFFLINE_OK);
	assert_int_equal(o.people[0].failures, 0);
	assert_int_equal(o.head.n_records, 1);
	assert_int_equal(o.records[0].seq, 1);
	assert_string_equal(o.records[0].user, "anna");
	assert_string_equal(o.records[0].role, "nurse");
	assert_string_equal(o.records[0].result, "ok");
}

static void what_the_server_has_stored_is_forgotten_in_order(void **state)
{
	struct login_terms t = terms_of();

	(void)state;
	for (int i = 0; i < 3; i++)
		assert_int_equal(login("1001", RIGHT), OFFLINE_OK);
	t.stored = 2;
	assert_int_equal(hear(&t, NULL, 0), OFFLINE_HEARD_NEWS);
	assert_int_equal(o.head.n_records, 1);
	assert_int_equal(o.records[0].seq, 3);
	assert_int_equal(login("1001", RIGHT), OFFLINE_OK);
	assert_int_equal(o.records[1].seq, 4);
	assert_int_equal(hear(&t, NULL, 0), OFFLINE_HEARD_NOTHING); /* said twice: nothing new */
}

static void a_server_restored_from_before_takes_everybody_away_and_hears_on(void **state)
{
	struct login_terms t = terms_of();

	(void)state;
	for (int i = 0; i < 3; i++)
		assert_int_equal(login("1001", RIGHT), OFFLINE_OK);
	t.tombstone = 15;
	t.stored = 2;
	(void)hear(&t, NULL, 0);
	assert_int_equal(o.records[0].seq, 3);
	t.tombstone = 10;
	t.stored = 1; /* 2 is gone on both sides */
	assert_true(hear(&t, NULL, 0));
	assert_int_equal(o.head.n_people, 0);
	assert_int_equal(o.head.tombstone, 10);
	assert_int_equal(o.head.n_records, 1);
	assert_int_equal(o.records[0].seq, 1); /* of a new journal */
}

static void a_server_that_answers_ends_the_doubt_about_the_clock(void **state)
{
	struct login_terms t = terms_of();

	(void)state;
	now.wall_ms -= 2 * HOUR;
	assert_int_equal(login("1001", RIGHT), OFFLINE_CLOCK);
	assert_true(hear(&t, NULL, 0));
	assert_int_equal(login("1001", RIGHT), OFFLINE_OK);
}

static void two_minutes_of_drift_are_no_doubt(void **state)
{
	(void)state;
	now.wall_ms -= AGE_TOLERANCE_MS;
	assert_int_equal(login("1001", RIGHT), OFFLINE_OK);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define T(f) cmocka_unit_test_setup(f, set_up)
		T(a_badge_that_never_logged_in_here_is_refused),
		T(after_five_wrong_pins_the_right_one_is_refused),
		T(a_try_counts_before_it_is_judged),
		T(after_72_hours_of_running_a_person_is_unknown),
		T(a_server_cannot_grant_more_than_72_hours_or_5_failures),
		T(a_clock_set_back_while_running_does_not_lengthen_a_life),
		T(a_clock_set_back_over_a_restart_is_refused),
		T(a_clock_set_back_and_forth_is_for_the_server_to_judge),
		T(the_time_that_a_pump_was_off_counts),
		T(a_tombstone_takes_a_person_away),
		T(a_new_epoch_takes_everybody_away),
		T(a_login_that_the_server_did_not_grant_offline_takes_away_what_was_there),
		T(a_password_is_kept_only_under_a_tpm),
		T(a_name_is_no_badge_and_a_badge_no_name),
		T(after_five_wrong_passwords_the_right_one_is_refused_and_the_pin_is_not),
		T(a_tombstone_takes_the_password_away_too),
		T(a_badge_that_changed_hands_is_the_last_ones),
		T(the_51st_person_takes_the_place_of_the_oldest),
		T(a_full_journal_lets_nobody_in_by_pin_but_by_code),
		T(a_code_works_once),
		T(a_code_ends_with_its_time_also_under_a_clock_set_back),
		T(a_code_that_the_server_no_longer_names_is_void),
		T(an_old_copy_believes_nobody_and_no_code_and_tells_on_in_a_new_journal),
		T(a_server_that_knows_better_makes_it_an_old_copy),
		T(another_pumps_store_is_refused),
		T(the_right_pin_lets_in_and_makes_a_record),
		T(what_the_server_has_stored_is_forgotten_in_order),
		T(a_server_restored_from_before_takes_everybody_away_and_hears_on),
		T(a_server_that_answers_ends_the_doubt_about_the_clock),
		T(two_minutes_of_drift_are_no_doubt),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
