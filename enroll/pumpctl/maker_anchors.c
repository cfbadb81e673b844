/* SPDX-License-Identifier: BSD-2-Clause */
/* Owns reading a maker's anchors. Never reads a file, never decides which maker they are of. */
#include "enroll/pumpctl/maker_anchors.h"

#include <time.h>

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include "sql/proto/registry_records.h"

#define OURS_MAX 16

typedef STACK_OF(X509) cert_list;

static void list_auto_free(cert_list **list)
{
	sk_X509_pop_free(*list, X509_free);
}
#define AUTO_LIST __attribute__((cleanup(list_auto_free))) cert_list *

static int pem_read(const struct buf *pem, int max, cert_list **out)
{
	BIO *bio = BIO_new_mem_buf(pem->len ? (const void *)pem->data : "", (int)pem->len);
	cert_list *list = sk_X509_new_null();
	X509 *cert;
	int rc = bio && list ? 0 : err_set(ERR_NOMEM, "no memory for certificates");

	while (!rc && (cert = PEM_read_bio_X509(bio, NULL, NULL, NULL))) {
		if (sk_X509_num(list) < max && sk_X509_push(list, cert))
			continue;
		X509_free(cert);
		rc = err_set(ERR_LIMIT, "more than %d certificates", max);
	}
	ERR_clear_error();
	BIO_free(bio);
	if (rc) {
		list_auto_free(&list);
		return rc;
	}
	*out = list;
	return 0;
}

static bool has_key_of(const X509 *cert, const cert_list *ours)
{
	for (int i = 0; i < sk_X509_num(ours); i++)
		if (EVP_PKEY_eq(X509_get0_pubkey(cert), X509_get0_pubkey(sk_X509_value(ours, i))) ==
		    1)
			return true;
	ERR_clear_error();
	return false;
}

static int anchor_check(X509 *cert, const cert_list *ours, int64_t now_s)
{
	time_t now = (time_t)now_s;

	/* 1: basicConstraints CA:TRUE */
	if (X509_check_ca(cert) != 1)
		return err_set(ERR_INVALID,
			       "not a CA certificate: give the maker's root or issuing CA");
	if (X509_cmp_time(X509_get0_notAfter(cert), &now) <= 0)
		return err_set(ERR_EXPIRED, "the certificate is past its end");
	if (has_key_of(cert, ours))
		return err_set(ERR_CONFLICT, "that is one of our own CAs, no maker's");
	return 0;
}

static int der_put(X509 *cert, struct buf *out)
{
	int len = i2d_X509(cert, NULL);
	uint8_t *at;
	int rc = len > 0 ? buf_reserve(out, (size_t)len, &at)
			 : err_set(ERR_INVALID, "a certificate can't be encoded");

	if (!rc)
		i2d_X509(cert, &at);
	return rc;
}

int maker_anchors_build(const struct buf *pem, const struct buf *ours_pem, int64_t now_s,
			struct buf *out)
{
	AUTO_LIST ours = NULL;
	AUTO_LIST anchors = NULL;
	int rc = pem_read(ours_pem, OURS_MAX, &ours);

	if (!rc)
		rc = pem_read(pem, MAKER_ANCHORS_MAX, &anchors);
	if (!rc && sk_X509_num(anchors) == 0)
		rc = err_set(ERR_INVALID, "no certificate in PEM");
	for (int i = 0; !rc && i < sk_X509_num(anchors); i++) {
		rc = anchor_check(sk_X509_value(anchors, i), ours, now_s);
		if (!rc)
			rc = der_put(sk_X509_value(anchors, i), out);
	}
	return rc;
}
