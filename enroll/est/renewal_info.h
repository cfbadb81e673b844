/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * When a pump should renew, as the server sees it: GET /.well-known/pumpgate/renewal-info with the
 * certificate in question as TLS client certificate, in the manner of RFC 9773 section 4.2. Pure.
 */
#ifndef ENROLL_EST_RENEWAL_INFO_H
#define ENROLL_EST_RENEWAL_INFO_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"

#define RENEWAL_INFO_MAX 512
#define RENEWAL_INFO_AGAIN_S 3600 /* Retry-After: pumps come back so often */

/* In origin-form or absolute-form, without a query. */
bool renewal_info_is_target(const char *target);
/* Likewise: GET /.well-known/pumpgate/server-policy, base64 of a signed policy
 * (docs/decisions/0180). */
bool server_policy_is_target(const char *target);

/* Milliseconds since 1970. asked_at: since when an early renewal is asked for; 0: it is not. */
struct renewal_facts {
	int64_t not_before;
	int64_t not_after;
	int64_t asked_at;
	int64_t spread_ms; /* the window of those that are asked, so that a wave does not come at
			      once */
};
/* Appends {"suggestedWindow":{"start":...,"end":...}}: from when it is asked for, else
 * from two thirds to four fifths of the certificate's life.
 * ERR_LIMIT, ERR_NOMEM. */
int renewal_info_build(const struct renewal_facts *f, struct buf *out) MUST_USE;

#endif
