/* SPDX-License-Identifier: BSD-2-Clause */
/* Owns what passes between a server and its offline root. Never takes an extension from outside. */
#include "ca/offline.h"

#include <string.h>

#include "ca/ca_number.h"
#include "ca/csr.h"
#include "ca/lint.h"
#include "ca/profile_rules.h"

#define DAY_MS INT64_C(86400000)
#define LEAST_MS (30 * DAY_MS)
#define NAME_MAX_BYTES 256

int ca_root_make(enum ca_kind kind, const char *organization, EVP_PKEY *key, int64_t now_ms,
		 X509 **out)
{
	struct ca_terms t = ca_terms_of_ca(kind, organization, now_ms);

	return ca_certify(&t, key, NULL, key, out);
}

int ca_request_make(const struct ca_terms *t, EVP_PKEY *key, X509_REQ **out)
{
	AUTO_X509_REQ req = X509_REQ_new();
	AUTO_X509_NAME subject = NULL;
	int rc = ca_subject_new(t, &subject);

	if (rc)
		return rc;
	if (!req || !X509_REQ_set_version(req, X509_REQ_VERSION_1) ||
	    !X509_REQ_set_subject_name(req, subject) || !X509_REQ_set_pubkey(req, key) ||
	    !X509_REQ_sign(req, key, EVP_sha256()))
		return err_ossl(ERR_CRYPTO, "making the request");
	*out = OSSL_TAKE(req);
	return 0;
}

static enum ca_kind kind_of_root(X509 *root)
{
	switch (X509_get_extended_key_usage(root)) {
	case XKU_SSL_CLIENT:
		return CA_KIND_DEVICE_ROOT;
	case XKU_SSL_SERVER:
		return CA_KIND_SERVER_ROOT;
	default:
		return CA_KIND_NONE;
	}
}

int ca_request_sign(X509_REQ *req, X509 *root, EVP_PKEY *root_key, int64_t now_ms, X509 **out)
{
	enum ca_kind kind = kind_of_root(root);
	char organization[NAME_MAX_BYTES], name[NAME_MAX_BYTES], type[CSR_KEY_TYPE_SIZE];
	AUTO_X509_NAME subject = NULL;
	EVP_PKEY *key = X509_REQ_get0_pubkey(req);
	struct ca_terms t;
	int64_t root_begin_ms, root_end_ms;
	int rc;

	if (kind == CA_KIND_NONE || X509_check_private_key(root, root_key) != 1)
		return err_ossl(ERR_CRYPTO, "the root's certificate and key do not fit");
	if (!key || X509_REQ_verify(req, key) != 1)
		return err_ossl(ERR_CRYPTO, "the request is not signed by its own key");
	if ((rc = ca_key_check(X509_REQ_get_X509_PUBKEY(req), type)) ||
	    (rc = ossl_name_value(X509_REQ_get_subject_name(req), NID_organizationName,
				  organization, sizeof(organization))) ||
	    (rc = ossl_time_ms(X509_get0_notBefore(root), &root_begin_ms)) ||
	    (rc = ossl_time_ms(X509_get0_notAfter(root), &root_end_ms)))
		return rc;
	t = ca_terms_of_ca(ca_kind_below(kind), organization, now_ms);
	/* the first, or the one with a higher number that follows another */
	if ((rc = str_copy(name, sizeof(name), t.common_name)))
		return rc;
	t.common_name = name;
	for (uint32_t n = ca_number_of(X509_REQ_get_subject_name(req)), i = 1; i < n; i++)
		if ((rc = ca_number_raise(name, sizeof(name))))
			return rc;
	if ((rc = ca_subject_new(&t, &subject)))
		return rc;
	if (X509_NAME_cmp(subject, X509_REQ_get_subject_name(req)))
		return err_set(ERR_INVALID,
			       "the request is not for the issuing CA below this root");
	if (now_ms >= root_end_ms)
		return err_set(ERR_EXPIRED, "the root is past its end");
	if (t.not_after_ms > root_end_ms)
		t.not_after_ms = root_end_ms;
	if (t.not_before_ms < root_begin_ms)
		t.not_before_ms = root_begin_ms;
	return ca_certify(&t, key, root, root_key, out);
}

/* The certificate as the profile would make it from its own serial, times and names. */
static int profile_check(enum ca_kind kind, X509 *cert, X509 *issuer)
{
	const ASN1_INTEGER *serial = X509_get0_serialNumber(cert);
	char organization[NAME_MAX_BYTES], common_name[NAME_MAX_BYTES];
	struct ca_terms t = {
		.kind = kind, .organization = organization, .common_name = common_name};
	const X509_NAME *subject = X509_get_subject_name(cert);
	AUTO_X509 want = NULL;
	int rc;

	if (ASN1_STRING_length(serial) != CA_SERIAL_BYTES)
		return err_set(ERR_INVALID, "its serial has not %d bytes", CA_SERIAL_BYTES);
	memcpy(t.serial, ASN1_STRING_get0_data(serial), CA_SERIAL_BYTES);
	if ((rc = ossl_name_value(subject, NID_organizationName, organization,
				  sizeof(organization))) ||
	    (rc = ossl_name_value(subject, NID_commonName, common_name, sizeof(common_name))) ||
	    (rc = ossl_time_ms(X509_get0_notBefore(cert), &t.not_before_ms)) ||
	    (rc = ossl_time_ms(X509_get0_notAfter(cert), &t.not_after_ms)) ||
	    (rc = ca_profile_build(&t, X509_get_X509_PUBKEY(cert), issuer, &want)))
		return rc;
	rc = ca_profile_check(want, cert);
	return rc ? rc : ca_lint(kind, issuer, cert);
}

static int signature_check(X509 *cert, X509 *issuer)
{
	if (X509_get_signature_nid(cert) != NID_ecdsa_with_SHA256 ||
	    X509_verify(cert, X509_get0_pubkey(issuer)) != 1)
		return err_ossl(ERR_INVALID, "its signature is not the root's");
	return 0;
}

int ca_cert_check(enum ca_kind kind, X509 *cert, X509 *issuer)
{
	int rc = profile_check(kind, cert, issuer);

	return rc ? rc : signature_check(cert, issuer ? issuer : cert);
}

int ca_import_check(enum ca_kind root_kind, X509 *root, X509 *ca, EVP_PKEY *key, int64_t now_ms)
{
	char type[CSR_KEY_TYPE_SIZE];
	int64_t begin_ms, end_ms;
	int rc;

	if ((rc = ca_key_check(X509_get_X509_PUBKEY(root), type)) ||
	    (rc = ca_cert_check(root_kind, root, NULL)))
		return err_add(ERR_INVALID, "the root");
	if ((rc = ca_cert_check(ca_kind_below(root_kind), ca, root)) ||
	    (rc = ossl_time_ms(X509_get0_notBefore(ca), &begin_ms)) ||
	    (rc = ossl_time_ms(X509_get0_notAfter(ca), &end_ms)))
		return err_add(ERR_INVALID, "the issuing CA");
	if (EVP_PKEY_eq(X509_get0_pubkey(ca), key) != 1)
		return err_ossl(ERR_INVALID, "the issuing CA: it is not for the key that is here");
	if (now_ms < begin_ms || end_ms - now_ms < LEAST_MS)
		return err_set(ERR_INVALID,
			       "the issuing CA: it is not in force for the next 30 days "
			       "(look at the clocks of both machines)");
	return 0;
}
