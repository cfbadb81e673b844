/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * pumpctl enroll list | approve | deny: certificates that a person must allow. A decision names
 * pump and key: what was compared with the pump is what gets the certificate.
 */
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "enroll/pumpctl/device_fields.h"
#include "enroll/pumpctl/query.h"
#include "enroll/pumpctl/registry.h"
#include "enroll/pumpctl/report.h"
#include "enroll/pumpctl/verbs.h"

#define KEY_DIGITS_MIN 16

static int enroll_list_run(const struct call *call)
{
	static const struct column columns[] = {{"PUMP", "device"},    {"KEY (SHA-256)", "key"},
						{"STATE", "state"},    {"FROM", "source"},
						{"ASKED", "asked_at"}, {"WARD", "ward"},
						{"BY", "decided_by"}};
	const bool all = call_flag(call, "all");
	const struct listing l = {
		REGISTRY_APPROVAL_LIST,		&record_approval, columns, all ? 7 : 6, "place",
		"no request waits for approval"};
	struct list_query q = {.live_only = !all};

	if (query_filters_take(call, &q))
		return report_usage();
	return listing_show(call, &l, &q, 0);
}

/* As programs print a fingerprint: colons and capitals are fine. */
static int key_take(const char *text, char out[65])
{
	size_t n = 0;

	for (; *text && n < 64; text++)
		if (*text != ':')
			out[n++] = *text >= 'A' && *text <= 'F' ? (char)(*text - 'A' + 'a') : *text;
	out[n] = '\0';
	if (*text || n < KEY_DIGITS_MIN || strspn(out, "0123456789abcdef") != n)
		return err_set(ERR_INVALID,
			       "KEY: at least the first %d hex digits that `pumpctl enroll list` "
			       "shows and the pump's own tools confirm",
			       KEY_DIGITS_MIN);
	return 0;
}

static int decide(const struct call *call, bool approve)
{
	AUTO_IPC_CLIENT c = NULL;
	struct approval_decision d = {.approve = approve};
	const char *reason = call_value(call, "reason");
	struct approval a;
	char until[CLOCK_TEXT_MAX];
	int rc;

	if (device_serial_check(call->operands[0]) ||
	    str_copy(d.device, sizeof(d.device), call->operands[0]) ||
	    key_take(call->operands[1], d.key))
		return report_usage();
	if (str_copy(d.reason, sizeof(d.reason), reason ? reason : "") || (!approve && !*reason)) {
		err_text_set("--reason: 1 to %zu characters", sizeof(d.reason) - 1);
		return report_usage();
	}
	rc = registry_open(call, &c);
	if (!rc)
		rc = registry_approval_decide(c, &d, &a, REGISTRY_TIMEOUT_MS);
	if (rc)
		return registry_failure(call, rc);
	if (call->json)
		return record_show(call, &record_approval, &a);
	clock_format(a.expires_at, until);
	if (approve)
		printf("%s: key %s gets its certificate when the pump asks again, until %s\n",
		       a.device, a.key, until);
	else
		printf("%s: key %s is refused\n", a.device, a.key);
	return EXIT_DONE;
}

static int enroll_approve_run(const struct call *call)
{
	return decide(call, true);
}

static int enroll_deny_run(const struct call *call)
{
	return decide(call, false);
}

static const struct option_spec list_options[] = {
	{"all", 'a', OPTION_FLAG, NULL, "decided, used and forgotten ones too", false},
	{"pump", 0, OPTION_VALUE, "SERIAL", "of this pump", false},
};

const struct verb verb_enroll_list = {
	.group = "enroll",
	.name = "list",
	.operands = "",
	.summary = "List renewals without proof of the old key: they wait for a person",
	VERB_OPTIONS(list_options),
	.examples = {"enroll list", "enroll list --pump PG-000123 --all", "enroll list --json"},
	.run = enroll_list_run,
};

static const struct option_spec approve_options[] = {
	{"reason", 0, OPTION_VALUE, "TEXT", "for the audit", false},
};

const struct verb verb_enroll_approve = {
	.group = "enroll",
	.name = "approve",
	.operands = "SERIAL KEY",
	.n_operands = 2,
	.summary = "Allow a certificate for this key, after comparing it with the pump's",
	VERB_OPTIONS(approve_options),
	.examples = {"enroll approve PG-000123 5f0c94d1a2b3c4d5",
		     "enroll approve PG-000123 5F:0C:94:D1:A2:B3:C4:D5 --reason 'board replaced'",
		     "enroll approve PG-000123 5f0c94d1a2b3c4d5 --json"},
	.run = enroll_approve_run,
};

static const struct option_spec deny_options[] = {
	{"reason", 0, OPTION_VALUE, "TEXT", "for the audit and the pump's log", true},
};

const struct verb verb_enroll_deny = {
	.group = "enroll",
	.name = "deny",
	.operands = "SERIAL KEY",
	.n_operands = 2,
	.summary = "Refuse a certificate for this key from now on",
	VERB_OPTIONS(deny_options),
	.examples = {"enroll deny PG-000123 5f0c94d1a2b3c4d5 --reason 'not our key'",
		     "enroll deny PG-000123 5f0c94d1a2b3c4d5 --reason unknown --json",
		     "--home /tmp/try enroll deny PG-1 5f0c94d1a2b3c4d5 --reason test"},
	.run = enroll_deny_run,
};
