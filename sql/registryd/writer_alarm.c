/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Owns what becomes of an anomaly: the alarm, and what is said when there are too many. Acts on the
 * owner of a presented certificate only, never on a name that somebody claimed.
 */
#include "sql/registryd/writer.h"

#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "sql/proto/registry_verbs.h"

static int raise_one(struct writer *w, const struct action *by, const struct alarm *in,
		     struct alarm *out)
{
	bool opened = false;
	int rc = store_alarm_raise(w->registry, by, in, out, &opened);

	if (rc)
		LOG(LOG_ERROR, "alarm.failed", LOG_S("kind", in->kind), LOG_S("object", in->device),
		    LOG_S("nas", in->nas), LOG_S("detail", in->detail), LOG_S("why", err_text()));
	else if (opened)
		LOG(LOG_WARN, "alarm.opened", LOG_U("alarm", out->id), LOG_S("kind", out->kind),
		    LOG_S("object", out->device), LOG_S("nas", out->nas),
		    LOG_S("other_nas", out->other_nas), LOG_S("detail", out->detail));
	return rc;
}

static const struct anomaly_policy *policy_of(const struct writer *w, const struct alarm *a)
{
	return anomaly_parse(a->kind) == ANOMALY_OLD_SOFTWARE ? &w->service->report_policy.old
							      : &w->service->anomaly_policy;
}

/* More pumps than the caps in an hour: an alarm about no pump, for people. */
static void too_many(struct writer *w, const struct action *by, const struct alarm *a,
		     const struct anomaly_history *h)
{
	const struct anomaly_policy *p = policy_of(w, a);
	struct alarm many = {.count = 1, .first_at = by->at, .last_at = by->at}, raised;

	if (h->pumps_via_nas > p->pumps_per_nas) {
		snprintf(many.kind, sizeof(many.kind), "%s", anomaly_name(ANOMALY_ONE_NAS));
		memcpy(many.nas, a->nas, sizeof(many.nas));
		snprintf(many.detail, sizeof(many.detail),
			 "%llu pumps within an hour, newest %s: %s",
			 (unsigned long long)h->pumps_via_nas, a->device, a->kind);
		(void)raise_one(w, by, &many, &raised); /* which has logged it */
	}
	if (h->pumps > p->pumps_per_hour) {
		many.nas[0] = '\0';
		snprintf(many.kind, sizeof(many.kind), "%s",
			 anomaly_name(anomaly_many_of(anomaly_parse(a->kind))));
		snprintf(many.detail, sizeof(many.detail),
			 "%llu pumps within an hour, newest %s: %s", (unsigned long long)h->pumps,
			 a->device, a->kind);
		(void)raise_one(w, by, &many, &raised);
	}
}

static void acted(struct writer *w, const struct alarm *a, const char *action, int64_t at)
{
	if (store_alarm_acted(w->registry, a->id, action, at))
		LOG(LOG_ERROR, "alarm.not_noted", LOG_U("alarm", a->id), LOG_S("action", action),
		    LOG_S("why", err_text()));
}

/* The owner of the certificate that was presented goes into the quarantine zone. */
static void quarantine(struct writer *w, const struct action *by, const struct alarm *a)
{
	struct standing_change change = {.action = "quarantine"};
	struct revocation receipt;
	int rc;

	memcpy(change.device, a->device, sizeof(change.device));
	snprintf(change.reason, sizeof(change.reason), "alarm %llu: %s, %.200s",
		 (unsigned long long)a->id, a->kind, a->detail);
	rc = writer_standing_one(w, by, &change, by->at, &receipt);
	acted(w, a, rc ? "failed" : "quarantined", by->at);
	LOG(rc ? LOG_ERROR : LOG_WARN, "alarm.quarantine", LOG_U("alarm", a->id),
	    LOG_S("object", a->device), LOG_S("outcome", rc ? err_text() : "done"));
}

static void decide(struct writer *w, const struct action *by, const struct alarm *a,
		   const struct anomaly_history *h)
{
	switch (anomaly_decide(policy_of(w, a), anomaly_parse(a->kind), a->device, h)) {
	case ANOMALY_QUARANTINE:
		quarantine(w, by, a);
		return;
	case ANOMALY_CAPPED:
		if (!strcmp(a->action, "capped"))
			return;
		acted(w, a, "capped", by->at);
		LOG(LOG_WARN, "alarm.capped", LOG_U("alarm", a->id), LOG_S("object", a->device),
		    LOG_S("nas", a->nas), LOG_U("pumps", h->pumps),
		    LOG_U("pumps_via_nas", h->pumps_via_nas));
		return;
	case ANOMALY_ALARM:
		return;
	}
}

void writer_alarm_raise(struct writer *w, const struct alarm *found)
{
	struct action by = {.actor = "registryd", .at = clock_wall_ms()};
	struct anomaly_history h;
	struct alarm a;

	if (raise_one(w, &by, found, &a) || !*a.device)
		return;
	if (anomaly_parse(a.kind) == ANOMALY_OPEN_PORT)
		return; /* says nothing about keys, and nothing follows by itself */
	if (store_alarm_history(w->registry, &a, by.at, &h)) {
		LOG(LOG_ERROR, "alarm.history_unknown", LOG_U("alarm", a.id),
		    LOG_S("why", err_text()));
		return;
	}
	too_many(w, &by, &a, &h);
	decide(w, &by, &a, &h);
}

bool writer_alarm(struct writer *w, struct ipc_request *rq, const struct action *by)
{
	const void *record = ipc_request_record(rq);
	const struct alarm_ack *ack = record;
	const struct nas *nas = record;
	const struct device_mac *mac = record;
	char name[24];

	switch (ipc_request_verb(rq)->verb) {
	case REGISTRY_ALARM_ACK:
		snprintf(name, sizeof(name), "%llu", (unsigned long long)ack->id);
		writer_tell(rq, store_alarm_ack(w->registry, by, ack), "alarm.ack", name,
			    by->actor);
		return true;
	case REGISTRY_NAS_SITE:
		writer_tell(rq, store_nas_site_set(w->registry, by, nas->name, nas->site),
			    "nas.site", nas->name, by->actor);
		return true;
	case REGISTRY_DEVICE_MAC:
		writer_tell(rq, store_device_mac(w->registry, by, mac), "pump.mac", mac->device,
			    by->actor);
		return true;
	default:
		return false;
	}
}
