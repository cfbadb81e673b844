/* SPDX-License-Identifier: BSD-2-Clause */
/* The map of standings as registryd keeps it, held against the registry at every step. */
#include "tests/unit/sql/fixture.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "sql/registryd/service.h"
#include "sql/store/model_tls.h"
#include "sql/store/reports.h"

struct kept {
	struct fixture *f;
	struct standings *sd;
	struct standing_map map; /* as radiusd sees it */
	size_t size;
};

static void keep(struct kept *k)
{
	struct stat st;
	void *memory;

	assert_int_equal(standings_new(k->f->st, &k->sd), 0);
	assert_int_equal(fstat(standings_fd(k->sd), &st), 0);
	k->size = (size_t)st.st_size;
	memory = mmap(NULL, k->size, PROT_READ, MAP_SHARED, standings_fd(k->sd), 0);
	assert_ptr_not_equal(memory, MAP_FAILED);
	assert_int_equal(standing_map_attach(memory, k->size, &k->map), 0);
}

static void keep_no_more(struct kept *k)
{
	standings_free(k->sd);
	munmap(k->map.memory, k->size);
	k->sd = NULL;
}

static int setup(void **state)
{
	struct kept *k = calloc(1, sizeof(*k));

	assert_non_null(k);
	fixture_setup((void **)&k->f);
	enroll(k->f->st, "PG-1", 0x11, 1);
	enroll(k->f->st, "PG-2", 0x22, 2);
	keep(k);
	*state = k;
	return 0;
}

static int teardown(void **state)
{
	struct kept *k = *state;

	store_close(k->f->st); /* as registryd ends: the store, then its standings */
	k->f->st = NULL;
	if (k->sd)
		keep_no_more(k);
	fixture_teardown((void **)&k->f);
	free(k);
	return 0;
}

static void serve(struct kept *k)
{
	while (standings_serve(k->sd) <= clock_mono_us())
		;
}

static bool find(struct kept *k, const char *serial, struct pump_facts *out)
{
	struct cert_name name = {.issuer = ISSUER};

	strcpy(name.cert_serial, serial);
	for (int i = 0; i < 5; i++) { /* a busy machine may let the lease run out in between */
		standings_beat(k->sd);
		if (standing_map_find(&k->map, &name, clock_mono_us, out))
			return true;
	}
	return false;
}

static bool says(struct kept *k, const char *serial)
{
	struct pump_facts facts, said;
	bool found = find(k, serial, &said);

	assert_int_equal(store_pump_facts(k->f->st, ISSUER, serial, &facts), 0);
	if (found)
		assert_memory_equal(&facts, &said, sizeof(facts));
	return found;
}

static void pump_revoke(struct kept *k, const char *device)
{
	struct revoke rq = {.reason = "stolen"};
	struct revocation out;

	strcpy(rq.device, device);
	assert_int_equal(store_revoke(k->f->st, &admin_now, &rq, NOW, NULL, 0, &out), 0);
}

static void place(struct kept *k, const char *device, const char *action)
{
	struct standing_change rq = {.reason = "test"};
	struct revocation out;

	strcpy(rq.device, device);
	strcpy(rq.action, action);
	assert_int_equal(store_standing_change(k->f->st, &admin_now, &rq, NOW, NULL, 0, &out), 0);
}

static void revoked_pump_is_answered_no_more_before_anything_is_put(void **state)
{
	struct kept *k = *state;

	serve(k);
	assert_true(says(k, "00000011"));
	pump_revoke(k, "PG-1");
	assert_false(says(k, "00000011"));
	assert_true(says(k, "00000022"));
	serve(k);
	assert_false(says(k, "00000011"));
	assert_true(says(k, "00000022"));
}

static void placed_pump_is_answered_no_more_and_a_released_one_only_when_put(void **state)
{
	struct zone zone = {.name = "apart", .vlan = 910, .purpose = "quarantine"};
	struct kept *k = *state;

	assert_int_equal(store_zone_add(k->f->st, &admin_now, &zone), 0);
	serve(k);
	place(k, "PG-1", "quarantine");
	assert_false(says(k, "00000011"));
	serve(k);
	assert_false(says(k, "00000011"));
	place(k, "PG-1", "release");
	assert_false(says(k, "00000011"));
	serve(k);
	assert_true(says(k, "00000011"));
}

static void superseded_certificate_is_answered_no_more(void **state)
{
	struct kept *k = *state;

	enroll(k->f->st, "PG-1", 0x12, 3);
	serve(k);
	assert_true(says(k, "00000011"));
	assert_true(says(k, "00000012"));
	assert_int_equal(store_supersede(k->f->st, &admin_now, ISSUER, "00000012"), 0);
	assert_false(says(k, "00000011"));
	serve(k);
	assert_false(says(k, "00000011"));
	assert_true(says(k, "00000012"));
}

static void nobody_is_answered_while_the_signer_has_to_be_heard(void **state)
{
	struct kept *k = *state;

	serve(k);
	assert_int_equal(store_mark_copy(k->f->st, &admin_now, "restore", ""), 0);
	assert_false(says(k, "00000022"));
	serve(k);
	assert_false(says(k, "00000022"));
	assert_int_equal(store_ledger_compared(k->f->st, NOW), 0);
	assert_false(says(k, "00000022"));
	serve(k);
	assert_true(says(k, "00000022"));
}

static void held_pump_is_answered_no_more(void **state)
{
	struct ledger_entry e = {.revoked = true, .seq = 1, .cert_serial = "00000011", .at = NOW};
	struct kept *k = *state;
	size_t found;

	strcpy(e.device, "PG-1");
	serve(k);
	assert_int_equal(store_ledger_entries(k->f->st, NOW, &e, 1, &found), 0);
	assert_int_equal(found, 1);
	assert_false(says(k, "00000011"));
	serve(k);
	assert_false(says(k, "00000011"));
	assert_true(says(k, "00000022"));
}

static void change_that_is_rolled_back_takes_the_answer_for_a_moment_only(void **state)
{
	struct kept *k = *state;
	struct revoke rq = {.device = "PG-1", .reason = "stolen"};
	struct revocation out;

	serve(k);
	sql_run(k->f->registry, "CREATE TRIGGER no BEFORE INSERT ON audit"
				" BEGIN SELECT RAISE(ABORT, 'no'); END");
	assert_int_not_equal(store_revoke(k->f->st, &admin_now, &rq, NOW, NULL, 0, &out), 0);
	assert_false(says(k, "00000011"));
	serve(k);
	assert_true(says(k, "00000011"));
}

static void change_of_a_table_that_is_not_known_takes_every_answer(void **state)
{
	struct zone zone = {.name = "more", .vlan = 300};
	struct kept *k = *state;

	serve(k);
	assert_int_equal(store_zone_add(k->f->st, &admin_now, &zone), 0);
	assert_true(says(k, "00000022")); /* a new zone changes nobody's */
	sql_run(k->f->registry, "CREATE TABLE extra (x INTEGER);"
				"CREATE TRIGGER more AFTER INSERT ON zones"
				" BEGIN INSERT INTO extra VALUES (1); END");
	strcpy(zone.name, "yet-more");
	assert_int_equal(store_zone_add(k->f->st, &admin_now, &zone), 0);
	assert_false(says(k, "00000022"));
	serve(k);
	assert_true(says(k, "00000022"));
}

static void changed_zone_takes_every_answer(void **state)
{
	struct zone zone = {.name = "more", .vlan = 300};
	struct kept *k = *state;

	serve(k);
	sql_run(k->f->registry, "CREATE TRIGGER other AFTER INSERT ON zones BEGIN"
				" UPDATE zones SET vlan = 130 WHERE name = 'wards'; END");
	assert_int_equal(store_zone_add(k->f->st, &admin_now, &zone), 0);
	assert_false(says(k, "00000022"));
	serve(k);
	assert_true(says(k, "00000022"));
}

static void changed_floor_of_a_model_takes_every_answer(void **state)
{
	struct zone jail = {.name = "jail", .vlan = 198, .purpose = "quarantine"};
	struct model_tls floor = {.model = "M1", .min = 13};
	struct pump_facts said;
	struct kept *k = *state;

	assert_int_equal(store_zone_add(k->f->st, &admin_now, &jail), 0);
	serve(k);
	assert_true(says(k, "00000022"));
	assert_int_equal(store_model_tls_set(k->f->st, &admin_now, &floor), 0);
	assert_false(says(k, "00000022"));
	serve(k);
	assert_true(says(k, "00000022"));
	assert_true(find(k, "00000022", &said));
	assert_int_equal(said.tls_min, 13);
	floor.min = 0;
	assert_int_equal(store_model_tls_set(k->f->st, &admin_now, &floor), 0);
	assert_false(says(k, "00000022"));
}

/* Thousands of pumps report; each of them must not make all others ask. */
static void what_a_pump_says_of_itself_takes_no_answer(void **state)
{
	struct pump_report r = {.device = "PG-2",
				.issuer = ISSUER,
				.cert_serial = "00000022",
				.software = "1.0",
				.key_protection = "tpm",
				.infusing = "idle"};
	struct report_answer answer;
	char changes[TEXT_SIZE];
	struct kept *k = *state;

	serve(k);
	assert_int_equal(store_report(k->f->st, NOW, &r, &answer, changes), 0);
	assert_string_equal(answer.state, "enrolled");
	assert_true(says(k, "00000011"));
	assert_true(says(k, "00000022"));
}

static void change_behind_the_services_back_is_noticed(void **state)
{
	struct kept *k = *state;

	serve(k);
	assert_true(says(k, "00000022"));
	sql_run(k->f->registry, "UPDATE devices SET state = 'revoked' WHERE serial = 'PG-2'");
	usleep(1010000);
	serve(k);
	assert_false(says(k, "00000022"));
	assert_true(says(k, "00000011"));
}

static void facts_from_a_table_that_is_not_watched_are_not_offered(void **state)
{
	struct kept *k = *state;
	struct standings *sd;

	keep_no_more(k);
	sql_run(k->f->registry, "PRAGMA legacy_alter_table = ON;"
				"ALTER TABLE zones RENAME TO elsewhere;"
				"CREATE VIEW zones AS SELECT * FROM elsewhere");
	assert_int_equal(standings_new(k->f->st, &sd), ERR_INTERNAL);
}

/* ---- before the commit ---- */

struct onlooker {
	struct store *other; /* sees what is committed */
	int certificates, devices;
};

static void still_enrolled(struct onlooker *o, const char *serial)
{
	struct pump_facts facts;

	assert_int_equal(store_pump_facts(o->other, ISSUER, serial, &facts), 0);
	assert_string_equal(facts.device_state, "enrolled");
	assert_string_equal(facts.cert_state, "valid");
}

static void look_certificate(void *ctx, int64_t id)
{
	struct onlooker *o = ctx;

	(void)id;
	o->certificates++;
	still_enrolled(o, "00000011");
}

static void look_device(void *ctx, int64_t id)
{
	struct onlooker *o = ctx;

	(void)id;
	o->devices++;
	still_enrolled(o, "00000011");
}

static void look_all(void *ctx)
{
	(void)ctx;
	fail_msg("a revocation changes one pump");
}

static void look_ledger(void *ctx)
{
	(void)ctx;
}

static void marks_are_set_before_a_revocation_can_be_seen(void **state)
{
	struct kept *k = *state;
	struct onlooker o = {0};
	struct standing_watch w = {look_certificate, look_device, look_all, look_ledger, &o};
	struct pump_facts facts;

	assert_int_equal(store_open(k->f->registry, STORE_LOOKUP, &o.other), 0);
	assert_int_equal(store_standings_watch(k->f->st, &w), 0);
	pump_revoke(k, "PG-1");
	assert_int_equal(o.certificates, 1);
	assert_int_equal(o.devices, 1);
	assert_int_equal(store_pump_facts(o.other, ISSUER, "00000011", &facts), 0);
	assert_string_equal(facts.device_state, "revoked");
	store_close(o.other);
}

/* ---- the whole registry, and the memory ---- */

static void registry_that_was_there_before_is_put_whole(void **state)
{
	struct kept *k = *state;
	char serial[16];

	keep_no_more(k);
	sql_run(k->f->registry,
		"WITH RECURSIVE n(i) AS (SELECT 1000 UNION ALL SELECT i + 1 FROM n WHERE i < 1699)"
		" INSERT INTO devices (id, serial, maker, model, mac, ward, zone_id, state,"
		" state_at, state_by, state_reason, added_at, mab_until) SELECT i, 'BULK-' || i,"
		" '', '', '02:00:00:01:' || i, '', 1, 'enrolled', 0, '', '', 0, 0 FROM n;"
		"INSERT INTO certificates (id, issuer_id, serial, device_id, state, method,"
		" key_type, spki_sha256, not_before, not_after, reserved_at, issued_at,"
		" superseded_at, revoked_at, source) SELECT id, 1, printf('%08d', id), id,"
		" CASE WHEN id % 7 THEN 'valid' ELSE 'superseded' END, '', '', x'', 0, 9, 0, 0, 0,"
		" 0, '' FROM devices WHERE id >= 1000");
	keep(k);
	assert_false(says(k, "00001000")); /* closed until the first look */
	serve(k);
	for (int i = 1000; i < 1700; i++) {
		snprintf(serial, sizeof(serial), "%08d", i);
		assert_int_equal(says(k, serial), i % 7 != 0);
	}
}

static void who_gets_the_memory_can_neither_write_nor_shrink_it(void **state)
{
	struct kept *k = *state;
	char path[64];
	int fd = standings_fd(k->sd), again;

	assert_ptr_equal(mmap(NULL, k->size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0),
			 MAP_FAILED);
	assert_int_equal(pwrite(fd, "x", 1, 0), -1);
	assert_int_equal(ftruncate(fd, 0), -1);
	assert_int_equal(fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 0, 4096), -1);
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	again = open(path, O_RDWR | O_CLOEXEC);
	if (again >= 0) { /* as root */
		assert_ptr_equal(mmap(NULL, k->size, PROT_WRITE, MAP_SHARED, again, 0), MAP_FAILED);
		assert_int_equal(pwrite(again, "x", 1, 0), -1);
		close(again);
	}
}

static void standings_that_ended_answer_nothing(void **state)
{
	struct kept *k = *state;
	struct cert_name name = {.issuer = ISSUER, .cert_serial = "00000022"};
	struct pump_facts facts;

	serve(k);
	assert_true(says(k, "00000022"));
	standings_free(k->sd);
	k->sd = NULL;
	assert_false(standing_map_find(&k->map, &name, clock_mono_us, &facts));
	munmap(k->map.memory, k->size);
}

/* An argument: only tests of such a name. */
int main(int argc, char **argv)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(revoked_pump_is_answered_no_more_before_anything_is_put),
		TEST(placed_pump_is_answered_no_more_and_a_released_one_only_when_put),
		TEST(superseded_certificate_is_answered_no_more),
		TEST(nobody_is_answered_while_the_signer_has_to_be_heard),
		TEST(held_pump_is_answered_no_more),
		TEST(change_that_is_rolled_back_takes_the_answer_for_a_moment_only),
		TEST(change_of_a_table_that_is_not_known_takes_every_answer),
		TEST(changed_floor_of_a_model_takes_every_answer),
		TEST(what_a_pump_says_of_itself_takes_no_answer),
		TEST(changed_zone_takes_every_answer),
		TEST(change_behind_the_services_back_is_noticed),
		TEST(facts_from_a_table_that_is_not_watched_are_not_offered),
		TEST(marks_are_set_before_a_revocation_can_be_seen),
		TEST(registry_that_was_there_before_is_put_whole),
		TEST(who_gets_the_memory_can_neither_write_nor_shrink_it),
		TEST(standings_that_ended_answer_nothing),
	};

	if (argc > 1)
		cmocka_set_test_filter(argv[1]);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
