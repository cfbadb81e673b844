/* SPDX-License-Identifier: BSD-2-Clause */
/* Owns the TLS settings of RadSec. Never decides whether a NAS is in force: radiusd asks. */
#include "radius_modules/radsec/tls.h"

#include <stdio.h>
#include <string.h>

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include "base/buf.h"
#include "base/daemon.h"
#include "base/secret.h"

#define KEY_FILE_MAX 16384
#define TRUST_FILE_MAX 65536

/* Forward secrecy and an AEAD in TLS 1.2; all suites of TLS 1.3 are fine. */
#define CIPHERS_TLS12                                                  \
	"ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-ECDSA-AES256-GCM-SHA384:" \
	"ECDHE-ECDSA-CHACHA20-POLY1305"

static int crypto_error(const char *what)
{
	char text[160] = "no detail";
	unsigned long code = ERR_get_error();

	if (code)
		ERR_error_string_n(code, text, sizeof(text));
	ERR_clear_error();
	return err_set(ERR_CRYPTO, "%s: %s", what, text);
}

static int key_use(SSL_CTX *ctx, const char *path)
{
	AUTO_SECRET pem = NULL;
	EVP_PKEY *key = NULL;
	BIO *bio;
	int rc = secret_read_file(path, KEY_FILE_MAX, &pem);

	if (rc)
		return rc;
	bio = BIO_new_mem_buf(secret_data(pem), (int)secret_len(pem));
	if (bio)
		key = PEM_read_bio_PrivateKey(bio, NULL, NULL, NULL);
	if (!key || SSL_CTX_use_PrivateKey(ctx, key) != 1)
		rc = crypto_error(path);
	EVP_PKEY_free(key);
	BIO_free(bio);
	return rc;
}

/* Calls `take` with each certificate of a PEM file; at least one. */
static int certs_each(SSL_CTX *ctx, const char *path, int (*take)(SSL_CTX *ctx, X509 *cert))
{
	AUTO_BUF pem = {.max = TRUST_FILE_MAX};
	X509 *cert;
	BIO *bio;
	int n = 0;
	int rc = buf_read_file(&pem, path);

	if (rc)
		return rc == ERR_NOT_FOUND ? err_add(rc, "do: pumpctl init") : rc;
	bio = BIO_new_mem_buf(pem.data, (int)pem.len);
	while (!rc && bio && (cert = PEM_read_bio_X509(bio, NULL, NULL, NULL))) {
		rc = take(ctx, cert) == 1 ? 0 : crypto_error(path);
		X509_free(cert);
		n++;
	}
	BIO_free(bio);
	ERR_clear_error(); /* "no start line" at the end */
	return rc || n ? rc : err_set(ERR_CRYPTO, "%s holds no certificate", path);
}

/* The leaf first; what stands behind it is sent with it: the way to it from an old root. */
static int own_use(SSL_CTX *ctx, X509 *cert)
{
	return SSL_CTX_get0_certificate(ctx) ? SSL_CTX_add1_chain_cert(ctx, cert) == 1
					     : SSL_CTX_use_certificate(ctx, cert) == 1;
}

/* What issued our leaf, unless that came with it; the root is the NAS's own to have. */
static int chain_add(SSL_CTX *ctx, X509 *cert)
{
	STACK_OF(X509) *there = NULL;

	if (X509_check_issued(cert, SSL_CTX_get0_certificate(ctx)) != X509_V_OK)
		return 1;
	SSL_CTX_get0_chain_certs(ctx, &there);
	return sk_X509_num(there) > 0 || SSL_CTX_add1_chain_cert(ctx, cert) == 1;
}

/* NAS may send their leaf alone: the issuing CA is in the store too. */
static int trust_add(SSL_CTX *ctx, X509 *cert)
{
	return X509_STORE_add_cert(SSL_CTX_get_cert_store(ctx), cert) == 1 &&
	       SSL_CTX_add_client_CA(ctx, cert) == 1;
}

static int files_use(SSL_CTX *ctx, const char *home)
{
	char key[PATH_MAX], cert[PATH_MAX], chain[PATH_MAX], trust[PATH_MAX];
	int rc;

	if ((rc = home_path(home, "radsec/key.pem", key)) ||
	    (rc = home_path(home, "radsec/cert.pem", cert)) ||
	    (rc = home_path(home, "trust/server.pem", chain)) ||
	    (rc = home_path(home, "trust/nas.pem", trust)) ||
	    (rc = certs_each(ctx, cert, own_use)) || (rc = key_use(ctx, key)) ||
	    (rc = certs_each(ctx, chain, chain_add)))
		return rc;
	return certs_each(ctx, trust, trust_add);
}

/* Each connection shows its certificate: nothing is resumed, so nothing has to be remembered. */
static int context_set_up(SSL_CTX *ctx)
{
	if (SSL_CTX_set_min_proto_version(ctx, TLS1_2_VERSION) != 1 ||
	    SSL_CTX_set_cipher_list(ctx, CIPHERS_TLS12) != 1 ||
	    SSL_CTX_set_num_tickets(ctx, 0) != 1)
		return crypto_error("TLS settings");
	SSL_CTX_set_options(ctx,
			    SSL_OP_NO_TICKET | SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION);
	SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_OFF);
	SSL_CTX_set_mode(ctx, SSL_MODE_RELEASE_BUFFERS);
	SSL_CTX_set_verify(ctx, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, NULL);
	SSL_CTX_set_verify_depth(ctx, 3);
	return 0;
}

int radsec_tls_new(const char *home, SSL_CTX **out)
{
	SSL_CTX *ctx = SSL_CTX_new(TLS_server_method());
	int rc = ctx ? context_set_up(ctx) : crypto_error("TLS");

	if (!rc)
		rc = files_use(ctx, home);
	if (rc) {
		SSL_CTX_free(ctx);
		return rc;
	}
	*out = ctx;
	return 0;
}

int radsec_tls_peer(const SSL *ssl, char serial_out[CERT_SERIAL_SIZE])
{
	const X509 *cert = SSL_get0_peer_certificate(ssl);
	const ASN1_INTEGER *serial;

	if (!cert || SSL_get_verify_result(ssl) != X509_V_OK)
		return err_set(ERR_DENIED, "no certificate of the NAS CA");
	serial = X509_get0_serialNumber(cert);
	if (2 * (size_t)ASN1_STRING_length(serial) >= CERT_SERIAL_SIZE)
		return err_set(ERR_LIMIT, "the certificate's serial number is too long");
	hex_encode(ASN1_STRING_get0_data(serial), (size_t)ASN1_STRING_length(serial), serial_out,
		   CERT_SERIAL_SIZE);
	return 0;
}
