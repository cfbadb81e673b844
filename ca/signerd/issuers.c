/* SPDX-License-Identifier: BSD-2-Clause */
/* Owns which set of CAs is in force. Never reads a file: its source does. */
#include "ca/signerd/issuers.h"

#include <pthread.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/log.h"

#define AGAIN_US 1000000

struct issuers {
	struct issuers_source source;
	pthread_mutex_t lock;
	struct issuer_set *now;
	uint64_t generation;
	int64_t tried_us; /* when a load last failed; 0: it did not */
};

static void set_free(struct issuer_set *set)
{
	ca_issuer_done(&set->current);
	ca_issuer_done(&set->old);
	free(set);
}

void issuer_set_put(struct issuer_set *set)
{
	if (set && atomic_fetch_sub(&set->refs, 1) == 1)
		set_free(set);
}

/* Under the lock. */
static int set_load(struct issuers *is)
{
	struct issuer_set *set = calloc(1, sizeof(*set));
	int rc = set ? is->source.load(is->source.ctx, is->now, set)
		     : err_set(ERR_NOMEM, "no memory for the CAs");

	if (rc) {
		if (set)
			set_free(set);
		return rc;
	}
	atomic_init(&set->refs, 1);
	set->generation = ++is->generation;
	issuer_set_put(is->now);
	is->now = set;
	return 0;
}

int issuers_new(const struct issuers_source *source, struct issuers **out)
{
	struct issuers *is = calloc(1, sizeof(*is));
	int rc;

	if (!is)
		return err_set(ERR_NOMEM, "no memory for the CAs");
	is->source = *source;
	pthread_mutex_init(&is->lock, NULL);
	rc = set_load(is);
	if (rc)
		issuers_free(is);
	else
		*out = is;
	return rc;
}

void issuers_free(struct issuers *is)
{
	if (!is)
		return;
	issuer_set_put(is->now);
	pthread_mutex_destroy(&is->lock);
	free(is);
}

/* Under the lock: true when another set is in force now. */
static bool look(struct issuers *is)
{
	int64_t now_us = clock_mono_us();
	bool failed = is->tried_us != 0;

	if ((failed && now_us - is->tried_us < AGAIN_US) || !is->source.is_changed(is->source.ctx))
		return false;
	if (set_load(is)) {
		if (!failed)
			LOG(LOG_ERROR, "signer.issuers_kept", LOG_S("why", err_text()),
			    LOG_S("issuer", is->now->current.name));
		is->tried_us = now_us;
		return false;
	}
	is->tried_us = 0;
	LOG(LOG_INFO, "signer.issuers", LOG_S("issuer", is->now->current.name),
	    LOG_S("old", is->now->old.name), LOG_U("retired", is->now->old_is_retired));
	return true;
}

struct issuer_set *issuers_get(struct issuers *is)
{
	struct issuer_set *set;
	bool is_new;

	pthread_mutex_lock(&is->lock);
	is_new = look(is);
	set = is->now;
	atomic_fetch_add(&set->refs, 1);
	pthread_mutex_unlock(&is->lock);
	if (is_new && is->source.told)
		is->source.told(is->source.ctx);
	return set;
}

int issuer_set_find(const struct issuer_set *set, X509 *cert, const struct ca_issuer **out)
{
	if (issuer_set_has_old(set) && ca_issuer_check(&set->old, cert) == 0) {
		*out = &set->old;
		return 0;
	}
	*out = &set->current;
	return ca_issuer_check(&set->current, cert);
}

const struct ca_issuer *issuer_set_by_number(const struct issuer_set *set, uint32_t ca)
{
	if (!ca || ca == set->current_ca)
		return &set->current;
	return issuer_set_has_old(set) && ca == set->old_ca ? &set->old : NULL;
}
