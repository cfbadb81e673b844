/* SPDX-License-Identifier: BSD-2-Clause */
/* The TLS of RadSec (RFC 6614): both sides show a certificate, and the NAS CA alone is believed. */
#ifndef RADIUS_MODULES_RADSEC_TLS_H
#define RADIUS_MODULES_RADSEC_TLS_H

#include <openssl/ssl.h>

#include "base/err.h"
#include "sql/proto/registry_records.h"

/* From HOME/radsec/{key,cert}.pem, HOME/trust/server.pem (the chain that is sent) and
 * HOME/trust/nas.pem (who may connect). Blocks on the disk. ERR_NOT_FOUND, ERR_IO, ERR_CRYPTO. */
int radsec_tls_new(const char *home, SSL_CTX **out) MUST_USE;

/* Lower-case hex of the peer's serial number, as the registry has it. ERR_DENIED: no certificate;
 * ERR_LIMIT. */
int radsec_tls_peer(const SSL *ssl, char serial_out[CERT_SERIAL_SIZE]) MUST_USE;

#endif
