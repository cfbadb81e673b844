/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/support/cmocka.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/ipc_client.h"
#include "tests/unit/base/ipc_fixture.h"

static int call(struct ipc_client *c, uint16_t verb, uint32_t number, uint32_t wait_ms,
		int timeout_ms, struct note *out)
{
	struct note in = {.number = number, .wait_ms = wait_ms, .text = "said"};

	return ipc_client_call(c, verb, &record_note, &in, 1, &record_note, out, 1, NULL,
			       timeout_ms);
}

static struct ipc_client *client(const char *role)
{
	struct ipc_client *c;

	assert_int_equal(ipc_client_new(fixture_path(), role, &c), 0);
	return c;
}

static void role_that_the_uid_may_not_take_ends_the_connection(void **state)
{
	AUTO_IPC_CLIENT c = client("nobody");
	AUTO_IPC_CLIENT d = client("unheard-of");
	struct note out;

	(void)state;
	assert_int_equal(call(c, VERB_ECHO, 1, 0, 1000, &out), ERR_UNAVAILABLE);
	assert_int_equal(call(d, VERB_ECHO, 1, 0, 1000, &out), ERR_UNAVAILABLE);
}

static void verb_outside_the_roles_table_ends_the_connection(void **state)
{
	AUTO_IPC_CLIENT c = client("narrow");
	struct note out;

	(void)state;
	assert_int_equal(call(c, VERB_ECHO, 1, 0, 1000, &out), 0);
	assert_int_equal(call(c, VERB_ADMIN, 1, 0, 1000, &out), ERR_TIMEOUT);
	assert_non_null(strstr(err_text(), "closed the connection"));
	assert_int_equal(call(c, 7777, 1, 0, 1000, &out), ERR_TIMEOUT);
	assert_int_equal(call(c, VERB_ECHO, 2, 0, 1000, &out), 0);
}

static void verb_that_the_uid_may_not_ask_is_denied_and_the_connection_stays(void **state)
{
	AUTO_IPC_CLIENT c = client("person");
	struct note out;

	(void)state;
	assert_int_equal(call(c, VERB_ADMIN, 1, 0, 1000, &out), ERR_DENIED);
	assert_non_null(strstr(err_text(), "admin is more than the role watcher allows"));
	assert_int_equal(call(c, VERB_ECHO, 1, 0, 1000, &out), 0);
}

static void request_before_hello_ends_the_connection(void **state)
{
	uint8_t frame[256];
	int fd = raw_connect();

	(void)state;
	raw_send(fd, frame, raw_note(frame, VERB_ECHO, 1, 1, 0));
	assert_true(raw_is_cut(fd));
	close(fd);
}

static void second_hello_ends_the_connection(void **state)
{
	uint8_t frame[256];
	int fd = raw_connect();

	(void)state;
	raw_hello(fd, "narrow");
	raw_send(fd, frame, raw_frame(frame, IPC_HELLO, 1, "\0\0\0\0", 4, 0));
	assert_true(raw_is_cut(fd));
	close(fd);
}

static void oversize_frames_end_the_connection_before_their_payload(void **state)
{
	uint8_t frame[256];
	int fd = raw_connect();

	(void)state;
	raw_send(fd, frame, raw_frame(frame, IPC_HELLO, 1, "", 0, 65));
	assert_true(raw_is_cut(fd));
	close(fd);
	fd = raw_connect();
	raw_hello(fd, "tester");
	raw_send(fd, frame, raw_frame(frame, VERB_ECHO, 1, "", 0, IPC_PAYLOAD_MAX + 1));
	assert_true(raw_is_cut(fd));
	close(fd);
}

static void malformed_requests_end_the_connection(void **state)
{
	static const struct {
		const char *body;
		size_t len;
	} bad[] = {
		{"", 0},			 /* no record */
		{"\0\0\0\x05", 4},		 /* record cut */
		{"\0\0\0\0\0\0\0\0", 8},	 /* two where one is allowed */
		{"\0\0\0\x06\x09\0\0\0\1x", 10}, /* field unknown */
		{"\0\0\0\0\1", 5},		 /* a byte too much */
	};

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		uint8_t frame[256];
		int fd = raw_connect();

		raw_hello(fd, "tester");
		raw_send(fd, frame, raw_frame(frame, VERB_ECHO, 1, bad[i].body, bad[i].len, 0));
		if (!raw_is_cut(fd))
			fail_msg("body %zu was taken", i);
		close(fd);
	}
}

static void garbage_ends_the_connection_and_others_are_served_on(void **state)
{
	AUTO_IPC_CLIENT c = client("tester");
	struct note out;
	char garbage[512];
	int fd = raw_connect();

	(void)state;
	memset(garbage, 0xc3, sizeof(garbage));
	assert_int_equal(call(c, VERB_ECHO, 1, 0, 1000, &out), 0);
	raw_send(fd, garbage, sizeof(garbage));
	assert_true(raw_is_cut(fd));
	close(fd);
	assert_int_equal(call(c, VERB_ECHO, 2, 0, 1000, &out), 0);
	assert_int_equal(out.number, 2);
}

static void connections_beyond_the_maximum_are_closed_and_room_comes_back(void **state)
{
	int fds[FIXTURE_CONNECTIONS + 1];
	AUTO_IPC_CLIENT c = client("tester");
	struct note out;

	(void)state;
	for (int i = 0; i < FIXTURE_CONNECTIONS; i++) {
		fds[i] = raw_connect();
		raw_hello(fds[i], "narrow");
	}
	fds[FIXTURE_CONNECTIONS] = raw_connect();
	assert_true(raw_is_cut(fds[FIXTURE_CONNECTIONS]));
	assert_int_equal(call(c, VERB_ECHO, 1, 0, 500, &out), ERR_UNAVAILABLE);
	for (int i = 0; i <= FIXTURE_CONNECTIONS; i++)
		close(fds[i]);
	usleep(20000);
	assert_int_equal(call(c, VERB_ECHO, 1, 0, 1000, &out), 0);
}

/* Runs `what` as another user; its status. */
static int as_uid(uid_t uid, int (*what)(void))
{
	pid_t pid = fork();
	int how;

	if (pid == 0)
		_exit(setresuid(uid, uid, uid) ? 99 : what());
	assert_true(pid > 0 && waitpid(pid, &how, 0) == pid && WIFEXITED(how));
	return WEXITSTATUS(how);
}

/* How many of the connections that say nothing are cut long before a hello is due. */
static int silent_ones_cut(void)
{
	struct pollfd fds[FIXTURE_CONNECTIONS];
	int n;

	for (int i = 0; i < FIXTURE_CONNECTIONS; i++)
		fds[i] = (struct pollfd){.fd = raw_connect(), .events = POLLIN};
	usleep(200000);
	n = poll(fds, FIXTURE_CONNECTIONS, 0);
	return n < 0 ? 98 : n;
}

/* How many of many tries were not told plainly. */
static int unclear_refusals(void)
{
	int unclear = 0;

	for (int i = 0; i < 50; i++) {
		AUTO_IPC_CLIENT c = client("tester");
		struct note out;

		unclear += call(c, VERB_ECHO, 1, 0, 500, &out) != ERR_UNAVAILABLE ||
			   !strstr(err_text(), "no welcome");
	}
	return unclear;
}

static void uid_without_a_role_holds_no_place(void **state)
{
	(void)state;
	if (geteuid() != 0)
		skip();
	assert_int_equal(as_uid(65532, unclear_refusals), 0);
	assert_int_equal(as_uid(65532, silent_ones_cut), FIXTURE_CONNECTIONS);
}

static void uid_of_one_role_cannot_take_all_places(void **state)
{
	(void)state;
	if (geteuid() != 0)
		skip();
	assert_int_equal(as_uid(FIXTURE_OTHER_UID, silent_ones_cut), FIXTURE_CONNECTIONS / 2);
}

static void flood_of_one_way_messages_ended_at_once_is_taken_whole(void **state)
{
	uint8_t frames[300 * 64];
	size_t len = 0;
	int fd = raw_connect();

	(void)state;
	raw_hello(fd, "tester");
	for (uint32_t i = 0; i < 300; i++)
		len += raw_note(frames + len, VERB_POST, i + 1, i, 0);
	raw_send(fd, frames, len);
	close(fd);
	for (int i = 0; i < 200 && fixture_posts() < 300; i++)
		usleep(10000);
	assert_int_equal(fixture_posts(), 300);
}

static void frames_that_come_byte_by_byte_are_put_together(void **state)
{
	uint8_t frame[256];
	uint64_t id;
	int fd = raw_connect();
	size_t len = raw_note(frame, VERB_ECHO, 77, 12, 0);

	(void)state;
	raw_hello(fd, "tester");
	for (size_t i = 0; i < len; i++) {
		raw_send(fd, frame + i, 1);
		usleep(200);
	}
	assert_int_equal(raw_receive(fd, &id), 12);
	assert_int_equal(id, 77);
	close(fd);
}

static void half_a_frame_blocks_nobody_else(void **state)
{
	AUTO_IPC_CLIENT c = client("tester");
	struct note out;
	uint8_t frame[256];
	int fd = raw_connect();

	(void)state;
	raw_hello(fd, "tester");
	raw_send(fd, frame, raw_note(frame, VERB_ECHO, 1, 1, 0) - 3);
	for (int i = 0; i < 100; i++)
		assert_int_equal(call(c, VERB_ECHO, 1, 0, 500, &out), 0);
	close(fd);
}

static void peer_that_does_not_read_is_cut_and_blocks_nobody_else(void **state)
{
	AUTO_IPC_CLIENT c = client("tester");
	struct note out;
	uint8_t frame[256];
	size_t len = raw_note(frame, VERB_ECHO, 1, 1, 0);
	int fd = raw_connect(), sent = 0;
	int64_t until = clock_mono_us() + 5000000;
	bool cut = false;

	(void)state;
	raw_hello(fd, "tester");
	fcntl(fd, F_SETFL, O_NONBLOCK);
	while (!cut && clock_mono_us() < until) {
		ssize_t n = send(fd, frame, len, MSG_NOSIGNAL);

		if (n == (ssize_t)len && ++sent % 5000 == 0)
			assert_int_equal(call(c, VERB_ECHO, 1, 0, 1000, &out), 0);
		else if (n < 0 && errno == EAGAIN)
			usleep(100);
		cut = n < 0 && errno != EAGAIN;
		if (n > 0 && n < (ssize_t)len)
			fcntl(fd, F_SETFL, 0), raw_send(fd, frame + n, len - (size_t)n),
				fcntl(fd, F_SETFL, O_NONBLOCK);
	}
	assert_true(cut);
	assert_int_equal(call(c, VERB_ECHO, 1, 0, 1000, &out), 0);
	close(fd);
}

static void reading_pauses_at_the_limit_of_unanswered_requests_and_goes_on(void **state)
{
	enum { N = 5 * FIXTURE_IN_FLIGHT };
	uint8_t frame[256];
	bool seen[N] = {false};
	int fd = raw_connect();

	(void)state;
	raw_hello(fd, "tester");
	for (uint32_t i = 0; i < N; i++)
		raw_send(fd, frame, raw_note(frame, VERB_LATER, i, i, 20));
	for (int i = 0; i < N; i++) {
		uint64_t id;
		uint32_t number = raw_receive(fd, &id);

		assert_true(number < N && id == number && !seen[number]);
		seen[number] = true;
	}
	assert_int_equal(fixture_held_most(), FIXTURE_IN_FLIGHT);
	close(fd);
}

static void answer_for_a_connection_that_is_gone_is_dropped(void **state)
{
	AUTO_IPC_CLIENT c = client("tester");
	struct note out;
	uint8_t frame[256];

	(void)state;
	for (int i = 0; i < 5; i++) {
		int fd = raw_connect();

		raw_hello(fd, "tester");
		raw_send(fd, frame, raw_note(frame, VERB_LATER, 1, 1, 15));
		usleep(2000);
		close(fd);
	}
	usleep(40000);
	assert_int_equal(call(c, VERB_ECHO, 9, 0, 1000, &out), 0);
	assert_int_equal(out.number, 9);
}

static void late_answer_never_meets_the_next_question(void **state)
{
	AUTO_IPC_CLIENT c = client("tester");
	struct note out = {0};
	int64_t started = clock_mono_us();

	(void)state;
	assert_int_equal(call(c, VERB_LATER, 1, 60, 20, &out), ERR_TIMEOUT);
	assert_true(clock_mono_us() - started < 55000);
	for (uint32_t i = 2; i < 60; i++) {
		assert_int_equal(call(c, VERB_ECHO, i, 0, 1000, &out), 0);
		assert_int_equal(out.number, i);
		usleep(1000);
	}
	ipc_client_request_id_set(c, 4711); /* the same id for both: still not mixed up */
	assert_int_equal(call(c, VERB_LATER, 1, 30, 10, &out), ERR_TIMEOUT);
	assert_int_equal(call(c, VERB_LATER, 2, 40, 1000, &out), 0);
	assert_int_equal(out.number, 2);
}

static void failure_carries_its_code_and_text(void **state)
{
	AUTO_IPC_CLIENT c = client("tester");
	struct note in = {.text = "zone is in use"}, out;

	(void)state;
	assert_int_equal(ipc_client_call(c, VERB_FAIL, &record_note, &in, 1, &record_note, &out, 1,
					 NULL, 1000),
			 ERR_CONFLICT);
	assert_string_equal(err_text(), "zone is in use");
	assert_int_equal(call(c, VERB_ECHO, 1, 0, 1000, &out), 0);
}

static void more_records_than_wanted_are_refused(void **state)
{
	AUTO_IPC_CLIENT c = client("tester");
	struct note in[5] = {{.number = 1}, {.number = 2}, {.number = 3}}, out[5];
	size_t n = 99;

	(void)state;
	assert_int_equal(
		ipc_client_call(c, VERB_MANY, &record_note, in, 3, &record_note, out, 2, &n, 1000),
		ERR_INVALID);
	assert_int_equal(
		ipc_client_call(c, VERB_MANY, &record_note, in, 5, &record_note, out, 5, &n, 1000),
		ERR_TIMEOUT); /* one more than the table allows: cut */
	assert_int_equal(
		ipc_client_call(c, VERB_MANY, &record_note, in, 3, &record_note, out, 5, &n, 1000),
		0);
	assert_int_equal(n, 3);
	assert_int_equal(out[2].number, 3);
}

static size_t open_descriptors(void)
{
	size_t n = 0;

	for (int fd = 0; fd < 256; fd++)
		n += fcntl(fd, F_GETFD) >= 0;
	return n;
}

/* The service runs in this process too, and closes its own after it has answered. */
static bool descriptors_come_back_to(size_t wanted)
{
	for (int i = 0; i < 1000 && open_descriptors() > wanted; i++)
		usleep(5000);
	return open_descriptors() <= wanted;
}

/* A descriptor comes when it is asked for, and otherwise stays nowhere. */
static void descriptor_is_handed_over_to_who_wants_one(void **state)
{
	struct ipc_client *c = client("tester");
	struct note n = {.number = 1}, out;
	char text[16];
	size_t before;
	int fd;

	(void)state;
	assert_int_equal(ipc_client_call_fd(c, VERB_ECHO, &record_note, &n, 1, &fd, 1000),
			 ERR_INVALID);
	assert_int_equal(ipc_client_call(c, VERB_ECHO, &record_note, &n, 1, &record_note, &out, 1,
					 NULL, 1000),
			 0);
	before = open_descriptors();
	assert_int_equal(
		ipc_client_call(c, VERB_FD, &record_note, &n, 1, NULL, NULL, 0, NULL, 1000), 0);
	assert_true(descriptors_come_back_to(before));
	for (int i = 0; i < 3; i++) {
		assert_int_equal(ipc_client_call_fd(c, VERB_FD, &record_note, &n, 1, &fd, 1000), 0);
		assert_true(fcntl(fd, F_GETFD) & FD_CLOEXEC);
		assert_int_equal(read(fd, text, sizeof(text)), 11);
		assert_memory_equal(text, "handed over", 11);
		close(fd);
	}
	assert_true(descriptors_come_back_to(before));
	ipc_client_free(c);
}

static void post_never_waits_and_says_when_nobody_listens(void **state)
{
	AUTO_IPC_CLIENT c = client("tester");
	struct note in = {.number = 1}, out;

	(void)state;
	for (int i = 0; i < 100; i++)
		assert_int_equal(ipc_client_post(c, VERB_POST, &record_note, &in), 0);
	assert_int_equal(call(c, VERB_ECHO, 1, 0, 1000, &out), 0); /* after them in order */
	assert_int_equal(fixture_posts(), 100);
	fixture_stop();
	assert_int_equal(ipc_client_post(c, VERB_POST, &record_note, &in), ERR_UNAVAILABLE);
	fixture_start();
	assert_int_equal(ipc_client_post(c, VERB_POST, &record_note, &in), 0);
}

static void client_comes_back_by_itself_after_the_service_did(void **state)
{
	AUTO_IPC_CLIENT c = client("tester");
	struct note out;

	(void)state;
	assert_int_equal(call(c, VERB_ECHO, 1, 0, 1000, &out), 0);
	fixture_stop();
	assert_int_equal(call(c, VERB_ECHO, 2, 0, 1000, &out), ERR_UNAVAILABLE);
	fixture_start();
	assert_int_equal(call(c, VERB_ECHO, 3, 0, 1000, &out), 0);
	fixture_stop();
	fixture_start();
	assert_int_equal(call(c, VERB_ECHO, 4, 0, 1000, &out), 0); /* no error in between */
	assert_int_equal(out.number, 4);
}

static void listener_that_never_answers_costs_no_more_than_the_timeout(void **state)
{
	AUTO_IPC_CLIENT c = client("tester");
	struct sockaddr_un addr = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);
	struct note in = {.number = 1}, out;
	int64_t started = clock_mono_us();

	(void)state;
	strcpy(addr.sun_path, fixture_path());
	assert_int_equal(bind(fd, (struct sockaddr *)&addr, sizeof(addr)), 0);
	assert_int_equal(listen(fd, 5), 0);
	assert_int_equal(call(c, VERB_ECHO, 1, 0, 50, &out), ERR_UNAVAILABLE);
	assert_int_equal(ipc_client_post(c, VERB_POST, &record_note, &in), ERR_UNAVAILABLE);
	assert_true(clock_mono_us() - started < 1000000);
	close(fd);
	unlink(fixture_path());
}

static void peer_that_never_says_hello_does_not_hold_its_place(void **state)
{
	AUTO_IPC_CLIENT c = client("tester");
	struct note out;
	int fd = raw_connect();

	(void)state;
	assert_int_equal(call(c, VERB_ECHO, 1, 0, 500, &out), 0);
	sleep(2);
	assert_true(raw_is_cut(fd)); /* c has been idle as long, and stays */
	assert_int_equal(call(c, VERB_ECHO, 2, 0, 500, &out), 0);
	close(fd);
}

static int start(void **state)
{
	(void)state;
	fixture_start();
	return 0;
}

static int stop(void **state)
{
	(void)state;
	fixture_stop();
	return 0;
}

#define SERVED(f) cmocka_unit_test_setup_teardown(f, start, stop)

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		SERVED(role_that_the_uid_may_not_take_ends_the_connection),
		SERVED(verb_outside_the_roles_table_ends_the_connection),
		SERVED(verb_that_the_uid_may_not_ask_is_denied_and_the_connection_stays),
		SERVED(request_before_hello_ends_the_connection),
		SERVED(second_hello_ends_the_connection),
		SERVED(oversize_frames_end_the_connection_before_their_payload),
		SERVED(malformed_requests_end_the_connection),
		SERVED(garbage_ends_the_connection_and_others_are_served_on),
		SERVED(connections_beyond_the_maximum_are_closed_and_room_comes_back),
		SERVED(uid_without_a_role_holds_no_place),
		SERVED(uid_of_one_role_cannot_take_all_places),
		SERVED(flood_of_one_way_messages_ended_at_once_is_taken_whole),
		SERVED(frames_that_come_byte_by_byte_are_put_together),
		SERVED(half_a_frame_blocks_nobody_else),
		SERVED(peer_that_does_not_read_is_cut_and_blocks_nobody_else),
		SERVED(reading_pauses_at_the_limit_of_unanswered_requests_and_goes_on),
		SERVED(answer_for_a_connection_that_is_gone_is_dropped),
		SERVED(late_answer_never_meets_the_next_question),
		SERVED(failure_carries_its_code_and_text),
		SERVED(more_records_than_wanted_are_refused),
		SERVED(descriptor_is_handed_over_to_who_wants_one),
		SERVED(post_never_waits_and_says_when_nobody_listens),
		SERVED(client_comes_back_by_itself_after_the_service_did),
		SERVED(peer_that_never_says_hello_does_not_hold_its_place),
		cmocka_unit_test(listener_that_never_answers_costs_no_more_than_the_timeout),
	};

	if (argc > 1)
		cmocka_set_test_filter(argv[1]);
	return cmocka_run_group_tests_name("base/ipc", tests, NULL, NULL);
}
