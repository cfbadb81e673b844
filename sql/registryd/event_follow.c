/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Owns what an event that was stored causes in the registry: a pump that got on against its
 * standing, a newer certificate in use, the first return after a change of standing. Runs on the
 * event lane's thread, and hands the work to the writer.
 */
#include "sql/registryd/event_worker.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "policies/verdict.h"
#include "sql/proto/registry_verbs.h"

/* Let on by a certificate. Into a zone that its state does not lead to: it was decided before the
 * state changed. */
static bool is_placement(const char *verdict)
{
	return !strcmp(verdict, verdict_name(VERDICT_ACCEPT)) ||
	       !strcmp(verdict, verdict_name(VERDICT_QUARANTINE)) ||
	       !strcmp(verdict, verdict_name(VERDICT_PARK));
}

/* A pump that is below its model's floor is in quarantine whatever its state is. */
static bool is_as_due(const struct auth_event *e, enum device_state state)
{
	if (!strcmp(e->verdict, verdict_name(verdict_for_state(state))))
		return true;
	return state == DEVICE_ENROLLED && !strcmp(e->verdict, verdict_name(VERDICT_QUARANTINE)) &&
	       !strcmp(e->reason, reason_name(REASON_TLS_BELOW_MODEL));
}

static void follow_up_auth(struct event_worker *w, const struct event_job *job,
			   const struct event_standing *standing, struct followup *f)
{
	const struct auth_event *e = job->e.auth;
	bool refused = !strcmp(e->verdict, "reject");
	bool as_due = is_as_due(e, device_state_parse(standing->state));

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

void event_follow_up(struct event_worker *w, const struct event_job *job)
{
	bool is_auth = job->verb == EVENT_OF_RING;
	const char *issuer = is_auth ? job->e.auth->issuer : "";
	const char *cert = is_auth ? job->e.auth->cert_serial : "";
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
