/* SPDX-License-Identifier: BSD-2-Clause */
/* Events of the running service's ring: kills, a session database that can't be written, a ring
 * that is full, destroyed or gone. */
#include "tests/unit/sql/running.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "sql/store/db.h"

/* The pump's attempts, newest first, that the service has in its session database. */
static size_t events_listed(struct running *r, struct event *out, size_t max)
{
	struct list_query q = {.device = "PG-1", .limit = (uint32_t)max};
	size_t n, auths = 0;

	assert_int_equal(registry_event_list(r->admin, &q, out, max, &n, WAIT_MS), 0);
	for (size_t i = 0; i < n; i++)
		if (!strcmp(out[i].source, "auth"))
			out[auths++] = out[i];
	return auths;
}

/* Generous; the tests with mutants shorten it. In steps of 10 ms. */
static int patience(void)
{
	const char *ms = getenv("PATIENCE_MS");

	return ms ? atoi(ms) / 10 : 1000;
}

static bool events_will_be(struct running *r, size_t wanted)
{
	struct event got[64];

	for (int i = 0; i < patience(); i++) {
		if (events_listed(r, got, 64) == wanted)
			return true;
		usleep(10000);
	}
	return false;
}

static struct status status_of(struct running *r)
{
	struct list_query q = {0};
	struct status s;

	assert_int_equal(registry_status(r->admin, &q, &s, WAIT_MS), 0);
	return s;
}

static struct auth_event accept_of(const char *session)
{
	struct auth_event e = {.method = "eap-tls",
			       .verdict = "accept",
			       .device = "PG-1",
			       .issuer = ISSUER,
			       .cert_serial = "00000041",
			       .zone = "wards",
			       .nas = "ap-1",
			       .calling_station = "02-00-00-00-00-01"};

	e.at = clock_wall_ms();
	strcpy(e.session_id, session);
	return e;
}

static uint64_t word_of(const struct event_ring *ring, size_t slot)
{
	uint64_t word;

	memcpy(&word, (uint8_t *)ring->memory + event_word_offset(slot), sizeof(word));
	return word;
}

/* Somebody else writes the session database and does not finish: no group of events can commit. */
struct held {
	struct db *db;
	struct tx tx;
};
static void sessions_hold(struct running *r, struct held *out)
{
	char path[160];

	snprintf(path, sizeof(path), "%s/registry/sessions.db", r->f->dir);
	*out = (struct held){0};
	assert_int_equal(db_open(path, DB_WRITE, DB_SYNC_NORMAL, &out->db), 0);
	assert_int_equal(tx_begin(&out->tx, out->db), 0);
}

static void sessions_release(struct held *h)
{
	tx_end(&h->tx);
	db_close(h->db);
}

/* ---- who may ---- */

static void the_event_ring_is_for_radius_alone(void **state)
{
	struct running *r = *state;
	int fd;

	assert_int_not_equal(registry_event_ring(r->admin, &fd, WAIT_MS), 0);
	assert_int_not_equal(registry_event_ring(r->enroll, &fd, WAIT_MS), 0);
	assert_int_not_equal(registry_event_ring(r->dispatch, &fd, WAIT_MS), 0);
	assert_int_not_equal(registry_event_ring(r->signer, &fd, WAIT_MS), 0);
}

/* ---- kills ---- */

static void an_event_survives_a_service_that_is_killed_before_its_commit(void **state)
{
	struct running *r = *state;
	struct auth_event e = accept_of("S1");
	struct held held;

	sessions_hold(r, &held);
	running_put(r, &e);
	usleep(300000); /* it was taken, and waits for its commit */
	running_end(r, SIGKILL);
	sessions_release(&held);
	running_start(r);
	assert_true(events_will_be(r, 1));
}

static void events_put_while_no_service_runs_are_stored_when_it_is_back(void **state)
{
	struct running *r = *state;
	struct auth_event e = accept_of("S1");
	struct event got[64];
	struct event_ring ring;

	running_ring(r, &ring);
	running_end(r, SIGKILL);
	for (uint32_t i = 0; i < 40; i++) {
		e.vlan = i + 1;
		assert_int_equal(event_ring_put(&ring, &e), 0);
	}
	event_ring_unmap(&ring); /* radiusd is dead too */
	running_start(r);
	assert_true(events_will_be(r, 40));
	assert_int_equal(events_listed(r, got, 64), 40);
	for (uint32_t i = 0; i < 40; i++) /* newest first */
		assert_int_equal(got[i].vlan, 40 - i);
	assert_int_equal(status_of(r).accepts_lost_at, 0);
}

/* The crash between the commit and freeing: the slots are as they were before that. */
static void an_event_that_was_stored_and_not_freed_is_stored_once(void **state)
{
	struct running *r = *state;
	struct auth_event e = accept_of("S1");
	uint64_t before[3];
	struct event_ring ring;
	size_t slot[3], n = 0;
	struct held held;

	running_ring(r, &ring);
	sessions_hold(r, &held);
	for (int i = 0; i < 3; i++)
		assert_int_equal(event_ring_put(&ring, &e), 0);
	for (size_t i = 0; i < EVENT_RING_SLOTS && n < 3; i++)
		if (word_of(&ring, i)) {
			slot[n] = i;
			before[n++] = word_of(&ring, i);
		}
	assert_int_equal(n, 3);
	sessions_release(&held);
	assert_true(events_will_be(r, 3));
	for (int i = 0; i < patience() && (word_of(&ring, slot[0]) || word_of(&ring, slot[2])); i++)
		usleep(10000);
	running_end(r, SIGKILL);
	for (size_t i = 0; i < 3; i++)
		memcpy((uint8_t *)ring.memory + event_word_offset(slot[i]), &before[i], 8);
	running_start(r);
	assert_int_equal(event_ring_put(&ring, &e), 0);
	assert_true(events_will_be(r, 4));
	for (size_t i = 0; i < 3; i++)
		assert_int_equal(word_of(&ring, slot[i]), 0);
	event_ring_unmap(&ring);
}

static void an_accept_that_could_not_be_stored_yet_is_held_against_a_revocation(void **state)
{
	struct running *r = *state;
	struct dispatch_order o[4];
	struct auth_event e = accept_of("S9");
	struct revocation out;
	char path[160];

	snprintf(path, sizeof(path), "%s/registry/sessions.db", r->f->dir);
	running_enroll_pg1(r, 0x41, 41);
	running_revoke_pg1(r, &out);
	assert_int_equal(out.orders, 0);
	sql_run(path, "ALTER TABLE seen RENAME TO away"); /* no group can be stored */
	running_put(r, &e);
	assert_int_equal(running_take(r, true, (uint32_t)patience() * 4, o), 1);
	assert_string_equal(o[0].session_id, "S9");
	running_answer(r, o[0].id, "ack");
	usleep(1500000); /* it is tried again, but not told again */
	assert_int_equal(running_take(r, true, 100, o), 0);
	sql_run(path, "ALTER TABLE away RENAME TO seen");
	assert_true(events_will_be(r, 1));
}

/* ---- what is lost is known ---- */

static size_t everywhere(struct running *r)
{
	struct revocation out;
	struct dispatch_order o[4];

	running_revoke_pg1(r, &out);
	return running_take(r, true, 500, o);
}

static void a_full_ring_is_told_and_every_nas_hears_of_a_revocation(void **state)
{
	struct running *r = *state;
	struct auth_event e = accept_of("");
	struct event_ring ring;
	struct held held;
	int rc = 0;

	running_enroll_pg1(r, 0x41, 41);
	running_ring(r, &ring);
	sessions_hold(r, &held);
	strcpy(e.device, "PG-2"); /* whoever it was */
	for (int i = 0; i < EVENT_RING_ACCEPTS + 1; i++)
		rc = event_ring_put(&ring, &e);
	assert_int_equal(rc, ERR_LIMIT);
	/* the event lane has not looked yet, and may not for seconds */
	assert_int_equal(everywhere(r), 2);
	sessions_release(&held);
	for (int i = 0; i < patience() && !status_of(r).accepts_lost_at; i++)
		usleep(10000);
	assert_true(status_of(r).accepts_lost_at > 0);
	assert_true(status_of(r).events_dropped > 0);
	event_ring_unmap(&ring);
	running_end(r, SIGTERM);
	running_start(r);
	assert_true(status_of(r).accepts_lost_at > 0); /* for a day */
}

static void a_ring_that_is_gone_is_told_and_every_nas_hears_of_a_revocation(void **state)
{
	struct running *r = *state;
	char link[160], path[160];
	ssize_t n;

	running_enroll_pg1(r, 0x41, 41);
	snprintf(link, sizeof(link), "%s/registry/events.ring", r->f->dir);
	n = readlink(link, path, sizeof(path) - 1);
	assert_true(n > 0);
	path[n] = '\0';
	running_end(r, SIGKILL);
	assert_int_equal(unlink(path), 0); /* the machine lost power */
	running_start(r);
	assert_true(status_of(r).accepts_lost_at > 0);
	assert_int_equal(everywhere(r), 2);
}

/* The revocation was done, and had asked the sessions, before the loss was. */
static void a_revocation_from_just_before_a_loss_is_told_everywhere_too(void **state)
{
	struct running *r = *state;
	struct auth_event e = accept_of("");
	struct dispatch_order o[4];
	struct revocation out;
	struct event_ring ring;
	size_t n = 0;

	running_enroll_pg1(r, 0x41, 41);
	running_revoke_pg1(r, &out);
	assert_int_equal(out.orders, 0);
	running_ring(r, &ring);
	strcpy(e.device, "PG-2");
	for (int i = 0; i < 4 * EVENT_RING_ACCEPTS && event_ring_put(&ring, &e) == 0; i++)
		;
	event_ring_unmap(&ring);
	for (int i = 0; i < patience() / 50 && n < 2; i++)
		n += running_take(r, true, 500, o);
	assert_int_equal(n, 2);
}

static void a_ring_that_was_destroyed_is_made_anew_and_the_service_lives(void **state)
{
	struct running *r = *state;
	struct auth_event e = accept_of("S1");
	struct event_ring ring;
	pid_t pid = r->pid;
	int fd, rc = -1;

	assert_int_equal(registry_event_ring(r->radius, &fd, WAIT_MS), 0);
	assert_int_equal(ftruncate(fd, 10), 0);
	for (int i = 0; i < patience() && rc; i++) {
		rc = event_ring_map(fd, &ring);
		usleep(10000);
	}
	assert_int_equal(rc, 0);
	close(fd);
	assert_int_equal(event_ring_put(&ring, &e), 0);
	event_ring_unmap(&ring);
	assert_true(events_will_be(r, 1));
	assert_true(status_of(r).accepts_lost_at > 0);
	assert_int_equal(kill(pid, 0), 0);
}

static void garbage_in_the_ring_is_counted_and_what_is_good_is_stored(void **state)
{
	struct running *r = *state;
	struct auth_event e = accept_of("S1");
	uint64_t ready = (uint64_t)EVENT_READY << 62 | 12345;
	struct event_ring ring;

	running_ring(r, &ring);
	memcpy((uint8_t *)ring.memory + event_word_offset(EVENT_RING_SLOTS - 1), &ready, 8);
	memset((uint8_t *)ring.memory + event_slot_offset(EVENT_RING_SLOTS - 1), 0xa5,
	       EVENT_SLOT_SIZE);
	assert_int_equal(event_ring_put(&ring, &e), 0);
	assert_true(events_will_be(r, 1));
	while (word_of(&ring, EVENT_RING_SLOTS - 1))
		usleep(1000);
	event_ring_unmap(&ring);
	assert_int_equal(status_of(r).events_dropped, 1);
	assert_int_equal(status_of(r).accepts_lost_at, 0); /* it had the place of a reject */
}

/* An argument: only tests of such a name. */

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
#define RUN(t) cmocka_unit_test_setup_teardown(t, running_setup, running_teardown)
		RUN(the_event_ring_is_for_radius_alone),
		RUN(an_event_survives_a_service_that_is_killed_before_its_commit),
		RUN(events_put_while_no_service_runs_are_stored_when_it_is_back),
		RUN(an_event_that_was_stored_and_not_freed_is_stored_once),
		RUN(an_accept_that_could_not_be_stored_yet_is_held_against_a_revocation),
		RUN(a_full_ring_is_told_and_every_nas_hears_of_a_revocation),
		RUN(a_ring_that_is_gone_is_told_and_every_nas_hears_of_a_revocation),
		RUN(a_revocation_from_just_before_a_loss_is_told_everywhere_too),
		RUN(a_ring_that_was_destroyed_is_made_anew_and_the_service_lives),
		RUN(garbage_in_the_ring_is_counted_and_what_is_good_is_stored),
	};

	if (argc > 1)
		cmocka_set_test_filter(argv[1]);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
