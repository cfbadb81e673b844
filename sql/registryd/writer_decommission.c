/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Owns the verbs about pumps that leave (docs/decisions/0175): the order to wipe, and the statement
 * of a pump that was. Runs on the writer's thread.
 */
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "sql/proto/registry_verbs.h"
#include "sql/registryd/writer.h"
#include "sql/store/decommission.h"

#define RECENT_MS (24LL * 3600 * 1000)

/* After the commit, as for every change of standing: what came up meanwhile. */
static void sessions_follow(struct writer *w, const char *device, int64_t at,
			    struct foothold *holds)
{
	if (writer_sessions_again(w, device, at - RECENT_MS, at - RECENT_MS, holds))
		LOG(LOG_ERROR, "standing.sweep_failed", LOG_S("object", device),
		    LOG_S("why", err_text()));
}

static int order_take(struct writer *w, const struct action *by, const struct standing_change *q,
		      int64_t asked_at, struct decommission *out)
{
	struct foothold *holds = calloc(FOOTHOLDS_MAX, sizeof(*holds));
	bool moved = false, already;
	size_t n;
	int rc;

	if (!holds)
		return err_set(ERR_NOMEM, "no memory for sessions");
	n = writer_holds_find(w, q->device, by->at - RECENT_MS, holds);
	rc = store_decommission(w->registry, by, q, asked_at, holds, n, &moved);
	if (!rc && moved)
		sessions_follow(w, q->device, by->at, holds);
	free(holds);
	already = rc == ERR_UNCHANGED;
	if (rc && !already)
		return rc;
	w->next_due = 0;
	rc = store_decommission_show(w->registry, q->device, out);
	out->already = already || out->ordered_at != by->at;
	return rc;
}

static void order(struct writer *w, struct ipc_request *rq, const struct action *by,
		  int64_t asked_at)
{
	const struct standing_change *q = ipc_request_record(rq);
	struct decommission out = {0};
	int rc = order_take(w, by, q, asked_at, &out);

	if (rc) {
		writer_tell(rq, rc, "pump.decommission", q->device, by->actor);
		return;
	}
	LOG(LOG_INFO, "pump.decommission", LOG_S("object", q->device), LOG_S("by", by->actor),
	    LOG_S("outcome", out.already ? "already" : "done"), LOG_S("order", out.wipe_order));
	ipc_request_reply(rq, &out, 1);
}

static void statement(struct writer *w, struct ipc_request *rq, const struct action *by)
{
	const struct wiped *q = ipc_request_record(rq);
	struct foothold *holds = calloc(FOOTHOLDS_MAX, sizeof(*holds));
	size_t n = holds ? writer_holds_find(w, q->device, by->at - RECENT_MS, holds) : 0;
	int rc = holds ? store_wiped(w->registry, by, q, holds, n)
		       : err_set(ERR_NOMEM, "no memory for sessions");

	if (!rc)
		sessions_follow(w, q->device, by->at, holds);
	free(holds);
	w->next_due = 0;
	writer_tell(rq, rc, "pump.wiped", q->device, by->actor);
}

bool writer_decommission(struct writer *w, struct ipc_request *rq, const struct action *by,
			 int64_t asked_at)
{
	switch (ipc_request_verb(rq)->verb) {
	case REGISTRY_DECOMMISSION:
		order(w, rq, by, asked_at);
		return true;
	case REGISTRY_WIPED:
		statement(w, rq, by);
		return true;
	default:
		return false;
	}
}
