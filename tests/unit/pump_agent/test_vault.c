/* SPDX-License-Identifier: BSD-2-Clause */
/* The offline store on disk: sealed, whole or refused, and an old copy is noticed. */
#include "tests/support/cmocka.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "pump_agent/login/vault.h"

static struct store store;
static struct age_now now = {.wall_ms = 1790000000000, .boot_ms = 1000, .boot = "boot-1"};

static int set_up(void **state)
{
	char dir[] = "/tmp/pumpgate-vault.XXXXXX";

	(void)state;
	if (!mkdtemp(dir))
		return -1;
	memset(&store, 0, sizeof(store));
	store.lock_fd = -1;
	return store_open(dir, &store);
}

static int tear_down(void **state)
{
	char command[PATH_MAX + 16];

	(void)state;
	store_close(&store);
	snprintf(command, sizeof(command), "rm -rf '%s'", store.dir);
	return system(command);
}

static void path_of(const char *name, char out[PATH_MAX])
{
	assert_int_equal(store_path(&store, name, out), 0);
}

static void copy(const char *from, const char *to)
{
	AUTO_BUF b = {.max = 1024 * 1024};
	char path[PATH_MAX];

	path_of(from, path);
	assert_int_equal(buf_read_file(&b, path), 0);
	path_of(to, path);
	assert_int_equal(buf_write_file(path, 0600, b.data, b.len), 0);
}

/* Opens for `pump`; yields what was noticed. */
static const char *open_as(const char *pump, struct vault **v)
{
	const char *noticed;

	assert_int_equal(vault_open(&store, pump, &now, v, &noticed), 0);
	return noticed;
}

/* A store with anna in it. */
static void filled(void)
{
	struct login_grant g = {.user = "anna",
				.role = "nurse",
				.offline = true,
				.offline_s = 3600,
				.offline_failures = 5,
				.offline_people = 50};
	const struct offline_key k = {"1001", false};
	const struct offline_verifier verifier = {.salt = {1}, .hash = {2}};
	struct vault *v;

	assert_null(open_as("PG-1", &v));
	offline_grant(&v->offline, &k, &g, &verifier);
	assert_int_equal(vault_keep(v), 0);
	vault_close(v);
}

static uint32_t people(const char **noticed)
{
	struct vault *v;
	uint32_t n;

	*noticed = open_as("PG-1", &v);
	n = v->offline.head.n_people;
	vault_close(v);
	return n;
}

static void an_old_copy_of_the_store_is_noticed_and_believed_nobody(void **state)
{
	const char *noticed;
	struct vault *v;

	(void)state;
	filled();
	copy("login/store", "login/old");
	assert_null(open_as("PG-1", &v));
	assert_true(offline_drop_user(&v->offline, "anna"));
	assert_int_equal(vault_keep(v), 0);
	vault_close(v);
	copy("login/old", "login/store");
	assert_int_equal(people(&noticed), 0);
	assert_string_equal(noticed, "store is an old copy");
	assert_int_equal(people(&noticed), 0);
	assert_null(noticed); /* said once */
}

static void a_mark_that_was_put_back_is_noticed(void **state)
{
	const char *noticed;
	struct vault *v;

	(void)state;
	filled();
	copy("login/mark", "login/old");
	assert_null(open_as("PG-1", &v));
	for (int i = 0; i < 2; i++)
		assert_int_equal(vault_keep(v), 0);
	vault_close(v);
	copy("login/old", "login/mark");
	assert_int_equal(people(&noticed), 0);
	assert_string_equal(noticed, "mark is an old copy");
}

static void a_plug_pulled_between_store_and_mark_is_not_taken_for_it(void **state)
{
	const char *noticed;
	struct vault *v;

	(void)state;
	filled();
	copy("login/mark", "login/old");
	assert_null(open_as("PG-1", &v));
	assert_int_equal(vault_keep(v), 0);
	vault_close(v);
	copy("login/old", "login/mark");
	assert_int_equal(people(&noticed), 1);
	assert_null(noticed);
}

static void another_pump_cannot_use_it_though_it_has_key_and_files(void **state)
{
	const char *noticed;
	struct vault *v;

	(void)state;
	filled();
	noticed = open_as("PG-2", &v);
	assert_string_equal(noticed, "store cannot be read");
	assert_int_equal(v->offline.head.n_people, 0);
	vault_close(v);
}

static void a_store_under_another_key_is_refused(void **state)
{
	const char *noticed;
	char path[PATH_MAX];

	(void)state;
	filled();
	path_of("login/key", path);
	assert_int_equal(unlink(path), 0);
	assert_int_equal(people(&noticed), 0);
	assert_string_equal(noticed, "store cannot be read");
}

static void a_flipped_bit_anywhere_is_refused(void **state)
{
	AUTO_BUF b = {.max = 1024 * 1024};
	const char *noticed;
	char path[PATH_MAX];

	(void)state;
	filled();
	path_of("login/store", path);
	assert_int_equal(buf_read_file(&b, path), 0);
	for (size_t at = 0; at < b.len; at += 37) {
		b.data[at] ^= 1;
		assert_int_equal(buf_write_file(path, 0600, b.data, b.len), 0);
		assert_int_equal(people(&noticed), 0);
		assert_non_null(noticed);
		b.data[at] ^= 1;
	}
}

static void a_store_that_was_taken_away_is_noticed(void **state)
{
	const char *noticed;
	char path[PATH_MAX];

	(void)state;
	filled();
	path_of("login/store", path);
	assert_int_equal(unlink(path), 0);
	assert_int_equal(people(&noticed), 0);
	assert_string_equal(noticed, "store is gone");
}

static void parse_refuses_every_cut(void **state)
{
	AUTO_BUF plain = {.max = VAULT_PLAIN_MAX};
	static struct offline out;
	struct vault *v;

	(void)state;
	filled();
	assert_null(open_as("PG-1", &v));
	assert_int_equal(vault_build(&v->offline, &plain), 0);
	for (size_t len = 0; len < plain.len; len++)
		assert_int_not_equal(vault_parse(plain.data, len, &out), 0);
	assert_int_equal(vault_parse(plain.data, plain.len, &out), 0);
	assert_memory_equal(&out.people, &v->offline.people, sizeof(out.people));
	vault_close(v);
}

static void what_was_kept_is_there_again(void **state)
{
	const char *noticed;

	(void)state;
	filled();
	assert_int_equal(people(&noticed), 1);
	assert_null(noticed);
}

static void a_pin_is_bound_to_key_pump_person_badge_and_epoch(void **state)
{
	const struct pin_subject who[] = {{"PG-1", "anna", "1001", 1}, {"PG-2", "anna", "1001", 1},
					  {"PG-1", "anne", "1001", 1}, {"PG-1", "anna", "1002", 1},
					  {"PG-1", "anna", "1001", 2}, {"PG-1a", "nna", "1001", 1}};
	uint8_t key[PIN_KEY_BYTES] = {7}, salt[PIN_SALT_BYTES] = {8};
	uint8_t first[PIN_HASH_BYTES], next[PIN_HASH_BYTES];

	(void)state;
	assert_int_equal(pin_hash(key, &who[0], "4711", 4, salt, first), 0);
	for (size_t i = 1; i < sizeof(who) / sizeof(who[0]); i++) {
		assert_int_equal(pin_hash(key, &who[i], "4711", 4, salt, next), 0);
		assert_memory_not_equal(first, next, sizeof(first));
	}
	assert_int_equal(pin_hash(key, &who[0], "4712", 4, salt, next), 0);
	assert_memory_not_equal(first, next, sizeof(first));
	key[0] ^= 1;
	assert_int_equal(pin_hash(key, &who[0], "4711", 4, salt, next), 0);
	assert_memory_not_equal(first, next, sizeof(first));
	key[0] ^= 1;
	assert_int_equal(pin_hash(key, &who[0], "4711", 4, salt, next), 0);
	assert_memory_equal(first, next, sizeof(first));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define T(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
		T(an_old_copy_of_the_store_is_noticed_and_believed_nobody),
		T(a_mark_that_was_put_back_is_noticed),
		T(a_plug_pulled_between_store_and_mark_is_not_taken_for_it),
		T(another_pump_cannot_use_it_though_it_has_key_and_files),
		T(a_store_under_another_key_is_refused),
		T(a_flipped_bit_anywhere_is_refused),
		T(a_store_that_was_taken_away_is_noticed),
		T(parse_refuses_every_cut),
		T(what_was_kept_is_there_again),
		T(a_pin_is_bound_to_key_pump_person_badge_and_epoch),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
