/* SPDX-License-Identifier: BSD-2-Clause */
/* Owns CA key files. Never overwrites a key, never reads one that others could have read. */
#include "ca/keystore.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <limits.h>

#include <openssl/pem.h>
#include <openssl/pkcs12.h>

#include "base/secret.h"
#include "ca/pkcs11.h"

#define PEM_MAX 16384

/* PEM would ask the terminal for a passphrase: there is none. */
static int no_passphrase(char *buf, int size, int rwflag, void *u)
{
	(void)buf;
	(void)size;
	(void)rwflag;
	(void)u;
	return -1;
}

static int key_file_check(int fd, const char *path)
{
	struct stat st;

	if (fstat(fd, &st))
		return err_errno(ERR_IO, "%s", path);
	if (!S_ISREG(st.st_mode))
		return err_set(ERR_DENIED, "%s: not a regular file", path);
	if (st.st_mode & 077)
		return err_set(ERR_DENIED,
			       "%s: group or others may use this CA key (mode %04o). If nobody can "
			       "have copied it: chmod 600 %s",
			       path, st.st_mode & 07777U, path);
	if (st.st_uid != geteuid() && geteuid() != 0)
		return err_set(ERR_DENIED, "%s: belongs to uid %u, not to this process", path,
			       st.st_uid);
	return 0;
}

/* The whole file, checked; at most PEM_MAX bytes in memory of secrets. */
static int key_file_read(const char *path, struct secret **out)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NOCTTY);
	uint8_t text[PEM_MAX];
	size_t len = 0;
	ssize_t n;
	int rc;

	if (fd < 0)
		return err_errno(errno == ENOENT ? ERR_NOT_FOUND : ERR_IO, "%s", path);
	rc = key_file_check(fd, path);
	while (!rc && len < sizeof(text) && (n = read(fd, text + len, sizeof(text) - len)) != 0) {
		if (n < 0 && errno != EINTR)
			rc = err_errno(ERR_IO, "%s", path);
		len += n > 0 ? (size_t)n : 0;
	}
	close(fd);
	if (!rc && len == sizeof(text))
		rc = err_set(ERR_CRYPTO, "%s: too large for a key", path);
	if (!rc)
		rc = secret_new(text, len, out);
	secret_wipe(text, sizeof(text));
	return rc;
}

static bool begins(const struct secret *text, const char *with)
{
	return secret_len(text) >= strlen(with) && !memcmp(secret_data(text), with, strlen(with));
}

static enum keystore_form form_of(const struct secret *text)
{
	if (begins(text, "pkcs11:"))
		return KEYSTORE_PKCS11;
	return begins(text, "-----BEGIN ENCRYPTED PRIVATE KEY-----") ? KEYSTORE_ENCRYPTED
								     : KEYSTORE_PLAIN;
}

/* The one line of a file that names a token's key. */
static int uri_take(const struct secret *text, const char *path, char out[PKCS11_URI_MAX + 1])
{
	size_t len = secret_len(text);

	if (len && secret_data(text)[len - 1] == '\n')
		len--;
	if (len > PKCS11_URI_MAX)
		return err_set(ERR_INVALID, "%s: PKCS#11 URI too long", path);
	memcpy(out, secret_data(text), len);
	out[len] = '\0';
	return 0;
}

static int passphrase_give(char *buf, int size, int rwflag, void *u)
{
	const struct secret *s = u;

	(void)rwflag;
	if (!s || secret_len(s) > (size_t)size)
		return -1;
	memcpy(buf, secret_data(s), secret_len(s));
	return (int)secret_len(s);
}

static int pem_key_read(const struct secret *text, const char *path,
			const struct key_access *access, EVP_PKEY **out)
{
	AUTO_BIO bio = BIO_new_mem_buf(secret_data(text), (int)secret_len(text));
	bool encrypted = form_of(text) == KEYSTORE_ENCRYPTED;
	AUTO_SECRET passphrase = NULL;
	EVP_PKEY *key;
	int rc = 0;

	if (encrypted && !access)
		return err_set(ERR_DENIED, "%s is encrypted", path);
	if (encrypted)
		rc = key_passphrase_read(access, path, &passphrase);
	if (rc)
		return rc;
	key = bio ? PEM_read_bio_PrivateKey(bio, NULL, passphrase_give, passphrase) : NULL;
	if (!key)
		return err_ossl(ERR_CRYPTO, "%s: %s", path,
				encrypted ? "the passphrase is wrong, or the file is damaged"
					  : "no private key");
	*out = key;
	return 0;
}

int keystore_key_read(const char *path, const struct key_access *access, EVP_PKEY **out)
{
	AUTO_SECRET text = NULL;
	char uri[PKCS11_URI_MAX + 1];
	int rc = key_file_read(path, &text);

	if (rc)
		return rc;
	if (form_of(text) != KEYSTORE_PKCS11)
		return pem_key_read(text, path, access, out);
	if (!access)
		return err_set(ERR_DENIED, "%s: the key is in a token", path);
	rc = uri_take(text, path, uri);
	return rc ? rc : pkcs11_key_load(uri, access, out);
}

const char *keystore_form_name(enum keystore_form form)
{
	static const char *const names[] = {"none", "file", "encrypted", "pkcs11"};

	return (unsigned)form < sizeof(names) / sizeof(names[0]) ? names[form] : names[0];
}

int keystore_key_form(const char *path, enum keystore_form *out, char detail_out[1025])
{
	AUTO_SECRET text = NULL;
	int rc = key_file_read(path, &text);

	*detail_out = '\0';
	if (rc == ERR_NOT_FOUND) {
		*out = KEYSTORE_NONE;
		return 0;
	}
	if (rc)
		return rc;
	*out = form_of(text);
	return *out == KEYSTORE_PKCS11 ? uri_take(text, path, detail_out) : 0;
}

static int key_pem(EVP_PKEY *key, BIO *bio, char **text, long *len)
{
	if (!bio || !PEM_write_bio_PKCS8PrivateKey(bio, key, NULL, NULL, 0, NULL, NULL))
		return err_ossl(ERR_CRYPTO, "key can't be encoded");
	*len = BIO_get_mem_data(bio, text);
	return 0;
}

int keystore_key_write(const char *path, EVP_PKEY *key)
{
	AUTO_BIO bio = BIO_new(BIO_s_secmem());
	struct stat st;
	char *text;
	long len;
	int rc;

	if (lstat(path, &st) == 0)
		return err_set(ERR_EXISTS, "%s: exists; a CA key is never overwritten", path);
	if (errno != ENOENT)
		return err_errno(ERR_IO, "%s", path);
	rc = key_pem(key, bio, &text, &len);
	return rc ? rc : buf_write_file(path, 0600, text, (size_t)len);
}

/* scrypt with N = 2^14, r = 8 is what OpenSSL reads within its own bound of memory; p makes a guess
 * cost a good third of a second all the same. */
#define SCRYPT_N 16384
#define SCRYPT_R 8
#define SCRYPT_P 8
#define SCRYPT_SALT 16

static int key_encrypt(EVP_PKEY *key, const struct secret *passphrase, BIO *bio)
{
	PKCS8_PRIV_KEY_INFO *plain = EVP_PKEY2PKCS8(key);
	uint8_t salt[SCRYPT_SALT];
	X509_ALGOR *pbe;
	X509_SIG *sealed = NULL;
	bool ok;

	secret_fill_random(salt, sizeof(salt));
	pbe = PKCS5_pbe2_set_scrypt(EVP_aes_256_cbc(), salt, sizeof(salt), NULL, SCRYPT_N, SCRYPT_R,
				    SCRYPT_P);
	if (plain && pbe)
		sealed = PKCS8_set0_pbe((const char *)secret_data(passphrase),
					(int)secret_len(passphrase), plain, pbe);
	if (!sealed)
		X509_ALGOR_free(pbe); /* else it is the other's */
	ok = sealed && bio && PEM_write_bio_PKCS8(bio, sealed);
	X509_SIG_free(sealed);
	PKCS8_PRIV_KEY_INFO_free(plain);
	return ok ? 0 : err_ossl(ERR_CRYPTO, "the key can't be encrypted");
}

/* Zeros over a plain key that has another form now. A disk may keep the old blocks all the same. */
static int file_overwrite(const char *path)
{
	static const uint8_t zeros[PEM_MAX];
	int fd = open(path, O_WRONLY | O_CLOEXEC | O_NOFOLLOW);
	struct stat st;
	int rc = 0;

	if (fd < 0)
		return err_errno(ERR_IO, "%s", path);
	if (fstat(fd, &st) ||
	    fd_write_all(fd, zeros, (size_t)(st.st_size < PEM_MAX ? st.st_size : PEM_MAX)) ||
	    fsync(fd))
		rc = err_errno(ERR_IO, "%s", path);
	close(fd);
	return rc;
}

/* The fresh file in the place of `path`, whose old content is then overwritten. */
static int file_swap(const char *fresh, const char *path)
{
	char old[PATH_MAX];

	if (snprintf(old, sizeof(old), "%s.old", path) >= (int)sizeof(old))
		return err_set(ERR_LIMIT, "%s: path too long", path);
	if ((unlink(old) && errno != ENOENT) || link(path, old))
		return err_errno(ERR_IO, "%s", old);
	if (rename(fresh, path))
		return err_errno(ERR_IO, "%s", path);
	return file_overwrite(old) || unlink(old) ? err_add(ERR_IO, "overwriting %s", old) : 0;
}

static int form_put(EVP_PKEY *key, enum keystore_form form, const struct key_access *access,
		    const char *uri, const char *path, BIO *bio)
{
	AUTO_SECRET passphrase = NULL;
	int rc;

	if (form == KEYSTORE_PKCS11)
		return BIO_printf(bio, "%s\n", uri) > 0 ? 0 : err_set(ERR_NOMEM, "no memory");
	if (form == KEYSTORE_PLAIN)
		return PEM_write_bio_PKCS8PrivateKey(bio, key, NULL, NULL, 0, NULL, NULL)
			       ? 0
			       : err_ossl(ERR_DENIED, "%s: the key does not leave its token", path);
	rc = key_passphrase_read(access, path, &passphrase);
	return rc ? rc : key_encrypt(key, passphrase, bio);
}

int keystore_key_protect(const char *path, EVP_PKEY *key, enum keystore_form form,
			 const struct key_access *access, const char *uri)
{
	AUTO_BIO bio = BIO_new(BIO_s_secmem());
	AUTO_PKEY back = NULL;
	char fresh[PATH_MAX], now[PKCS11_URI_MAX + 1];
	enum keystore_form was;
	char *text;
	long len;
	int rc = keystore_key_form(path, &was, now);

	if (rc)
		return rc;
	if (form == KEYSTORE_PKCS11 && was == form && !strcmp(now, uri))
		return err_set(ERR_UNCHANGED, "%s names that key already", path);
	if (!bio || snprintf(fresh, sizeof(fresh), "%s.new", path) >= (int)sizeof(fresh))
		return err_set(ERR_LIMIT, "%s: path too long", path);
	if ((rc = form_put(key, form, access, uri, path, bio)))
		return rc;
	len = BIO_get_mem_data(bio, &text);
	if ((rc = buf_write_file(fresh, 0600, text, (size_t)len)))
		return rc;
	rc = keystore_key_read(fresh, access, &back);
	if (!rc && EVP_PKEY_eq(back, key) != 1)
		rc = err_ossl(ERR_CONFLICT, "what %s names is another key", uri ? uri : fresh);
	if (!rc)
		rc = file_swap(fresh, path);
	if (rc)
		unlink(fresh);
	return rc;
}

int keystore_cert_read(const char *path, X509 **out)
{
	AUTO_BUF pem = {.max = PEM_MAX};
	AUTO_BIO bio = NULL;
	X509 *cert;
	int rc = buf_read_file(&pem, path);

	if (rc)
		return rc;
	bio = BIO_new_mem_buf(pem.data, (int)pem.len);
	cert = bio ? PEM_read_bio_X509(bio, NULL, no_passphrase, NULL) : NULL;
	if (!cert)
		return err_ossl(ERR_CRYPTO, "%s: no certificate", path);
	*out = cert;
	return 0;
}

int keystore_certs_write(const char *path, unsigned mode, X509 *const *certs, size_t n)
{
	AUTO_BIO bio = BIO_new(BIO_s_mem());
	char *text;
	long len;

	for (size_t i = 0; i < n; i++)
		if (!bio || !PEM_write_bio_X509(bio, certs[i]))
			return err_ossl(ERR_CRYPTO, "certificate can't be encoded");
	len = BIO_get_mem_data(bio, &text);
	return buf_write_file(path, mode, text, (size_t)len);
}
