/* SPDX-License-Identifier: BSD-2-Clause */
/* Owns the life of the server's processes. Never leaves one behind: each dies with the supervisor.
 */
#include "enroll/pumpctl/supervisor.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <event2/event.h>

#include "base/clock.h"
#include "base/daemon.h"
#include "base/log.h"
#include "enroll/pumpctl/key_pair.h"
#include "enroll/pumpctl/logfile.h"
#include "enroll/pumpctl/notify.h"
#include "enroll/pumpctl/server_keys.h"
#include "enroll/pumpctl/services.h"

#define READY_TIMEOUT_S 30
#define STOP_TIMEOUT_S 5
#define BACKOFF_MAX_S 30
#define STEADY_US (60 * 1000000LL) /* up for so long: the next crash starts at 1 s again */
#define LAST_WORDS 1024

enum child_state { CHILD_DOWN, CHILD_STARTING, CHILD_READY };

struct supervisor;

struct child {
	struct supervisor *sup;
	const struct service *service;
	enum child_state state;
	pid_t pid; /* 0: none */
	int out_fd;
	struct event *out_ev;
	struct event *timer; /* readiness deadline, or the wait before a restart */
	unsigned backoff_s;
	int64_t started_us;
	bool planned;		       /* its end was asked for: it starts again at once */
	char pair[KEY_PAIR_NAME_SIZE]; /* with which it was started, if that was unsettled */
	struct logfile log;
	char last[LAST_WORDS]; /* the end of its output, for the message when it fails */
	size_t last_len;
};

struct supervisor {
	const struct supervisor_options *o;
	struct event_base *base;
	char notify_path[PATH_MAX];
	int notify_fd;
	struct child children[SERVICES_N];
	unsigned next;	/* the first one not started yet */
	bool all_ready; /* has been reached once */
	bool stopping;
	bool stopped; /* no child is left */
	int result;
	struct event *stop_timer;
	struct event *events[6];
};

static const char *name_of(const struct child *c)
{
	return process_name(c->service->process);
}

static void timer_set(struct event *timer, unsigned seconds)
{
	struct timeval tv = {.tv_sec = seconds};

	event_add(timer, &tv);
}

/* ---- stopping, in reverse order ---- */

static void stop_next(struct supervisor *sup)
{
	for (int i = SERVICES_N - 1; i >= 0; i--) {
		struct child *c = &sup->children[i];

		event_del(c->timer);
		if (c->pid) {
			kill(c->pid, SIGTERM);
			timer_set(sup->stop_timer, STOP_TIMEOUT_S);
			return;
		}
	}
	sup->stopped = true;
	event_base_loopbreak(sup->base);
}

static void stop_all(struct supervisor *sup)
{
	if (sup->stopping)
		return;
	sup->stopping = true;
	stop_next(sup);
}

static void stop_is_late(evutil_socket_t fd, short what, void *arg)
{
	struct supervisor *sup = arg;

	(void)fd;
	(void)what;
	for (int i = SERVICES_N - 1; i >= 0; i--) {
		struct child *c = &sup->children[i];

		if (c->pid) {
			LOG(LOG_WARN, "run.killed", LOG_S("process", name_of(c)),
			    LOG_S("why", "did not end on SIGTERM"));
			kill(c->pid, SIGKILL);
			return;
		}
	}
}

static void fail(struct supervisor *sup, const struct child *c, const char *why)
{
	if (sup->stopping)
		return;
	sup->result = c->last_len ? err_set(ERR_UNAVAILABLE, "%s %s; %s says:\n%.*s", name_of(c),
					    why, c->log.path, (int)c->last_len, c->last)
				  : err_set(ERR_UNAVAILABLE, "%s %s and said nothing; see %s",
					    name_of(c), why, c->log.path);
	stop_all(sup);
}

/* ---- output ---- */

static void last_words_keep(struct child *c, const char *data, size_t len)
{
	const size_t half = LAST_WORDS / 2;

	if (len > half) {
		data += len - half;
		len = half;
	}
	if (c->last_len + len > LAST_WORDS) {
		size_t keep = LAST_WORDS - len;

		memmove(c->last, c->last + c->last_len - keep, keep);
		c->last_len = keep;
	}
	memcpy(c->last + c->last_len, data, len);
	c->last_len += len;
}

static void output_close(struct child *c)
{
	if (c->out_ev)
		event_free(c->out_ev);
	c->out_ev = NULL;
	if (c->out_fd >= 0)
		close(c->out_fd);
	c->out_fd = -1;
}

static void output_readable(evutil_socket_t fd, short what, void *arg)
{
	struct child *c = arg;
	char chunk[8192];
	ssize_t n = read(fd, chunk, sizeof(chunk));

	(void)what;
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n <= 0) {
		output_close(c);
		return;
	}
	logfile_write(&c->log, chunk, (size_t)n);
	last_words_keep(c, chunk, (size_t)n);
	if (c->sup->o->verbose && write(STDERR_FILENO, chunk, (size_t)n) < 0)
		c->last_len += 0; /* nobody watches any more; the log file has it */
}

/* ---- renewed certificates ---- */

/* Has this process a new pair that it has not served with yet? */
static bool pair_is_new(const struct child *c, char folder[PATH_MAX], struct key_pair *out)
{
	return !server_keys_pair(c->sup->o->settings, c->service->process, folder, out) &&
	       key_pair_is_unsettled(out);
}

/* It ended before it was ready: with the pair of before it has served. */
static void pair_give_up(struct child *c)
{
	char folder[PATH_MAX], now[KEY_PAIR_NAME_SIZE];
	struct key_pair pair;

	if (!c->pair[0] || !pair_is_new(c, folder, &pair))
		return;
	key_pair_name(&pair, now);
	if (strcmp(now, c->pair))
		return;
	if (key_pair_restore(&pair))
		LOG(LOG_ERROR, "run.pair", LOG_S("process", name_of(c)), LOG_S("why", err_text()));
	else
		LOG(LOG_ERROR, "run.pair_refused", LOG_S("process", name_of(c)),
		    LOG_S("next", "the previous one is in force again"));
}

/* Before it starts: which pair it will read. */
static void pair_note(struct child *c)
{
	char folder[PATH_MAX];
	struct key_pair pair;

	c->pair[0] = '\0';
	if (pair_is_new(c, folder, &pair))
		key_pair_name(&pair, c->pair);
}

/* It is ready: what it was started with has proven itself. */
static void pair_settle(struct child *c)
{
	char folder[PATH_MAX], now[KEY_PAIR_NAME_SIZE];
	struct key_pair pair;

	if (!c->pair[0] || !pair_is_new(c, folder, &pair))
		return;
	key_pair_name(&pair, now);
	if (strcmp(now, c->pair))
		return;
	if (key_pair_settle(&pair))
		LOG(LOG_ERROR, "run.pair", LOG_S("process", name_of(c)), LOG_S("why", err_text()));
	else
		LOG(LOG_INFO, "run.renewed", LOG_S("process", name_of(c)));
}

/* SIGUSR1 from `pumpctl cert server-renew`. */
static void on_renewed(evutil_socket_t signo, short what, void *arg)
{
	struct supervisor *sup = arg;

	(void)signo;
	(void)what;
	for (unsigned i = 0; i < SERVICES_N && !sup->stopping; i++) {
		struct child *c = &sup->children[i];
		char folder[PATH_MAX];
		struct key_pair pair;

		if (!c->pid || !pair_is_new(c, folder, &pair))
			continue;
		c->planned = true;
		kill(c->pid, SIGTERM);
		timer_set(c->timer, STOP_TIMEOUT_S);
	}
}

/* ---- starting ---- */

static void child_start(struct child *c)
{
	struct supervisor *sup = c->sup;
	char path[PATH_MAX], raddb[PATH_MAX];
	struct spawn spawn;
	int rc = service_spawn(c->service, sup->o->settings, path, raddb, &spawn);

	spawn.notify_socket = sup->notify_path;
	output_close(c);
	pair_note(c);
	if (!rc)
		rc = spawn_start(&spawn, &c->pid, &c->out_fd);
	if (rc) {
		LOG(LOG_ERROR, "run.start_failed", LOG_S("process", name_of(c)),
		    LOG_S("why", err_text()));
		if (!sup->all_ready) {
			sup->result = rc;
			stop_all(sup);
		} else {
			timer_set(c->timer, BACKOFF_MAX_S);
		}
		return;
	}
	c->out_ev = event_new(sup->base, c->out_fd, EV_READ | EV_PERSIST, output_readable, c);
	if (c->out_ev)
		event_add(c->out_ev, NULL);
	c->state = CHILD_STARTING;
	c->started_us = clock_mono_us();
	timer_set(c->timer, READY_TIMEOUT_S);
}

static void start_next(struct supervisor *sup)
{
	if (sup->stopping)
		return;
	if (sup->next < SERVICES_N) {
		child_start(&sup->children[sup->next++]);
		return;
	}
	sup->all_ready = true;
	sup->result = sup->o->ready(sup->o->ctx);
	if (sup->result)
		stop_all(sup);
}

static void child_timer(evutil_socket_t fd, short what, void *arg)
{
	struct child *c = arg;

	(void)fd;
	(void)what;
	if (c->sup->stopping)
		return;
	if (c->pid == 0) {
		child_start(c);
	} else if (c->planned) {
		LOG(LOG_WARN, "run.killed", LOG_S("process", name_of(c)),
		    LOG_S("why", "did not end on SIGTERM"));
		kill(c->pid, SIGKILL);
	} else if (c->state == CHILD_STARTING) {
		LOG(LOG_ERROR, "run.not_ready", LOG_S("process", name_of(c)),
		    LOG_U("after_s", READY_TIMEOUT_S));
		kill(c->pid, SIGKILL); /* comes back through child_ended */
	}
}

static void notify_readable(evutil_socket_t fd, short what, void *arg)
{
	struct supervisor *sup = arg;
	bool ready;
	pid_t pid;

	(void)what;
	if (notify_read(fd, &pid, &ready) || !ready)
		return;
	for (unsigned i = 0; i < SERVICES_N; i++) {
		struct child *c = &sup->children[i];

		if (!c->pid || c->pid != pid || c->state != CHILD_STARTING)
			continue;
		c->state = CHILD_READY;
		if (!c->planned) /* else it is about to end */
			event_del(c->timer);
		pair_settle(c);
		LOG(LOG_INFO, "run.ready", LOG_S("process", name_of(c)),
		    LOG_U("ms", (clock_mono_us() - c->started_us) / 1000));
		if (!sup->all_ready)
			start_next(sup);
	}
}

/* ---- ends of children ---- */

static void child_ended(struct child *c, int status)
{
	struct supervisor *sup = c->sup;
	bool steady = clock_mono_us() - c->started_us > STEADY_US;
	bool came_up = c->state == CHILD_READY;

	c->pid = 0;
	c->state = CHILD_DOWN;
	event_del(c->timer);
	while (c->out_ev) { /* what it still said */
		size_t before = c->last_len;

		output_readable(c->out_fd, EV_READ, c);
		if (c->last_len == before)
			break;
	}
	if (sup->stopping) {
		event_del(sup->stop_timer);
		stop_next(sup);
		return;
	}
	if (c->planned) {
		c->planned = false;
		child_start(c);
		return;
	}
	LOG(LOG_ERROR, "run.ended", LOG_S("process", name_of(c)),
	    LOG_U(WIFSIGNALED(status) ? "signal" : "status",
		  WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status)));
	if (!came_up)
		pair_give_up(c);
	if (!sup->all_ready) {
		fail(sup, c, "could not start");
		return;
	}
	c->backoff_s = steady || !c->backoff_s ? 1 : c->backoff_s * 2;
	if (c->backoff_s > BACKOFF_MAX_S)
		c->backoff_s = BACKOFF_MAX_S;
	LOG(LOG_WARN, "run.restart", LOG_S("process", name_of(c)), LOG_U("in_s", c->backoff_s));
	timer_set(c->timer, c->backoff_s);
}

static void on_sigchld(evutil_socket_t signo, short what, void *arg)
{
	struct supervisor *sup = arg;

	(void)signo;
	(void)what;
	for (unsigned i = 0; i < SERVICES_N; i++) {
		struct child *c = &sup->children[i];
		int status;

		if (c->pid && waitpid(c->pid, &status, WNOHANG) == c->pid)
			child_ended(c, status);
	}
}

static void on_stop(evutil_socket_t signo, short what, void *arg)
{
	struct supervisor *sup = arg;

	(void)signo;
	(void)what;
	if (sup->stopping)
		stop_is_late(-1, 0, sup); /* asked twice: do not wait */
	else
		stop_all(sup);
}

/* ---- the whole ---- */

static int children_init(struct supervisor *sup)
{
	for (unsigned i = 0; i < SERVICES_N; i++) {
		struct child *c = &sup->children[i];
		char rel[64], path[PATH_MAX];
		int rc;

		c->sup = sup;
		c->service = &services[i];
		c->out_fd = -1;
		c->log.fd = -1;
		snprintf(rel, sizeof(rel), "log/%s.log", name_of(c));
		rc = home_path(sup->o->settings->home, rel, path);
		if (rc || (rc = logfile_open(&c->log, path, LOGFILE_MAX)))
			return rc;
		c->timer = evtimer_new(sup->base, child_timer, c);
		if (!c->timer)
			return err_set(ERR_NOMEM, "no memory for a timer");
	}
	return 0;
}

static int events_init(struct supervisor *sup)
{
	int rc = home_path(sup->o->settings->home, "run/notify", sup->notify_path);

	if (rc || (rc = notify_open(sup->notify_path, &sup->notify_fd)))
		return rc;
	sup->events[0] = evsignal_new(sup->base, SIGCHLD, on_sigchld, sup);
	sup->events[1] = evsignal_new(sup->base, SIGTERM, on_stop, sup);
	sup->events[2] = evsignal_new(sup->base, SIGINT, on_stop, sup);
	sup->events[3] = evsignal_new(sup->base, SIGHUP, on_stop, sup);
	sup->events[4] = evsignal_new(sup->base, SIGUSR1, on_renewed, sup);
	sup->events[5] =
		event_new(sup->base, sup->notify_fd, EV_READ | EV_PERSIST, notify_readable, sup);
	sup->stop_timer = evtimer_new(sup->base, stop_is_late, sup);
	for (size_t i = 0; i < sizeof(sup->events) / sizeof(sup->events[0]); i++)
		if (!sup->events[i] || event_add(sup->events[i], NULL))
			return err_set(ERR_NOMEM, "no memory for events");
	return sup->stop_timer ? 0 : err_set(ERR_NOMEM, "no memory for a timer");
}

static void supervisor_done(struct supervisor *sup)
{
	for (unsigned i = 0; i < SERVICES_N; i++) {
		struct child *c = &sup->children[i];

		output_close(c);
		logfile_close(&c->log);
		if (c->timer)
			event_free(c->timer);
	}
	for (size_t i = 0; i < sizeof(sup->events) / sizeof(sup->events[0]); i++)
		if (sup->events[i])
			event_free(sup->events[i]);
	if (sup->stop_timer)
		event_free(sup->stop_timer);
	if (sup->notify_fd >= 0) {
		close(sup->notify_fd);
		unlink(sup->notify_path);
	}
	event_base_free(sup->base);
}

int supervisor_run(const struct supervisor_options *o)
{
	struct supervisor sup = {.o = o, .notify_fd = -1, .base = event_base_new()};
	int rc;

	if (!sup.base)
		return err_set(ERR_NOMEM, "no memory for an event loop");
	for (unsigned i = 0; i < SERVICES_N; i++)
		sup.children[i].out_fd = sup.children[i].log.fd = -1;
	rc = children_init(&sup);
	if (!rc)
		rc = events_init(&sup);
	if (!rc) {
		start_next(&sup);
		if (!sup.stopped) /* a break before the loop would be forgotten */
			event_base_dispatch(sup.base);
		rc = sup.result;
	}
	supervisor_done(&sup);
	return rc;
}
