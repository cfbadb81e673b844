/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The CAs of pumps that the signer has open: the one that issues, and, while certificates of the
 * one before are in force, that one too, which signs only what tells of their revocation
 * (docs/decisions/0190). Files say which they are; they are looked at on each use, so that a
 * roll-over takes effect with the next certificate and needs no restart. Whoever takes the set
 * works with it to its end.
 */
#ifndef CA_SIGNERD_ISSUERS_H
#define CA_SIGNERD_ISSUERS_H

#include <stdatomic.h>

#include "ca/issue.h"

#define SIGNER_CA_KEYS_MAX 16

struct issuer_set {
	_Atomic unsigned refs;
	uint64_t generation; /* from 1; another set has another one */
	struct ca_issuer current;
	struct ca_issuer old;	     /* without a certificate: there is none; status_only */
	uint32_t current_ca, old_ca; /* their numbers (ca/ca_number.h) */
	bool old_is_retired;	     /* nothing of ours believes its certificates any more */
	int64_t old_until_ms;	     /* the last of its certificates ends then; 0: it had none */
	uint8_t ca_spki_sha256[SIGNER_CA_KEYS_MAX][32]; /* of roots and issuing CAs: no pump's */
	size_t n_ca_keys;
};

/* Where sets come from. */
struct issuers_source {
	bool (*is_changed)(void *ctx); /* since the last load that went well; cheap */
	/* before: the set in force, whose open keys may be taken on; NULL: none yet */
	int (*load)(void *ctx, const struct issuer_set *before, struct issuer_set *out);
	void (*told)(void *ctx); /* another set is in force; NULL ok. Runs under no lock */
	void *ctx;
};

struct issuers;

/* Loads the first set. Codes of load, ERR_NOMEM. */
int issuers_new(const struct issuers_source *source, struct issuers **out) MUST_USE;
void issuers_free(struct issuers *is); /* NULL ok */

/* The set in force; never NULL. When a changed one can't be loaded the one before stays, which is
 * logged once, and it is tried again after a second. Thread-safe; blocks on the disk when something
 * has changed. */
struct issuer_set *issuers_get(struct issuers *is);
void issuer_set_put(struct issuer_set *set); /* NULL ok */
static inline void issuer_set_auto_put(struct issuer_set **set)
{
	issuer_set_put(*set);
}
#define AUTO_ISSUERS __attribute__((cleanup(issuer_set_auto_put))) struct issuer_set *

static inline bool issuer_set_has_old(const struct issuer_set *set)
{
	return set->old.cert != NULL;
}
/* Which of them signed the certificate. ERR_DENIED: neither. */
int issuer_set_find(const struct issuer_set *set, X509 *cert,
		    const struct ca_issuer **out) MUST_USE;
/* By its number; NULL: neither. 0 is the one that issues. */
const struct ca_issuer *issuer_set_by_number(const struct issuer_set *set, uint32_t ca);

#endif
