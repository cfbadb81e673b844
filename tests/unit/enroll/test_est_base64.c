/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/support/cmocka.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <openssl/evp.h>

#include "enroll/est/est_base64.h"

static int decode(const char *text, uint8_t *out, size_t max, size_t *len)
{
	return est_base64_decode((const uint8_t *)text, strlen(text), out, max, len);
}

static void text_with_two_readings_is_refused(void **state)
{
	static const char *const texts[] = {
		"A",	"AA",	"AAA",	 "AAAAA",    "=",	   "A===",
		"AA=",	"AA=A", "AA==A", "AA==AAAA", "AAAA=",	   "AAA=AAA=",
		"AAB=", "AB==", "AA-_",	 "AA!=",     "AA\x80\x81", "AAAA\vAAAA",
	};
	uint8_t out[16];
	size_t len;

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		if (decode(texts[i], out, sizeof(out), &len) != ERR_INVALID)
			fail_msg("'%s' was taken", texts[i]);
	assert_int_equal(est_base64_decode((const uint8_t *)"AA\0A", 4, out, sizeof(out), &len),
			 ERR_INVALID);
}

static void contents_longer_than_the_room_are_refused(void **state)
{
	uint8_t out[3] = {0};
	size_t len;

	(void)state;
	assert_int_equal(decode("AAAAAA==", out, sizeof(out), &len), ERR_LIMIT);
	assert_int_equal(decode("AAAA", out, sizeof(out), &len), 0);
	assert_int_equal(len, 3);
}

static void white_space_may_stand_anywhere(void **state)
{
	uint8_t out[16];
	size_t len;

	(void)state;
	assert_int_equal(decode(" Z m\r\n9\tv\nYg=\r\n= \n", out, sizeof(out), &len), 0);
	assert_int_equal(len, 4);
	assert_memory_equal(out, "foob", 4);
	assert_int_equal(decode("\r\n", out, sizeof(out), &len), 0);
	assert_int_equal(len, 0);
}

static void lines_are_of_64_and_end_in_crlf(void **state)
{
	uint8_t data[100] = {0};
	AUTO_BUF out = {.max = 1000};
	const char *text;

	(void)state;
	assert_int_equal(est_base64_encode(&out, data, 48, EST_LINES_OF_64), 0);
	assert_int_equal(out.len, 66); /* one full line: no empty one after it */
	buf_reset(&out);
	assert_int_equal(est_base64_encode(&out, data, sizeof(data), EST_LINES_OF_64), 0);
	text = buf_cstr(&out);
	assert_memory_equal(text + 64, "\r\n", 2);
	assert_memory_equal(text + 130, "\r\n", 2);
	assert_string_equal(text + 132, "AAAAAA==\r\n");
	buf_reset(&out);
	assert_int_equal(est_base64_encode(&out, data, sizeof(data), EST_ONE_LINE), 0);
	assert_int_equal(out.len, 136);
	assert_null(memchr(out.data, '\n', out.len));
	buf_reset(&out);
	assert_int_equal(est_base64_encode(&out, data, 0, EST_LINES_OF_64), 0);
	assert_int_equal(out.len, 0);
}

/* Against OpenSSL's encoder, lengths 0 to 199, random bytes. */
static void encoding_agrees_with_openssl_and_comes_back(void **state)
{
	unsigned seed = (unsigned)time(NULL);

	(void)state;
	print_message("seed %u\n", seed);
	srand(seed);
	for (size_t n = 0; n < 200; n++) {
		uint8_t data[200], back[200], theirs[300];
		AUTO_BUF out = {.max = 1000};
		size_t len;

		for (size_t i = 0; i < n; i++)
			data[i] = (uint8_t)rand();
		assert_int_equal(est_base64_encode(&out, data, n, EST_ONE_LINE), 0);
		assert_int_equal(EVP_EncodeBlock(theirs, data, (int)n), (int)out.len);
		if (n)
			assert_memory_equal(out.data, theirs, out.len);
		buf_reset(&out);
		assert_int_equal(est_base64_encode(&out, data, n, EST_LINES_OF_64), 0);
		assert_int_equal(est_base64_decode(out.data, out.len, back, sizeof(back), &len), 0);
		assert_int_equal(len, n);
		assert_memory_equal(back, data, n);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(text_with_two_readings_is_refused),
		cmocka_unit_test(contents_longer_than_the_room_are_refused),
		cmocka_unit_test(white_space_may_stand_anywhere),
		cmocka_unit_test(lines_are_of_64_and_end_in_crlf),
		cmocka_unit_test(encoding_agrees_with_openssl_and_comes_back),
	};

	return cmocka_run_group_tests_name("enroll/est_base64", tests, NULL, NULL);
}
