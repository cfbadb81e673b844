/* SPDX-License-Identifier: BSD-2-Clause */
/* Owns the TLS settings of EST. Never decides what a certificate allows: signerd does. */
#include "enroll/enrolld/tls.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include "base/daemon.h"
#include "base/log.h"
#include "base/secret.h"
#include "ca/request/idevid.h"
#include "enroll/enrolld/peer_verify.h"

#define KEY_FILE_MAX 16384
#define EXPIRY_WARNING_DAYS 7

/* Forward secrecy and an AEAD in TLS 1.2; all suites of TLS 1.3 are fine. */
#define CIPHERS_TLS12                                                  \
	"ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-ECDSA-AES256-GCM-SHA384:" \
	"ECDHE-ECDSA-CHACHA20-POLY1305:ECDHE-RSA-AES128-GCM-SHA256:"   \
	"ECDHE-RSA-AES256-GCM-SHA384:ECDHE-RSA-CHACHA20-POLY1305"

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
	if (!key)
		rc = err_set(ERR_CRYPTO, "%s: no private key in PEM", path);
	else if (SSL_CTX_use_PrivateKey(ctx, key) != 1) /* checks it against the certificate */
		rc = err_set(ERR_CRYPTO, "%s is not the key of est/cert.pem", path);
	ERR_clear_error();
	EVP_PKEY_free(key);
	BIO_free(bio);
	return rc;
}

static void expiry_check(const X509 *cert, const char *path)
{
	int days = 0, seconds = 0;

	if (!ASN1_TIME_diff(&days, &seconds, NULL, X509_get0_notAfter(cert)))
		return;
	if (days < 0 || seconds < 0)
		LOG(LOG_ERROR, "enroll.server_certificate_expired", LOG_S("file", path));
	else if (days < EXPIRY_WARNING_DAYS)
		LOG(LOG_WARN, "enroll.server_certificate_expires", LOG_S("file", path),
		    LOG_U("days", days));
}

static int chain_add(SSL_CTX *ctx, X509 *cert)
{
	return SSL_CTX_add1_chain_cert(ctx, cert) == 1 ? 0 : trust_crypto_error("server chain");
}

/* Leaf, then what issued it; no root on the wire. What the leaf's file has behind it is sent as it
 * is: the signer put it there for pumps that know an old root alone. */
static int chain_use(SSL_CTX *ctx, const char *path, const struct trust *server)
{
	AUTO_TRUST leaf = {.n = 0};
	int rc = trust_read(path, &leaf);

	if (rc)
		return rc;
	if (SSL_CTX_use_certificate(ctx, leaf.certs[0]) != 1)
		return trust_crypto_error(path);
	expiry_check(leaf.certs[0], path);
	for (size_t i = 1; !rc && i < leaf.n; i++)
		rc = chain_add(ctx, leaf.certs[i]);
	for (size_t i = 0; !rc && leaf.n == 1 && i < server->n; i++)
		if (X509_check_issued(server->certs[i], leaf.certs[0]) == X509_V_OK)
			rc = chain_add(ctx, server->certs[i]);
	return rc;
}

/* The device CA alone in the context's own store: no maker's, no server CA's. */
static int clients_trust(SSL_CTX *ctx, const struct trust *device)
{
	X509_STORE *store = SSL_CTX_get_cert_store(ctx);

	for (size_t i = 0; i < device->n; i++) {
		/* Pumps send only their leaf: the issuing CA is in the store too. */
		if (X509_STORE_add_cert(store, device->certs[i]) != 1 ||
		    SSL_CTX_add_client_CA(ctx, device->certs[i]) != 1)
			return trust_crypto_error("device trust");
	}
	SSL_CTX_set_verify(ctx, SSL_VERIFY_PEER, NULL);
	SSL_CTX_set_verify_depth(ctx, 3);
	return 0;
}

static int alpn_select(SSL *ssl, const unsigned char **out, unsigned char *out_len,
		       const unsigned char *in, unsigned int in_len, void *arg)
{
	static const unsigned char http11[] = "\x08http/1.1";

	(void)ssl;
	(void)arg;
	for (unsigned int i = 0; i < in_len; i += 1U + in[i]) {
		if (in_len - i >= sizeof(http11) - 1 &&
		    !memcmp(in + i, http11, sizeof(http11) - 1)) {
			*out = in + i + 1;
			*out_len = sizeof(http11) - 2;
			return SSL_TLSEXT_ERR_OK;
		}
	}
	return SSL_TLSEXT_ERR_NOACK;
}

static int context_set_up(SSL_CTX *ctx)
{
	if (SSL_CTX_set_min_proto_version(ctx, TLS1_2_VERSION) != 1 ||
	    SSL_CTX_set_cipher_list(ctx, CIPHERS_TLS12) != 1 ||
	    SSL_CTX_set1_groups_list(ctx, "X25519:P-256:P-384") != 1 ||
	    SSL_CTX_set_num_tickets(ctx, 0) != 1)
		return trust_crypto_error("TLS settings");
	SSL_CTX_set_security_level(ctx, 2);
	/* Enrolments are rare: a resumed session would save little, and its ticket costs a
	 * client-authenticated handshake a third of its time. */
	SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_OFF);
	SSL_CTX_set_options(ctx, SSL_OP_NO_TICKET | SSL_OP_NO_RENEGOTIATION |
					 SSL_OP_NO_COMPRESSION | SSL_OP_CIPHER_SERVER_PREFERENCE |
					 SSL_OP_PRIORITIZE_CHACHA);
	SSL_CTX_set_mode(ctx, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER |
				      SSL_MODE_RELEASE_BUFFERS | SSL_MODE_NO_AUTO_CHAIN);
	SSL_CTX_set_max_cert_list(ctx, 16384);
	SSL_CTX_set_read_ahead(ctx, 1); /* a record in one read; conn.c reads until there is none */
	SSL_CTX_set_alpn_select_cb(ctx, alpn_select, NULL);
	return 0;
}

static void context_auto_free(SSL_CTX **ctx)
{
	SSL_CTX_free(*ctx);
}

int tls_context_new(const char *home, const struct trust *server, const struct trust *device,
		    struct makers *makers, SSL_CTX **out)
{
	__attribute__((cleanup(context_auto_free))) SSL_CTX *ctx = NULL;
	char key[PATH_MAX], cert[PATH_MAX];
	int rc;

	if ((rc = home_path(home, "est/key.pem", key)) ||
	    (rc = home_path(home, "est/cert.pem", cert)))
		return rc;
	ctx = SSL_CTX_new(TLS_server_method());
	if (!ctx)
		return trust_crypto_error("TLS context");
	if ((rc = context_set_up(ctx)) || (rc = chain_use(ctx, cert, server)) ||
	    (rc = key_use(ctx, key)) || (rc = clients_trust(ctx, device)) ||
	    (rc = peer_verify_install(ctx, makers)))
		return rc;
	*out = ctx;
	ctx = NULL;
	return 0;
}

/* The subject's one common name, if it can be a pump's serial. */
static int device_of(const X509 *cert, char out[TLS_DEVICE_SIZE])
{
	static const char serial_chars[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-";
	const X509_NAME *subject = X509_get_subject_name(cert);
	int at = X509_NAME_get_index_by_NID(subject, NID_commonName, -1);
	const ASN1_STRING *cn;
	size_t len;

	if (at < 0 || X509_NAME_get_index_by_NID(subject, NID_commonName, at) >= 0)
		return err_set(ERR_INVALID, "the certificate has not just one common name");
	cn = X509_NAME_ENTRY_get_data(X509_NAME_get_entry(subject, at));
	len = (size_t)ASN1_STRING_length(cn);
	if (len == 0 || len >= TLS_DEVICE_SIZE)
		return err_set(ERR_INVALID, "the certificate's common name is no pump's serial");
	memcpy(out, ASN1_STRING_get0_data(cn), len);
	out[len] = '\0';
	if (strspn(out, serial_chars) != len)
		return err_set(ERR_INVALID, "the certificate's common name is no pump's serial");
	return 0;
}

static int cert_put(X509 *cert, uint8_t *out, size_t max, size_t *len_out)
{
	uint8_t *at = out + *len_out;
	int len = i2d_X509(cert, NULL);

	if (len <= 0 || (size_t)len > max - *len_out)
		return err_set(ERR_LIMIT, "a client certificate of %d bytes", len);
	*len_out += (size_t)i2d_X509(cert, &at);
	return 0;
}

static int idevid_take(SSL *ssl, X509 *cert, struct tls_peer *out)
{
	const STACK_OF(X509) *chain = SSL_get_peer_cert_chain(ssl); /* without the leaf */
	struct tls_idevid *id = calloc(1, sizeof(*id));
	struct idevid_name name;
	int rc;

	if (!id)
		return err_set(ERR_NOMEM, "no memory for a birth certificate");
	rc = cert_put(cert, id->der, sizeof(id->der), &id->der_len);
	for (int i = 0; !rc && i < sk_X509_num(chain); i++)
		rc = cert_put(sk_X509_value(chain, i), id->chain, sizeof(id->chain),
			      &id->chain_len);
	if (!rc)
		rc = idevid_name_read(cert, &name);
	if (!rc)
		rc = str_copy(out->device, sizeof(out->device), name.serial);
	if (rc) {
		free(id);
		return rc;
	}
	out->idevid = id;
	return 0;
}

void tls_peer_done(struct tls_peer *p)
{
	free(p->idevid);
	p->idevid = NULL;
}

static int time_of(const ASN1_TIME *t, int64_t *ms_out)
{
	struct tm tm;

	if (ASN1_TIME_to_tm(t, &tm) != 1) {
		ERR_clear_error();
		return err_set(ERR_INVALID, "a certificate without a time");
	}
	*ms_out = (int64_t)timegm(&tm) * 1000;
	return 0;
}

int tls_peer_get(SSL *ssl, struct tls_peer *out)
{
	X509 *cert = SSL_get0_peer_certificate(ssl);
	const ASN1_INTEGER *serial;
	uint8_t *at = out->der;
	int len, rc;

	tls_peer_done(out);
	out->der_len = 0;
	out->late_len = 0;
	out->device[0] = '\0';
	out->issuer[0] = '\0';
	if (!cert)
		return 0;
	/* SSL_VERIFY_PEER has ended every other handshake; asked again so that it must be both. */
	if (SSL_get_verify_result(ssl) != X509_V_OK)
		return err_set(ERR_INVALID, "the certificate was not verified");
	if (peer_is_makers(ssl))
		return idevid_take(ssl, cert, out);
	serial = X509_get0_serialNumber(cert);
	len = i2d_X509(cert, NULL);
	if (len <= 0 || len > TLS_CERT_DER_MAX)
		return err_set(ERR_INVALID, "a client certificate of %d bytes", len);
	rc = device_of(cert, out->device);
	if (rc)
		return rc;
	if (serial->length <= 0 || serial->length * 2 >= CERT_SERIAL_SIZE)
		return err_set(ERR_INVALID, "a serial number of %d bytes", serial->length);
	hex_encode(serial->data, (size_t)serial->length, out->cert_serial,
		   sizeof(out->cert_serial));
	if (!X509_NAME_oneline(X509_get_issuer_name(cert), out->issuer, sizeof(out->issuer)))
		return trust_crypto_error("issuer of a client certificate");
	rc = time_of(X509_get0_notBefore(cert), &out->not_before_ms);
	rc = rc ? rc : time_of(X509_get0_notAfter(cert), &out->not_after_ms);
	if (!rc)
		out->der_len = (size_t)i2d_X509(cert, &at);
	if (!rc && peer_is_late(ssl)) {
		out->late_len = out->der_len;
		memcpy(out->late_device, out->device, sizeof(out->late_device));
		out->der_len = 0;
		out->device[0] = '\0';
	}
	return rc;
}

void tls_channel_get(SSL *ssl, struct tls_channel *out)
{
	/* RFC 9266 2: label, a context of no bytes, 32 bytes */
	static const char label[] = "EXPORTER-Channel-Binding";
	bool is_12 = SSL_version(ssl) == TLS1_2_VERSION;

	memset(out, 0, sizeof(*out));
	/* RFC 5929 3.1: the first Finished message of the handshake: without resumption, the
	 * client's. Nothing is resumed here, so that no two connections share it (RFC 7627 1). */
	if (is_12 && !SSL_session_reused(ssl)) {
		size_t len = SSL_get_peer_finished(ssl, out->unique, sizeof(out->unique));

		out->unique_len = len <= sizeof(out->unique) ? len : 0;
	}
	/* RFC 9266 3: with TLS 1.2 only if extended_master_secret was agreed on */
	if (is_12 && SSL_get_extms_support(ssl) != 1)
		return;
	if (SSL_export_keying_material(ssl, out->exporter, sizeof(out->exporter), label,
				       sizeof(label) - 1, (const unsigned char *)"", 0, 1) == 1)
		out->exporter_len = sizeof(out->exporter);
	else
		ERR_clear_error();
}

enum reason tls_failure(SSL *ssl)
{
	long verified = SSL_get_verify_result(ssl);
	int os_error = errno;

	if (verified == X509_V_OK && ERR_peek_error()) {
		(void)trust_crypto_error("handshake");
		return REASON_TLS_FAILED;
	}
	if (verified == X509_V_OK && os_error) {
		err_text_set("handshake: %s", strerror(os_error));
		return REASON_TLS_FAILED;
	}
	if (verified == X509_V_OK)
		return REASON_NONE;
	ERR_clear_error();
	err_text_set("client certificate: %s", X509_verify_cert_error_string(verified));
	switch (verified) {
	case X509_V_ERR_CERT_HAS_EXPIRED:
		return REASON_CERTIFICATE_EXPIRED;
	case X509_V_ERR_CERT_NOT_YET_VALID:
		return REASON_CERTIFICATE_NOT_YET_VALID;
	default:
		return REASON_WRONG_CA;
	}
}
