/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * pumpctl pump revoke | quarantine | park | release: changes a pump's standing and waits for the
 * proof from the NAS that held it. Many pumps at once are a recall (revoke_many.c).
 */
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "enroll/pumpctl/device_fields.h"
#include "enroll/pumpctl/recall_choice.h"
#include "enroll/pumpctl/receipt.h"
#include "enroll/pumpctl/record_json.h"
#include "enroll/pumpctl/registry.h"
#include "enroll/pumpctl/report.h"
#include "enroll/pumpctl/revoke_many.h"
#include "enroll/pumpctl/verbs.h"

#define WAIT_DEFAULT "10s"
#define POLL_MS 25

struct change {
	struct standing_change rq;
	int64_t wait_ms;
};

#define AT_LATEST_MIN_MS 1000
#define AT_LATEST_MAX_MS (INT64_C(365) * 86400000)

static int when_idle_take(const struct call *call, struct standing_change *rq)
{
	const char *latest = call_value(call, "at-latest");
	int64_t ms = 0;

	rq->when_idle = call_flag(call, "when-idle");
	if (!latest)
		return 0;
	if (!rq->when_idle)
		return err_set(ERR_INVALID, "--at-latest goes with --when-idle");
	if (clock_duration_parse(latest, &ms) || ms < AT_LATEST_MIN_MS || ms > AT_LATEST_MAX_MS)
		return err_set(ERR_INVALID, "--at-latest: a time such as 2h, up to a year");
	rq->at_latest = clock_wall_ms() + ms;
	return 0;
}

static int change_take(const struct call *call, struct change *out)
{
	const char *wait = call_value(call, "wait");
	const char *reason = call_value(call, "reason");
	struct standing_change *rq = &out->rq;
	int rc = device_serial_check(call->operands[0]);

	if (rc || (rc = str_copy(rq->device, sizeof(rq->device), call->operands[0])) ||
	    (rc = str_copy(rq->action, sizeof(rq->action), call->verb->name)) ||
	    (rc = clock_duration_parse(wait ? wait : WAIT_DEFAULT, &out->wait_ms)))
		return rc;
	if (reason && (!*reason || str_copy(rq->reason, sizeof(rq->reason), reason)))
		return err_set(ERR_INVALID, "--reason: 1 to %zu characters",
			       sizeof(rq->reason) - 1);
	if (call_flag(call, "no-wait"))
		out->wait_ms = 0;
	return when_idle_take(call, rq);
}

static int change_send(struct ipc_client *c, const struct standing_change *rq,
		       struct revocation *out)
{
	struct revoke revoke = {0};

	if (strcmp(rq->action, "revoke"))
		return registry_standing_change(c, rq, out, REGISTRY_TIMEOUT_MS);
	memcpy(revoke.device, rq->device, sizeof(revoke.device));
	memcpy(revoke.reason, rq->reason, sizeof(revoke.reason));
	revoke.when_idle = rq->when_idle;
	revoke.at_latest = rq->at_latest;
	return registry_revoke(c, &revoke, out, REGISTRY_TIMEOUT_MS);
}

static int receipt_read(struct ipc_client *c, struct receipt *r)
{
	struct id_query q = {.id = r->revocation.id};
	struct list_query of = {0};
	bool already = r->revocation.already;
	int rc;

	memcpy(of.device, r->revocation.device, sizeof(of.device));
	rc = registry_revocation(c, &of, &r->revocation, REGISTRY_TIMEOUT_MS);
	r->revocation.already = already;
	if (rc)
		return rc;
	if (r->revocation.id != q.id)
		return err_set(ERR_CONFLICT,
			       "done, but the pump's standing was changed once more "
			       "meanwhile: pumpctl pump events %s",
			       of.device);
	return registry_order_list(c, &q, r->orders, RECEIPT_ORDERS_MAX, &r->n_orders,
				   REGISTRY_TIMEOUT_MS);
}

static int receipt_await(struct ipc_client *c, struct receipt *r, int64_t wait_ms)
{
	const struct timespec pause = {.tv_nsec = POLL_MS * 1000000L};
	int64_t deadline_us = clock_mono_us() + wait_ms * 1000;
	int rc;

	while (!(rc = receipt_read(c, r)) && !receipt_is_settled(r) &&
	       clock_mono_us() < deadline_us)
		nanosleep(&pause, NULL);
	return rc;
}

static int receipt_show(const struct call *call, const struct receipt *r)
{
	enum receipt_outcome outcome = receipt_outcome(r);

	if (call->json) {
		if (json_show(receipt_to_json(r)))
			return report_failure(ERR_IO);
	} else {
		receipt_print(stdout, r);
	}
	if (outcome == RECEIPT_OPEN && r->revocation.unkept)
		report_note("pumpctl: revoked, but signerd has not written it down yet; it does so "
			    "as soon as it is there");
	if (outcome == RECEIPT_OPEN) {
		report_note("pumpctl: %s, but not every NAS has confirmed; retries go on. See: "
			    "pumpctl pump %s %s --reason ... (shows this receipt again)",
			    receipt_state(&r->revocation), r->revocation.action,
			    r->revocation.device);
		return EXIT_TRY_AGAIN;
	}
	if (outcome == RECEIPT_UNSENT) {
		report_note("pumpctl: %s, but a NAS cannot be told: shut the port there, or the "
			    "pump stays where it is until its session ends",
			    receipt_state(&r->revocation));
		return EXIT_FAILED;
	}
	return r->revocation.already ? EXIT_NOTHING : EXIT_DONE;
}

/* Nothing has happened yet. */
static int waiting_show(const struct call *call, struct ipc_client *c, const struct revocation *v)
{
	struct list_query q = {0};
	struct device d = {0};
	char until[CLOCK_TEXT_MAX];
	const char *said;

	memcpy(q.device, v->device, sizeof(q.device));
	if (call->json)
		return json_show(record_to_json(&record_revocation, v)) ? report_failure(ERR_IO)
									: EXIT_TRY_AGAIN;
	if (registry_device_show(c, &q, &d, REGISTRY_TIMEOUT_MS) || !d.reported_at)
		said = "it has never said whether it infuses: does its controller tell the agent?";
	else if (!strcmp(d.infusing, "infusing"))
		said = "it infuses";
	else if (!strcmp(d.infusing, "idle"))
		said = "it has not been heard for a while";
	else
		said = "its agent does not know whether it infuses";
	clock_format(v->at_latest, until);
	printf("pump %s: %s waits until it is idle%s%s; nothing has changed yet\n  now: %s\n"
	       "see: pumpctl pump waiting; to take it back: pumpctl pump waiting --cancel %s\n",
	       v->device, v->action, v->at_latest ? ", at latest " : "", v->at_latest ? until : "",
	       said, v->device);
	return EXIT_TRY_AGAIN;
}

static int change_run(const struct call *call)
{
	AUTO_IPC_CLIENT c = NULL;
	struct receipt *r = calloc(1, sizeof(*r));
	struct change change = {0};
	int rc, status;

	if (!r)
		return report_failure(err_set(ERR_NOMEM, "no memory for a receipt"));
	if (change_take(call, &change)) {
		free(r);
		return report_usage();
	}
	rc = registry_open(call, &c);
	if (!rc)
		rc = change_send(c, &change.rq, &r->revocation);
	if (!rc && r->revocation.waiting) {
		status = waiting_show(call, c, &r->revocation);
		free(r);
		return status;
	}
	if (!rc)
		rc = receipt_await(c, r, change.wait_ms);
	status = rc ? registry_failure(call, rc) : receipt_show(call, r);
	free(r);
	return status;
}

#define OPTION_REASON(required)                                                   \
	{                                                                         \
		"reason", 0, OPTION_VALUE, "TEXT", "why, for the audit", required \
	}
#define OPTIONS_IDLE                                                                              \
	{"when-idle", 0, OPTION_FLAG, NULL, "not before the pump says that it infuses no more",   \
	 false},                                                                                  \
	{                                                                                         \
		"at-latest", 0, OPTION_VALUE, "T", "with --when-idle: after T in any case", false \
	}
#define OPTIONS_WAIT                                                              \
	{"wait", 0, OPTION_VALUE, "T", "for the NAS's answers (10s)", false},     \
	{                                                                         \
		"no-wait", 0, OPTION_FLAG, NULL,                                  \
			"only commit; the disconnects go on by themselves", false \
	}

/* One pump by its serial, or many by --model, --ward, --zone or --file. */
static int revoke_check(const struct call *call)
{
	static const char *const many_only[] = {"skip-bad", "count", "dry-run", "pace"};
	bool many = recall_choice_is_asked(call);

	if (many == (call->n_operands > 0))
		return err_set(ERR_INVALID,
			       "name one pump, or many by --model, --ward, --zone or --file");
	if (many && (call_flag(call, "when-idle") || call_value(call, "at-latest")))
		return err_set(ERR_INVALID, "--when-idle is for one pump");
	for (size_t i = 0; !many && i < sizeof(many_only) / sizeof(many_only[0]); i++)
		if (call_value(call, many_only[i]) || call_flag(call, many_only[i]))
			return err_set(ERR_INVALID, "--%s is for many pumps", many_only[i]);
	return 0;
}

static int revoke_run(const struct call *call)
{
	if (revoke_check(call))
		return report_usage();
	return call->n_operands ? change_run(call) : revoke_many_run(call);
}

static const struct option_spec revoke_options[] = {
	OPTION_REASON(true),
	{"model", 0, OPTION_VALUE, "M", "all pumps of this model", false},
	{"ward", 0, OPTION_VALUE, "W", "all pumps of this ward", false},
	{"zone", 0, OPTION_VALUE, "Z", "all pumps of this zone", false},
	{"file", 0, OPTION_VALUE, "LIST", "all pumps of a list, one serial a line (- : stdin)",
	 false},
	{"skip-bad", 0, OPTION_FLAG, NULL, "leave out lines of the list that can't be taken",
	 false},
	{"dry-run", 0, OPTION_FLAG, NULL, "only show; above 20 pumps that is so without --count",
	 false},
	{"count", 0, OPTION_VALUE, "N", "do it, if it is just so many pumps", false},
	{"pace", 0, OPTION_VALUE, "N/s", "at most so many pumps a second", false},
	OPTIONS_IDLE,
	OPTIONS_WAIT};
static const struct option_spec change_options[] = {OPTION_REASON(true), OPTIONS_IDLE,
						    OPTIONS_WAIT};
static const struct option_spec release_options[] = {OPTION_REASON(false), OPTIONS_IDLE,
						     OPTIONS_WAIT};

const struct verb verb_pump_revoke = {
	.group = "pump",
	.name = "revoke",
	.operands = "[SERIAL]",
	.n_operands_more = 1,
	.summary = "Take a pump, or many, off the network for good; print the receipt",
	VERB_OPTIONS(revoke_options),
	.examples = {"pump revoke PG-000123 --reason 'stolen from ward 3B'",
		     "pump revoke --ward 3B --model P1 --reason 'maker recall 26-117'",
		     "pump revoke --file recall.txt --reason 'maker recall' --count 312 --pace "
		     "50/s"},
	.run = revoke_run,
};

const struct verb verb_pump_quarantine = {
	.group = "pump",
	.name = "quarantine",
	.operands = "SERIAL",
	.n_operands = 1,
	.summary = "Move a pump into the quarantine zone at once, and print the receipt",
	VERB_OPTIONS(change_options),
	.examples = {"pump quarantine PG-000123 --reason 'scans its neighbours'",
		     "pump quarantine PG-000123 --reason 'integrity alarm' --when-idle --at-latest "
		     "2h",
		     "pump quarantine PG-000123 --reason drill --no-wait --json"},
	.run = change_run,
};

const struct verb verb_pump_park = {
	.group = "pump",
	.name = "park",
	.operands = "SERIAL",
	.n_operands = 1,
	.summary = "Move a pump into the parking zone at once, and print the receipt",
	VERB_OPTIONS(change_options),
	.examples = {"pump park PG-000123 --reason 'in the store room until May'",
		     "pump park PG-000123 --reason 'waits for service' --wait 30s",
		     "pump park PG-000123 --reason spare --no-wait --json"},
	.run = change_run,
};

const struct verb verb_pump_release = {
	.group = "pump",
	.name = "release",
	.operands = "SERIAL",
	.n_operands = 1,
	.summary = "Let a quarantined or parked pump back into its own zone",
	VERB_OPTIONS(release_options),
	.examples = {"pump release PG-000123", "pump release PG-000123 --reason 'service done'",
		     "pump release PG-000123 --no-wait --json"},
	.run = change_run,
};
