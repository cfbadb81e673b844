/* SPDX-License-Identifier: BSD-2-Clause */
/* pumpctl pump revoke: takes a pump off the network and waits for the proof. */
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "enroll/pumpctl/device_fields.h"
#include "enroll/pumpctl/receipt.h"
#include "enroll/pumpctl/record_json.h"
#include "enroll/pumpctl/registry.h"
#include "enroll/pumpctl/report.h"
#include "enroll/pumpctl/verbs.h"

#define WAIT_DEFAULT "10s"
#define POLL_MS 25

static int revoke_take(const struct call *call, struct revoke *rq, int64_t *wait_ms)
{
	const char *wait = call_value(call, "wait");
	const char *reason = call_value(call, "reason");
	int rc = device_serial_check(call->operands[0]);

	if (rc || (rc = str_copy(rq->device, sizeof(rq->device), call->operands[0])) ||
	    (rc = clock_duration_parse(wait ? wait : WAIT_DEFAULT, wait_ms)))
		return rc;
	if (!*reason || str_copy(rq->reason, sizeof(rq->reason), reason))
		return err_set(ERR_INVALID, "--reason: 1 to %zu characters",
			       sizeof(rq->reason) - 1);
	if (call_flag(call, "no-wait"))
		*wait_ms = 0;
	return 0;
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
		report_note("pumpctl: revoked, but not every NAS has confirmed; retries go on. "
			    "See: pumpctl pump revoke %s --reason ... (shows this receipt again)",
			    r->revocation.device);
		return EXIT_TRY_AGAIN;
	}
	if (outcome == RECEIPT_UNSENT) {
		report_note("pumpctl: revoked, but a NAS cannot be told: shut the port there, or "
			    "the pump stays until its session ends");
		return EXIT_FAILED;
	}
	return r->revocation.already ? EXIT_NOTHING : EXIT_DONE;
}

static int pump_revoke_run(const struct call *call)
{
	AUTO_IPC_CLIENT c = NULL;
	struct receipt *r = calloc(1, sizeof(*r));
	struct revoke rq = {0};
	int64_t wait_ms;
	int rc, status;

	if (!r)
		return report_failure(err_set(ERR_NOMEM, "no memory for a receipt"));
	if (revoke_take(call, &rq, &wait_ms)) {
		free(r);
		return report_usage();
	}
	rc = registry_open(call, &c);
	if (!rc)
		rc = registry_revoke(c, &rq, &r->revocation, REGISTRY_TIMEOUT_MS);
	if (!rc)
		rc = receipt_await(c, r, wait_ms);
	status = rc ? registry_failure(call, rc) : receipt_show(call, r);
	free(r);
	return status;
}

static const struct option_spec revoke_options[] = {
	{"reason", 0, OPTION_VALUE, "TEXT", "why, for the audit", true},
	{"wait", 0, OPTION_VALUE, "T", "for the NAS's answers (10s)", false},
	{"no-wait", 0, OPTION_FLAG, NULL, "only commit; the disconnects go on by themselves",
	 false},
};

const struct verb verb_pump_revoke = {
	.group = "pump",
	.name = "revoke",
	.operands = "SERIAL",
	.n_operands = 1,
	.summary = "Take a pump off the network for good, and print the receipt",
	VERB_OPTIONS(revoke_options),
	.examples = {"pump revoke PG-000123 --reason 'stolen from ward 3B'",
		     "pump revoke PG-000123 --reason lost --wait 30s",
		     "pump revoke PG-000123 --reason lost --no-wait --json"},
	.run = pump_revoke_run,
};
