/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Owns making a revocation true. Sessions live in another database, so the two cannot commit
 * together: after the commit the sessions are read once more, and every event that commits later is
 * checked against the registry by the event lane. Between the two no session can slip through: it
 * was committed before the second reading, or its check comes after the revocation.
 */
#include "sql/registryd/writer.h"

#include <string.h>

#include "base/clock.h"
#include "base/log.h"

#define FOOTHOLDS_MAX 512
#define RECENT_MS (24LL * 3600 * 1000)
#define SWEEP_CHUNK 256
#define CROSSED_MS 60000 /* an event may be committed so long after its accept */

/* Sessions and accepts that were put on record while the revocation was being committed, or were
 * never followed up. What an order was made for since is left alone. */
static int sessions_again(struct writer *w, const char *device, int64_t since,
			  int64_t accepts_since, struct foothold *holds)
{
	struct action by = {.actor = "registryd", .at = clock_wall_ms()};
	size_t n;
	int rc = session_store_footholds(w->sessions, device, since, accepts_since, holds,
					 FOOTHOLDS_MAX, &n);

	for (size_t i = 0; !rc && i < n; i++) {
		rc = store_order_late(w->registry, &by, device, &holds[i], true);
		if (rc == 0)
			LOG(LOG_WARN, "revoke.late_session", LOG_S("object", device),
			    LOG_S("nas", holds[i].nas));
		if (rc == ERR_UNCHANGED)
			rc = 0;
	}
	w->next_due = 0;
	return rc;
}

/* Where the pump may be on. A session database that can't be read keeps nobody on the network: then
 * every NAS is told. */
static size_t holds_find(struct writer *w, const char *device, int64_t since,
			 struct foothold *holds)
{
	size_t n = 0;
	int rc = session_store_footholds(w->sessions, device, since, since, holds, FOOTHOLDS_MAX,
					 &n);

	if (!rc)
		return n;
	LOG(LOG_ERROR, "revoke.sessions_unknown", LOG_S("object", device),
	    LOG_S("why", err_text()));
	rc = store_footholds_everywhere(w->registry, device, holds, FOOTHOLDS_MAX, &n);
	if (rc)
		LOG(LOG_ERROR, "revoke.nas_unknown", LOG_S("object", device),
		    LOG_S("why", err_text()));
	return rc ? 0 : n;
}

int writer_revoke_one(struct writer *w, const struct action *by, const struct revoke *rq,
		      int64_t asked_at, struct revocation *out)
{
	struct foothold holds[FOOTHOLDS_MAX];
	size_t n = holds_find(w, rq->device, by->at - RECENT_MS, holds);
	int rc = store_revoke(w->registry, by, rq, asked_at, holds, n, out);

	if (rc)
		return rc;
	if (out->already) /* asked for once more */
		rc = sessions_again(w, rq->device, INT64_MAX, out->asked_at - CROSSED_MS, holds);
	else
		rc = sessions_again(w, rq->device, by->at - RECENT_MS, by->at - RECENT_MS, holds);
	if (rc)
		LOG(LOG_ERROR, "revoke.sweep_failed", LOG_S("object", rq->device),
		    LOG_S("why", err_text()));
	return 0;
}

void writer_revoke(struct writer *w, struct ipc_request *rq, const struct action *by,
		   int64_t asked_at)
{
	const struct revoke *q = ipc_request_record(rq);
	struct revocation receipt;
	char id[REQUEST_NAME_SIZE];
	bool already;
	int rc = writer_revoke_one(w, by, q, asked_at, &receipt);

	if (rc) {
		writer_tell(rq, rc, "pump.revoke", q->device, by->actor);
		return;
	}
	already = receipt.already;
	rc = store_revocation(w->registry, q->device, &receipt); /* with what was just added */
	if (rc) {
		writer_tell(rq, rc, "pump.revoke", q->device, by->actor);
		return;
	}
	receipt.already = already;
	request_name(ipc_request_id(rq), id);
	LOG(LOG_INFO, "pump.revoke", LOG_S("object", q->device), LOG_S("by", by->actor),
	    LOG_S("outcome", receipt.already ? "already" : "done"), LOG_U("orders", receipt.orders),
	    LOG_U("certificates", receipt.certificates), LOG_S("request", id));
	ipc_request_reply(rq, &receipt, 1);
}

/* Accepts without a session, of pumps revoked in the last day: nothing else lists them. */
static int accepts_sweep(struct writer *w, struct foothold *holds)
{
	struct revocation recent[SWEEP_CHUNK];
	uint64_t after = 0;
	size_t n = SWEEP_CHUNK;
	int rc = 0;

	while (!rc && n == SWEEP_CHUNK) {
		rc = store_revocations_since(w->registry, clock_wall_ms() - RECENT_MS, after,
					     recent, SWEEP_CHUNK, &n);
		for (size_t i = 0; !rc && i < n; i++)
			rc = sessions_again(w, recent[i].device, INT64_MAX,
					    recent[i].asked_at - CROSSED_MS, holds);
		if (!rc && n)
			after = recent[n - 1].id;
	}
	return rc;
}

void writer_sweep(struct writer *w)
{
	char devices[SWEEP_CHUNK][DEVICE_SERIAL_SIZE], after[DEVICE_SERIAL_SIZE] = "";
	struct foothold holds[FOOTHOLDS_MAX];
	struct event_standing standing;
	size_t n = SWEEP_CHUNK;
	int rc = 0;

	while (!rc && n == SWEEP_CHUNK) {
		rc = session_store_live_devices(w->sessions, after, devices, SWEEP_CHUNK, &n);
		for (size_t i = 0; !rc && i < n; i++) {
			rc = store_event_standing(w->registry, devices[i], "", "", &standing);
			if (!rc && standing.revoked)
				rc = sessions_again(w, devices[i], INT64_MAX, INT64_MAX, holds);
		}
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
	case FOLLOWUP_REFUSED:
		event = "revoke.return_refused";
		rc = store_return_refused(w->registry, f->device, f->at);
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
	}
	if (rc == ERR_UNCHANGED)
		return;
	LOG(rc ? LOG_ERROR : LOG_INFO, event, LOG_S("object", f->device), LOG_S("nas", f->hold.nas),
	    LOG_S("outcome", rc ? err_text() : "done"));
}
