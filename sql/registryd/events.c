/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Owns the event lane: the one thread that changes the session database. What the event ring holds
 * and what arrives within a few milliseconds share one commit; accounting is answered after it.
 * Then each event is held against the registry (event_follow.c).
 */
#include "sql/registryd/event_worker.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "sql/proto/registry_verbs.h"

#define POST_PATIENCE_US 40000 /* nobody waits for it */
#define ACCT_PATIENCE_US 2000  /* the NAS waits */
#define PRUNE_EVERY_US (600LL * 1000000)
#define PRUNE_MORE_US 200000

/* Counts; logs once a second, however many there are. */
static void dropped_note(struct service *s, const char *verb)
{
	static int64_t logged_us;
	unsigned long long n = atomic_fetch_add(&s->events_dropped, 1) + 1;
	int64_t now = clock_mono_us();

	if (now - logged_us < 1000000)
		return;
	logged_us = now;
	LOG(LOG_WARN, "event.dropped", LOG_S("verb", verb), LOG_U("dropped_so_far", n),
	    LOG_S("why", err_text()));
}

/* What enrolld tells, which faces the network, and what is told of NAS leaves room for accepts and
 * accounting. */
static int event_put(struct service *s, struct event_job *job)
{
	if (job->verb == REGISTRY_ENROLL_EVENT || job->verb == REGISTRY_NAS_EVENT)
		return lane_put_modest(s->events, &job->job, POST_PATIENCE_US);
	return lane_put(s->events, &job->job, job->rq ? ACCT_PATIENCE_US : POST_PATIENCE_US);
}

static int job_put(struct service *s, const struct ipc_verb *verb, const void *record,
		   struct ipc_request *rq)
{
	struct event_job *job = malloc(sizeof(*job));
	int rc;

	if (!job)
		return err_set(ERR_NOMEM, "no memory for an event");
	job->verb = verb->verb;
	job->rq = rq;
	job->outcome = 0;
	job->device[0] = '\0';
	job->odd = NULL;
	memcpy(&job->e, record, verb->req->size);
	rc = event_put(s, job);
	if (rc)
		free(job);
	return rc;
}

void event_note(struct service *s, const struct enroll_event *e)
{
	static const struct ipc_verb verb = {.verb = REGISTRY_ENROLL_EVENT,
					     .req = &record_enroll_event};

	if (!job_put(s, &verb, e, NULL))
		return;
	atomic_fetch_add(&s->events_dropped, 1);
	LOG(LOG_WARN, "event.dropped", LOG_S("verb", e->operation), LOG_S("why", err_text()));
}

/* Loop thread. One-way messages are copied and released at once, so that a slow disk never fills
 * the connection's room for unanswered requests and delays the next look-up on it. */
void verb_event(struct ipc_request *rq, void *ctx)
{
	struct service *s = ctx;
	const struct ipc_verb *verb = ipc_request_verb(rq);
	size_t n;
	const uint8_t *records = ipc_request_records(rq, &n);

	for (size_t i = 0; i < n; i++) {
		int rc = job_put(s, verb, records + i * verb->req->size, verb->one_way ? NULL : rq);

		if (!rc)
			continue;
		dropped_note(s, verb->name);
		if (!verb->one_way) /* which has one record */
			ipc_request_fail(rq, rc);
	}
	if (verb->one_way)
		ipc_request_release(rq);
}

int event_worker_new(struct service *s, const char *home, struct event_worker **out)
{
	struct event_worker *w = calloc(1, sizeof(*w));
	int rc;

	if (!w)
		return err_set(ERR_NOMEM, "no memory for the event lane");
	w->service = s;
	rc = session_store_open(s->sessions_path, STORE_WRITE, &w->sessions);
	if (!rc)
		rc = store_open(s->registry_path, STORE_READ, &w->registry);
	if (!rc)
		rc = anomalies_new(s, w->registry, w->sessions, &w->anomalies);
	if (!rc)
		rc = looks_new(&w->looks);
	if (!rc)
		rc = ring_desk_new(w, home, &w->ring);
	if (rc) {
		event_worker_free(w, false);
		return rc;
	}
	*out = w;
	return 0;
}

void event_worker_free(struct event_worker *w, bool over)
{
	if (!w)
		return;
	ring_desk_free(w->ring, over);
	looks_free(w->looks);
	anomalies_free(w->anomalies);
	session_store_close(w->sessions);
	store_close(w->registry);
	free(w);
}

/* What a NAS says of itself never chooses whom we speak to: it is told to people, and loudly when
 * another NAS is named. An identifier that is no NAS's name is a matter of taste: not kept. */
static int claim_store(struct event_worker *w, const struct nas_event *e, int64_t now)
{
	char other[NAME_SIZE], detail[TEXT_SIZE];
	int rc = store_nas_claimed(w->registry, e->nas, e->claimed_ip, e->claimed_id, other);

	if (rc || (!*other && !*e->claimed_ip))
		return rc;
	snprintf(detail, sizeof(detail), "from %s, says%s%s%s%.64s%s%s", e->nas_ip,
		 *e->claimed_ip ? " NAS-IP-Address " : "", e->claimed_ip,
		 *e->claimed_id ? " NAS-Identifier " : "", e->claimed_id,
		 *other ? ", which is NAS " : "", other);
	LOG(*other ? LOG_WARN : LOG_INFO, "nas.claim", LOG_S("nas", e->nas),
	    LOG_S("nas_ip", e->nas_ip), LOG_S("claimed_ip", e->claimed_ip),
	    LOG_S("claimed_id", e->claimed_id), LOG_S("other", other));
	return session_store_nas_event(w->sessions, e,
				       *other ? "names-another-nas" : "other-address", detail, now);
}

static int nas_event_store(struct event_worker *w, const struct nas_event *e, int64_t now)
{
	char detail[TEXT_SIZE];

	if (!strcmp(e->kind, "claim"))
		return claim_store(w, e, now);
	if (strcmp(e->kind, "wrong-secret") != 0)
		return err_set(ERR_INVALID, "no NAS event '%s'", e->kind);
	snprintf(detail, sizeof(detail), "%u packets from %s", e->count, e->nas_ip);
	LOG(LOG_WARN, "nas.wrong_secret", LOG_S("nas", e->nas), LOG_S("nas_ip", e->nas_ip),
	    LOG_U("packets", e->count));
	return session_store_nas_event(w->sessions, e, e->kind, detail, now);
}

/* Whether a failure concerns its event alone, which breaks a rule; else the whole group. */
static bool is_its_own(int rc)
{
	return rc == ERR_INVALID || rc == ERR_CONFLICT || rc == ERR_EXISTS;
}

static int event_store(struct event_worker *w, struct event_job *job, int64_t now)
{
	int rc;

	switch (job->verb) {
	case EVENT_OF_RING:
		rc = anomalies_look(w->anomalies, job->e.auth, now, &job->odd);
		return rc ? rc : session_store_auth(w->sessions, job->e.auth, now);
	case REGISTRY_ACCT_EVENT:
		return session_store_acct(w->sessions, &job->e.acct, now, job->device);
	case REGISTRY_NAS_EVENT:
		return nas_event_store(w, &job->e.nas, now);
	default:
		return session_store_enroll(w->sessions, &job->e.enroll, now);
	}
}

static int group_store(struct event_worker *w, struct event_job **jobs, size_t n)
{
	int64_t now = clock_wall_ms();
	int rc = session_store_begin(w->sessions);

	if (!rc)
		rc = ring_desk_store(w->ring);
	for (size_t i = 0; !rc && i < n; i++) {
		jobs[i]->outcome = event_store(w, jobs[i], now);
		if (is_its_own(jobs[i]->outcome))
			LOG(LOG_WARN, "event.invalid", LOG_S("why", err_text()));
		else
			rc = jobs[i]->outcome;
	}
	if (!rc)
		rc = session_store_commit(w->sessions);
	if (rc)
		session_store_rollback(w->sessions);
	return rc;
}

static void event_answer(struct ipc_request *rq, int rc)
{
	if (rc)
		ipc_request_fail(rq, rc);
	else
		ipc_request_reply(rq, NULL, 0);
}

/* The state of the registry is looked at after the commit; an accept that could not be kept needs
 * its look all the more. Accounting that was not answered comes again. */
static bool follows(struct event_worker *w, const struct event_job *job, size_t at, int rc)
{
	return job->verb == EVENT_OF_RING ? ring_desk_follows(w->ring, at, rc)
					  : !rc && !job->outcome;
}

static void group_follow_up(struct event_worker *w, struct event_job **jobs, size_t n, int rc)
{
	if (store_look_begin(w->registry))
		LOG(LOG_ERROR, "event.check_failed", LOG_S("why", err_text()));
	for (size_t i = 0; i < n; i++) {
		if (follows(w, jobs[i], i, rc)) {
			event_follow_up(w, jobs[i]);
			if (jobs[i]->odd)
				anomalies_tell(w->anomalies, jobs[i]->odd, clock_mono_us());
		}
		free(jobs[i]->odd);
		jobs[i]->odd = NULL;
	}
	store_look_end(w->registry);
}

/* What the ring holds comes first: a session's accept was there before its accounting came. */
static void group_run(struct event_worker *w, struct event_job **told, size_t n_told)
{
	struct event_job *jobs[EVENT_TAKE_MAX + LANE_BATCH_MAX], *taken;
	bool due;
	size_t n = ring_desk_take(w->ring, clock_mono_us(), &taken, &due);
	int rc;

	if (!due && !n_told)
		return;
	for (size_t i = 0; i < n; i++)
		jobs[i] = &taken[i];
	for (size_t i = 0; i < n_told; i++)
		jobs[n + i] = told[i];
	rc = group_store(w, jobs, n + n_told);
	ring_desk_settle(w->ring, rc, clock_mono_us());
	if (rc) {
		atomic_fetch_add(&w->service->events_dropped, n_told);
		LOG(LOG_ERROR, "event.commit_failed", LOG_U("events", n_told), LOG_U("kept", n),
		    LOG_S("why", err_text()));
	}
	for (size_t i = 0; i < n_told; i++) {
		if (told[i]->rq)
			event_answer(told[i]->rq, rc ? rc : told[i]->outcome);
		told[i]->rq = NULL;
	}
	group_follow_up(w, jobs, n + n_told, rc);
}

void event_worker_run(struct lane_job **jobs, size_t n, void *worker)
{
	struct event_job **told = (struct event_job **)(void *)jobs;

	group_run(worker, told, n);
	for (size_t i = 0; i < n; i++)
		free(told[i]);
}

/* True: nothing is left in the ring. */
bool event_worker_finish(struct event_worker *w)
{
	int64_t before_us;

	do {
		before_us = clock_mono_us();
		group_run(w, NULL, 0);
	} while (ring_desk_next(w->ring) <= before_us);
	return ring_desk_is_empty(w->ring);
}

static int64_t prune(struct event_worker *w, int64_t now)
{
	bool done = true;
	int rc;

	if (now < w->prune_at_us)
		return w->prune_at_us;
	rc = session_store_prune(w->sessions, clock_wall_ms(), &done);
	if (rc)
		LOG(LOG_ERROR, "event.prune_failed", LOG_S("why", err_text()));
	w->prune_at_us = now + (rc || done ? PRUNE_EVERY_US : PRUNE_MORE_US);
	return w->prune_at_us;
}

void event_worker_look(struct service *s)
{
	atomic_store(&s->ring_look, true);
	lane_wake(s->events);
}

int64_t event_worker_idle(void *worker)
{
	struct event_worker *w = worker;
	int64_t now = clock_mono_us(), next_us, at_us;

	if (atomic_exchange(&w->service->ring_look, false) || now >= ring_desk_next(w->ring))
		group_run(w, NULL, 0);
	next_us = ring_desk_next(w->ring);
	at_us = anomalies_tell_rest(w->anomalies, now);
	next_us = at_us < next_us ? at_us : next_us;
	at_us = looks_serve(w->looks, w->service, w->sessions, w->registry, now);
	next_us = at_us < next_us ? at_us : next_us;
	at_us = prune(w, now);
	return at_us < next_us ? at_us : next_us;
}
