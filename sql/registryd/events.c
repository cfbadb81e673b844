/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Owns the event lane: the one thread that changes the session database. Events that arrive within
 * a few milliseconds share one commit; accounting is answered after it. Then each event is held
 * against the registry: a pump that got on against its standing, a newer certificate in use, the
 * first return after a change of standing.
 */
#include "sql/registryd/anomalies.h"
#include "sql/registryd/looks.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "policies/verdict.h"
#include "sql/proto/registry_verbs.h"

#define AUTH_PATIENCE_US 40000 /* nobody waits for it */
#define ACCT_PATIENCE_US 2000  /* the NAS waits */
#define PRUNE_EVERY_US (600LL * 1000000)
#define PRUNE_MORE_US 200000

struct event_worker {
	struct service *service;
	struct session_store *sessions; /* the only writing connection */
	struct store *registry;		/* reads */
	struct anomalies *anomalies;
	struct looks *looks;
	int64_t prune_at_us;
};

struct event_job {
	struct lane_job job;
	uint16_t verb;
	struct ipc_request *rq; /* accounting only: answered after the commit */
	int outcome;
	char device[DEVICE_SERIAL_SIZE];
	struct alarm *odd; /* NULL: nothing is */
	union {
		struct auth_event auth;
		struct acct_event acct;
		struct enroll_event enroll;
		struct nas_event nas;
	} e;
};

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
		return lane_put_modest(s->events, &job->job, AUTH_PATIENCE_US);
	return lane_put(s->events, &job->job, job->rq ? ACCT_PATIENCE_US : AUTH_PATIENCE_US);
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
	if (verb->verb == REGISTRY_AUTH_EVENT)
		memcpy(job->device, job->e.auth.device, sizeof(job->device));
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

int event_worker_new(struct service *s, struct event_worker **out)
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
	if (rc) {
		event_worker_free(w);
		return rc;
	}
	*out = w;
	return 0;
}

void event_worker_free(struct event_worker *w)
{
	if (!w)
		return;
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

/* ERR_INVALID concerns this event alone; anything else the whole group. */
static int event_store(struct event_worker *w, struct event_job *job, int64_t now)
{
	int rc;

	switch (job->verb) {
	case REGISTRY_AUTH_EVENT:
		rc = anomalies_look(w->anomalies, &job->e.auth, now, &job->odd);
		return rc ? rc : session_store_auth(w->sessions, &job->e.auth, now);
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

	for (size_t i = 0; !rc && i < n; i++) {
		jobs[i]->outcome = event_store(w, jobs[i], now);
		if (jobs[i]->outcome == ERR_INVALID)
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

/* Let on by a certificate. Into a zone that its state does not lead to: it was decided before the
 * state changed. */
static bool is_placement(const char *verdict)
{
	return !strcmp(verdict, verdict_name(VERDICT_ACCEPT)) ||
	       !strcmp(verdict, verdict_name(VERDICT_QUARANTINE)) ||
	       !strcmp(verdict, verdict_name(VERDICT_PARK));
}

static void follow_up_auth(struct event_worker *w, const struct event_job *job,
			   const struct event_standing *standing, struct followup *f)
{
	const struct auth_event *e = &job->e.auth;
	const char *due = verdict_name(verdict_for_state(device_state_parse(standing->state)));
	bool refused = !strcmp(e->verdict, "reject"), as_due = !strcmp(e->verdict, due);

	memcpy(f->issuer, e->issuer, sizeof(f->issuer));
	memcpy(f->cert_serial, e->cert_serial, sizeof(f->cert_serial));
	memcpy(f->hold.nas, e->nas, sizeof(f->hold.nas));
	memcpy(f->hold.session_id, e->session_id, sizeof(f->hold.session_id));
	memcpy(f->hold.calling_station, e->calling_station, sizeof(f->hold.calling_station));
	if (as_due && standing->return_unnoted) {
		f->kind = FOLLOWUP_RETURNED;
		writer_follow_up(w->service, f);
	}
	if (refused)
		return;
	if (standing->revoked || (!as_due && is_placement(e->verdict)))
		f->kind = FOLLOWUP_LATE;
	else if (standing->superseding)
		f->kind = FOLLOWUP_SUPERSEDE;
	else
		return;
	writer_follow_up(w->service, f);
}

static void follow_up_acct(struct event_worker *w, const struct event_job *job,
			   const struct event_standing *standing, struct followup *f)
{
	const struct acct_event *e = &job->e.acct;

	memcpy(f->hold.nas, e->nas, sizeof(f->hold.nas));
	memcpy(f->hold.session_id, e->session_id, sizeof(f->hold.session_id));
	memcpy(f->hold.calling_station, e->calling_station, sizeof(f->hold.calling_station));
	f->settled = !strcmp(e->type, "interim");
	if (!strcmp(e->type, "on")) {
		f->kind = FOLLOWUP_NAS_RESTARTED;
		if (e->at && e->at < f->at)
			f->at = e->at; /* said late; what is younger than the restart stays open */
		if (store_has_open_orders(w->registry, e->nas))
			writer_follow_up(w->service, f);
	} else if (standing->revoked && (f->settled || !strcmp(e->type, "start"))) {
		f->kind = FOLLOWUP_LATE;
		writer_follow_up(w->service, f);
	} else if (standing->changed && !strcmp(e->type, "start")) {
		looks_add(w->looks, f->device, &f->hold, clock_mono_us());
	}
}

/* After the commit, never before it: see writer_revoke.c. */
static void follow_up(struct event_worker *w, const struct event_job *job)
{
	bool is_auth = job->verb == REGISTRY_AUTH_EVENT;
	const char *issuer = is_auth ? job->e.auth.issuer : "";
	const char *cert = is_auth ? job->e.auth.cert_serial : "";
	struct event_standing standing;
	struct followup f = {.at = clock_wall_ms()};

	memcpy(f.device, job->device, sizeof(f.device));
	if (store_event_standing(w->registry, job->device, issuer, cert, &standing)) {
		LOG(LOG_ERROR, "event.check_failed", LOG_S("object", job->device),
		    LOG_S("why", err_text()));
		return;
	}
	if (is_auth)
		follow_up_auth(w, job, &standing, &f);
	else if (job->verb == REGISTRY_ACCT_EVENT)
		follow_up_acct(w, job, &standing, &f);
}

static void event_answer(struct ipc_request *rq, int rc)
{
	if (rc)
		ipc_request_fail(rq, rc);
	else
		ipc_request_reply(rq, NULL, 0);
}

void event_worker_run(struct lane_job **jobs, size_t n, void *worker)
{
	struct event_worker *w = worker;
	struct event_job **events = (struct event_job **)(void *)jobs;
	int rc = group_store(w, events, n);

	if (rc) {
		atomic_fetch_add(&w->service->events_dropped, n);
		LOG(LOG_ERROR, "event.commit_failed", LOG_U("events", n), LOG_S("why", err_text()));
	}
	for (size_t i = 0; i < n; i++) {
		if (events[i]->rq)
			event_answer(events[i]->rq, rc ? rc : events[i]->outcome);
		events[i]->rq = NULL;
	}
	/* the state of the registry is looked at after the commit above; an accept that could not
	 * be kept needs its look all the more. Accounting that was not answered comes again. */
	if (store_look_begin(w->registry))
		LOG(LOG_ERROR, "event.check_failed", LOG_S("why", err_text()));
	for (size_t i = 0; i < n; i++) {
		if (rc ? events[i]->verb == REGISTRY_AUTH_EVENT : !events[i]->outcome)
			follow_up(w, events[i]);
		if (events[i]->odd)
			anomalies_tell(w->anomalies, events[i]->odd, clock_mono_us());
		free(events[i]->odd);
		free(events[i]);
	}
	store_look_end(w->registry);
}

int64_t event_worker_idle(void *worker)
{
	struct event_worker *w = worker;
	int64_t now = clock_mono_us();
	int64_t next_us = anomalies_tell_rest(w->anomalies, now);
	int64_t look_at_us = looks_serve(w->looks, w->service, w->sessions, w->registry, now);
	bool done = true;
	int rc;

	if (look_at_us < next_us)
		next_us = look_at_us;
	if (now < w->prune_at_us)
		return next_us < w->prune_at_us ? next_us : w->prune_at_us;
	rc = session_store_prune(w->sessions, clock_wall_ms(), &done);
	if (rc)
		LOG(LOG_ERROR, "event.prune_failed", LOG_S("why", err_text()));
	w->prune_at_us = now + (rc || done ? PRUNE_EVERY_US : PRUNE_MORE_US);
	return next_us < w->prune_at_us ? next_us : w->prune_at_us;
}

void writer_follow_up(struct service *s, const struct followup *f)
{
	struct request_job *job = calloc(1, sizeof(*job));
	int rc = job ? 0 : err_set(ERR_NOMEM, "no memory for a follow-up");

	if (job) {
		job->service = s;
		job->followup = *f;
		rc = lane_put(s->writer, &job->job, 0);
	}
	if (rc) {
		free(job);
		LOG(LOG_ERROR, "event.follow_up_dropped", LOG_S("object", f->device),
		    LOG_S("why", err_text()));
	}
}
