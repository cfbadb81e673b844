/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Owns what waits until a pump does not infuse, on the writer's thread. What waits stands in the
 * registry alone, so a restart goes on by itself; a change that fails stays and is tried again.
 */
#include "sql/registryd/writer.h"

#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "sql/proto/registry_verbs.h"
#include "sql/store/pending.h"

#define AT_ONCE 32
#define AGAIN_US 60000000

static int carry_out(struct writer *w, const struct pending_change *p, int64_t asked_at,
		     struct revocation *out)
{
	/* who asked is who did it: registryd only waited */
	const struct action by = {.actor = p->asked_by, .at = clock_wall_ms()};
	struct standing_change change = {0};
	struct revoke revoke = {0};

	if (!strcmp(p->action, "revoke")) {
		memcpy(revoke.device, p->device, sizeof(revoke.device));
		memcpy(revoke.reason, p->reason, sizeof(revoke.reason));
		return writer_revoke_one(w, &by, &revoke, asked_at, out);
	}
	memcpy(change.device, p->device, sizeof(change.device));
	memcpy(change.action, p->action, sizeof(change.action));
	memcpy(change.reason, p->reason, sizeof(change.reason));
	return writer_standing_one(w, &by, &change, asked_at, out);
}

static void carry_out_waited(struct writer *w, const struct pending_change *p, int64_t now)
{
	struct revocation receipt;
	char event[STATE_SIZE + 8];
	int rc = carry_out(w, p, now, &receipt);
	const char *why = p->at_latest && p->at_latest <= now ? "its time is over" : "idle";

	snprintf(event, sizeof(event), "pump.%s", p->action);
	LOG(rc ? LOG_ERROR : LOG_INFO, event, LOG_S("object", p->device), LOG_S("by", p->asked_by),
	    LOG_S("outcome", rc ? err_text() : "done"), LOG_S("waited_until", why),
	    LOG_U("waited_s", now > p->asked_at ? (now - p->asked_at) / 1000 : 0));
}

int64_t writer_pending_serve(struct writer *w)
{
	struct pending_change due[AT_ONCE];
	int64_t now_us = clock_mono_us(), now = clock_wall_ms(), next = INT64_MAX;
	uint64_t waiting = 0;
	size_t n = 0;
	int rc;

	if (now_us < w->pending_at_us)
		return w->pending_at_us;
	rc = store_pending_due(w->registry, now, due, AT_ONCE, &n, &next, &waiting);
	if (rc)
		LOG(LOG_ERROR, "pending.unknown", LOG_S("why", err_text()));
	for (size_t i = 0; !rc && i < n; i++)
		carry_out_waited(w, &due[i], now);
	if (!rc && !waiting)
		w->pending_at_us = INT64_MAX;
	else if (n == AT_ONCE)
		w->pending_at_us = now_us + 1000000;
	else
		w->pending_at_us = now_us + AGAIN_US;
	if (next != INT64_MAX && now_us + (next - now) * 1000 < w->pending_at_us)
		w->pending_at_us = now_us + (next - now) * 1000;
	return w->pending_at_us;
}

void writer_pending_look(struct writer *w)
{
	if (w->pending_at_us != INT64_MAX)
		w->pending_at_us = 0;
}

/* The pump is idle: now. False: it waits. */
static bool done_at_once(struct writer *w, const struct standing_change *change, int64_t asked_at,
			 int *rc, struct revocation *out)
{
	struct pending_change p;
	int64_t now = clock_wall_ms();

	*rc = store_pending_show(w->registry, change->device, &p);
	if (*rc)
		return true;
	out->at_latest = p.at_latest;
	if (strcmp(p.infusing, "idle") != 0 || p.reported_at <= now - STORE_IDLE_FRESH_MS)
		return false;
	*rc = carry_out(w, &p, asked_at, out);
	return true;
}

void writer_pending_ask(struct writer *w, struct ipc_request *rq, const struct action *by,
			const struct standing_change *change, int64_t asked_at)
{
	struct revocation out = {.asked_at = asked_at, .waiting = true};
	bool waits = false;
	char event[STATE_SIZE + 16];
	int rc = store_pending_add(w->registry, by, change, &waits);

	if (rc == ERR_UNCHANGED && !waits) { /* the pump is so already: its receipt */
		struct pending_change p = {0};

		memcpy(p.device, change->device, sizeof(p.device));
		memcpy(p.action, change->action, sizeof(p.action));
		memcpy(p.reason, change->reason, sizeof(p.reason));
		snprintf(p.asked_by, sizeof(p.asked_by), "%s", by->actor);
		rc = carry_out(w, &p, asked_at, &out);
		writer_change_tell(rq, rc, by, change->action, change->device, &out);
		return;
	}
	if ((rc && rc != ERR_UNCHANGED) || done_at_once(w, change, asked_at, &rc, &out)) {
		writer_change_tell(rq, rc, by, change->action, change->device, &out);
		return;
	}
	w->pending_at_us = 0;
	memcpy(out.device, change->device, sizeof(out.device));
	memcpy(out.action, change->action, sizeof(out.action));
	memcpy(out.reason, change->reason, sizeof(out.reason));
	snprintf(out.by, sizeof(out.by), "%s", by->actor);
	snprintf(event, sizeof(event), "pump.%s", change->action);
	LOG(LOG_INFO, event, LOG_S("object", change->device), LOG_S("by", by->actor),
	    LOG_S("outcome", "waits until it is idle"));
	ipc_request_reply(rq, &out, 1);
}

bool writer_pending(struct writer *w, struct ipc_request *rq, const struct action *by)
{
	const struct pump_name *pump = ipc_request_record(rq);

	if (ipc_request_verb(rq)->verb != REGISTRY_PENDING_CANCEL)
		return false;
	writer_tell(rq, store_pending_cancel(w->registry, by, pump->device), "pump.waits_no_more",
		    pump->device, by->actor);
	return true;
}
