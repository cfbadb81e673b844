/* SPDX-License-Identifier: BSD-2-Clause */
/* Owns the choice of the store for a client's chain. Never puts two kinds of anchors into one. */
#include "enroll/enrolld/peer_verify.h"

#include <openssl/err.h>
#include <openssl/x509v3.h>

#include "enroll/enrolld/trust.h"

#define DEPTH_MAX 4
#define AUTH_LEVEL 2

static int mark_index = -1; /* SSL's extra data: not NULL for a maker's chain */
static char makers_mark, late_mark;

static int maker_chain_verify(X509_STORE *store, X509 *leaf, STACK_OF(X509) * untrusted)
{
	X509_STORE_CTX *ctx = X509_STORE_CTX_new();
	int ok = ctx && X509_STORE_CTX_init(ctx, store, leaf, untrusted) == 1;

	if (ok) {
		X509_VERIFY_PARAM *param = X509_STORE_CTX_get0_param(ctx);

		X509_VERIFY_PARAM_set_flags(param, X509_V_FLAG_PARTIAL_CHAIN);
		X509_VERIFY_PARAM_set_depth(param, DEPTH_MAX);
		X509_VERIFY_PARAM_set_auth_level(param, AUTH_LEVEL);
		X509_STORE_CTX_set_purpose(ctx, X509_PURPOSE_SSL_CLIENT);
		ok = X509_verify_cert(ctx) == 1 && X509_check_ca(leaf) == 0;
	}
	X509_STORE_CTX_free(ctx);
	ERR_clear_error();
	return ok;
}

/* Every CA of the chain is in force now. */
static bool issuers_are_current(const STACK_OF(X509) * chain)
{
	for (int i = 1; i < sk_X509_num(chain); i++) {
		const X509 *ca = sk_X509_value(chain, i);

		if (X509_cmp_current_time(X509_get0_notBefore(ca)) >= 0 ||
		    X509_cmp_current_time(X509_get0_notAfter(ca)) <= 0)
			return false;
	}
	return sk_X509_num(chain) > 1;
}

/* A chain of ours against which nothing speaks but the leaf's end. */
static bool late_chain_verify(X509_STORE *store, X509 *leaf)
{
	X509_STORE_CTX *ctx = X509_STORE_CTX_new();
	bool ok = ctx && X509_STORE_CTX_init(ctx, store, leaf, NULL) == 1 &&
		  X509_cmp_current_time(X509_get0_notAfter(leaf)) < 0;

	if (ok) {
		X509_VERIFY_PARAM *param = X509_STORE_CTX_get0_param(ctx);

		X509_VERIFY_PARAM_set_flags(param, X509_V_FLAG_NO_CHECK_TIME);
		X509_VERIFY_PARAM_set_auth_level(param, AUTH_LEVEL);
		X509_STORE_CTX_set_purpose(ctx, X509_PURPOSE_SSL_CLIENT);
		ok = X509_verify_cert(ctx) == 1 && X509_check_ca(leaf) == 0 &&
		     issuers_are_current(X509_STORE_CTX_get0_chain(ctx));
	}
	X509_STORE_CTX_free(ctx);
	ERR_clear_error();
	return ok;
}

static int verify(X509_STORE_CTX *ctx, void *arg)
{
	SSL *ssl = X509_STORE_CTX_get_ex_data(ctx, SSL_get_ex_data_X509_STORE_CTX_idx());
	X509_STORE *store;
	int error, ok;

	if (!ssl || SSL_set_ex_data(ssl, mark_index, NULL) != 1)
		return 0;
	if (X509_verify_cert(ctx) == 1)
		return 1;
	error = X509_STORE_CTX_get_error(ctx);
	if (error == X509_V_ERR_CERT_HAS_EXPIRED && X509_STORE_CTX_get_error_depth(ctx) == 0 &&
	    late_chain_verify(X509_STORE_CTX_get0_store(ctx), X509_STORE_CTX_get0_cert(ctx)) &&
	    SSL_set_ex_data(ssl, mark_index, &late_mark) == 1) {
		X509_STORE_CTX_set_error(ctx, X509_V_OK);
		return 1;
	}
	store = makers_store(arg);
	ok = store &&
	     maker_chain_verify(store, X509_STORE_CTX_get0_cert(ctx),
				X509_STORE_CTX_get0_untrusted(ctx)) &&
	     SSL_set_ex_data(ssl, mark_index, &makers_mark) == 1;
	X509_STORE_free(store);
	X509_STORE_CTX_set_error(ctx, ok ? X509_V_OK : error); /* the first store's says why */
	return ok;
}

int peer_verify_install(SSL_CTX *ctx, struct makers *makers)
{
	if (mark_index < 0)
		mark_index = SSL_get_ex_new_index(0, NULL, NULL, NULL, NULL);
	if (mark_index < 0)
		return trust_crypto_error("TLS settings");
	SSL_CTX_set_cert_verify_callback(ctx, verify, makers);
	return 0;
}

bool peer_is_late(const SSL *ssl)
{
	return SSL_get_ex_data(ssl, mark_index) == &late_mark;
}

bool peer_is_makers(const SSL *ssl)
{
	return SSL_get_ex_data(ssl, mark_index) == &makers_mark;
}
