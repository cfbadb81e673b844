/* SPDX-License-Identifier: BSD-2-Clause */
/* A service's folders in the state folder, and its lock. */
#include "tests/support/cmocka.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/home.h"

static char scratch[32], home[64];

static int set_up(void **state)
{
	(void)state;
	umask(077);
	snprintf(scratch, sizeof(scratch), "/tmp/pumpgate-home.XXXXXX");
	if (!mkdtemp(scratch))
		return -1;
	snprintf(home, sizeof(home), "%s/home", scratch);
	return 0;
}

static int tear_down(void **state)
{
	char command[96];

	(void)state;
	snprintf(command, sizeof(command), "rm -rf %s", scratch);
	return system(command);
}

static unsigned mode_of(const char *rel)
{
	char path[96];
	struct stat st;

	snprintf(path, sizeof(path), "%s/%s", home, rel);
	assert_int_equal(lstat(path, &st), 0);
	return st.st_mode & 07777;
}

static void a_second_process_is_refused_until_the_first_has_ended(void **state)
{
	int first = -1, second = -1;

	(void)state;
	assert_int_equal(home_folders_make(home, "cred"), 0);
	assert_int_equal(home_lock(home, "cred", &first), 0);
	assert_int_equal(home_lock(home, "cred", &second), ERR_BUSY);
	close(first);
	assert_int_equal(home_lock(home, "cred", &second), 0);
	close(second);
}

static void a_lock_that_is_a_link_is_not_followed(void **state)
{
	char path[96];
	int fd = -1;

	(void)state;
	assert_int_equal(home_folders_make(home, "cred"), 0);
	snprintf(path, sizeof(path), "%s/cred/lock", home);
	assert_int_equal(symlink("/tmp/pumpgate-elsewhere", path), 0);
	assert_int_equal(home_lock(home, "cred", &fd), ERR_IO);
}

static void a_file_in_a_folders_place_is_refused(void **state)
{
	char path[96];
	FILE *f;

	(void)state;
	assert_int_equal(mkdir(home, 0755), 0);
	snprintf(path, sizeof(path), "%s/run", home);
	f = fopen(path, "w");
	assert_non_null(f);
	fclose(f);
	assert_int_equal(home_folders_make(home, "cred"), ERR_IO);
}

static void others_pass_to_the_socket_and_see_nothing_else(void **state)
{
	(void)state;
	assert_int_equal(home_folders_make(home, "cred"), 0);
	assert_int_equal(mode_of("."), 0755);
	assert_int_equal(mode_of("run"), 0755);
	assert_int_equal(mode_of("run/cred"), 0711);
	assert_int_equal(mode_of("cred"), 0700);
	assert_int_equal(home_folders_make(home, "cred"), 0); /* once more: as it was */
	assert_int_equal(mode_of("cred"), 0700);
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		T(a_second_process_is_refused_until_the_first_has_ended),
		T(a_lock_that_is_a_link_is_not_followed),
		T(a_file_in_a_folders_place_is_refused),
		T(others_pass_to_the_socket_and_see_nothing_else),
	};

	return cmocka_run_group_tests_name("base/home", tests, NULL, NULL);
}
