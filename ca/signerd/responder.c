/* SPDX-License-Identifier: BSD-2-Clause */
/* Owns the lane of OCSP. Never signs more than its cap, never with the CA's key. */
#include "ca/signerd/responder.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "ca/ocsp.h"
#include "ca/signerd/cert_status.h"
#include "ca/signerd/ocsp_ready.h"

#define QUEUE_MAX 64
#define WAIT_MAX_US 2000000 /* then the asker has given up */
#define DAY_MS INT64_C(86400000)
#define RESPONDER_MS (7 * DAY_MS)
#define RENEW_BEFORE_MS (4 * DAY_MS)
/* How long an answer may be shown to third parties: a pump that is revoked in between is "good" in
 * it until then. */
#define ANSWER_MS INT64_C(900000)
#define BEHIND_ISSUING 10 /* nice(2) */

struct queued {
	struct ipc_request *rq;
	int64_t at_us;
};

struct responder {
	struct signer *signer;
	pthread_t thread;
	struct ocsp_responder own; /* the thread's, as all down to the lock */
	struct rate rate;
	struct ocsp_ready *ready;
	bool failing;
	pthread_mutex_t lock;
	pthread_cond_t wake;
	struct queued queue[QUEUE_MAX];
	size_t first, n;
	bool stop;
	char own_serial[48];
	int64_t own_not_after_ms;
	uint64_t n_signed, n_ready, n_refused;
};

static const EVP_MD *md_of(uint32_t hash)
{
	switch (hash) {
	case OCSP_SHA1:
		return EVP_sha1();
	case OCSP_SHA256:
		return EVP_sha256();
	case OCSP_SHA384:
		return EVP_sha384();
	case OCSP_SHA512:
		return EVP_sha512();
	default:
		return NULL;
	}
}

static void count(struct responder *r, uint64_t *counter)
{
	pthread_mutex_lock(&r->lock);
	++*counter;
	pthread_mutex_unlock(&r->lock);
}

static int item_fill(struct responder *r, const struct ocsp_query *q, struct ocsp_item *out)
{
	struct ocsp_item i = {.md = md_of(q->hash),
			      .name_hash = q->issuer_name_hash.data,
			      .key_hash = q->issuer_key_hash.data,
			      .serial_len = q->cert_serial.len};
	uint32_t size = i.md ? (uint32_t)EVP_MD_get_size(i.md) : 0;

	if (!i.md || q->issuer_name_hash.len != size || q->issuer_key_hash.len != size ||
	    i.serial_len == 0 || i.serial_len > sizeof(i.serial))
		return err_set(ERR_INVALID, "a CertID that can't be one");
	memcpy(i.serial, q->cert_serial.data, i.serial_len);
	if (ocsp_is_issuer(&r->signer->issuer, i.md, i.name_hash, size, i.key_hash, size))
		cert_status_find(r->signer, &i);
	*out = i;
	return 0;
}

static int own_renew(struct responder *r, int64_t now_ms)
{
	struct ocsp_responder fresh;
	char serial[48];
	int rc;

	if (r->own.cert && now_ms < r->own.not_after_ms - RENEW_BEFORE_MS &&
	    now_ms > r->own.not_after_ms - RESPONDER_MS - DAY_MS) /* the clock may have stepped */
		return 0;
	rc = ocsp_responder_new(&r->signer->issuer, now_ms, RESPONDER_MS, &fresh);
	if (!rc && (rc = ossl_serial_hex(fresh.cert, serial, sizeof(serial))))
		ocsp_responder_done(&fresh);
	if (rc)
		return rc;
	ocsp_responder_done(&r->own);
	r->own = fresh;
	ocsp_ready_clear(r->ready); /* the old ones would end with the old certificate */
	pthread_mutex_lock(&r->lock);
	memcpy(r->own_serial, serial, sizeof(r->own_serial));
	r->own_not_after_ms = fresh.not_after_ms;
	pthread_mutex_unlock(&r->lock);
	LOG(LOG_INFO, "signer.ocsp_responder", LOG_S("serial", serial));
	return 0;
}

static int answer_sign(struct responder *r, const struct ocsp_query *q, const struct ocsp_item *i,
		       size_t n, struct ocsp_answer *out)
{
	int64_t now_ms = clock_wall_ms();
	struct ocsp_terms t = {.now_ms = now_ms,
			       .next_update_ms = now_ms + ANSWER_MS,
			       .nonce = q->nonce.len ? q->nonce.data : NULL,
			       .nonce_len = q->nonce.len};
	AUTO_BUF der = {.max = sizeof(out->der.data)};
	int rc;

	if (!rate_take(&r->rate, clock_mono_us()))
		return err_set(ERR_BUSY, "more than %u answers a minute ([ca] ocsp_per_minute)",
			       r->rate.n);
	if ((rc = own_renew(r, now_ms)) ||
	    (rc = ocsp_answer_build(&r->signer->issuer, &r->own, &t, i, n, &der)))
		return rc;
	memcpy(out->der.data, der.data, der.len);
	out->der.len = (uint32_t)der.len;
	count(r, &r->n_signed);
	return 0;
}

static int answer(struct responder *r, const struct ocsp_query *q, size_t n,
		  struct ocsp_answer *out)
{
	struct ocsp_item items[OCSP_ASKED_MAX] = {0};
	bool any_ours = false, keep;
	int rc = 0;

	for (size_t i = 0; !rc && i < n; i++) {
		rc = item_fill(r, &q[i], &items[i]);
		any_ours = any_ours || items[i].state != OCSP_OTHER_ISSUER;
	}
	if (rc)
		return rc;
	if (!any_ours) /* RFC 6960 2.3, unauthorized; costs no signature */
		return err_set(ERR_NOT_FOUND, "not certificates of this CA");
	/* what exists is asked for again; serials that anybody makes up are not kept */
	keep = n == 1 && !q->nonce.len &&
	       (items[0].state == OCSP_GOOD || items[0].state == OCSP_REVOKED);
	if (keep && ocsp_ready_get(r->ready, &items[0], clock_wall_ms(), out)) {
		count(r, &r->n_ready);
		return 0;
	}
	rc = answer_sign(r, q, items, n, out);
	if (!rc && keep)
		ocsp_ready_put(r->ready, &items[0], clock_wall_ms(), ANSWER_MS / 2, out);
	return rc;
}

static void serve_one(struct responder *r, const struct queued *q)
{
	struct ocsp_answer out = {0};
	size_t n;
	const struct ocsp_query *asked = ipc_request_records(q->rq, &n);
	int rc = clock_mono_us() - q->at_us > WAIT_MAX_US
			 ? err_set(ERR_BUSY, "the request waited too long")
			 : answer(r, asked, n, &out);

	if (rc == ERR_BUSY)
		count(r, &r->n_refused);
	else if (rc && rc != ERR_NOT_FOUND && rc != ERR_INVALID && !r->failing)
		LOG(LOG_ERROR, "signer.ocsp_failed", LOG_S("why", err_text()));
	r->failing = rc && rc != ERR_BUSY && rc != ERR_NOT_FOUND && rc != ERR_INVALID;
	if (rc)
		ipc_request_fail(q->rq, rc);
	else
		ipc_request_reply(q->rq, &out, 1);
}

static bool next_take(struct responder *r, struct queued *out)
{
	bool got;

	pthread_mutex_lock(&r->lock);
	while (!r->n && !r->stop)
		pthread_cond_wait(&r->wake, &r->lock);
	got = r->n && !r->stop;
	if (got) {
		*out = r->queue[r->first];
		r->first = (r->first + 1) % QUEUE_MAX;
		r->n--;
	}
	pthread_mutex_unlock(&r->lock);
	return got;
}

static void *responder_run(void *arg)
{
	struct responder *r = arg;
	struct queued q;

	/* of this thread alone (Linux); where it is not allowed the cap still holds */
	(void)setpriority(PRIO_PROCESS, (id_t)gettid(), BEHIND_ISSUING);
	if (own_renew(r, clock_wall_ms()))
		LOG(LOG_ERROR, "signer.ocsp_failed", LOG_S("why", err_text()));
	while (next_take(r, &q))
		serve_one(r, &q);
	return NULL;
}

static void release(struct responder *r)
{
	ocsp_responder_done(&r->own);
	ocsp_ready_free(r->ready);
	pthread_cond_destroy(&r->wake);
	pthread_mutex_destroy(&r->lock);
	free(r);
}

int responder_new(struct signer *signer, uint32_t per_minute, struct responder **out)
{
	struct responder *r = calloc(1, sizeof(*r));
	int rc;

	if (!r)
		return err_set(ERR_NOMEM, "no memory for the OCSP responder");
	r->signer = signer;
	rate_init(&r->rate, per_minute, clock_mono_us());
	pthread_mutex_init(&r->lock, NULL);
	pthread_cond_init(&r->wake, NULL);
	rc = ocsp_ready_new(&r->ready);
	if (!rc && pthread_create(&r->thread, NULL, responder_run, r))
		rc = err_set(ERR_NOMEM, "no thread for the OCSP responder");
	if (rc)
		release(r);
	else
		*out = r;
	return rc;
}

void responder_free(struct responder *r)
{
	if (!r)
		return;
	pthread_mutex_lock(&r->lock);
	r->stop = true;
	pthread_cond_signal(&r->wake);
	pthread_mutex_unlock(&r->lock);
	pthread_join(r->thread, NULL);
	for (; r->n; r->n--, r->first = (r->first + 1) % QUEUE_MAX)
		ipc_request_fail(r->queue[r->first].rq,
				 err_set(ERR_BUSY, "the signer is stopping"));
	release(r);
}

void responder_give(struct responder *r, struct ipc_request *rq)
{
	bool full;

	pthread_mutex_lock(&r->lock);
	full = r->n == QUEUE_MAX;
	if (!full) {
		r->queue[(r->first + r->n) % QUEUE_MAX] = (struct queued){rq, clock_mono_us()};
		r->n++;
		pthread_cond_signal(&r->wake);
	} else {
		r->n_refused++;
	}
	pthread_mutex_unlock(&r->lock);
	if (full)
		ipc_request_fail(rq, err_set(ERR_BUSY, "%d OCSP requests are waiting", QUEUE_MAX));
}

void responder_describe(struct responder *r, struct signer_status *out)
{
	pthread_mutex_lock(&r->lock);
	memcpy(out->ocsp_responder, r->own_serial, sizeof(out->ocsp_responder));
	out->ocsp_responder_not_after = r->own_not_after_ms;
	out->ocsp_signed = r->n_signed;
	out->ocsp_ready = r->n_ready;
	out->ocsp_refused = r->n_refused;
	pthread_mutex_unlock(&r->lock);
}
