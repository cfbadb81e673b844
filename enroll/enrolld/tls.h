/* SPDX-License-Identifier: BSD-2-Clause */
/* TLS as enrolld offers it: 1.2 and 1.3, client certificates of the device CA or of a maker. */
#ifndef ENROLL_ENROLLD_TLS_H
#define ENROLL_ENROLLD_TLS_H

#include <openssl/ssl.h>

#include "enroll/enrolld/makers.h"
#include "enroll/enrolld/trust.h"
#include "policies/reason.h"
#include "sql/proto/registry_records.h"

#define TLS_CERT_DER_MAX 4096
#define TLS_DEVICE_SIZE 64
#define TLS_CHANNEL_UNIQUE_MAX 64
#define TLS_CHANNEL_EXPORTER_BYTES 32

/* A context with HOME/est/{key,cert}.pem, the chain out of `server`, `device` as the trust for
 * pumps' certificates and `makers` for birth certificates (which must outlive it). Blocks on the
 * disk. ERR_NOT_FOUND, ERR_DENIED (key readable by others), ERR_CRYPTO, ERR_IO, ERR_NOMEM. Free
 * with SSL_CTX_free. */
int tls_context_new(const char *home, const struct trust *server, const struct trust *device,
		    struct makers *makers, SSL_CTX **out) MUST_USE;

/* A maker's birth certificate and the CAs that came with it (DER, one behind the other). */
#define TLS_IDEVID_CHAIN_MAX 8192
struct tls_idevid {
	size_t der_len, chain_len;
	uint8_t der[TLS_CERT_DER_MAX];
	uint8_t chain[TLS_IDEVID_CHAIN_MAX];
};

/* What a client has proven to be in its handshake. */
struct tls_peer {
	struct tls_idevid *idevid;    /* owned; its chain ended at a maker: der_len is 0 then */
	char device[TLS_DEVICE_SIZE]; /* common name; for logs and throttling: signerd reads der */
	char cert_serial[CERT_SERIAL_SIZE]; /* lower-case hex */
	char issuer[ISSUER_SIZE];	    /* as FreeRADIUS shows it; "" if it is longer */
	int64_t not_before_ms;
	int64_t not_after_ms;
	size_t der_len; /* 0: it showed no certificate of ours */
	uint8_t der[TLS_CERT_DER_MAX];
	/* A certificate of ours that is past its end is good for simplereenroll and nothing else:
	 * der_len and device are empty then, and here is what they would have been. */
	size_t late_len;
	char late_device[TLS_DEVICE_SIZE];
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

/* After a finished handshake. ERR_INVALID for a certificate that no pump of ours can have, and for
 * a birth certificate without a pump's serial; ERR_LIMIT, ERR_NOMEM. */
int tls_peer_get(SSL *ssl, struct tls_peer *out) MUST_USE;
void tls_peer_done(struct tls_peer *p); /* safe on a zeroed struct */

/* Why a handshake failed, after SSL_accept's failure: the reason, and words for the log into
 * err_text; REASON_NONE when the peer just closed. Drains OpenSSL's error queue. */
enum reason tls_failure(SSL *ssl);

#endif
