/* SPDX-License-Identifier: BSD-2-Clause */
/* Owns the files of RadSec certificates. Never replaces a key. */
#include "enroll/pumpctl/nas_cert.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>

#include "base/secret.h"

#define CSR_FILE_MAX 16384
#define KEY_FILE_MAX 16384

#define AUTO(type, free_fn)                      \
	static inline void auto_##type(type **p) \
	{                                        \
		free_fn(*p);                     \
	}
AUTO(EVP_PKEY, EVP_PKEY_free)
AUTO(X509, X509_free)
AUTO(X509_REQ, X509_REQ_free)
AUTO(BIO, BIO_free_all)
#define AUTO_PKEY __attribute__((cleanup(auto_EVP_PKEY))) EVP_PKEY *
#define AUTO_X509 __attribute__((cleanup(auto_X509))) X509 *
#define AUTO_REQ __attribute__((cleanup(auto_X509_REQ))) X509_REQ *
#define AUTO_BIO __attribute__((cleanup(auto_BIO))) BIO *

static int crypto_fail(int code, const char *what)
{
	char text[160] = "no detail";
	unsigned long e = ERR_get_error();

	if (e)
		ERR_error_string_n(e, text, sizeof(text));
	ERR_clear_error();
	return err_set(code, "%s: %s", what, text);
}

static int spki_hash(X509_PUBKEY *key, uint8_t out[32])
{
	unsigned char *der = NULL;
	unsigned n = 0;
	int len = i2d_X509_PUBKEY(key, &der);
	bool ok = len > 0 && EVP_Digest(der, (size_t)len, out, &n, EVP_sha256(), NULL) == 1;

	OPENSSL_free(der);
	return ok && n == 32 ? 0 : crypto_fail(ERR_CRYPTO, "public key");
}

static int req_put(X509_REQ *req, struct buf *der, uint8_t spki_out[32])
{
	unsigned char *bytes = NULL;
	int len = i2d_X509_REQ(req, &bytes);
	int rc = len > 0 ? buf_put(der, bytes, (size_t)len)
			 : crypto_fail(ERR_CRYPTO, "certificate request");

	OPENSSL_free(bytes);
	return rc ? rc : spki_hash(X509_REQ_get_X509_PUBKEY(req), spki_out);
}

int nas_csr_read(const char *path, struct buf *der, uint8_t spki_out[32])
{
	AUTO_BUF file = {.max = CSR_FILE_MAX};
	AUTO_BIO bio = NULL;
	AUTO_REQ req = NULL;
	const unsigned char *at;
	int rc = buf_read_file(&file, path);

	if (rc)
		return rc;
	at = file.data;
	bio = BIO_new_mem_buf(file.data, (int)file.len);
	if (bio)
		req = PEM_read_bio_X509_REQ(bio, NULL, NULL, NULL);
	if (!req) /* not PEM */
		req = d2i_X509_REQ(NULL, &at, (long)file.len);
	if (!req)
		return crypto_fail(ERR_INVALID, path);
	ERR_clear_error();
	return req_put(req, der, spki_out);
}

static int key_make(const char *path, EVP_PKEY **out)
{
	AUTO_PKEY key = EVP_EC_gen("P-256");
	AUTO_BIO bio = BIO_new(BIO_s_mem());
	char *data;
	long len;
	int fd, rc = 0;

	if (!key || !bio || !PEM_write_bio_PrivateKey(bio, key, NULL, NULL, 0, NULL, NULL))
		return crypto_fail(ERR_CRYPTO, "making a key");
	len = BIO_get_mem_data(bio, &data);
	fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (fd < 0) {
		rc = err_errno(ERR_IO, "%s", path);
	} else if (fchmod(fd, 0600) || fd_write_all(fd, data, (size_t)len) || fsync(fd)) {
		rc = err_errno(ERR_IO, "%s", path);
		unlink(path);
	}
	OPENSSL_cleanse(data, (size_t)len);
	if (fd >= 0)
		close(fd);
	if (rc)
		return rc;
	*out = key;
	key = NULL;
	return 0;
}

static int key_have(const char *path, EVP_PKEY **out)
{
	AUTO_SECRET pem = NULL;
	AUTO_BIO bio = NULL;
	int rc = secret_read_file(path, KEY_FILE_MAX, &pem);

	if (rc == ERR_NOT_FOUND)
		return key_make(path, out);
	if (rc)
		return rc;
	bio = BIO_new_mem_buf(secret_data(pem), (int)secret_len(pem));
	*out = bio ? PEM_read_bio_PrivateKey(bio, NULL, NULL, NULL) : NULL;
	return *out ? 0 : crypto_fail(ERR_INVALID, path);
}

int nas_csr_make(const char *path, struct buf *der, uint8_t spki_out[32])
{
	AUTO_PKEY key = NULL;
	AUTO_REQ req = X509_REQ_new();
	int rc = key_have(path, &key);

	if (rc)
		return rc;
	if (!req || !X509_REQ_set_version(req, X509_REQ_VERSION_1) ||
	    !X509_REQ_set_pubkey(req, key) || !X509_REQ_sign(req, key, EVP_sha256()))
		return crypto_fail(ERR_CRYPTO, "making a certificate request");
	return req_put(req, der, spki_out);
}

static int time_ms(const ASN1_TIME *t, int64_t *out)
{
	struct tm tm;

	if (!ASN1_TIME_to_tm(t, &tm))
		return crypto_fail(ERR_INVALID, "time in a certificate");
	*out = (int64_t)timegm(&tm) * 1000;
	return 0;
}

static X509 *cert_parse(const struct nas_cert *c)
{
	const unsigned char *at = c->der.data;

	return d2i_X509(NULL, &at, (long)c->der.len);
}

int nas_cert_describe(struct nas_cert *out)
{
	AUTO_X509 x = cert_parse(out);
	const ASN1_INTEGER *serial;
	int rc;

	if (!x)
		return crypto_fail(ERR_INVALID, "certificate");
	serial = X509_get0_serialNumber(x);
	if (2 * (size_t)ASN1_STRING_length(serial) >= sizeof(out->cert_serial) ||
	    !X509_NAME_oneline(X509_get_issuer_name(x), out->issuer, (int)sizeof(out->issuer)))
		return crypto_fail(ERR_INVALID, "names in a certificate");
	hex_encode(ASN1_STRING_get0_data(serial), (size_t)ASN1_STRING_length(serial),
		   out->cert_serial, sizeof(out->cert_serial));
	rc = time_ms(X509_get0_notBefore(x), &out->not_before);
	if (!rc)
		rc = time_ms(X509_get0_notAfter(x), &out->not_after);
	out->spki_sha256.len = sizeof(out->spki_sha256.data);
	return rc ? rc : spki_hash(X509_get_X509_PUBKEY(x), out->spki_sha256.data);
}

int nas_cert_pem(const struct nas_cert *c, struct buf *out)
{
	AUTO_X509 x = cert_parse(c);
	AUTO_BIO bio = BIO_new(BIO_s_mem());
	char *data;
	long len;

	if (!x || !bio || !PEM_write_bio_X509(bio, x))
		return crypto_fail(ERR_INVALID, "certificate");
	len = BIO_get_mem_data(bio, &data);
	return buf_put(out, data, (size_t)len);
}
