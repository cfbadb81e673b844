/* SPDX-License-Identifier: BSD-2-Clause */
/* Owns the keypad's socket and what its answers look like. Touches the loop by its mailbox and its
 * account only. */
#include "pump_agent/controller_emulator/keypad.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include <jansson.h>

#include "base/secret.h"

#define TEND_MS 100
#define PRESS_WAIT_MS 3000
#define LOOP_WAIT_US 1000000 /* a loop that does not answer by then hangs */

static int address(const char *dir, const char *name, struct sockaddr_un *out)
{
	memset(out, 0, sizeof(*out));
	out->sun_family = AF_UNIX;
	if (snprintf(out->sun_path, sizeof(out->sun_path), "%s/%s", dir, name) >=
	    (int)sizeof(out->sun_path))
		return err_set(ERR_LIMIT, "%s: too long for a socket", dir);
	return 0;
}

int keypad_open(const char *dir, int *fd_out)
{
	struct sockaddr_un at;
	int fd;
	int rc = address(dir, KEYPAD_SOCKET, &at);

	if (rc)
		return rc;
	fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	unlink(at.sun_path);
	if (fd < 0 || bind(fd, (struct sockaddr *)&at, sizeof(at)) || chmod(at.sun_path, 0600)) {
		rc = err_errno(ERR_IO, "%s", at.sun_path);
		if (fd >= 0)
			close(fd);
		return rc;
	}
	*fd_out = fd;
	return 0;
}

const char *keypad_result_name(enum pumplink_result r)
{
	static const char *const names[] = {"pending",	   "ok",       "refused",  "try-again",
					    "unavailable", "no-agent", "cancelled"};

	return (unsigned)r < sizeof(names) / sizeof(names[0]) ? names[r] : "?";
}

/* ---- the account ---- */

struct account_copy {
	int64_t at_us;
	unsigned ticks;
	unsigned sleeps;
	unsigned faults;
	unsigned late[LATENESS_BUCKETS];
};

static void account_copy(const struct loop_account *a, struct account_copy *out)
{
	out->at_us = loop_now_us();
	out->ticks = atomic_load(&a->ticks);
	out->sleeps = atomic_load(&a->call_sleeps);
	out->faults = atomic_load(&a->call_faults);
	for (size_t i = 0; i < LATENESS_BUCKETS; i++)
		out->late[i] = atomic_load_explicit(&a->late[i], memory_order_relaxed);
}

static unsigned bucket_us(size_t bucket)
{
	return bucket < LATENESS_FINE
		       ? (unsigned)bucket
		       : LATENESS_FINE + (unsigned)(bucket - LATENESS_FINE) * LATENESS_COARSE;
}

/* The lateness that `per_mille` of the ticks between the two copies did not exceed. */
static unsigned late_us(const struct account_copy *from, const struct account_copy *to,
			uint64_t per_mille)
{
	uint64_t all = 0;
	uint64_t below = 0;

	for (size_t i = 0; i < LATENESS_BUCKETS; i++)
		all += to->late[i] - from->late[i];
	for (size_t i = 0; i < LATENESS_BUCKETS; i++) {
		below += to->late[i] - from->late[i];
		if (all && below * 1000 >= all * per_mille)
			return bucket_us(i);
	}
	return 0;
}

/* What happened since `last`. A loop that hangs misses ticks all the same. */
static void account_answer(struct loop *l, struct account_copy *last, char out[KEYPAD_ANSWER_MAX])
{
	static struct account_copy now;
	int64_t wanted;
	unsigned ticks;

	account_copy(&l->account, &now);
	wanted = (now.at_us - last->at_us) / l->options.period_us;
	ticks = now.ticks - last->ticks;
	snprintf(out, KEYPAD_ANSWER_MAX,
		 "{\"ticks\":%u,\"missed\":%lld,\"late_p50_us\":%u,\"late_p99_us\":%u,"
		 "\"late_max_us\":%u,\"call_max_us\":%u,\"call_sleeps\":%u,\"call_faults\":%u,"
		 "\"real_time\":%s,\"delivered_nl\":%u}",
		 ticks, wanted > (int64_t)ticks + 1 ? (long long)(wanted - 1 - ticks) : 0,
		 late_us(last, &now, 500), late_us(last, &now, 990),
		 atomic_exchange(&l->account.late_max_us, 0),
		 atomic_exchange(&l->account.call_max_us, 0), now.sleeps - last->sleeps,
		 now.faults - last->faults,
		 atomic_load(&l->account.is_real_time) ? "true" : "false",
		 atomic_load(&l->account.delivered_nl));
	*last = now;
}

/* ---- keys ---- */

static json_t *session_json(const struct pumplink_session *s)
{
	if (!s->id)
		return json_null();
	return json_pack("{s:s, s:s, s:i, s:i, s:b, s:b}", "person", s->person, "role", s->role,
			 "left_s", (int)s->left_s, "idle_s", (int)s->idle_s, "offline",
			 s->is_offline, "break_glass", s->is_break_glass);
}

static void view_answer(const struct loop *l, char out[KEYPAD_ANSWER_MAX])
{
	const struct keypad *k = &l->keypad;
	const struct pumplink_view *v = &k->view;
	json_t *j = json_pack(
		"{s:b, s:I, s:i, s:s, s:s, s:I, s:s, s:i, s:b, s:i, s:i, s:s, s:i, s:o}", "agent",
		v->is_agent_alive, "agent_age_ms", (json_int_t)v->agent_age_ms, "network",
		(int)v->network, "network_text", pumplink_network_text(v->network), "clock_text",
		pumplink_clock_text(v->clock), "clock_off_ms", (json_int_t)v->clock_off_ms, "pump",
		v->pump, "ways", (int)v->ways, "infusing", k->is_infusing, "delivered_nl",
		(int)atomic_load(&l->account.delivered_nl), "request", (int)k->request, "result",
		keypad_result_name(k->result), "wait_s", (int)k->wait_s, "session",
		session_json(&v->session));
	size_t len = j ? json_dumpb(j, out, KEYPAD_ANSWER_MAX - 1, JSON_COMPACT) : 0;

	out[len < KEYPAD_ANSWER_MAX ? len : 0] = '\0';
	json_decref(j);
}

/* False: the loop hangs. */
static bool key_press(struct loop *l, struct keypad_press *p)
{
	const struct timespec a_little = {.tv_nsec = 2000000};
	struct keypad *k = &l->keypad;
	int64_t begun = loop_now_us();

	k->key = (enum keypad_key)p->key;
	k->request = p->request;
	memcpy(k->name, p->name, sizeof(k->name));
	memcpy(k->secret, p->secret, sizeof(k->secret));
	atomic_store_explicit(&k->state, KEYPAD_PRESSED, memory_order_release);
	while (atomic_load_explicit(&k->state, memory_order_acquire) != KEYPAD_DONE) {
		if (loop_now_us() - begun > LOOP_WAIT_US)
			return false;
		nanosleep(&a_little, NULL);
	}
	return true;
}

static void serve_one(struct loop *l, int fd, struct account_copy *last)
{
	struct keypad_press p;
	struct sockaddr_un from;
	socklen_t from_len = sizeof(from);
	char answer[KEYPAD_ANSWER_MAX] = "";
	ssize_t n = recvfrom(fd, &p, sizeof(p), MSG_DONTWAIT, (struct sockaddr *)&from, &from_len);

	if (n != sizeof(p))
		return;
	p.name[sizeof(p.name) - 1] = p.secret[sizeof(p.secret) - 1] = '\0';
	if (p.is_account)
		account_answer(l, last, answer);
	else if (atomic_load(&l->keypad.state) != KEYPAD_PRESSED && key_press(l, &p))
		view_answer(l, answer);
	else
		snprintf(answer, sizeof(answer), "{\"hangs\":true}");
	secret_wipe(&p, sizeof(p));
	sendto(fd, answer, strlen(answer), MSG_DONTWAIT | MSG_NOSIGNAL, (struct sockaddr *)&from,
	       from_len);
}

void keypad_serve(struct loop *l, int fd)
{
	static struct account_copy last;
	struct pollfd p = {.fd = fd, .events = POLLIN};

	account_copy(&l->account, &last);
	while (!atomic_load(&l->stop)) {
		if (poll(&p, 1, TEND_MS) > 0)
			serve_one(l, fd, &last);
		pumplink_tend(l->link);
	}
}

/* ---- the other end ---- */

/* A path to answer to: abstract addresses end at a network namespace. */
static int exchange(int fd, const struct sockaddr_un *mine, const struct sockaddr_un *to,
		    const struct keypad_press *press, char answer[KEYPAD_ANSWER_MAX])
{
	struct pollfd p = {.fd = fd, .events = POLLIN};
	ssize_t n;

	/* the controller may be another user; the folder is closed to others */
	if (fd < 0 || bind(fd, (const struct sockaddr *)mine, sizeof(*mine)) ||
	    chmod(mine->sun_path, 0666) ||
	    sendto(fd, press, sizeof(*press), 0, (const struct sockaddr *)to, sizeof(*to)) < 0)
		return err_errno(ERR_UNAVAILABLE, "no controller at %s", to->sun_path);
	if (poll(&p, 1, PRESS_WAIT_MS) != 1)
		return err_set(ERR_TIMEOUT, "the controller does not answer");
	n = recv(fd, answer, KEYPAD_ANSWER_MAX - 1, MSG_DONTWAIT);
	if (n < 0)
		return err_errno(ERR_IO, "the controller's answer");
	answer[n] = '\0';
	return 0;
}

int keypad_press(const char *dir, struct keypad_press *press, char answer[KEYPAD_ANSWER_MAX])
{
	struct sockaddr_un mine;
	struct sockaddr_un to;
	char name[32];
	int rc;

	snprintf(name, sizeof(name), "finger.%d", (int)getpid());
	rc = address(dir, KEYPAD_SOCKET, &to);
	rc = rc ? rc : address(dir, name, &mine);
	if (!rc) {
		int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);

		unlink(mine.sun_path); /* of an earlier process with this number */
		rc = exchange(fd, &mine, &to, press, answer);
		unlink(mine.sun_path);
		if (fd >= 0)
			close(fd);
	}
	secret_wipe(press, sizeof(*press));
	return rc;
}
