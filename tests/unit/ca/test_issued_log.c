/* SPDX-License-Identifier: BSD-2-Clause */
#include "ca/issued_log.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "ca/issued_line.h"
#include "tests/support/cmocka.h"

static char dir[64], path[96];

static int folder_make(void **state)
{
	(void)state;
	strcpy(dir, "/tmp/pumpgate-log-XXXXXX");
	assert_non_null(mkdtemp(dir));
	snprintf(path, sizeof(path), "%s/issued.log", dir);
	return 0;
}

static int folder_remove(void **state)
{
	(void)state;
	unlink(path);
	return rmdir(dir);
}

static const uint8_t der[] = "not really a certificate, 41 bytes long..";

static struct issued_entry entry(unsigned n)
{
	struct issued_entry e = {.at_ms = 1000 + n, .not_after_ms = 99, .der = der};

	e.der_len = sizeof(der) - n % 3; /* each base64 padding */
	snprintf(e.serial, sizeof(e.serial), "41000000000000000000000000%06x", n & 0xffffff);
	snprintf(e.device, sizeof(e.device), "PG-%u", n);
	return e;
}

static struct issued_log *open_log(void)
{
	struct issued_log *log = NULL;
	size_t torn;

	assert_int_equal(issued_log_open(path, &log, &torn), 0);
	assert_int_equal(torn, 0);
	return log;
}

static void fill(unsigned from, unsigned n)
{
	struct issued_log *log = open_log();

	for (unsigned i = from; i < from + n; i++) {
		struct issued_entry e = entry(i);

		assert_int_equal(issued_log_append(log, &e), 0);
	}
	issued_log_close(log);
}

/* As fill(0, n), without a sync for each. */
static void fill_at_once(unsigned n)
{
	AUTO_BUF text = {.max = 1 << 20};
	uint8_t chain[ISSUED_CHAIN_BYTES] = {0};

	for (unsigned i = 0; i < n; i++) {
		struct issued_entry e = entry(i);

		assert_int_equal(issued_line_build(&e, i + 1, chain, &text), 0);
	}
	assert_int_equal(buf_write_file(path, 0600, text.data, text.len), 0);
}

static void open_refuses_every_changed_byte(void **state)
{
	struct issued_log *log = NULL;
	struct stat st;
	size_t torn;
	int fd;

	(void)state;
	fill(0, 3);
	assert_int_equal(stat(path, &st), 0);
	fd = open(path, O_RDWR);
	for (off_t at = 0; at < st.st_size - 1; at++) { /* no last line end: a torn line, below */
		char was, now;

		assert_int_equal(pread(fd, &was, 1, at), 1);
		now = was ^ 0x01;
		assert_int_equal(pwrite(fd, &now, 1, at), 1);
		assert_int_equal(issued_log_open(path, &log, &torn), ERR_CORRUPT);
		assert_int_equal(pwrite(fd, &was, 1, at), 1);
	}
	close(fd);
	issued_log_close(open_log());
}

static void open_refuses_a_removed_line(void **state)
{
	AUTO_BUF text = {.max = 65536};
	struct issued_log *log = NULL;
	size_t first, torn;

	(void)state;
	fill(0, 3);
	assert_int_equal(buf_read_file(&text, path), 0);
	first = (size_t)((uint8_t *)memchr(text.data, '\n', text.len) + 1 - text.data);
	assert_int_equal(buf_write_file(path, 0600, text.data + first, text.len - first), 0);
	assert_int_equal(issued_log_open(path, &log, &torn), ERR_CORRUPT);
}

/* Many places at which a write can have stopped. */
static void open_cuts_off_an_unfinished_last_line_and_nothing_else(void **state)
{
	AUTO_BUF text = {.max = 65536};
	size_t second;

	(void)state;
	fill(0, 1);
	assert_int_equal(buf_read_file(&text, path), 0);
	second = text.len;
	fill(1, 1);
	buf_reset(&text);
	assert_int_equal(buf_read_file(&text, path), 0);
	for (size_t len = second + 1; len < text.len; len += len + 8 < text.len ? 7 : 1) {
		struct issued_log *log = NULL;
		struct issued_entry e = entry(1);
		size_t torn;

		assert_int_equal(buf_write_file(path, 0600, text.data, len), 0);
		assert_int_equal(issued_log_open(path, &log, &torn), 0);
		assert_int_equal(torn, len - second);
		assert_int_equal(issued_log_count(log), 1);
		assert_int_equal(issued_log_append(log, &e), 0); /* the chain goes on */
		issued_log_close(log);
		log = open_log();
		assert_int_equal(issued_log_count(log), 2);
		issued_log_close(log);
	}
}

static void open_refuses_a_second_process(void **state)
{
	struct issued_log *log, *second = NULL;
	size_t torn;

	(void)state;
	log = open_log();
	assert_int_equal(issued_log_open(path, &second, &torn), ERR_BUSY);
	issued_log_close(log);
}

static void append_refuses_a_serial_twice_and_words_that_break_a_line(void **state)
{
	struct issued_log *log = open_log();
	struct issued_entry e = entry(1);

	(void)state;
	assert_int_equal(issued_log_append(log, &e), 0);
	assert_int_equal(issued_log_append(log, &e), ERR_EXISTS);
	e = entry(2);
	strcpy(e.device, "PG 1\nv1");
	assert_int_equal(issued_log_append(log, &e), ERR_INVALID);
	e = entry(2);
	e.der_len = 4097;
	assert_int_equal(issued_log_append(log, &e), ERR_LIMIT);
	assert_int_equal(issued_log_count(log), 1);
	issued_log_close(log);
	issued_log_close(open_log());
}

/* A full disk, played by the file size limit. */
static void append_leaves_the_list_whole_when_the_disk_is_full(void **state)
{
	struct issued_entry e = entry(1);
	struct rlimit was, small;
	struct issued_log *log;
	struct stat st;

	(void)state;
	fill(0, 1);
	assert_int_equal(stat(path, &st), 0);
	log = open_log();
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &was), 0);
	small = (struct rlimit){(rlim_t)st.st_size + 20, was.rlim_max};
	signal(SIGXFSZ, SIG_IGN);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
	assert_int_equal(issued_log_append(log, &e), ERR_IO);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &was), 0);
	assert_int_equal(issued_log_count(log), 1);
	assert_int_equal(issued_log_append(log, &e), 0); /* room again */
	issued_log_close(log);
	log = open_log();
	assert_int_equal(issued_log_count(log), 2);
	issued_log_close(log);
}

static void find_gives_back_what_was_appended(void **state)
{
	AUTO_BUF store = {.max = 65536};
	struct issued_entry e, want;
	struct issued_log *log;

	(void)state;
	fill_at_once(800); /* the index grows on the way */
	log = open_log();
	for (unsigned i = 0; i < 800; i += 7) {
		want = entry(i);
		buf_reset(&store);
		assert_int_equal(issued_log_find(log, want.serial, &store, &e), 0);
		assert_string_equal(e.device, want.device);
		assert_int_equal(e.at_ms, want.at_ms);
		assert_int_equal(e.not_after_ms, want.not_after_ms);
		assert_int_equal(e.der_len, want.der_len);
		assert_memory_equal(e.der, want.der, e.der_len);
	}
	want = entry(800);
	assert_int_equal(issued_log_find(log, want.serial, &store, &e), ERR_NOT_FOUND);
	issued_log_close(log);
}

static struct issued_log *shared;

static atomic_bool sync_is_to_fail, sync_is_failing;

/* In libc's place: can fail once, as the kernel does, while somebody else has appended. */
int fdatasync(int fd)
{
	if (!atomic_exchange(&sync_is_to_fail, false))
		return (int)syscall(SYS_fdatasync, fd);
	sync_is_failing = true;
	while (issued_log_count(shared) < 2)
		usleep(1000);
	errno = EIO;
	return -1;
}

static void *append_one(void *arg)
{
	struct issued_entry e = entry(1);
	int *rc = arg;

	*rc = issued_log_append(shared, &e);
	return NULL;
}

static void nothing_counts_as_issued_once_a_sync_has_failed(void **state)
{
	AUTO_BUF store = {.max = 65536};
	struct issued_entry e = entry(1), second = entry(2);
	pthread_t thread;
	int first_rc = 0;

	(void)state;
	shared = open_log();
	sync_is_to_fail = true;
	assert_int_equal(pthread_create(&thread, NULL, append_one, &first_rc), 0);
	while (!sync_is_failing)
		usleep(1000);
	assert_int_equal(issued_log_append(shared, &second),
			 ERR_IO); /* its own sync would succeed */
	pthread_join(thread, NULL);
	assert_int_equal(first_rc, ERR_IO);
	assert_int_equal(issued_log_find(shared, entry(1).serial, &store, &e), ERR_IO);
	e = entry(3);
	assert_int_equal(issued_log_append(shared, &e), ERR_IO);
	issued_log_close(shared);
}

static void *append_some(void *arg)
{
	unsigned from = *(unsigned *)arg;

	for (unsigned i = from; i < from + 50; i++) {
		struct issued_entry e = entry(i);

		if (issued_log_append(shared, &e))
			return arg;
	}
	return NULL;
}

static void append_from_many_threads_keeps_the_chain(void **state)
{
	unsigned from[4] = {0, 100, 200, 300};
	pthread_t threads[4];

	(void)state;
	shared = open_log();
	for (int i = 0; i < 4; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, append_some, &from[i]), 0);
	for (int i = 0; i < 4; i++) {
		void *failed;

		pthread_join(threads[i], &failed);
		assert_null(failed);
	}
	issued_log_close(shared);
	shared = open_log();
	assert_int_equal(issued_log_count(shared), 200);
	issued_log_close(shared);
}

static struct list_place place(unsigned n)
{
	struct list_place p = {.at_ms = 1000 + n};

	snprintf(p.serial, sizeof(p.serial), "42000000000000000000000000%06x", n & 0xffffff);
	snprintf(p.device, sizeof(p.device), "PG-%u", n);
	return p;
}

static void neither_list_is_taken_for_the_other(void **state)
{
	struct list_place p = place(1);
	struct issued_log *log = NULL;
	size_t torn;

	(void)state;
	fill(0, 1);
	assert_int_equal(revoked_log_open(path, &log, &torn), ERR_CORRUPT);
	unlink(path);
	assert_int_equal(revoked_log_open(path, &log, &torn), 0);
	assert_int_equal(revoked_log_append(log, &p, 1), 0);
	issued_log_close(log);
	log = NULL;
	assert_int_equal(issued_log_open(path, &log, &torn), ERR_CORRUPT);
}

static void what_is_no_serial_is_not_written_as_revoked(void **state)
{
	struct list_place p[] = {place(1), place(2)};
	struct issued_log *log;
	size_t torn;

	(void)state;
	strcpy(p[1].serial, "not hex");
	assert_int_equal(revoked_log_open(path, &log, &torn), 0);
	assert_int_equal(revoked_log_append(log, p, 2), ERR_INVALID);
	strcpy(p[1].serial, place(2).serial);
	strcpy(p[1].device, "a blank");
	assert_int_equal(revoked_log_append(log, p, 2), ERR_INVALID);
	assert_int_equal(issued_log_count(log), 1);
	issued_log_close(log);
	assert_int_equal(revoked_log_open(path, &log, &torn), 0);
	assert_int_equal(issued_log_count(log), 1);
	issued_log_close(log);
}

static void revoked_serials_stand_once_in_their_order_and_a_torn_line_goes(void **state)
{
	struct list_place p[] = {place(1), place(2), place(1)}, got;
	struct issued_log *log;
	size_t torn;
	int fd;

	(void)state;
	assert_int_equal(revoked_log_open(path, &log, &torn), 0);
	assert_int_equal(revoked_log_append(log, p, 3), 0);
	issued_log_close(log);
	fd = open(path, O_WRONLY | O_APPEND);
	assert_int_equal(write(fd, "v1 3 1003 42", 12), 12);
	close(fd);
	assert_int_equal(revoked_log_open(path, &log, &torn), 0);
	assert_int_equal(torn, 12);
	assert_int_equal(issued_log_count(log), 2);
	assert_int_equal(issued_log_at(log, 2, &got), 0);
	assert_string_equal(got.serial, place(2).serial);
	assert_string_equal(got.device, "PG-2");
	assert_int_equal(got.at_ms, 1002);
	assert_int_equal(issued_log_at(log, 3, &got), ERR_NOT_FOUND);
	assert_int_equal(issued_log_at(log, 0, &got), ERR_NOT_FOUND);
	issued_log_close(log);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, folder_make, folder_remove)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(open_refuses_every_changed_byte),
		TEST(open_refuses_a_removed_line),
		TEST(open_cuts_off_an_unfinished_last_line_and_nothing_else),
		TEST(open_refuses_a_second_process),
		TEST(append_refuses_a_serial_twice_and_words_that_break_a_line),
		TEST(append_leaves_the_list_whole_when_the_disk_is_full),
		TEST(find_gives_back_what_was_appended),
		TEST(nothing_counts_as_issued_once_a_sync_has_failed),
		TEST(neither_list_is_taken_for_the_other),
		TEST(what_is_no_serial_is_not_written_as_revoked),
		TEST(revoked_serials_stand_once_in_their_order_and_a_torn_line_goes),
		TEST(append_from_many_threads_keeps_the_chain),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
