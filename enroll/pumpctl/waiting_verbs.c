/* SPDX-License-Identifier: BSD-2-Clause */
/* pumpctl pump waiting: what waits until its pump does not infuse, and taking it back. */
#include <stdio.h>
#include <string.h>

#include "enroll/pumpctl/device_fields.h"
#include "enroll/pumpctl/query.h"
#include "enroll/pumpctl/registry.h"
#include "enroll/pumpctl/report.h"
#include "enroll/pumpctl/verbs.h"

static int cancel_run(const struct call *call, const char *serial)
{
	AUTO_IPC_CLIENT c = NULL;
	struct pump_name pump = {0};
	int rc;

	if (device_serial_check(serial) || str_copy(pump.device, sizeof(pump.device), serial))
		return report_usage();
	rc = registry_open(call, &c);
	if (!rc)
		rc = registry_pending_cancel(c, &pump, REGISTRY_TIMEOUT_MS);
	if (rc == ERR_NOT_FOUND) {
		report_note("pumpctl: %s", err_text());
		return EXIT_NOTHING;
	}
	if (rc)
		return registry_failure(call, rc);
	if (!call->json)
		printf("pump %s: nothing waits any more, it stays as it is\n", serial);
	return EXIT_DONE;
}

static int waiting_run(const struct call *call)
{
	static const struct column columns[] = {
		{"PUMP", "device"},	  {"CHANGE", "action"},	      {"SINCE", "asked_at"},
		{"BY", "asked_by"},	  {"AT LATEST", "at_latest"}, {"PUMP SAYS", "infusing"},
		{"HEARD", "reported_at"}, {"REASON", "reason"},
	};
	const struct listing l = {REGISTRY_PENDING_LIST,
				  &record_pending_change,
				  columns,
				  8,
				  "device",
				  "nothing waits for a pump to be idle"};
	const char *cancel = call_value(call, "cancel");
	struct list_query q = {0};

	return cancel ? cancel_run(call, cancel) : listing_show(call, &l, &q, 0);
}

static const struct option_spec waiting_options[] = {
	{"cancel", 0, OPTION_VALUE, "SERIAL", "take this pump's change back", false},
};

const struct verb verb_pump_waiting = {
	.group = "pump",
	.name = "waiting",
	.operands = "",
	.summary = "List what waits until its pump is idle, or take it back",
	VERB_OPTIONS(waiting_options),
	.examples = {"pump waiting", "pump waiting --json", "pump waiting --cancel PG-000123"},
	.run = waiting_run,
};
