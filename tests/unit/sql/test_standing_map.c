/* SPDX-License-Identifier: BSD-2-Clause */
/* The map of standings by itself: what it must not say, then what it says. */
#include "tests/support/cmocka.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sql/proto/standing_map.h"

#define CA "/CN=Pumpgate Device CA"
#define BEAT 1000000
#define MANY 40000 /* more than the smallest map has room for */

static _Atomic int64_t the_time;

static int64_t now_us(void)
{
	return the_time;
}

struct made {
	struct standing_map map;
	size_t size;
};

static int setup(void **state)
{
	struct made *m = calloc(1, sizeof(*m));
	void *memory;

	assert_non_null(m);
	m->size = standing_map_size(0, 0);
	memory = aligned_alloc(64, m->size);
	assert_non_null(memory);
	memset(memory, 0, m->size);
	standing_map_init(memory, 0, 0, &m->map);
	standing_map_open(&m->map, true);
	standing_map_beat(&m->map, BEAT);
	the_time = BEAT + 1;
	*state = m;
	return 0;
}

static int teardown(void **state)
{
	struct made *m = *state;

	free(m->map.memory);
	free(m);
	return 0;
}

static struct standing standing(unsigned n)
{
	struct standing s = {.certificate = n, .device = n + 7};

	strcpy(s.name.issuer, CA);
	snprintf(s.name.cert_serial, sizeof(s.name.cert_serial), "%032x", n);
	s.facts = (struct pump_facts){.found = true, .vlan = n % 4000 + 1, .not_after = n};
	strcpy(s.facts.device_state, "enrolled");
	strcpy(s.facts.cert_state, "valid");
	snprintf(s.facts.device, sizeof(s.facts.device), "PG-%06u", n);
	strcpy(s.facts.zone, "wards");
	return s;
}

static void put(struct made *m, const struct standing *s)
{
	assert_int_equal(standing_map_put(&m->map, s), 0);
}

static bool says(struct made *m, const struct standing *s)
{
	struct pump_facts f;

	if (!standing_map_find(&m->map, &s->name, now_us, &f))
		return false;
	assert_string_equal(f.device, s->facts.device);
	assert_int_equal(f.vlan, s->facts.vlan);
	assert_int_equal(f.not_after, s->facts.not_after);
	return true;
}

static void bad_standing_is_never_put(void **state)
{
	static const char *const devices[] = {"",     "unknown",     "expected", "revoked",
					      "held", "quarantined", "parked"};
	static const char *const certs[] = {"", "unknown", "reserved", "superseded", "revoked"};
	struct made *m = *state;
	struct standing s = standing(1);

	for (size_t i = 0; i < sizeof(devices) / sizeof(devices[0]); i++) {
		strcpy(s.facts.device_state, devices[i]);
		put(m, &s);
		assert_false(says(m, &s));
	}
	s = standing(2);
	for (size_t i = 0; i < sizeof(certs) / sizeof(certs[0]); i++) {
		strcpy(s.facts.cert_state, certs[i]);
		put(m, &s);
		assert_false(says(m, &s));
	}
	s = standing(3);
	s.facts.found = false;
	put(m, &s);
	assert_false(says(m, &s));
}

static void marked_certificate_is_not_answered_until_it_is_put_again(void **state)
{
	struct made *m = *state;
	struct standing s = standing(1), other = standing(2);

	put(m, &s);
	put(m, &other);
	standing_map_mark_certificate(&m->map, s.certificate);
	assert_false(says(m, &s));
	assert_true(says(m, &other));
	s.facts.vlan = 77;
	put(m, &s);
	assert_true(says(m, &s));
}

static void marked_device_is_not_answered_by_any_of_its_certificates(void **state)
{
	struct made *m = *state;
	struct standing a = standing(1), b = standing(2);

	b.device = a.device;
	put(m, &a);
	put(m, &b);
	standing_map_mark_device(&m->map, a.device);
	assert_false(says(m, &a));
	assert_false(says(m, &b));
	put(m, &a);
	assert_true(says(m, &a));
	assert_false(says(m, &b));
}

static void nothing_is_answered_once_all_is_marked(void **state)
{
	struct made *m = *state;
	struct standing s = standing(1);

	put(m, &s);
	standing_map_mark_all(&m->map);
	assert_false(says(m, &s));
	put(m, &s);
	assert_true(says(m, &s));
}

static void closed_map_answers_nothing(void **state)
{
	struct made *m = *state;
	struct standing s = standing(1);

	put(m, &s);
	standing_map_open(&m->map, false);
	assert_false(says(m, &s));
	assert_false(standing_map_is_live(&m->map, now_us));
	standing_map_open(&m->map, true);
	assert_true(says(m, &s));
}

static void map_whose_writer_is_silent_answers_nothing(void **state)
{
	struct made *m = *state;
	struct standing s = standing(1);

	put(m, &s);
	the_time = BEAT + STANDING_LEASE_US;
	assert_false(says(m, &s));
	the_time = BEAT + STANDING_LEASE_US - 1;
	assert_true(says(m, &s));
	the_time = BEAT - 1; /* another clock than ours */
	assert_false(says(m, &s));
	standing_map_beat(&m->map, 0);
	the_time = 1;
	assert_false(says(m, &s));
}

static void other_names_are_not_answered(void **state)
{
	struct made *m = *state;
	struct standing s = standing(1), other = s;

	put(m, &s);
	strcpy(other.name.issuer, "/CN=Another CA");
	assert_false(says(m, &other));
	other = s;
	other.name.cert_serial[31] = '2';
	assert_false(says(m, &other));
	/* the end of one may not be the beginning of the other */
	other = s;
	strcat(other.name.issuer, "0");
	memmove(other.name.cert_serial, other.name.cert_serial + 1, 32);
	assert_false(says(m, &other));
}

static void nobody_reads_names_in_the_memory(void **state)
{
	struct made *m = *state;
	struct standing s = standing(123456);

	put(m, &s);
	assert_null(memmem(m->map.memory, m->size, s.facts.device, strlen(s.facts.device)));
	assert_null(memmem(m->map.memory, m->size, s.name.cert_serial, 32));
	assert_null(memmem(m->map.memory, m->size, s.facts.zone, 5));
}

static void memory_of_another_kind_is_refused(void **state)
{
	struct made *m = *state;
	uint64_t *head = m->map.memory, magic = head[0];
	struct standing_map map;

	assert_int_equal(standing_map_attach(head, m->size - 1, &map), ERR_INVALID);
	assert_int_equal(standing_map_attach(head, 32, &map), ERR_INVALID);
	head[0]++;
	assert_int_equal(standing_map_attach(head, m->size, &map), ERR_INVALID);
	head[0] = magic;
	head[1]++;
	assert_int_equal(standing_map_attach(head, m->size, &map), ERR_INVALID);
	head[1]--;
	head[2]++;
	assert_int_equal(standing_map_attach(head, m->size, &map), ERR_INVALID);
	head[2]--;
	assert_int_equal(standing_map_attach(head, m->size, &map), 0);
}

static void full_map_leaves_out_and_is_never_wrong(void **state)
{
	struct made *m = *state;
	unsigned said = 0, left_out = 0;

	for (unsigned i = 1; i <= MANY; i++) {
		struct standing s = standing(i);
		int rc = standing_map_put(&m->map, &s);

		assert_true(rc == 0 || rc == ERR_LIMIT);
		left_out += rc != 0;
	}
	for (unsigned i = 1; i <= MANY; i++) {
		struct standing s = standing(i);

		said += says(m, &s);
	}
	assert_int_equal(said + left_out, MANY);
	assert_true(said > MANY / 2);
	/* what no longer counts makes room */
	standing_map_mark_all(&m->map);
	for (unsigned i = MANY + 1; i <= MANY + 1000; i++) {
		struct standing s = standing(i);

		put(m, &s);
		assert_true(says(m, &s));
	}
}

/* ---- readers beside the writer ---- */

struct storm {
	struct made *m;
	_Atomic unsigned committed;
	_Atomic bool over;
};

/* What was committed before the question is in the answer, and no answer is of two pieces. */
static void *reader(void *arg)
{
	struct storm *st = arg;
	struct standing s = standing(1);
	uintptr_t answers = 0;

	while (!st->over) {
		unsigned committed = st->committed;
		struct pump_facts f;

		if (!standing_map_find(&st->m->map, &s.name, now_us, &f))
			continue;
		if (f.vlan < committed || f.session_s != f.vlan || f.not_before != f.vlan)
			return NULL;
		answers++;
	}
	return (void *)(answers + 1);
}

static void answer_is_never_older_than_what_was_committed_before_it(void **state)
{
	struct storm st = {.m = *state};
	struct standing s = standing(1);
	pthread_t threads[3];
	void *good[3];

	for (int i = 0; i < 3; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, reader, &st), 0);
	for (unsigned n = 1; n < 60000; n++) {
		if (n % 2)
			standing_map_mark_certificate(&st.m->map, s.certificate);
		else
			standing_map_mark_device(&st.m->map, s.device);
		st.committed = n;
		s.facts.vlan = s.facts.session_s = n;
		s.facts.not_before = n;
		put(st.m, &s);
	}
	st.over = true;
	for (int i = 0; i < 3; i++) {
		assert_int_equal(pthread_join(threads[i], &good[i]), 0);
		assert_non_null(good[i]);
	}
	assert_true(says(st.m, &s));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(bad_standing_is_never_put, setup, teardown),
		cmocka_unit_test_setup_teardown(
			marked_certificate_is_not_answered_until_it_is_put_again, setup, teardown),
		cmocka_unit_test_setup_teardown(
			marked_device_is_not_answered_by_any_of_its_certificates, setup, teardown),
		cmocka_unit_test_setup_teardown(nothing_is_answered_once_all_is_marked, setup,
						teardown),
		cmocka_unit_test_setup_teardown(closed_map_answers_nothing, setup, teardown),
		cmocka_unit_test_setup_teardown(map_whose_writer_is_silent_answers_nothing, setup,
						teardown),
		cmocka_unit_test_setup_teardown(other_names_are_not_answered, setup, teardown),
		cmocka_unit_test_setup_teardown(nobody_reads_names_in_the_memory, setup, teardown),
		cmocka_unit_test_setup_teardown(memory_of_another_kind_is_refused, setup, teardown),
		cmocka_unit_test_setup_teardown(full_map_leaves_out_and_is_never_wrong, setup,
						teardown),
		cmocka_unit_test_setup_teardown(
			answer_is_never_older_than_what_was_committed_before_it, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
