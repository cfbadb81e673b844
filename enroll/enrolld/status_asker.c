/* SPDX-License-Identifier: BSD-2-Clause */
/* Owns asking signerd on behalf of whoever wants to know a certificate's status. Never touches a
 * connection of theirs. */
#include "enroll/enrolld/status_asker.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/ipc_client.h"
#include "base/log.h"

#define QUEUE_MAX 64
#define CALL_MS 2500
#define FRESH_US 1000000 /* so old may the list be that is given without asking */
#define CRL_BYTES_MAX (32u * 1024 * 1024)
#define FETCH_TRIES 3 /* it may be replaced while it is read */

struct status_asker {
	struct ipc_client *signer; /* the thread's, as the next three */
	struct crl_copy *crl;
	int64_t crl_at_us;
	bool away; /* said so once */
	struct work_pool *work;
	status_done done;
	void *ctx;
};

struct crl_copy *crl_copy_ref(struct crl_copy *c)
{
	if (c)
		atomic_fetch_add(&c->refs, 1);
	return c;
}

void crl_copy_unref(struct crl_copy *c)
{
	if (c && atomic_fetch_sub(&c->refs, 1) == 1)
		free(c);
}

void status_job_free(struct status_job *job)
{
	if (!job)
		return;
	crl_copy_unref(job->crl);
	free(job);
}

static int part_get(struct status_asker *a, uint64_t number, size_t offset, struct crl_part *out)
{
	const struct crl_query q = {.number = number, .offset = (uint32_t)offset};

	return ipc_client_call(a->signer, SIGNER_CRL, &record_crl_query, &q, 1, &record_crl_part,
			       out, 1, NULL, CALL_MS);
}

static int part_add(struct crl_copy *c, size_t *got, const struct crl_part *part)
{
	if (part->number != c->number || part->total != c->len || !part->data.len ||
	    part->data.len > c->len - *got)
		return err_set(ERR_INVALID, "the signer's revocation list does not fit together");
	memcpy(c->data + *got, part->data.data, part->data.len);
	*got += part->data.len;
	return 0;
}

/* The rest of the list whose first part is in *part. */
static int parts_get(struct status_asker *a, struct crl_part *part, struct crl_copy **out)
{
	struct crl_copy *c;
	size_t got = 0;
	int rc;

	if (!part->total || part->total > CRL_BYTES_MAX)
		return err_set(ERR_LIMIT, "revocation list of %u bytes", part->total);
	c = malloc(sizeof(*c) + part->total);
	if (!c)
		return err_set(ERR_NOMEM, "no memory for the revocation list");
	*c = (struct crl_copy){.refs = 1,
			       .number = part->number,
			       .next_update_ms = part->next_update,
			       .len = part->total};
	rc = part_add(c, &got, part);
	while (!rc && got < c->len) {
		rc = part_get(a, c->number, got, part);
		if (!rc)
			rc = part_add(c, &got, part);
	}
	if (rc)
		crl_copy_unref(c);
	else
		*out = c;
	return rc;
}

static int crl_fetch(struct status_asker *a)
{
	struct crl_part part;
	struct crl_copy *fresh;
	int rc = ERR_NOT_FOUND;

	for (int i = 0; rc == ERR_NOT_FOUND && i < FETCH_TRIES; i++) {
		rc = part_get(a, 0, 0, &part);
		if (!rc && a->crl && a->crl->number == part.number)
			return 0;
		if (!rc)
			rc = parts_get(a, &part, &fresh);
	}
	if (rc)
		return rc;
	crl_copy_unref(a->crl);
	a->crl = fresh;
	return 0;
}

/* While the signer is away the last list is given as long as it says itself that it is good. */
static int crl_get(struct status_asker *a, struct crl_copy **out)
{
	int64_t now_us = clock_mono_us();
	bool is_fresh = a->crl && now_us - a->crl_at_us < FRESH_US;
	int rc = is_fresh ? 0 : crl_fetch(a);

	if (rc && !a->away)
		LOG(LOG_WARN, "status.crl_not_fetched", LOG_S("why", err_text()));
	a->away = rc != 0;
	if (rc && (!a->crl || clock_wall_ms() >= a->crl->next_update_ms))
		return rc;
	if (!is_fresh)
		a->crl_at_us = now_us;
	*out = crl_copy_ref(a->crl);
	return 0;
}

static void job_run(struct work *w, void *asker)
{
	struct status_asker *a = asker;
	struct status_job *job = (struct status_job *)w;

	if (clock_mono_us() > job->give_up_us)
		job->rc = ERR_BUSY;
	else if (job->is_ocsp)
		job->rc = ipc_client_call(a->signer, SIGNER_OCSP, &record_ocsp_query,
					  job->asked.queries, job->asked.n, &record_ocsp_answer,
					  &job->answer, 1, NULL, CALL_MS);
	else
		job->rc = crl_get(a, &job->crl);
}

static void job_done(struct work *w, void *ctx)
{
	struct status_asker *a = ctx;

	a->done((struct status_job *)w, a->ctx);
}

static void job_drop(struct work *w)
{
	status_job_free((struct status_job *)w);
}

int status_asker_new(struct event_base *base, const char *socket, status_done done, void *ctx,
		     struct status_asker **out)
{
	struct status_asker *a = calloc(1, sizeof(*a));
	const struct work_plan plan = {QUEUE_MAX, job_run, job_done, job_drop, a};
	int rc;

	if (!a)
		return err_set(ERR_NOMEM, "no memory to ask the signer");
	a->done = done;
	a->ctx = ctx;
	rc = ipc_client_new(socket, "publish", &a->signer);
	if (!rc)
		rc = work_pool_new(base, &plan, (void *[]){a}, 1, &a->work);
	if (rc)
		status_asker_free(a);
	else
		*out = a;
	return rc;
}

void status_asker_free(struct status_asker *a)
{
	if (!a || !work_pool_free(a->work))
		return;
	ipc_client_free(a->signer);
	crl_copy_unref(a->crl);
	free(a);
}

int status_asker_submit(struct status_asker *a, struct status_job *job)
{
	int rc = work_pool_submit(a->work, &job->work);

	return rc ? err_add(rc, "status") : 0;
}
