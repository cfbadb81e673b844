/* SPDX-License-Identifier: BSD-2-Clause */
/* Owns going through the pumps of a model page by page and saying what would become of each. */
#include "enroll/pumpctl/model_check.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "enroll/pumpctl/record_json.h"
#include "enroll/pumpctl/registry.h"
#include "policies/tls_profile.h"

RECORD_DESCRIBE(checked_pump, CHECKED_PUMP_FIELDS)

struct checking {
	const struct call *call;
	const struct tls_wish *wish;
	bool passing;
	struct table table;
	struct tls_tally tally;
	size_t shown;
	struct model_pump page[LISTING_PAGE];
	struct checked_pump rows[LISTING_PAGE];
};

static void row_fill(const struct model_pump *p, enum tls_outcome outcome, struct checked_pump *row)
{
	memset(row, 0, sizeof(*row));
	snprintf(row->outcome, sizeof(row->outcome), "%s", tls_outcome_name(outcome));
	memcpy(row->device, p->device, sizeof(row->device));
	memcpy(row->model, p->model, sizeof(row->model));
	memcpy(row->ward, p->ward, sizeof(row->ward));
	memcpy(row->tls, p->tls, sizeof(row->tls));
	memcpy(row->tls_cipher, p->tls_cipher, sizeof(row->tls_cipher));
	row->tls_at = p->tls_at;
	memcpy(row->key_type, p->key_type, sizeof(row->key_type));
}

/* How many of the page are to be shown; they stand in k->rows. */
static size_t page_judge(struct checking *k, size_t n)
{
	size_t rows = 0;

	for (size_t i = 0; i < n; i++) {
		const struct model_pump *p = &k->page[i];
		enum tls_outcome o = tls_outcome_of(tls_version_parse(p->tls), p->key_type,
						    k->wish->min, k->wish->key);

		k->tally.pass += o == TLS_OUTCOME_PASS;
		k->tally.fail += o == TLS_OUTCOME_FAIL;
		k->tally.unknown += o == TLS_OUTCOME_UNKNOWN;
		if (o != TLS_OUTCOME_PASS || k->passing)
			row_fill(p, o, &k->rows[rows++]);
	}
	return rows;
}

static int rows_print(struct checking *k, size_t n)
{
	if (!k->call->json && n)
		table_print(&k->table, &record_checked_pump, k->rows, n);
	for (size_t i = 0; k->call->json && i < n; i++) {
		AUTO_JSON j = record_to_json(&record_checked_pump, &k->rows[i]);

		if (!j)
			return err_set(ERR_NOMEM, "no memory for the answer");
		fputs(k->shown + i ? ",\n  " : "\n  ", stdout);
		json_dumpf(j, stdout, JSON_COMPACT);
	}
	k->shown += n;
	return 0;
}

static int pages_check(struct checking *k, struct ipc_client *c)
{
	struct model_query q = {.limit = LISTING_PAGE};
	size_t n;

	memcpy(q.model, k->wish->model, sizeof(q.model));
	do {
		int rc =
			registry_model_check(c, &q, k->page, LISTING_PAGE, &n, REGISTRY_TIMEOUT_MS);

		if (!rc)
			rc = rows_print(k, page_judge(k, n));
		if (rc)
			return rc;
		if (n)
			memcpy(q.after, k->page[n - 1].device, sizeof(q.after));
	} while (n == LISTING_PAGE);
	return 0;
}

int model_check_show(const struct call *call, struct ipc_client *c, const struct tls_wish *wish,
		     bool passing, struct tls_tally *out)
{
	static const struct column columns[] = {{"OUTCOME", "outcome"}, {"PUMP", "device"},
						{"MODEL", "model"},	{"WARD", "ward"},
						{"TLS", "tls"},		{"SEEN", "tls_at"},
						{"KEY", "key_type"},	{"CIPHER", "tls_cipher"}};
	struct checking *k = calloc(1, sizeof(*k));
	int rc;

	if (!k)
		return err_set(ERR_NOMEM, "no memory for the list");
	k->call = call;
	k->wish = wish;
	k->passing = passing;
	k->table = (struct table){
		.to = stdout, .columns = columns, .n_columns = 8, .width = terminal_width()};
	rc = pages_check(k, c);
	if (!rc)
		*out = k->tally;
	free(k);
	return rc;
}
