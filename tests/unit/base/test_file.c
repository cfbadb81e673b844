/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/support/cmocka.h"

#include <dirent.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"

static char dir[] = "/tmp/test_file.XXXXXX";
static char path[64];

static void assert_content(const char *want)
{
	AUTO_BUF b = {.max = 4096};

	assert_int_equal(buf_read_file(&b, path), 0);
	assert_string_equal(buf_cstr(&b), want);
}

static unsigned files_in_dir(void)
{
	DIR *d = opendir(dir);
	unsigned n = 0;

	for (struct dirent *e; (e = readdir(d));)
		n += e->d_name[0] != '.';
	closedir(d);
	return n;
}

static void read_refuses_more_than_the_maximum(void **state)
{
	AUTO_BUF b = {.max = 3};

	(void)state;
	assert_int_equal(buf_write_file(path, 0600, "abcd", 4), 0);
	assert_int_equal(buf_read_file(&b, path), ERR_LIMIT);
	assert_int_equal(buf_read_file(&b, "/nonexistent/x"), ERR_NOT_FOUND);
	assert_int_equal(buf_read_file(&b, "/tmp"), ERR_IO);
}

static void old_file_stands_when_the_new_one_does_not_fit(void **state)
{
	struct rlimit old, small;
	static char big[8192];
	int rc;

	(void)state;
	assert_int_equal(buf_write_file(path, 0600, "old", 3), 0);
	signal(SIGXFSZ, SIG_IGN);
	getrlimit(RLIMIT_FSIZE, &old);
	small = old;
	small.rlim_cur = 4096;
	setrlimit(RLIMIT_FSIZE, &small);
	rc = buf_write_file(path, 0600, big, sizeof(big));
	setrlimit(RLIMIT_FSIZE, &old);
	assert_int_equal(rc, ERR_IO);
	assert_content("old");
	assert_int_equal(files_in_dir(), 1);
}

static void old_file_stands_when_the_folder_is_missing_or_the_path_too_long(void **state)
{
	char *longer = malloc(5001);

	(void)state;
	memset(longer, 'x', 5000);
	longer[5000] = '\0';
	assert_int_equal(buf_write_file(longer, 0600, "x", 1), ERR_LIMIT);
	free(longer);
	assert_int_equal(buf_write_file("/nonexistent/x", 0600, "x", 1), ERR_IO);
}

/* Whoever owns the folder can lay links in it, for a writer with more rights. */
static void write_goes_through_no_link_laid_at_its_temporary_name(void **state)
{
	char tmp[96], victim[96];
	struct stat st;

	(void)state;
	snprintf(victim, sizeof(victim), "%s/victim", dir);
	snprintf(tmp, sizeof(tmp), "%s.tmp.%d", path, (int)getpid());
	for (int hard = 0; hard < 2; hard++) {
		assert_int_equal(buf_write_file(victim, 0600, "theirs", 6), 0);
		assert_int_equal(hard ? link(victim, tmp) : symlink(victim, tmp), 0);
		assert_int_equal(buf_write_file(path, 0600, "ours", 4), 0);
		assert_content("ours");
		assert_int_equal(lstat(path, &st), 0);
		assert_true(S_ISREG(st.st_mode) && st.st_nlink == 1);
		assert_int_equal(stat(victim, &st), 0);
		assert_int_equal(st.st_size, 6);
		unlink(victim);
	}
}

static void replacement_is_whole_and_has_its_mode(void **state)
{
	struct stat st;
	mode_t mask = umask(077);

	(void)state;
	assert_int_equal(buf_write_file(path, 0600, "longer than the next", 20), 0);
	assert_int_equal(buf_write_file(path, 0644, "new", 3), 0);
	umask(mask);
	assert_content("new");
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0644);
	assert_int_equal(buf_write_file(path, 0600, "", 0), 0);
	assert_content("");
	assert_int_equal(files_in_dir(), 1);
}

static int make_dir(void **state)
{
	(void)state;
	if (!mkdtemp(dir))
		return -1;
	snprintf(path, sizeof(path), "%s/file", dir);
	return 0;
}

static int drop_dir(void **state)
{
	(void)state;
	unlink(path);
	return rmdir(dir);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(read_refuses_more_than_the_maximum),
		cmocka_unit_test(old_file_stands_when_the_new_one_does_not_fit),
		cmocka_unit_test(old_file_stands_when_the_folder_is_missing_or_the_path_too_long),
		cmocka_unit_test(write_goes_through_no_link_laid_at_its_temporary_name),
		cmocka_unit_test(replacement_is_whole_and_has_its_mode),
	};

	return cmocka_run_group_tests_name("base/file", tests, make_dir, drop_dir);
}
