/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The pump's key and certificate: making, asking for, checking, handing over. No file and no
 * network here; the clock comes in as an argument.
 */
#ifndef PUMP_AGENT_CREDENTIAL_H
#define PUMP_AGENT_CREDENTIAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/secret.h"
#include "pump_agent/x509_auto.h"

enum key_kind {
	KEY_AS_ASKED = 0, /* what the server's /csrattrs says, P-256 if it says nothing */
	KEY_P256,
	KEY_P384,
	KEY_RSA2048, /* for pumps whose supplicant or crypto chip knows no elliptic curves */
	KEY_RSA3072,
	KEY_RSA4096,
};

/* A new private key (KEY_AS_ASKED: P-256); takes up to a few seconds for RSA. ERR_CRYPTO. */
int credential_key_new(enum key_kind kind, EVP_PKEY **out) MUST_USE;
/* PKCS#8 PEM, not encrypted: the caller keeps it in a file of mode 0600. */
int credential_key_build(const EVP_PKEY *key, struct buf *pem_out) MUST_USE;
int credential_key_parse(const void *pem, size_t len, EVP_PKEY **out) MUST_USE;

/* The identity that a renewal follows. */
struct credential_prior {
	EVP_PKEY *key;
	X509 *cert;
};

struct credential_request {
	EVP_PKEY *key;
	const char *serial;
	const struct credential_prior *prior; /* NULL: none */
	int64_t now_ms;			      /* dates the proof by `prior` */
	const char *challenge;		      /* challengePassword, NULL or "": none */
};

/* DER PKCS#10 (RFC 2986), CN = serial, one SAN URI urn:pumpgate:pump:<serial>, signed by the key.
 * With `prior` it proves possession of that key too (RFC 9763): a renewal may then come with a new
 * key. With `challenge` it names the TLS connection that it goes over (RFC 7030 3.5). */
int credential_request_build(const struct credential_request *r, struct buf *der_out) MUST_USE;

/* Is this certificate what was asked for? It holds our public key and only our name, is for client
 * authentication and no CA, ends after now_s (seconds since 1970), and chains to a root of
 * `devices`. Its start may lie up to a day ahead: pumps' clocks are slow.
 * ERR_INVALID, ERR_EXPIRED, ERR_CRYPTO; the text says which rule it broke. */
int credential_check(X509 *cert, EVP_PKEY *key, const char *serial, const STACK_OF(X509) * devices,
		     int64_t now_s) MUST_USE;

/* PKCS#12 (RFC 7292) of key, leaf and chain (NULL: none), AES-256, for wpa_supplicant. */
int credential_pkcs12_build(EVP_PKEY *key, X509 *cert, const STACK_OF(X509) * chain,
			    const char *passphrase, struct buf *der_out) MUST_USE;

/* Seconds since 1970. 0 when the certificate's time cannot be read, which counts as over. */
/* This certificate's own moment in a window, the same each time: pumps spread over it. */
int64_t credential_moment(const X509 *cert, int64_t start_s, int64_t end_s);
int64_t credential_not_before(const X509 *cert);
int64_t credential_not_after(const X509 *cert);
/* When to renew: at `percent` of the certificate's life, moved by up to a twentieth of it either
 * way so that a fleet enrolled on one day does not renew in one minute. The same for the same
 * certificate, so a restart changes nothing. Seconds since 1970. */
int64_t credential_renew_at(const X509 *cert, unsigned percent);
/* How long a renewal that was planned for plan_s may wait for a better moment: nine tenths of the
 * certificate's life. Never before plan_s. Seconds since 1970. */
int64_t credential_renew_latest(const X509 *cert, int64_t plan_s);

/* Lower-case hex of the serial number and a NUL (ossl_serial_hex). */
#define CERT_SERIAL_TEXT_MAX 48

#endif
