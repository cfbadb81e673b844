/* SPDX-License-Identifier: BSD-2-Clause */
/* The memory in which the running service says who is in good standing. */
#include "tests/unit/sql/running.h"

#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "sql/store/migrate.h"

/* ---- the map of standings ---- */

struct seen_map {
	struct standing_map map;
	size_t size;
};

static void map_fetch(struct running *r, struct seen_map *out)
{
	struct stat st;
	void *memory;
	int fd;

	assert_int_equal(registry_standings(r->radius, &fd, WAIT_MS), 0);
	assert_int_equal(fstat(fd, &st), 0);
	out->size = (size_t)st.st_size;
	memory = mmap(NULL, out->size, PROT_READ, MAP_SHARED, fd, 0);
	assert_ptr_not_equal(memory, MAP_FAILED);
	assert_int_equal(standing_map_attach(memory, out->size, &out->map), 0);
	close(fd);
}

static bool map_says(const struct seen_map *m, const char *serial)
{
	struct cert_name name = {.issuer = ISSUER};
	struct pump_facts facts;

	strcpy(name.cert_serial, serial);
	return standing_map_find(&m->map, &name, clock_mono_us, &facts);
}

/* The map is put after the answer of what changed it. */
static bool map_will_say(const struct seen_map *m, const char *serial)
{
	for (int i = 0; i < 2000; i++) {
		if (map_says(m, serial))
			return true;
		usleep(5000);
	}
	return false;
}

static void the_map_of_standings_is_for_radius_alone(void **state)
{
	struct running *r = *state;
	int fd;

	assert_int_not_equal(registry_standings(r->admin, &fd, WAIT_MS), 0);
	assert_int_not_equal(registry_standings(r->enroll, &fd, WAIT_MS), 0);
	assert_int_not_equal(registry_standings(r->dispatch, &fd, WAIT_MS), 0);
	assert_int_not_equal(registry_standings(r->signer, &fd, WAIT_MS), 0);
}

static void no_map_outlives_the_answer_to_a_revocation(void **state)
{
	struct running *r = *state;
	struct revocation out;
	struct seen_map m;

	running_enroll_pg1(r, 0x31, 31);
	map_fetch(r, &m);
	assert_true(map_will_say(&m, "00000031"));
	running_revoke_pg1(r, &out);
	assert_false(map_says(&m, "00000031"));
	munmap(m.map.memory, m.size);
}

static void the_map_of_a_hanging_service_is_not_believed(void **state)
{
	struct running *r = *state;
	struct seen_map m;

	running_enroll_pg1(r, 0x32, 32);
	map_fetch(r, &m);
	assert_true(map_will_say(&m, "00000032"));
	kill(r->pid, SIGSTOP);
	usleep(STANDING_LEASE_US + 50000);
	assert_false(map_says(&m, "00000032"));
	kill(r->pid, SIGCONT);
	assert_true(map_will_say(&m, "00000032"));
	munmap(m.map.memory, m.size);
}

/* Killed and started again, it answers a revocation at once: radiusd still has the map of before.
 */
static void the_map_of_a_killed_service_is_not_believed_once_the_next_one_revokes(void **state)
{
	struct running *r = *state;
	struct revocation out;
	struct seen_map m;

	running_enroll_pg1(r, 0x33, 33);
	map_fetch(r, &m);
	assert_true(map_will_say(&m, "00000033"));
	running_end(r, SIGKILL);
	running_start(r);
	running_revoke_pg1(r, &out);
	assert_false(map_says(&m, "00000033"));
	munmap(m.map.memory, m.size);
	map_fetch(r, &m);
	assert_false(map_says(&m, "00000033"));
	munmap(m.map.memory, m.size);
}

/* An argument: only tests of such a name. */

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
#define RUN(t) cmocka_unit_test_setup_teardown(t, running_setup, running_teardown)
		RUN(the_map_of_standings_is_for_radius_alone),
		RUN(no_map_outlives_the_answer_to_a_revocation),
		RUN(the_map_of_a_hanging_service_is_not_believed),
		RUN(the_map_of_a_killed_service_is_not_believed_once_the_next_one_revokes),
	};

	if (argc > 1)
		cmocka_set_test_filter(argv[1]);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
