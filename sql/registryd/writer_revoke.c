/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Owns making a change of standing true: revoked, quarantined, parked, released. Sessions live in
 * another database, so the two cannot commit together: after the commit the sessions are read once
 * more, and every event that commits later is checked against the registry by the event lane.
 * Between the two no session can slip through: it was committed before the second reading, or its
 * check comes after the change.
 */
#include "sql/registryd/writer.h"

#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"

#define RECENT_MS (24LL * 3600 * 1000)
#define SWEEP_CHUNK 256
#define CROSSED_MS 60000 /* an event may be committed so long after its accept */

/* What an order was made for since is left alone. */
static int late_orders(struct writer *w, const char *device, const struct foothold *holds, size_t n)
{
	struct action by = {.actor = "registryd", .at = clock_wall_ms()};
	int rc = 0;

	for (size_t i = 0; !rc && i < n; i++) {
		rc = store_order_late(w->registry, &by, device, &holds[i], true);
		if (rc == 0)
			LOG(LOG_WARN, "standing.late_session", LOG_S("object", device),
			    LOG_S("nas", holds[i].nas));
		if (rc == ERR_UNCHANGED)
			rc = 0;
	}
	w->next_due = 0;
	return rc;
}

/* Sessions and accepts that were put on record while the change was being committed, or were
 * never followed up. */
int writer_sessions_again(struct writer *w, const char *device, int64_t since,
			  int64_t accepts_since, struct foothold *holds)
{
	size_t n = 0;
	int rc = session_store_footholds(w->sessions, device, since, accepts_since, holds,
					 FOOTHOLDS_MAX, &n);

	return rc ? rc : late_orders(w, device, holds, n);
}

/* Where the pump may be on. A session database that can't be read keeps nobody on the network: then
 * every NAS is told. */
size_t writer_holds_find(struct writer *w, const char *device, int64_t since,
			 struct foothold *holds)
{
	size_t n = 0;
	int rc = session_store_footholds(w->sessions, device, since, since, holds, FOOTHOLDS_MAX,
					 &n);

	if (!rc)
		return n;
	LOG(LOG_ERROR, "standing.sessions_unknown", LOG_S("object", device),
	    LOG_S("why", err_text()));
	rc = store_footholds_everywhere(w->registry, device, holds, FOOTHOLDS_MAX, &n);
	if (rc)
		LOG(LOG_ERROR, "standing.nas_unknown", LOG_S("object", device),
		    LOG_S("why", err_text()));
	return rc ? 0 : n;
}

/* As writer_holds_find; and every other NAS while accepts are missing that no session tells of. */
size_t writer_holds_to_tell(struct writer *w, const char *device, struct foothold *holds)
{
	int64_t since = clock_wall_ms() - RECENT_MS;
	size_t n = writer_holds_find(w, device, since, holds), known = n, more = 0;

	if (!service_accepts_lost(w->service, since))
		return n;
	if (store_footholds_everywhere(w->registry, device, holds + n, FOOTHOLDS_MAX - n, &more))
		LOG(LOG_ERROR, "standing.nas_unknown", LOG_S("object", device),
		    LOG_S("why", err_text()));
	for (size_t i = known; i < known + more; i++) {
		size_t k = 0;

		while (k < known && strcmp(holds[k].nas, holds[i].nas) != 0)
			k++;
		if (k == known)
			holds[n++] = holds[i];
	}
	return n;
}

/* Into the zone that the pump belongs into now: those of its sessions that are elsewhere. */
static int misplaced_again(struct writer *w, const char *device, int64_t accepts_since,
			   struct foothold *holds)
{
	struct zone_due due;
	size_t n = 0;
	int rc = store_zone_due(w->registry, device, &due);

	if (!rc)
		rc = session_store_misplaced(w->sessions, device, &due, accepts_since, holds,
					     FOOTHOLDS_MAX, &n);
	return rc ? rc : late_orders(w, device, holds, n);
}

/* After the commit: what came up meanwhile, and the receipt with it. */
static int change_finish(struct writer *w, const struct action *by, const char *device,
			 struct foothold *holds, struct revocation *receipt)
{
	bool already = receipt->already;
	int rc;

	event_worker_look(w->service); /* what crossed the change is in the ring */
	if (!already)
		rc = writer_sessions_again(w, device, by->at - RECENT_MS, by->at - RECENT_MS,
					   holds);
	else if (!strcmp(receipt->action, "revoke")) /* asked for once more */
		rc = writer_sessions_again(w, device, INT64_MAX, receipt->asked_at - CROSSED_MS,
					   holds);
	else
		rc = misplaced_again(w, device, receipt->asked_at - CROSSED_MS, holds);
	if (rc)
		LOG(LOG_ERROR, "standing.sweep_failed", LOG_S("object", device),
		    LOG_S("why", err_text()));
	rc = store_revocation(w->registry, device, receipt); /* with what was just added */
	receipt->already = already;
	return rc;
}

int writer_revoke_one(struct writer *w, const struct action *by, const struct revoke *rq,
		      int64_t asked_at, struct revocation *out)
{
	struct foothold holds[FOOTHOLDS_MAX];
	size_t n = writer_holds_to_tell(w, rq->device, holds);
	int rc = store_revoke(w->registry, by, rq, asked_at, holds, n, out);

	return rc ? rc : change_finish(w, by, rq->device, holds, out);
}

int writer_standing_one(struct writer *w, const struct action *by, const struct standing_change *rq,
			int64_t asked_at, struct revocation *out)
{
	struct foothold holds[FOOTHOLDS_MAX];
	size_t n = writer_holds_to_tell(w, rq->device, holds);
	int rc = store_standing_change(w->registry, by, rq, asked_at, holds, n, out);

	return rc ? rc : change_finish(w, by, rq->device, holds, out);
}

void writer_change_tell(struct ipc_request *rq, int rc, const struct action *by, const char *action,
			const char *device, const struct revocation *receipt)
{
	char id[REQUEST_NAME_SIZE], event[STATE_SIZE + 8];

	snprintf(event, sizeof(event), "pump.%s", action);
	if (rc) {
		writer_tell(rq, rc, event, device, by->actor);
		return;
	}
	request_name(ipc_request_id(rq), id);
	LOG(LOG_INFO, event, LOG_S("object", device), LOG_S("by", by->actor),
	    LOG_S("outcome", receipt->already ? "already" : "done"),
	    LOG_U("orders", receipt->orders), LOG_U("certificates", receipt->certificates),
	    LOG_S("request", id));
	ipc_request_reply(rq, receipt, 1);
}

void writer_revoke(struct writer *w, struct ipc_request *rq, const struct action *by,
		   int64_t asked_at)
{
	const struct revoke *q = ipc_request_record(rq);
	struct standing_change change = {.action = "revoke", .at_latest = q->at_latest};
	struct revocation receipt = {0};
	int rc;

	if (q->when_idle) {
		memcpy(change.device, q->device, sizeof(change.device));
		memcpy(change.reason, q->reason, sizeof(change.reason));
		writer_pending_ask(w, rq, by, &change, asked_at);
		return;
	}
	rc = writer_revoke_one(w, by, q, asked_at, &receipt);
	writer_change_tell(rq, rc, by, "revoke", q->device, &receipt);
}

void writer_standing(struct writer *w, struct ipc_request *rq, const struct action *by,
		     int64_t asked_at)
{
	const struct standing_change *q = ipc_request_record(rq);
	struct revocation receipt = {0};
	int rc;

	if (q->when_idle) {
		writer_pending_ask(w, rq, by, q, asked_at);
		return;
	}
	rc = writer_standing_one(w, by, q, asked_at, &receipt);
	writer_change_tell(rq, rc, by, q->action, q->device, &receipt);
}

/* Whatever the pump's latest change of standing left undone. accepts_since: of accepts without a
 * session; INT64_MAX: none. */
static int device_sweep(struct writer *w, const char *device, int64_t accepts_since,
			struct foothold *holds)
{
	struct event_standing standing;
	int rc = store_event_standing(w->registry, device, "", "", &standing);

	if (rc || !standing.changed)
		return rc;
	return standing.revoked ? writer_sessions_again(w, device, INT64_MAX, accepts_since, holds)
				: misplaced_again(w, device, accepts_since, holds);
}

/* Accepts without a session, of pumps whose standing changed in the last day: nothing else lists
 * them. */
static int accepts_sweep(struct writer *w, struct foothold *holds)
{
	struct revocation recent[SWEEP_CHUNK];
	uint64_t after = 0;
	size_t n = SWEEP_CHUNK;
	int rc = 0;

	while (!rc && n == SWEEP_CHUNK) {
		rc = store_standing_changes_since(w->registry, clock_wall_ms() - RECENT_MS, after,
						  recent, SWEEP_CHUNK, &n);
		for (size_t i = 0; !rc && i < n; i++)
			rc = device_sweep(w, recent[i].device, recent[i].asked_at - CROSSED_MS,
					  holds);
		if (!rc && n)
			after = recent[n - 1].id;
	}
	return rc;
}

/* Pumps whose standing changed while accepts were being lost: their orders did not know where those
 * led. */
static void accepts_lost(struct writer *w)
{
	struct revocation recent[SWEEP_CHUNK];
	struct foothold holds[FOOTHOLDS_MAX];
	uint64_t after = 0;
	size_t n = SWEEP_CHUNK, n_holds;
	int rc = 0;

	while (!rc && n == SWEEP_CHUNK) {
		rc = store_standing_changes_since(w->registry, clock_wall_ms() - CROSSED_MS, after,
						  recent, SWEEP_CHUNK, &n);
		for (size_t i = 0; !rc && i < n; i++) {
			rc = store_footholds_everywhere(w->registry, recent[i].device, holds,
							FOOTHOLDS_MAX, &n_holds);
			if (!rc)
				rc = late_orders(w, recent[i].device, holds, n_holds);
		}
		if (!rc && n)
			after = recent[n - 1].id;
	}
	if (rc)
		LOG(LOG_ERROR, "standing.sweep_failed", LOG_S("why", err_text()));
}

void writer_sweep(struct writer *w)
{
	char devices[SWEEP_CHUNK][DEVICE_SERIAL_SIZE], after[DEVICE_SERIAL_SIZE] = "";
	struct foothold holds[FOOTHOLDS_MAX];
	size_t n = SWEEP_CHUNK;
	int rc = 0;

	while (!rc && n == SWEEP_CHUNK) {
		rc = session_store_live_devices(w->sessions, after, devices, SWEEP_CHUNK, &n);
		for (size_t i = 0; !rc && i < n; i++)
			rc = device_sweep(w, devices[i], INT64_MAX, holds);
		if (!rc && n)
			memcpy(after, devices[n - 1], sizeof(after));
	}
	if (!rc)
		rc = accepts_sweep(w, holds);
	if (rc)
		LOG(LOG_ERROR, "start.sweep_failed", LOG_S("why", err_text()));
}

void writer_followup(struct writer *w, const struct followup *f)
{
	struct action by = {.actor = "registryd", .at = clock_wall_ms()};
	const char *event = "order.late";
	int rc = 0;

	switch (f->kind) {
	case FOLLOWUP_LATE:
		rc = store_order_late(w->registry, &by, f->device, &f->hold, f->settled);
		w->next_due = 0;
		break;
	case FOLLOWUP_SUPERSEDE:
		event = "cert.supersede";
		rc = store_supersede(w->registry, &by, f->issuer, f->cert_serial);
		break;
	case FOLLOWUP_RETURNED:
		event = "standing.return_noted";
		rc = store_return_noted(w->registry, f->device, f->at);
		break;
	case FOLLOWUP_NAS_RESTARTED:
		event = "order.nas_restarted";
		rc = store_orders_nas_restarted(w->registry, f->hold.nas, f->at);
		w->next_due = 0;
		break;
	case FOLLOWUP_BACKUP:
		event = "backup.noted";
		by.actor = f->actor;
		rc = store_note(w->registry, &by, "backup.create", "registry", "");
		break;
	case FOLLOWUP_ALARM:
		writer_alarm_raise(w, &f->alarm);
		return;
	case FOLLOWUP_ACCEPTS_LOST:
		accepts_lost(w);
		return;
	}
	if (rc == ERR_UNCHANGED)
		return;
	LOG(rc ? LOG_ERROR : LOG_INFO, event, LOG_S("object", f->device), LOG_S("nas", f->hold.nas),
	    LOG_S("outcome", rc ? err_text() : "done"));
}
