/* SPDX-License-Identifier: BSD-2-Clause */
/* Owns the form of a bundle. Never writes one anywhere. */
#include "enroll/pumpctl/bundle.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>
#include <qrencode.h>

#include "base/secret.h"

#define QUIET 2 /* modules of light around the code */

int bundle_anchor_sha256(const void *pem, size_t len, char out[ANCHOR_HEX_SIZE])
{
	BIO *bio = BIO_new_mem_buf(pem, (int)len);
	unsigned char hash[EVP_MAX_MD_SIZE];
	unsigned n = 0;
	X509 *x;

	while (bio && n == 0 && (x = PEM_read_bio_X509(bio, NULL, NULL, NULL))) {
		if ((X509_get_extension_flags(x) & EXFLAG_SS) &&
		    !X509_digest(x, EVP_sha256(), hash, &n))
			n = 0;
		X509_free(x);
	}
	BIO_free(bio);
	ERR_clear_error();
	if (n != 32)
		return err_set(ERR_NOT_FOUND, "no root certificate is in it");
	hex_encode(hash, n, out, ANCHOR_HEX_SIZE);
	return 0;
}

void bundle_anchors_done(struct bundle_anchors *a)
{
	for (size_t i = 0; i < a->n; i++)
		OPENSSL_free(a->text[i]);
	*a = (struct bundle_anchors){.n = 0};
}

static char *certificate_text(X509 *x)
{
	unsigned char *der = NULL;
	int len = i2d_X509(x, &der);
	char *text = len > 0 ? OPENSSL_malloc((size_t)len / 3 * 4 + 5) : NULL;

	if (text)
		EVP_EncodeBlock((unsigned char *)text, der, len);
	OPENSSL_free(der);
	return text;
}

int bundle_anchors_take(const void *pem, size_t len, struct bundle_anchors *out)
{
	BIO *bio = BIO_new_mem_buf(pem, (int)len);
	struct bundle_anchors a = {.n = 0};
	bool has_root = false;
	int rc = 0;
	X509 *x;

	while (bio && !rc && (x = PEM_read_bio_X509(bio, NULL, NULL, NULL))) {
		char *text = a.n < BUNDLE_ANCHORS_MAX ? certificate_text(x) : NULL;

		if (!text) {
			rc = err_set(ERR_LIMIT, "more than %d certificates", BUNDLE_ANCHORS_MAX);
		} else if ((X509_get_extension_flags(x) & EXFLAG_SS) && !has_root) {
			has_root = true;
			a.text[a.n++] = a.text[0];
			a.text[0] = text;
		} else {
			a.text[a.n++] = text;
		}
		X509_free(x);
	}
	BIO_free(bio);
	ERR_clear_error();
	if (!rc && !has_root)
		rc = err_set(ERR_NOT_FOUND, "no root certificate is in it");
	if (rc)
		bundle_anchors_done(&a);
	else
		*out = a;
	return rc;
}

/* 0 or -1. */
static int birth_put(json_t *j, const struct bundle *b)
{
	json_t *list = json_array();
	int failed =
		json_object_set_new(j, "idevid_certificate", json_string(b->idevid_certificate)) ||
		json_object_set_new(j, "idevid_key", json_string(b->idevid_key)) ||
		json_object_set_new(j, "server_anchors", list);

	for (size_t i = 0; !failed && i < b->anchors->n; i++)
		failed = json_array_append_new(list, json_string(b->anchors->text[i]));
	return failed ? -1 : 0;
}

int bundle_build(const struct bundle *b, int pretty, struct buf *out)
{
	json_t *j = json_pack("{s:i s:s s:s s:s s:s}", "version", b->anchors ? 2 : 1, "pump",
			      b->pump, "est", b->est, "server_anchor_sha256", b->anchor_sha256,
			      "radius_server_name", b->radius_name);
	int failed = !j ? -1
		     : b->login_server && (json_object_set_new(j, "login_server",
							       json_string(b->login_server)) ||
					   json_object_set_new(j, "login_server_name",
							       json_string(b->login_name)))
			     ? -1
		     : b->token
			     ? json_object_set_new(j, "token", json_stringn(b->token, b->token_len))
			     : birth_put(j, b);
	char *text = !failed ? json_dumps(j, pretty ? JSON_INDENT(1) : JSON_COMPACT) : NULL;
	int rc = text ? buf_put_str(out, text) : err_set(ERR_NOMEM, "no memory for the bundle");

	if (!rc && pretty)
		rc = buf_put_str(out, "\n");
	if (text)
		secret_wipe(text, strlen(text));
	free(text);
	json_decref(j);
	return rc;
}

static bool is_dark(const QRcode *qr, int x, int y)
{
	return x >= 0 && y >= 0 && x < qr->width && y < qr->width &&
	       (qr->data[y * qr->width + x] & 1);
}

/* Two rows of modules per line of text. */
static int qr_draw(const QRcode *qr, struct buf *out)
{
	static const char *const blocks[] = {"\xe2\x96\x88", "\xe2\x96\x80", "\xe2\x96\x84", " "};
	int rc = 0;

	for (int y = -QUIET; !rc && y < qr->width + QUIET; y += 2) {
		for (int x = -QUIET; !rc && x < qr->width + QUIET; x++)
			rc = buf_put_str(out,
					 blocks[is_dark(qr, x, y) * 2 + is_dark(qr, x, y + 1)]);
		if (!rc)
			rc = buf_put_str(out, "\n");
	}
	return rc;
}

int bundle_qr(const char *text, struct buf *out)
{
	QRcode *qr = QRcode_encodeString8bit(text, 0, QR_ECLEVEL_L);
	int rc;

	if (!qr)
		return errno == ERANGE ? err_set(ERR_LIMIT, "too long for a QR code")
				       : err_errno(ERR_NOMEM, "QR code");
	rc = qr_draw(qr, out);
	secret_wipe(qr->data, (size_t)qr->width * (size_t)qr->width);
	QRcode_free(qr);
	return rc;
}
