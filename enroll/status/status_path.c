/* SPDX-License-Identifier: BSD-2-Clause */
/* Owns the names on the HTTP port. Never reads what is in a request. */
#include "enroll/status/status_path.h"

#include <string.h>

#include "base/buf.h"
#include "enroll/est/est_base64.h"

#define TEXT_MAX (OCSP_REQUEST_MAX / 3 * 4 + 8)

/* ".crl", or "-N.crl" with N from 2 to 99; 0: something else. */
static uint32_t ca_parse(const char *text)
{
	uint32_t n = 0;

	if (!strcmp(text, ".crl"))
		return 1;
	if (*text++ != '-' || *text == '0')
		return 0;
	for (; *text >= '0' && *text <= '9' && n < 10; text++)
		n = n * 10 + (uint32_t)(*text - '0');
	return n > 1 && !strcmp(text, ".crl") ? n : 0;
}

enum status_resource status_path_parse(const char *target, const char **rest_out, uint32_t *ca_out)
{
	static const char crl[] = STATUS_CRL_STEM;
	static const char ocsp[] = STATUS_OCSP_PATH;
	const char *path = target;

	*rest_out = NULL;
	*ca_out = 0;
	if (!strncmp(target, "http://", 7)) {
		path = strchr(target + 7, '/');
		if (!path)
			return STATUS_NONE;
	}
	if (!strncmp(path, crl, sizeof(crl) - 1))
		*ca_out = ca_parse(path + sizeof(crl) - 1);
	if (*ca_out)
		return STATUS_CRL;
	if (strncmp(path, ocsp, sizeof(ocsp) - 1))
		return STATUS_NONE;
	path += sizeof(ocsp) - 1;
	if (!*path || !strcmp(path, "/"))
		return STATUS_OCSP;
	if (*path != '/')
		return STATUS_NONE;
	*rest_out = path + 1;
	return STATUS_OCSP_BY_GET;
}

/* "%2B" and the like; anything else stands for itself. */
static int unescape(const char *from, char *to, size_t size)
{
	size_t n = 0;

	for (; *from; from++) {
		uint8_t byte = (uint8_t)*from;
		size_t len;

		if (*from == '%') {
			char hex[3] = {from[1], from[1] ? from[2] : '\0', '\0'};

			if (strlen(hex) != 2 || hex_decode(hex, 1, &byte, &len) || byte == 0)
				return err_set(ERR_INVALID, "broken %%-escape");
			from += 2;
		}
		if (n + 1 >= size)
			return err_set(ERR_LIMIT, "request of more than %d bytes",
				       OCSP_REQUEST_MAX);
		to[n++] = (char)byte;
	}
	to[n] = '\0';
	return 0;
}

int status_get_decode(const char *rest, uint8_t out[OCSP_REQUEST_MAX], size_t *len_out)
{
	char text[TEXT_MAX];
	int rc = unescape(rest, text, sizeof(text));

	if (rc)
		return rc;
	return est_base64_decode((const uint8_t *)text, strlen(text), out, OCSP_REQUEST_MAX,
				 len_out);
}
