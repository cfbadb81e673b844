/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * From one pinned root to its successor (RFC 4210 4.4, docs/decisions/0220): what the servers are
 * checked by from now on. Pure: certificates in, certificates out.
 */
#ifndef PUMP_AGENT_SUCCESSION_H
#define PUMP_AGENT_SUCCESSION_H

#include <stdint.h>

#include "base/err.h"
#include "pump_agent/bundle.h"
#include "pump_agent/x509_auto.h"

#define ANCHOR_ROOTS_MAX 2 /* the one and its successor */
#define ANCHORS_MAX 8	   /* with the CAs below them: what a report has room for */

/*
 * Whether `old` itself says that `fresh` succeeds it, by the cross certificate `with_old` ("new
 * with old"): signed by the key of `old` with SHA-2, for the key and the name of `fresh`, which is
 * self-signed and younger; both with the name, path length, key usage, purpose and name constraints
 * of `old`, and in force at now_s (seconds since 1970). ERR_CRYPTO says what is not so.
 */
int succession_check(X509 *old, X509 *with_old, X509 *fresh, int64_t now_s) MUST_USE;

/*
 * What servers are checked by after an answer of /cacerts: `held` is what they are checked by so
 * far, `all` the answer, `proven` the SHA-256 of the held certificate that the answering server's
 * chain ended with: a root, or a CA below one. Held roots that the answer names are kept, in their
 * order; a root that one of them says succeeds it is taken; what the answer no longer names is
 * dropped, but never the root that has just been used. Behind each root the CAs that it issued
 * directly. The certificates are shared by reference; the caller frees the stack. ERR_CRYPTO: the
 * server left its own root out, or names none that is held. ERR_LIMIT: more than ANCHOR_ROOTS_MAX
 * roots or ANCHORS_MAX certificates.
 */
int anchors_follow(const STACK_OF(X509) * held, const STACK_OF(X509) * all,
		   const uint8_t proven[ANCHOR_HASH_BYTES], int64_t now_s,
		   STACK_OF(X509) * *out) MUST_USE;

#endif
