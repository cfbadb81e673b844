/* SPDX-License-Identifier: BSD-2-Clause */
/* Owns the byte form and the signatures of RADIUS packets. Never reads past the datagram, never
 * sends anything. */
#include "radius_modules/packet/radius_packet.h"

#include <string.h>

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>

#define AUTHENTICATOR_AT 4
#define VENDOR_HEADER 6 /* vendor, type, length */

static bool is_accounting(uint8_t code)
{
	return code == RADIUS_ACCOUNTING_REQUEST || code == RADIUS_ACCOUNTING_RESPONSE;
}

/* ---- building ---- */

void radius_begin(struct radius_packet *p, enum radius_code code, uint8_t id)
{
	static const uint8_t zeros[RADIUS_AUTHENTICATOR_BYTES];

	memset(p->data, 0, RADIUS_HEADER_BYTES);
	p->data[0] = (uint8_t)code;
	p->data[1] = id;
	p->len = RADIUS_HEADER_BYTES;
	p->message_authenticator_at = 0;
	/* First, so that no chosen attribute comes before it (the counsel against BlastRADIUS). */
	if (!is_accounting(p->data[0]) &&
	    !radius_put(p, RADIUS_MESSAGE_AUTHENTICATOR, zeros, sizeof(zeros)))
		p->message_authenticator_at = RADIUS_HEADER_BYTES + 2;
}

int radius_put(struct radius_packet *p, enum radius_attr_type type, const void *value, size_t len)
{
	if (!len)
		return err_set(ERR_INVALID, "attribute %d is empty", (int)type);
	if (len > RADIUS_ATTR_MAX)
		return err_set(ERR_LIMIT, "attribute %d has %zu bytes", (int)type, len);
	if (p->len + 2 + len > sizeof(p->data))
		return err_set(ERR_LIMIT, "no room for attribute %d in the packet", (int)type);
	p->data[p->len] = (uint8_t)type;
	p->data[p->len + 1] = (uint8_t)(len + 2);
	memcpy(p->data + p->len + 2, value, len);
	p->len += len + 2;
	return 0;
}

int radius_put_str(struct radius_packet *p, enum radius_attr_type type, const char *s)
{
	return radius_put(p, type, s, strlen(s));
}

int radius_put_u32(struct radius_packet *p, enum radius_attr_type type, uint32_t v)
{
	uint8_t b[4] = {(uint8_t)(v >> 24), (uint8_t)(v >> 16), (uint8_t)(v >> 8), (uint8_t)v};

	return radius_put(p, type, b, sizeof(b));
}

int radius_put_eap(struct radius_packet *p, const void *eap, size_t len)
{
	const uint8_t *at = eap;
	size_t before = p->len;

	while (len) {
		size_t part = len < RADIUS_ATTR_MAX ? len : RADIUS_ATTR_MAX;
		int rc = radius_put(p, RADIUS_EAP_MESSAGE, at, part);

		if (rc) {
			p->len = before;
			return rc;
		}
		at += part;
		len -= part;
	}
	return p->len == before ? err_set(ERR_INVALID, "an empty EAP packet") : 0;
}

int radius_put_vendor(struct radius_packet *p, uint32_t vendor, uint8_t type, const void *value,
		      size_t len)
{
	const uint8_t *at = value;
	size_t before = p->len;

	while (len) {
		size_t part = len < RADIUS_VENDOR_MAX ? len : RADIUS_VENDOR_MAX;
		uint8_t attr[RADIUS_ATTR_MAX] = {(uint8_t)(vendor >> 24),
						 (uint8_t)(vendor >> 16),
						 (uint8_t)(vendor >> 8),
						 (uint8_t)vendor,
						 type,
						 (uint8_t)(part + 2)};
		int rc;

		memcpy(attr + VENDOR_HEADER, at, part);
		rc = radius_put(p, RADIUS_VENDOR_SPECIFIC, attr, VENDOR_HEADER + part);
		if (rc) {
			p->len = before;
			return rc;
		}
		at += part;
		len -= part;
	}
	return 0;
}

static int check_secret(size_t secret_len)
{
	return secret_len ? 0 : err_set(ERR_INVALID, "the shared secret is empty");
}

/* RFC 2869 5.14: HMAC-MD5 over the packet as given, its own Message-Authenticator being zeros. */
static int hmac(const uint8_t *data, size_t len, const void *secret, size_t secret_len,
		uint8_t out[RADIUS_AUTHENTICATOR_BYTES])
{
	unsigned out_len = 0;

	if (!HMAC(EVP_md5(), secret, (int)secret_len, data, len, out, &out_len) ||
	    out_len != RADIUS_AUTHENTICATOR_BYTES)
		return err_set(ERR_CRYPTO, "HMAC-MD5 is not available");
	return 0;
}

/* MD5 over the packet as given and the secret: RFC 2865 3, RFC 2866 3. */
static int digest(const uint8_t *data, size_t len, const void *secret, size_t secret_len,
		  uint8_t out[RADIUS_AUTHENTICATOR_BYTES])
{
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	bool ok = ctx && EVP_DigestInit_ex(ctx, EVP_md5(), NULL) &&
		  EVP_DigestUpdate(ctx, data, len) && EVP_DigestUpdate(ctx, secret, secret_len) &&
		  EVP_DigestFinal_ex(ctx, out, NULL);

	EVP_MD_CTX_free(ctx);
	return ok ? 0 : err_set(ERR_CRYPTO, "MD5 is not available");
}

int radius_put_password(struct radius_packet *p, const uint8_t random[RADIUS_AUTHENTICATOR_BYTES],
			const void *secret, size_t secret_len, const void *password, size_t len)
{
	uint8_t hidden[RADIUS_PASSWORD_MAX] = {0};
	uint8_t mask[RADIUS_AUTHENTICATOR_BYTES];
	const uint8_t *before = random;
	size_t blocks = (len + sizeof(mask) - 1) / sizeof(mask);
	int rc = check_secret(secret_len);

	if (!rc && (!len || memchr(password, 0, len)))
		rc = err_set(ERR_INVALID, "a password is empty or has a NUL");
	if (!rc && (len > RADIUS_PASSWORD_MAX))
		rc = err_set(ERR_LIMIT, "a password has more than %d bytes", RADIUS_PASSWORD_MAX);
	if (rc)
		return rc;
	memcpy(hidden, password, len);
	/* c(1) = p(1) xor MD5(S + RA), c(i) = p(i) xor MD5(S + c(i-1)) */
	for (size_t i = 0; !rc && i < blocks; i++) {
		uint8_t *block = hidden + i * sizeof(mask);

		rc = digest(secret, secret_len, before, sizeof(mask), mask);
		for (size_t j = 0; j < sizeof(mask); j++)
			block[j] ^= mask[j];
		before = block;
	}
	rc = rc ? rc : radius_put(p, RADIUS_USER_PASSWORD, hidden, blocks * sizeof(mask));
	OPENSSL_cleanse(mask, sizeof(mask));
	OPENSSL_cleanse(hidden, sizeof(hidden));
	return rc;
}

/* Fills in length and Message-Authenticator; the authenticator field is already what the
 * Message-Authenticator is computed over. */
static int seal(struct radius_packet *p, const void *secret, size_t secret_len)
{
	uint8_t mac[RADIUS_AUTHENTICATOR_BYTES];
	int rc = check_secret(secret_len);

	if (rc)
		return rc;
	p->data[2] = (uint8_t)(p->len >> 8);
	p->data[3] = (uint8_t)p->len;
	if (!p->message_authenticator_at)
		return 0;
	memset(p->data + p->message_authenticator_at, 0, sizeof(mac));
	rc = hmac(p->data, p->len, secret, secret_len, mac);
	if (!rc)
		memcpy(p->data + p->message_authenticator_at, mac, sizeof(mac));
	return rc;
}

int radius_sign_access_request(struct radius_packet *p,
			       const uint8_t random[RADIUS_AUTHENTICATOR_BYTES], const void *secret,
			       size_t secret_len)
{
	memcpy(p->data + AUTHENTICATOR_AT, random, RADIUS_AUTHENTICATOR_BYTES);
	return seal(p, secret, secret_len);
}

int radius_sign_reply(struct radius_packet *p,
		      const uint8_t request_authenticator[RADIUS_AUTHENTICATOR_BYTES],
		      const void *secret, size_t secret_len)
{
	uint8_t md[RADIUS_AUTHENTICATOR_BYTES];
	int rc;

	memcpy(p->data + AUTHENTICATOR_AT, request_authenticator, RADIUS_AUTHENTICATOR_BYTES);
	rc = seal(p, secret, secret_len);
	if (!rc)
		rc = digest(p->data, p->len, secret, secret_len, md);
	if (!rc)
		memcpy(p->data + AUTHENTICATOR_AT, md, sizeof(md));
	return rc;
}

int radius_sign_request(struct radius_packet *p, const void *secret, size_t secret_len)
{
	/* RFC 5176 3.4: both are computed as if the Request Authenticator were zeros. */
	static const uint8_t zeros[RADIUS_AUTHENTICATOR_BYTES];

	return radius_sign_reply(p, zeros, secret, secret_len);
}

/* ---- reading ---- */

int radius_view_parse(const void *data, size_t len, struct radius_view *out)
{
	const uint8_t *d = data;
	struct radius_view v = {.data = d};
	struct radius_attr a;
	size_t at = 0;

	if (len < RADIUS_HEADER_BYTES)
		return err_set(ERR_INVALID, "%zu bytes are no RADIUS packet", len);
	v.len = (size_t)d[2] << 8 | d[3];
	if (v.len < RADIUS_HEADER_BYTES || v.len > RADIUS_PACKET_MAX || v.len > len)
		return err_set(ERR_INVALID, "length %zu in a datagram of %zu", v.len, len);
	v.code = d[0];
	v.id = d[1];
	v.authenticator = d + AUTHENTICATOR_AT;
	while (radius_attr_next(&v, &at, &a)) {
		if (a.type != RADIUS_MESSAGE_AUTHENTICATOR)
			continue;
		if (a.len != RADIUS_AUTHENTICATOR_BYTES || v.message_authenticator)
			return err_set(ERR_INVALID, "odd Message-Authenticator");
		v.message_authenticator = a.value;
	}
	if (at != v.len - RADIUS_HEADER_BYTES)
		return err_set(ERR_INVALID, "attribute at byte %zu is cut off",
			       at + RADIUS_HEADER_BYTES);
	*out = v;
	return 0;
}

bool radius_attr_next(const struct radius_view *v, size_t *at, struct radius_attr *out)
{
	const uint8_t *a = v->data + RADIUS_HEADER_BYTES + *at;
	size_t left = v->len - RADIUS_HEADER_BYTES - *at;

	if (left < 2 || a[1] < 2 || a[1] > left)
		return false;
	out->type = a[0];
	out->len = (uint8_t)(a[1] - 2);
	out->value = a + 2;
	*at += a[1];
	return true;
}

bool radius_attr_find(const struct radius_view *v, enum radius_attr_type type,
		      struct radius_attr *out)
{
	size_t at = 0;

	while (radius_attr_next(v, &at, out))
		if (out->type == type)
			return true;
	return false;
}

bool radius_attr_u32(const struct radius_view *v, enum radius_attr_type type, uint32_t *out)
{
	struct radius_attr a;

	if (!radius_attr_find(v, type, &a) || a.len != 4)
		return false;
	*out = (uint32_t)a.value[0] << 24 | (uint32_t)a.value[1] << 16 | (uint32_t)a.value[2] << 8 |
	       a.value[3];
	return true;
}

static bool copy_printable(const uint8_t *value, size_t len, char *out, size_t size)
{
	if (!len || len >= size)
		return false;
	for (size_t i = 0; i < len; i++)
		if (value[i] < 0x20 || value[i] > 0x7e)
			return false;
	memcpy(out, value, len);
	out[len] = '\0';
	return true;
}

bool radius_attr_str(const struct radius_view *v, enum radius_attr_type type, char *out,
		     size_t size)
{
	struct radius_attr a;

	return radius_attr_find(v, type, &a) && copy_printable(a.value, a.len, out, size);
}

bool radius_attr_tagged_str(const struct radius_view *v, enum radius_attr_type type, char *out,
			    size_t size)
{
	struct radius_attr a;
	size_t tag;

	if (!radius_attr_find(v, type, &a) || !a.len)
		return false;
	tag = a.value[0] <= 0x1f;
	return copy_printable(a.value + tag, a.len - tag, out, size);
}

bool radius_attr_vendor_next(const struct radius_view *v, size_t *at, uint32_t vendor, uint8_t type,
			     struct radius_attr *out)
{
	struct radius_attr a;

	while (radius_attr_next(v, at, &a)) {
		const uint8_t *b = a.value;

		if (a.type != RADIUS_VENDOR_SPECIFIC || a.len <= VENDOR_HEADER ||
		    ((uint32_t)b[0] << 24 | (uint32_t)b[1] << 16 | (uint32_t)b[2] << 8 | b[3]) !=
			    vendor ||
		    b[4] != type || b[5] != a.len - 4)
			continue;
		*out = (struct radius_attr){type, (uint8_t)(a.len - VENDOR_HEADER),
					    b + VENDOR_HEADER};
		return true;
	}
	return false;
}

/* `authenticator` is what both signatures are computed over in place of the packet's own. */
static int verify(const struct radius_view *v,
		  const uint8_t authenticator[RADIUS_AUTHENTICATOR_BYTES], const void *secret,
		  size_t secret_len, bool need_message_authenticator)
{
	uint8_t copy[RADIUS_PACKET_MAX];
	uint8_t want[RADIUS_AUTHENTICATOR_BYTES];
	int rc = check_secret(secret_len);

	if (rc)
		return rc;
	memcpy(copy, v->data, v->len);
	memcpy(copy + AUTHENTICATOR_AT, authenticator, RADIUS_AUTHENTICATOR_BYTES);
	rc = digest(copy, v->len, secret, secret_len, want);
	if (rc)
		return rc;
	if (CRYPTO_memcmp(want, v->authenticator, sizeof(want)))
		return err_set(ERR_DENIED, "wrong authenticator");
	if (!v->message_authenticator)
		return need_message_authenticator ? err_set(ERR_DENIED, "no Message-Authenticator")
						  : 0;
	memset(copy + (v->message_authenticator - v->data), 0, RADIUS_AUTHENTICATOR_BYTES);
	rc = hmac(copy, v->len, secret, secret_len, want);
	if (!rc && CRYPTO_memcmp(want, v->message_authenticator, sizeof(want)))
		rc = err_set(ERR_DENIED, "wrong Message-Authenticator");
	return rc;
}

int radius_verify_reply(const struct radius_view *v,
			const uint8_t request_authenticator[RADIUS_AUTHENTICATOR_BYTES],
			const void *secret, size_t secret_len, bool need_message_authenticator)
{
	return verify(v, request_authenticator, secret, secret_len, need_message_authenticator);
}

int radius_verify_request(const struct radius_view *v, const void *secret, size_t secret_len,
			  bool need_message_authenticator)
{
	static const uint8_t zeros[RADIUS_AUTHENTICATOR_BYTES];

	return verify(v, zeros, secret, secret_len, need_message_authenticator);
}
