/* SPDX-License-Identifier: BSD-2-Clause */
/* Owns the words of a recall's report. Never claims what no NAS has confirmed. */
#include "enroll/pumpctl/recall_report.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "enroll/pumpctl/record_json.h"
#include "enroll/pumpctl/table.h"

#define NAS_SHOWN 20

static bool is(const struct recall *r, const char *state)
{
	return !strcmp(r->state, state);
}

static uint64_t open_orders(const struct recall *r)
{
	return r->refused + r->silent + r->unknown;
}

enum recall_outcome recall_outcome(const struct recall *r)
{
	if (!is(r, "done") && !is(r, "running"))
		return RECALL_STOPPED;
	if (is(r, "running") || open_orders(r) || r->unkept)
		return RECALL_OPEN;
	return r->unsendable ? RECALL_UNSENT : RECALL_GREEN;
}

bool recall_is_settled(const struct recall *r)
{
	return recall_outcome(r) != RECALL_OPEN;
}

static void who_print(FILE *to, const char *what, const char *by, int64_t at)
{
	char name[LABEL_SIZE * 4], when[CLOCK_TEXT_MAX];

	if (!at)
		return;
	log_escape(by, strlen(by), name, sizeof(name));
	clock_format(at, when);
	fprintf(to, "  %-16s %s by %s\n", what, when, name);
}

static void pumps_print(FILE *to, const struct recall *r)
{
	fprintf(to, "  %-16s %" PRIu64 " of %" PRIu64, "revoked", r->revoked, r->pumps);
	if (r->already)
		fprintf(to, ", %" PRIu64 " had been before", r->already);
	if (r->waiting)
		fprintf(to, ", %" PRIu64 " %s", r->waiting,
			is(r, "cancelled") ? "left alone" : "not yet");
	if (r->ended_at && r->confirmed_at && is(r, "done"))
		fprintf(to, ", in %.1f s", (double)(r->ended_at - r->confirmed_at) / 1000);
	fputc('\n', to);
}

static void orders_print(FILE *to, const struct recall *r)
{
	const struct {
		uint64_t n;
		const char *words;
	} parts[] = {
		{r->acked, "acknowledged"},
		{r->gone, "no such session"},
		{r->silent, "no answer (retries go on)"},
		{r->refused, "refused (retries go on)"},
		{r->unknown, "not known yet"},
		{r->unsendable, "cannot be told"},
	};
	const char *gap = "";

	fprintf(to, "  %-16s ", "disconnect");
	if (!r->orders)
		fputs("no NAS had one of them in the last 24 hours", to);
	for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
		if (!parts[i].n)
			continue;
		fprintf(to, "%s%" PRIu64 " %s", gap, parts[i].n, parts[i].words);
		gap = ", ";
	}
	if (r->answered_at && r->confirmed_at && r->orders && !open_orders(r))
		fprintf(to, "; the last %.1f s after the start",
			(double)(r->answered_at - r->confirmed_at) / 1000);
	fputc('\n', to);
	if (!r->revoked)
		return;
	if (r->unkept)
		fprintf(to, "  %-16s not yet for %" PRIu64 " certificates\n", "kept by signer",
			r->unkept);
	else
		fprintf(to, "  %-16s all: a restored backup cannot bring them back\n",
			"kept by signer");
}

/* How much a NAS needs a person. */
static int urgency(const struct recall_nas *n)
{
	return n->unsendable ? 4 : n->silent ? 3 : n->refused ? 2 : n->unknown ? 1 : 0;
}

static int by_urgency(const void *a, const void *b)
{
	const struct recall_nas *x = a, *y = b;
	int d = urgency(y) - urgency(x);

	return d ? d : strcmp(x->nas, y->nas);
}

static void nas_print(FILE *to, const struct recall_report *r)
{
	static const struct column columns[] = {
		{"NAS", "nas"},		  {"ORDERS", "orders"},	    {"ACK", "acked"},
		{"GONE", "gone"},	  {"SILENT", "silent"},	    {"REFUSED", "refused"},
		{"NOT KNOWN", "unknown"}, {"UNTOLD", "unsendable"}, {"SLOWEST MS", "slowest_ms"},
	};
	struct table t = {.to = to, .columns = columns, .n_columns = 9, .width = terminal_width()};
	struct recall_nas *sorted = calloc(r->n_nas ? r->n_nas : 1, sizeof(*sorted));
	size_t shown = 0, open = 0;

	if (!sorted)
		return;
	if (r->n_nas)
		memcpy(sorted, r->nas, r->n_nas * sizeof(*sorted));
	qsort(sorted, r->n_nas, sizeof(*sorted), by_urgency);
	while (open < r->n_nas && urgency(&sorted[open]))
		open++;
	if (open)
		shown = open < NAS_SHOWN ? open : NAS_SHOWN;
	if (shown)
		table_print(&t, &record_recall_nas, sorted, shown);
	if (shown < open)
		fprintf(to, "and %zu more that have not confirmed (--json has all)\n",
			open - shown);
	if (r->n_nas > open)
		fprintf(to, "%zu NAS have confirmed everything\n", r->n_nas - open);
	free(sorted);
}

void recall_report_print(FILE *to, const struct recall_report *r)
{
	const struct recall *v = &r->recall;
	char reason[RECALL_REASON_SIZE * 4], chosen[TEXT_SIZE * 4];

	log_escape(v->reason, strlen(v->reason), reason, sizeof(reason));
	log_escape(v->chosen, strlen(v->chosen), chosen, sizeof(chosen));
	fprintf(to, "recall %" PRIu64 " is %s: %s (%s)\n", v->id, v->state, reason, chosen);
	who_print(to, "requested", v->requested_by, v->requested_at);
	if (v->second_person)
		who_print(to, "confirmed", v->confirmed_by, v->confirmed_at);
	who_print(to, is(v, "cancelled") ? "cancelled" : "paused, resumed", v->changed_by,
		  v->changed_at);
	pumps_print(to, v);
	if (v->revoked)
		orders_print(to, v);
	nas_print(to, r);
}

void recall_next_step(const struct recall *r, char *out, size_t size)
{
	*out = '\0';
	if (is(r, "requested"))
		snprintf(out, size,
			 "it waits for another admin, for a day: pumpctl recall confirm %" PRIu64
			 " --count %" PRIu64,
			 r->id, r->pumps);
	else if (is(r, "lapsed"))
		snprintf(out, size, "nobody confirmed it in a day: request it again");
	else if (is(r, "paused"))
		snprintf(out, size,
			 "go on: pumpctl recall resume %" PRIu64
			 "; or give it up: pumpctl recall cancel %" PRIu64,
			 r->id, r->id);
	else if (is(r, "running"))
		snprintf(out, size, "it goes on by itself; stop it: pumpctl recall pause %" PRIu64,
			 r->id);
	else if (is(r, "done") && open_orders(r))
		snprintf(out, size,
			 "not every NAS has confirmed; retries go on: pumpctl recall show %" PRIu64,
			 r->id);
	else if (is(r, "done") && r->unkept)
		snprintf(out, size,
			 "signerd has not written all down yet; it does so as soon as "
			 "it is there");
	else if (is(r, "done") && r->unsendable)
		snprintf(out, size,
			 "a NAS cannot be told: shut the ports there, or the pumps stay "
			 "until their sessions end");
}

json_t *recall_report_to_json(const struct recall_report *r)
{
	json_t *j = record_to_json(&record_recall, &r->recall);
	json_t *nas = json_array();

	for (size_t i = 0; i < r->n_nas; i++)
		json_array_append_new(nas, record_to_json(&record_recall_nas, &r->nas[i]));
	if (!j || json_object_set_new(j, "nas", nas) ||
	    json_object_set_new(j, "confirmed",
				json_boolean(recall_outcome(&r->recall) == RECALL_GREEN))) {
		json_decref(j);
		return NULL;
	}
	return j;
}
