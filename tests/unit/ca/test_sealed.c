/* SPDX-License-Identifier: BSD-2-Clause */
/* A key split among people, and the file that it opens. */
#include "ca/sealed/sealed_file.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/secret.h"
#include "tests/support/cmocka.h"

static uint8_t key[SHARE_KEY_BYTES];
static const uint8_t id[SHARE_ID_BYTES] = "backup-1";
static char dir[64], sealed[96], out[96], from[96];

static int world_make(void **state)
{
	(void)state;
	secret_fill_random(key, sizeof(key));
	strcpy(dir, "/tmp/pumpgate-seal-XXXXXX");
	assert_non_null(mkdtemp(dir));
	snprintf(sealed, sizeof(sealed), "%s/sealed", dir);
	snprintf(out, sizeof(out), "%s/out", dir);
	snprintf(from, sizeof(from), "%s/from", dir);
	return 0;
}

static void folder_empty(void)
{
	char path[128];

	unlink(sealed);
	unlink(from);
	snprintf(path, sizeof(path), "%s/a.key", out);
	unlink(path);
	snprintf(path, sizeof(path), "%s/b.log", out);
	unlink(path);
	rmdir(out);
}

static int world_free(void **state)
{
	(void)state;
	folder_empty();
	return rmdir(dir);
}

static void one_share_says_nothing_and_twice_the_same_is_refused(void **state)
{
	struct share s[SHARE_PEOPLE_MAX];
	uint8_t got[SHARE_KEY_BYTES];

	(void)state;
	assert_int_equal(share_split(key, id, 3, s), 0);
	for (int i = 0; i < 3; i++) {
		assert_memory_not_equal(s[i].data, key, sizeof(key));
		assert_int_equal(share_join(&s[i], &s[i], got), ERR_INVALID);
	}
	/* with one share and a guessed second one it is another key */
	s[1].data[0] ^= 1;
	assert_int_equal(share_join(&s[0], &s[1], got), 0);
	assert_memory_not_equal(got, key, sizeof(key));
	s[1].data[0] ^= 1;
	s[1].id[0] ^= 1;
	assert_int_equal(share_join(&s[0], &s[1], got), ERR_INVALID);
}

static void any_two_of_all_shares_give_the_key(void **state)
{
	struct share s[SHARE_PEOPLE_MAX];
	uint8_t got[SHARE_KEY_BYTES];

	(void)state;
	assert_int_equal(share_split(key, id, 1, s), ERR_INVALID);
	assert_int_equal(share_split(key, id, SHARE_PEOPLE_MAX + 1, s), ERR_INVALID);
	for (unsigned n = 2; n <= SHARE_PEOPLE_MAX; n++) {
		assert_int_equal(share_split(key, id, n, s), 0);
		for (unsigned i = 0; i < n; i++)
			for (unsigned j = 0; j < n; j++) {
				if (i == j)
					continue;
				assert_int_equal(share_join(&s[i], &s[j], got), 0);
				assert_memory_equal(got, key, sizeof(key));
			}
	}
}

static void share_with_a_wrong_digit_is_refused_wherever_it_is(void **state)
{
	struct share s[2], got;
	AUTO_BUF line = {.max = 1024};
	char *text;

	(void)state;
	assert_int_equal(share_split(key, id, 2, s), 0);
	assert_int_equal(share_put(&line, &s[1]), 0);
	text = (char *)line.data;
	for (size_t i = 4; i + 1 < line.len; i++) {
		char was = text[i];

		if (was == '-')
			continue;
		text[i] = was == '0' ? '1' : '0';
		assert_int_equal(share_parse(text, line.len, &got), ERR_INVALID);
		text[i] = was;
	}
	assert_int_equal(share_parse(text, line.len - 2, &got), ERR_INVALID);
	assert_int_equal(share_parse("", 0, &got), ERR_INVALID);
	assert_int_equal(share_parse("PGS1", 4, &got), ERR_INVALID);
	assert_int_equal(share_parse(text, line.len, &got), 0);
	assert_memory_equal(&got, &s[1], sizeof(got));
}

static void share_is_read_as_people_type_it(void **state)
{
	struct share s[2], got;
	AUTO_BUF line = {.max = 1024};
	AUTO_BUF typed = {.max = 2048};

	(void)state;
	assert_int_equal(share_split(key, id, 2, s), 0);
	assert_int_equal(share_put(&line, &s[0]), 0);
	assert_int_equal(buf_put_str(&typed, "Pumpgate CA backup\r\n\nPGS1 "), 0);
	for (size_t i = 4; i < line.len; i++) {
		char c = line.data[i] == '-' ? ' ' : (char)line.data[i];

		if (c >= 'a' && c <= 'f')
			c = (char)(c - 'a' + 'A');
		assert_int_equal(buf_put(&typed, &c, 1), 0);
	}
	assert_int_equal(share_parse((char *)typed.data, typed.len, &got), 0);
	assert_memory_equal(&got, &s[0], sizeof(got));
}

static void seal(void)
{
	struct sealed_writer *w;
	uint8_t big[70000];

	folder_empty();
	memset(big, 7, sizeof(big));
	assert_int_equal(buf_write_file(from, 0600, big, sizeof(big)), 0);
	assert_int_equal(sealed_create(sealed, id, key, &w), 0);
	assert_int_equal(sealed_add(w, "a.key", from), 0);
	assert_int_equal(buf_write_file(from, 0600, "list\n", 5), 0);
	assert_int_equal(sealed_add(w, "b.log", from), 0);
	assert_int_equal(sealed_add(w, "c.log", "/nonexistent/c"), ERR_NOT_FOUND);
	assert_int_equal(sealed_finish(w), 0);
	sealed_writer_free(w);
	assert_int_equal(mkdir(out, 0700), 0);
}

static void sealed_files_come_back_as_they_were(void **state)
{
	AUTO_BUF a = {.max = 100000};
	AUTO_BUF b = {.max = 100};
	struct sealed_writer *w;
	struct stat st;
	char path[128];
	uint8_t got[SHARE_ID_BYTES];

	(void)state;
	seal();
	assert_int_equal(sealed_create(sealed, id, key, &w), ERR_EXISTS);
	assert_int_equal(stat(sealed, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
	assert_int_equal(sealed_id(sealed, got), 0);
	assert_memory_equal(got, id, sizeof(got));
	assert_int_equal(sealed_open(sealed, key, NULL), 0);
	assert_int_equal(sealed_open(sealed, key, out), 0);
	snprintf(path, sizeof(path), "%s/a.key", out);
	assert_int_equal(buf_read_file(&a, path), 0);
	assert_int_equal(a.len, 70000);
	assert_int_equal(a.data[69999], 7);
	snprintf(path, sizeof(path), "%s/b.log", out);
	assert_int_equal(buf_read_file(&b, path), 0);
	assert_string_equal(buf_cstr(&b), "list\n");
}

static void unfinished_backup_is_removed(void **state)
{
	struct sealed_writer *w;

	(void)state;
	folder_empty();
	assert_int_equal(sealed_create(sealed, id, key, &w), 0);
	sealed_writer_free(w);
	assert_int_equal(access(sealed, F_OK), -1);
}

static void wrong_key_or_a_changed_byte_opens_nothing(void **state)
{
	AUTO_BUF whole = {.max = 200000};
	uint8_t other[SHARE_KEY_BYTES];

	(void)state;
	seal();
	memcpy(other, key, sizeof(other));
	other[31] ^= 1;
	assert_int_equal(sealed_open(sealed, other, NULL), ERR_DENIED);
	assert_int_equal(buf_read_file(&whole, sealed), 0);
	for (size_t i = 0; i < whole.len; i += i < 200 || i + 200 > whole.len ? 1 : 997) {
		if (i >= 8 && i < 16)
			continue; /* the id only says which shares to ask for */
		whole.data[i] ^= 4;
		assert_int_equal(buf_write_file(sealed, 0600, whole.data, whole.len), 0);
		assert_int_not_equal(sealed_open(sealed, key, NULL), 0);
		whole.data[i] ^= 4;
	}
	for (size_t cut = 1; cut < 60; cut++) {
		assert_int_equal(buf_write_file(sealed, 0600, whole.data, whole.len - cut), 0);
		assert_int_equal(sealed_open(sealed, key, NULL), ERR_DENIED);
	}
	assert_int_equal(buf_put(&whole, "x", 1), 0);
	assert_int_equal(buf_write_file(sealed, 0600, whole.data, whole.len), 0);
	assert_int_equal(sealed_open(sealed, key, NULL), ERR_DENIED);
}

static void file_with_a_path_for_a_name_is_not_written(void **state)
{
	static const char *const bad[] = {"../evil", "/tmp/evil", ".hidden", "", "a b", "A"};
	struct sealed_writer *w;

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		folder_empty();
		assert_int_equal(mkdir(out, 0700), 0);
		assert_int_equal(buf_write_file(from, 0600, "x", 1), 0);
		assert_int_equal(sealed_create(sealed, id, key, &w), 0);
		assert_int_equal(sealed_add(w, bad[i], from), 0);
		assert_int_equal(sealed_finish(w), 0);
		sealed_writer_free(w);
		assert_int_equal(sealed_open(sealed, key, out), ERR_DENIED);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(one_share_says_nothing_and_twice_the_same_is_refused),
		cmocka_unit_test(any_two_of_all_shares_give_the_key),
		cmocka_unit_test(share_with_a_wrong_digit_is_refused_wherever_it_is),
		cmocka_unit_test(share_is_read_as_people_type_it),
		cmocka_unit_test(sealed_files_come_back_as_they_were),
		cmocka_unit_test(unfinished_backup_is_removed),
		cmocka_unit_test(wrong_key_or_a_changed_byte_opens_nothing),
		cmocka_unit_test(file_with_a_path_for_a_name_is_not_written),
	};

	return cmocka_run_group_tests(tests, world_make, world_free);
}
