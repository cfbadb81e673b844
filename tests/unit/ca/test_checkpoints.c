/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/support/cmocka.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "ca/checkpoints.h"

#define HOUR INT64_C(3600000)
#define DAY (24 * HOUR)
#define NOW (INT64_C(20000) * DAY)
#define HEAD "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff"

struct bench {
	EVP_PKEY *key;
	char folder[256];
	char path[300];
};

static int setup(void **state)
{
	struct bench *b = calloc(1, sizeof(*b));

	snprintf(b->folder, sizeof(b->folder), "%s/pumpgate-checkpoints.XXXXXX",
		 getenv("TMPDIR") ? getenv("TMPDIR") : "/tmp");
	if (!mkdtemp(b->folder))
		return -1;
	snprintf(b->path, sizeof(b->path), "%s/checkpoints.log", b->folder);
	b->key = EVP_PKEY_Q_keygen(NULL, NULL, "ED25519");
	*state = b;
	return b->key ? 0 : -1;
}

static int teardown(void **state)
{
	struct bench *b = *state;

	unlink(b->path);
	rmdir(b->folder);
	EVP_PKEY_free(b->key);
	free(b);
	return 0;
}

static struct audit_checkpoint checkpoint_of(uint64_t seq, int64_t at)
{
	struct audit_checkpoint c = {
		.number = 1, .at = at, .chain = "registry", .seq = seq, .head = HEAD, .by = "-"};

	return c;
}

/* ---- the statement ---- */

static void changed_statement_is_not_signed(void **state)
{
	struct bench *b = *state;
	struct audit_checkpoint good = checkpoint_of(7, NOW), c;

	assert_int_equal(checkpoint_sign(&good, b->key), 0);
	c = good;
	c.seq++;
	assert_int_equal(checkpoint_verify(&c, b->key), ERR_DENIED);
	c = good;
	c.at--;
	assert_int_equal(checkpoint_verify(&c, b->key), ERR_DENIED);
	c = good;
	c.number++;
	assert_int_equal(checkpoint_verify(&c, b->key), ERR_DENIED);
	c = good;
	c.head[63] = 'e';
	assert_int_equal(checkpoint_verify(&c, b->key), ERR_DENIED);
	c = good;
	c.accepted = true;
	assert_int_equal(checkpoint_verify(&c, b->key), ERR_DENIED);
	c = good;
	strcpy(c.by, "root");
	assert_int_equal(checkpoint_verify(&c, b->key), ERR_DENIED);
	c = good;
	strcpy(c.chain, "cred");
	assert_int_equal(checkpoint_verify(&c, b->key), ERR_DENIED);
	c = good;
	c.signature.data[0] ^= 1;
	assert_int_equal(checkpoint_verify(&c, b->key), ERR_DENIED);
	c = good;
	c.signature.len = 0;
	assert_int_equal(checkpoint_verify(&c, b->key), ERR_DENIED);
	assert_int_equal(checkpoint_verify(&good, b->key), 0);
}

static void another_key_is_refused(void **state)
{
	struct bench *b = *state;
	struct audit_checkpoint c = checkpoint_of(7, NOW);
	EVP_PKEY *other = EVP_PKEY_Q_keygen(NULL, NULL, "ED25519");

	assert_int_equal(checkpoint_sign(&c, other), 0);
	assert_int_equal(checkpoint_verify(&c, b->key), ERR_DENIED);
	EVP_PKEY_free(other);
}

static void fields_that_could_be_read_otherwise_make_no_statement(void **state)
{
	struct audit_checkpoint c;
	AUTO_BUF b = {.max = 1000};

	(void)state;
	c = checkpoint_of(1, NOW);
	strcpy(c.by, "a b");
	assert_int_equal(checkpoint_statement_put(&b, &c), ERR_INVALID);
	c = checkpoint_of(1, NOW);
	c.by[0] = '\0';
	assert_int_equal(checkpoint_statement_put(&b, &c), ERR_INVALID);
	c = checkpoint_of(1, NOW);
	strcpy(c.chain, "reg\nistry");
	assert_int_equal(checkpoint_statement_put(&b, &c), ERR_INVALID);
	c = checkpoint_of(1, NOW);
	c.head[10] = 'G';
	assert_int_equal(checkpoint_statement_put(&b, &c), ERR_INVALID);
	c = checkpoint_of(1, NOW);
	c.head[10] = '\0';
	assert_int_equal(checkpoint_statement_put(&b, &c), ERR_INVALID);
}

static void line_is_read_as_it_was_written_and_no_other(void **state)
{
	struct bench *b = *state;
	struct audit_checkpoint c = checkpoint_of(UINT64_MAX, NOW), again;
	AUTO_BUF line = {.max = 1000};
	char text[CHECKPOINT_LINE_MAX];

	c.number = 18446744073709551615u;
	assert_int_equal(checkpoint_sign(&c, b->key), 0);
	assert_int_equal(checkpoint_line_put(&line, &c), 0);
	assert_int_equal(checkpoint_line_parse((char *)line.data, line.len - 1, &again), 0);
	assert_memory_equal(&c, &again, sizeof(c));
	/* every single changed byte is another line, or none */
	for (size_t i = 0; i < line.len - 1; i++) {
		memcpy(text, line.data, line.len);
		text[i] ^= 1;
		if (!checkpoint_line_parse(text, line.len - 1, &again))
			assert_int_equal(checkpoint_verify(&again, b->key), ERR_DENIED);
	}
	for (size_t len = 0; len < line.len - 1; len++)
		assert_int_equal(checkpoint_line_parse((char *)line.data, len, &again),
				 ERR_INVALID);
	snprintf(text, sizeof(text), " %s", buf_cstr(&line));
	assert_int_equal(checkpoint_line_parse(text, line.len, &again), ERR_INVALID);
}

static void chain_is_judged_by_the_row_that_was_signed(void **state)
{
	struct audit_checkpoint last = checkpoint_of(10, NOW);

	(void)state;
	assert_int_equal(checkpoint_judge(&last, 9, ""), CHAIN_CUT);
	assert_int_equal(checkpoint_judge(&last, 0, ""), CHAIN_CUT);
	assert_int_equal(checkpoint_judge(&last, 12, ""), CHAIN_CUT);
	assert_int_equal(checkpoint_judge(&last, 12, "ff"), CHAIN_REWRITTEN);
	assert_int_equal(checkpoint_judge(&last, 10, "ff"), CHAIN_REWRITTEN);
	assert_int_equal(checkpoint_judge(&last, 10, HEAD), CHAIN_SAME);
	assert_int_equal(checkpoint_judge(&last, 11, HEAD), CHAIN_GREW);
	assert_int_equal(checkpoint_judge(NULL, 0, ""), CHAIN_SAME);
	assert_int_equal(checkpoint_judge(NULL, 3, ""), CHAIN_GREW);
}

/* ---- the list ---- */

static void line_changed_in_the_file_is_found(void **state)
{
	struct bench *b = *state;
	struct checkpoints *list;
	struct audit_checkpoint c = checkpoint_of(1, NOW);
	AUTO_BUF text = {.max = 10000};

	assert_int_equal(checkpoints_open(b->path, b->key, &list), 0);
	assert_int_equal(checkpoints_add(list, &c), 0);
	checkpoints_close(list);
	assert_int_equal(buf_read_file(&text, b->path), 0);
	text.data[80] ^= 1; /* a digit of the hash */
	assert_int_equal(buf_write_file(b->path, 0600, text.data, text.len), 0);
	assert_int_equal(checkpoints_open(b->path, b->key, &list), ERR_CORRUPT);
}

static void line_given_twice_is_found(void **state)
{
	struct bench *b = *state;
	struct checkpoints *list;
	struct audit_checkpoint c = checkpoint_of(1, NOW);
	AUTO_BUF text = {.max = 10000};

	assert_int_equal(checkpoints_open(b->path, b->key, &list), 0);
	assert_int_equal(checkpoints_add(list, &c), 0);
	checkpoints_close(list);
	assert_int_equal(buf_read_file(&text, b->path), 0);
	assert_int_equal(buf_read_file(&text, b->path), 0);
	assert_int_equal(buf_write_file(b->path, 0600, text.data, text.len), 0);
	assert_int_equal(checkpoints_open(b->path, b->key, &list), ERR_CORRUPT);
}

static void second_process_is_refused(void **state)
{
	struct bench *b = *state;
	struct checkpoints *list, *second;

	assert_int_equal(checkpoints_open(b->path, b->key, &list), 0);
	assert_int_equal(checkpoints_open(b->path, b->key, &second), ERR_BUSY);
	checkpoints_close(list);
}

static void list_goes_on_after_a_torn_line(void **state)
{
	struct bench *b = *state;
	struct checkpoints *list;
	struct audit_checkpoint c = checkpoint_of(5, NOW), last;
	AUTO_BUF text = {.max = 10000};

	assert_int_equal(checkpoints_open(b->path, b->key, &list), 0);
	assert_int_equal(checkpoints_last(list, "registry", &last), ERR_NOT_FOUND);
	assert_int_equal(checkpoints_add(list, &c), 0);
	assert_int_equal(checkpoints_add(list, &c), 0);
	assert_int_equal(c.number, 2);
	checkpoints_close(list);
	assert_int_equal(buf_read_file(&text, b->path), 0);
	assert_int_equal(buf_write_file(b->path, 0600, text.data, text.len - 20), 0);
	assert_int_equal(checkpoints_open(b->path, b->key, &list), 0);
	assert_int_equal(checkpoints_last(list, "registry", &last), 0);
	assert_int_equal(last.number, 1);
	assert_int_equal(checkpoints_add(list, &c), 0);
	assert_int_equal(c.number, 2);
	checkpoints_close(list);
	assert_int_equal(checkpoints_open(b->path, b->key, &list), 0);
	assert_int_equal(checkpoints_copy(list, "registry", 1, &last, 1), 1);
	assert_int_equal(last.number, 2);
	assert_int_equal(checkpoints_copy(list, "cred", 0, &last, 1), 0);
	checkpoints_close(list);
}

static void old_ones_are_thinned_out_by_age(void **state)
{
	size_t n = 0, kept, day = 0, month = 0, old = 0;
	const size_t per_day = 24 * 60, days = 60;
	struct audit_checkpoint *all = calloc(days * per_day, sizeof(*all));

	(void)state;
	for (int64_t at = NOW - (int64_t)days * DAY; at < NOW; at += 60000, n++)
		all[n] = checkpoint_of(n + 1, at);
	all[100].accepted = true;
	kept = checkpoints_thin(all, n, NOW);
	for (size_t i = 0; i < kept; i++) {
		int64_t age = NOW - all[i].at;

		*(age < DAY ? &day : age < 30 * DAY ? &month : &old) += 1;
		assert_true(i == 0 || all[i].at > all[i - 1].at);
	}
	assert_int_equal(day, per_day - 1 + (NOW - all[kept - 1].at == 60000 ? 0 : 1));
	assert_in_range(month, 29 * 24 - 1, 29 * 24 + 1);
	assert_in_range(old, 30, 32);
	assert_int_equal(checkpoints_thin(all, kept, NOW), kept); /* nothing more to drop */
	free(all);
}

static void newest_of_a_silent_chain_and_what_a_person_accepted_stay(void **state)
{
	struct audit_checkpoint all[4];

	(void)state;
	for (size_t i = 0; i < 4; i++)
		all[i] = checkpoint_of(i + 1, NOW - 90 * DAY + (int64_t)i * 1000);
	all[1].accepted = true;
	assert_int_equal(checkpoints_thin(all, 4, NOW), 3);
	assert_int_equal(all[0].seq, 1);
	assert_int_equal(all[1].seq, 2);
	assert_int_equal(all[2].seq, 4);
}

static void thinned_list_is_rewritten_and_goes_on(void **state)
{
	struct bench *b = *state;
	struct checkpoints *list;
	struct audit_checkpoint c, *out = calloc(3000, sizeof(*out));
	struct stat st;
	size_t n;

	assert_int_equal(checkpoints_open(b->path, b->key, &list), 0);
	for (size_t i = 0; i < CHECKPOINTS_THIN_EVERY + 5; i++) {
		c = checkpoint_of(i + 1, NOW + (int64_t)i * (HOUR / 4));
		assert_int_equal(checkpoints_add(list, &c), 0);
	}
	n = checkpoints_copy(list, "registry", 0, out, 3000);
	assert_in_range(n, 300, 500); /* 15 days, four an hour: one an hour stays, and a day */
	checkpoints_close(list);
	assert_int_equal(stat(b->path, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
	assert_int_equal(checkpoints_open(b->path, b->key, &list), 0);
	assert_int_equal(checkpoints_copy(list, "registry", 0, out, 3000), n);
	assert_int_equal(out[n - 1].number, CHECKPOINTS_THIN_EVERY + 5);
	checkpoints_close(list);
	free(out);
}

#define TEST(t) cmocka_unit_test_setup_teardown(t, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(changed_statement_is_not_signed),
		TEST(another_key_is_refused),
		TEST(fields_that_could_be_read_otherwise_make_no_statement),
		TEST(line_is_read_as_it_was_written_and_no_other),
		TEST(chain_is_judged_by_the_row_that_was_signed),
		TEST(line_changed_in_the_file_is_found),
		TEST(line_given_twice_is_found),
		TEST(second_process_is_refused),
		TEST(list_goes_on_after_a_torn_line),
		TEST(old_ones_are_thinned_out_by_age),
		TEST(newest_of_a_silent_chain_and_what_a_person_accepted_stay),
		TEST(thinned_list_is_rewritten_and_goes_on),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
