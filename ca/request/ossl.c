/* SPDX-License-Identifier: BSD-2-Clause */
/* Owns the glue to OpenSSL. Never decides whether a certificate is good. */
#include "ca/request/ossl.h"

#include <pthread.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include <openssl/err.h>
#include <openssl/provider.h>
#include <openssl/sha.h>

void ossl_text_set(const char *fmt, ...)
{
	unsigned long code = ERR_peek_last_error();
	const char *why = code ? ERR_reason_error_string(code) : NULL;
	char words[256];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(words, sizeof(words), fmt, ap);
	va_end(ap);
	if (why)
		err_text_set("%s: %s", words, why);
	else
		err_text_set("%s", words);
	ERR_clear_error();
}

int ossl_cert_parse(const uint8_t *der, size_t len, X509 **out)
{
	const uint8_t *at = der;
	AUTO_X509 cert = d2i_X509(NULL, &at, (long)len);

	if (!cert)
		return err_ossl(ERR_INVALID, "not a certificate");
	if (at != der + len)
		return err_set(ERR_INVALID, "bytes after the certificate");
	*out = OSSL_TAKE(cert);
	return 0;
}

static pthread_once_t reader_once = PTHREAD_ONCE_INIT;
static OSSL_LIB_CTX *reader; /* without algorithms, so without decoders; for the process's life */

static void reader_make(void)
{
	reader = OSSL_LIB_CTX_new();
	if (reader && OSSL_PROVIDER_load(reader, "null"))
		return;
	OSSL_LIB_CTX_free(reader);
	reader = NULL;
}

/* This thread's library context is the reader from here until plain_end. */
static int plain_begin(OSSL_LIB_CTX **before_out)
{
	(void)pthread_once(&reader_once, reader_make);
	if (!reader)
		return err_ossl(ERR_NOMEM, "no memory to read a certificate");
	*before_out = OSSL_LIB_CTX_set0_default(reader);
	return 0;
}

static void plain_end(OSSL_LIB_CTX *before)
{
	(void)OSSL_LIB_CTX_set0_default(before);
}

int ossl_cert_parse_plain(const uint8_t *der, size_t len, X509 **out)
{
	OSSL_LIB_CTX *before;
	int rc = plain_begin(&before);

	if (rc)
		return rc;
	rc = ossl_cert_parse(der, len, out);
	plain_end(before);
	if (!rc)
		ERR_clear_error();
	return rc;
}

int ossl_request_parse_plain(const uint8_t *der, size_t len, X509_REQ **out)
{
	const uint8_t *at = der;
	OSSL_LIB_CTX *before;
	AUTO_X509_REQ req = NULL;
	int rc = plain_begin(&before);

	if (rc)
		return rc;
	req = d2i_X509_REQ(NULL, &at, (long)len);
	plain_end(before);
	if (!req)
		return err_ossl(ERR_INVALID, "not a PKCS#10 request");
	if (der + len != at)
		return err_set(ERR_INVALID, "bytes after the request");
	ERR_clear_error();
	*out = OSSL_TAKE(req);
	return 0;
}

int ossl_cert_key_set(X509 *cert, EVP_PKEY *key)
{
	OSSL_LIB_CTX *before;
	int rc = plain_begin(&before), ok;

	if (rc)
		return rc;
	ok = X509_set_pubkey(cert, key); /* which parses the key's bytes anew, for the object */
	plain_end(before);
	if (ok != 1)
		return err_ossl(ERR_CRYPTO, "public key can't be encoded");
	ERR_clear_error();
	return 0;
}

int ossl_cert_put(struct buf *b, X509 *cert)
{
	uint8_t *at;
	int len = i2d_X509(cert, NULL);
	int rc;

	if (len <= 0)
		return err_ossl(ERR_CRYPTO, "certificate can't be encoded");
	rc = buf_reserve(b, (size_t)len, &at);
	if (rc)
		return rc;
	return i2d_X509(cert, &at) == len ? 0 : err_ossl(ERR_CRYPTO, "certificate");
}

int ossl_spki_sha256(X509_PUBKEY *spki, uint8_t out[32])
{
	unsigned char *der = NULL;
	int len = i2d_X509_PUBKEY(spki, &der);

	if (len <= 0)
		return err_ossl(ERR_CRYPTO, "public key can't be encoded");
	SHA256(der, (size_t)len, out);
	OPENSSL_free(der);
	return 0;
}

int ossl_serial_hex(const X509 *cert, char *out, size_t size)
{
	const ASN1_INTEGER *serial = X509_get0_serialNumber(cert);
	int len = ASN1_STRING_length(serial);

	if (len <= 0 || (size_t)len * 2 + 1 > size)
		return err_set(ERR_LIMIT, "serial number of %d bytes", len);
	hex_encode(ASN1_STRING_get0_data(serial), (size_t)len, out, size);
	return 0;
}

int ossl_name_value(const X509_NAME *name, int nid, char *out, size_t size)
{
	int at = X509_NAME_get_index_by_NID(name, nid, -1);
	unsigned char *utf8 = NULL;
	int len = at < 0 ? -1
			 : ASN1_STRING_to_UTF8(
				   &utf8, X509_NAME_ENTRY_get_data(X509_NAME_get_entry(name, at)));
	bool ok = len > 0 && (size_t)len < size && !memchr(utf8, '\0', (size_t)len);

	if (ok) {
		memcpy(out, utf8, (size_t)len);
		out[len] = '\0';
	}
	OPENSSL_free(utf8);
	ERR_clear_error();
	return ok ? 0 : err_set(ERR_INVALID, "the name lacks its %s", OBJ_nid2sn(nid));
}

int ossl_name_oneline(const X509_NAME *name, char *out, size_t size)
{
	char *text = X509_NAME_oneline(name, NULL, 0);
	int rc;

	if (!text)
		return err_ossl(ERR_CRYPTO, "name");
	rc = str_copy(out, size, text);
	OPENSSL_free(text);
	return rc ? err_set(rc, "name longer than %zu characters", size - 1) : 0;
}

int ossl_time_ms(const ASN1_TIME *t, int64_t *ms_out)
{
	struct tm tm = {0};

	if (!ASN1_TIME_to_tm(t, &tm))
		return err_ossl(ERR_INVALID, "time");
	*ms_out = (int64_t)timegm(&tm) * 1000;
	return 0;
}
