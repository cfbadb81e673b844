/* SPDX-License-Identifier: BSD-2-Clause */
/* Owns the way from a packet's bytes to what credd is asked. Never judges a login. */
#include "radius_modules/rlm_clinician/login_packet.h"

#include <string.h>

#include <openssl/err.h>
#include <openssl/evp.h>

#include "base/secret.h"
#include "radius_modules/packet/radius_packet.h"
#include "sql/wire/login_wire.h"

#define BLOCK 16

/* RFC 2865 5.2: each block is hidden under MD5(secret, the block before). */
static int password_show(const uint8_t *hidden, size_t len,
			 const uint8_t authenticator[RADIUS_AUTHENTICATOR_BYTES],
			 const void *secret, size_t secret_len, uint8_t out[RADIUS_PASSWORD_MAX])
{
	uint8_t seed[128 + BLOCK], pad[EVP_MAX_MD_SIZE];
	const uint8_t *before = authenticator;

	if (secret_len > 128)
		return err_set(ERR_LIMIT, "a secret of %zu bytes", secret_len);
	memcpy(seed, secret, secret_len);
	for (size_t at = 0; at < len; at += BLOCK) {
		memcpy(seed + secret_len, before, BLOCK);
		if (!EVP_Digest(seed, secret_len + BLOCK, pad, NULL, EVP_md5(), NULL)) {
			ERR_clear_error();
			return err_set(ERR_CRYPTO, "MD5 is not to be had");
		}
		for (size_t i = 0; i < BLOCK; i++)
			out[at + i] = hidden[at + i] ^ pad[i];
		before = hidden + at;
	}
	secret_wipe(pad, sizeof(pad));
	return 0;
}

static int password_take(const struct radius_view *v, const struct radius_attr *a,
			 const void *secret, size_t secret_len, struct cred_login *out)
{
	size_t len = a->len;
	int rc;

	if (out->password.len || len == 0 || len > RADIUS_PASSWORD_MAX || len % BLOCK)
		return err_set(ERR_INVALID, "User-Password is there twice or has no whole blocks");
	rc = password_show(a->value, len, v->authenticator, secret, secret_len, out->password.data);
	if (rc)
		return rc;
	while (len > 0 && out->password.data[len - 1] == 0)
		len--; /* the padding; a NUL inside stays, for credd to refuse */
	if (len == 0 || a->len - len >= BLOCK)
		return err_set(ERR_INVALID, "User-Password is empty or padded by whole blocks");
	out->password.len = (uint32_t)len;
	return 0;
}

static int name_take(const struct radius_attr *a, struct cred_login *out)
{
	if (out->name.len || a->len == 0)
		return err_set(ERR_INVALID, "User-Name is there twice or empty");
	memcpy(out->name.data, a->value, a->len);
	out->name.len = a->len;
	return 0;
}

static int says_take(const struct radius_view *v, struct cred_login *out)
{
	struct radius_attr a;
	size_t at = 0;

	while (radius_attr_vendor_next(v, &at, LOGIN_VENDOR, LOGIN_ATTR_SAYS, &a)) {
		if (a.len > sizeof(out->says.data) - out->says.len)
			return err_set(ERR_LIMIT, "the pump says too much at once");
		memcpy(out->says.data + out->says.len, a.value, a.len);
		out->says.len += a.len;
	}
	return 0;
}

int login_packet_read(const void *data, size_t len, const void *secret, size_t secret_len,
		      struct cred_login *out, bool *contact_out)
{
	struct radius_view v;
	struct radius_attr a;
	uint32_t service = 0;
	size_t at = 0;
	int rc = radius_view_parse(data, len, &v);

	if (!rc && v.code != RADIUS_ACCESS_REQUEST)
		rc = err_set(ERR_INVALID, "not an Access-Request");
	out->name.len = out->password.len = out->says.len = 0;
	while (!rc && radius_attr_next(&v, &at, &a)) {
		if (a.type == RADIUS_USER_NAME)
			rc = name_take(&a, out);
		else if (a.type == RADIUS_USER_PASSWORD)
			rc = password_take(&v, &a, secret, secret_len, out);
	}
	if (!rc)
		rc = says_take(&v, out);
	if (rc)
		return rc;
	*contact_out = radius_attr_u32(&v, RADIUS_SERVICE_TYPE, &service) &&
		       service == LOGIN_SERVICE_CONTACT;
	if (*contact_out && out->password.len)
		return err_set(ERR_INVALID, "a contact has no password");
	if (!*contact_out && (!out->name.len || !out->password.len))
		return err_set(ERR_INVALID, "a login has User-Name and User-Password");
	return 0;
}
