/* SPDX-License-Identifier: BSD-2-Clause */
/* Owns CA key files. Never overwrites a key, never reads one that others could have read. */
#include "ca/keystore.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <openssl/pem.h>

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

int keystore_key_read(const char *path, EVP_PKEY **out)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NOCTTY);
	FILE *file;
	EVP_PKEY *key;
	int rc;

	if (fd < 0)
		return err_errno(errno == ENOENT ? ERR_NOT_FOUND : ERR_IO, "%s", path);
	rc = key_file_check(fd, path);
	file = rc ? NULL : fdopen(fd, "r");
	if (!file) {
		close(fd);
		return rc ? rc : err_errno(ERR_IO, "%s", path);
	}
	setvbuf(file, NULL, _IONBF, 0); /* no copy of the key in a stdio buffer */
	key = PEM_read_PrivateKey(file, NULL, no_passphrase, NULL);
	fclose(file);
	if (!key)
		return err_ossl(ERR_CRYPTO, "%s: no private key", path);
	*out = key;
	return 0;
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
