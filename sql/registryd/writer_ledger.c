/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Owns what the signer and the registry tell each other about their lists: the long poll by which
 * the signer hears of revocations, what it has on its lists, and the merge of what a restored
 * registry had forgotten (docs/decisions/0094).
 */
#include "sql/registryd/writer.h"

#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "sql/proto/registry_verbs.h"

#define WAIT_MAX_MS 30000
#define MERGE_CHUNK 32

static void position(struct writer *w, struct ipc_request *rq)
{
	const struct ledger_query *q = ipc_request_record(rq);
	struct ledger_position p;
	int rc = 0;

	if (q->compared) {
		rc = store_ledger_compared(w->registry, clock_wall_ms());
		if (!rc)
			LOG(LOG_INFO, "ledger.compared", LOG_S("outcome", "done"));
		if (rc == ERR_UNCHANGED)
			rc = 0;
	}
	if (!rc)
		rc = store_ledger_position(w->registry, &p);
	if (rc) {
		LOG(LOG_ERROR, "ledger.position", LOG_S("why", err_text()));
		ipc_request_fail(rq, rc);
	} else {
		ipc_request_reply(rq, &p, 1);
	}
}

static void entries(struct writer *w, struct ipc_request *rq, const struct action *by)
{
	size_t n, found = 0;
	const struct ledger_entry *e = ipc_request_records(rq, &n);
	int rc = store_ledger_entries(w->registry, by->at, e, n, &found);

	if (rc) {
		writer_tell(rq, rc, "ledger.entries", "", by->actor);
		return;
	}
	if (found)
		LOG(LOG_ERROR, "ledger.gap", LOG_S("list", e[0].revoked ? "revoked" : "issued"),
		    LOG_U("unknown_here", found), LOG_S("next", "pumpctl backup merge"));
	ipc_request_reply(rq, NULL, 0);
}

/* True when answered. */
static bool take_try(struct writer *w, bool must)
{
	struct ledger_entry out[STORE_LEDGER_MAX];
	size_t n = 0;
	int rc = store_unkept(w->registry, out, STORE_LEDGER_MAX, &n);

	if (rc) {
		LOG(LOG_ERROR, "ledger.take", LOG_S("why", err_text()));
		ipc_request_fail(w->keeper, rc);
	} else if (n || must) {
		ipc_request_reply(w->keeper, out, n);
	} else {
		return false;
	}
	w->keeper = NULL;
	return true;
}

static void take(struct writer *w, struct ipc_request *rq)
{
	const struct revoked_take *q = ipc_request_record(rq);
	int64_t wait_ms = q->wait_ms < WAIT_MAX_MS ? q->wait_ms : WAIT_MAX_MS;

	writer_ledger_end(w); /* there is one signer: whoever waited before is gone */
	w->keeper = rq;
	w->keeper_until_us = clock_mono_us() + 1000 * wait_ms;
	take_try(w, wait_ms == 0);
}

int64_t writer_ledger_serve(struct writer *w)
{
	if (!w->keeper || take_try(w, w->keeper_until_us <= clock_mono_us()))
		return INT64_MAX;
	return w->keeper_until_us;
}

void writer_ledger_end(struct writer *w)
{
	if (w->keeper)
		ipc_request_reply(w->keeper, NULL, 0);
	w->keeper = NULL;
}

/* A held pump is revoked as if it had been asked for now: with its orders and its audit row. */
static int held_revoke(struct writer *w, const struct action *by, const char *device)
{
	struct revoke rq = {.reason = "revoked before the registry was restored"};
	struct revocation receipt;
	int rc;

	memcpy(rq.device, device, sizeof(rq.device));
	rc = writer_revoke_one(w, by, &rq, by->at, &receipt);
	return rc ? rc : store_held_settle(w->registry, device, by->at);
}

static void merge(struct writer *w, struct ipc_request *rq, const struct action *by)
{
	char devices[MERGE_CHUNK][DEVICE_SERIAL_SIZE];
	struct ledger_position p;
	struct merge out = {0};
	size_t n = 0;
	int rc = store_ledger_position(w->registry, &p);

	if (!rc && p.compare_needed)
		rc = err_set(ERR_BUSY, "the signer has not told its lists since the restore; is it "
				       "running?");
	if (!rc)
		rc = store_held(w->registry, devices, MERGE_CHUNK, &n);
	for (size_t i = 0; !rc && i < n; i++) {
		rc = held_revoke(w, by, devices[i]);
		out.revoked += !rc;
	}
	out.more = n == MERGE_CHUNK;
	if (!rc && !out.more)
		rc = store_lost_settle(w->registry, by, &out.lost);
	if (!rc && !out.revoked && !out.lost)
		rc = err_set(ERR_UNCHANGED, "the registry lacks nothing that the signer knows");
	if (rc) {
		writer_tell(rq, rc, "registry.merge", "", by->actor);
		return;
	}
	LOG(LOG_INFO, "registry.merge", LOG_S("by", by->actor), LOG_U("revoked", out.revoked),
	    LOG_U("lost", out.lost));
	ipc_request_reply(rq, &out, 1);
}

bool writer_ledger(struct writer *w, struct ipc_request *rq, const struct action *by)
{
	switch (ipc_request_verb(rq)->verb) {
	case REGISTRY_LEDGER_POSITION:
		position(w, rq);
		return true;
	case REGISTRY_LEDGER_ENTRIES:
		entries(w, rq, by);
		return true;
	case REGISTRY_REVOKED_TAKE:
		take(w, rq);
		return true;
	case REGISTRY_MERGE:
		merge(w, rq, by);
		return true;
	default:
		return false;
	}
}
