/* SPDX-License-Identifier: BSD-2-Clause */
/* The offline store and a TPM's counter: old copies of all of it, plugs pulled, a TPM that is away,
 * hangs, or is another; and that the counter is not worn out. */
#include "tests/support/cmocka.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "pump_agent/login/vault.h"
#include "tests/unit/pump_agent/fake_chip.h"

#define HOUR INT64_C(3600000)

static struct store store;
static struct chip *chip;
static struct age_now now;

/* In the state folder. */
static void shell(const char *command)
{
	char text[3 * PATH_MAX];

	snprintf(text, sizeof(text), "cd '%s' && %s", store.dir, command);
	assert_int_equal(system(text), 0);
}

static void save(void)
{
	shell("rm -rf saved && cp -a login saved");
}

static void put_back(void)
{
	shell("rm -rf login && cp -a saved login");
}

static void wait_ms(int64_t ms)
{
	now.wall_ms += ms;
	now.boot_ms += ms;
}

static int set_up(void **state)
{
	const char *tmp = getenv("TMPDIR");
	char dir[PATH_MAX];

	(void)state;
	snprintf(dir, sizeof(dir), "%s/pumpgate-seal.XXXXXX", tmp ? tmp : "/tmp");
	if (!mkdtemp(dir))
		return -1;
	memset(&store, 0, sizeof(store));
	store.lock_fd = -1;
	now = (struct age_now){.wall_ms = 1790000000000, .boot_ms = 1000, .boot = "boot-1"};
	fake_chip = (struct fake_chip){.seed = 1, .highest = 41};
	assert_int_equal(chip_new(&fake_chip_calls, NULL, &chip), 0);
	return store_open(dir, &store);
}

static int tear_down(void **state)
{
	(void)state;
	chip_free(chip);
	chip = NULL;
	shell("rm -rf \"$PWD\"");
	store_close(&store);
	return 0;
}

static const char *open_with(struct chip *c, struct vault **v)
{
	const char *noticed, *by_tpm;

	assert_int_equal(vault_open(&store, "PG-1", &now, v, &noticed), 0);
	vault_chip_set(*v, c);
	assert_int_equal(vault_seal_look(*v, &now, &by_tpm), 0);
	return noticed ? noticed : by_tpm;
}

/* Opened and closed, as by an agent that starts and stops: who is there then, and what was
 * noticed. */
static uint32_t people(const char **noticed)
{
	struct vault *v;
	uint32_t n;

	*noticed = open_with(chip, &v);
	n = v->offline.head.n_people;
	vault_close(v);
	return n;
}

static void person_add(struct vault *v, const char *badge, const char *user)
{
	struct login_grant g = {.role = "nurse",
				.offline = true,
				.offline_s = 72 * 3600,
				.offline_failures = 5,
				.offline_people = 50};
	const struct offline_verifier verifier = {.salt = {1}, .hash = {2}};

	assert_int_equal(str_copy(g.user, sizeof(g.user), user), 0);
	offline_grant(&v->offline, &(struct offline_key){badge, false}, &g, &verifier);
}

/* A store with anna in it, which the counter knows, and a copy of it. */
static void filled_and_saved(void)
{
	struct vault *v;

	assert_null(open_with(chip, &v));
	person_add(v, "1001", "anna");
	assert_int_equal(vault_keep(v), 0);
	vault_close(v);
	save();
}

/* anna is told to be gone. */
static void anna_goes(void)
{
	struct vault *v;

	assert_null(open_with(chip, &v));
	assert_true(offline_drop_user(&v->offline, "anna"));
	assert_int_equal(vault_keep_as(v, VAULT_FINAL), 0);
	vault_close(v);
}

/* ---- refusals ---- */

static void an_old_copy_of_everything_is_noticed_and_believed_nobody(void **state)
{
	const char *noticed;

	(void)state;
	filled_and_saved();
	anna_goes();
	put_back();
	assert_int_equal(people(&noticed), 0);
	assert_string_equal(noticed, "all of it is an old copy");
	assert_int_equal(people(&noticed), 0);
	assert_null(noticed); /* said once */
}

static void a_copy_from_before_the_counter_was_used_is_an_old_one(void **state)
{
	const char *noticed;
	struct vault *v;

	(void)state;
	assert_null(open_with(NULL, &v)); /* an agent that did not use the TPM */
	person_add(v, "1001", "anna");
	assert_int_equal(vault_keep(v), 0);
	vault_close(v);
	save();
	assert_int_equal(people(&noticed), 1);
	assert_null(noticed); /* from now on it is used */
	put_back();
	assert_int_equal(people(&noticed), 0);
	assert_string_equal(noticed, "all of it is an old copy");
}

static void store_and_mark_taken_away_are_noticed(void **state)
{
	const char *noticed;

	(void)state;
	filled_and_saved();
	shell("rm login/store login/mark");
	(void)people(&noticed);
	assert_string_equal(noticed, "store is gone");
}

static void a_counter_that_is_gone_or_another_is_noticed(void **state)
{
	const char *noticed;

	(void)state;
	filled_and_saved();
	fake_chip.has_counter = false; /* cleared, or another TPM */
	assert_int_equal(people(&noticed), 0);
	assert_string_equal(noticed, "the TPM's counter is gone");
	put_back();
	fake_chip.counter = fake_chip.highest = 7;
	assert_int_equal(people(&noticed), 0);
	assert_string_equal(noticed, "the TPM's counter is another");
	put_back();
	fake_chip.counter_auth[0] ^= 1; /* made for another folder */
	assert_int_equal(people(&noticed), 0);
	assert_string_equal(noticed, "the TPM's counter is gone");
	assert_int_equal(people(&noticed), 0);
	assert_null(noticed);
}

static void a_used_code_does_not_come_back_with_an_old_copy(void **state)
{
	struct login_terms t = {0};
	struct login_code code = {.id = 9,
				  .salt.len = BREAK_GLASS_SALT,
				  .hash.len = BREAK_GLASS_HASH,
				  .not_after = now.wall_ms + HOUR,
				  .role = "emergency"};
	struct offline_news news = {.terms = &t, .codes = &code, .n_codes = 1, .has_codes = true};
	struct vault *v;

	(void)state;
	assert_null(open_with(chip, &v));
	(void)offline_hear(&v->offline, &now, &news);
	assert_int_equal(vault_keep_as(v, VAULT_FINAL), 0);
	save();
	assert_int_equal(offline_code_use(&v->offline, &now, 0), OFFLINE_OK);
	assert_int_equal(vault_keep_as(v, VAULT_FINAL), 0);
	vault_close(v);
	put_back();
	assert_non_null(open_with(chip, &v));
	assert_false(offline_code_is_good(&v->offline, &now, 0));
	vault_close(v);
}

static void an_old_copy_under_a_tpm_that_is_away_is_noticed_once_it_is_back(void **state)
{
	const char *noticed;
	struct vault *v;

	(void)state;
	filled_and_saved();
	anna_goes();
	put_back();
	fake_chip.is_away = true;
	assert_null(open_with(chip, &v)); /* as a pump without a TPM */
	assert_int_equal(v->offline.head.n_people, 1);
	assert_string_equal(v->chip_why, "the TPM is away");
	fake_chip.is_away = false;
	assert_int_equal(vault_seal_look(v, &now, &noticed), 0);
	assert_string_equal(noticed, "all of it is an old copy");
	assert_int_equal(v->offline.head.n_people, 0);
	assert_string_equal(v->chip_why, "");
	vault_close(v);
}

static void what_was_noticed_is_kept_though_no_counter_can_be_made(void **state)
{
	const char *noticed;

	(void)state;
	filled_and_saved();
	fake_chip.has_counter = false;
	fake_chip.makes_none = true;
	assert_int_equal(people(&noticed), 0);
	assert_non_null(noticed);
	assert_int_equal(people(&noticed), 0);
}

static void no_copy_is_good_for_longer_than_six_hours(void **state)
{
	const char *noticed;
	struct vault *v;

	(void)state;
	filled_and_saved();
	assert_null(open_with(chip, &v));
	for (int i = 0; i < 6 * 4; i++) { /* the agent looks each minute */
		wait_ms(HOUR / 4);
		offline_tick(&v->offline, &now);
		assert_int_equal(vault_seal_look(v, &now, &noticed), 0);
	}
	vault_close(v);
	put_back();
	(void)people(&noticed);
	assert_string_equal(noticed, "all of it is an old copy");
}

static void a_key_of_another_tpm_makes_a_new_one_and_drops_passwords(void **state)
{
	struct login_grant g = {.user = "berta",
				.role = "nurse",
				.offline = true,
				.offline_s = 3600,
				.offline_failures = 5,
				.offline_people = 50};
	const struct offline_verifier of_tpm = {.is_of_tpm = true};
	uint8_t in[PIN_BOUND_BYTES] = {0}, mac[PIN_BOUND_BYTES];
	struct vault *v;

	(void)state;
	assert_null(open_with(chip, &v));
	assert_int_equal(vault_tpm_mac(v, in, mac), ERR_UNAVAILABLE);
	assert_int_equal(vault_tpm_key_have(v), 0);
	assert_int_equal(vault_tpm_mac(v, in, mac), 0);
	person_add(v, "1001", "anna");
	offline_grant(&v->offline, &(struct offline_key){"berta", true}, &g, &of_tpm);
	assert_int_equal(v->offline.head.n_people, 2);
	vault_close(v);
	assert_null(open_with(chip, &v)); /* the key is on the disk */
	assert_int_equal(vault_tpm_mac(v, in, mac), 0);
	offline_grant(&v->offline, &(struct offline_key){"berta", true}, &g, &of_tpm);
	person_add(v, "1001", "anna");
	vault_chip_set(v, chip);
	fake_chip.seed = 2;
	fake_chip.is_away = true; /* a new connection */
	assert_int_equal(vault_tpm_mac(v, in, mac), ERR_UNAVAILABLE);
	assert_int_equal(vault_tpm_key_have(v), ERR_UNAVAILABLE);
	assert_int_equal(v->offline.head.n_people, 2); /* it is away: nothing is thrown away */
	fake_chip.is_away = false;
	assert_int_equal(vault_tpm_mac(v, in, mac), ERR_CRYPTO);
	assert_int_equal(vault_tpm_key_have(v), 0);
	assert_int_equal(vault_tpm_mac(v, in, mac), 0);
	assert_int_equal(v->offline.head.n_people, 1);
	assert_string_equal(v->offline.people[0].user, "anna");
	vault_close(v);
}

/* ---- a TPM that does not do as it should keeps nobody out ---- */

static void a_plug_pulled_between_store_and_counter_is_not_taken_for_an_old_copy(void **state)
{
	const char *noticed;
	struct vault *v;

	(void)state;
	filled_and_saved();
	assert_null(open_with(chip, &v));
	fake_chip.is_away = true; /* the store is kept, the counter not raised */
	assert_int_equal(vault_keep_as(v, VAULT_FINAL), 0);
	vault_close(v);
	fake_chip.is_away = false;
	assert_int_equal(people(&noticed), 1);
	assert_null(noticed);
	put_back(); /* and now it was */
	assert_int_equal(people(&noticed), 0);
	assert_string_equal(noticed, "all of it is an old copy");
}

static void a_counter_that_was_raised_without_an_answer_is_not_taken_for_an_old_copy(void **state)
{
	const char *noticed;
	struct vault *v;

	(void)state;
	filled_and_saved();
	assert_null(open_with(chip, &v));
	fake_chip.is_deaf = true;
	for (int i = 0; i < 3; i++) {
		assert_int_equal(vault_keep_as(v, VAULT_FINAL), 0);
		assert_int_equal(vault_seal_look(v, &now, &noticed), 0);
		assert_null(noticed);
	}
	vault_close(v);
	fake_chip.is_deaf = false;
	assert_int_equal(people(&noticed), 1);
	assert_null(noticed);
}

static void a_tpm_that_hangs_is_not_waited_for(void **state)
{
	const char *noticed;
	struct vault *v;

	(void)state;
	if (getenv("LOGIN_MUTANTS"))
		skip();
	filled_and_saved();
	assert_null(open_with(chip, &v));
	fake_chip.hangs_ms = CHIP_COUNTER_MS + 700;
	assert_int_equal(vault_keep_as(v, VAULT_FINAL), 0); /* within its time */
	assert_non_null(strstr(v->chip_why, "did not answer"));
	assert_int_equal(vault_keep_as(v, VAULT_FINAL), 0); /* at once: it is not asked */
	assert_int_equal(vault_seal_look(v, &now, &noticed), 0);
	assert_non_null(strstr(v->chip_why, "does not answer"));
	vault_close(v);
	chip_free(chip); /* waits for it, for a while */
	assert_int_equal(chip_new(&fake_chip_calls, NULL, &chip), 0);
	assert_int_equal(people(&noticed), 1);
	assert_null(noticed);
}

static void a_connection_that_broke_is_made_again(void **state)
{
	const char *noticed;
	struct vault *v;

	(void)state;
	filled_and_saved();
	assert_null(open_with(chip, &v));
	fake_chip.breaks = true;
	assert_int_equal(vault_keep_as(v, VAULT_FINAL), 0);
	assert_string_equal(v->chip_why, "");
	assert_true(v->is_compared);
	vault_close(v);
	assert_int_equal(people(&noticed), 1);
	assert_null(noticed);
}

/* ---- its memory ---- */

static void what_is_kept_often_raises_the_counter_seldom(void **state)
{
	const char *noticed;
	struct vault *v;
	unsigned before;

	(void)state;
	filled_and_saved();
	assert_null(open_with(chip, &v));
	before = fake_chip.n_raised;
	for (int i = 0; i < 20; i++)
		assert_int_equal(vault_keep(v), 0);
	assert_int_equal(fake_chip.n_raised, before);
	for (int i = 0; i < 60; i++) /* logins without the server, one after the other */
		assert_int_equal(vault_keep_as(v, VAULT_HEAVY), 0);
	assert_int_equal(fake_chip.n_raised - before, 50);
	assert_true(v->offline.head.seal_is_owed);
	before = fake_chip.n_raised;
	for (int i = 0; i < 24 * 2; i++) { /* a day of it */
		wait_ms(HOUR / 2);
		offline_tick(&v->offline, &now);
		assert_int_equal(vault_keep_as(v, VAULT_HEAVY), 0);
		assert_int_equal(vault_seal_look(v, &now, &noticed), 0);
	}
	assert_int_equal(fake_chip.n_raised - before, 24);
	before = fake_chip.n_raised;
	assert_int_equal(vault_keep_as(v, VAULT_FINAL), 0); /* who is gone is gone */
	assert_int_equal(fake_chip.n_raised - before, 1);
	vault_close(v);
}

static void what_is_owed_is_made_good_when_there_is_room(void **state)
{
	const char *noticed;
	struct vault *v;

	(void)state;
	filled_and_saved();
	assert_null(open_with(chip, &v));
	for (int i = 0; i < 51; i++)
		assert_int_equal(vault_keep_as(v, VAULT_HEAVY), 0);
	assert_true(v->offline.head.seal_is_owed);
	save();
	wait_ms(HOUR);
	offline_tick(&v->offline, &now);
	assert_int_equal(vault_seal_look(v, &now, &noticed), 0);
	assert_false(v->offline.head.seal_is_owed);
	vault_close(v);
	put_back();
	(void)people(&noticed);
	assert_string_equal(noticed, "all of it is an old copy");
}

static void what_was_kept_is_there_again(void **state)
{
	const char *noticed;

	(void)state;
	filled_and_saved();
	for (int i = 0; i < 3; i++) {
		assert_int_equal(people(&noticed), 1);
		assert_null(noticed);
	}
	assert_int_equal(fake_chip.n_raised, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define T(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
		T(an_old_copy_of_everything_is_noticed_and_believed_nobody),
		T(a_copy_from_before_the_counter_was_used_is_an_old_one),
		T(store_and_mark_taken_away_are_noticed),
		T(a_counter_that_is_gone_or_another_is_noticed),
		T(a_used_code_does_not_come_back_with_an_old_copy),
		T(an_old_copy_under_a_tpm_that_is_away_is_noticed_once_it_is_back),
		T(what_was_noticed_is_kept_though_no_counter_can_be_made),
		T(no_copy_is_good_for_longer_than_six_hours),
		T(a_key_of_another_tpm_makes_a_new_one_and_drops_passwords),
		T(a_plug_pulled_between_store_and_counter_is_not_taken_for_an_old_copy),
		T(a_counter_that_was_raised_without_an_answer_is_not_taken_for_an_old_copy),
		T(a_tpm_that_hangs_is_not_waited_for),
		T(a_connection_that_broke_is_made_again),
		T(what_is_kept_often_raises_the_counter_seldom),
		T(what_is_owed_is_made_good_when_there_is_room),
		T(what_was_kept_is_there_again),
	};

	log_start("test", LOG_ERROR);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
