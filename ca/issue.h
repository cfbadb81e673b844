/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Issuing: an issuer that is ready to sign, and signing followed by a check of the result against
 * profile and issuer before it leaves. Pure: no clock, no file.
 */
#ifndef CA_ISSUE_H
#define CA_ISSUE_H

#include <stdbool.h>
#include <stdint.h>

#include "ca/profile.h"

#define CA_ISSUER_NAME_SIZE 256

struct ca_issuer {
	X509 *cert; /* all owned */
	EVP_PKEY *key;
	X509 *root;
	EVP_PKEY *rehearsal; /* of the key's type and worth nothing: signs what is still to be
				judged */
	X509_STORE *store;   /* trusts cert: what issued certificates are verified with */
	int64_t not_before_ms;
	int64_t not_after_ms;
	char name[CA_ISSUER_NAME_SIZE]; /* X509_NAME_oneline form */
	/* a CA that has been replaced: it still signs CRLs and certifies its OCSP responder, so
	 * that those of it that are in force can be asked about, and nothing else */
	bool status_only;
};

/* Takes references of the three. Checks that the key is the certificate's and that the root issued
 * it. The caller ends *out with ca_issuer_done. ERR_CRYPTO, ERR_LIMIT (name too long). */
int ca_issuer_init(X509 *cert, EVP_PKEY *key, X509 *root, struct ca_issuer *out) MUST_USE;
void ca_issuer_done(struct ca_issuer *issuer); /* safe on a zeroed struct */

/* Ends of validity: now + validity_ms, but never beyond the issuer's end. ERR_EXPIRED when the
 * issuer itself has ended, or has not begun. */
int ca_issuer_not_after(const struct ca_issuer *issuer, int64_t now_ms, int64_t validity_ms,
			int64_t *not_after_ms_out) MUST_USE;

/* Signs a leaf for the public key `spki` on these terms, once it has been judged (ca/lint.h), and
 * verifies what came out as its users will. Thread-safe on one issuer. The caller frees *out.
 * ERR_DENIED (the issuer has been replaced, and this is not for its OCSP responder),
 * ERR_INVALID (a name), ERR_CRYPTO, ERR_INTERNAL (the result was not what was asked for: nothing
 * leaves). */
int ca_issue(const struct ca_issuer *issuer, const struct ca_terms *t, const X509_PUBKEY *spki,
	     X509 **out) MUST_USE;

/* Whether `cert` was signed by this issuer under its name, at any time. ERR_DENIED. */
int ca_issuer_check(const struct ca_issuer *issuer, X509 *cert) MUST_USE;

/* The kind of the issuing CA below a root; CA_KIND_NONE: not a root. */
enum ca_kind ca_kind_below(enum ca_kind root);
/* Serial, times and names of a CA's certificate; `kind` is a root's or an issuing CA's. Borrows. */
struct ca_terms ca_terms_of_ca(enum ca_kind kind, const char *organization, int64_t now_ms);
/* A CA's certificate for `key`, signed with `by` (a root's own key: issuer NULL) and checked
 * against its profile before it leaves. The caller frees *out. ERR_INVALID, ERR_CRYPTO,
 * ERR_INTERNAL. */
int ca_certify(const struct ca_terms *t, EVP_PKEY *key, X509 *issuer, EVP_PKEY *by,
	       X509 **out) MUST_USE;

/* A root and its issuing CA with fresh P-256 keys; `kind` is CA_KIND_DEVICE_ROOT,
 * CA_KIND_SERVER_ROOT or CA_KIND_NAS_ROOT. The caller frees all four. ERR_INVALID (the
 * organization), ERR_CRYPTO. */
struct ca_hierarchy {
	X509 *root, *ca;
	EVP_PKEY *root_key, *ca_key;
};
int ca_hierarchy_new(enum ca_kind kind, const char *organization, int64_t now_ms,
		     struct ca_hierarchy *out) MUST_USE;
void ca_hierarchy_done(struct ca_hierarchy *h); /* safe on a zeroed struct */

#endif
