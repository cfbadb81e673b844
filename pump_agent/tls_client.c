/* SPDX-License-Identifier: BSD-2-Clause */
/* Owns the agent's settings of TLS. Never trusts what the system or the environment would add. */
#include "pump_agent/tls_client.h"

#include <openssl/x509v3.h>

#include "pump_agent/anchors.h"

/* Forward secrecy and an AEAD in TLS 1.2; all suites of TLS 1.3 are fine. */
#define CIPHERS_TLS12                                                  \
	"ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-ECDSA-AES256-GCM-SHA384:" \
	"ECDHE-ECDSA-CHACHA20-POLY1305:ECDHE-RSA-AES128-GCM-SHA256:"   \
	"ECDHE-RSA-AES256-GCM-SHA384"

static void ctx_auto_free(SSL_CTX **p)
{
	SSL_CTX_free(*p);
}
#define AUTO_SSL_CTX __attribute__((cleanup(ctx_auto_free))) SSL_CTX *

static int trust_set(SSL_CTX *ctx, const STACK_OF(X509) * anchors)
{
	X509_STORE *store;
	int rc;

	if (!anchors) {
		SSL_CTX_set_verify(ctx, SSL_VERIFY_NONE, NULL);
		return 0;
	}
	SSL_CTX_set_verify(ctx, SSL_VERIFY_PEER, NULL);
	rc = anchors_store(anchors, &store);
	if (!rc)
		SSL_CTX_set_cert_store(ctx, store); /* takes it */
	return rc;
}

static int identity_set(SSL_CTX *ctx, const struct tls_client *t)
{
	if (!t->cert)
		return 0;
	if (SSL_CTX_use_certificate(ctx, t->cert) != 1 || SSL_CTX_use_PrivateKey(ctx, t->key) != 1)
		return err_ossl(ERR_CRYPTO, "the pump's certificate and key");
	for (int i = 0; i < sk_X509_num(t->chain); i++)
		if (SSL_CTX_add1_chain_cert(ctx, sk_X509_value(t->chain, i)) != 1)
			return err_ossl(ERR_CRYPTO, "the certificates above the pump's");
	return 0;
}

int tls_client_ctx(const struct tls_client *t, SSL_CTX **out)
{
	AUTO_SSL_CTX ctx = SSL_CTX_new(TLS_client_method());
	int rc;

	if (!ctx)
		return err_ossl(ERR_NOMEM, "TLS");
	SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_OFF);
	SSL_CTX_set_options(ctx,
			    SSL_OP_NO_TICKET | SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION);
	SSL_CTX_set_mode(ctx, SSL_MODE_AUTO_RETRY);
	if (SSL_CTX_set_min_proto_version(ctx, TLS1_2_VERSION) != 1 ||
	    SSL_CTX_set_cipher_list(ctx, CIPHERS_TLS12) != 1)
		return err_ossl(ERR_CRYPTO, "TLS settings");
	rc = trust_set(ctx, t->anchors);
	rc = rc ? rc : identity_set(ctx, t);
	if (!rc)
		*out = OSSL_TAKE(ctx);
	return rc;
}

int tls_client_expect(SSL *ssl, const char *name, bool is_address)
{
	X509_VERIFY_PARAM *param = SSL_get0_param(ssl);
	int ok;

	X509_VERIFY_PARAM_set_hostflags(param, X509_CHECK_FLAG_NO_WILDCARDS |
						       X509_CHECK_FLAG_NEVER_CHECK_SUBJECT);
	if (!name || !*name)
		return err_set(ERR_CRYPTO, "the server has no name to prove");
	if (is_address) /* RFC 6066 3: no address in the server_name extension */
		ok = X509_VERIFY_PARAM_set1_ip_asc(param, name);
	else
		ok = X509_VERIFY_PARAM_set1_host(param, name, 0) == 1 &&
		     SSL_set_tlsext_host_name(ssl, name) == 1;
	if (ok != 1 || X509_VERIFY_PARAM_set_purpose(param, X509_PURPOSE_SSL_SERVER) != 1)
		return err_ossl(ERR_CRYPTO, "the server's name");
	return 0;
}
