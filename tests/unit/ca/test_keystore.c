/* SPDX-License-Identifier: BSD-2-Clause */
#include "ca/keystore.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/support/cmocka.h"
#include "tests/unit/ca/ca_fixture.h"

static char dir[64], path[96];

static int folder_make(void **state)
{
	(void)state;
	strcpy(dir, "/tmp/pumpgate-key-XXXXXX");
	assert_non_null(mkdtemp(dir));
	snprintf(path, sizeof(path), "%s/a.key", dir);
	return 0;
}

static int folder_remove(void **state)
{
	(void)state;
	unlink(path);
	return rmdir(dir);
}

static void key_read_refuses_a_file_that_others_may_use(void **state)
{
	const mode_t loose[] = {0640, 0604, 0660, 0620, 0601, 0644};
	EVP_PKEY *key = fixture_ec("P-256"), *got = NULL;

	(void)state;
	assert_int_equal(keystore_key_write(path, key), 0);
	for (size_t i = 0; i < sizeof(loose) / sizeof(loose[0]); i++) {
		assert_int_equal(chmod(path, loose[i]), 0);
		assert_int_equal(keystore_key_read(path, &got), ERR_DENIED);
	}
	assert_null(got);
	EVP_PKEY_free(key);
}

static void key_read_refuses_links_folders_and_what_is_no_key(void **state)
{
	char link_path[96];
	EVP_PKEY *got = NULL;

	(void)state;
	snprintf(link_path, sizeof(link_path), "%s/link", dir);
	assert_int_equal(keystore_key_read(path, &got), ERR_NOT_FOUND);
	assert_int_equal(buf_write_file(path, 0600, "no key", 6), 0);
	assert_int_equal(keystore_key_read(path, &got), ERR_CRYPTO);
	assert_int_equal(symlink(path, link_path), 0);
	assert_int_equal(keystore_key_read(link_path, &got), ERR_IO);
	unlink(link_path);
	assert_int_equal(keystore_key_read(dir, &got), ERR_DENIED);
}

static void key_write_never_overwrites(void **state)
{
	EVP_PKEY *first = fixture_ec("P-256"), *second = fixture_ec("P-256"), *got = NULL;
	struct stat st;

	(void)state;
	assert_int_equal(keystore_key_write(path, first), 0);
	assert_int_equal(keystore_key_write(path, second), ERR_EXISTS);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
	assert_int_equal(keystore_key_read(path, &got), 0);
	assert_int_equal(EVP_PKEY_eq(got, first), 1);
	EVP_PKEY_free(got);
	EVP_PKEY_free(first);
	EVP_PKEY_free(second);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, folder_make, folder_remove)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(key_read_refuses_a_file_that_others_may_use),
		TEST(key_read_refuses_links_folders_and_what_is_no_key),
		TEST(key_write_never_overwrites),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
