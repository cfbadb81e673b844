/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Owns rotations on the writer's thread: their verbs, and the step from one wave to the next. What
 * is to be done stands in the registry alone, so a restart goes on by itself.
 */
#include "sql/registryd/writer.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "base/log.h"
#include "sql/proto/registry_verbs.h"
#include "sql/store/rotation.h"

#define STEP_EVERY_US 2000000

static void answer(struct writer *w, struct ipc_request *rq, int rc, const char *event, uint64_t id,
		   const char *actor)
{
	struct rotation r;
	char object[LABEL_SIZE];

	snprintf(object, sizeof(object), "rotation %llu", (unsigned long long)id);
	if (!rc)
		rc = store_rotation_show(w->registry, id, &r);
	if (rc) {
		writer_tell(rq, rc, event, object, actor);
		return;
	}
	LOG(LOG_INFO, event, LOG_S("object", object), LOG_S("by", actor), LOG_S("outcome", r.state),
	    LOG_U("pumps", r.pumps), LOG_U("waves", r.waves), LOG_S("chosen", r.chosen));
	w->rotation_at_us = 0;
	ipc_request_reply(rq, &r, 1);
}

static void start(struct writer *w, struct ipc_request *rq, const struct action *by)
{
	const struct rotation_start *start = ipc_request_record(rq);
	struct rotation r;
	int rc = store_rotation_start(w->registry, by, start, &r);

	if (rc || !start->dry_run)
		answer(w, rq, rc, "rotation.start", rc ? 0 : r.id, by->actor);
	else
		ipc_request_reply(rq, &r, 1);
}

bool writer_rotation(struct writer *w, struct ipc_request *rq, const struct action *by)
{
	const struct rotation_step *step = ipc_request_record(rq);

	switch (ipc_request_verb(rq)->verb) {
	case REGISTRY_ROTATION_START:
		start(w, rq, by);
		return true;
	case REGISTRY_ROTATION_CHANGE:
		answer(w, rq, store_rotation_change(w->registry, by, step), "rotation.change",
		       step->id, by->actor);
		return true;
	default:
		return false;
	}
}

/* ---- steps ---- */

/* Quiet hours are those of the people who work there. */
static uint32_t minute_of_day(int64_t now_ms)
{
	time_t now = (time_t)(now_ms / 1000);
	struct tm t = {0};

	localtime_r(&now, &t);
	return (uint32_t)(t.tm_hour * 60 + t.tm_min);
}

static int step(struct writer *w, bool *changed)
{
	struct rotation_late late[ROTATION_LATE_MAX];
	struct foothold holds[FOOTHOLDS_MAX];
	const struct action by = {.actor = "registryd", .at = clock_wall_ms()};
	size_t n = 0;
	int rc = store_rotation_late(w->registry, by.at, late, &n);

	for (size_t i = 0; !rc && i < n; i++)
		late[i].was_seen =
			writer_holds_find(w, late[i].device, late[i].asked_at, holds) > 0;
	return rc ? rc
		  : store_rotation_step(w->registry, &by, minute_of_day(by.at), late, n, changed);
}

int64_t writer_rotation_serve(struct writer *w)
{
	int64_t now_us = clock_mono_us();
	bool changed = false;
	struct rotation r;
	int rc;

	if (now_us < w->rotation_at_us)
		return w->rotation_at_us;
	rc = step(w, &changed);
	w->rotation_at_us = rc == ERR_NOT_FOUND ? INT64_MAX : now_us + STEP_EVERY_US;
	if (rc && rc != ERR_NOT_FOUND)
		LOG(LOG_ERROR, "rotation.waits", LOG_S("why", err_text()));
	if (!rc && changed && !store_rotation_show(w->registry, 0, &r))
		LOG(!strcmp(r.state, "halted") ? LOG_WARN : LOG_INFO, "rotation.step",
		    LOG_U("rotation", r.id), LOG_S("state", r.state), LOG_U("wave", r.wave),
		    LOG_U("waves", r.waves), LOG_U("renewed", r.renewed), LOG_U("asked", r.asked),
		    LOG_U("failed", r.failed), LOG_U("absent", r.absent), LOG_S("why", r.why));
	return w->rotation_at_us;
}
