/* SPDX-License-Identifier: BSD-2-Clause */
/* Owns how status shows break-glass codes. */
#include "enroll/pumpctl/glass_report.h"

#include <inttypes.h>
#include <stdio.h>

#include "base/clock.h"
#include "enroll/pumpctl/record_json.h"
#include "enroll/pumpctl/registry.h"
#include "sql/proto/cred_verbs.h"

void glass_report_take(const struct call *call, struct glass_report *out)
{
	struct list_query q = {.limit = GLASS_SHOWN, .state = "used"};
	AUTO_IPC_CLIENT c = NULL;
	int rc = cred_open(call, &c);

	*out = (struct glass_report){0};
	rc = rc ? rc
		: ipc_client_call(c, CRED_GLASS_COUNT, &record_list_query, &q, 1,
				  &record_glass_count, &out->count, 1, NULL, REGISTRY_TIMEOUT_MS);
	if (!rc && out->count.unreviewed)
		rc = ipc_client_call(c, CRED_GLASS_LIST, &record_list_query, &q, 1, &record_glass,
				     out->uses, GLASS_SHOWN, &out->n_uses, REGISTRY_TIMEOUT_MS);
	if (rc)
		*out = (struct glass_report){0};
}

void glass_report_print(const struct glass_report *r)
{
	char when[CLOCK_TEXT_MAX];

	if (!r->count.open && !r->count.unreviewed)
		return;
	printf("break-glass   %" PRIu64 " codes open, %" PRIu64 " uses to be named\n",
	       r->count.open, r->count.unreviewed);
	for (size_t i = 0; i < r->n_uses; i++) {
		clock_format(r->uses[i].used_at, when);
		printf("  code %-8" PRIu64 " pump %s, ward %s, used %s\n", r->uses[i].id,
		       r->uses[i].device, *r->uses[i].ward ? r->uses[i].ward : "-", when);
	}
}

json_t *glass_report_json(const struct glass_report *r)
{
	json_t *uses = json_array();

	for (size_t i = 0; i < r->n_uses; i++)
		json_array_append_new(uses, record_to_json(&record_glass, &r->uses[i]));
	return json_pack("{s:I s:I s:o}", "open", (json_int_t)r->count.open, "unreviewed",
			 (json_int_t)r->count.unreviewed, "uses", uses);
}
