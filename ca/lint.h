/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Whether a certificate keeps RFC 5280 and the promises of its kind, judged from its bytes alone
 * and without the code that built it: the profile's builder could be wrong in the same way twice.
 * Pure.
 */
#ifndef CA_LINT_H
#define CA_LINT_H

#include "ca/profile.h"

/* `cert` is freshly parsed; `issuer` is NULL for a root. Its signature is not looked at.
 * ERR_INTERNAL names the rule that is broken. */
int ca_lint(enum ca_kind kind, X509 *issuer, X509 *cert) MUST_USE;

/*
 * Signs `draft` (from ca_profile_build on terms `t`) in two steps. First with `rehearsal`, a key of
 * the same type as `key` that is worth nothing: what comes out is parsed, linted and compared with
 * the draft. Only then with `key`; the result must have the very bytes that were judged, but for
 * the signature. The caller frees *out, verifies it, and has then what its users will have.
 * ERR_CRYPTO, ERR_INTERNAL (nothing was signed, or nothing leaves).
 */
int ca_sign_judged(X509 *draft, const struct ca_terms *t, X509 *issuer, EVP_PKEY *rehearsal,
		   EVP_PKEY *key, X509 **out) MUST_USE;

/* A throw-away key with the type and parameters of `like`. The caller frees *out. ERR_CRYPTO: a
 * type that no CA here has. */
int ca_rehearsal_key_new(const EVP_PKEY *like, EVP_PKEY **out) MUST_USE;

#endif
