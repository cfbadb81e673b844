/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The supplicant's half of EAP-TLS (RFC 5216, RFC 9190) without any network: an EAP request in, an
 * EAP response out. Fragments both ways. One conversation per start.
 */
#ifndef TESTS_BENCH_EAP_PEER_H
#define TESTS_BENCH_EAP_PEER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <openssl/ssl.h>

#include "base/err.h"

#define EAP_PACKET_MAX 1500
#define EAP_FRAGMENT_BYTES 1390 /* TLS bytes in one response; Framed-MTU is 1400 */
#define EAP_FLIGHT_MAX 16384

struct eap_peer {
	char identity[254];
	SSL *ssl;
	BIO *to_ssl;   /* owned by ssl */
	BIO *from_ssl; /* owned by ssl */
	uint8_t flight[EAP_FLIGHT_MAX];
	size_t flight_len;
	size_t flight_at;
	bool tls_done;
};

/* `server_name` is required of the server's certificate. `resume` may be NULL.
 * ERR_CRYPTO, ERR_LIMIT. */
int eap_peer_start(struct eap_peer *p, SSL_CTX *ctx, const char *identity, const char *server_name,
		   SSL_SESSION *resume) MUST_USE;
void eap_peer_done(struct eap_peer *p);

/* The Response/Identity that a NAS sends first, for EAP id `id`. */
void eap_peer_identity(const struct eap_peer *p, uint8_t id, uint8_t out[EAP_PACKET_MAX],
		       size_t *len_out);
/* The response to one EAP-Request. ERR_INVALID: malformed; ERR_CRYPTO: the TLS handshake failed
 * here (no response then); ERR_LIMIT: a flight too long. */
int eap_peer_answer(struct eap_peer *p, const uint8_t *request, size_t len,
		    uint8_t out[EAP_PACKET_MAX], size_t *len_out) MUST_USE;

#endif
