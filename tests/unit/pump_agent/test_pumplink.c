/* SPDX-License-Identifier: BSD-2-Clause */
/* Both sides of pumplink in one process: agents come and go, people log in and out. */
#include "tests/unit/pump_agent/pumplink_world.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>

static struct told_area *agents_memory(struct world *w)
{
	void *at = mmap(NULL, PUMPLINK_AREA_BYTES, PROT_READ | PROT_WRITE, MAP_SHARED,
			w->link->told_fd, 0);

	assert_true(at != MAP_FAILED);
	return at;
}

static bool is_zero(const void *data, size_t len)
{
	const unsigned char *at = data;

	while (len && !*at) {
		at++;
		len--;
	}
	return !len;
}

/* ---- no agent, a dead one, a stopped one ---- */

static void controller_goes_on_without_an_agent(void **state)
{
	struct world *w = *state;
	uint32_t id;

	look(w, 10);
	assert_false(w->view.is_agent_alive);
	assert_int_equal(w->view.agent_age_ms, UINT32_MAX);
	assert_int_equal(w->view.network, PUMPLINK_NET_UNKNOWN);
	assert_int_equal(pumplink_tend(w->link), -ENOENT);
	id = pumplink_login(w->link, "nurse.joy", "correct horse");
	assert_int_equal(pumplink_login_poll(w->link, id, NULL), PUMPLINK_NO_AGENT);
	assert_true(is_zero(w->link->asked->letter_words, sizeof(w->link->asked->letter_words)));
}

static void agent_that_stops_beating_is_gone_after_three_seconds(void **state)
{
	struct world *w = *state;
	struct pumplink_standing st = {.network = PUMPLINK_NET_ONLINE};

	attach(w);
	agent_side_tell(w->agent, &st);
	look(w, PUMPLINK_AGENT_GONE_MS - 20);
	assert_int_equal(w->view.network, PUMPLINK_NET_ONLINE);
	assert_int_equal(pumplink_tend(w->link), 0);
	assert_int_equal(agent_side_attach(w->agent), ERR_NOT_FOUND);
	look(w, 20);
	assert_false(w->view.is_agent_alive);
	assert_int_equal(w->view.network, PUMPLINK_NET_UNKNOWN);
	assert_int_equal(w->view.agent_age_ms, PUMPLINK_AGENT_GONE_MS);
	beat(w);
	assert_true(w->view.is_agent_alive);
}

static void agent_stopped_in_the_middle_of_a_word_leaves_the_last_whole_one(void **state)
{
	struct world *w = *state;
	struct pumplink_standing st = {.network = PUMPLINK_NET_ONLINE};
	struct told_area *told;
	unsigned next;

	attach(w);
	agent_side_tell(w->agent, &st);
	told = agents_memory(w);
	next = (told->latest + 1) % TOLD_SLOTS; /* where it would have written */
	told->slots[next].number = 0;
	told->slots[next].words[0] = PUMPLINK_NET_REVOKED;
	beat(w);
	assert_int_equal(w->view.network, PUMPLINK_NET_ONLINE);
	munmap(told, PUMPLINK_AREA_BYTES);
}

static void agent_that_is_started_anew_is_attached_and_told_nothing_of_before(void **state)
{
	struct world *w = *state;
	struct pumplink_standing st = {.network = PUMPLINK_NET_REVOKED, .pump = "PG-1"};

	attach(w);
	log_in(w);
	agent_side_close(w->agent);
	look(w, PUMPLINK_AGENT_GONE_MS);
	assert_false(w->view.is_agent_alive);
	assert_string_equal(w->view.session.person, JOY.person); /* the bedside goes on */
	attach(w);
	agent_side_tell(w->agent, &st);
	look(w, 10);
	assert_int_equal(w->view.network, PUMPLINK_NET_REVOKED);
	assert_string_equal(w->view.pump, "PG-1");
	assert_string_equal(pumplink_network_text(w->view.network),
			    "network credential revoked, standalone");
	assert_string_equal(pumplink_who(w->link), JOY.person);
}

static void controller_that_is_started_anew_takes_the_place_of_the_one_before(void **state)
{
	struct world *w = *state;
	struct pumplink_request rq;

	attach(w);
	assert_true(pumplink_login(w->link, "nurse.joy", "correct horse"));
	pumplink_close(w->link);
	assert_int_equal(pumplink_open(w->path, &w->link), 0);
	look(w, 10);
	assert_int_equal(agent_side_attach(w->agent), 1);
	assert_false(agent_side_next(w->agent, &rq));
	look(w, 10);
	assert_true(w->view.is_agent_alive);
	assert_int_equal(w->view.session.id, 0);
}

static void the_same_controller_coming_again_loses_nothing(void **state)
{
	struct world *w = *state;
	struct pumplink_request rq;
	uint32_t id;

	attach(w);
	id = request(w, &rq);
	look(w, PUMPLINK_AGENT_GONE_MS - 30);
	w->link->is_alive = false;
	assert_int_equal(pumplink_tend(w->link), 0);
	assert_int_equal(agent_side_attach(w->agent), 0);
	assert_int_equal(agent_side_answer(w->agent, id, &JOY), 0);
	beat(w);
	assert_int_equal(pumplink_login_poll(w->link, id, NULL), PUMPLINK_OK);
}

/* ---- logins ---- */

static void login_is_refused_when_it_is_empty_or_too_long(void **state)
{
	struct world *w = *state;
	char name[PUMPLINK_NAME_MAX + 2];
	char secret[PUMPLINK_SECRET_MAX + 2];

	memset(name, 'n', sizeof(name));
	memset(secret, 's', sizeof(secret));
	name[sizeof(name) - 1] = secret[sizeof(secret) - 1] = '\0';
	attach(w);
	assert_int_equal(pumplink_login(w->link, "", "x"), 0);
	assert_int_equal(pumplink_login(w->link, "nurse.joy", ""), 0);
	assert_int_equal(pumplink_login(w->link, name, "x"), 0);
	assert_int_equal(pumplink_login_badge(w->link, "0451", secret), 0);
	assert_int_equal(pumplink_login_break_glass(w->link, ""), 0);
	name[PUMPLINK_NAME_MAX] = secret[PUMPLINK_SECRET_MAX] = '\0';
	assert_int_equal(pumplink_login(w->link, name, secret), 1);
}

static void what_was_typed_is_wiped_as_soon_as_the_agent_has_it(void **state)
{
	struct world *w = *state;
	const struct asked_area *asked = w->link->asked;
	struct pumplink_request rq;

	attach(w);
	request(w, &rq);
	assert_string_equal(rq.name, "nurse.joy");
	assert_string_equal(rq.secret, "correct horse");
	assert_int_equal(rq.kind, PUMPLINK_LOGIN_PASSWORD);
	assert_false(is_zero(asked->letter_words, sizeof(asked->letter_words)));
	look(w, 10);
	assert_true(is_zero(asked->letter_words, sizeof(asked->letter_words)));
	pumplink_request_wipe(&rq);
	assert_true(is_zero(&rq, sizeof(rq)));
	assert_false(agent_side_next(w->agent, &rq));
}

static void agent_is_told_of_a_login_by_a_datagram(void **state)
{
	struct world *w = *state;
	struct pumplink_request rq;

	attach(w);
	look(w, 10);
	assert_int_equal(agent_side_attach(w->agent), ERR_NOT_FOUND);
	assert_true(pumplink_login(w->link, "nurse.joy", "correct horse"));
	look(w, 10);
	assert_int_equal(agent_side_attach(w->agent), 0);
	assert_true(agent_side_next(w->agent, &rq));
	look(w, 10); /* sees that it is taken */
	while (agent_side_attach(w->agent) == 0)
		;
	look(w, 10);
	assert_int_equal(agent_side_attach(w->agent), ERR_NOT_FOUND);
}

static void login_that_nobody_answers_ends_and_is_wiped(void **state)
{
	struct world *w = *state;
	const struct asked_area *asked = w->link->asked;
	uint32_t id;

	attach(w);
	id = pumplink_login_badge(w->link, "0451", "1234");
	for (int i = 0; i < PUMPLINK_LOGIN_MS / 1000; i++) {
		assert_int_equal(pumplink_login_poll(w->link, id, NULL), PUMPLINK_PENDING);
		agent_side_beat(w->agent);
		look(w, 1000);
	}
	agent_side_beat(w->agent);
	look(w, 1000);
	assert_int_equal(pumplink_login_poll(w->link, id, NULL), PUMPLINK_NO_AGENT);
	assert_true(is_zero(asked->letter_words, sizeof(asked->letter_words)));
	assert_true(agent_side_is_void(w->agent, id));
}

static void login_is_cancelled_by_the_next_one_and_by_hand(void **state)
{
	struct world *w = *state;
	struct pumplink_request rq;
	uint32_t first;
	uint32_t second;

	attach(w);
	first = request(w, &rq);
	second = pumplink_login_break_glass(w->link, "ABCD-EFGH");
	assert_int_equal(pumplink_login_poll(w->link, first, NULL), PUMPLINK_CANCELLED);
	assert_true(agent_side_is_void(w->agent, first));
	assert_false(agent_side_is_void(w->agent, second));
	assert_int_equal(agent_side_answer(w->agent, first, &JOY), 0); /* too late */
	look(w, 10);
	assert_int_equal(w->view.session.id, 0);
	assert_true(agent_side_next(w->agent, &rq));
	assert_int_equal(rq.kind, PUMPLINK_LOGIN_BREAK_GLASS);
	pumplink_cancel(w->link);
	assert_int_equal(pumplink_login_poll(w->link, second, NULL), PUMPLINK_CANCELLED);
	assert_true(agent_side_is_void(w->agent, second));
}

static void refusals_reach_the_controller(void **state)
{
	struct world *w = *state;
	struct pumplink_answer a = {.result = PUMPLINK_TRY_AGAIN, .wait_s = 7};
	struct pumplink_request rq;
	uint32_t wait_s;
	uint32_t id;

	attach(w);
	id = request(w, &rq);
	assert_int_equal(agent_side_answer(w->agent, id, &a), 0);
	beat(w);
	assert_int_equal(pumplink_login_poll(w->link, id, &wait_s), PUMPLINK_TRY_AGAIN);
	assert_int_equal(wait_s, 7);
	a.result = PUMPLINK_REFUSED;
	id = request(w, &rq);
	assert_int_equal(agent_side_answer(w->agent, id, &a), 0);
	beat(w);
	assert_int_equal(pumplink_login_poll(w->link, id, &wait_s), PUMPLINK_REFUSED);
	assert_int_equal(wait_s, 0);
	assert_int_equal(w->view.session.id, 0);
}

static void agent_cannot_answer_what_would_not_be_believed(void **state)
{
	struct world *w = *state;
	struct pumplink_answer a = JOY;

	attach(w);
	a.person[0] = '\n';
	assert_int_equal(agent_side_answer(w->agent, 1, &a), ERR_INVALID);
	a = JOY;
	a.role[0] = 'B';
	assert_int_equal(agent_side_answer(w->agent, 1, &a), ERR_INVALID);
	a = JOY;
	a.session_s = 0;
	assert_int_equal(agent_side_answer(w->agent, 1, &a), ERR_INVALID);
	a.result = PUMPLINK_NO_AGENT;
	assert_int_equal(agent_side_answer(w->agent, 1, &a), ERR_INVALID);
}

static void session_ends_at_its_time_and_the_agent_hears_why(void **state)
{
	struct world *w = *state;
	enum pumplink_end why = PUMPLINK_END_NONE;
	uint32_t session = 0;
	uint32_t id;

	attach(w);
	id = log_in(w);
	assert_string_equal(pumplink_who(w->link), "Joy Zo\xc3\xab");
	assert_string_equal(pumplink_role(w->link), "bedside");
	assert_int_equal(w->view.session.left_s, 600);
	assert_false(agent_side_ended(w->agent, &session, &why));
	look(w, 599990);
	assert_int_equal(w->view.session.left_s, 1);
	look(w, 10);
	assert_int_equal(w->view.session.id, 0);
	assert_string_equal(pumplink_who(w->link), "");
	assert_true(agent_side_ended(w->agent, &session, &why));
	assert_int_equal(session, id);
	assert_int_equal(why, PUMPLINK_END_EXPIRED);
	assert_false(agent_side_ended(w->agent, &session, &why));
	beat(w); /* the old answer still stands there */
	assert_int_equal(w->view.session.id, 0);
}

static void logout_holds_at_once_and_without_an_agent(void **state)
{
	struct world *w = *state;
	enum pumplink_end why = PUMPLINK_END_NONE;
	uint32_t session = 0;

	attach(w);
	log_in(w);
	look(w, PUMPLINK_AGENT_GONE_MS);
	pumplink_logout(w->link, true);
	assert_string_equal(pumplink_role(w->link), "");
	look(w, 10);
	assert_int_equal(w->view.session.id, 0);
	assert_true(agent_side_ended(w->agent, &session, &why));
	assert_int_equal(why, PUMPLINK_END_IDLE);
}

static void next_person_takes_the_place_of_the_one_before(void **state)
{
	struct world *w = *state;
	enum pumplink_end why = PUMPLINK_END_NONE;
	uint32_t session = 0;
	uint32_t first;

	attach(w);
	first = log_in(w);
	assert_int_not_equal(log_in(w), first);
	assert_true(agent_side_ended(w->agent, &session, &why));
	assert_int_equal(session, first);
	assert_int_equal(why, PUMPLINK_END_REPLACED);
	agent_side_end_session(w->agent, first); /* which is over: nothing happens */
	beat(w);
	assert_int_not_equal(w->view.session.id, 0);
	agent_side_end_session(w->agent, w->view.session.id);
	beat(w);
	assert_int_equal(w->view.session.id, 0);
}

static void no_agent_grants_more_than_a_day(void **state)
{
	struct world *w = *state;
	struct pumplink_answer a = JOY;
	struct pumplink_request rq;
	uint32_t id;

	attach(w);
	id = request(w, &rq);
	a.session_s = UINT32_MAX;
	assert_int_equal(agent_side_answer(w->agent, id, &a), 0);
	beat(w);
	assert_int_equal(w->view.session.left_s, PUMPLINK_SESSION_MAX_S);
}

/* ---- the infusing bit ---- */

static void infusing_is_unknown_unless_the_controller_says_so_and_lives(void **state)
{
	struct world *w = *state;

	attach(w);
	assert_int_equal(agent_side_infusing(w->agent, 1000), PUMPLINK_INFUSING_UNKNOWN);
	pumplink_tell_infusing(w->link, PUMPLINK_INFUSING);
	assert_int_equal(agent_side_infusing(w->agent, 1000), PUMPLINK_INFUSING);
	look(w, 10);
	assert_int_equal(agent_side_infusing(w->agent, 2000), PUMPLINK_INFUSING);
	assert_int_equal(agent_side_infusing(w->agent, 5000), PUMPLINK_INFUSING_UNKNOWN);
	pumplink_tell_infusing(w->link, PUMPLINK_IDLE);
	look(w, 10);
	assert_int_equal(agent_side_infusing(w->agent, 5000), PUMPLINK_IDLE);
	w->link->asked->infusing = 77;
	assert_int_equal(agent_side_infusing(w->agent, 5000), PUMPLINK_INFUSING_UNKNOWN);
}

#define IN_A_WORLD(test) cmocka_unit_test_setup_teardown(test, world_make, world_end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		IN_A_WORLD(controller_goes_on_without_an_agent),
		IN_A_WORLD(agent_that_stops_beating_is_gone_after_three_seconds),
		IN_A_WORLD(agent_stopped_in_the_middle_of_a_word_leaves_the_last_whole_one),
		IN_A_WORLD(agent_that_is_started_anew_is_attached_and_told_nothing_of_before),
		IN_A_WORLD(controller_that_is_started_anew_takes_the_place_of_the_one_before),
		IN_A_WORLD(the_same_controller_coming_again_loses_nothing),
		IN_A_WORLD(login_is_refused_when_it_is_empty_or_too_long),
		IN_A_WORLD(what_was_typed_is_wiped_as_soon_as_the_agent_has_it),
		IN_A_WORLD(agent_is_told_of_a_login_by_a_datagram),
		IN_A_WORLD(login_that_nobody_answers_ends_and_is_wiped),
		IN_A_WORLD(login_is_cancelled_by_the_next_one_and_by_hand),
		IN_A_WORLD(refusals_reach_the_controller),
		IN_A_WORLD(agent_cannot_answer_what_would_not_be_believed),
		IN_A_WORLD(session_ends_at_its_time_and_the_agent_hears_why),
		IN_A_WORLD(logout_holds_at_once_and_without_an_agent),
		IN_A_WORLD(next_person_takes_the_place_of_the_one_before),
		IN_A_WORLD(no_agent_grants_more_than_a_day),
		IN_A_WORLD(infusing_is_unknown_unless_the_controller_says_so_and_lives),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
