/* SPDX-License-Identifier: BSD-2-Clause */
/* Owns the parts of an EST address. Never guesses: what is not one is refused. */
#include "pump_agent/est_url.h"

#include <string.h>

#include "base/buf.h"

static int host_take(const char *text, size_t len, char out[SERVER_NAME_MAX])
{
	if (len == 0 || len >= SERVER_NAME_MAX || memchr(text, '[', len) || memchr(text, ']', len))
		return err_set(ERR_INVALID, "est: there is no host in it");
	memcpy(out, text, len);
	out[len] = '\0';
	return 0;
}

static int port_take(const char *text, size_t len, uint16_t *out)
{
	unsigned port = 0;

	if (len == 0 || len > 5 || strspn(text, "0123456789") != len)
		return err_set(ERR_INVALID, "est: the port must be 1 to 65535");
	for (size_t i = 0; i < len; i++)
		port = port * 10 + (unsigned)(text[i] - '0');
	if (port == 0 || port > 65535)
		return err_set(ERR_INVALID, "est: the port must be 1 to 65535");
	*out = (uint16_t)port;
	return 0;
}

int est_url_parse(const char *url, struct est_url *out)
{
	struct est_url u = {.port = 443};
	int rc = est_url_check(url);
	const char *host = url + strlen("https://");
	const char *path, *end;

	if (rc)
		return rc;
	path = strchr(host, '/');
	if (*host == '[') {
		end = memchr(host, ']', (size_t)(path - host));
		rc = end ? host_take(host + 1, (size_t)(end - host - 1), u.host)
			 : err_set(ERR_INVALID, "est: a bracket is not closed");
		end = end ? end + 1 : path;
	} else {
		end = memchr(host, ':', (size_t)(path - host));
		end = end ? end : path;
		rc = host_take(host, (size_t)(end - host), u.host);
	}
	if (!rc && end != path)
		rc = *end == ':' ? port_take(end + 1, (size_t)(path - end - 1), &u.port)
				 : err_set(ERR_INVALID, "est: only a port follows the host");
	rc = rc ? rc : str_copy(u.path, sizeof(u.path), path);
	if (!rc)
		*out = u;
	return rc;
}
