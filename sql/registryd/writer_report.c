/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Owns pumps' reports of themselves on the writer's thread: kept, told to the pump's history when
 * something is not as it was, and held against [report]. Acts on the owner of the certificate that
 * was shown, never on a name that was claimed.
 */
#include "sql/registryd/writer.h"

#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "policies/reason.h"
#include "policies/standing.h"
#include "sql/proto/registry_verbs.h"
#include "sql/store/model_ports.h"
#include "sql/store/reports.h"

static void change_note(struct writer *w, const struct pump_report *r, int64_t now,
			const char *changes)
{
	struct enroll_event e = {.at = now, .operation = "report", .reason = "changed"};

	memcpy(e.device, r->device, sizeof(e.device));
	memcpy(e.source, r->source, sizeof(e.source));
	snprintf(e.detail, sizeof(e.detail), "%s", changes);
	LOG(LOG_INFO, "report.changed", LOG_S("object", r->device), LOG_S("what", changes));
	event_note(w->service, &e);
}

static void version_judge(struct writer *w, const struct pump_report *r, int64_t now)
{
	const struct report_policy *p = &w->service->report_policy;
	struct alarm old = {.count = 1, .first_at = now, .last_at = now};

	if (!(p->old.quarantine & 1u << ANOMALY_OLD_SOFTWARE) || !report_is_old(p, r->software))
		return;
	snprintf(old.kind, sizeof(old.kind), "%s", anomaly_name(ANOMALY_OLD_SOFTWARE));
	memcpy(old.device, r->device, sizeof(old.device));
	memcpy(old.cert_serial, r->cert_serial, sizeof(old.cert_serial));
	snprintf(old.detail, sizeof(old.detail), "software %s, at least %s is wanted", r->software,
		 p->min_version);
	writer_alarm_raise(w, &old);
}

/* A port that its model may not have: for people to look at. */
static void ports_judge(struct writer *w, const struct pump_report *r, int64_t now)
{
	struct alarm open = {.count = 1, .first_at = now, .last_at = now};
	char beyond[REPORT_PORTS_SIZE];

	if (store_model_ports_beyond(w->registry, r->device, r->ports, beyond)) {
		LOG(LOG_ERROR, "report.ports_unknown", LOG_S("object", r->device),
		    LOG_S("why", err_text()));
		return;
	}
	if (!*beyond)
		return;
	snprintf(open.kind, sizeof(open.kind), "%s", anomaly_name(ANOMALY_OPEN_PORT));
	memcpy(open.device, r->device, sizeof(open.device));
	memcpy(open.cert_serial, r->cert_serial, sizeof(open.cert_serial));
	snprintf(open.detail, sizeof(open.detail), "open: %.200s", beyond);
	writer_alarm_raise(w, &open);
}

/* In the quarantine zone for being below its model's floor: the pump is told so. */
static void low_tell(struct writer *w, const struct pump_report *r, struct report_answer *answer)
{
	struct model_pump p = {0};

	memcpy(p.device, r->device, sizeof(p.device));
	if (session_store_tls(w->sessions, &p)) {
		LOG(LOG_WARN, "report.tls_unknown", LOG_S("object", r->device),
		    LOG_S("why", err_text()));
		return;
	}
	if (!p.low)
		return;
	snprintf(answer->state, sizeof(answer->state), "%s", device_state_name(DEVICE_QUARANTINED));
	snprintf(answer->reason, sizeof(answer->reason), "%s",
		 reason_sentence(REASON_TLS_BELOW_MODEL));
}

bool writer_report(struct writer *w, struct ipc_request *rq)
{
	const struct pump_report *r = ipc_request_record(rq);
	int64_t now = clock_wall_ms();
	char changes[TEXT_SIZE];
	struct report_answer answer;
	int rc;

	if (ipc_request_verb(rq)->verb != REGISTRY_REPORT)
		return false;
	rc = store_report(w->registry, now, r, &answer, changes);
	if (!rc && !strcmp(answer.cert_state, "valid") && !strcmp(answer.state, "enrolled"))
		version_judge(w, r, now);
	if (!rc && !strcmp(answer.cert_state, "valid") && strcmp(answer.state, "revoked") != 0)
		ports_judge(w, r, now);
	if (rc) {
		LOG(LOG_WARN, "report.refused", LOG_S("object", r->device),
		    LOG_S("why", err_text()));
		ipc_request_fail(rq, rc);
		return true;
	}
	if (!strcmp(answer.cert_state, "valid") && !strcmp(answer.state, "enrolled"))
		low_tell(w, r, &answer);
	if (!strcmp(r->infusing, "idle"))
		writer_pending_look(w);
	if (*changes)
		change_note(w, r, now, changes);
	ipc_request_reply(rq, &answer, 1);
	return true;
}
