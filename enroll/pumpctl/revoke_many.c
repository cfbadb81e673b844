/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * pumpctl pump revoke --model | --ward | --zone | --file: a recall. Above RECALL_ALONE_MAX pumps it
 * only shows what it would do, until it is told with --count how many pumps that was.
 */
#include "enroll/pumpctl/revoke_many.h"

#include <ctype.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "enroll/pumpctl/recall_choice.h"
#include "enroll/pumpctl/recall_follow.h"
#include "enroll/pumpctl/record_json.h"
#include "enroll/pumpctl/registry.h"
#include "enroll/pumpctl/report.h"

#define ADD_TIMEOUT_MS 60000
#define OPEN_MAX 500

struct many {
	struct recall_draft draft;
	unsigned long count; /* 0: not given */
	bool dry_run;
	int64_t wait_ms;
};

/* "50" or "50/s" */
static int pace_take(const struct call *call, uint32_t *out)
{
	const char *text = call_value(call, "pace");
	char *end;
	unsigned long n;

	if (!text)
		return 0;
	n = strtoul(text, &end, 10);
	if (!isdigit((unsigned char)*text) || (*end && strcmp(end, "/s")) || n < 1 ||
	    n > RECALL_PACE_MAX)
		return err_set(ERR_INVALID,
			       "--pace %.32s: pumps a second, from 1 to %d, such as 50/s", text,
			       RECALL_PACE_MAX);
	*out = (uint32_t)n;
	return 0;
}

static int many_take(const struct call *call, struct many *m)
{
	const char *reason = call_value(call, "reason");
	bool filters =
		call_value(call, "model") || call_value(call, "ward") || call_value(call, "zone");
	int rc;

	if (filters && call_value(call, "file"))
		return err_set(ERR_INVALID, "either --file or --model, --ward and --zone");
	if (call_flag(call, "skip-bad") && !call_value(call, "file"))
		return err_set(ERR_INVALID, "--skip-bad is for --file");
	if (!*reason || str_copy(m->draft.reason, sizeof(m->draft.reason), reason))
		return err_set(ERR_INVALID, "--reason: 1 to %zu characters",
			       sizeof(m->draft.reason) - 1);
	if ((rc = pace_take(call, &m->draft.per_second)) ||
	    (rc = call_number(call, "count", 0, 1, RECALL_PUMPS_MAX, &m->count)))
		return rc;
	m->dry_run = call_flag(call, "dry-run");
	return recall_wait_take(call, &m->wait_ms);
}

static int shown(const struct call *call, struct recall_choice *c, bool dry_run)
{
	json_t *j;

	if (!call->json) {
		recall_choice_print(stdout, c);
		return 0;
	}
	j = recall_choice_to_json(c);
	if (j && json_object_set_new(j, "dry_run", json_boolean(dry_run))) {
		json_decref(j);
		j = NULL;
	}
	return json_show(j);
}

/* The dry run: what would be revoked, what that means, how to go on. */
static int show_only(const struct call *call, struct recall_choice *c)
{
	int rc = shown(call, c, true);

	if (rc)
		return report_failure(rc);
	if (!c->n)
		return EXIT_NOTHING;
	if (!call->json)
		recall_meaning_print(stdout);
	report_note("pumpctl: nothing was changed. To do it, the same command with: --count %zu%s",
		    c->n,
		    c->n > RECALL_ALONE_MAX
			    ? "\n(then another admin confirms it, unless pumpgate.conf says "
			      "[recall] second_person = no)"
			    : "");
	return EXIT_DONE;
}

static int pumps_add(struct ipc_client *c, uint64_t id, const struct recall_choice *choice)
{
	struct recall_pump *batch = calloc(REGISTRY_RECALL_ADD_MAX, sizeof(*batch));
	int rc = batch ? 0 : err_set(ERR_NOMEM, "no memory for the recall");

	for (size_t at = 0; !rc && at < choice->n;) {
		size_t n = 0;

		for (; n < REGISTRY_RECALL_ADD_MAX && at < choice->n; n++, at++) {
			batch[n].recall = id;
			memcpy(batch[n].device, choice->pumps[at].device, sizeof(batch[n].device));
		}
		rc = registry_recall_add(c, batch, n, ADD_TIMEOUT_MS);
	}
	free(batch);
	return rc;
}

static int request(struct ipc_client *c, const struct many *m, const struct recall_choice *choice,
		   struct recall *out)
{
	struct recall_step step = {.pumps = choice->n};
	int rc = registry_recall_draft(c, &m->draft, out, REGISTRY_TIMEOUT_MS);

	step.id = out->id;
	if (!rc)
		rc = pumps_add(c, step.id, choice);
	return rc ? rc : registry_recall_request(c, &step, out, REGISTRY_TIMEOUT_MS);
}

static int count_wrong(const struct recall_choice *c, unsigned long count)
{
	return report_failure(err_set(ERR_CONFLICT,
				      "it takes %zu pumps now, not %lu: look again (--dry-run); "
				      "nothing was changed",
				      c->n, count));
}

static int carry_out(const struct call *call, struct ipc_client *c, struct many *m,
		     struct recall_choice *choice)
{
	struct recall r = {0};
	int rc;

	memcpy(m->draft.chosen, choice->chosen, sizeof(m->draft.chosen));
	rc = request(c, m, choice, &r);
	if (rc)
		return registry_failure(call, rc);
	if (strcmp(r.state, "requested") != 0)
		return recall_follow(call, c, r.id, m->wait_ms);
	if (!call->json) {
		recall_choice_print(stdout, choice);
		recall_meaning_print(stdout);
	}
	return recall_report_show(call, c, r.id, false);
}

static int bad_lines(const struct call *call, struct recall_choice *c)
{
	if (call->json && shown(call, c, true))
		return report_failure(ERR_IO);
	report_note("pumpctl: %" PRIu64 " lines of the list can't be taken; nothing was changed. "
		    "Mend the list, or leave them out with --skip-bad",
		    c->bad);
	return EXIT_FAILED;
}

/* Asked for once more: the open recall of the same choice and reason. What comes by standard input
 * may be another list each time. */
static int open_find(const struct call *call, struct ipc_client *c, const struct many *m,
		     const struct recall_choice *choice, struct recall *out)
{
	const char *file = call_value(call, "file");
	const struct list_query q = {.live_only = true, .limit = OPEN_MAX};
	struct recall *open = calloc(OPEN_MAX, sizeof(*open));
	size_t n = 0;
	int rc = open ? registry_recall_list(c, &q, open, OPEN_MAX, &n, REGISTRY_TIMEOUT_MS)
		      : err_set(ERR_NOMEM, "no memory for recalls");
	bool found = false;

	for (size_t i = 0; !rc && i < n && !found && !(file && !strcmp(file, "-")); i++) {
		found = !strcmp(open[i].chosen, choice->chosen) &&
			!strcmp(open[i].reason, m->draft.reason) &&
			strcmp(open[i].state, "lapsed") != 0;
		if (found)
			*out = open[i];
	}
	free(open);
	return rc || found ? rc : ERR_NOT_FOUND;
}

static int open_show(const struct call *call, struct ipc_client *c, const struct many *m,
		     const struct recall *r)
{
	report_note("pumpctl: that is recall %" PRIu64 " already (another one: another --reason)",
		    r->id);
	if (!strcmp(r->state, "running"))
		return recall_follow(call, c, r->id, m->wait_ms);
	return recall_report_show(call, c, r->id, false);
}

static int many_run(const struct call *call, struct ipc_client *c, struct many *m,
		    struct recall_choice *choice)
{
	struct recall before;
	int rc = m->dry_run ? ERR_NOT_FOUND : open_find(call, c, m, choice, &before);

	if (!rc)
		return open_show(call, c, m, &before);
	if (rc != ERR_NOT_FOUND)
		return registry_failure(call, rc);
	if (choice->bad && !call_flag(call, "skip-bad"))
		return bad_lines(call, choice);
	if (m->count && m->count != choice->n)
		return count_wrong(choice, m->count);
	if (!choice->n || m->dry_run || (choice->n > RECALL_ALONE_MAX && !m->count))
		return show_only(call, choice);
	return carry_out(call, c, m, choice);
}

int revoke_many_run(const struct call *call)
{
	AUTO_IPC_CLIENT c = NULL;
	struct recall_choice choice = {0};
	struct many m = {0};
	int rc, status;

	if (many_take(call, &m))
		return report_usage();
	rc = registry_open(call, &c);
	if (!rc)
		rc = recall_choice_take(call, c, &choice);
	status = rc ? registry_failure(call, rc) : many_run(call, c, &m, &choice);
	recall_choice_free(&choice);
	return status;
}
