/* SPDX-License-Identifier: BSD-2-Clause */
/* pumpctl pump why: one line and the next step, instead of five screens. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "base/clock.h"
#include "enroll/pumpctl/query.h"
#include "enroll/pumpctl/record_json.h"
#include "enroll/pumpctl/registry.h"
#include "enroll/pumpctl/report.h"
#include "enroll/pumpctl/verbs.h"
#include "enroll/pumpctl/why.h"

#define EVENTS 100

static int facts_read(const struct call *call, const struct list_query *q, struct device *d,
		      struct event *events, struct why_facts *f)
{
	AUTO_IPC_CLIENT c = NULL;
	struct list_query eq = *q;
	int rc = registry_open(call, &c);

	if (rc)
		return rc;
	rc = registry_device_show(c, q, d, REGISTRY_TIMEOUT_MS);
	if (rc == ERR_NOT_FOUND)
		return 0;
	if (rc)
		return rc;
	f->device = d;
	f->events = events;
	eq.limit = EVENTS;
	return registry_event_list(c, &eq, events, EVENTS, &f->n_events, REGISTRY_TIMEOUT_MS);
}

static int answer_show(const struct call *call, const struct why_facts *f, struct why_answer *a)
{
	const char *sentence = buf_cstr(&a->sentence), *next = buf_cstr(&a->next);

	if (!sentence || !next)
		return err_set(ERR_NOMEM, "no memory for the answer");
	if (call->json)
		return json_show(json_pack("{s:s s:s? s:b s:s s:s s:o}", "pump", f->serial, "state",
					   f->device ? f->device->state : NULL, "on", (int)a->on,
					   "reason", reason_name(a->reason), "next", next, "answer",
					   text_to_json(sentence)));
	puts(sentence);
	if (*next)
		printf("next: %s\n", next);
	return 0;
}

static int pump_why_run(const struct call *call)
{
	struct event *events = calloc(EVENTS, sizeof(*events));
	struct list_query q = {0};
	struct why_answer a;
	struct device d;
	struct why_facts f = {.serial = q.device, .now_ms = clock_wall_ms()};
	int rc;

	if (query_pump_take(call, &q)) {
		free(events);
		return report_usage();
	}
	why_answer_init(&a);
	rc = events ? facts_read(call, &q, &d, events, &f) : err_set(ERR_NOMEM, "no memory");
	if (!rc)
		rc = why_decide(&f, &a);
	if (!rc)
		rc = answer_show(call, &f, &a);
	why_answer_done(&a);
	free(events);
	if (rc)
		return registry_failure(call, rc);
	return f.device ? EXIT_DONE : EXIT_FAILED;
}

const struct verb verb_pump_why = {
	.group = "pump",
	.name = "why",
	.operands = "SERIAL",
	.n_operands = 1,
	.summary = "Say why a pump is on or off the network, and what to do",
	.examples = {"pump why PG-000123", "pump why PG-000123 --json",
		     "--home /tmp/try pump why PG-000123"},
	.run = pump_why_run,
};
