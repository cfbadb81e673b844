/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What every TLS connection of the agent is made of: TLS 1.2 with forward secrecy and an AEAD or
 * TLS 1.3, trust in the pinned anchors alone, a server that must have the name we wanted. Pure:
 * opens nothing. The key is an EVP_PKEY, of a file or of a provider (TPM).
 */
#ifndef PUMP_AGENT_TLS_CLIENT_H
#define PUMP_AGENT_TLS_CLIENT_H

#include <stdbool.h>

#include <openssl/ssl.h>

#include "base/err.h"
#include "pump_agent/x509_auto.h"

/* What we trust, and show if we are asked. Nothing is owned. */
struct tls_client {
	const STACK_OF(X509) * anchors; /* NULL: whoever answers is fine, nothing is proven */
	X509 *cert;			/* NULL: none is shown; then no key either */
	EVP_PKEY *key;
	const STACK_OF(X509) * chain; /* CAs sent after it; NULL: none */
};

/* The caller frees. ERR_CRYPTO (also when key and certificate differ), ERR_INVALID (no root among
 * the anchors), ERR_NOMEM. */
int tls_client_ctx(const struct tls_client *t, SSL_CTX **out) MUST_USE;

/* The server of this connection must prove to be `name`: a DNS name, without wildcards, or an IP
 * address, in its subjectAltName (RFC 9525). ERR_CRYPTO. */
int tls_client_expect(SSL *ssl, const char *name, bool is_address) MUST_USE;

#endif
