/* SPDX-License-Identifier: BSD-2-Clause */
/* Owns radius/makers.pem. Never puts an anchor of ours into it. */
#include "enroll/pumpctl/maker_file.h"

#include <string.h>
#include <unistd.h>

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include "base/daemon.h"
#include "enroll/pumpctl/layout.h"

#define MAKERS_FILE "radius/makers.pem"
#define FILE_BYTES_MAX (MAKERS_MAX * MAKER_ANCHORS_SIZE * 2)
#define NOBODY "No maker: the key of this certificate was thrown away"
#define NOBODY_DAYS 36500L

static int pem_put(X509 *cert, struct buf *out)
{
	BIO *bio = BIO_new(BIO_s_mem());
	char *text;
	int rc = bio && PEM_write_bio_X509(bio, cert)
			 ? 0
			 : err_set(ERR_CRYPTO, "a certificate can't be written");

	if (!rc) {
		long len = BIO_get_mem_data(bio, &text);

		rc = buf_put(out, text, (size_t)len);
	}
	BIO_free(bio);
	ERR_clear_error();
	return rc;
}

static int anchors_put(const struct maker *m, struct buf *out)
{
	const uint8_t *at = m->anchors.data, *end = at + m->anchors.len;
	int rc = 0;

	while (!rc && at < end) {
		X509 *cert = d2i_X509(NULL, &at, (long)(end - at));

		if (!cert)
			return err_set(ERR_CORRUPT, "maker %s: an anchor can't be read", m->name);
		rc = pem_put(cert, out);
		X509_free(cert);
	}
	return rc;
}

/* Nobody can have a certificate by it: its key is gone when this returns. */
static int nobody_put(struct buf *out)
{
	EVP_PKEY *key = EVP_EC_gen("P-256");
	X509 *cert = X509_new();
	X509_NAME *name = cert ? X509_get_subject_name(cert) : NULL;
	X509_EXTENSION *ca = X509V3_EXT_conf(NULL, NULL, "basicConstraints", "critical,CA:TRUE");
	int rc = ERR_CRYPTO;

	if (key && name && ca && X509_set_version(cert, 2) &&
	    ASN1_INTEGER_set(X509_get_serialNumber(cert), 1) &&
	    X509_gmtime_adj(X509_getm_notBefore(cert), 0) &&
	    X509_time_adj_ex(X509_getm_notAfter(cert), (int)NOBODY_DAYS, 0, NULL) &&
	    X509_NAME_add_entry_by_NID(name, NID_commonName, MBSTRING_ASC,
				       (const unsigned char *)NOBODY, -1, -1, 0) &&
	    X509_set_issuer_name(cert, name) && X509_set_pubkey(cert, key) &&
	    X509_add_ext(cert, ca, -1) && X509_sign(cert, key, EVP_sha256()) > 0)
		rc = pem_put(cert, out);
	X509_EXTENSION_free(ca);
	X509_free(cert);
	EVP_PKEY_free(key);
	ERR_clear_error();
	return rc == ERR_CRYPTO ? err_set(rc, "a certificate can't be made") : rc;
}

/* The file as it is; empty without one. */
static int file_read(const char *path, struct buf *out)
{
	int rc = buf_read_file(out, path);

	return rc == ERR_NOT_FOUND ? 0 : rc;
}

/* Does it say nobody already? That certificate is another one each time. */
static bool is_nobody(const struct buf *old)
{
	BIO *bio = old->len ? BIO_new_mem_buf(old->data, (int)old->len) : NULL;
	X509 *cert = bio ? PEM_read_bio_X509(bio, NULL, NULL, NULL) : NULL;
	char name[80] = "";
	bool yes = cert &&
		   X509_NAME_get_text_by_NID(X509_get_subject_name(cert), NID_commonName, name,
					     sizeof(name)) > 0 &&
		   !strcmp(name, NOBODY);

	X509_free(cert);
	BIO_free(bio);
	ERR_clear_error();
	return yes;
}

int maker_file_write(const struct settings *s, const struct maker *makers, size_t n, bool *changed)
{
	AUTO_BUF old = {.max = FILE_BYTES_MAX};
	AUTO_BUF text = {.max = FILE_BYTES_MAX};
	char path[PATH_MAX];
	int rc = home_path(s->home, MAKERS_FILE, path);

	if (!rc)
		rc = file_read(path, &old);
	for (size_t i = 0; !rc && i < n; i++)
		rc = anchors_put(&makers[i], &text);
	if (rc || (n == 0 && is_nobody(&old)))
		return rc;
	if (n == 0 && (rc = nobody_put(&text)))
		return rc;
	if (old.len == text.len && !memcmp(old.data, text.data, text.len))
		return 0;
	rc = buf_write_file(path, 0644, text.data, text.len);
	if (!rc)
		rc = layout_give_file(s, MAKERS_FILE, PROCESS_RADIUSD);
	if (!rc)
		*changed = true;
	return rc;
}

int maker_file_have(const struct settings *s, bool *changed)
{
	char path[PATH_MAX];
	int rc = home_path(s->home, MAKERS_FILE, path);

	if (rc || access(path, F_OK) == 0)
		return rc;
	return maker_file_write(s, NULL, 0, changed);
}
