/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * pumpctl pump decommission: orders a pump to wipe itself, and waits for its signed statement.
 */
#include "enroll/pumpctl/decommission.h"

#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "enroll/pumpctl/device_fields.h"
#include "enroll/pumpctl/record_json.h"
#include "enroll/pumpctl/registry.h"
#include "enroll/pumpctl/report.h"
#include "enroll/pumpctl/verbs.h"

#define WAIT_DEFAULT "10s"
#define POLL_MS 200

void decommission_print(FILE *to, const struct decommission *d)
{
	char at[CLOCK_TEXT_MAX];
	const uint8_t *text = d->statement.data;
	size_t left = d->statement.len;

	clock_format(d->ordered_at, at);
	fprintf(to, "decommission  ordered %s by %s: %s\n", at, d->ordered_by, d->reason);
	clock_format(d->received_at, at);
	if (!strcmp(d->state, "ordered"))
		fprintf(to, "  statement   none yet: the pump has not said that it is wiped\n");
	else if (!strcmp(d->state, "cancelled"))
		fprintf(to, "  statement   none: the order was taken back\n");
	else
		fprintf(to, "  statement   came %s, signed with the key of certificate %s:\n", at,
			d->cert_serial);
	while (left) {
		const uint8_t *end = memchr(text, '\n', left);
		size_t len = end ? (size_t)(end - text) : left;

		/* verified to be letters, digits and the like before it was stored */
		fprintf(to, "    %.*s\n", (int)len, (const char *)text);
		len += end != NULL;
		text += len;
		left -= len;
	}
}

json_t *decommission_to_json(const struct decommission *d)
{
	json_t *j = record_to_json(&record_decommission, d);
	char text[sizeof(d->statement.data) + 1];

	if (!j)
		return NULL;
	memcpy(text, d->statement.data, d->statement.len);
	text[d->statement.len] = '\0';
	json_object_del(j, "already");
	json_object_set_new(j, "statement", *text ? json_string(text) : json_null());
	return j;
}

static int show(const struct call *call, const struct decommission *d)
{
	bool is_open = !strcmp(d->state, "ordered");

	if (!call->json)
		decommission_print(stdout, d);
	else if (json_show(decommission_to_json(d)))
		return report_failure(ERR_IO);
	if (is_open)
		report_note("pumpctl: %s has its order as soon as it asks; until then it is in "
			    "quarantine. See: pumpctl pump show %s. If it will never answer: "
			    "pumpctl pump revoke %s",
			    d->device, d->device, d->device);
	if (is_open)
		return EXIT_TRY_AGAIN;
	return d->already ? EXIT_NOTHING : EXIT_DONE;
}

static int await(struct ipc_client *c, struct decommission *d, int64_t wait_ms)
{
	const struct timespec pause = {.tv_nsec = POLL_MS * 1000000L};
	int64_t deadline_us = clock_mono_us() + wait_ms * 1000;
	struct list_query q = {0};
	bool already = d->already;
	int rc = 0;

	memcpy(q.device, d->device, sizeof(q.device));
	while (!rc && !strcmp(d->state, "ordered") && clock_mono_us() < deadline_us) {
		nanosleep(&pause, NULL);
		rc = registry_decommission_show(c, &q, d, REGISTRY_TIMEOUT_MS);
	}
	d->already = already && strcmp(d->state, "ordered") != 0;
	return rc;
}

static int request_take(const struct call *call, struct standing_change *rq, int64_t *wait_ms)
{
	const char *wait = call_value(call, "wait");
	const char *reason = call_value(call, "reason");
	int rc = device_serial_check(call->operands[0]);

	if (rc || (rc = str_copy(rq->device, sizeof(rq->device), call->operands[0])) ||
	    (rc = clock_duration_parse(wait ? wait : WAIT_DEFAULT, wait_ms)))
		return rc;
	if (!reason || !*reason || str_copy(rq->reason, sizeof(rq->reason), reason))
		return err_set(ERR_INVALID, "--reason: 1 to %zu characters",
			       sizeof(rq->reason) - 1);
	if (call_flag(call, "no-wait"))
		*wait_ms = 0;
	return 0;
}

static int decommission_run(const struct call *call)
{
	struct standing_change rq = {.action = "decommission"};
	struct decommission d = {0};
	AUTO_IPC_CLIENT c = NULL;
	int64_t wait_ms;
	int rc;

	if (request_take(call, &rq, &wait_ms))
		return report_usage();
	rc = registry_open(call, &c);
	rc = rc ? rc : registry_decommission(c, &rq, &d, REGISTRY_TIMEOUT_MS);
	rc = rc ? rc : await(c, &d, wait_ms);
	return rc ? registry_failure(call, rc) : show(call, &d);
}

static const struct option_spec decommission_options[] = {
	{"reason", 0, OPTION_VALUE, "TEXT", "why, for the audit", true},
	{"wait", 0, OPTION_VALUE, "T", "for the pump's statement (10s)", false},
	{"no-wait", 0, OPTION_FLAG, NULL, "only order it", false},
};

const struct verb verb_pump_decommission = {
	.group = "pump",
	.name = "decommission",
	.operands = "SERIAL",
	.n_operands = 1,
	.summary = "Have a pump wipe itself, keep its signed statement, and revoke it",
	VERB_OPTIONS(decommission_options),
	.examples = {"pump decommission PG-000123 --reason 'sold'",
		     "pump decommission PG-000123 --reason 'end of the loan' --wait 2m",
		     "pump decommission PG-000123 --reason scrap --no-wait --json"},
	.run = decommission_run,
};
