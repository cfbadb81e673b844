/* SPDX-License-Identifier: BSD-2-Clause */
/* Owns one EAP-TLS conversation. Never touches a socket. */
#include "tests/bench/eap_peer.h"

#include <string.h>

#include <openssl/err.h>

#include "base/buf.h"

enum { EAP_REQUEST = 1, EAP_RESPONSE = 2 };
enum { EAP_TYPE_IDENTITY = 1, EAP_TYPE_NAK = 3, EAP_TYPE_TLS = 13 };
enum { FLAG_LENGTH = 0x80, FLAG_MORE = 0x40, FLAG_START = 0x20 };

static int crypto_error(const char *what)
{
	char text[256];

	ERR_error_string_n(ERR_get_error(), text, sizeof(text));
	ERR_clear_error();
	return err_set(ERR_CRYPTO, "%s: %s", what, text);
}

int eap_peer_start(struct eap_peer *p, SSL_CTX *ctx, const char *identity, const char *server_name,
		   SSL_SESSION *resume)
{
	int rc = str_copy(p->identity, sizeof(p->identity), identity);

	if (rc)
		return rc;
	p->flight_len = p->flight_at = 0;
	p->tls_done = false;
	p->ssl = SSL_new(ctx);
	p->to_ssl = BIO_new(BIO_s_mem());
	p->from_ssl = BIO_new(BIO_s_mem());
	if (!p->ssl || !p->to_ssl || !p->from_ssl)
		return crypto_error("SSL_new");
	SSL_set_bio(p->ssl, p->to_ssl, p->from_ssl);
	SSL_set_connect_state(p->ssl);
	if (SSL_set1_host(p->ssl, server_name) != 1 ||
	    (resume && SSL_set_session(p->ssl, resume) != 1))
		return crypto_error("SSL_set1_host");
	return 0;
}

void eap_peer_done(struct eap_peer *p)
{
	SSL_free(p->ssl);
	p->ssl = NULL;
}

static void response_head(uint8_t *out, uint8_t id, size_t len, uint8_t type)
{
	out[0] = EAP_RESPONSE;
	out[1] = id;
	out[2] = (uint8_t)(len >> 8);
	out[3] = (uint8_t)len;
	out[4] = type;
}

void eap_peer_identity(const struct eap_peer *p, uint8_t id, uint8_t out[EAP_PACKET_MAX],
		       size_t *len_out)
{
	size_t len = strlen(p->identity);

	response_head(out, id, 5 + len, EAP_TYPE_IDENTITY);
	memcpy(out + 5, p->identity, len);
	*len_out = 5 + len;
}

/* The next fragment of the flight; without one an acknowledgement (RFC 5216 2.1.5). */
static void fragment_put(struct eap_peer *p, uint8_t id, uint8_t *out, size_t *len_out)
{
	size_t left = p->flight_len - p->flight_at;
	size_t part = left < EAP_FRAGMENT_BYTES ? left : EAP_FRAGMENT_BYTES;
	bool first = p->flight_at == 0 && left > part;
	size_t at = 6;

	out[5] = (uint8_t)((left > part ? FLAG_MORE : 0) | (first ? FLAG_LENGTH : 0));
	if (first) {
		for (int i = 0; i < 4; i++)
			out[at++] = (uint8_t)(p->flight_len >> (24 - 8 * i));
	}
	memcpy(out + at, p->flight + p->flight_at, part);
	p->flight_at += part;
	response_head(out, id, at + part, EAP_TYPE_TLS);
	*len_out = at + part;
}

/* Lets TLS work on what has come, and collects what it wants to send. */
static int tls_step(struct eap_peer *p)
{
	uint8_t byte;
	int n, why;

	n = p->tls_done ? 1 : SSL_do_handshake(p->ssl);
	why = SSL_get_error(p->ssl, n);
	if (n == 1) {
		p->tls_done = true;
		n = SSL_read(p->ssl, &byte, 1); /* tickets, and RFC 9190's protected success */
		why = SSL_get_error(p->ssl, n);
	}
	if (n <= 0 && why != SSL_ERROR_WANT_READ && why != SSL_ERROR_ZERO_RETURN)
		return crypto_error("TLS");
	n = BIO_pending(p->from_ssl);
	if (n > EAP_FLIGHT_MAX)
		return err_set(ERR_LIMIT, "a flight of %d bytes", n);
	p->flight_at = 0;
	p->flight_len = n > 0 ? (size_t)BIO_read(p->from_ssl, p->flight, n) : 0;
	return 0;
}

static int tls_answer(struct eap_peer *p, uint8_t id, struct cursor *c, uint8_t *out,
		      size_t *len_out)
{
	const uint8_t *data;
	uint32_t total;
	uint8_t flags;
	int rc = cursor_u8(c, &flags);

	if (rc || (flags & FLAG_LENGTH && (rc = cursor_u32(c, &total))))
		return rc;
	if (c->left && (flags & FLAG_START) == 0) {
		size_t len = c->left;

		rc = cursor_bytes(c, len, &data);
		if (rc)
			return rc;
		if (BIO_write(p->to_ssl, data, (int)len) != (int)len)
			return crypto_error("BIO_write");
	}
	if ((flags & FLAG_MORE) == 0 && p->flight_at == p->flight_len) {
		rc = tls_step(p);
		if (rc)
			return rc;
	}
	fragment_put(p, id, out, len_out);
	return 0;
}

int eap_peer_answer(struct eap_peer *p, const uint8_t *request, size_t len,
		    uint8_t out[EAP_PACKET_MAX], size_t *len_out)
{
	struct cursor c = cursor_of(request, len);
	uint8_t code, id, type;
	uint16_t said;

	if (cursor_u8(&c, &code) || cursor_u8(&c, &id) || cursor_u16(&c, &said) ||
	    code != EAP_REQUEST || said != len || cursor_u8(&c, &type))
		return err_set(ERR_INVALID, "no EAP request");
	if (type == EAP_TYPE_IDENTITY) {
		eap_peer_identity(p, id, out, len_out);
		return 0;
	}
	if (type == EAP_TYPE_TLS)
		return tls_answer(p, id, &c, out, len_out);
	response_head(out, id, 6, EAP_TYPE_NAK);
	out[5] = EAP_TYPE_TLS;
	*len_out = 6;
	return 0;
}
