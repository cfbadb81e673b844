/* SPDX-License-Identifier: BSD-2-Clause */
/* pumplink with one of its sides played by somebody who means harm. */
#include "tests/unit/pump_agent/pumplink_world.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/falloc.h>
#include <linux/seccomp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define NOBODY 65534

static struct told_area *agents_memory(struct world *w)
{
	void *at = mmap(NULL, PUMPLINK_AREA_BYTES, PROT_READ | PROT_WRITE, MAP_SHARED,
			w->link->told_fd, 0);

	assert_true(at != MAP_FAILED);
	return at;
}

/* ---- an agent that means harm ---- */

static void agent_cannot_write_where_the_controller_tells(void **state)
{
	struct world *w = *state;

	assert_true(mmap(NULL, PUMPLINK_AREA_BYTES, PROT_READ | PROT_WRITE, MAP_SHARED,
			 w->link->asked_fd, 0) == MAP_FAILED);
	assert_int_equal(pwrite(w->link->asked_fd, "x", 1, 0), -1);
	assert_int_equal(fallocate(w->link->asked_fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 0,
				   PUMPLINK_AREA_BYTES),
			 -1);
}

static void agent_cannot_take_the_memory_away(void **state)
{
	struct world *w = *state;

	assert_int_equal(ftruncate(w->link->told_fd, 0), -1);
	assert_int_equal(errno, EPERM);
	assert_int_equal(ftruncate(w->link->asked_fd, 0), -1);
	assert_int_equal(fcntl(w->link->told_fd, F_ADD_SEALS, F_SEAL_WRITE), -1);
	attach(w);
	/* a hole is memory all the same: it reads as zeroes */
	assert_int_equal(fallocate(w->link->told_fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 0,
				   PUMPLINK_AREA_BYTES),
			 0);
	look(w, 10);
	assert_int_equal(w->view.network, PUMPLINK_NET_UNKNOWN);
}

/* The kernel's flags of the mapping that begins at `at`. */
static void mapping_flags(const void *at, char *out, size_t size)
{
	FILE *f = fopen("/proc/self/smaps", "r");
	char line[512];
	bool is_it = false;

	assert_non_null(f);
	*out = '\0';
	while (fgets(line, sizeof(line), f)) {
		char *end;
		unsigned long begin = strtoul(line, &end, 16);

		if (*end == '-')
			is_it = begin == (unsigned long)at;
		else if (is_it && !strncmp(line, "VmFlags:", 8))
			snprintf(out, size, "%s", line);
	}
	fclose(f);
}

/* A page that is copied on a write after a fork is a page fault in the loop. */
static void fork_of_the_controller_leaves_the_loops_memory_alone(void **state)
{
	struct world *w = *state;
	char flags[512];

	mapping_flags(w->link, flags, sizeof(flags));
	assert_non_null(strstr(flags, " dc"));
	mapping_flags(w->link->asked, flags, sizeof(flags));
	assert_non_null(strstr(flags, " sh"));
}

static void check_view(const struct pumplink_view *v)
{
	assert_in_range(v->network, 0, PUMPLINK_NET_DECOMMISSIONED);
	assert_in_range(v->clock, 0, PUMPLINK_CLOCK_WRONG);
	assert_in_range(v->ways, 0, 15);
	assert_true(pumplink_text_is_serial(v->pump, sizeof(v->pump)));
	if (!v->session.id)
		return;
	assert_true(pumplink_text_is_shown_safely(v->session.person, sizeof(v->session.person)));
	assert_true(pumplink_text_is_role(v->session.role, sizeof(v->session.role)));
	assert_in_range(v->session.left_s, 1, PUMPLINK_SESSION_MAX_S);
}

static void whatever_stands_in_the_memory_is_checked(void **state)
{
	struct world *w = *state;
	struct told_area *told;
	unsigned seed = 20261122;

	attach(w);
	told = agents_memory(w);
	for (int i = 0; i < 20000; i++) {
		struct told t;
		unsigned char *at = (unsigned char *)&t;
		uint32_t number = told->latest;

		for (size_t n = 0; n < sizeof(t); n++)
			at[n] = (unsigned char)rand_r(&seed);
		if (i % 2) { /* an answer that nearly fits */
			pumplink_login(w->link, "nurse.joy", "correct horse");
			t.answered = w->link->last_request;
			t.result = PUMPLINK_OK;
			snprintf(t.person, sizeof(t.person), "Joy%c", (char)rand_r(&seed));
			snprintf(t.role, sizeof(t.role), "bedside%c", (char)rand_r(&seed));
		}
		t.network %= 10;
		pumplink_told_write(told, &t, &number);
		told->latest = i % 7 ? told->latest : (uint32_t)rand_r(&seed);
		told->beat++;
		look(w, 10);
		check_view(&w->view);
	}
	munmap(told, PUMPLINK_AREA_BYTES);
}

static void texts_that_could_deceive_are_not_shown(void **state)
{
	(void)state;
	assert_true(pumplink_text_is_shown_safely("Zo\xc3\xab \xf0\x9f\x92\x89", 20));
	assert_false(pumplink_text_is_shown_safely("", 20));
	assert_false(pumplink_text_is_shown_safely("no end", 6));
	assert_false(pumplink_text_is_shown_safely("two\nlines", 20));
	assert_false(pumplink_text_is_shown_safely("\x7f", 20));
	assert_false(pumplink_text_is_shown_safely("\xc2\x85", 20));	     /* NEL */
	assert_false(pumplink_text_is_shown_safely("\xc0\xaf", 20));	     /* overlong */
	assert_false(pumplink_text_is_shown_safely("\xed\xa0\x80", 20));     /* surrogate */
	assert_false(pumplink_text_is_shown_safely("\xf4\x90\x80\x80", 20)); /* beyond U+10FFFF */
	assert_false(pumplink_text_is_shown_safely("\x80", 20));
	assert_false(pumplink_text_is_shown_safely("cut \xe2\x82", 20));
	assert_false(pumplink_text_is_shown_safely("a\xe2\x80\xae"
						   "b",
						   20)); /* U+202E */
	assert_false(pumplink_text_is_role("Admin", 20));
	assert_false(pumplink_text_is_role("", 20));
	assert_true(pumplink_text_is_serial("", 20));
	assert_false(pumplink_text_is_serial("PG 1", 20));
}

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define IS_SANITIZED 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define IS_SANITIZED 1
#endif
#endif

#ifndef IS_SANITIZED
/* In strict mode the kernel ends a process at its first system call but read, write and exit. */
static void loops_half_alone(struct world *w)
{
	uint32_t id = 0;

	if (prctl(PR_SET_SECCOMP, SECCOMP_MODE_STRICT))
		syscall(SYS_exit, 2);
	for (int i = 0; i < 200000; i++) {
		pumplink_look(w->link, w->now_ms += 10, &w->view);
		pumplink_tell_infusing(w->link, i % 3);
		if (i % 50 == 0)
			id = pumplink_login_badge(w->link, "0451", "1234");
		pumplink_login_poll(w->link, id, NULL);
		if (i % 90 == 0)
			pumplink_logout(w->link, false);
	}
	syscall(SYS_exit, *pumplink_network_text(w->view.network) ? 0 : 1);
}

static void loops_half_makes_no_system_call_while_a_hostile_agent_writes(void **state)
{
	struct world *w = *state;
	struct pumplink *own = w->link;
	struct told_area *told;
	unsigned seed = 7;
	int status;
	pid_t child;

	attach(w);
	told = agents_memory(w);
	/* the link in memory that the loop, a child, shares with the one who tends it */
	w->link =
		mmap(NULL, sizeof(*own), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	assert_true(w->link != MAP_FAILED);
	memcpy(w->link, own, sizeof(*own));
	child = fork();
	assert_true(child >= 0);
	if (!child)
		loops_half_alone(w);
	while (waitpid(child, &status, WNOHANG) == 0) {
		for (size_t i = 0; i < PUMPLINK_AREA_BYTES / 4; i++)
			((pumplink_word *)told)[i] = (uint32_t)rand_r(&seed) % 5;
		pumplink_tend(w->link);
	}
	assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
	munmap(told, PUMPLINK_AREA_BYTES);
	munmap(w->link, sizeof(*own));
	w->link = own;
}
#endif

/* ---- a controller that means harm, and others who say that they are it ---- */

static int memory(size_t size, int seals)
{
	int fd = memfd_create("test", MFD_CLOEXEC | MFD_ALLOW_SEALING);

	assert_true(fd >= 0);
	assert_int_equal(ftruncate(fd, (off_t)size), 0);
	assert_int_equal(fcntl(fd, F_ADD_SEALS, seals), 0);
	return fd;
}

/* One datagram; closes the descriptors. */
static void hand_over(const struct world *w, uint32_t version, const int *fds, size_t n)
{
	union {
		struct cmsghdr align;
		char bytes[CMSG_SPACE(sizeof(int) * 8)];
	} control = {0};
	struct sockaddr_un to = {.sun_family = AF_UNIX};
	struct iovec io = {&version, sizeof(version)};
	struct msghdr m = {.msg_name = &to,
			   .msg_namelen = sizeof(to),
			   .msg_iov = &io,
			   .msg_iovlen = 1,
			   .msg_control = n ? control.bytes : NULL,
			   .msg_controllen = n ? CMSG_SPACE(sizeof(int) * n) : 0};
	int s = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	snprintf(to.sun_path, sizeof(to.sun_path), "%s", w->path);
	if (n) {
		struct cmsghdr *c = CMSG_FIRSTHDR(&m);

		c->cmsg_level = SOL_SOCKET;
		c->cmsg_type = SCM_RIGHTS;
		c->cmsg_len = CMSG_LEN(sizeof(int) * n);
		memcpy(CMSG_DATA(c), fds, sizeof(int) * n);
	}
	assert_int_equal(sendmsg(s, &m, MSG_DONTWAIT), sizeof(version));
	close(s);
	for (size_t i = 0; i < n; i++)
		close(fds[i]);
}

static int open_descriptors(void)
{
	int n = 0;

	for (int fd = 0; fd < 256; fd++)
		n += fcntl(fd, F_GETFD) >= 0;
	return n;
}

static void agent_takes_no_memory_that_could_be_taken_away(void **state)
{
	struct world *w = *state;
	const int good = F_SEAL_SHRINK;
	int before;

	assert_int_equal(agent_side_open(w->path, getuid(), &w->agent), 0);
	before = open_descriptors();
	hand_over(w, PUMPLINK_VERSION, (int[]){memory(4096, 0), memory(4096, good)}, 2);
	assert_int_equal(agent_side_attach(w->agent), ERR_INVALID);
	hand_over(w, PUMPLINK_VERSION, (int[]){memory(4096, good), memory(4096, 0)}, 2);
	assert_int_equal(agent_side_attach(w->agent), ERR_INVALID);
	hand_over(w, PUMPLINK_VERSION, (int[]){memory(64, good), memory(4096, good)}, 2);
	assert_int_equal(agent_side_attach(w->agent), ERR_INVALID);
	hand_over(w, PUMPLINK_VERSION, (int[]){memory(4096, good), open("/dev/zero", O_RDONLY)}, 2);
	assert_int_equal(agent_side_attach(w->agent), ERR_INVALID);
	hand_over(w, PUMPLINK_VERSION, (int[]){memory(4096, good)}, 1);
	assert_int_equal(agent_side_attach(w->agent), ERR_INVALID);
	hand_over(w, PUMPLINK_VERSION, NULL, 0);
	assert_int_equal(agent_side_attach(w->agent), ERR_INVALID);
	hand_over(w, 0, (int[]){memory(4096, good), memory(4096, good)}, 2);
	assert_int_equal(agent_side_attach(w->agent), ERR_INVALID);
	hand_over(w, PUMPLINK_VERSION,
		  (int[]){memory(4096, good), memory(4096, good), memory(4096, good),
			  memory(4096, good), memory(4096, good)},
		  5);
	assert_int_equal(agent_side_attach(w->agent), ERR_INVALID);
	assert_int_equal(agent_side_attach(w->agent), ERR_NOT_FOUND);
	assert_false(agent_side_is_attached(w->agent));
	assert_int_equal(open_descriptors(), before);
}

static void agent_takes_no_memory_from_another_user(void **state)
{
	struct world *w = *state;
	int status;
	pid_t child;

	if (getuid() != 0)
		skip();
	assert_int_equal(agent_side_open(w->path, 12345, &w->agent), 0);
	assert_int_equal(chmod(w->path, 0666), 0);
	assert_int_equal(chmod(w->dir, 0755), 0);
	child = fork();
	if (!child) {
		struct pumplink *l = NULL;

		_exit(setuid(NOBODY) || pumplink_open(w->path, &l) || pumplink_tend(l));
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_int_equal(status, 0);
	assert_int_equal(agent_side_attach(w->agent), ERR_DENIED);
	assert_int_equal(pumplink_tend(w->link), 0); /* root may */
	assert_int_equal(agent_side_attach(w->agent), 1);
}

static void agent_checks_each_request(void **state)
{
	struct world *w = *state;
	struct letter good = {
		.kind = PUMPLINK_LOGIN_BADGE, .name = "0451", .secret = "1234", .secret_len = 4};
	struct pumplink_request rq;
	struct letter bad[7];
	uint32_t id = 1;

	for (size_t i = 0; i < 7; i++)
		bad[i] = good;
	bad[0].kind = 0;
	bad[1].kind = 4;
	bad[2].secret_len = 5; /* NUL within */
	bad[3].secret_len = UINT32_MAX;
	memset(bad[4].name, 'x', sizeof(bad[4].name));
	bad[5].name[1] = '\033';
	memset(bad[6].secret, 'x', sizeof(bad[6].secret));
	bad[6].secret_len = PUMPLINK_SECRET_MAX + 1;
	attach(w);
	for (size_t i = 0; i < 7; i++) {
		pumplink_letter_write(w->link->asked, &bad[i], id++);
		assert_false(agent_side_next(w->agent, &rq));
	}
	pumplink_letter_write(w->link->asked, &good, UINT32_MAX);
	assert_false(agent_side_next(w->agent, &rq));
	pumplink_letter_write(w->link->asked, &good, id);
	assert_true(agent_side_next(w->agent, &rq));
	assert_string_equal(rq.name, "0451");
	assert_int_equal(rq.secret_len, 4);
	w->link->asked->ended = 9 << 3 | 7;
	assert_false(agent_side_ended(w->agent, &id, &(enum pumplink_end){0}));
}

#define IN_A_WORLD(test) cmocka_unit_test_setup_teardown(test, world_make, world_end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		IN_A_WORLD(agent_cannot_write_where_the_controller_tells),
		IN_A_WORLD(agent_cannot_take_the_memory_away),
		IN_A_WORLD(fork_of_the_controller_leaves_the_loops_memory_alone),
		IN_A_WORLD(whatever_stands_in_the_memory_is_checked),
		cmocka_unit_test(texts_that_could_deceive_are_not_shown),
#ifndef IS_SANITIZED /* their runtimes call the system */
		IN_A_WORLD(loops_half_makes_no_system_call_while_a_hostile_agent_writes),
#endif
		IN_A_WORLD(agent_takes_no_memory_that_could_be_taken_away),
		IN_A_WORLD(agent_takes_no_memory_from_another_user),
		IN_A_WORLD(agent_checks_each_request),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
