/* SPDX-License-Identifier: BSD-2-Clause */
/* Owns what two roots say of each other. Never gives the new one more than the old one had. */
#include "ca/root_change.h"

#include <string.h>

#include "ca/offline.h"
#include "ca/profile_rules.h"

#define NAME_MAX_BYTES 256

struct root_names {
	char organization[NAME_MAX_BYTES], common_name[NAME_MAX_BYTES];
};

/* The terms of a root with the name of this one. */
static int named_terms(enum ca_kind kind, X509 *root, int64_t now_ms, struct root_names *names,
		       struct ca_terms *out)
{
	const X509_NAME *subject = X509_get_subject_name(root);
	int rc = ossl_name_value(subject, NID_organizationName, names->organization,
				 sizeof(names->organization));

	rc = rc ? rc
		: ossl_name_value(subject, NID_commonName, names->common_name,
				  sizeof(names->common_name));
	if (rc)
		return rc;
	*out = ca_terms_of_ca(kind, names->organization, now_ms);
	out->common_name = names->common_name;
	return 0;
}

int ca_root_succeed(enum ca_kind kind, X509 *old, EVP_PKEY *key, int64_t now_ms, X509 **out)
{
	struct root_names names;
	struct ca_terms t;
	int64_t old_begin_ms;
	int rc = named_terms(kind, old, now_ms, &names, &t);

	rc = rc ? rc : ossl_time_ms(X509_get0_notBefore(old), &old_begin_ms);
	/* pumps tell the successor from what it succeeds by its age */
	if (!rc && t.not_before_ms < old_begin_ms + 1000)
		t.not_before_ms = old_begin_ms + 1000;
	if (!rc && EVP_PKEY_eq(X509_get0_pubkey(old), key) == 1)
		rc = err_set(ERR_INVALID, "a new root needs a key of its own");
	return rc ? rc : ca_certify(&t, key, NULL, key, out);
}

/* RFC 4210 4.4.1: "old with new" begins when the old key did, both end with the old key at the
 * latest. */
static int cross_times(X509 *subject, X509 *issuer, struct ca_terms *t)
{
	int64_t issuer_end_ms;
	int rc = ossl_time_ms(X509_get0_notBefore(subject), &t->not_before_ms);

	rc = rc ? rc : ossl_time_ms(X509_get0_notAfter(subject), &t->not_after_ms);
	rc = rc ? rc : ossl_time_ms(X509_get0_notAfter(issuer), &issuer_end_ms);
	if (!rc && t->not_after_ms > issuer_end_ms)
		t->not_after_ms = issuer_end_ms;
	return rc;
}

int ca_root_cross(enum ca_kind kind, X509 *subject, X509 *issuer, EVP_PKEY *issuer_key,
		  int64_t now_ms, X509 **out)
{
	struct root_names names;
	struct ca_terms t;
	int rc = named_terms(kind, subject, now_ms, &names, &t);

	rc = rc ? rc : cross_times(subject, issuer, &t);
	if (rc)
		return rc;
	if (t.not_after_ms <= now_ms)
		return err_set(ERR_EXPIRED, "a root is past its end: nobody would believe it");
	return ca_certify(&t, X509_get0_pubkey(subject), issuer, issuer_key, out);
}

int ca_root_cross_check(enum ca_kind kind, X509 *subject, X509 *issuer, X509 *cross)
{
	struct ca_terms t = {.kind = kind};
	int64_t begin_ms, end_ms;
	int rc = 0;

	if (X509_NAME_cmp(X509_get_subject_name(subject), X509_get_subject_name(issuer)))
		return err_set(ERR_INVALID, "the two roots have not one name");
	if (EVP_PKEY_eq(X509_get0_pubkey(cross), X509_get0_pubkey(subject)) != 1 ||
	    EVP_PKEY_eq(X509_get0_pubkey(subject), X509_get0_pubkey(issuer)) == 1)
		return err_ossl(ERR_INVALID, "a cross certificate is not for the other root's key");
	if ((rc = ca_cert_check(kind, cross, issuer)) || (rc = cross_times(subject, issuer, &t)) ||
	    (rc = ossl_time_ms(X509_get0_notBefore(cross), &begin_ms)) ||
	    (rc = ossl_time_ms(X509_get0_notAfter(cross), &end_ms)))
		return err_add(ERR_INVALID, "a cross certificate");
	return begin_ms == t.not_before_ms && end_ms == t.not_after_ms
		       ? 0
		       : err_set(ERR_INVALID, "a cross certificate: its times are not its roots'");
}
