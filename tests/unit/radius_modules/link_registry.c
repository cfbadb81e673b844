/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/unit/radius_modules/link_registry.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <event2/event.h>

#include "base/clock.h"
#include "base/ipc_server.h"
#include "sql/proto/event_ring.h"
#include "sql/proto/standing_map.h"

char registry_path[64];
pid_t registry;

static void answer_pump(struct ipc_request *rq, void *ctx)
{
	struct pump_facts f = {.found = true, .vlan = 120};

	(void)ctx;
	ipc_request_reply(rq, &f, 1);
}

static void answer_acct(struct ipc_request *rq, void *ctx)
{
	(void)ctx;
	ipc_request_reply(rq, NULL, 0);
}

/* ---- its event ring, which this test reads; it outlives the registry ---- */

int ring_fd = -1;
bool gives_ring = true;

int ring_new(void)
{
	uint8_t head[EVENT_HEAD_SIZE] __attribute__((aligned(8))) = {0};
	int fd = memfd_create("test", MFD_CLOEXEC);

	assert_true(fd >= 0);
	assert_int_equal(ftruncate(fd, (off_t)event_ring_size()), 0);
	event_ring_init(head);
	assert_int_equal(pwrite(fd, head, sizeof(head), 0), sizeof(head));
	return fd;
}

const char *ring_says(int fd)
{
	static char text[EVENT_RING_SLOTS + 1];
	static uint64_t words[EVENT_RING_SLOTS];
	uint64_t last = 0;
	size_t n = 0;

	assert_int_equal(pread(fd, words, sizeof(words), (off_t)event_word_offset(0)),
			 sizeof(words));
	for (;;) {
		size_t first = EVENT_RING_SLOTS;
		uint8_t slot[EVENT_SLOT_SIZE];
		struct auth_event e;

		for (size_t i = 0; i < EVENT_RING_SLOTS; i++)
			if (event_word_state(words[i]) == EVENT_READY &&
			    event_word_number(words[i]) + 1 > last &&
			    (first == EVENT_RING_SLOTS ||
			     event_word_number(words[i]) < event_word_number(words[first])))
				first = i;
		if (first == EVENT_RING_SLOTS)
			break;
		last = event_word_number(words[first]) + 1;
		assert_int_equal(pread(fd, slot, sizeof(slot), (off_t)event_slot_offset(first)),
				 sizeof(slot));
		assert_int_equal(event_slot_parse(slot, words[first], &e), 0);
		text[n++] = (char)e.vlan;
		words[first] = 0;
	}
	text[n] = '\0';
	return text;
}

bool ring_will_say(int fd, const char *text)
{
	for (int i = 0; i < 1000; i++) {
		if (!strcmp(ring_says(fd), text))
			return true;
		usleep(10000);
	}
	return false;
}

static void ring_beat(void)
{
	struct event_beat b = event_beat_make(clock_mono_us());

	if (pwrite(ring_fd, &b, sizeof(b), EVENT_BEAT_OFFSET) != sizeof(b))
		_exit(1);
}

static void answer_ring(struct ipc_request *rq, void *ctx)
{
	(void)ctx;
	ipc_request_reply_fd(rq, ring_fd);
}

/* ---- its map of standings, which says another VLAN than its answers ---- */

bool sealed = true;
static struct standing_map standings;
static int standings_fd = -1;

static void beat(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	(void)arg;
	standing_map_beat(&standings, clock_mono_us());
	ring_beat();
}

static void standings_make(struct event_base *base)
{
	struct standing s = {.name = {"/CN=ca", "0b"}, .facts = {.found = true, .vlan = 121}};
	const struct timeval every = {.tv_usec = STANDING_BEAT_US};
	size_t size = standing_map_size(0, 0);
	void *memory;

	strcpy(s.facts.device_state, "enrolled");
	strcpy(s.facts.cert_state, "valid");
	standings_fd = memfd_create("test", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	if (standings_fd < 0 || ftruncate(standings_fd, (off_t)size))
		_exit(1);
	memory = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, standings_fd, 0);
	if (memory == MAP_FAILED)
		_exit(1);
	standing_map_init(memory, 0, 0, &standings);
	if (standing_map_put(&standings, &s) ||
	    (sealed && fcntl(standings_fd, F_ADD_SEALS, F_SEAL_SHRINK)))
		_exit(1);
	standing_map_open(&standings, true);
	beat(-1, 0, NULL);
	event_add(event_new(base, -1, EV_PERSIST, beat, NULL), &every);
}

static void answer_map(struct ipc_request *rq, void *ctx)
{
	(void)ctx;
	ipc_request_reply_fd(rq, standings_fd);
}

static void serve(void)
{
	static const struct ipc_verb verbs[] = {
		{REGISTRY_PUMP_FACTS, "pump", &record_cert_name, 1, &record_pump_facts, false,
		 answer_pump},
		{REGISTRY_ACCT_EVENT, "acct", &record_acct_event, 1, NULL, false, answer_acct},
		{.verb = REGISTRY_STANDINGS, .name = "standings", .handle = answer_map},
		{.verb = REGISTRY_EVENT_RING, .name = "ring", .handle = answer_ring},
	};
	uid_t uid = getuid();
	const struct ipc_role role = {.name = "radius",
				      .uids = &uid,
				      .n_uids = 1,
				      .verbs = verbs,
				      .n_verbs = gives_ring ? 4 : 3};
	const struct ipc_server_options o = {.path = registry_path,
					     .mode = 0600,
					     .group = (gid_t)-1,
					     .max_connections = 64,
					     .max_in_flight = 4,
					     .roles = &role,
					     .n_roles = 1};
	struct event_base *base;
	struct ipc_server *s;

	signal(SIGPIPE, SIG_IGN);
	base = event_base_new();
	standings_make(base);
	if (base && !ipc_server_new(base, &o, &s))
		event_base_dispatch(base);
	_exit(1);
}

void registry_start(void)
{
	registry = fork();
	assert_true(registry >= 0);
	if (registry == 0)
		serve();
	for (int i = 0; i < 200 && access(registry_path, F_OK); i++)
		usleep(10000);
}

void registry_kill(void)
{
	kill(registry, SIGKILL);
	waitpid(registry, NULL, 0);
	unlink(registry_path);
}

int link_setup(void **state)
{
	(void)state;
	snprintf(registry_path, sizeof(registry_path), "/tmp/pumpgate-link.%d", (int)getpid());
	ring_fd = ring_new();
	registry_start();
	return 0;
}

int link_teardown(void **state)
{
	(void)state;
	registry_kill();
	close(ring_fd);
	return 0;
}

int ask(struct registry_link *l, int64_t *took_ms)
{
	const struct cert_name q = {"/CN=ca", "0a"};
	struct pump_facts f;
	int64_t start = clock_mono_us();
	int rc = registry_link_pump_facts(l, &q, &f);

	*took_ms = (clock_mono_us() - start) / 1000;
	return rc;
}

struct registry_link *link_up(void)
{
	struct registry_link *l;
	int64_t took_ms;
	int rc = ERR_UNAVAILABLE;

	assert_int_equal(registry_link_new(registry_path, &l), 0);
	for (int i = 0; rc && i < 200; i++) {
		rc = ask(l, &took_ms);
		if (rc)
			usleep(10000);
	}
	assert_int_equal(rc, 0);
	return l;
}
