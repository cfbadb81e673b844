/* SPDX-License-Identifier: BSD-2-Clause */
/* The event ring: writers that die, a memory that a hostile writer fills, and registryd's file. */
#include "tests/support/cmocka.h"

#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "sql/registryd/event_memory.h"

struct home {
	char dir[64];
	char link[128];
	struct event_memory *m;
	struct event_ring ring;	 /* a writer's */
	struct event_entry *got; /* EVENT_TAKE_MAX */
};

static void memory_open(struct home *h, bool gone_expected)
{
	bool gone;

	assert_int_equal(event_memory_open(h->dir, &h->m, &gone), 0);
	assert_int_equal(gone, gone_expected);
	assert_int_equal(event_ring_map(event_memory_fd(h->m), &h->ring), 0);
}

static void memory_close(struct home *h, bool over)
{
	event_ring_unmap(&h->ring);
	event_memory_close(h->m, over);
	h->m = NULL;
}

static int setup(void **state)
{
	struct home *h = calloc(1, sizeof(*h));
	char path[96];

	assert_non_null(h);
	strcpy(h->dir, "/tmp/pumpgate-ring-XXXXXX");
	assert_non_null(mkdtemp(h->dir));
	snprintf(path, sizeof(path), "%s/registry", h->dir);
	assert_int_equal(mkdir(path, 0700), 0);
	snprintf(h->link, sizeof(h->link), "%s/registry/events.ring", h->dir);
	h->got = calloc(EVENT_TAKE_MAX, sizeof(*h->got));
	assert_non_null(h->got);
	memory_open(h, false);
	*state = h;
	return 0;
}

static int teardown(void **state)
{
	struct home *h = *state;
	char command[128];

	if (h->m)
		memory_close(h, true);
	snprintf(command, sizeof(command), "rm -rf '%s'", h->dir);
	assert_int_equal(system(command), 0);
	free(h->got);
	free(h);
	return 0;
}

static int put(struct home *h, const char *verdict, uint32_t number)
{
	struct auth_event e = {.at = 5, .vlan = number, .device = "PG-1"};

	strcpy(e.verdict, verdict);
	return event_ring_put(&h->ring, &e);
}

static size_t take(struct home *h)
{
	struct event_head head;
	size_t n;

	assert_int_equal(event_memory_take(h->m, clock_mono_us(), &head, h->got, &n), 0);
	return n;
}

static struct event_head head_of(struct home *h)
{
	struct event_head head;

	assert_int_equal(event_memory_head(h->m, &head), 0);
	return head;
}

static void poke(struct home *h, size_t offset, const void *data, size_t len)
{
	memcpy((uint8_t *)h->ring.memory + offset, data, len);
}

static uint64_t word(struct home *h, size_t slot)
{
	uint64_t w;

	memcpy(&w, (uint8_t *)h->ring.memory + event_word_offset(slot), sizeof(w));
	return w;
}

/* ---- what must not be believed ---- */

static void garbage_in_the_ring_is_no_event(void **state)
{
	struct home *h = *state;
	uint64_t seed = 88172645463325252ULL;

	for (int round = 0; round < 200; round++) {
		uint64_t *at = (uint64_t *)(void *)((uint8_t *)h->ring.memory + EVENT_HEAD_SIZE);

		for (size_t i = 0; i < (event_ring_size() - EVENT_HEAD_SIZE) / 8; i += 7) {
			seed ^= seed << 13;
			seed ^= seed >> 7;
			seed ^= seed << 17;
			at[i] = seed;
		}
		for (size_t n = take(h); n > 0; n--)
			assert_false(h->got[n - 1].valid);
	}
}

static void an_entry_with_one_byte_changed_is_no_event(void **state)
{
	struct home *h = *state;
	uint8_t *slot;

	assert_int_equal(put(h, "accept", 7), 0);
	assert_int_equal(take(h), 1);
	assert_true(h->got[0].valid);
	slot = (uint8_t *)h->ring.memory + event_slot_offset(h->got[0].slot);
	for (size_t i = 0; i < 60; i++) {
		slot[i] ^= 1;
		assert_int_equal(take(h), 1);
		assert_false(h->got[0].valid);
		slot[i] ^= 1;
	}
	assert_int_equal(take(h), 1);
	assert_true(h->got[0].valid);
}

static void an_entry_longer_than_its_slot_is_no_event(void **state)
{
	struct home *h = *state;
	uint32_t len = EVENT_SLOT_SIZE;

	assert_int_equal(put(h, "accept", 7), 0);
	assert_int_equal(take(h), 1);
	poke(h, event_slot_offset(h->got[0].slot) + 16, &len, sizeof(len));
	assert_int_equal(take(h), 1);
	assert_false(h->got[0].valid);
}

static void a_ring_that_was_cut_is_noticed_and_made_anew(void **state)
{
	struct home *h = *state;
	struct event_head head;
	size_t n;

	assert_int_equal(put(h, "accept", 1), 0);
	assert_int_equal(ftruncate(event_memory_fd(h->m), 100), 0);
	assert_int_equal(event_memory_take(h->m, clock_mono_us(), &head, h->got, &n), ERR_CORRUPT);
	assert_int_equal(ftruncate(event_memory_fd(h->m), EVENT_HEAD_SIZE), 0);
	assert_int_equal(event_memory_take(h->m, clock_mono_us(), &head, h->got, &n), ERR_CORRUPT);
	assert_int_equal(event_memory_repair(h->m), 0);
	assert_int_equal(take(h), 0);
	assert_int_equal(put(h, "accept", 2), 0); /* the old mapping goes on */
	assert_int_equal(take(h), 1);
	assert_int_equal(h->got[0].event.vlan, 2);
}

static void a_header_that_was_overwritten_is_noticed(void **state)
{
	struct home *h = *state;
	struct event_head head;
	struct event_ring other;
	size_t n;

	memset(h->ring.memory, 0xff, 32);
	assert_int_equal(event_memory_take(h->m, clock_mono_us(), &head, h->got, &n), ERR_CORRUPT);
	assert_int_equal(event_ring_map(event_memory_fd(h->m), &other), ERR_INVALID);
}

static void a_link_that_leads_elsewhere_is_not_followed(void **state)
{
	struct home *h = *state;
	static const char *const elsewhere[] = {
		"/etc/passwd", "/dev/shm/pumpgate-events-../../../../../../../../../etc/passwd",
		"/dev/shm/pumpgate-events-00000000000000000000000000000000"};

	for (size_t i = 0; i < 3; i++) {
		memory_close(h, true);
		assert_int_equal(symlink(elsewhere[i], h->link), 0);
		memory_open(h, true);
		assert_int_equal(put(h, "accept", 1), 0);
		assert_int_equal(take(h), 1);
	}
}

static void a_ring_at_another_place_is_not_taken(void **state)
{
	struct home *h = *state;
	char copy[96], command[256];

	assert_int_equal(put(h, "accept", 1), 0);
	snprintf(copy, sizeof(copy), "%s/copy", h->dir);
	snprintf(command, sizeof(command), "cp \"$(readlink '%s')\" '%s'", h->link, copy);
	assert_int_equal(system(command), 0);
	assert_int_equal(chmod(copy, 0600), 0);
	memory_close(h, true);
	assert_int_equal(symlink(copy, h->link), 0);
	memory_open(h, true);
	assert_int_equal(take(h), 0);
}

static void a_file_that_others_could_write_is_not_taken(void **state)
{
	struct home *h = *state;

	assert_int_equal(put(h, "accept", 1), 0);
	assert_int_equal(fchmod(event_memory_fd(h->m), 0622), 0);
	memory_close(h, false);
	memory_open(h, true);
	assert_int_equal(take(h), 0);
}

/* ---- room ---- */

static void rejects_take_no_room_of_accepts_and_what_finds_none_is_counted(void **state)
{
	struct home *h = *state;

	for (uint32_t i = 0; i < EVENT_RING_REJECTS; i++)
		assert_int_equal(put(h, "reject", i), 0);
	assert_int_equal(put(h, "reject", 0), ERR_LIMIT);
	assert_int_equal(head_of(h).lost_rejects, 1);
	for (uint32_t i = 0; i < EVENT_RING_ACCEPTS; i++)
		assert_int_equal(put(h, i % 2 ? "accept" : "quarantine", i), 0);
	assert_int_equal(head_of(h).lost_accepts, 0);
	assert_int_equal(put(h, "accept", 0), ERR_LIMIT);
	assert_int_equal(put(h, "onboard", 0), ERR_LIMIT);
	assert_int_equal(head_of(h).lost_accepts, 2);
	assert_int_equal(take(h), EVENT_TAKE_MAX);
	event_memory_free(h->m, h->got, 1);
	assert_int_equal(put(h, "reject", 7), 0); /* the oldest was a reject */
	assert_int_equal(put(h, "reject", 8), ERR_LIMIT);
}

static void the_largest_event_fits(void **state)
{
	struct home *h = *state;
	struct auth_event e;
	size_t n = record_auth_event.n_fields;

	memset(&e, 0x41, sizeof(e));
	for (size_t i = 0; i < n; i++) {
		const struct record_field *f = &record_auth_event.fields[i];

		if (f->type == RECORD_STR)
			((char *)&e)[f->offset + f->size - 1] = '\0';
	}
	assert_int_equal(event_ring_put(&h->ring, &e), 0);
	assert_int_equal(take(h), 1);
	assert_true(h->got[0].valid);
	assert_string_equal(h->got[0].event.detail, e.detail);
}

/* ---- death ---- */

/* The words of entries that a process began and never finished, as it left them. */
static void unfinished_put(struct home *h, size_t slot, uint16_t writer, uint64_t number)
{
	uint64_t w = (uint64_t)EVENT_UNFINISHED << 62 | (uint64_t)writer << 48 | number;

	poke(h, event_word_offset(slot), &w, sizeof(w));
}

static void what_a_dead_writer_had_begun_is_no_event_and_its_slot_comes_back(void **state)
{
	struct home *h = *state;
	static uint64_t begun[EVENT_RING_SLOTS];
	uint16_t other = h->ring.writer ^ 2;

	unfinished_put(h, 3, other, 9);
	unfinished_put(h, 4, h->ring.writer, 10);
	assert_int_equal(take(h), 0);
	event_ring_unfinished(&h->ring, begun);
	unfinished_put(h, 5, other, 11);
	event_ring_reclaim(&h->ring, begun);
	assert_int_equal(word(h, 3), 0);
	assert_int_not_equal(word(h, 4), 0); /* our own threads live */
	assert_int_not_equal(word(h, 5), 0); /* began since */
}

static void an_entry_stays_until_it_is_freed_whoever_ends(void **state)
{
	struct home *h = *state;
	pid_t child = fork();

	if (child == 0) {
		(void)put(h, "accept", 1);
		raise(SIGKILL);
	}
	waitpid(child, NULL, 0);
	assert_int_equal(take(h), 1);
	memory_close(h, false); /* taken, not freed: registryd was killed */
	memory_open(h, false);
	assert_int_equal(take(h), 1);
	assert_int_equal(h->got[0].event.vlan, 1);
	event_memory_free(h->m, h->got, 1);
	assert_int_equal(take(h), 0);
	memory_close(h, false);
	memory_open(h, false);
	assert_int_equal(take(h), 0);
}

static void what_was_committed_and_not_freed_is_forgotten_by_its_number(void **state)
{
	struct home *h = *state;
	uint64_t numbers[2];

	for (uint32_t i = 1; i <= 3; i++)
		assert_int_equal(put(h, "accept", i), 0);
	assert_int_equal(take(h), 3);
	numbers[0] = h->got[0].number;
	numbers[1] = h->got[2].number;
	memory_close(h, false);
	memory_open(h, false);
	assert_int_equal(event_memory_forget(h->m, numbers, 2), 0);
	assert_int_equal(take(h), 1);
	assert_int_equal(h->got[0].event.vlan, 2);
}

static void a_ring_whose_machine_lost_power_is_known_to_be_gone(void **state)
{
	struct home *h = *state;
	char path[128];
	ssize_t n = readlink(h->link, path, sizeof(path) - 1);

	assert_true(n > 0);
	path[n] = '\0';
	memory_close(h, false);
	assert_int_equal(unlink(path), 0);
	memory_open(h, true);
}

static void a_ring_that_is_over_leaves_nothing_behind(void **state)
{
	struct home *h = *state;
	char path[128];
	ssize_t n = readlink(h->link, path, sizeof(path) - 1);

	assert_true(n > 0);
	path[n] = '\0';
	memory_close(h, true);
	assert_int_not_equal(access(path, F_OK), 0);
	assert_int_equal(readlink(h->link, path, sizeof(path)), -1);
	memory_open(h, false);
}

/* ---- order and number ---- */

#define EACH 500
static void *put_many(void *arg)
{
	struct home *h = arg;

	for (uint32_t i = 0; i < EACH; i++)
		(void)put(h, "accept", 1 + i);
	return NULL;
}

static void writers_of_two_processes(struct home *h)
{
	pid_t child = fork();
	pthread_t t[3];

	if (child == 0) {
		put_many(h);
		_exit(0);
	}
	for (int i = 0; i < 3; i++)
		assert_int_equal(pthread_create(&t[i], NULL, put_many, h), 0);
	for (int i = 0; i < 3; i++)
		pthread_join(t[i], NULL);
	waitpid(child, NULL, 0);
}

static void entries_of_many_writers_are_taken_once_each_in_their_order(void **state)
{
	struct home *h = *state;
	uint64_t last = 0;
	unsigned count[EACH + 1] = {0};
	size_t n, all = 0;

	writers_of_two_processes(h);
	while ((n = take(h)) > 0) {
		for (size_t i = 0; i < n; i++) {
			assert_true(h->got[i].valid);
			assert_true(!all || h->got[i].number > last);
			last = h->got[i].number;
			count[h->got[i].event.vlan]++;
			all++;
		}
		event_memory_free(h->m, h->got, n);
	}
	assert_int_equal(all, 4 * EACH);
	for (int i = 1; i <= EACH; i++)
		assert_int_equal(count[i], 4);
}

static void a_reader_that_ends_says_so(void **state)
{
	struct home *h = *state;
	int64_t now = clock_mono_us();

	assert_false(event_ring_is_read(&h->ring, now)); /* not yet */
	event_memory_beat(h->m, now);
	assert_true(event_ring_is_read(&h->ring, now));
	assert_false(event_ring_is_read(&h->ring, now + EVENT_READER_US));
	event_memory_beat(h->m, 0);
	assert_false(event_ring_is_read(&h->ring, now));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define RUN(t) cmocka_unit_test_setup_teardown(t, setup, teardown)
		RUN(garbage_in_the_ring_is_no_event),
		RUN(an_entry_with_one_byte_changed_is_no_event),
		RUN(an_entry_longer_than_its_slot_is_no_event),
		RUN(a_ring_that_was_cut_is_noticed_and_made_anew),
		RUN(a_header_that_was_overwritten_is_noticed),
		RUN(a_link_that_leads_elsewhere_is_not_followed),
		RUN(a_ring_at_another_place_is_not_taken),
		RUN(a_file_that_others_could_write_is_not_taken),
		RUN(rejects_take_no_room_of_accepts_and_what_finds_none_is_counted),
		RUN(the_largest_event_fits),
		RUN(what_a_dead_writer_had_begun_is_no_event_and_its_slot_comes_back),
		RUN(an_entry_stays_until_it_is_freed_whoever_ends),
		RUN(what_was_committed_and_not_freed_is_forgotten_by_its_number),
		RUN(a_ring_whose_machine_lost_power_is_known_to_be_gone),
		RUN(a_ring_that_is_over_leaves_nothing_behind),
		RUN(entries_of_many_writers_are_taken_once_each_in_their_order),
		RUN(a_reader_that_ends_says_so),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
