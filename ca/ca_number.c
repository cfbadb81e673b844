/* SPDX-License-Identifier: BSD-2-Clause */
/* Owns reading and raising a CA's number. Never reads a clock or a file. */
#include "ca/ca_number.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/err.h>

#include "base/buf.h"

#define NAME_MAX_BYTES 256

/* The digits at the end; NULL when there are none, or too many of them. */
static char *digits_of(char *name)
{
	char *at = name + strlen(name);

	while (at > name && isdigit((unsigned char)at[-1]))
		at--;
	return *at && strlen(at) <= 2 && *at != '0' ? at : NULL;
}

uint32_t ca_number_of(const X509_NAME *name)
{
	int at = X509_NAME_get_index_by_NID(name, NID_commonName, -1);
	char text[NAME_MAX_BYTES];
	unsigned char *utf8 = NULL;
	const char *digits = NULL;
	int len = at < 0 ? -1
			 : ASN1_STRING_to_UTF8(
				   &utf8, X509_NAME_ENTRY_get_data(X509_NAME_get_entry(name, at)));

	if (len > 0 && len < NAME_MAX_BYTES && !memchr(utf8, '\0', (size_t)len)) {
		memcpy(text, utf8, (size_t)len);
		text[len] = '\0';
		digits = digits_of(text);
	}
	OPENSSL_free(utf8);
	ERR_clear_error();
	return digits ? (uint32_t)strtoul(digits, NULL, 10) : 0;
}

uint32_t ca_number_of_issuer(const uint8_t *der, size_t len)
{
	AUTO_X509 cert = NULL;

	if (ossl_cert_parse(der, len, &cert))
		return 0;
	return ca_number_of(X509_get_issuer_name(cert));
}

int ca_number_raise(char *name, size_t size)
{
	char *at = digits_of(name);
	unsigned long n = at ? strtoul(at, NULL, 10) : 0;

	if (!n || n >= CA_NUMBER_MAX)
		return err_set(ERR_INVALID, "the CA's name \"%.64s\" does not end with a number",
			       name);
	if (snprintf(at, size - (size_t)(at - name), "%lu", n + 1) >= (int)(size - (at - name)))
		return err_set(ERR_INVALID, "the CA's name is too long");
	return 0;
}

int ca_crl_url(const char *url, uint32_t number, char out[CA_CRL_URL_SIZE])
{
	const char *slash = strrchr(url, '/');
	const char *dot = slash ? strrchr(slash, '.') : NULL;
	size_t stem = dot ? (size_t)(dot - url) : strlen(url);
	int n = !*url || number < 2 ? snprintf(out, CA_CRL_URL_SIZE, "%s", url)
				    : snprintf(out, CA_CRL_URL_SIZE, "%.*s-%u%s", (int)stem, url,
					       (unsigned)number, url + stem);

	return n < CA_CRL_URL_SIZE ? 0 : err_set(ERR_LIMIT, "the address of the CRL is too long");
}
