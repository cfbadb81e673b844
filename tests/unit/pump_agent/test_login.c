/* SPDX-License-Identifier: BSD-2-Clause */
/* The thread of logins and the loop: answers come back, who must go goes, and nobody waits at the
 * end. */
#include "tests/support/cmocka.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <arpa/inet.h>
#include <event2/event.h>

#include "base/log.h"
#include "pump_agent/login/login.h"
#include "tests/unit/pump_agent/login_server.h"

#define LOOPS_MAX 400 /* of 50 ms: far more than is needed */

static struct store store;
static struct event_base *base;
static struct login *logins;
static struct login_server *server;
static struct pump_settings settings;
static uint32_t answered, ended;
static struct pumplink_answer answer;

static const struct login_script ACCEPTS = {.is_accept = true,
					    .terms = {.tombstone = 1},
					    .grant = {.user = "anna",
						      .role = "nurse",
						      .session_s = 600,
						      .offline = true,
						      .offline_s = 3600,
						      .offline_failures = 5,
						      .offline_people = 50}};

static void take_answer(void *ctx, uint32_t request, const struct pumplink_answer *a)
{
	(void)ctx;
	answered = request;
	answer = *a;
}

static void take_end(void *ctx, uint32_t request)
{
	(void)ctx;
	ended = request;
}

static void take_change(void *ctx)
{
	(void)ctx;
}

/* Lets the loop run until `*what` is set. */
static void loop_until(const uint32_t *what)
{
	const struct timeval step = {.tv_usec = 50000};

	for (int i = 0; i < LOOPS_MAX && !*what; i++) {
		event_base_loopexit(base, &step);
		event_base_dispatch(base);
	}
	assert_int_not_equal(*what, 0);
}

static int set_up(void **state)
{
	const struct login_calls calls = {take_answer, take_end, take_change, NULL};
	char dir[] = "/tmp/pumpgate-login.XXXXXX";
	struct login_identity who = {.settings = &settings};
	struct radsec_server s;

	(void)state;
	if (!mkdtemp(dir))
		return -1;
	memset(&store, 0, sizeof(store));
	store.lock_fd = -1;
	answered = ended = 0;
	base = event_base_new();
	assert_int_equal(store_open(dir, &store), 0);
	server = login_server_start("login-1.test", false, &s);
	login_server_script(server, &ACCEPTS);
	memset(&settings, 0, sizeof(settings));
	strcpy(settings.pump, "PG-1");
	strcpy(settings.login_name, "login-1.test");
	snprintf(settings.login_address, sizeof(settings.login_address), "127.0.0.1:%u",
		 ntohs(((struct sockaddr_in *)&s.address)->sin_port));
	assert_int_equal(store_anchors_write(&store, &settings, ANCHORS_SERVER, s.anchors), 0);
	who.key = s.key;
	who.cert = s.cert;
	assert_int_equal(login_new(base, &store, NULL, &calls, &logins), 0);
	assert_int_equal(login_identity_set(logins, &who), 0);
	return 0;
}

static int tear_down(void **state)
{
	char command[PATH_MAX + 16];

	(void)state;
	login_free(logins);
	login_server_stop(server);
	event_base_free(base);
	store_close(&store);
	snprintf(command, sizeof(command), "rm -rf '%s'", store.dir);
	return system(command);
}

static void begin(uint32_t id, const char *pin)
{
	struct pumplink_request rq = {.id = id, .kind = PUMPLINK_LOGIN_BADGE, .name = "1001"};

	assert_int_equal(str_copy(rq.secret, sizeof(rq.secret), pin), 0);
	rq.secret_len = strlen(pin);
	login_begin(logins, &rq);
}

static void the_agent_ends_though_the_server_says_nothing(void **state)
{
	struct login_script s = {.mode = SERVER_HANGS};

	(void)state;
	login_server_script(server, &s);
	begin(1, "4711"); /* tear_down ends it */
}

static void an_answer_comes_to_the_loop(void **state)
{
	(void)state;
	begin(7, "4711");
	loop_until(&answered);
	assert_int_equal(answered, 7);
	assert_int_equal(answer.result, PUMPLINK_OK);
	assert_string_equal(answer.person, "anna");
}

static void who_is_disabled_while_logged_in_is_to_go(void **state)
{
	struct login_script s = {.terms = {.tombstone = 2},
				 .stone = {.seq = 2, .user = "anna"},
				 .refusal = {.result = "refused"}};

	(void)state;
	begin(7, "4711");
	loop_until(&answered);
	answered = 0;
	login_server_script(server, &s);
	begin(8, "0000"); /* any word from the server */
	loop_until(&ended);
	assert_int_equal(ended, 7);
	loop_until(&answered);
	assert_int_equal(answer.result, PUMPLINK_REFUSED);
}

static void a_session_that_has_ended_is_told_to_the_server(void **state)
{
	char name[128], password[129];
	struct login_state said;
	unsigned n = 0;

	(void)state;
	begin(7, "4711");
	loop_until(&answered);
	login_ended(logins, 7, PUMPLINK_END_LOGOUT);
	for (int i = 0; i < LOOPS_MAX && !n; i++) {
		const struct timeval step = {.tv_usec = 50000};

		event_base_loopexit(base, &step);
		event_base_dispatch(base);
		login_server_last(server, name, password, &said, &n);
	}
	assert_true(n > 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define T(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
		T(the_agent_ends_though_the_server_says_nothing),
		T(an_answer_comes_to_the_loop),
		T(who_is_disabled_while_logged_in_is_to_go),
		T(a_session_that_has_ended_is_told_to_the_server),
	};

	signal(SIGPIPE, SIG_IGN); /* as daemon_harden */
	log_start("test", LOG_ERROR);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
