/* SPDX-License-Identifier: BSD-2-Clause */
/* The real pumpgate-dispatchd between a registry and a NAS that this program plays, so that each
 * can lie, fall silent, break off or die at the worst moment. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <event2/event.h>

#include <cmocka.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/daemon.h"
#include "base/ipc_server.h"
#include "radius_modules/packet/radius_packet.h"
#include "sql/proto/registry_records.h"
#include "sql/proto/registry_verbs.h"

#define SECRET "nas-secret"
#define ORDERS_MAX 1200
#define PATIENCE_MS 8000

enum order_state { ORDER_NEW = 0, ORDER_TAKEN, ORDER_DONE };

struct bench;

/* A NAS: what it does with the n-th request for a session (from 0). */
struct played_nas {
	int fd;
	uint16_t port;
	struct event *readable;
	void (*answer)(struct played_nas *n, const struct radius_view *rq,
		       const struct sockaddr_in *to);
	unsigned requests;
};

struct bench {
	char home[64];
	struct event_base *base;
	struct ipc_server *server;
	struct ipc_request *waiting; /* a long poll */
	struct played_nas nas;
	struct dispatch_order orders[ORDERS_MAX];
	enum order_state states[ORDERS_MAX];
	struct dispatch_result results[ORDERS_MAX];
	unsigned reports[ORDERS_MAX];
	size_t n_orders, n_done;
	unsigned fresh_takes;
	unsigned refuse_reports; /* so many reports fail with ERR_IO */
	pid_t pid;
};

/* ---- the registry's part ---- */

static struct dispatch_order take_buffer[ORDERS_MAX];

static bool give(struct bench *b, struct ipc_request *rq)
{
	const struct dispatch_take *take = ipc_request_record(rq);
	size_t n = 0;

	for (size_t i = 0; i < b->n_orders && n < take->max; i++) {
		if (b->states[i] != ORDER_NEW)
			continue;
		b->states[i] = ORDER_TAKEN;
		take_buffer[n++] = b->orders[i];
	}
	if (n)
		ipc_request_reply(rq, take_buffer, n);
	return n > 0;
}

static void on_take(struct ipc_request *rq, void *ctx)
{
	struct bench *b = ctx;
	const struct dispatch_take *take = ipc_request_record(rq);

	if (take->fresh) {
		b->fresh_takes++;
		for (size_t i = 0; i < b->n_orders; i++)
			b->states[i] = b->states[i] == ORDER_TAKEN ? ORDER_NEW : b->states[i];
	}
	if (b->waiting)
		ipc_request_release(b->waiting); /* of a connection that is gone */
	b->waiting = give(b, rq) ? NULL : rq;
}

static void on_result(struct ipc_request *rq, void *ctx)
{
	struct bench *b = ctx;
	size_t n;
	const struct dispatch_result *results = ipc_request_records(rq, &n);

	if (b->refuse_reports) {
		b->refuse_reports--;
		err_text_set("the disk is on fire");
		ipc_request_fail(rq, ERR_IO);
		return;
	}
	for (size_t i = 0; i < n; i++) {
		size_t at = results[i].id - 1;

		assert_true(at < b->n_orders);
		b->results[at] = results[i];
		b->reports[at]++;
		b->n_done += b->states[at] != ORDER_DONE;
		b->states[at] = ORDER_DONE;
	}
	ipc_request_reply(rq, NULL, 0);
}

static const struct ipc_verb verbs[] = {
	{REGISTRY_DISPATCH_TAKE, "take", &record_dispatch_take, 1, &record_dispatch_order, false,
	 on_take},
	{REGISTRY_DISPATCH_RESULT, "result", &record_dispatch_result, 1024, NULL, false, on_result},
};
static uid_t self;
static const struct ipc_role roles[] = {
	{.name = "dispatch", .uids = &self, .n_uids = 1, .verbs = verbs, .n_verbs = 2}};

static void registry_start(struct bench *b)
{
	static struct ipc_server_options o;
	static char path[128];

	snprintf(path, sizeof(path), "%s/" REGISTRY_SOCKET, b->home);
	o = (struct ipc_server_options){.path = path,
					.mode = 0600,
					.group = (gid_t)-1,
					.max_connections = 8,
					.max_in_flight = 4,
					.roles = roles,
					.n_roles = 1,
					.ctx = b};
	assert_int_equal(ipc_server_new(b->base, &o, &b->server), 0);
}

static void registry_stop(struct bench *b)
{
	if (b->waiting)
		ipc_request_release(b->waiting);
	b->waiting = NULL;
	ipc_server_free(b->server);
	b->server = NULL;
}

static void order_add(struct bench *b, uint16_t das_port)
{
	struct dispatch_order *o = &b->orders[b->n_orders++];

	assert_true(b->n_orders <= ORDERS_MAX);
	memset(o, 0, sizeof(*o));
	o->id = b->n_orders;
	o->das_port = das_port;
	snprintf(o->device, sizeof(o->device), "PG-%zu", b->n_orders);
	snprintf(o->nas, sizeof(o->nas), "nas");
	snprintf(o->nas_ip, sizeof(o->nas_ip), "127.0.0.1");
	snprintf(o->session_id, sizeof(o->session_id), "S%zu", b->n_orders);
	snprintf(o->calling_station, sizeof(o->calling_station), "02-00-00-00-00-01");
	o->secret.len = sizeof(SECRET) - 1;
	memcpy(o->secret.data, SECRET, o->secret.len);
	if (b->waiting && give(b, b->waiting))
		b->waiting = NULL;
}

/* ---- the NAS's part ---- */

static void reply(struct played_nas *n, const struct radius_view *rq, const struct sockaddr_in *to,
		  enum radius_code code, uint32_t cause, const char *secret)
{
	struct radius_packet p;

	radius_begin(&p, code, rq->id);
	if (cause)
		assert_int_equal(radius_put_u32(&p, RADIUS_ERROR_CAUSE, cause), 0);
	assert_int_equal(radius_sign_reply(&p, rq->authenticator, secret, strlen(secret)), 0);
	(void)!sendto(n->fd, p.data, p.len, 0, (const struct sockaddr *)to, sizeof(*to));
}

static void ack(struct played_nas *n, const struct radius_view *rq, const struct sockaddr_in *to)
{
	reply(n, rq, to, RADIUS_DISCONNECT_ACK, 0, SECRET);
}

static void nak_503(struct played_nas *n, const struct radius_view *rq,
		    const struct sockaddr_in *to)
{
	reply(n, rq, to, RADIUS_DISCONNECT_NAK, 503, SECRET);
}

static void nothing(struct played_nas *n, const struct radius_view *rq,
		    const struct sockaddr_in *to)
{
	(void)n;
	(void)rq;
	(void)to;
}

static void ack_the_second(struct played_nas *n, const struct radius_view *rq,
			   const struct sockaddr_in *to)
{
	if (n->requests > 1)
		ack(n, rq, to);
}

static void forge(struct played_nas *n, const struct radius_view *rq, const struct sockaddr_in *to)
{
	reply(n, rq, to, RADIUS_DISCONNECT_ACK, 0, "guessed");
}

static void forge_garble_then_nak_twice(struct played_nas *n, const struct radius_view *rq,
					const struct sockaddr_in *to)
{
	forge(n, rq, to);
	(void)!sendto(n->fd, "\x29garbage", 8, 0, (const struct sockaddr *)to, sizeof(*to));
	(void)!sendto(n->fd, "", 0, 0, (const struct sockaddr *)to, sizeof(*to));
	nak_503(n, rq, to);
	ack(n, rq, to); /* too late */
}

/* More than the socket holds, the true answer among it. */
static void flood(struct played_nas *n, const struct radius_view *rq, const struct sockaddr_in *to)
{
	uint8_t junk[RADIUS_PACKET_MAX] = {RADIUS_DISCONNECT_ACK, rq->id, 0x10, 0x00};

	for (int i = 0; i < 2000; i++)
		(void)!sendto(n->fd, junk, sizeof(junk), 0, (const struct sockaddr *)to,
			      sizeof(*to));
	ack(n, rq, to);
}

static void on_request(evutil_socket_t fd, short what, void *ctx)
{
	struct played_nas *n = ctx;
	uint8_t data[RADIUS_PACKET_MAX];
	struct sockaddr_in from;
	socklen_t from_len = sizeof(from);
	ssize_t len = recvfrom(fd, data, sizeof(data), 0, (struct sockaddr *)&from, &from_len);
	struct radius_view rq;

	(void)what;
	assert_true(len > 0);
	assert_int_equal(radius_view_parse(data, (size_t)len, &rq), 0);
	assert_int_equal(rq.code, RADIUS_DISCONNECT_REQUEST);
	assert_int_equal(radius_verify_request(&rq, SECRET, strlen(SECRET), true), 0);
	n->requests++;
	n->answer(n, &rq, &from);
}

static void nas_start(struct bench *b)
{
	struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t len = sizeof(at);

	b->nas.fd = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	assert_int_equal(bind(b->nas.fd, (struct sockaddr *)&at, sizeof(at)), 0);
	assert_int_equal(getsockname(b->nas.fd, (struct sockaddr *)&at, &len), 0);
	b->nas.port = ntohs(at.sin_port);
	b->nas.readable = event_new(b->base, b->nas.fd, EV_READ | EV_PERSIST, on_request, &b->nas);
	event_add(b->nas.readable, NULL);
}

/* ---- running it ---- */

static void dispatchd_start(struct bench *b)
{
	const char *build = getenv("PUMPGATE_BUILD");
	char program[256];

	snprintf(program, sizeof(program), "%s/bin/pumpgate-dispatchd", build ? build : "build");
	b->pid = fork();
	if (b->pid == 0) {
		execl(program, "pumpgate-dispatchd", "--home", b->home, (char *)NULL);
		_exit(127);
	}
	assert_true(b->pid > 0);
}

static int dispatchd_stop(struct bench *b, int signal_number)
{
	int status = 0;

	kill(b->pid, signal_number);
	waitpid(b->pid, &status, 0);
	b->pid = 0;
	return status;
}

static bool all_done(const struct bench *b)
{
	return b->n_done == b->n_orders;
}

static bool nas_was_asked(const struct bench *b)
{
	return b->nas.requests > 0;
}

static void run_until(struct bench *b, bool (*condition)(const struct bench *b))
{
	int64_t until_us = clock_mono_us() + PATIENCE_MS * 1000;
	struct timeval slice = {.tv_usec = 5000};

	while (!condition(b)) {
		assert_true(clock_mono_us() < until_us);
		event_base_loopexit(b->base, &slice);
		event_base_dispatch(b->base);
	}
}

static int bench_up(void **state)
{
	struct bench *b = calloc(1, sizeof(*b));
	char path[128];

	self = getuid();
	snprintf(b->home, sizeof(b->home), "/tmp/pumpgate-dispatchd.XXXXXX");
	assert_non_null(mkdtemp(b->home));
	snprintf(path, sizeof(path), "%s/run", b->home);
	assert_int_equal(mkdir(path, 0700), 0);
	snprintf(path, sizeof(path), "%s/run/registry", b->home);
	assert_int_equal(mkdir(path, 0700), 0);
	b->base = event_base_new();
	b->nas.answer = ack;
	nas_start(b);
	registry_start(b);
	*state = b;
	return 0;
}

static int bench_down(void **state)
{
	struct bench *b = *state;
	char path[128];

	if (b->pid)
		dispatchd_stop(b, SIGKILL);
	registry_stop(b);
	event_free(b->nas.readable);
	close(b->nas.fd);
	event_base_free(b->base);
	snprintf(path, sizeof(path), "%s/" REGISTRY_SOCKET, b->home);
	unlink(path);
	snprintf(path, sizeof(path), "%s/run/registry", b->home);
	rmdir(path);
	snprintf(path, sizeof(path), "%s/run", b->home);
	rmdir(path);
	rmdir(b->home);
	free(b);
	return 0;
}

static void one_order(struct bench *b, const char *result, unsigned requests)
{
	order_add(b, b->nas.port);
	dispatchd_start(b);
	run_until(b, all_done);
	assert_string_equal(b->results[0].result, result);
	assert_int_equal(b->reports[0], 1);
	assert_int_equal(b->nas.requests, requests);
}

/* Refusals and silence */

static void a_forged_answer_is_silence(void **state)
{
	struct bench *b = *state;

	b->nas.answer = forge;
	one_order(b, "silent", 3);
	assert_non_null(strstr(b->results[0].detail, "wrong signature"));
}

static void a_silent_nas_is_reported_as_silent(void **state)
{
	struct bench *b = *state;

	b->nas.answer = nothing;
	one_order(b, "silent", 3);
	assert_in_range(b->results[0].rtt_us, 1700000, 4000000);
}

static void a_nas_without_das_port_is_unsendable(void **state)
{
	struct bench *b = *state;

	order_add(b, 0);
	dispatchd_start(b);
	run_until(b, all_done);
	assert_string_equal(b->results[0].result, "unsendable");
	assert_int_equal(b->nas.requests, 0);
}

static void a_nak_keeps_its_error_cause_among_forged_garbled_and_late_answers(void **state)
{
	struct bench *b = *state;

	b->nas.answer = forge_garble_then_nak_twice;
	one_order(b, "nak", 2);
	assert_int_equal(b->results[0].error_cause, 503);
}

static void a_flood_of_garbage_ends_no_order_and_does_not_stop_the_next(void **state)
{
	struct bench *b = *state;

	b->nas.answer = flood;
	order_add(b, b->nas.port);
	dispatchd_start(b);
	run_until(b, nas_was_asked);
	b->nas.answer = ack;
	order_add(b, b->nas.port);
	run_until(b, all_done);
	assert_string_equal(b->results[0].result, "ack");
	assert_string_equal(b->results[1].result, "ack");
}

static void an_answer_to_the_second_try_is_an_ack(void **state)
{
	struct bench *b = *state;

	b->nas.answer = ack_the_second;
	one_order(b, "ack", 2);
}

/* Deaths and restarts */

static void orders_of_a_killed_dispatcher_are_taken_again_by_the_next(void **state)
{
	struct bench *b = *state;

	b->nas.answer = nothing;
	order_add(b, b->nas.port);
	dispatchd_start(b);
	run_until(b, nas_was_asked);
	dispatchd_stop(b, SIGKILL);
	assert_int_equal(b->n_done, 0);
	b->nas.answer = ack;
	dispatchd_start(b);
	run_until(b, all_done);
	assert_string_equal(b->results[0].result, "ack");
	assert_int_equal(b->fresh_takes, 2);
}

static void a_registry_that_restarts_gets_the_result_once_and_nothing_is_sent_twice(void **state)
{
	struct bench *b = *state;

	b->nas.answer = ack_the_second; /* leaves 250 ms */
	order_add(b, b->nas.port);
	dispatchd_start(b);
	run_until(b, nas_was_asked);
	registry_stop(b);
	registry_start(b); /* what was taken is free again, and is taken again */
	run_until(b, all_done);
	order_add(b, b->nas.port);
	run_until(b, all_done);
	assert_int_equal(b->reports[0], 1);
	assert_int_equal(b->nas.requests, 3); /* two tries of the first, one of the second */
	assert_true(b->fresh_takes >= 2);
}

static void results_survive_a_registry_that_can_not_store_them(void **state)
{
	struct bench *b = *state;

	b->refuse_reports = 3;
	one_order(b, "ack", 1);
}

static void dispatchd_waits_for_a_registry_that_is_not_there_yet(void **state)
{
	struct bench *b = *state;

	registry_stop(b);
	dispatchd_start(b);
	usleep(200000);
	registry_start(b);
	order_add(b, b->nas.port);
	run_until(b, all_done);
	assert_string_equal(b->results[0].result, "ack");
}

static void sigterm_ends_it_at_once_with_status_0(void **state)
{
	struct bench *b = *state;
	int64_t asked_us;

	one_order(b, "ack", 1);
	asked_us = clock_mono_us();
	assert_int_equal(dispatchd_stop(b, SIGTERM), 0);
	assert_true(clock_mono_us() - asked_us < 2000000);
}

/* Many */

static void a_thousand_orders_for_one_nas_are_each_done_once(void **state)
{
	struct bench *b = *state;
	int64_t started_us = clock_mono_us();

	for (int i = 0; i < 1000; i++)
		order_add(b, b->nas.port);
	dispatchd_start(b);
	run_until(b, all_done);
	for (int i = 0; i < 1000; i++) {
		assert_string_equal(b->results[i].result, "ack");
		assert_int_equal(b->reports[i], 1);
	}
	printf("# 1000 orders in %lld ms\n", (long long)(clock_mono_us() - started_us) / 1000);
}

#define BENCH_TEST(name) cmocka_unit_test_setup_teardown(name, bench_up, bench_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		BENCH_TEST(a_forged_answer_is_silence),
		BENCH_TEST(a_silent_nas_is_reported_as_silent),
		BENCH_TEST(a_nas_without_das_port_is_unsendable),
		BENCH_TEST(a_nak_keeps_its_error_cause_among_forged_garbled_and_late_answers),
		BENCH_TEST(a_flood_of_garbage_ends_no_order_and_does_not_stop_the_next),
		BENCH_TEST(an_answer_to_the_second_try_is_an_ack),
		BENCH_TEST(orders_of_a_killed_dispatcher_are_taken_again_by_the_next),
		BENCH_TEST(a_registry_that_restarts_gets_the_result_once_and_nothing_is_sent_twice),
		BENCH_TEST(results_survive_a_registry_that_can_not_store_them),
		BENCH_TEST(dispatchd_waits_for_a_registry_that_is_not_there_yet),
		BENCH_TEST(sigterm_ends_it_at_once_with_status_0),
		BENCH_TEST(a_thousand_orders_for_one_nas_are_each_done_once),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
