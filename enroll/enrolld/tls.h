/* SPDX-License-Identifier: BSD-2-Clause */
/* TLS as enrolld offers it: 1.2 and 1.3, client certificates of the device CA asked for. */
#ifndef ENROLL_ENROLLD_TLS_H
#define ENROLL_ENROLLD_TLS_H

#include <openssl/ssl.h>

#include "enroll/enrolld/trust.h"
#include "policies/reason.h"

#define TLS_CERT_DER_MAX 4096
#define TLS_DEVICE_SIZE 64

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

/* After a finished handshake. ERR_INVALID for a certificate that no pump of ours can have. */
int tls_peer_get(SSL *ssl, struct tls_peer *out) MUST_USE;

/* Why a handshake failed, after SSL_accept's failure: the reason, and words for the log into
 * err_text; REASON_NONE when the peer just closed. Drains OpenSSL's error queue. */
enum reason tls_failure(SSL *ssl);

#endif
