/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/support/cmocka.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/secret.h"

static char path[] = "/tmp/test_secret.XXXXXX";

static void put(const char *data, size_t len, unsigned mode)
{
	assert_int_equal(buf_write_file(path, mode, data, len), 0);
}

static void file_open_to_others_is_refused(void **state)
{
	static const unsigned modes[] = {0640, 0604, 0620, 0602, 0610, 0601, 0666};
	struct secret *s = NULL;

	(void)state;
	for (size_t i = 0; i < sizeof(modes) / sizeof(modes[0]); i++) {
		put("key", 3, modes[i]);
		assert_int_equal(secret_read_file(path, 64, &s), ERR_DENIED);
		assert_null(s);
	}
	assert_non_null(strstr(err_text(), "chmod 600"));
}

static void file_of_somebody_else_is_refused(void **state)
{
	struct secret *s = NULL;

	(void)state;
	put("key", 3, 0600);
	if (geteuid() != 0) {
		assert_int_equal(secret_read_file("/etc/shadow", 64, &s), ERR_IO);
		return;
	}
	assert_int_equal(chown(path, 12345, (gid_t)-1), 0);
	assert_int_equal(secret_read_file(path, 64, &s), ERR_DENIED);
	assert_null(s);
}

static void file_longer_than_the_maximum_is_refused(void **state)
{
	struct secret *s = NULL;

	(void)state;
	assert_int_equal(secret_read_file("/nonexistent/key", 64, &s), ERR_NOT_FOUND);
	put("12345", 5, 0600);
	assert_int_equal(secret_read_file(path, 4, &s), ERR_LIMIT);
	put("1234\n\n", 6, 0600);
	assert_int_equal(secret_read_file(path, 4, &s), ERR_LIMIT);
	assert_null(s);
}

static void file_loses_one_newline_that_does_not_count(void **state)
{
	AUTO_SECRET s = NULL;
	AUTO_SECRET t = NULL;

	(void)state;
	put("1234\n", 5, 0600);
	assert_int_equal(secret_read_file(path, 4, &s), 0);
	assert_int_equal(secret_len(s), 4);
	assert_memory_equal(secret_data(s), "1234", 4);
	put("a\n\n", 3, 0400);
	assert_int_equal(secret_read_file(path, 4, &t), 0);
	assert_int_equal(secret_len(t), 2);
}

static void a_secret_of_the_largest_size_can_be_read(void **state)
{
	AUTO_SECRET s = NULL;
	char *big = calloc(1, 65536);

	(void)state;
	put(big, 65536, 0600);
	free(big);
	assert_int_equal(secret_read_file(path, 65536, &s), 0);
	assert_int_equal(secret_len(s), 65536);
}

static void equal_differs_in_any_bit_and_in_length(void **state)
{
	uint8_t a[32], b[32];

	(void)state;
	secret_fill_random(a, sizeof(a));
	memcpy(b, a, sizeof(b));
	assert_true(secret_equal(a, sizeof(a), b, sizeof(b)));
	assert_false(secret_equal(a, sizeof(a), b, sizeof(b) - 1));
	for (int bit = 0; bit < 256; bit++) {
		b[bit / 8] ^= 1 << (bit % 8);
		assert_false(secret_equal(a, sizeof(a), b, sizeof(b)));
		b[bit / 8] ^= 1 << (bit % 8);
	}
	assert_true(secret_equal(a, 0, b, 0));
}

static void every_length_is_kept_exactly(void **state)
{
	static const char text[] = "0123456789abcdef";

	(void)state;
	for (size_t len = 0; len <= 16; len++) {
		AUTO_SECRET s = NULL;

		assert_int_equal(secret_new(text, len, &s), 0);
		assert_int_equal(secret_len(s), len);
		assert_memory_equal(secret_data(s), text, len);
	}
	struct secret *s = NULL;

	assert_int_equal(secret_new(text, 65537, &s), ERR_LIMIT);
	assert_null(s);
}

static void random_secrets_differ(void **state)
{
	AUTO_SECRET a = NULL;
	AUTO_SECRET b = NULL;

	(void)state;
	assert_int_equal(secret_random(32, &a), 0);
	assert_int_equal(secret_random(32, &b), 0);
	assert_false(secret_equal(secret_data(a), 32, secret_data(b), 32));
}

static int make_file(void **state)
{
	int fd = mkstemp(path);

	(void)state;
	return fd < 0 ? -1 : close(fd);
}

static int drop_file(void **state)
{
	(void)state;
	return unlink(path);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(file_open_to_others_is_refused),
		cmocka_unit_test(file_of_somebody_else_is_refused),
		cmocka_unit_test(file_longer_than_the_maximum_is_refused),
		cmocka_unit_test(file_loses_one_newline_that_does_not_count),
		cmocka_unit_test(a_secret_of_the_largest_size_can_be_read),
		cmocka_unit_test(equal_differs_in_any_bit_and_in_length),
		cmocka_unit_test(every_length_is_kept_exactly),
		cmocka_unit_test(random_secrets_differ),
	};

	return cmocka_run_group_tests_name("base/secret", tests, make_file, drop_file);
}
