/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Certificate revocation lists (RFC 5280 5): one full list of an issuing CA, built from what is
 * revoked and checked before it leaves. Pure: no clock, no file.
 */
#ifndef CA_CRL_H
#define CA_CRL_H

#include "ca/issue.h"
#include "ca/revoked_set.h"

/* Some 950,000 entries of 35 bytes; beyond it no list is made (OCSP still answers). */
#define CRL_DER_MAX (32u * 1024 * 1024)
/* How long a certificate stays on the list after its end, at least. */
#define CRL_GRACE_MS (INT64_C(7) * 86400000)

struct crl_terms {
	uint64_t number; /* RFC 5280 5.2.3: rises with every list */
	int64_t this_update_ms;
	int64_t next_update_ms;
};

/* Whether a list made at `now_ms` must name the entry, when the list before it was of
 * `previous_ms` (0: none is known). RFC 5280 3.3: "An entry MUST NOT be removed from the CRL until
 * it appears on one regularly scheduled CRL issued beyond the revoked certificate's validity
 * period." The list before was such a one when it is of later than the certificate's end. */
bool crl_entry_is_due(const struct revoked_entry *e, int64_t now_ms, int64_t previous_ms);

/* Signs a list of these entries and appends its DER to `out`. The caller has chosen the entries.
 * ERR_LIMIT, ERR_NOMEM, ERR_CRYPTO, ERR_CORRUPT (a serial that is none), ERR_INTERNAL (what came
 * out was not what was asked for: nothing leaves). */
int crl_build(const struct ca_issuer *issuer, const struct crl_terms *t,
	      const struct revoked_entry *entries, size_t n, struct buf *out) MUST_USE;

#endif
