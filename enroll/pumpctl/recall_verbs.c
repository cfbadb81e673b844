/* SPDX-License-Identifier: BSD-2-Clause */
/* pumpctl recall list | show | confirm | pause | resume | cancel: revocations of many pumps. */
#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "enroll/pumpctl/recall_choice.h"
#include "enroll/pumpctl/recall_follow.h"
#include "enroll/pumpctl/registry.h"
#include "enroll/pumpctl/report.h"
#include "enroll/pumpctl/verbs.h"

static int id_take(const struct call *call, uint64_t *out)
{
	const char *text = call->operands[0];
	char *end;

	errno = 0;
	*out = strtoull(text, &end, 10);
	if (errno || !isdigit((unsigned char)*text) || *end || !*out)
		return err_set(ERR_INVALID,
			       "'%.32s' is no recall; their numbers: pumpctl recall list", text);
	return 0;
}

static int recall_list_run(const struct call *call)
{
	static const struct column columns[] = {
		{"ID", "id"},		{"STATE", "state"},	{"PUMPS", "pumps"},
		{"REVOKED", "revoked"}, {"BEFORE", "already"},	{"WAITING", "waiting"},
		{"BY", "requested_by"}, {"AT", "requested_at"}, {"CHOSEN", "chosen"},
		{"REASON", "reason"},
	};
	const struct listing l = {REGISTRY_RECALL_LIST,
				  &record_recall,
				  columns,
				  10,
				  "key",
				  "no recall; they are made by: pumpctl pump revoke --ward W ..."};
	struct list_query q = {.live_only = call_flag(call, "open")};

	return listing_show(call, &l, &q, 0);
}

static const struct option_spec list_options[] = {
	{"open", 0, OPTION_FLAG, NULL, "only those that are not at their end", false},
};

const struct verb verb_recall_list = {
	.group = "recall",
	.name = "list",
	.operands = "",
	.summary = "List recalls, newest first",
	VERB_OPTIONS(list_options),
	.examples = {"recall list", "recall list --open", "recall list --json"},
	.run = recall_list_run,
};

static int recall_show_run(const struct call *call)
{
	AUTO_IPC_CLIENT c = NULL;
	uint64_t id;
	int rc;

	if (id_take(call, &id))
		return report_usage();
	rc = registry_open(call, &c);
	return rc ? registry_failure(call, rc) : recall_report_show(call, c, id, true);
}

const struct verb verb_recall_show = {
	.group = "recall",
	.name = "show",
	.operands = "ID",
	.n_operands = 1,
	.summary = "Show a recall: its pumps, and what each NAS has confirmed",
	.examples = {"recall show 7", "recall show 7 --json", "--home /tmp/try recall show 7"},
	.run = recall_show_run,
};

/* Before the confirmation: what would be confirmed. */
static int confirm_ask(const struct call *call, struct ipc_client *c, uint64_t id)
{
	int status = recall_report_show(call, c, id, true);

	if (status != EXIT_DONE)
		return status;
	if (!call->json)
		recall_meaning_print(stdout);
	report_note("pumpctl: nothing was changed. Confirm it with the number of pumps: --count N");
	return EXIT_DONE;
}

static int recall_confirm_run(const struct call *call)
{
	AUTO_IPC_CLIENT c = NULL;
	struct recall_step step = {0};
	struct recall r;
	unsigned long count;
	int64_t wait_ms;
	int rc;

	if (id_take(call, &step.id) || recall_wait_take(call, &wait_ms) ||
	    call_number(call, "count", 0, 1, RECALL_PUMPS_MAX, &count))
		return report_usage();
	rc = registry_open(call, &c);
	if (rc)
		return registry_failure(call, rc);
	if (!count)
		return confirm_ask(call, c, step.id);
	step.pumps = count;
	rc = registry_recall_confirm(c, &step, &r, REGISTRY_TIMEOUT_MS);
	return rc ? registry_failure(call, rc) : recall_follow(call, c, step.id, wait_ms);
}

#define FOLLOW_OPTIONS                                                                         \
	{"wait", 0, OPTION_VALUE, "T", "for the NAS's answers (10s)", false},                  \
	{                                                                                      \
		"no-wait", 0, OPTION_FLAG, NULL, "do not look on; it goes on by itself", false \
	}

static const struct option_spec confirm_options[] = {
	{"count", 0, OPTION_VALUE, "N", "how many pumps it takes; without it nothing is done",
	 false},
	FOLLOW_OPTIONS,
};

const struct verb verb_recall_confirm = {
	.group = "recall",
	.name = "confirm",
	.operands = "ID",
	.n_operands = 1,
	.summary = "Confirm another admin's recall, so that it is carried out",
	VERB_OPTIONS(confirm_options),
	.examples = {"recall confirm 7", "recall confirm 7 --count 312",
		     "recall confirm 7 --count 312 --no-wait --json"},
	.run = recall_confirm_run,
};

static int recall_resume_run(const struct call *call)
{
	AUTO_IPC_CLIENT c = NULL;
	struct recall_step step = {.state = "running"};
	struct recall r;
	int64_t wait_ms;
	int rc;

	if (id_take(call, &step.id) || recall_wait_take(call, &wait_ms))
		return report_usage();
	rc = registry_open(call, &c);
	if (!rc)
		rc = registry_recall_change(c, &step, &r, REGISTRY_TIMEOUT_MS);
	if (rc && rc != ERR_UNCHANGED) /* one that runs is just followed, one that is done shown */
		return registry_failure(call, rc);
	return recall_follow(call, c, step.id, wait_ms);
}

static const struct option_spec resume_options[] = {FOLLOW_OPTIONS};

const struct verb verb_recall_resume = {
	.group = "recall",
	.name = "resume",
	.operands = "ID",
	.n_operands = 1,
	.summary = "Go on with a paused recall, or look on at one that runs",
	VERB_OPTIONS(resume_options),
	.examples = {"recall resume 7", "recall resume 7 --wait 1m",
		     "recall resume 7 --no-wait --json"},
	.run = recall_resume_run,
};

static int stop(const struct call *call, const char *state)
{
	AUTO_IPC_CLIENT c = NULL;
	struct recall_step step = {0};
	struct recall r;
	int rc;

	if (id_take(call, &step.id))
		return report_usage();
	rc = str_copy(step.state, sizeof(step.state), state);
	if (!rc)
		rc = registry_open(call, &c);
	if (!rc)
		rc = registry_recall_change(c, &step, &r, REGISTRY_TIMEOUT_MS);
	return rc ? registry_failure(call, rc) : recall_report_show(call, c, step.id, true);
}

static int recall_pause_run(const struct call *call)
{
	return stop(call, "paused");
}

const struct verb verb_recall_pause = {
	.group = "recall",
	.name = "pause",
	.operands = "ID",
	.n_operands = 1,
	.summary = "Stop a recall at once; what is revoked stays so",
	.examples = {"recall pause 7", "recall pause 7 --json", "--home /tmp/try recall pause 7"},
	.run = recall_pause_run,
};

static int recall_cancel_run(const struct call *call)
{
	return stop(call, "cancelled");
}

const struct verb verb_recall_cancel = {
	.group = "recall",
	.name = "cancel",
	.operands = "ID",
	.n_operands = 1,
	.summary = "Give a recall up for good; pumps that are not revoked yet are left alone",
	.examples = {"recall cancel 7", "recall cancel 7 --json",
		     "--home /tmp/try recall cancel 7"},
	.run = recall_cancel_run,
};
