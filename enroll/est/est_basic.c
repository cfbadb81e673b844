/* SPDX-License-Identifier: BSD-2-Clause */
/* Owns reading of Basic credentials. Pure: never does I/O; leaves no copy of a token behind. */
#include "enroll/est/est_basic.h"

#include <string.h>
#include <strings.h>

#include "enroll/est/est_base64.h"

#define PLAIN_MAX (EST_SERIAL_SIZE + EST_TOKEN_MAX)

void est_basic_done(struct est_basic *b)
{
	secret_wipe(b, sizeof(*b));
}

static bool spans(const uint8_t *text, size_t len, const char *chars)
{
	for (size_t i = 0; i < len; i++)
		if (!strchr(chars, text[i]) || !text[i])
			return false;
	return true;
}

static int plain_split(const uint8_t *plain, size_t len, struct est_basic *out)
{
	static const char serial_chars[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-";
	/* RFC 7617 2: the user-id holds no colon, so the first one ends it. */
	const uint8_t *colon = memchr(plain, ':', len);
	size_t serial_len = colon ? (size_t)(colon - plain) : 0;
	size_t token_len = colon ? len - serial_len - 1 : 0;

	for (size_t i = 0; i < len; i++)
		if (plain[i] < 0x20 || plain[i] > 0x7e)
			return err_set(ERR_INVALID, "credentials hold a control or foreign byte");
	if (serial_len == 0 || token_len == 0)
		return err_set(ERR_INVALID, "credentials lack a serial or a token");
	if (serial_len >= sizeof(out->serial) || token_len > EST_TOKEN_MAX)
		return err_set(ERR_LIMIT, "credentials are too long");
	if (!spans(plain, serial_len, serial_chars))
		return err_set(ERR_INVALID, "no pump can have that serial");
	memset(out, 0, sizeof(*out));
	memcpy(out->serial, plain, serial_len);
	memcpy(out->token, colon + 1, token_len);
	out->token_len = token_len;
	return 0;
}

int est_basic_parse(const char *value, struct est_basic *out)
{
	static const char scheme[] = "Basic ";
	uint8_t plain[PLAIN_MAX];
	size_t len;
	int rc;

	if (strncasecmp(value, scheme, sizeof(scheme) - 1) != 0)
		return err_set(ERR_INVALID, "no Basic credentials");
	value += sizeof(scheme) - 1;
	value += strspn(value, " ");
	rc = est_base64_decode((const uint8_t *)value, strlen(value), plain, sizeof(plain), &len);
	if (!rc)
		rc = plain_split(plain, len, out);
	secret_wipe(plain, sizeof(plain));
	return rc;
}
