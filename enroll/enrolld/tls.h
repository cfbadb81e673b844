/* SPDX-License-Identifier: BSD-2-Clause */
/* TLS as enrolld offers it: 1.2 and 1.3, client certificates of the device CA asked for. */
#ifndef ENROLL_ENROLLD_TLS_H
#define ENROLL_ENROLLD_TLS_H

#include <openssl/ssl.h>

#include "enroll/enrolld/trust.h"
#include "policies/reason.h"

#define TLS_CERT_DER_MAX 4096
#define TLS_DEVICE_SIZE 64
#define TLS_CHANNEL_UNIQUE_MAX 64
#define TLS_CHANNEL_EXPORTER_BYTES 32

/* A context with HOME/est/{key,cert}.pem, the chain out of `server` and `device` as the only trust
 * for clients. Blocks on the disk. ERR_NOT_FOUND, ERR_DENIED (key readable by others), ERR_CRYPTO,
 * ERR_IO, ERR_NOMEM. Free with SSL_CTX_free. */
int tls_context_new(const char *home, const struct trust *server, const struct trust *device,
		    SSL_CTX **out) MUST_USE;

/* What a client has proven to be in its handshake. */
struct tls_peer {
	char device[TLS_DEVICE_SIZE]; /* common name; for logs and throttling: signerd reads der */
	size_t der_len;		      /* 0: it showed no certificate */
	uint8_t der[TLS_CERT_DER_MAX];
};

/* What names a connection and nothing else (RFC 5929 3, RFC 9266 2); length 0: not to be had. */
struct tls_channel {
	size_t unique_len;   /* TLS 1.2 only */
	size_t exporter_len; /* TLS 1.3; TLS 1.2 with extended_master_secret */
	uint8_t unique[TLS_CHANNEL_UNIQUE_MAX];
	uint8_t exporter[TLS_CHANNEL_EXPORTER_BYTES];
};
/* After a finished handshake. */
void tls_channel_get(SSL *ssl, struct tls_channel *out);

/* After a finished handshake. ERR_INVALID for a certificate that no pump of ours can have. */
int tls_peer_get(SSL *ssl, struct tls_peer *out) MUST_USE;

/* Why a handshake failed, after SSL_accept's failure: the reason, and words for the log into
 * err_text; REASON_NONE when the peer just closed. Drains OpenSSL's error queue. */
enum reason tls_failure(SSL *ssl);

#endif
