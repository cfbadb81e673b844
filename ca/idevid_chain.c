/* SPDX-License-Identifier: BSD-2-Clause */
/* Owns the path from a birth certificate to its maker. Never looks at names: see request/idevid.h.
 */
#include "ca/idevid_chain.h"

#include <openssl/x509_vfy.h>

#define DEPTH_MAX 4
#define AUTH_LEVEL 2 /* 112 bits: no SHA-1, no RSA below 2048, in the whole chain */

static void store_ctx_auto_free(X509_STORE_CTX **ctx)
{
	X509_STORE_CTX_free(*ctx);
}
#define AUTO_STORE_CTX __attribute__((cleanup(store_ctx_auto_free))) X509_STORE_CTX *

int idevid_certs_parse(const uint8_t *der, size_t len, STACK_OF(X509) * *out)
{
	AUTO_IDEVID_CERTS certs = sk_X509_new_null();
	const uint8_t *at = der;

	if (!certs)
		return err_set(ERR_NOMEM, "no memory for certificates");
	while (at < der + len) {
		X509 *cert = d2i_X509(NULL, &at, (long)(der + len - at));

		if (!cert)
			return err_ossl(ERR_INVALID, "not certificates, one behind the other");
		if (sk_X509_num(certs) == IDEVID_CERTS_MAX || !sk_X509_push(certs, cert)) {
			X509_free(cert);
			return err_set(ERR_LIMIT, "more than %d certificates", IDEVID_CERTS_MAX);
		}
	}
	*out = OSSL_TAKE(certs);
	return 0;
}

static int store_new(const STACK_OF(X509) * anchors, X509_STORE **out)
{
	AUTO_X509_STORE store = X509_STORE_new();

	if (!store)
		return err_set(ERR_NOMEM, "no memory for a trust store");
	for (int i = 0; i < sk_X509_num(anchors); i++)
		if (X509_STORE_add_cert(store, sk_X509_value(anchors, i)) != 1)
			return err_ossl(ERR_CRYPTO, "maker's anchor");
	*out = OSSL_TAKE(store);
	return 0;
}

/* The path's end must be one of the anchors, with the leaf below it: OpenSSL would also take a leaf
 * that is an anchor itself, whatever is above it. */
static int anchor_hash(const STACK_OF(X509) * path, const STACK_OF(X509) * anchors, uint8_t out[32])
{
	int n_path = sk_X509_num(path);
	unsigned n = 32;

	for (int i = 0; n_path > 1 && i < sk_X509_num(anchors); i++) {
		X509 *anchor = sk_X509_value(anchors, i);

		if (X509_cmp(anchor, sk_X509_value(path, n_path - 1)) != 0)
			continue;
		return X509_digest(anchor, EVP_sha256(), out, &n) ? 0
								  : err_ossl(ERR_CRYPTO, "anchor");
	}
	return err_set(ERR_DENIED, "birth certificate: it ends at no anchor");
}

static int verify(X509_STORE *store, X509 *leaf, STACK_OF(X509) * chain,
		  const STACK_OF(X509) * anchors, int64_t now_ms, uint8_t anchor_sha256_out[32])
{
	AUTO_STORE_CTX ctx = X509_STORE_CTX_new();
	X509_VERIFY_PARAM *param;

	if (!ctx || X509_STORE_CTX_init(ctx, store, leaf, chain) != 1)
		return err_ossl(ERR_NOMEM, "verification");
	param = X509_STORE_CTX_get0_param(ctx);
	X509_VERIFY_PARAM_set_flags(param, X509_V_FLAG_PARTIAL_CHAIN);
	X509_VERIFY_PARAM_set_time(param, (time_t)(now_ms / 1000));
	X509_VERIFY_PARAM_set_depth(param, DEPTH_MAX);
	X509_VERIFY_PARAM_set_auth_level(param, AUTH_LEVEL);
	X509_STORE_CTX_set_purpose(ctx, X509_PURPOSE_SSL_CLIENT);
	if (X509_verify_cert(ctx) != 1)
		return err_ossl(ERR_DENIED, "birth certificate: %s",
				X509_verify_cert_error_string(X509_STORE_CTX_get_error(ctx)));
	return anchor_hash(X509_STORE_CTX_get0_chain(ctx), anchors, anchor_sha256_out);
}

int idevid_chain_verify(X509 *leaf, STACK_OF(X509) * chain, const STACK_OF(X509) * anchors,
			int64_t now_ms, uint8_t anchor_sha256_out[32])
{
	AUTO_X509_STORE store = NULL;
	int rc;

	if (X509_check_ca(leaf))
		return err_set(ERR_DENIED, "birth certificate: it is one of a CA");
	rc = store_new(anchors, &store);
	return rc ? rc : verify(store, leaf, chain, anchors, now_ms, anchor_sha256_out);
}
