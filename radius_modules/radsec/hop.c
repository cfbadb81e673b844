/* SPDX-License-Identifier: BSD-2-Clause */
/* Owns the form of the hop attribute. Never does I/O but reading a token. */
#include "radius_modules/radsec/hop.h"

#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "base/secret.h"

static const char hex[] = "0123456789abcdef";

void hop_build(const char *token, const struct hop_origin *from, char out[HOP_SIZE])
{
	snprintf(out, HOP_SIZE, "%.*s %s %s", HOP_TOKEN_CHARS, token, from->cert_serial, from->ip);
}

int hop_parse(const char *text, size_t len, const char *token, struct hop_origin *out)
{
	struct hop_origin o = {0};
	char copy[HOP_SIZE], *ip;

	if (len < HOP_TOKEN_CHARS + 1 || len >= sizeof(copy) ||
	    !secret_equal(text, HOP_TOKEN_CHARS, token, HOP_TOKEN_CHARS))
		return err_set(ERR_DENIED, "not radsecd's token");
	memcpy(copy, text, len);
	copy[len] = '\0';
	ip = strchr(copy + HOP_TOKEN_CHARS + 1, ' ');
	if (copy[HOP_TOKEN_CHARS] != ' ' || !ip || strlen(copy) != len)
		return err_set(ERR_INVALID, "no certificate's serial and address");
	*ip++ = '\0';
	if (str_copy(o.cert_serial, sizeof(o.cert_serial), copy + HOP_TOKEN_CHARS + 1) ||
	    str_copy(o.ip, sizeof(o.ip), ip) || !*o.cert_serial ||
	    strspn(o.cert_serial, hex) != strlen(o.cert_serial))
		return err_set(ERR_INVALID, "no certificate's serial and address");
	*out = o;
	return 0;
}

int hop_token_read(const char *path, char out[HOP_TOKEN_CHARS + 1])
{
	AUTO_SECRET s = NULL;
	const char *text;
	int rc = secret_read_file(path, HOP_TOKEN_CHARS + 2, &s);

	if (rc)
		return rc == ERR_NOT_FOUND ? err_add(rc, "do: pumpctl init") : rc;
	text = (const char *)secret_data(s);
	if (secret_len(s) < HOP_TOKEN_CHARS)
		return err_set(ERR_INVALID, "%s holds no token; do: pumpctl init", path);
	for (size_t i = 0; i < HOP_TOKEN_CHARS; i++)
		if (!text[i] || !strchr(hex, text[i]))
			return err_set(ERR_INVALID, "%s holds no token; do: pumpctl init", path);
	memcpy(out, text, HOP_TOKEN_CHARS);
	out[HOP_TOKEN_CHARS] = '\0';
	return 0;
}
