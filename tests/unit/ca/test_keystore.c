/* SPDX-License-Identifier: BSD-2-Clause */
#include "ca/keystore.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "ca/pkcs11.h"
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
		assert_int_equal(keystore_key_read(path, NULL, &got), ERR_DENIED);
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
	assert_int_equal(keystore_key_read(path, NULL, &got), ERR_NOT_FOUND);
	assert_int_equal(buf_write_file(path, 0600, "no key", 6), 0);
	assert_int_equal(keystore_key_read(path, NULL, &got), ERR_CRYPTO);
	assert_int_equal(symlink(path, link_path), 0);
	assert_int_equal(keystore_key_read(link_path, NULL, &got), ERR_IO);
	unlink(link_path);
	assert_int_equal(keystore_key_read(dir, NULL, &got), ERR_DENIED);
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
	assert_int_equal(keystore_key_read(path, NULL, &got), 0);
	assert_int_equal(EVP_PKEY_eq(got, first), 1);
	EVP_PKEY_free(got);
	EVP_PKEY_free(first);
	EVP_PKEY_free(second);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, folder_make, folder_remove)

static struct key_access with_passphrase(const char *words)
{
	struct key_access a = {.passphrase_file = ""};

	snprintf(a.passphrase_file, sizeof(a.passphrase_file), "%s/words", dir);
	assert_int_equal(buf_write_file(a.passphrase_file, 0600, words, strlen(words)), 0);
	return a;
}

static void encrypted_key_opens_with_its_passphrase_alone(void **state)
{
	struct key_access a = with_passphrase("correct horse battery\n");
	struct key_access none = {.pin_file = ""};
	EVP_PKEY *key = fixture_ec("P-256"), *got = NULL;
	enum keystore_form form;
	char detail[1025];
	AUTO_BUF text = {.max = 16384};

	(void)state;
	assert_int_equal(keystore_key_write(path, key), 0);
	assert_int_equal(keystore_key_protect(path, key, KEYSTORE_ENCRYPTED, &a, NULL), 0);
	assert_int_equal(keystore_key_form(path, &form, detail), 0);
	assert_int_equal(form, KEYSTORE_ENCRYPTED);
	assert_int_equal(buf_read_file(&text, path), 0);
	assert_null(strstr(buf_cstr(&text), "BEGIN PRIVATE"));
	assert_int_equal(keystore_key_read(path, NULL, &got), ERR_DENIED);
	assert_int_equal(keystore_key_read(path, &none, &got), ERR_DENIED);
	assert_non_null(strstr(err_text(), "passphrase_file"));
	assert_int_equal(keystore_key_read(path, &a, &got), 0);
	assert_int_equal(EVP_PKEY_eq(key, got), 1);
	EVP_PKEY_free(got);
	with_passphrase("correct horse batterz\n");
	assert_int_equal(keystore_key_read(path, &a, &got), ERR_CRYPTO);
	with_passphrase("too short");
	assert_int_equal(keystore_key_read(path, &a, &got), ERR_DENIED);
	assert_int_equal(chmod(a.passphrase_file, 0644), 0);
	assert_int_equal(keystore_key_read(path, &a, &got), ERR_DENIED);
	with_passphrase("correct horse battery");
	assert_int_equal(keystore_key_protect(path, key, KEYSTORE_PLAIN, &a, NULL), 0);
	assert_int_equal(keystore_key_read(path, NULL, &got), 0);
	EVP_PKEY_free(got);
	EVP_PKEY_free(key);
	unlink(a.passphrase_file);
}

static void damaged_encrypted_key_is_refused(void **state)
{
	struct key_access a = with_passphrase("correct horse battery");
	EVP_PKEY *key = fixture_ec("P-256"), *got = NULL;
	AUTO_BUF text = {.max = 16384};

	(void)state;
	assert_int_equal(keystore_key_write(path, key), 0);
	assert_int_equal(keystore_key_protect(path, key, KEYSTORE_ENCRYPTED, &a, NULL), 0);
	assert_int_equal(buf_read_file(&text, path), 0);
	text.data[text.len / 2] ^= 1;
	assert_int_equal(buf_write_file(path, 0600, text.data, text.len), 0);
	assert_int_equal(keystore_key_read(path, &a, &got), ERR_CRYPTO);
	assert_null(got);
	EVP_PKEY_free(key);
	unlink(a.passphrase_file);
}

static void failed_change_leaves_the_key_as_it_was(void **state)
{
	struct key_access a = {.pin_file = ""};
	EVP_PKEY *key = fixture_ec("P-256"), *got = NULL;
	char rest[112];

	(void)state;
	assert_int_equal(keystore_key_write(path, key), 0);
	assert_int_equal(keystore_key_protect(path, key, KEYSTORE_ENCRYPTED, &a, NULL), ERR_DENIED);
	assert_int_equal(keystore_key_protect(path, key, KEYSTORE_PKCS11, &a, "pkcs11:object=x"),
			 ERR_DENIED); /* no module is set */
	assert_int_equal(keystore_key_read(path, NULL, &got), 0);
	assert_int_equal(EVP_PKEY_eq(key, got), 1);
	snprintf(rest, sizeof(rest), "%s.new", path);
	assert_int_equal(access(rest, F_OK), -1);
	EVP_PKEY_free(got);
	EVP_PKEY_free(key);
}

static void pkcs11_uri_with_a_pin_or_a_module_in_it_is_refused(void **state)
{
	static const char *const bad[] = {"",
					  "file:x",
					  "pkcs11:token=t",
					  "pkcs11:object=k?pin-value=1234",
					  "pkcs11:object=k?PIN-Value=1234",
					  "pkcs11:object=k?pin-source=/x",
					  "pkcs11:object=k?module-path=/tmp/evil.so",
					  "pkcs11:object=k\nx",
					  "pkcs11:object=a key"};

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_int_equal(pkcs11_uri_check(bad[i]), ERR_INVALID);
	assert_int_equal(pkcs11_uri_check("pkcs11:token=t;object=device-ca;type=private"), 0);
	assert_int_equal(pkcs11_uri_check("pkcs11:id=%01"), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(key_read_refuses_a_file_that_others_may_use),
		TEST(key_read_refuses_links_folders_and_what_is_no_key),
		TEST(key_write_never_overwrites),
		TEST(encrypted_key_opens_with_its_passphrase_alone),
		TEST(damaged_encrypted_key_is_refused),
		TEST(failed_change_leaves_the_key_as_it_was),
		TEST(pkcs11_uri_with_a_pin_or_a_module_in_it_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
