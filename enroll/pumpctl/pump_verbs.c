/* SPDX-License-Identifier: BSD-2-Clause */
/* pumpctl pump add | list | show | events: the inventory and what happened to a pump. */
#include <stdio.h>
#include <string.h>

#include "enroll/pumpctl/decommission.h"
#include "enroll/pumpctl/device_fields.h"
#include "enroll/pumpctl/query.h"
#include "enroll/pumpctl/record_json.h"
#include "enroll/pumpctl/registry.h"
#include "enroll/pumpctl/report.h"
#include "enroll/pumpctl/table.h"
#include "enroll/pumpctl/verbs.h"

static int device_take(const struct call *call, struct device *d)
{
	int rc = device_column_set(d, COLUMN_SERIAL, call->operands[0], strlen(call->operands[0]));

	for (int c = COLUMN_MAKER; !rc && c < COLUMN_COUNT; c++) {
		const char *value = call_value(call, device_column_name((enum device_column)c));

		if (value)
			rc = device_column_set(d, (enum device_column)c, value, strlen(value));
	}
	return rc;
}

static int pump_add_run(const struct call *call)
{
	AUTO_IPC_CLIENT c = NULL;
	struct device d = {0};
	struct add_outcome outcome = {0};
	int rc;

	if (device_take(call, &d))
		return report_usage();
	rc = registry_open(call, &c);
	if (!rc)
		rc = registry_device_add(c, &d, 1, &outcome, REGISTRY_TIMEOUT_MS);
	if (!rc && outcome.code)
		rc = err_set(-(int)outcome.code, "%s", outcome.text);
	if (rc)
		return registry_failure(call, rc);
	if (call->json)
		return record_show(call, &record_device, &d);
	printf("pump %s is expected in zone %s\nnext: pumpctl pump bundle %s\n", d.serial, d.zone,
	       d.serial);
	return EXIT_DONE;
}

static const struct option_spec pump_add_options[] = {
	{"maker", 0, OPTION_VALUE, "M", "who made it", true},
	{"model", 0, OPTION_VALUE, "M", "its model", true},
	{"mac", 0, OPTION_VALUE, "MAC", "address of its network interface", true},
	{"zone", 0, OPTION_VALUE, "Z", "where it shall be placed", true},
	{"ward", 0, OPTION_VALUE, "W", "where it is used", false},
};

const struct verb verb_pump_add = {
	.group = "pump",
	.name = "add",
	.operands = "SERIAL",
	.n_operands = 1,
	.summary = "Add one pump to the inventory",
	VERB_OPTIONS(pump_add_options),
	.examples =
		{"pump add PG-000123 --maker Acme --model P1 --mac 02:00:00:00:01:23 --zone icu",
		 "pump add PG-000124 --maker Acme --model P1 --mac 02-00-00-00-01-24 --zone icu "
		 "--ward 3B",
		 "pump add PG-000125 --maker Acme --model P1 --mac 0200.0000.0125 --zone icu "
		 "--json"},
	.run = pump_add_run,
};

static int pump_list_run(const struct call *call)
{
	static const struct column columns[] = {
		{"SERIAL", "serial"}, {"STATE", "state"},      {"MODEL", "model"},
		{"WARD", "ward"},     {"ZONE", "zone"},	       {"VLAN", "vlan"},
		{"MAC", "mac"},	      {"ON", "live_sessions"}, {"LAST SEEN", "last_seen"},
	};
	const struct listing l = {REGISTRY_DEVICE_LIST,
				  &record_device,
				  columns,
				  9,
				  "serial",
				  "no such pump; the inventory grows by: pumpctl pump import FILE"};
	struct list_query q = {0};

	if (query_filters_take(call, &q))
		return report_usage();
	return listing_show(call, &l, &q, 0);
}

static const struct option_spec pump_list_options[] = {
	{"state", 0, OPTION_VALUE, "S", "expected, enrolled, quarantined, parked or revoked",
	 false},
	{"zone", 0, OPTION_VALUE, "Z", "in this zone", false},
	{"ward", 0, OPTION_VALUE, "W", "of this ward", false},
	{"model", 0, OPTION_VALUE, "M", "of this model", false},
};

const struct verb verb_pump_list = {
	.group = "pump",
	.name = "list",
	.operands = "",
	.summary = "List pumps, all or some",
	VERB_OPTIONS(pump_list_options),
	.examples = {"pump list", "pump list --state expected --zone icu",
		     "pump list --ward 3B --json"},
	.run = pump_list_run,
};

/* What the device's record says already is left out of the second one. end: NULL when it was never
 * decommissioned. */
static int pump_print(const struct call *call, const struct device *d, const struct pump_report *r,
		      const struct decommission *end)
{
	struct pump_report rest = *r;
	json_t *j;

	if (!call->json) {
		record_print(stdout, &record_device, d);
		rest.device[0] = rest.software[0] = rest.key_protection[0] = rest.infusing[0] =
			'\0';
		rest.at = 0;
		if (r->at) {
			puts("\nsaid by the pump itself:");
			record_print(stdout, &record_pump_report, &rest);
		}
		if (end) {
			putchar('\n');
			decommission_print(stdout, end);
		}
		return EXIT_DONE;
	}
	j = record_to_json(&record_device, d);
	if (j &&
	    (json_object_set_new(j, "report",
				 r->at ? record_to_json(&record_pump_report, r) : json_null()) ||
	     json_object_set_new(j, "decommission",
				 end ? decommission_to_json(end) : json_null()))) {
		json_decref(j);
		j = NULL;
	}
	return json_show(j) ? report_failure(ERR_IO) : EXIT_DONE;
}

static int pump_show_run(const struct call *call)
{
	AUTO_IPC_CLIENT c = NULL;
	struct list_query q = {0};
	struct pump_report report = {0};
	struct device d = {0};
	struct decommission end = {0};
	int rc;

	if (query_pump_take(call, &q))
		return report_usage();
	rc = registry_open(call, &c);
	if (!rc)
		rc = registry_device_show(c, &q, &d, REGISTRY_TIMEOUT_MS);
	if (!rc)
		rc = registry_report_show(c, &q, &report, REGISTRY_TIMEOUT_MS);
	if (rc == ERR_NOT_FOUND && *d.serial)
		rc = 0; /* it has not reported yet */
	if (!rc)
		rc = registry_decommission_show(c, &q, &end, REGISTRY_TIMEOUT_MS);
	if (rc == ERR_NOT_FOUND && *d.serial)
		rc = 0; /* it stays */
	return rc ? registry_failure(call, rc)
		  : pump_print(call, &d, &report, *end.device ? &end : NULL);
}

const struct verb verb_pump_show = {
	.group = "pump",
	.name = "show",
	.operands = "SERIAL",
	.n_operands = 1,
	.summary = "Show all that is known of one pump",
	.examples = {"pump show PG-000123", "pump show PG-000123 --json",
		     "--home /tmp/try pump show PG-000123"},
	.run = pump_show_run,
};

static int pump_events_run(const struct call *call)
{
	static const struct column columns[] = {
		{"AT", "at"},	{"SOURCE", "source"}, {"WHAT", "what"},	    {"REASON", "reason"},
		{"NAS", "nas"}, {"ZONE", "zone"},     {"DETAIL", "detail"},
	};
	const struct listing l = {REGISTRY_EVENT_LIST,
				  &record_event,
				  columns,
				  7,
				  NULL,
				  "nothing has happened to this pump yet"};
	struct list_query q = {0};
	unsigned long limit;

	if (query_pump_take(call, &q) || call_number(call, "limit", 20, 1, LISTING_PAGE, &limit))
		return report_usage();
	return listing_show(call, &l, &q, limit);
}

static const struct option_spec pump_events_options[] = {
	{"limit", 'n', OPTION_VALUE, "N", "at most so many (20; up to 500)", false},
};

const struct verb verb_pump_events = {
	.group = "pump",
	.name = "events",
	.operands = "SERIAL",
	.n_operands = 1,
	.summary = "Show what happened to a pump, newest first",
	VERB_OPTIONS(pump_events_options),
	.examples = {"pump events PG-000123", "pump events PG-000123 --limit 100",
		     "pump events PG-000123 --json"},
	.run = pump_events_run,
};
