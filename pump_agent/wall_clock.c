/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Owns the setting of the system's clock and the file that remembers when it was right. Decides
 * nothing: that is clock_rules.c.
 */
#include "pump_agent/wall_clock.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/timex.h>
#include <time.h>

#include <jansson.h>

#include "base/clock.h"
#include "base/log.h"
#include "pump_agent/clock_rules.h"

#define CLOCK_FILE "clock.json"
#define CLOCK_FILE_MAX 512
#define CLOCK_FILE_VERSION 1
#define BOOT_ID_PATH "/proc/sys/kernel/random/boot_id"
#define BOOT_ID_MAX 64

/* A moment at which a server confirmed the clock. */
struct proof {
	int64_t wall_ms; /* 0: none */
	int64_t boot_ms; /* since the system was started */
	char boot_id[BOOT_ID_MAX];
};

struct wall_clock {
	pthread_mutex_t lock;
	char path[PATH_MAX];
	bool may_set;
	int64_t floor_ms;
	bool is_guess;
	bool was_lowered;
	int64_t lowered_by_ms; /* while it is lowered for a try */
	char boot_id[BOOT_ID_MAX];
	struct proof proof;
	struct clock_report report;
};

static int64_t boot_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_BOOTTIME, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static void boot_id_read(char out[BOOT_ID_MAX])
{
	AUTO_BUF text = {.max = BOOT_ID_MAX - 1};
	const char *s = buf_read_file(&text, BOOT_ID_PATH) ? NULL : buf_cstr(&text);

	out[0] = '\0';
	if (s && !str_copy(out, BOOT_ID_MAX, s))
		out[strcspn(out, "\n")] = '\0';
}

static bool is_steered(void)
{
	struct timex t = {.modes = 0};

	return adjtimex(&t) >= 0 && !(t.status & STA_UNSYNC);
}

/* Since the proof both clocks went on alike, or somebody set one of them. */
static bool is_proven(const struct wall_clock *c, int64_t now_ms)
{
	const struct proof *p = &c->proof;
	int64_t apart = (now_ms - p->wall_ms) - (boot_ms() - p->boot_ms);

	return p->wall_ms && *c->boot_id && !strcmp(p->boot_id, c->boot_id) &&
	       apart < CLOCK_STEP_MS && apart > -CLOCK_STEP_MS;
}

static struct clock_view view(const struct wall_clock *c)
{
	int64_t now_ms = clock_wall_ms();

	return (struct clock_view){
		.now_ms = now_ms,
		.floor_ms = c->floor_ms,
		.is_guess = c->is_guess,
		.is_steered = is_steered(),
		.is_proven = is_proven(c, now_ms),
		.was_lowered = c->was_lowered,
	};
}

static bool clock_set(struct wall_clock *c, int64_t ms, const char *why)
{
	struct timespec t = {ms / 1000, ms % 1000 * 1000000};
	char from[CLOCK_TEXT_MAX], to[CLOCK_TEXT_MAX];
	bool first = !c->report.is_refused;
	bool done;

	clock_format(clock_wall_ms(), from);
	clock_format(ms, to);
	done = c->may_set && clock_settime(CLOCK_REALTIME, &t) == 0;
	c->report.is_refused = !done;
	if (done)
		LOG(LOG_WARN, "agent.clock_set", LOG_S("from", from), LOG_S("to", to),
		    LOG_S("why", why));
	else if (first)
		LOG(LOG_ERROR, "agent.clock_wrong", LOG_S("now", from), LOG_S("should_be", to),
		    LOG_S("why", why),
		    LOG_S("not_set", c->may_set ? "CAP_SYS_TIME is missing" : "clock = tell"));
	return done;
}

/* ---- the file ---- */

static void json_auto_free(json_t **j)
{
	json_decref(*j);
}
#define AUTO_JSON __attribute__((cleanup(json_auto_free))) json_t *

static void proof_read(struct wall_clock *c)
{
	AUTO_BUF text = {.max = CLOCK_FILE_MAX};
	AUTO_JSON root = NULL;
	struct proof p = {0};
	json_int_t wall, boot;
	const char *id;
	int version;

	if (buf_read_file(&text, c->path))
		return;
	root = json_loadb((char *)text.data, text.len, JSON_REJECT_DUPLICATES, NULL);
	if (!root ||
	    json_unpack(root, "{s:i, s:I, s:I, s:s}", "version", &version, "confirmed_ms", &wall,
			"uptime_ms", &boot, "boot_id", &id) ||
	    version != CLOCK_FILE_VERSION || wall < 0 || boot < 0 ||
	    str_copy(p.boot_id, sizeof(p.boot_id), id)) {
		LOG(LOG_WARN, "agent.clock_file_unreadable", LOG_S("path", c->path));
		return;
	}
	p.wall_ms = wall;
	p.boot_ms = boot;
	c->proof = p;
}

static void proof_write(const struct wall_clock *c)
{
	AUTO_JSON root = json_pack("{s:i, s:I, s:I, s:s}", "version", CLOCK_FILE_VERSION,
				   "confirmed_ms", (json_int_t)c->proof.wall_ms, "uptime_ms",
				   (json_int_t)c->proof.boot_ms, "boot_id", c->proof.boot_id);
	char text[CLOCK_FILE_MAX];
	size_t len = root ? json_dumpb(root, text, sizeof(text), JSON_COMPACT) : 0;

	if (!len || len > sizeof(text) || buf_write_file(c->path, 0600, text, len))
		LOG(LOG_WARN, "agent.clock_not_kept", LOG_S("why", err_text()));
}

static void proof_take(struct wall_clock *c)
{
	c->proof.wall_ms = clock_wall_ms();
	c->proof.boot_ms = boot_ms();
	memcpy(c->proof.boot_id, c->boot_id, sizeof(c->proof.boot_id));
	c->floor_ms = c->proof.wall_ms > c->floor_ms ? c->proof.wall_ms : c->floor_ms;
	proof_write(c);
}

/* ---- calls ---- */

/* Under the lock. */
static void floor_raise(struct wall_clock *c, int64_t ms)
{
	struct clock_view v;
	int64_t to;

	if (ms > c->floor_ms)
		c->floor_ms = ms;
	v = view(c);
	to = clock_rule_raise(&v);
	if (!to)
		return;
	c->is_guess = true;
	c->report.basis = "floor";
	(void)clock_set(c, to, "it was before a time that has passed");
}

int wall_clock_new(const struct store *store, bool may_set, struct wall_clock **out)
{
	struct wall_clock *c = calloc(1, sizeof(*c));
	int rc;

	if (!c)
		return err_set(ERR_NOMEM, "no memory for the clock");
	pthread_mutex_init(&c->lock, NULL);
	c->may_set = may_set;
	c->report.basis = "system";
	boot_id_read(c->boot_id);
	rc = store_path(store, CLOCK_FILE, c->path);
	if (rc) {
		wall_clock_free(c);
		return rc;
	}
	proof_read(c);
	floor_raise(c, (int64_t)PUMPGATE_BUILD_TIME * 1000);
	floor_raise(c, c->proof.wall_ms);
	*out = c;
	return 0;
}

void wall_clock_free(struct wall_clock *c)
{
	if (!c)
		return;
	pthread_mutex_destroy(&c->lock);
	free(c);
}

void wall_clock_floor(struct wall_clock *c, int64_t ms)
{
	pthread_mutex_lock(&c->lock);
	floor_raise(c, ms);
	pthread_mutex_unlock(&c->lock);
}

void wall_clock_floor_of(struct wall_clock *c, const STACK_OF(X509) * trusted)
{
	for (int i = 0; i < sk_X509_num(trusted); i++) {
		struct tm t;

		if (ASN1_TIME_to_tm(X509_get0_notBefore(sk_X509_value(trusted, i)), &t) == 1)
			wall_clock_floor(c, (int64_t)timegm(&t) * 1000);
	}
	ERR_clear_error();
}

/* Nothing came of it: as far ahead as it was. */
static void lowered_undo(struct wall_clock *c)
{
	c->is_guess = false;
	c->was_lowered = true;
	c->report.basis = "system";
	(void)clock_set(c, clock_wall_ms() + c->lowered_by_ms,
			"the server's certificate has expired by an earlier time as well");
	c->lowered_by_ms = 0;
}

bool wall_clock_expired(struct wall_clock *c)
{
	struct clock_view v;
	bool changed = false;
	int64_t to;

	pthread_mutex_lock(&c->lock);
	if (c->lowered_by_ms)
		lowered_undo(c);
	v = view(c);
	to = clock_rule_expired(&v);
	if (to && clock_set(c, to, "a server's certificate has expired by this clock")) {
		c->lowered_by_ms = v.now_ms - to;
		c->is_guess = true;
		c->report.basis = "floor";
		changed = true;
	}
	pthread_mutex_unlock(&c->lock);
	return changed;
}

void wall_clock_told(struct wall_clock *c, int64_t server_ms)
{
	struct clock_view v;
	int64_t to;

	pthread_mutex_lock(&c->lock);
	v = view(c);
	to = clock_rule_told(&v, server_ms);
	c->report.off_ms = server_ms - v.now_ms;
	if (server_ms < c->floor_ms) {
		LOG(LOG_ERROR, "agent.clock_server_too_early", LOG_U("server_ms", server_ms),
		    LOG_U("floor_ms", c->floor_ms));
	} else if (!to || clock_set(c, to, "the EST server says so")) {
		c->is_guess = false;
		c->was_lowered = false;
		c->lowered_by_ms = 0;
		c->report.basis = "server";
		/* a clock that NTP keeps far from our server's time is not confirmed */
		if (to || llabs(c->report.off_ms) < CLOCK_STEP_MS)
			proof_take(c);
	}
	c->report.checked_ms = clock_wall_ms();
	pthread_mutex_unlock(&c->lock);
}

bool wall_clock_is_guess(struct wall_clock *c)
{
	bool yes;

	pthread_mutex_lock(&c->lock);
	yes = c->is_guess;
	pthread_mutex_unlock(&c->lock);
	return yes;
}

struct clock_report wall_clock_report(struct wall_clock *c)
{
	struct clock_report r;

	pthread_mutex_lock(&c->lock);
	r = c->report;
	pthread_mutex_unlock(&c->lock);
	return r;
}
