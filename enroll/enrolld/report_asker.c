/* SPDX-License-Identifier: BSD-2-Clause */
/* Owns the way of pumps' reports to registryd. Never touches a connection of theirs. */
#include "enroll/enrolld/report_asker.h"

#include <stdlib.h>
#include <string.h>

#include <sodium.h>

#include "base/log.h"
#include "base/secret.h"
#include "sql/client/registry_client.h"

#define QUEUE_MAX 256
#define CALL_MS 5000
#define PLACES 16384 /* two pumps at one place share the newer one's count: that is lenient */
#define BURST 6
#define REFILL_US 10000000

struct place {
	uint64_t key;
	int64_t at_us;
	unsigned spent;
};

struct report_asker {
	struct ipc_client *registry; /* the thread's */
	struct work_pool *work;
	report_done done;
	void *ctx;
	uint8_t hash_key[crypto_shorthash_KEYBYTES];
	struct place places[PLACES];
};

unsigned report_asker_wait_s(struct report_asker *a, const char *cert_serial, int64_t now_us)
{
	uint64_t key;
	struct place *p;
	int64_t refilled;

	crypto_shorthash((uint8_t *)&key, (const uint8_t *)cert_serial, strlen(cert_serial),
			 a->hash_key);
	p = &a->places[key % PLACES];
	if (p->key != key)
		*p = (struct place){.key = key, .at_us = now_us};
	refilled = (now_us - p->at_us) / REFILL_US;
	p->at_us += refilled * REFILL_US;
	p->spent = refilled < p->spent ? p->spent - (unsigned)refilled : 0;
	if (p->spent >= BURST)
		return (unsigned)((p->at_us + REFILL_US - now_us) / 1000000 + 1);
	if (!p->spent)
		p->at_us = now_us;
	p->spent++;
	return 0;
}

static void job_run(struct work *w, void *registry)
{
	struct report_job *job = (struct report_job *)w;

	job->rc = registry_report(registry, &job->report, &job->answer, CALL_MS);
	if (job->rc)
		LOG(LOG_WARN, "report.not_kept", LOG_S("device", job->report.device),
		    LOG_S("why", err_text()));
}

static void job_done(struct work *w, void *ctx)
{
	struct report_asker *a = ctx;

	a->done((struct report_job *)w, a->ctx);
}

static void job_drop(struct work *w)
{
	free(w);
}

void report_asker_free(struct report_asker *a)
{
	if (!a || !work_pool_free(a->work))
		return;
	ipc_client_free(a->registry);
	free(a);
}

int report_asker_new(struct event_base *base, const char *socket, report_done done, void *ctx,
		     struct report_asker **out)
{
	struct report_asker *a = calloc(1, sizeof(*a));
	const struct work_plan plan = {QUEUE_MAX, job_run, job_done, job_drop, a};
	int rc;

	if (!a)
		return err_set(ERR_NOMEM, "no memory for reports");
	a->done = done;
	a->ctx = ctx;
	secret_fill_random(a->hash_key, sizeof(a->hash_key));
	rc = ipc_client_new(socket, "enroll", &a->registry);
	if (!rc)
		rc = work_pool_new(base, &plan, (void *[]){a->registry}, 1, &a->work);
	if (rc)
		report_asker_free(a);
	else
		*out = a;
	return rc;
}

int report_asker_submit(struct report_asker *a, struct report_job *job)
{
	int rc = work_pool_submit(a->work, &job->work);

	return rc ? err_add(rc, "reports") : 0;
}
