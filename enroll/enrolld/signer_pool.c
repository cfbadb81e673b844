/* SPDX-License-Identifier: BSD-2-Clause */
/* Owns asking signerd on threads. Never touches a pump's connection. */
#include "enroll/enrolld/signer_pool.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/ipc_client.h"
#include "base/secret.h"

#define CALL_MS 10000

struct signer_pool {
	struct work_pool *work;
	signer_done done;
	void *ctx;
	unsigned n_threads;		 /* with a connection of their own */
	void *signers[WORK_THREADS_MAX]; /* struct ipc_client */
};

void signer_job_wipe(struct signer_job *job, size_t size)
{
	if (!job)
		return;
	secret_wipe(job, size);
	free(job);
}

/* All requests begin at the same place: they are a union's. */
static const struct record_desc *request_desc(enum signer_verb verb)
{
	switch (verb) {
	case SIGNER_RENEW:
		return &record_sign_renew;
	case SIGNER_IDEVID:
		return &record_sign_idevid;
	case SIGNER_WIPE:
		return &record_wipe_check;
	default:
		return &record_sign_enroll;
	}
}

static void job_run(struct work *w, void *signer)
{
	struct signer_job *job = (struct signer_job *)w;

	if (clock_mono_us() > job->give_up_us) {
		job->rc = err_set(ERR_BUSY, "waited too long for its turn");
	} else {
		ipc_client_request_id_set(signer, job->request_id);
		job->rc = ipc_client_call(signer, job->verb, request_desc(job->verb), &job->enroll,
					  1, &record_signed_cert, &job->cert, 1, NULL, CALL_MS);
	}
	job->text[0] = '\0';
	if (job->rc)
		strncat(job->text, err_text(), sizeof(job->text) - 1);
	if (job->verb == SIGNER_ENROLL) /* not needed any more: as short a life as can be */
		secret_wipe(&job->enroll.token, sizeof(job->enroll.token));
}

static void job_done(struct work *w, void *ctx)
{
	struct signer_pool *p = ctx;

	p->done((struct signer_job *)w, p->ctx);
}

static void job_drop(struct work *w)
{
	signer_job_wipe((struct signer_job *)w, sizeof(struct signer_job));
}

int signer_pool_new(struct event_base *base, const char *socket, unsigned n_threads,
		    unsigned queue_max, signer_done done, void *ctx, struct signer_pool **out)
{
	struct signer_pool *p = calloc(1, sizeof(*p));
	const struct work_plan plan = {queue_max, job_run, job_done, job_drop, p};
	int rc = 0;

	if (!p || n_threads > WORK_THREADS_MAX) {
		free(p);
		return err_set(p ? ERR_LIMIT : ERR_NOMEM, "no pool of %u threads", n_threads);
	}
	p->done = done;
	p->ctx = ctx;
	while (!rc && p->n_threads < n_threads) {
		struct ipc_client *signer;

		rc = ipc_client_new(socket, "enroll", &signer);
		if (!rc)
			p->signers[p->n_threads++] = signer;
	}
	if (!rc)
		rc = work_pool_new(base, &plan, p->signers, n_threads, &p->work);
	if (rc)
		signer_pool_free(p);
	else
		*out = p;
	return rc;
}

void signer_pool_free(struct signer_pool *p)
{
	if (!p || !work_pool_free(p->work))
		return;
	for (unsigned i = 0; i < p->n_threads; i++)
		ipc_client_free(p->signers[i]);
	free(p);
}

int signer_pool_submit(struct signer_pool *p, struct signer_job *job)
{
	int rc = work_pool_submit(p->work, &job->work);

	return rc ? err_add(rc, "the signer") : 0;
}
