/* SPDX-License-Identifier: BSD-2-Clause */
/* Owns new break-glass codes until they are handed out, once. Never logs or keeps one. */
#include "sql/credd/glass.h"

#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/secret.h"

void glass_batches_free(struct glass_batch *batches, size_t n)
{
	if (!batches)
		return;
	secret_wipe(batches, n * sizeof(*batches));
	free(batches);
}

static int batch_make(const struct glass_want *w, struct glass_batch *out)
{
	int rc = 0;

	if (w->codes > BREAK_GLASS_PER_PUMP)
		return err_set(ERR_INVALID, "at most %d codes for a pump", BREAK_GLASS_PER_PUMP);
	for (uint32_t i = 0; !rc && i < w->codes; i++) {
		secret_fill_random(out->hashes[i].salt, BREAK_GLASS_SALT);
		break_glass_code_new(out->codes[i]);
		rc = break_glass_hash(w->device, out->codes[i], out->hashes[i].salt,
				      out->hashes[i].hash);
	}
	return rc;
}

int glass_make(const struct glass_want *wants, size_t n, struct glass_batch **out)
{
	struct glass_batch *b = calloc(n ? n : 1, sizeof(*b));
	int rc = b ? 0 : err_set(ERR_NOMEM, "no memory for codes");

	for (size_t i = 0; !rc && i < n; i++)
		rc = batch_make(&wants[i], &b[i]);
	if (rc) {
		glass_batches_free(b, n);
		return rc;
	}
	*out = b;
	return 0;
}

/* The codes of one pump into the answer. */
static void issued_put(const struct glass_want *w, const struct glass_batch *b,
		       const uint64_t ids[BREAK_GLASS_PER_PUMP], struct glass_issued *out)
{
	for (uint32_t i = 0; i < w->codes; i++) {
		memcpy(out[i].device, w->device, sizeof(out[i].device));
		out[i].id = ids[i];
		out[i].not_after = w->not_after;
		out[i].code.len = BREAK_GLASS_TEXT_SIZE - 1;
		memcpy(out[i].code.data, b->codes[i], BREAK_GLASS_TEXT_SIZE - 1);
	}
}

static int issue_in(struct people *p, const struct admin_job *j, const struct action *by,
		    struct glass_issued *out, size_t *n_out)
{
	size_t n;
	const struct glass_want *wants = ipc_request_records(j->job.rq, &n);
	uint64_t ids[BREAK_GLASS_PER_PUMP];
	int rc = people_begin(p);

	*n_out = 0;
	for (size_t i = 0; !rc && i < n; i++) {
		rc = people_glass_add(p, by, &wants[i], j->glass[i].hashes, ids);
		if (!rc)
			issued_put(&wants[i], &j->glass[i], ids, &out[*n_out]);
		*n_out += rc ? 0 : wants[i].codes;
	}
	rc = rc ? rc : people_commit(p);
	if (rc)
		people_rollback(p);
	return rc;
}

void glass_issue(struct people *p, struct admin_job *j, const struct action *by)
{
	struct glass_issued out[GLASS_WANTS_MAX * BREAK_GLASS_PER_PUMP] = {0};
	struct ipc_request *rq = j->job.rq;
	size_t n = 0;
	int rc = issue_in(p, j, by, out, &n);

	LOG(rc ? LOG_WARN : LOG_INFO, "glass_issue", LOG_S("by", by->actor), LOG_U("codes", n),
	    LOG_S("outcome", rc ? err_name(rc) : "done"), LOG_S("why", rc ? err_text() : ""));
	admin_job_free(j);
	if (rc)
		ipc_request_fail(rq, rc);
	else
		ipc_request_reply(rq, out, n);
	secret_wipe(out, sizeof(out));
}

int glass_hears(struct people *p, const char *device, int64_t now_ms, struct buf *b)
{
	struct login_code codes[BREAK_GLASS_PER_PUMP];
	struct login_codes all;
	size_t n = 0;
	int rc = people_glass_of(p, device, now_ms, codes, BREAK_GLASS_PER_PUMP, &n);

	all.n = (uint32_t)n;
	rc = rc ? rc : login_item_put(b, LOGIN_KIND_CODES, &record_login_codes, &all);
	for (size_t i = 0; !rc && i < n; i++)
		rc = login_item_put(b, LOGIN_KIND_CODE, &record_login_code, &codes[i]);
	return rc;
}
