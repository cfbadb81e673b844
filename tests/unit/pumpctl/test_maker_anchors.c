/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/support/cmocka.h"

#include <time.h>

#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include "enroll/pumpctl/maker_anchors.h"

#define NOW_S INT64_C(1795348800)
#define DAY_S 86400

static EVP_PKEY *key, *other;

/* Appends a self-signed certificate. */
static void pem_put(struct buf *out, EVP_PKEY *k, bool is_ca, int64_t end_s)
{
	X509 *cert = X509_new();
	BIO *bio = BIO_new(BIO_s_mem());
	char *text;
	long len;

	ASN1_INTEGER_set(X509_get_serialNumber(cert), 1);
	X509_set_version(cert, 2);
	ASN1_TIME_set(X509_getm_notBefore(cert), (time_t)(NOW_S - 10 * DAY_S));
	ASN1_TIME_set(X509_getm_notAfter(cert), (time_t)end_s);
	X509_set_pubkey(cert, k);
	if (is_ca) {
		X509_EXTENSION *ext =
			X509V3_EXT_conf(NULL, NULL, "basicConstraints", "critical,CA:TRUE");

		X509_add_ext(cert, ext, -1);
		X509_EXTENSION_free(ext);
	}
	assert_true(X509_sign(cert, k, EVP_sha256()) > 0);
	assert_int_equal(PEM_write_bio_X509(bio, cert), 1);
	len = BIO_get_mem_data(bio, &text);
	assert_int_equal(buf_put(out, text, (size_t)len), 0);
	BIO_free(bio);
	X509_free(cert);
}

static int set_up(void **state)
{
	(void)state;
	key = EVP_EC_gen("P-256");
	other = EVP_EC_gen("P-256");
	return !key || !other;
}

static int tear_down(void **state)
{
	(void)state;
	EVP_PKEY_free(key);
	EVP_PKEY_free(other);
	return 0;
}

static void what_is_no_anchor_is_refused(void **state)
{
	AUTO_BUF none = {.max = 100}, ours = {.max = 8192}, leaf = {.max = 8192};
	AUTO_BUF old = {.max = 8192}, out = {.max = 8192};

	(void)state;
	pem_put(&ours, other, true, NOW_S + DAY_S);
	pem_put(&leaf, key, false, NOW_S + DAY_S);
	pem_put(&old, key, true, NOW_S - DAY_S);
	assert_int_equal(maker_anchors_build(&none, &ours, NOW_S, &out), ERR_INVALID);
	assert_int_equal(maker_anchors_build(&leaf, &ours, NOW_S, &out), ERR_INVALID);
	assert_int_equal(maker_anchors_build(&old, &ours, NOW_S, &out), ERR_EXPIRED);
}

static void a_key_of_our_own_cas_is_refused(void **state)
{
	AUTO_BUF ours = {.max = 8192}, again = {.max = 8192}, out = {.max = 8192};

	(void)state;
	pem_put(&ours, other, true, NOW_S + DAY_S);
	pem_put(&again, other, true, NOW_S + 2 * DAY_S); /* the same key, another certificate */
	assert_int_equal(maker_anchors_build(&again, &ours, NOW_S, &out), ERR_CONFLICT);
}

static void too_many_anchors_are_refused(void **state)
{
	AUTO_BUF ours = {.max = 8192}, many = {.max = 16384}, out = {.max = 8192};

	(void)state;
	pem_put(&ours, other, true, NOW_S + DAY_S);
	for (int i = 0; i < 5; i++)
		pem_put(&many, key, true, NOW_S + DAY_S);
	assert_int_equal(maker_anchors_build(&many, &ours, NOW_S, &out), ERR_LIMIT);
}

static void anchors_come_out_as_der_one_behind_the_other(void **state)
{
	AUTO_BUF ours = {.max = 8192}, pem = {.max = 8192}, out = {.max = 8192};
	const unsigned char *at;

	(void)state;
	pem_put(&ours, other, true, NOW_S + DAY_S);
	pem_put(&pem, key, true, NOW_S + DAY_S);
	pem_put(&pem, key, true, NOW_S + 2 * DAY_S);
	assert_int_equal(maker_anchors_build(&pem, &ours, NOW_S, &out), 0);
	at = out.data;
	for (int i = 0; i < 2; i++) {
		X509 *cert = d2i_X509(NULL, &at, (long)(out.data + out.len - at));

		assert_non_null(cert);
		X509_free(cert);
	}
	assert_ptr_equal(at, out.data + out.len);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_no_anchor_is_refused),
		cmocka_unit_test(a_key_of_our_own_cas_is_refused),
		cmocka_unit_test(too_many_anchors_are_refused),
		cmocka_unit_test(anchors_come_out_as_der_one_behind_the_other),
	};

	return cmocka_run_group_tests_name("pumpctl/maker_anchors", tests, set_up, tear_down);
}
