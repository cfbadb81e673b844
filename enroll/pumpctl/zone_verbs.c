/* SPDX-License-Identifier: BSD-2-Clause */
/* pumpctl zone add | list: where pumps are placed. */
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "enroll/pumpctl/registry.h"
#include "enroll/pumpctl/report.h"
#include "enroll/pumpctl/verbs.h"

static int zone_take(const struct call *call, struct zone *z)
{
	static const char *const purposes[] = {"onboarding", "quarantine", "parking"};
	const char *filter = call_value(call, "filter-id");
	const char *session = call_value(call, "session");
	unsigned long vlan;
	int64_t ms;
	int rc = str_copy(z->name, sizeof(z->name), call->operands[0]);

	if (rc || !z->name[0])
		return err_set(ERR_INVALID, "a zone's name has 1 to %zu characters",
			       sizeof(z->name) - 1);
	if ((rc = call_number(call, "vlan", 0, 1, 4094, &vlan)) ||
	    (rc = clock_duration_parse(session ? session : "8h", &ms)))
		return rc;
	if (ms < 60000 || ms > 7 * 86400000LL)
		return err_set(ERR_INVALID, "--session %s: 1m to 7d", session);
	if (filter && str_copy(z->filter_id, sizeof(z->filter_id), filter))
		return err_set(ERR_INVALID, "--filter-id: at most %zu characters",
			       sizeof(z->filter_id) - 1);
	z->vlan = (uint32_t)vlan;
	z->session_s = (uint32_t)(ms / 1000);
	for (size_t i = 0; i < sizeof(purposes) / sizeof(purposes[0]); i++) {
		if (!call_flag(call, purposes[i]))
			continue;
		if (*z->purpose)
			return err_set(ERR_INVALID, "a zone has one purpose: --%s or --%s",
				       z->purpose, purposes[i]);
		snprintf(z->purpose, sizeof(z->purpose), "%s", purposes[i]);
	}
	return 0;
}

static int zone_add_run(const struct call *call)
{
	AUTO_IPC_CLIENT c = NULL;
	struct zone z = {0};
	int rc;

	if (zone_take(call, &z))
		return report_usage();
	rc = registry_open(call, &c);
	if (!rc)
		rc = registry_zone_add(c, &z, REGISTRY_TIMEOUT_MS);
	if (rc)
		return registry_failure(call, rc);
	if (call->json)
		return record_show(call, &record_zone, &z);
	printf("zone %s: VLAN %u\n", z.name, z.vlan);
	return EXIT_DONE;
}

static const struct option_spec zone_add_options[] = {
	{"vlan", 0, OPTION_VALUE, "N", "VLAN id, 1 to 4094", true},
	{"filter-id", 0, OPTION_VALUE, "F", "filter that the NAS applies (Filter-Id)", false},
	{"session", 0, OPTION_VALUE, "T", "re-authentication after this time (8h)", false},
	{"onboarding", 0, OPTION_FLAG, NULL, "for pumps without a certificate: enrolment only",
	 false},
	{"quarantine", 0, OPTION_FLAG, NULL, "for quarantined pumps: alarms, enrolment, time only",
	 false},
	{"parking", 0, OPTION_FLAG, NULL, "for parked pumps: enrolment and time only", false},
};

const struct verb verb_zone_add = {
	.group = "zone",
	.name = "add",
	.operands = "NAME",
	.n_operands = 1,
	.summary = "Define a zone: its VLAN and what the NAS shall let through",
	VERB_OPTIONS(zone_add_options),
	.examples = {"zone add icu --vlan 110", "zone add quarantine --vlan 98 --quarantine",
		     "zone add onboarding --vlan 99 --onboarding"},
	.run = zone_add_run,
};

static int zone_list_run(const struct call *call)
{
	static const struct column columns[] = {
		{"ZONE", "name"},	  {"VLAN", "vlan"},	  {"FILTER", "filter_id"},
		{"SESSION", "session_s"}, {"PURPOSE", "purpose"}, {"PUMPS", "devices"},
	};
	const struct listing l = {REGISTRY_ZONE_LIST,
				  &record_zone,
				  columns,
				  6,
				  "name",
				  "no zone yet; do: pumpctl zone add NAME --vlan N"};
	struct list_query q = {0};

	return listing_show(call, &l, &q, 0);
}

const struct verb verb_zone_list = {
	.group = "zone",
	.name = "list",
	.operands = "",
	.summary = "List the zones",
	.examples = {"zone list", "zone list --json", "--home /tmp/try zone list"},
	.run = zone_list_run,
};
