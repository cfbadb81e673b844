/* SPDX-License-Identifier: BSD-2-Clause */
/* Owns the test service and the raw peer. */
#include "tests/unit/base/ipc_fixture.h"

#include <poll.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <event2/event.h>

#include "base/ipc_server.h"
#include "tests/support/cmocka.h"

RECORD_DESCRIBE(note, NOTE_FIELDS)

static char path[64];
static pthread_t loop;
static sem_t ready;
static int stop_fd = -1;
static atomic_uint posts, held, held_most, workers;

static void take_echo(struct ipc_request *rq, void *ctx)
{
	(void)ctx;
	ipc_request_reply(rq, ipc_request_record(rq), 1);
}

static void take_many(struct ipc_request *rq, void *ctx)
{
	size_t n;
	const void *all = ipc_request_records(rq, &n);

	(void)ctx;
	ipc_request_reply(rq, all, n);
}

static void *answer_later(void *arg)
{
	struct ipc_request *rq = arg;
	const struct note *n = ipc_request_record(rq);
	struct note copy = *n;

	usleep(copy.wait_ms * 1000);
	held--;
	ipc_request_reply(rq, &copy, 1);
	workers--;
	return NULL;
}

static void take_later(struct ipc_request *rq, void *ctx)
{
	pthread_t thread;
	unsigned now = ++held;

	(void)ctx;
	if (now > held_most)
		held_most = now;
	workers++;
	assert_int_equal(pthread_create(&thread, NULL, answer_later, rq), 0);
	pthread_detach(thread);
}

static void take_post(struct ipc_request *rq, void *ctx)
{
	(void)ctx;
	posts++;
	ipc_request_release(rq);
}

static void take_fail(struct ipc_request *rq, void *ctx)
{
	const struct note *n = ipc_request_record(rq);

	(void)ctx;
	ipc_request_fail(rq, err_set(ERR_CONFLICT, "%s", n->text));
}

static void take_fd(struct ipc_request *rq, void *ctx)
{
	int ends[2];

	(void)ctx;
	assert_int_equal(pipe(ends), 0);
	assert_int_equal(write(ends[1], "handed over", 11), 11);
	ipc_request_reply_fd(rq, ends[0]);
	close(ends[0]);
	close(ends[1]);
}

static const struct ipc_verb verbs[] = {
	{VERB_ECHO, "echo", &record_note, 1, &record_note, false, take_echo},
	{VERB_LATER, "later", &record_note, 1, &record_note, false, take_later},
	{VERB_POST, "post", &record_note, 1, NULL, true, take_post},
	{VERB_FAIL, "fail", &record_note, 1, &record_note, false, take_fail},
	{VERB_MANY, "many", &record_note, 4, &record_note, false, take_many},
	{VERB_FD, "fd", &record_note, 1, NULL, false, take_fd},
	{VERB_ADMIN, "admin", &record_note, 1, &record_note, false, take_echo},
};

#define N_VERBS (sizeof(verbs) / sizeof(verbs[0]))

static bool may_echo(uint16_t verb)
{
	return verb == VERB_ECHO;
}

static void stop_loop(evutil_socket_t fd, short what, void *base)
{
	(void)fd;
	(void)what;
	event_base_loopbreak(base);
}

static void *serve(void *arg)
{
	uid_t me = geteuid();
	const uid_t us[] = {me, FIXTURE_OTHER_UID};
	const struct ipc_role roles[] = {
		{.name = "tester", .uids = &me, .n_uids = 1, .verbs = verbs, .n_verbs = N_VERBS},
		{.name = "narrow", .uids = us, .n_uids = 2, .verbs = verbs, .n_verbs = 1},
		{.name = "nobody", .verbs = verbs, .n_verbs = 1},
		{.name = "person", .uids = &us[1], .n_uids = 1, .verbs = verbs, .n_verbs = N_VERBS},
		{.name = "person",
		 .uids = &me,
		 .n_uids = 1,
		 .verbs = verbs,
		 .n_verbs = N_VERBS,
		 .may = may_echo,
		 .kind = "watcher"},
	};
	const struct ipc_server_options o = {
		.path = path,
		.mode = 0666,
		.group = (gid_t)-1,
		.max_connections = FIXTURE_CONNECTIONS,
		.max_in_flight = FIXTURE_IN_FLIGHT,
		.roles = roles,
		.n_roles = sizeof(roles) / sizeof(roles[0]),
	};
	struct event_base *base = event_base_new();
	struct event *stop = event_new(base, stop_fd, EV_READ, stop_loop, base);
	struct ipc_server *s;

	(void)arg;
	event_add(stop, NULL);
	if (ipc_server_new(base, &o, &s)) {
		fprintf(stderr, "fixture: %s\n", err_text());
		abort();
	}
	sem_post(&ready);
	event_base_dispatch(base);
	while (workers)
		usleep(1000);
	ipc_server_free(s);
	event_free(stop);
	event_base_free(base);
	return NULL;
}

void fixture_start(void)
{
	if (!path[0])
		snprintf(path, sizeof(path), "/tmp/test_ipc.%d", (int)getpid());
	posts = 0;
	held_most = 0;
	stop_fd = eventfd(0, EFD_CLOEXEC);
	sem_init(&ready, 0, 0);
	assert_int_equal(pthread_create(&loop, NULL, serve, NULL), 0);
	sem_wait(&ready);
}

void fixture_stop(void)
{
	assert_int_equal(eventfd_write(stop_fd, 1), 0);
	pthread_join(loop, NULL);
	close(stop_fd);
	sem_destroy(&ready);
}

const char *fixture_path(void)
{
	return path;
}

unsigned fixture_posts(void)
{
	return posts;
}

unsigned fixture_held_most(void)
{
	return held_most;
}

int raw_connect(void)
{
	struct sockaddr_un addr = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	snprintf(addr.sun_path, sizeof(addr.sun_path), "%s", path);
	assert_int_equal(connect(fd, (struct sockaddr *)&addr, sizeof(addr)), 0);
	return fd;
}

size_t raw_frame(uint8_t *out, uint16_t verb, uint64_t id, const void *body, size_t len,
		 uint32_t announced)
{
	struct ipc_header h = {
		.len = announced ? announced : (uint32_t)len, .verb = verb, .request_id = id};

	ipc_header_build(&h, out);
	memcpy(out + IPC_HEADER_BYTES, body, len);
	return IPC_HEADER_BYTES + len;
}

void raw_send(int fd, const void *data, size_t len)
{
	assert_int_equal(send(fd, data, len, MSG_NOSIGNAL), len);
}

static void receive(int fd, void *out, size_t len)
{
	struct pollfd p = {.fd = fd, .events = POLLIN};

	assert_int_equal(poll(&p, 1, 2000), 1);
	assert_int_equal(recv(fd, out, len, MSG_WAITALL), len);
}

void raw_hello(int fd, const char *role)
{
	struct ipc_hello hello = {0};
	AUTO_BUF b = {.max = 256};
	uint8_t frame[256];
	size_t len;

	snprintf(hello.role, sizeof(hello.role), "%s", role);
	assert_int_equal(record_put(&b, &record_ipc_hello, &hello), 0);
	len = raw_frame(frame, IPC_HELLO, 5, b.data, b.len, 0);
	raw_send(fd, frame, len);
	receive(fd, frame, IPC_HEADER_BYTES);
}

size_t raw_note(uint8_t *out, uint16_t verb, uint64_t id, uint32_t number, uint32_t wait_ms)
{
	struct note n = {.number = number, .wait_ms = wait_ms, .text = "raw"};
	AUTO_BUF b = {.max = 256};

	assert_int_equal(record_put(&b, &record_note, &n), 0);
	return raw_frame(out, verb, id, b.data, b.len, 0);
}

bool raw_is_cut(int fd)
{
	struct pollfd p = {.fd = fd, .events = POLLIN};
	uint8_t byte;

	while (poll(&p, 1, 2000) == 1)
		if (recv(fd, &byte, 1, 0) <= 0)
			return true;
	return false;
}

uint32_t raw_receive(int fd, uint64_t *id_out)
{
	uint8_t raw[1024];
	struct ipc_header h;
	struct cursor c;
	struct note n;

	receive(fd, raw, IPC_HEADER_BYTES);
	assert_int_equal(ipc_header_parse(raw, &h), 0);
	assert_int_equal(h.status, 0);
	assert_true(h.len <= sizeof(raw));
	receive(fd, raw, h.len);
	c = cursor_of(raw, h.len);
	assert_int_equal(record_get(&c, &record_note, &n), 0);
	*id_out = h.request_id;
	return n.number;
}
