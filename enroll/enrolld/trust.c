/* SPDX-License-Identifier: BSD-2-Clause */
/* Owns reading of the trust files, once at start. Never decides whom to trust. */
#include "enroll/enrolld/trust.h"

#include <openssl/err.h>
#include <openssl/pem.h>

#include "enroll/est/est_cms.h"

#define PEM_FILE_MAX 65536

int trust_crypto_error(const char *what)
{
	unsigned long code = ERR_get_error();
	char text[256] = "no reason given";

	if (code)
		ERR_error_string_n(code, text, sizeof(text));
	ERR_clear_error();
	return err_set(ERR_CRYPTO, "%s: %s", what, text);
}

void trust_done(struct trust *t)
{
	for (size_t i = 0; i < t->n; i++)
		X509_free(t->certs[i]);
	t->n = 0;
}

static int certs_take(BIO *bio, const char *path, struct trust *t)
{
	X509 *cert;

	while ((cert = PEM_read_bio_X509(bio, NULL, NULL, NULL))) {
		if (t->n == TRUST_CERTS_MAX) {
			X509_free(cert);
			return err_set(ERR_LIMIT, "%s: more than %d certificates", path,
				       TRUST_CERTS_MAX);
		}
		t->certs[t->n++] = cert;
	}
	/* The end of the file is an error of its own kind; anything else is a damaged one. */
	if (t->n == 0 || ERR_GET_REASON(ERR_peek_last_error()) != PEM_R_NO_START_LINE)
		return trust_crypto_error(path);
	ERR_clear_error();
	return 0;
}

int trust_read(const char *path, struct trust *out)
{
	AUTO_BUF text = {.max = PEM_FILE_MAX};
	AUTO_TRUST t = {.n = 0};
	int rc = buf_read_file(&text, path);
	BIO *bio;

	if (rc)
		return rc;
	bio = BIO_new_mem_buf(text.data, (int)text.len);
	if (!bio)
		return trust_crypto_error(path);
	rc = certs_take(bio, path, &t);
	BIO_free(bio);
	if (rc)
		return rc;
	*out = t;
	t.n = 0;
	return 0;
}

static int ders_take(const struct trust *t, struct est_der *ders, unsigned char **owned, size_t *n)
{
	for (size_t i = 0; i < t->n; i++) {
		int len = i2d_X509(t->certs[i], &owned[*n]);

		if (len <= 0)
			return trust_crypto_error("certificate");
		ders[*n] = (struct est_der){owned[*n], (size_t)len};
		(*n)++;
	}
	return 0;
}

int trust_cacerts_build(const struct trust *a, const struct trust *b, struct buf *out)
{
	struct est_der ders[2 * TRUST_CERTS_MAX];
	unsigned char *owned[2 * TRUST_CERTS_MAX] = {NULL};
	size_t n = 0;
	int rc = ders_take(a, ders, owned, &n);

	if (!rc)
		rc = ders_take(b, ders, owned, &n);
	if (!rc)
		rc = est_certs_only_build(out, ders, n);
	for (size_t i = 0; i < n; i++)
		OPENSSL_free(owned[i]);
	return rc;
}
