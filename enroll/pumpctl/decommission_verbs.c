/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * pumpctl pump decommission: orders a pump to wipe itself, and waits for its signed statement;
 * pumpctl pump import-wipe: takes the statement of one that does not reach its server from a file.
 */
#include "enroll/pumpctl/decommission.h"

#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "ca/proto/signer_records.h"
#include "ca/request/wipe_statement.h"
#include "enroll/pumpctl/device_fields.h"
#include "enroll/pumpctl/record_json.h"
#include "enroll/pumpctl/registry.h"
#include "enroll/pumpctl/report.h"
#include "enroll/pumpctl/signer.h"
#include "enroll/pumpctl/verbs.h"

#define WAIT_DEFAULT "10s"
#define POLL_MS 200
#define VERIFY_MS 10000

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

/* ---- import-wipe ---- */

/* What the file says, taken apart; whether it is true is the signer's to find out. */
static int statement_read(const char *path, struct wipe_check *out, struct wipe_statement *says)
{
	AUTO_BUF file = {.max = WIPE_ENVELOPE_MAX};
	struct wipe_envelope e;
	int rc = buf_read_file(&file, path);

	if (rc)
		return rc;
	if (wipe_envelope_parse(file.data, file.len, &e) ||
	    wipe_text_parse(e.text, e.text_len, says) || e.cert_len > sizeof(out->cert.data) ||
	    e.signature_len > sizeof(out->signature.data) ||
	    e.text_len > sizeof(out->statement.data))
		return err_set(
			ERR_INVALID,
			"%s: no wipe statement; on the pump: pumpgate-agentd statement >FILE",
			path);
	out->cert.len = (uint32_t)e.cert_len;
	memcpy(out->cert.data, e.cert, e.cert_len);
	out->signature.len = (uint32_t)e.signature_len;
	memcpy(out->signature.data, e.signature, e.signature_len);
	out->statement.len = (uint32_t)e.text_len;
	memcpy(out->statement.data, e.text, e.text_len);
	return str_copy(out->source, sizeof(out->source), "file");
}

static int import_wipe_run(const struct call *call)
{
	struct wipe_check rq = {0};
	struct wipe_statement says;
	struct signed_cert whose;
	struct decommission d = {0};
	struct list_query q = {0};
	AUTO_IPC_CLIENT registry = NULL;
	AUTO_IPC_CLIENT signer = NULL;
	bool already;
	int rc = statement_read(call->operands[0], &rq, &says);

	if (rc)
		return report_failure(rc);
	memcpy(q.device, says.device, sizeof(says.device));
	rc = registry_open(call, &registry);
	rc = rc ? rc : registry_decommission_show(registry, &q, &d, REGISTRY_TIMEOUT_MS);
	if (rc)
		return registry_failure(call, rc);
	already = !strcmp(d.state, "wiped") && !strcmp(d.wipe_order, says.order);
	rc = signer_open(call, &signer);
	if (!rc)
		rc = ipc_client_call(signer, SIGNER_WIPE, &record_wipe_check, &rq, 1,
				     &record_signed_cert, &whose, 1, NULL, VERIFY_MS);
	if (rc)
		return signer_failure(call, rc);
	rc = registry_decommission_show(registry, &q, &d, REGISTRY_TIMEOUT_MS);
	d.already = already;
	return rc ? registry_failure(call, rc) : show(call, &d);
}

const struct verb verb_pump_import_wipe = {
	.group = "pump",
	.name = "import-wipe",
	.operands = "FILE",
	.n_operands = 1,
	.summary = "Keep the signed statement of a wiped pump that does not reach its server",
	.examples = {"pump import-wipe /media/usb/PG-000123.wiped",
		     "pump import-wipe PG-000123.wiped --json",
		     "--home /tmp/try pump import-wipe PG-000123.wiped"},
	.run = import_wipe_run,
};
