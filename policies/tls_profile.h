/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a pump shows of its TLS, held against what its model must have (docs/decisions/0215). A
 * version is 12 for TLS 1.2, 13 for TLS 1.3 and so on; 0: not known, or none is set. Pure.
 */
#ifndef POLICIES_TLS_PROFILE_H
#define POLICIES_TLS_PROFILE_H

#include <stdbool.h>
#include <stdint.h>

/* "TLS 1.3", "TLSv1.3" or "1.3" to 13; 0 for everything else, "SSL 3.0" too. */
uint32_t tls_version_parse(const char *text);
/* 13 to "1.3"; "" for what tls_version_parse never gives. Never NULL. */
const char *tls_version_name(uint32_t version);

/* Below what is wanted. What is not known is below every floor; without a floor nothing is. */
bool tls_is_below(uint32_t seen, uint32_t min);

enum tls_outcome {
	TLS_OUTCOME_UNKNOWN = 0, /* not seen yet: nothing can be said */
	TLS_OUTCOME_PASS,
	TLS_OUTCOME_FAIL,
};

/* What would become of a pump if that were asked of it. min 0: any version; key "": any kind, else
 * the beginning of a kind's name up to its end or a "-": "ec" and "ec-p256" are kinds of "ec-p256".
 * What is known to fail fails, whatever is not known besides. */
enum tls_outcome tls_outcome_of(uint32_t seen, const char *seen_key, uint32_t min, const char *key);
/* "unknown", "pass", "fail"; never NULL. */
const char *tls_outcome_name(enum tls_outcome o);

#endif
