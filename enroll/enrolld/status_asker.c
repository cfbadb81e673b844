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
#define CRLS_KEPT 3   /* more than CAs are in force at once */
#define FETCH_TRIES 3 /* it may be replaced while it is read */

/* The newest list of a CA that somebody asked for. */
struct crl_kept {
	uint32_t ca;
	struct crl_copy *crl; /* NULL: free */
	int64_t at_us;
};

struct status_asker {
	struct ipc_client *signer; /* the thread's, as the next two */
	struct crl_kept kept[CRLS_KEPT];
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

static int part_get(struct status_asker *a, uint32_t ca, uint64_t number, size_t offset,
		    struct crl_part *out)
{
	const struct crl_query q = {.ca = ca, .number = number, .offset = (uint32_t)offset};

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
static int parts_get(struct status_asker *a, uint32_t ca, struct crl_part *part,
		     struct crl_copy **out)
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
		rc = part_get(a, ca, c->number, got, part);
		if (!rc)
			rc = part_add(c, &got, part);
	}
	if (rc)
		crl_copy_unref(c);
	else
		*out = c;
	return rc;
}

/* Where the list of this CA is kept: its place, else a free one, else the oldest. */
static struct crl_kept *kept_find(struct status_asker *a, uint32_t ca)
{
	struct crl_kept *best = &a->kept[0];

	for (size_t i = 0; i < CRLS_KEPT; i++) {
		struct crl_kept *k = &a->kept[i];

		if (k->crl && k->ca == ca)
			return k;
		if (best->crl && (!k->crl || k->at_us < best->at_us))
			best = k;
	}
	return best;
}

static void kept_drop(struct crl_kept *k)
{
	crl_copy_unref(k->crl);
	k->crl = NULL;
}

static int crl_fetch(struct status_asker *a, struct crl_kept *k, uint32_t ca)
{
	struct crl_part part;
	struct crl_copy *fresh;
	int rc = ERR_NOT_FOUND;

	for (int i = 0; rc == ERR_NOT_FOUND && i < FETCH_TRIES; i++) {
		rc = part_get(a, ca, 0, 0, &part);
		if (!rc && k->crl && k->ca == ca && k->crl->number == part.number)
			return 0;
		if (!rc)
			rc = parts_get(a, ca, &part, &fresh);
	}
	if (rc)
		return rc;
	kept_drop(k);
	*k = (struct crl_kept){.ca = ca, .crl = fresh};
	return 0;
}

/* While the signer is away the last list is given as long as it says itself that it is good. */
static int crl_get(struct status_asker *a, uint32_t ca, struct crl_copy **out)
{
	struct crl_kept *k = kept_find(a, ca);
	int64_t now_us = clock_mono_us();
	bool is_there = k->crl && k->ca == ca;
	bool is_fresh = is_there && now_us - k->at_us < FRESH_US;
	int rc = is_fresh ? 0 : crl_fetch(a, k, ca);

	if (rc == ERR_DENIED) { /* no CA, or none any more, has this number */
		if (is_there)
			kept_drop(k);
		return rc;
	}
	if (rc && !a->away)
		LOG(LOG_WARN, "status.crl_not_fetched", LOG_S("why", err_text()));
	a->away = rc != 0;
	if (rc && (!is_there || clock_wall_ms() >= k->crl->next_update_ms))
		return rc;
	if (!is_fresh)
		k->at_us = now_us;
	*out = crl_copy_ref(k->crl);
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
		job->rc = crl_get(a, job->ca, &job->crl);
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
	for (size_t i = 0; i < CRLS_KEPT; i++)
		kept_drop(&a->kept[i]);
	free(a);
}

int status_asker_submit(struct status_asker *a, struct status_job *job)
{
	int rc = work_pool_submit(a->work, &job->work);

	return rc ? err_add(rc, "status") : 0;
}
