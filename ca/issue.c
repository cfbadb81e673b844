/* SPDX-License-Identifier: BSD-2-Clause */
/* Owns signing leaves. Never signs bytes that it did not build itself. */
#include "ca/issue.h"

#include <string.h>

#include "ca/lint.h"

void ca_issuer_done(struct ca_issuer *issuer)
{
	X509_free(issuer->cert);
	EVP_PKEY_free(issuer->key);
	EVP_PKEY_free(issuer->rehearsal);
	X509_free(issuer->root);
	X509_STORE_free(issuer->store);
	memset(issuer, 0, sizeof(*issuer));
}

static int issuer_fill(X509 *cert, EVP_PKEY *key, X509 *root, struct ca_issuer *out)
{
	int rc;

	X509_up_ref(cert);
	out->cert = cert;
	EVP_PKEY_up_ref(key);
	out->key = key;
	X509_up_ref(root);
	out->root = root;
	if (X509_check_private_key(cert, key) != 1)
		return err_ossl(ERR_CRYPTO, "the CA's key is not its certificate's");
	if (X509_check_ca(cert) != 1 || X509_verify(cert, X509_get0_pubkey(root)) != 1)
		return err_ossl(ERR_CRYPTO, "the CA's certificate is not from its root");
	if ((rc = ossl_time_ms(X509_get0_notBefore(cert), &out->not_before_ms)) ||
	    (rc = ossl_time_ms(X509_get0_notAfter(cert), &out->not_after_ms)) ||
	    (rc = ossl_name_oneline(X509_get_subject_name(cert), out->name, sizeof(out->name))))
		return rc;
	rc = ca_rehearsal_key_new(X509_get0_pubkey(cert), &out->rehearsal);
	if (rc)
		return rc;
	out->store = X509_STORE_new();
	if (!out->store || !X509_STORE_add_cert(out->store, cert) ||
	    !X509_STORE_set_flags(out->store, X509_V_FLAG_PARTIAL_CHAIN))
		return err_ossl(ERR_CRYPTO, "trust store");
	return 0;
}

int ca_issuer_init(X509 *cert, EVP_PKEY *key, X509 *root, struct ca_issuer *out)
{
	struct ca_issuer issuer = {0};
	int rc = issuer_fill(cert, key, root, &issuer);

	if (rc)
		ca_issuer_done(&issuer);
	else
		*out = issuer;
	return rc;
}

int ca_issuer_not_after(const struct ca_issuer *issuer, int64_t now_ms, int64_t validity_ms,
			int64_t *not_after_ms_out)
{
	if (now_ms < issuer->not_before_ms || now_ms >= issuer->not_after_ms)
		return err_set(ERR_EXPIRED, "%s is not valid at this time", issuer->name);
	*not_after_ms_out = validity_ms < issuer->not_after_ms - now_ms ? now_ms + validity_ms
									: issuer->not_after_ms;
	return 0;
}

/* As a RADIUS or TLS peer would: signature, purpose, name constraints, at notBefore. The CA's own
 * certificate was checked against its root at the start and ends the chain here. */
static int verify_as_its_users(const struct ca_issuer *issuer, const struct ca_terms *t, X509 *cert)
{
	AUTO_X509_STORE_CTX ctx = X509_STORE_CTX_new();
	int purpose = t->kind == CA_KIND_OCSP_LEAF     ? X509_PURPOSE_OCSP_HELPER
		      : t->kind == CA_KIND_POLICY_LEAF ? X509_PURPOSE_ANY
		      : t->kind == CA_KIND_SERVER_LEAF ? X509_PURPOSE_SSL_SERVER
						       : X509_PURPOSE_SSL_CLIENT;

	if (!ctx || !X509_STORE_CTX_init(ctx, issuer->store, cert, NULL))
		return err_ossl(ERR_CRYPTO, "verification");
	X509_STORE_CTX_set_time(ctx, 0, (time_t)(t->not_before_ms / 1000));
	if (!X509_STORE_CTX_set_purpose(ctx, purpose))
		return err_ossl(ERR_CRYPTO, "verification");
	if (X509_verify_cert(ctx) != 1)
		return err_ossl(ERR_INTERNAL, "the new certificate does not verify (%s)",
				X509_verify_cert_error_string(X509_STORE_CTX_get_error(ctx)));
	return 0;
}

int ca_issue(const struct ca_issuer *issuer, const struct ca_terms *t, const X509_PUBKEY *spki,
	     X509 **out)
{
	AUTO_X509 draft = NULL;
	AUTO_X509 fresh = NULL;
	int rc;

	if (t->kind != CA_KIND_DEVICE_LEAF && t->kind != CA_KIND_SERVER_LEAF &&
	    t->kind != CA_KIND_OCSP_LEAF && t->kind != CA_KIND_POLICY_LEAF &&
	    t->kind != CA_KIND_NAS_LEAF)
		return err_set(ERR_INTERNAL, "only leaves are issued here");
	if (issuer->status_only && t->kind != CA_KIND_OCSP_LEAF)
		return err_set(ERR_DENIED, "%s has been replaced: it issues nothing more",
			       issuer->name);
	rc = ca_profile_build(t, spki, issuer->cert, &draft);
	if (rc)
		return rc;
	if ((rc = ca_sign_judged(draft, t, issuer->cert, issuer->rehearsal, issuer->key, &fresh)) ||
	    (rc = verify_as_its_users(issuer, t, fresh)))
		return rc;
	*out = OSSL_TAKE(fresh);
	return 0;
}

int ca_issuer_check(const struct ca_issuer *issuer, X509 *cert)
{
	if (X509_NAME_cmp(X509_get_issuer_name(cert), X509_get_subject_name(issuer->cert)) ||
	    X509_verify(cert, X509_get0_pubkey(issuer->cert)) != 1)
		return err_ossl(ERR_DENIED, "certificate is not from %s", issuer->name);
	return 0;
}
