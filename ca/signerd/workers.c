/* SPDX-License-Identifier: BSD-2-Clause */
/* Owns the queue and the threads. Never decides about a request; one log line per outcome. */
#include "ca/signerd/workers.h"

#include <pthread.h>
#include <stdlib.h>
#include <time.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/secret.h"
#include "ca/refuse.h"
#include "ca/signerd/wipe_check.h"

#define QUEUE_MAX 128
#define WAIT_MAX_US 5000000 /* then the asker has given up */
#define WORKERS_MAX 16
#define INTRODUCE_EVERY_S 2

struct queued {
	struct ipc_request *rq;
	int64_t at_us;
};

struct workers {
	struct signer *signer;
	pthread_mutex_t lock;
	pthread_cond_t wake;
	struct queued queue[QUEUE_MAX];
	size_t first, n;
	bool stop;
	unsigned n_threads;
	struct worker {
		struct workers *all;
		pthread_t thread;
		struct issuance is;
	} workers[WORKERS_MAX];
};

static int issue(struct issuance *is, const struct ipc_request *rq, struct signed_cert *out)
{
	const void *record = ipc_request_record(rq);

	switch (ipc_request_verb(rq)->verb) {
	case SIGNER_ENROLL:
		return issuance_enroll(is, record, out);
	case SIGNER_IDEVID:
		return issuance_idevid(is, record, out);
	case SIGNER_WIPE:
		return wipe_check_run(is, record, out);
	default:
		return issuance_renew(is, record, out);
	}
}

/* Whom a request is for, if it says so, and where it came from. */
static const char *asked_of(const struct ipc_request *rq, const char **device_out)
{
	const void *record = ipc_request_record(rq);

	*device_out = "";
	switch (ipc_request_verb(rq)->verb) {
	case SIGNER_ENROLL:
		*device_out = ((const struct sign_enroll *)record)->device;
		return ((const struct sign_enroll *)record)->source;
	case SIGNER_IDEVID:
		return ((const struct sign_idevid *)record)->source;
	case SIGNER_WIPE:
		return ((const struct wipe_check *)record)->source;
	default:
		return ((const struct sign_renew *)record)->source;
	}
}

static void outcome_log(const struct ipc_request *rq, int rc, const struct signed_cert *cert,
			int64_t took_us)
{
	const char *device;
	const char *source = asked_of(rq, &device);
	const char *verb = ipc_request_verb(rq)->name;
	char id[17];
	uint64_t n = ipc_request_id(rq);

	for (int i = 15; i >= 0; i--, n >>= 4)
		id[i] = "0123456789abcdef"[n & 15];
	id[16] = '\0';
	if (rc)
		LOG(LOG_WARN, "signer.refused", LOG_S("request", id), LOG_S("verb", verb),
		    LOG_S("device", device), LOG_S("source", source), LOG_S("code", err_name(rc)),
		    LOG_S("why", err_text()), LOG_U("us", took_us));
	else
		LOG(LOG_INFO,
		    ipc_request_verb(rq)->verb == SIGNER_WIPE ? "signer.verified" : "signer.issued",
		    LOG_S("request", id), LOG_S("verb", verb), LOG_S("device", cert->device),
		    LOG_S("source", source), LOG_S("serial", cert->cert_serial),
		    LOG_U("us", took_us));
}

static void serve_one(struct issuance *is, const struct queued *q)
{
	int64_t started_us = clock_mono_us();
	struct signed_cert cert;
	int rc;

	ipc_client_request_id_set(is->registry, ipc_request_id(q->rq)); /* one id in every log */
	if (started_us - q->at_us > WAIT_MAX_US)
		rc = ca_refuse(REASON_SIGNER_AWAY, ERR_BUSY, "the request waited too long");
	else
		rc = issue(is, q->rq, &cert);
	outcome_log(q->rq, rc, &cert, clock_mono_us() - started_us);
	if (rc)
		ipc_request_fail(q->rq, rc);
	else
		ipc_request_reply(q->rq, &cert, 1);
}

/* Waits for the next request; false at the end. While the registry does not know our CA, the first
 * worker tries to introduce it now and then, so that it is known before the first pump asks. */
static bool next_take(struct worker *me, struct queued *out)
{
	struct workers *w = me->all;
	bool got;

	pthread_mutex_lock(&w->lock);
	while (!w->n && !w->stop) {
		struct timespec until;

		if (me->is.introduced || me != w->workers) {
			pthread_cond_wait(&w->wake, &w->lock);
			continue;
		}
		pthread_mutex_unlock(&w->lock);
		if (issuance_introduce(&me->is) == 0)
			LOG(LOG_INFO, "signer.introduced");
		pthread_mutex_lock(&w->lock);
		clock_gettime(CLOCK_REALTIME, &until);
		until.tv_sec += INTRODUCE_EVERY_S;
		if (!w->n && !w->stop && !me->is.introduced)
			pthread_cond_timedwait(&w->wake, &w->lock, &until);
	}
	got = w->n > 0 && !w->stop;
	if (got) {
		*out = w->queue[w->first];
		w->first = (w->first + 1) % QUEUE_MAX;
		w->n--;
	}
	pthread_mutex_unlock(&w->lock);
	return got;
}

static void *worker_run(void *arg)
{
	struct worker *me = arg;
	struct queued q;

	while (next_take(me, &q))
		serve_one(&me->is, &q);
	return NULL;
}

int workers_new(struct signer *signer, const char *registry_path, unsigned n, struct workers **out)
{
	struct workers *w = calloc(1, sizeof(*w));
	int rc = 0;

	if (!w || n > WORKERS_MAX) {
		free(w);
		return err_set(ERR_NOMEM, "no memory for workers");
	}
	w->signer = signer;
	pthread_mutex_init(&w->lock, NULL);
	pthread_cond_init(&w->wake, NULL);
	while (!rc && w->n_threads < n) {
		struct worker *me = &w->workers[w->n_threads];

		me->all = w;
		me->is.signer = signer;
		rc = ipc_client_new(registry_path, "signer", &me->is.registry);
		if (!rc && pthread_create(&me->thread, NULL, worker_run, me)) {
			ipc_client_free(me->is.registry);
			rc = err_set(ERR_NOMEM, "no thread for a worker");
		}
		if (!rc)
			w->n_threads++;
	}
	if (rc) {
		workers_free(w);
		return rc;
	}
	*out = w;
	return 0;
}

void workers_free(struct workers *w)
{
	if (!w)
		return;
	pthread_mutex_lock(&w->lock);
	w->stop = true;
	pthread_cond_broadcast(&w->wake);
	pthread_mutex_unlock(&w->lock);
	for (unsigned i = 0; i < w->n_threads; i++) {
		pthread_join(w->workers[i].thread, NULL);
		ipc_client_free(w->workers[i].is.registry);
	}
	for (; w->n; w->n--, w->first = (w->first + 1) % QUEUE_MAX)
		ipc_request_fail(
			w->queue[w->first].rq,
			ca_refuse(REASON_SIGNER_AWAY, ERR_UNAVAILABLE, "the signer is stopping"));
	pthread_cond_destroy(&w->wake);
	pthread_mutex_destroy(&w->lock);
	free(w);
}

void workers_give(struct workers *w, struct ipc_request *rq)
{
	bool full;

	pthread_mutex_lock(&w->lock);
	full = w->n == QUEUE_MAX;
	if (!full) {
		w->queue[(w->first + w->n) % QUEUE_MAX] = (struct queued){rq, clock_mono_us()};
		w->n++;
		pthread_cond_signal(&w->wake);
	}
	pthread_mutex_unlock(&w->lock);
	if (full)
		ipc_request_fail(rq, ca_refuse(REASON_SIGNER_AWAY, ERR_BUSY,
					       "%d requests are waiting", QUEUE_MAX));
}
