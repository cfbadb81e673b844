/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Owns the end of a login: session, audit rows, journal, what the pump hears, the answer. A refusal
 * leaves at a whole step of time after its arrival, so that its time does not tell an account that
 * exists from one that does not.
 */
#include "sql/credd/credd.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <event2/event.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/secret.h"
#include "sql/credd/glass.h"

#define STEP_US 250000
#define TOMBSTONES_MAX 16 /* in one answer: room for the rest is left */
#define OVERLOAD_RETRY_S 2

void request_name(uint64_t id, char out[REQUEST_NAME_SIZE])
{
	snprintf(out, REQUEST_NAME_SIZE, "%016" PRIx64, id);
}

void login_settle(struct login_job *j)
{
	struct credd *c = j->job.c;
	enum throttle_end how = j->result == LOGIN_OK && !j->contact	     ? THROTTLE_SUCCEEDED
				: j->contact || j->result == LOGIN_TRY_AGAIN ? THROTTLE_UNSURE
									     : THROTTLE_FAILED;
	int64_t now_ms = clock_mono_us() / 1000;

	if (!j->charged)
		return;
	j->charged = false;
	pthread_mutex_lock(&c->lock);
	throttle_end(c->throttle, &j->who, how, now_ms);
	if (j->result == LOGIN_REFUSED && !j->contact)
		j->sprayed = spray_note(&c->spray, j->password_print, j->who.user, now_ms);
	pthread_mutex_unlock(&c->lock);
	if (j->sprayed)
		atomic_fetch_add(&c->spraying, 1);
}

static void job_free(struct login_job *j)
{
	free(j->person);
	secret_wipe(j, sizeof(*j));
	free(j);
}

/* Nothing to wait for: it tells no more than what was sent. */
static bool is_told_at_once(const struct login_job *j)
{
	return j->result == LOGIN_OK || j->result == LOGIN_THROTTLED ||
	       j->result == LOGIN_TRY_AGAIN || j->result == LOGIN_MALFORMED;
}

static void answer_now(struct login_job *j)
{
	ipc_request_reply(j->job.rq, &j->answer, 1);
	job_free(j);
}

static void answer_due(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	answer_now(arg);
}

static void log_answer(const struct login_job *j)
{
	char id[REQUEST_NAME_SIZE];

	request_name(j->says.request_id ? j->says.request_id : ipc_request_id(j->job.rq), id);
	LOG(j->contact && j->result == LOGIN_OK ? LOG_DEBUG : LOG_INFO,
	    j->contact ? "login.contact" : "login", LOG_S("result", login_result_word(j->result)),
	    LOG_S("reason", j->why), LOG_S("user", j->account_known ? j->account.name : ""),
	    LOG_S("device", j->pump.device),
	    LOG_U("ms", (clock_mono_us() - j->job.arrived_us) / 1000), LOG_S("request", id));
}

void login_answer(struct login_job *j)
{
	struct cred_answer *a = &j->answer;
	int64_t late_us = clock_mono_us() - j->job.arrived_us;
	const struct timeval wait = {.tv_usec = STEP_US - late_us % STEP_US};

	login_settle(j);
	a->accept = j->result == LOGIN_OK;
	snprintf(a->result, sizeof(a->result), "%s", login_result_word(j->result));
	snprintf(a->device, sizeof(a->device), "%s", j->pump.device);
	snprintf(a->text, sizeof(a->text), "%s", login_result_text(j->result));
	if (a->accept && !j->contact) {
		snprintf(a->user, sizeof(a->user), "%s", j->account.name);
		snprintf(a->role, sizeof(a->role), "%s", j->terms.role);
		a->session_s = j->terms.session_s;
		a->idle_s = j->terms.idle_s;
	}
	if (!a->accept && a->hears.len == 0 && login_hears(NULL, j, clock_wall_ms()))
		a->hears.len = 0;
	if (j->result != LOGIN_THROTTLED || j->tell)
		log_answer(j);
	if (!j->contact && !a->accept && j->result != LOGIN_THROTTLED)
		atomic_fetch_add(&j->job.c->refused, 1);
	if (!j->contact && a->accept)
		atomic_fetch_add(&j->job.c->accepted, 1);
	if (is_told_at_once(j) ||
	    event_base_once(j->job.c->base, -1, EV_TIMEOUT, answer_due, j, &wait))
		answer_now(j);
}

void login_to_writer(struct login_job *j)
{
	login_settle(j);
	if (lane_put(j->job.c->writer, &j->job.lane, 0) == 0)
		return;
	j->result = LOGIN_TRY_AGAIN;
	j->retry_s = OVERLOAD_RETRY_S;
	j->why = "busy";
	atomic_fetch_add(&j->job.c->busy, 1);
	login_answer(j);
}

static int tombstones_put(struct people *p, struct login_job *j, struct login_terms *terms,
			  struct buf *b)
{
	struct login_tombstone t[TOMBSTONES_MAX];
	size_t n = 0;
	/* a pump that has nothing has nothing to forget */
	bool fresh = j->says.tombstone == 0 && j->says.generation == 0;
	int rc = fresh ? 0 : people_tombstones(p, j->says.tombstone, t, TOMBSTONES_MAX, &n);

	for (size_t i = 0; !rc && i < n; i++)
		rc = login_item_put(b, LOGIN_KIND_TOMBSTONE, &record_login_tombstone, &t[i]);
	if (!rc && n == TOMBSTONES_MAX && t[n - 1].seq < terms->tombstone) {
		terms->more = true;
		terms->tombstone = t[n - 1].seq;
	}
	return rc;
}

static int grant_put(struct login_job *j, struct buf *b)
{
	struct login_grant g = {.session_s = j->terms.session_s,
				.idle_s = j->terms.idle_s,
				.offline = j->terms.offline,
				.offline_s = j->terms.offline_s,
				.offline_failures = j->terms.offline_failures,
				.offline_people = j->terms.offline_people,
				.directory = j->account.directory && !j->by_badge};
	const char *display =
		j->person && *j->person->display ? j->person->display : j->account.display;

	snprintf(g.user, sizeof(g.user), "%s", j->account.name);
	snprintf(g.display, sizeof(g.display), "%s", display);
	snprintf(g.role, sizeof(g.role), "%s", j->terms.role);
	snprintf(g.login_id, sizeof(g.login_id), "%s", j->session.login_id);
	return login_item_put(b, LOGIN_KIND_GRANT, &record_login_grant, &g);
}

/* Not sent unless the house has said so for this role: a pump that hears nothing keeps no password.
 */
static int keeping_put(const struct login_job *j, struct buf *b)
{
	const struct login_keeping k = {.password = true};

	if (j->by_badge || !j->terms.offline || !j->terms.offline_passwords)
		return 0;
	return login_item_put(b, LOGIN_KIND_KEEPING, &record_login_keeping, &k);
}

static int refusal_put(struct login_job *j, struct buf *b)
{
	struct login_refusal r = {.retry_s = j->retry_s};

	snprintf(r.result, sizeof(r.result), "%s", login_result_word(j->result));
	snprintf(r.text, sizeof(r.text), "%s", login_result_text(j->result));
	return login_item_put(b, LOGIN_KIND_REFUSAL, &record_login_refusal, &r);
}

static int rollback_note(struct people *p, struct login_job *j, int64_t now_ms)
{
	char detail[64];
	const struct login_note n = {.by = {.actor = "-", .at = now_ms},
				     .action = "login.rollback",
				     .device = j->pump.device,
				     .detail = detail};

	snprintf(detail, sizeof(detail), "generation=%" PRIu64, j->says.generation);
	LOG(LOG_WARN, "login.rollback", LOG_S("device", j->pump.device));
	return people_note(p, &n);
}

/* The pump has heard of withdrawals that this database does not know: an old copy, and its list of
 * withdrawals too. */
static int behind_note(struct people *p, struct login_job *j, const struct login_terms *terms,
		       int64_t now_ms)
{
	struct credd *c = j->job.c;
	char detail[96];

	if (j->says.tombstone <= terms->tombstone)
		return 0;
	atomic_fetch_add(&c->behind, 1);
	snprintf(detail, sizeof(detail), "withdrawal=%" PRIu64 " here=%" PRIu64, j->says.tombstone,
		 terms->tombstone);
	return login_odd(p, j, &c->behind_told_ms, "clinicians.old-copy", detail, now_ms);
}

/* p NULL: nothing but the refusal, for a pump that is not known or a server that is busy. */
int login_hears(struct people *p, struct login_job *j, int64_t now_ms)
{
	struct login_terms terms = {.server_time = now_ms};
	bool rolled_back = false;
	AUTO_BUF b = {.max = LOGIN_BLOB_MAX};
	int rc = 0;

	if (p && *j->pump.device) {
		rc = people_pump_seen(p, j->pump.device, &j->says, now_ms, &terms, &rolled_back);
		if (!rc && rolled_back)
			rc = rollback_note(p, j, now_ms);
		if (!rc)
			rc = behind_note(p, j, &terms, now_ms);
		if (!rc)
			rc = tombstones_put(p, j, &terms, &b);
		if (!rc)
			rc = login_item_put(&b, LOGIN_KIND_TERMS, &record_login_terms, &terms);
		if (!rc)
			rc = glass_hears(p, j->pump.device, now_ms, &b);
	}
	if (!rc && j->result != LOGIN_OK)
		rc = refusal_put(j, &b);
	else if (!rc && !j->contact)
		rc = grant_put(j, &b);
	if (!rc && j->result == LOGIN_OK && !j->contact)
		rc = keeping_put(j, &b);
	if (rc)
		return rc;
	if (b.len)
		memcpy(j->answer.hears.data, b.data, b.len);
	j->answer.hears.len = (uint32_t)b.len;
	return 0;
}
