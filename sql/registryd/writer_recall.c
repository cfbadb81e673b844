/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Owns recalls of many pumps on the writer's thread: their verbs, and carrying them out in paced
 * batches between other work (docs/decisions/0100). What is to be done stands in the registry
 * alone, so a restart goes on by itself.
 */
#include "sql/registryd/writer.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "sql/proto/registry_verbs.h"
#include "sql/store/recall.h"

#define RECENT_MS (24LL * 3600 * 1000)
#define HOLDS_MAX 4096
#define SLICE_US 100000 /* a paced recall takes a step so often, or one pump at a time */
#define AGAIN_US 5000000

/* What one batch needs. */
struct batch {
	struct recall recall;
	char devices[STORE_RECALL_MAX][DEVICE_SERIAL_SIZE];
	struct recall_item items[STORE_RECALL_MAX];
	size_t n;
	struct foothold holds[HOLDS_MAX];
};

int writer_recall_init(struct writer *w)
{
	const struct action by = {.actor = "registryd", .at = clock_wall_ms()};
	int rc;

	w->batch = calloc(1, sizeof(*w->batch));
	if (!w->batch)
		return err_set(ERR_NOMEM, "no memory for recalls");
	rc = store_recall_rule(w->registry, &by, !w->service->recall_alone);
	return rc ? rc : store_admins_note(w->registry, &by, w->service->admins_text);
}

void writer_recall_done(struct writer *w)
{
	free(w->batch);
}

/* ---- verbs ---- */

static void answer(struct writer *w, struct ipc_request *rq, int rc, const char *event, uint64_t id,
		   const char *actor)
{
	struct recall r;
	char object[LABEL_SIZE];

	snprintf(object, sizeof(object), "recall %llu", (unsigned long long)id);
	if (!rc)
		rc = store_recall_show(w->registry, id, clock_wall_ms(), &r);
	if (rc) {
		writer_tell(rq, rc, event, object, actor);
		return;
	}
	LOG(LOG_INFO, event, LOG_S("object", object), LOG_S("by", actor), LOG_S("outcome", r.state),
	    LOG_U("pumps", r.pumps), LOG_U("revoked", r.revoked), LOG_S("chosen", r.chosen));
	w->recall_at_us = 0;
	ipc_request_reply(rq, &r, 1);
}

static void add(struct writer *w, struct ipc_request *rq, const struct person *who)
{
	size_t n;
	const struct recall_pump *pumps = ipc_request_records(rq, &n);
	int rc = store_recall_add(w->registry, who, pumps, n);

	if (rc)
		writer_tell(rq, rc, "recall.add", n ? pumps[0].device : "", who->by.actor);
	else
		ipc_request_reply(rq, NULL, 0);
}

bool writer_recall(struct writer *w, struct ipc_request *rq, const struct action *by)
{
	const struct person who = {.by = *by, .uid = ipc_request_uid(rq)};
	const struct recall_step *step = ipc_request_record(rq);
	uint64_t id = 0;
	int rc;

	switch (ipc_request_verb(rq)->verb) {
	case REGISTRY_RECALL_DRAFT:
		rc = store_recall_draft(w->registry, &who, ipc_request_record(rq), &id);
		answer(w, rq, rc, "recall.draft", id, by->actor);
		return true;
	case REGISTRY_RECALL_ADD:
		add(w, rq, &who);
		return true;
	case REGISTRY_RECALL_REQUEST:
		rc = store_recall_request(w->registry, &who, step, w->service->recall_alone);
		answer(w, rq, rc, "recall.request", step->id, by->actor);
		return true;
	case REGISTRY_RECALL_CONFIRM:
		rc = store_recall_confirm(w->registry, &who, step);
		answer(w, rq, rc, "recall.confirm", step->id, by->actor);
		return true;
	case REGISTRY_RECALL_CHANGE:
		rc = store_recall_change(w->registry, &who, step);
		answer(w, rq, rc, "recall.change", step->id, by->actor);
		return true;
	default:
		return false;
	}
}

/* ---- carrying out ---- */

static size_t batch_size(uint32_t per_second)
{
	size_t n = per_second / (1000000 / SLICE_US);

	if (!per_second || n > STORE_RECALL_MAX)
		return STORE_RECALL_MAX;
	return n ? n : 1;
}

/* The next pumps and where each may be on; fewer when those are very many places. */
static int batch_fill(struct writer *w, struct batch *b)
{
	size_t used = 0, n;
	int rc = store_recall_next(w->registry, b->recall.id, b->devices,
				   batch_size(b->recall.per_second), &n);

	session_store_look_begin(w->sessions);
	for (b->n = 0; !rc && b->n < n && used + FOOTHOLDS_MAX <= HOLDS_MAX; b->n++) {
		struct recall_item *item = &b->items[b->n];

		*item = (struct recall_item){b->devices[b->n], b->holds + used, 0};
		item->n_holds = writer_holds_to_tell(w, item->device, b->holds + used);
		used += item->n_holds;
	}
	session_store_look_end(w->sessions);
	return rc;
}

/* The second reading of writer_revoke.c; nothing to read when nothing was written since the first.
 */
static void batch_again(struct writer *w, struct batch *b, int64_t version)
{
	int64_t since = clock_wall_ms() - RECENT_MS, now;

	w->next_due = 0;
	event_worker_look(w->service);
	if (!session_store_version(w->sessions, &now) && now == version)
		return;
	for (size_t i = 0; i < b->n; i++)
		if (writer_sessions_again(w, b->devices[i], since, since, b->holds))
			LOG(LOG_ERROR, "revoke.sweep_failed", LOG_S("object", b->devices[i]),
			    LOG_S("why", err_text()));
}

static int batch_run(struct writer *w, struct batch *b)
{
	int64_t version = -1;
	int rc = session_store_version(w->sessions, &version);

	if (rc) /* then every NAS is told, and looked at again */
		version = -1;
	rc = batch_fill(w, b);
	if (!rc)
		rc = store_recall_carry_out(w->registry, clock_wall_ms(), &b->recall, b->items,
					    b->n);
	if (rc)
		return rc;
	LOG(LOG_INFO, "recall.batch", LOG_U("recall", b->recall.id), LOG_U("pumps", b->n),
	    LOG_S("first", b->n ? b->devices[0] : ""),
	    LOG_S("last", b->n ? b->devices[b->n - 1] : ""));
	batch_again(w, b, version);
	return 0;
}

/* When the next batch is due after one of n pumps begun at start_us. */
static int64_t next_at(const struct batch *b, int64_t start_us)
{
	if (!b->recall.per_second)
		return start_us;
	return start_us + (int64_t)b->n * 1000000 / b->recall.per_second;
}

int64_t writer_recall_serve(struct writer *w)
{
	struct batch *b = w->batch;
	int64_t start_us = clock_mono_us();
	int rc;

	if (start_us < w->recall_at_us)
		return w->recall_at_us;
	rc = store_recall_running(w->registry, &b->recall);
	if (!rc)
		rc = batch_run(w, b);
	if (!rc)
		w->recall_at_us = next_at(b, start_us);
	else if (rc == ERR_NOT_FOUND)
		w->recall_at_us = INT64_MAX;
	else
		w->recall_at_us = start_us + AGAIN_US;
	if (rc && rc != ERR_NOT_FOUND)
		LOG(LOG_ERROR, "recall.waits", LOG_U("recall", b->recall.id),
		    LOG_S("why", err_text()));
	return w->recall_at_us;
}
