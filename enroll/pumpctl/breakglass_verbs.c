/* SPDX-License-Identifier: BSD-2-Clause */
/* pumpctl breakglass issue | list | review | void: codes in sealed envelopes, and who used them. A
 * code is printed once, on standard output, and nowhere else. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/secret.h"
#include "enroll/pumpctl/device_fields.h"
#include "enroll/pumpctl/query.h"
#include "enroll/pumpctl/record_json.h"
#include "enroll/pumpctl/registry.h"
#include "enroll/pumpctl/report.h"
#include "enroll/pumpctl/verbs.h"
#include "sql/proto/cred_verbs.h"
#include "sql/proto/glass_records.h"

#define ISSUE_TIMEOUT_MS 60000
#define PUMPS_MAX 2000 /* of one ward */

/* ---- issue ---- */

struct issue {
	struct glass_want *wants;
	size_t n_wants;
	struct glass_issued *codes; /* in the order of the pumps; wiped when freed */
	size_t n_codes;
	unsigned long per_pump;
};

static void issue_done(struct issue *i)
{
	if (i->codes)
		secret_wipe(i->codes, PUMPS_MAX * BREAK_GLASS_PER_PUMP * sizeof(*i->codes));
	free(i->codes);
	free(i->wants);
}
#define AUTO_ISSUE __attribute__((cleanup(issue_done))) struct issue

static int want_template(const struct call *call, struct list_query *q, struct issue *i,
			 struct glass_want *out)
{
	const char *role = call_value(call, "role");
	unsigned long days = 0;
	int rc = query_filters_take(call, q);

	if (!rc && !*q->ward == !*q->device)
		rc = err_set(ERR_INVALID, "for which pumps? Say --ward W, or --pump SERIAL");
	if (!rc && *q->device)
		rc = device_serial_check(q->device);
	rc = rc ? rc : call_number(call, "days", 90, 1, GLASS_DAYS_MAX, &days);
	rc = rc ? rc : call_number(call, "codes", 2, 1, BREAK_GLASS_PER_PUMP, &i->per_pump);
	rc = rc ? rc : str_copy(out->role, sizeof(out->role), role ? role : "nurse");
	out->codes = (uint32_t)i->per_pump;
	out->not_after = clock_wall_ms() + (int64_t)days * 86400000;
	return rc;
}

/* A pump whose certificate is gone is not to be opened to anybody. */
static bool is_in_use(const struct device *d)
{
	return strcmp(d->state, "revoked") && strcmp(d->state, "decommissioned");
}

static int pumps_take(struct issue *i, const struct device *rows, size_t n,
		      const struct glass_want *model)
{
	for (size_t k = 0; k < n; k++) {
		struct glass_want *w = &i->wants[i->n_wants];

		if (!is_in_use(&rows[k]))
			continue;
		if (i->n_wants == PUMPS_MAX)
			return err_set(ERR_LIMIT, "more than %d pumps; issue by --pump SERIAL",
				       PUMPS_MAX);
		*w = *model;
		memcpy(w->device, rows[k].serial, sizeof(w->device));
		memcpy(w->ward, rows[k].ward, sizeof(w->ward));
		i->n_wants++;
	}
	return 0;
}

/* The pumps that are meant, from the registry's inventory. */
static int pumps_find(const struct call *call, struct list_query *q, struct issue *i,
		      const struct glass_want *model)
{
	struct device *rows = calloc(LISTING_PAGE, sizeof(*rows));
	AUTO_IPC_CLIENT c = NULL;
	size_t n = LISTING_PAGE;
	int rc = rows ? registry_open(call, &c) : err_set(ERR_NOMEM, "no memory");

	q->limit = LISTING_PAGE;
	while (!rc && n == LISTING_PAGE) {
		rc = ipc_client_call(c, REGISTRY_DEVICE_LIST, &record_list_query, q, 1,
				     &record_device, rows, LISTING_PAGE, &n, REGISTRY_TIMEOUT_MS);
		rc = rc ? rc : pumps_take(i, rows, n, model);
		if (!rc && n)
			rc = str_copy(q->after, sizeof(q->after), rows[n - 1].serial);
	}
	free(rows);
	return rc;
}

static int codes_make(const struct call *call, struct issue *i)
{
	bool progress = isatty(STDERR_FILENO);
	AUTO_IPC_CLIENT c = NULL;
	int rc = cred_open(call, &c);

	for (size_t at = 0; !rc && at < i->n_wants;) {
		size_t left = i->n_wants - at, got = 0;
		size_t n = left < GLASS_WANTS_MAX ? left : GLASS_WANTS_MAX;

		rc = ipc_client_call(c, CRED_GLASS_ISSUE, &record_glass_want, i->wants + at, n,
				     &record_glass_issued, i->codes + i->n_codes,
				     GLASS_WANTS_MAX * BREAK_GLASS_PER_PUMP, &got,
				     ISSUE_TIMEOUT_MS);
		i->n_codes += rc ? 0 : got;
		at += n;
		if (progress)
			fprintf(stderr, "\r%zu of %zu pumps", at, i->n_wants);
	}
	if (progress)
		fputc('\n', stderr);
	return rc;
}

/* Lines that stand on their own when they are cut apart and put into envelopes. */
static void envelope_print(const struct issue *i, const char *ward)
{
	char until[CLOCK_TEXT_MAX];
	const char *before = "";

	clock_format(i->wants[0].not_after, until);
	printf("BREAK-GLASS CODES%s%s - put into a sealed envelope\n\n", *ward ? ", WARD " : "",
	       ward);
	printf("Each code lets one person in, once, at the pump beside it, until %.10s.\n", until);
	printf("No network is needed. Each use is recorded; afterwards somebody says who it\n"
	       "was and why: pumpctl breakglass review. Codes of earlier envelopes are void.\n");
	for (size_t k = 0; k < i->n_codes; k++) {
		const struct glass_issued *g = &i->codes[k];

		if (strcmp(before, g->device))
			printf("\n%-24s", g->device);
		before = g->device;
		printf("  %.*s", (int)g->code.len, (const char *)g->code.data);
	}
	printf("\n");
}

static int envelope_json(const struct issue *i)
{
	json_t *all = json_array();

	for (size_t k = 0; k < i->n_codes; k++) {
		const struct glass_issued *g = &i->codes[k];

		json_array_append_new(all, json_pack("{s:s s:I s:s% s:o}", "pump", g->device, "id",
						     (json_int_t)g->id, "code", g->code.data,
						     (size_t)g->code.len, "until",
						     time_to_json(g->not_after)));
	}
	return json_show(all) ? report_failure(ERR_IO) : EXIT_DONE;
}

static int issue_run(const struct call *call)
{
	AUTO_ISSUE i = {.wants = calloc(PUMPS_MAX, sizeof(*i.wants)),
			.codes = calloc(PUMPS_MAX * BREAK_GLASS_PER_PUMP, sizeof(*i.codes))};
	struct glass_want model = {0};
	struct list_query q = {0};
	int rc;

	if (!i.wants || !i.codes)
		return report_failure(err_set(ERR_NOMEM, "no memory for codes"));
	if (want_template(call, &q, &i, &model))
		return report_usage();
	rc = pumps_find(call, &q, &i, &model);
	if (rc)
		return registry_failure(call, rc);
	if (!i.n_wants) {
		report_note("no such pump; look at: pumpctl pump list");
		return EXIT_NOTHING;
	}
	if (call_flag(call, "dry-run")) {
		report_line(call, "would issue %lu codes for each of %zu pumps; nothing was done",
			    i.per_pump, i.n_wants);
		return EXIT_DONE;
	}
	rc = codes_make(call, &i);
	if (rc && !i.n_codes)
		return cred_failure(call, rc);
	if (call->json && envelope_json(&i) != EXIT_DONE)
		return EXIT_FAILED;
	if (!call->json)
		envelope_print(&i, q.ward);
	if (rc) /* what was made is good and not shown again */
		report_note("only some pumps have new codes; issue the rest by --pump");
	return rc ? cred_failure(call, rc) : EXIT_DONE;
}

static const struct option_spec issue_options[] = {
	{"ward", 0, OPTION_VALUE, "W", "for the pumps of this ward", false},
	{"pump", 0, OPTION_VALUE, "SERIAL", "for this pump alone", false},
	{"codes", 0, OPTION_VALUE, "N", "codes for each pump, 1 to 4 (2)", false},
	{"days", 0, OPTION_VALUE, "N", "good for so many days (90)", false},
	{"role", 0, OPTION_VALUE, "R", "role that a code gives (nurse)", false},
	{"dry-run", 'n', OPTION_FLAG, NULL, "only say for how many pumps", false},
};

const struct verb verb_breakglass_issue = {
	.group = "breakglass",
	.name = "issue",
	.operands = "",
	.summary = "Print new break-glass codes for an envelope; earlier ones of these pumps end",
	VERB_OPTIONS(issue_options),
	.examples = {"breakglass issue --ward ICU --dry-run",
		     "breakglass issue --ward ICU --days 30",
		     "breakglass issue --pump PG-000123 --codes 1"},
	.run = issue_run,
};

/* ---- list ---- */

static int list_run(const struct call *call)
{
	static const struct column columns[] = {
		{"CODE", "id"},	      {"PUMP", "device"},     {"WARD", "ward"},
		{"STATE", "state"},   {"UNTIL", "not_after"}, {"USED", "used_at"},
		{"HEARD", "told_at"}, {"WHO", "person"},      {"WHY", "reason"},
	};
	const struct listing l = {
		CRED_GLASS_LIST, &record_glass,
		columns,	 9,
		"key",		 "no such code; make some by: pumpctl breakglass issue --ward W"};
	struct list_query q = {0};

	if (query_filters_take(call, &q))
		return report_usage();
	if (call_flag(call, "unreviewed") && str_copy(q.state, sizeof(q.state), "used"))
		return report_usage();
	return people_show(call, &l, &q, 0);
}

static const struct option_spec list_options[] = {
	{"unreviewed", 0, OPTION_FLAG, NULL, "used, and nobody has said by whom", false},
	{"ward", 0, OPTION_VALUE, "W", "issued for this ward", false},
	{"pump", 0, OPTION_VALUE, "SERIAL", "of this pump", false},
};

const struct verb verb_breakglass_list = {
	.group = "breakglass",
	.name = "list",
	.operands = "",
	.summary = "List break-glass codes by number (never the codes themselves) and their uses",
	VERB_OPTIONS(list_options),
	.examples = {"breakglass list --unreviewed", "breakglass list --ward ICU",
		     "breakglass list --json"},
	.run = list_run,
};

/* ---- review, void ---- */

static int review_run(const struct call *call)
{
	struct glass_review r = {0};
	const char *text = call->operands[0];
	char *end;
	AUTO_IPC_CLIENT c = NULL;
	int rc = 0;

	r.id = strtoull(text, &end, 10);
	if (*text < '0' || *text > '9' || *end || !r.id || r.id > INT64_MAX)
		rc = err_set(ERR_INVALID, "%s: a code's number, as breakglass list shows it", text);
	if (!rc && str_copy(r.person, sizeof(r.person), call_value(call, "name")))
		rc = err_set(ERR_INVALID, "--name: too long");
	if (!rc && str_copy(r.reason, sizeof(r.reason), call_value(call, "reason")))
		rc = err_set(ERR_INVALID, "--reason: too long");
	if (rc)
		return report_usage();
	rc = cred_open(call, &c);
	rc = rc ? rc
		: ipc_client_call(c, CRED_GLASS_REVIEW, &record_glass_review, &r, 1, NULL, NULL, 0,
				  NULL, REGISTRY_TIMEOUT_MS);
	if (rc)
		return cred_failure(call, rc);
	report_line(call, "code %" PRIu64 ": used by %s", r.id, r.person);
	return EXIT_DONE;
}

static const struct option_spec review_options[] = {
	{"name", 0, OPTION_VALUE, "WHO", "who used it", true},
	{"reason", 0, OPTION_VALUE, "TEXT", "why it was needed", true},
};

const struct verb verb_breakglass_review = {
	.group = "breakglass",
	.name = "review",
	.operands = "CODE-NUMBER",
	.n_operands = 1,
	.summary = "Say who used a break-glass code, and why",
	VERB_OPTIONS(review_options),
	.examples = {"breakglass review 17 --name 'Anna Meier' --reason 'network down, bed 4'",
		     "breakglass review 18 --name unknown --reason 'reported to security'",
		     "--home /tmp/try breakglass review 17 --name A --reason test"},
	.run = review_run,
};

static int void_run(const struct call *call)
{
	const char *reason = call_value(call, "reason");
	struct glass_count done = {0};
	struct glass_void v = {0};
	struct list_query q = {0};
	AUTO_IPC_CLIENT c = NULL;
	int rc = query_filters_take(call, &q);

	if (!rc && !*q.ward == !*q.device)
		rc = err_set(ERR_INVALID, "of which pumps? Say --ward W, or --pump SERIAL");
	if (!rc && str_copy(v.reason, sizeof(v.reason), reason))
		rc = err_set(ERR_INVALID, "--reason: too long");
	if (rc)
		return report_usage();
	memcpy(v.device, q.device, sizeof(v.device));
	memcpy(v.ward, q.ward, sizeof(v.ward));
	rc = cred_open(call, &c);
	rc = rc ? rc
		: ipc_client_call(c, CRED_GLASS_VOID, &record_glass_void, &v, 1,
				  &record_glass_count, &done, 1, NULL, REGISTRY_TIMEOUT_MS);
	if (rc)
		return cred_failure(call, rc);
	report_line(call,
		    "%" PRIu64 " codes are void; a pump without network learns it when it is back",
		    done.voided);
	return EXIT_DONE;
}

static const struct option_spec void_options[] = {
	{"ward", 0, OPTION_VALUE, "W", "of this ward", false},
	{"pump", 0, OPTION_VALUE, "SERIAL", "of this pump", false},
	{"reason", 0, OPTION_VALUE, "TEXT", "such as: envelope lost", true},
};

const struct verb verb_breakglass_void = {
	.group = "breakglass",
	.name = "void",
	.operands = "",
	.summary = "Make codes void that were not used: an envelope is lost or was opened",
	VERB_OPTIONS(void_options),
	.examples = {"breakglass void --ward ICU --reason 'envelope lost'",
		     "breakglass void --pump PG-000123 --reason 'seal broken'",
		     "--home /tmp/try breakglass void --ward ICU --reason test"},
	.run = void_run,
};
