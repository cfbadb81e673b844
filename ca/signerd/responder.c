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
	struct ocsp_responder own[2]; /* of the CA that issues and of the one before; the thread's,
					 as all down to the lock */
	uint64_t generation;	      /* of the CAs that they are of */
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

/* Which of our CAs the hashes name; NULL: none. */
static const struct ca_issuer *asked_of(const struct issuer_set *set, const struct ocsp_item *i,
					uint32_t size, uint32_t *ca_out)
{
	if (ocsp_is_issuer(&set->current, i->md, i->name_hash, size, i->key_hash, size)) {
		*ca_out = set->current_ca;
		return &set->current;
	}
	if (issuer_set_has_old(set) &&
	    ocsp_is_issuer(&set->old, i->md, i->name_hash, size, i->key_hash, size)) {
		*ca_out = set->old_ca;
		return &set->old;
	}
	return NULL;
}

/* *issuer: the CA of the answer, chosen by the first certificate that is of one of ours: nobody may
 * speak for the other in the same answer (RFC 6960 4.2.2.2). */
static int item_fill(struct responder *r, const struct issuer_set *set, const struct ocsp_query *q,
		     const struct ca_issuer **issuer, struct ocsp_item *out)
{
	const struct ca_issuer *of;
	struct ocsp_item i = {.md = md_of(q->hash),
			      .name_hash = q->issuer_name_hash.data,
			      .key_hash = q->issuer_key_hash.data,
			      .serial_len = q->cert_serial.len};
	uint32_t size = i.md ? (uint32_t)EVP_MD_get_size(i.md) : 0;

	if (!i.md || q->issuer_name_hash.len != size || q->issuer_key_hash.len != size ||
	    i.serial_len == 0 || i.serial_len > sizeof(i.serial))
		return err_set(ERR_INVALID, "a CertID that can't be one");
	memcpy(i.serial, q->cert_serial.data, i.serial_len);
	of = asked_of(set, &i, size, &i.ca);
	if (of && !*issuer)
		*issuer = of;
	if (of && of == *issuer)
		cert_status_find(r->signer, set->current_ca > 1 || issuer_set_has_old(set), &i);
	*out = i;
	return 0;
}

/* What was made under other CAs is of no use. */
static void generation_check(struct responder *r, const struct issuer_set *set)
{
	if (r->generation == set->generation)
		return;
	ocsp_responder_done(&r->own[0]);
	ocsp_responder_done(&r->own[1]);
	ocsp_ready_clear(r->ready);
	r->generation = set->generation;
}

static int own_renew(struct responder *r, const struct issuer_set *set,
		     const struct ca_issuer *issuer, int64_t now_ms)
{
	bool is_old = issuer == &set->old;
	struct ocsp_responder *own = &r->own[is_old];
	struct ocsp_responder fresh;
	char serial[48];
	int rc;

	if (own->cert && now_ms < own->not_after_ms - RENEW_BEFORE_MS &&
	    now_ms > own->not_after_ms - RESPONDER_MS - DAY_MS) /* the clock may have stepped */
		return 0;
	rc = ocsp_responder_new(issuer, now_ms, RESPONDER_MS, &fresh);
	if (!rc && (rc = ossl_serial_hex(fresh.cert, serial, sizeof(serial))))
		ocsp_responder_done(&fresh);
	if (rc)
		return rc;
	ocsp_responder_done(own);
	*own = fresh;
	ocsp_ready_clear(r->ready); /* the old ones would end with the old certificate */
	LOG(LOG_INFO, "signer.ocsp_responder", LOG_S("serial", serial),
	    LOG_S("issuer", issuer->name));
	if (is_old)
		return 0;
	pthread_mutex_lock(&r->lock);
	memcpy(r->own_serial, serial, sizeof(r->own_serial));
	r->own_not_after_ms = fresh.not_after_ms;
	pthread_mutex_unlock(&r->lock);
	return 0;
}

static int answer_sign(struct responder *r, const struct issuer_set *set,
		       const struct ca_issuer *issuer, const struct ocsp_query *q,
		       const struct ocsp_item *i, size_t n, struct ocsp_answer *out)
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
	if ((rc = own_renew(r, set, issuer, now_ms)) ||
	    (rc = ocsp_answer_build(issuer, &r->own[issuer == &set->old], &t, i, n, &der)))
		return rc;
	memcpy(out->der.data, der.data, der.len);
	out->der.len = (uint32_t)der.len;
	count(r, &r->n_signed);
	return 0;
}

static int answer(struct responder *r, const struct ocsp_query *q, size_t n,
		  struct ocsp_answer *out)
{
	AUTO_ISSUERS set = issuers_get(r->signer->issuers);
	struct ocsp_item items[OCSP_ASKED_MAX] = {0};
	const struct ca_issuer *issuer = NULL;
	bool keep;
	int rc = 0;

	generation_check(r, set);
	for (size_t i = 0; !rc && i < n; i++)
		rc = item_fill(r, set, &q[i], &issuer, &items[i]);
	if (rc)
		return rc;
	if (!issuer) /* RFC 6960 2.3, unauthorized; costs no signature */
		return err_set(ERR_NOT_FOUND, "not certificates of this CA");
	/* what exists is asked for again; serials that anybody makes up are not kept */
	keep = n == 1 && !q->nonce.len &&
	       (items[0].state == OCSP_GOOD || items[0].state == OCSP_REVOKED);
	if (keep && ocsp_ready_get(r->ready, &items[0], clock_wall_ms(), out)) {
		count(r, &r->n_ready);
		return 0;
	}
	rc = answer_sign(r, set, issuer, q, items, n, out);
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
	struct issuer_set *set = issuers_get(r->signer->issuers);
	struct queued q;

	/* of this thread alone (Linux); where it is not allowed the cap still holds */
	(void)setpriority(PRIO_PROCESS, (id_t)gettid(), BEHIND_ISSUING);
	generation_check(r, set);
	if (own_renew(r, set, &set->current, clock_wall_ms()))
		LOG(LOG_ERROR, "signer.ocsp_failed", LOG_S("why", err_text()));
	issuer_set_put(set);
	while (next_take(r, &q))
		serve_one(r, &q);
	return NULL;
}

static void release(struct responder *r)
{
	ocsp_responder_done(&r->own[0]);
	ocsp_responder_done(&r->own[1]);
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
