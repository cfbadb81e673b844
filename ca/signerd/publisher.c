/* SPDX-License-Identifier: BSD-2-Clause */
/* Owns when a revocation list is made, and the newest one. Never decides what is revoked. */
#include "ca/signerd/publisher.h"

#include <limits.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "base/daemon.h"
#include "base/log.h"
#include "ca/crl.h"
#include "ca/crl_state.h"

#define DAY_MS INT64_C(86400000)
#define VALIDITY_MS (7 * DAY_MS) /* a week to mend what keeps new ones from coming */
#define EVERY_MS DAY_MS
#define BACKDATE_MS INT64_C(300000) /* the reader's clock may be a little late */
#define PAUSE_MS 1000		    /* between two lists, at least */
#define PAUSE_TIMES 4		    /* and so many times as long as the last one took */
#define AGAIN_MS 2000		    /* after a failure */
#define CAS_MAX 2		    /* the one that issues, and the one before */

/* One list of one CA. */
struct crl_list {
	uint32_t ca;
	struct buf der;
	uint32_t entries;
};

struct publisher {
	struct signer *signer;
	pthread_t thread;
	char state_path[PATH_MAX];
	struct crl_state state; /* the thread's */
	pthread_mutex_t lock;
	bool failing;	     /* said so once */
	pthread_cond_t wake; /* on the clock that never steps */
	bool stirred, stop;
	/* the newest lists, one per CA, made together; none yet: n_lists is 0 */
	struct crl_terms terms;
	struct crl_list lists[CAS_MAX];
	size_t n_lists;
};

/* The entries that the next list names, chosen in place. */
static size_t due_choose(struct revoked_entry *e, size_t n, int64_t now_ms, int64_t previous_ms)
{
	size_t kept = 0;

	for (size_t i = 0; i < n; i++)
		if (crl_entry_is_due(&e[i], now_ms, previous_ms))
			e[kept++] = e[i];
	return kept;
}

static void lists_done(struct crl_list *lists, size_t n)
{
	for (size_t i = 0; i < n; i++)
		buf_done(&lists[i].der);
}

static void lists_swap(struct publisher *p, struct crl_list *lists, size_t n,
		       const struct crl_terms *t)
{
	struct crl_list old[CAS_MAX];
	size_t n_old;

	pthread_mutex_lock(&p->lock);
	n_old = p->n_lists;
	memcpy(old, p->lists, sizeof(old));
	memcpy(p->lists, lists, n * sizeof(*lists));
	p->n_lists = n;
	p->terms = *t;
	pthread_mutex_unlock(&p->lock);
	lists_done(old, n_old);
}

/* Those entries that CA number `ca` has to tell, in `scratch` (room for n). */
static int list_make(const struct ca_issuer *issuer, uint32_t ca, const struct crl_terms *t,
		     const struct revoked_entry *entries, size_t n, struct revoked_entry *scratch,
		     struct crl_list *out)
{
	int64_t started_us = clock_mono_us();
	size_t kept = 0;
	int rc;

	for (size_t i = 0; i < n; i++)
		if (revoked_entry_is_of(&entries[i], ca))
			scratch[kept++] = entries[i];
	out->ca = ca;
	out->entries = (uint32_t)kept;
	buf_init(&out->der, CRL_DER_MAX);
	rc = crl_build(issuer, t, scratch, kept, &out->der);
	if (!rc)
		LOG(LOG_INFO, "signer.crl", LOG_U("ca", ca), LOG_U("number", t->number),
		    LOG_U("entries", kept), LOG_U("bytes", out->der.len),
		    LOG_U("us", clock_mono_us() - started_us));
	return rc;
}

/* All lists, or none: they have one number. */
static int lists_make(struct publisher *p, struct revoked_entry *entries, size_t n)
{
	AUTO_ISSUERS set = issuers_get(p->signer->issuers);
	struct crl_list lists[CAS_MAX] = {0};
	struct revoked_entry *scratch;
	int64_t now_ms = clock_wall_ms();
	size_t n_lists = 0;
	struct crl_terms t;
	int rc;

	n = due_choose(entries, n, now_ms, p->state.this_update_ms);
	rc = crl_state_next(p->state_path, now_ms, &p->state);
	if (rc)
		return rc;
	t = (struct crl_terms){.number = p->state.number,
			       .this_update_ms = now_ms - BACKDATE_MS,
			       .next_update_ms = now_ms + VALIDITY_MS};
	scratch = malloc((n ? n : 1) * sizeof(*scratch));
	if (!scratch)
		return err_set(ERR_NOMEM, "no memory for a revocation list");
	rc = list_make(&set->current, set->current_ca, &t, entries, n, scratch, &lists[n_lists++]);
	if (!rc && issuer_set_has_old(set))
		rc = list_make(&set->old, set->old_ca, &t, entries, n, scratch, &lists[n_lists++]);
	free(scratch);
	if (rc)
		lists_done(lists, n_lists);
	else
		lists_swap(p, lists, n_lists, &t);
	return rc;
}

static int publish(struct publisher *p)
{
	struct revoked_entry *entries;
	size_t n;
	bool said;
	int rc = revoked_set_copy(p->signer->revoked_set, &entries, &n);

	if (!rc) {
		rc = lists_make(p, entries, n);
		free(entries);
	}
	pthread_mutex_lock(&p->lock);
	said = p->failing;
	p->failing = rc != 0;
	pthread_mutex_unlock(&p->lock);
	if (rc && !said)
		LOG(LOG_ERROR, "signer.crl_failed", LOG_S("why", err_text()));
	return rc;
}

/* Under the lock: sleeps, at most so long; false at the end. */
static bool sleep_ms(struct publisher *p, int64_t ms, bool until_stirred)
{
	struct timespec until;
	int rc = 0;

	clock_gettime(CLOCK_MONOTONIC, &until);
	until.tv_sec += ms / 1000;
	until.tv_nsec += ms % 1000 * 1000000;
	until.tv_sec += until.tv_nsec / 1000000000;
	until.tv_nsec %= 1000000000;
	while (!p->stop && rc == 0 && !(until_stirred && p->stirred))
		rc = pthread_cond_timedwait(&p->wake, &p->lock, &until);
	return !p->stop;
}

static void *publisher_run(void *arg)
{
	struct publisher *p = arg;
	bool go_on = true;

	pthread_mutex_lock(&p->lock);
	while (go_on && !p->stop) {
		int64_t pause_ms, started_us = clock_mono_us();
		int rc;

		p->stirred = false; /* whatever is revoked from here on is for the next list */
		pthread_mutex_unlock(&p->lock);
		rc = publish(p);
		pthread_mutex_lock(&p->lock);
		pause_ms = PAUSE_TIMES * (clock_mono_us() - started_us) / 1000;
		pause_ms = rc ? AGAIN_MS : pause_ms < PAUSE_MS ? PAUSE_MS : pause_ms;
		go_on = sleep_ms(p, pause_ms, false) && (rc || sleep_ms(p, EVERY_MS, true));
	}
	pthread_mutex_unlock(&p->lock);
	return NULL;
}

static void release(struct publisher *p)
{
	pthread_cond_destroy(&p->wake);
	pthread_mutex_destroy(&p->lock);
	lists_done(p->lists, p->n_lists);
	free(p);
}

int publisher_new(struct signer *signer, const char *state_path, struct publisher **out)
{
	struct publisher *p = calloc(1, sizeof(*p));
	pthread_condattr_t monotonic;
	int rc;

	if (!p)
		return err_set(ERR_NOMEM, "no memory for the revocation list");
	p->signer = signer;
	pthread_mutex_init(&p->lock, NULL);
	pthread_condattr_init(&monotonic);
	pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
	pthread_cond_init(&p->wake, &monotonic);
	pthread_condattr_destroy(&monotonic);
	rc = str_copy(p->state_path, sizeof(p->state_path), state_path);
	if (!rc && crl_state_read(state_path, &p->state))
		/* the clock goes on where the number is lost, and nothing leaves the list */
		LOG(LOG_WARN, "signer.crl_number_lost", LOG_S("why", err_text()));
	if (!rc && pthread_create(&p->thread, NULL, publisher_run, p))
		rc = err_set(ERR_NOMEM, "no thread for the revocation list");
	if (rc)
		release(p);
	else
		*out = p;
	return rc;
}

void publisher_free(struct publisher *p)
{
	if (!p)
		return;
	pthread_mutex_lock(&p->lock);
	p->stop = true;
	pthread_cond_signal(&p->wake);
	pthread_mutex_unlock(&p->lock);
	pthread_join(p->thread, NULL);
	release(p);
}

void publisher_stir(struct publisher *p)
{
	if (!p)
		return;
	pthread_mutex_lock(&p->lock);
	p->stirred = true;
	pthread_cond_signal(&p->wake);
	pthread_mutex_unlock(&p->lock);
}

/* Under the lock. */
static int part_copy(const struct publisher *p, const struct crl_query *q, struct crl_part *out)
{
	const struct crl_list *l = NULL;
	size_t left;

	if (!p->n_lists)
		return err_set(ERR_BUSY, "no revocation list has been made yet");
	for (size_t i = 0; i < p->n_lists; i++)
		if (!q->ca || q->ca == p->lists[i].ca || (q->ca == 1 && !p->lists[i].ca)) {
			l = &p->lists[i];
			break;
		}
	if (!l) /* with a switch it may be on its way */
		return err_set(ERR_DENIED, "there is no revocation list of CA %u", q->ca);
	if (q->number && q->number != p->terms.number)
		return err_set(ERR_NOT_FOUND, "there is a newer revocation list");
	if (q->offset >= l->der.len)
		return err_set(ERR_INVALID, "the revocation list ends before");
	left = l->der.len - q->offset;
	out->number = p->terms.number;
	out->this_update = p->terms.this_update_ms;
	out->next_update = p->terms.next_update_ms;
	out->entries = l->entries;
	out->total = (uint32_t)l->der.len;
	out->ca = l->ca;
	out->data.len = (uint32_t)(left < CRL_PART_MAX ? left : CRL_PART_MAX);
	memcpy(out->data.data, l->der.data + q->offset, out->data.len);
	return 0;
}

int publisher_part(struct publisher *p, const struct crl_query *q, struct crl_part *out)
{
	int rc;

	pthread_mutex_lock(&p->lock);
	rc = part_copy(p, q, out);
	pthread_mutex_unlock(&p->lock);
	return rc;
}

void publisher_describe(struct publisher *p, struct signer_status *out)
{
	pthread_mutex_lock(&p->lock);
	out->crl_number = p->terms.number;
	out->crl_this_update = p->terms.this_update_ms;
	out->crl_next_update = p->terms.next_update_ms;
	if (p->n_lists) {
		out->crl_entries = p->lists[0].entries;
		out->crl_bytes = (uint32_t)p->lists[0].der.len;
	}
	if (p->n_lists > 1)
		out->old_crl_entries = p->lists[1].entries;
	out->crl_failing = p->failing;
	pthread_mutex_unlock(&p->lock);
}
