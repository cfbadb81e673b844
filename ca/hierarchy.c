/* SPDX-License-Identifier: BSD-2-Clause */
/* Owns the birth of a CA hierarchy: a self-signed root and one issuing CA. */
#include <stdio.h>
#include <string.h>

#include <openssl/ec.h>

#include "ca/issue.h"
#include "ca/lint.h"

#define DAY_MS INT64_C(86400000)
/* Pumps live 8 to 10 years. A pump trusts the root; the issuing CA is replaced once before. */
#define ROOT_VALIDITY_MS (20 * 365 * DAY_MS)
#define CA_VALIDITY_MS (10 * 365 * DAY_MS)
/* Server certificates begin with their CA, so that a pump whose clock is late gets through. */
#define CA_BACKDATE_MS DAY_MS

void ca_hierarchy_done(struct ca_hierarchy *h)
{
	X509_free(h->root);
	X509_free(h->ca);
	EVP_PKEY_free(h->root_key);
	EVP_PKEY_free(h->ca_key);
	memset(h, 0, sizeof(*h));
}

int ca_certify(const struct ca_terms *t, EVP_PKEY *key, X509 *issuer, EVP_PKEY *by, X509 **out)
{
	AUTO_X509 draft = NULL;
	AUTO_X509 fresh = NULL;
	AUTO_PKEY rehearsal = NULL;
	X509_PUBKEY *spki = NULL;
	int rc = X509_PUBKEY_set(&spki, key) ? ca_profile_build(t, spki, issuer, &draft)
					     : err_ossl(ERR_CRYPTO, "public key");

	X509_PUBKEY_free(spki);
	if (rc || (rc = ca_rehearsal_key_new(by, &rehearsal)) ||
	    (rc = ca_sign_judged(draft, t, issuer, rehearsal, by, &fresh)))
		return rc;
	if (X509_verify(fresh, by) != 1)
		return err_ossl(ERR_INTERNAL, "the new certificate does not verify");
	*out = OSSL_TAKE(fresh);
	return 0;
}

enum ca_kind ca_kind_below(enum ca_kind root)
{
	switch (root) {
	case CA_KIND_DEVICE_ROOT:
		return CA_KIND_DEVICE_CA;
	case CA_KIND_SERVER_ROOT:
		return CA_KIND_SERVER_CA;
	case CA_KIND_NAS_ROOT:
		return CA_KIND_NAS_CA;
	default:
		return CA_KIND_NONE;
	}
}

struct ca_terms ca_terms_of_ca(enum ca_kind kind, const char *organization, int64_t now_ms)
{
	/* the number tells a CA from its successor: the registry knows certificates by issuer name
	 */
	static const char *const names[] = {
		[CA_KIND_DEVICE_ROOT] = "Pumpgate Device Root 1",
		[CA_KIND_DEVICE_CA] = "Pumpgate Device CA 1",
		[CA_KIND_SERVER_ROOT] = "Pumpgate Server Root 1",
		[CA_KIND_SERVER_CA] = "Pumpgate Server CA 1",
		[CA_KIND_NAS_ROOT] = "Pumpgate NAS Root 1",
		[CA_KIND_NAS_CA] = "Pumpgate NAS CA 1",
	};
	bool root = ca_kind_below(kind) != CA_KIND_NONE;
	struct ca_terms t = {.kind = kind,
			     .not_before_ms = now_ms - CA_BACKDATE_MS,
			     .not_after_ms = now_ms + (root ? ROOT_VALIDITY_MS : CA_VALIDITY_MS),
			     .organization = organization,
			     .common_name = names[kind]};

	ca_serial_random(t.serial);
	return t;
}

static int hierarchy_fill(enum ca_kind kind, const char *organization, int64_t now_ms,
			  struct ca_hierarchy *h)
{
	struct ca_terms t = ca_terms_of_ca(kind, organization, now_ms);
	char name[CA_ISSUER_NAME_SIZE];
	int rc;

	h->root_key = EVP_EC_gen("P-256");
	h->ca_key = EVP_EC_gen("P-256");
	if (!h->root_key || !h->ca_key)
		return err_ossl(ERR_CRYPTO, "making a key");
	rc = ca_certify(&t, h->root_key, NULL, h->root_key, &h->root);
	if (rc)
		return rc;
	t = ca_terms_of_ca(ca_kind_below(kind), organization, now_ms);
	rc = ca_certify(&t, h->ca_key, h->root, h->root_key, &h->ca);
	if (rc)
		return rc;
	/* the name by which the registry and FreeRADIUS know the CA: letters beyond ASCII take 4
	 * characters for each byte there */
	if (ossl_name_oneline(X509_get_subject_name(h->ca), name, sizeof(name)))
		return err_set(ERR_INVALID, "organization \"%.64s\" is too long", organization);
	return 0;
}

int ca_hierarchy_new(enum ca_kind kind, const char *organization, int64_t now_ms,
		     struct ca_hierarchy *out)
{
	struct ca_hierarchy h = {0};
	int rc;

	if (ca_kind_below(kind) == CA_KIND_NONE)
		return err_set(ERR_INTERNAL, "not a root");
	rc = hierarchy_fill(kind, organization, now_ms, &h);
	if (rc)
		ca_hierarchy_done(&h);
	else
		*out = h;
	return rc;
}
