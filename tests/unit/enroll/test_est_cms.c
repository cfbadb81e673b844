/* SPDX-License-Identifier: BSD-2-Clause */
/* What est_cms builds byte by byte, held against OpenSSL's own CMS and ASN.1 code. */
#include "tests/support/cmocka.h"

#include <string.h>

#include <openssl/asn1t.h>
#include <openssl/cms.h>
#include <openssl/objects.h>
#include <openssl/x509.h>

#include "enroll/est/est_cms.h"

/* A signed certificate whose size grows with `name_len`. */
static X509 *cert_new(EVP_PKEY *key, long serial, int name_len)
{
	X509 *cert = X509_new();
	unsigned char name[65];

	assert_non_null(cert);
	memset(name, 'x', sizeof(name));
	X509_set_version(cert, X509_VERSION_3);
	ASN1_INTEGER_set(X509_get_serialNumber(cert), serial);
	X509_gmtime_adj(X509_getm_notBefore(cert), 0);
	X509_gmtime_adj(X509_getm_notAfter(cert), 1000);
	for (int i = 0; i < name_len; i += 64)
		assert_int_equal(
			X509_NAME_add_entry_by_NID(X509_get_subject_name(cert),
						   NID_organizationalUnitName, MBSTRING_ASC, name,
						   name_len - i < 64 ? name_len - i : 64, -1, 0),
			1);
	X509_set_pubkey(cert, key);
	assert_true(X509_sign(cert, key, EVP_sha256()) > 0);
	return cert;
}

static void check_against_openssl(EVP_PKEY *key, size_t n, int name_len)
{
	STACK_OF(X509) *stack = sk_X509_new_null();
	struct est_der ders[EST_CMS_CERTS_MAX];
	unsigned char *owned[EST_CMS_CERTS_MAX] = {NULL}, *theirs = NULL;
	AUTO_BUF ours = {.max = 200000};
	CMS_ContentInfo *cms;
	int len;

	for (size_t i = 0; i < n; i++) {
		X509 *cert = cert_new(key, (long)(1000 - i), name_len * (int)(i + 1));

		assert_true(sk_X509_push(stack, cert) > 0);
		len = i2d_X509(cert, &owned[i]);
		assert_true(len > 0);
		ders[i] = (struct est_der){owned[i], (size_t)len};
	}
	cms = CMS_sign(NULL, NULL, stack, NULL, CMS_DETACHED | CMS_PARTIAL);
	assert_non_null(cms);
	len = i2d_CMS_ContentInfo(cms, &theirs);
	assert_int_equal(est_certs_only_build(&ours, ders, n), 0);
	assert_int_equal(ours.len, len);
	assert_memory_equal(ours.data, theirs, ours.len);
	OPENSSL_free(theirs);
	CMS_ContentInfo_free(cms);
	for (size_t i = 0; i < n; i++)
		OPENSSL_free(owned[i]);
	sk_X509_pop_free(stack, X509_free);
}

static void certs_only_is_byte_for_byte_openssls(void **state)
{
	EVP_PKEY *key = EVP_EC_gen("P-256");

	(void)state;
	assert_non_null(key);
	check_against_openssl(key, 1, 10);
	check_against_openssl(key, 1, 2000);
	check_against_openssl(key, 4, 60);
	check_against_openssl(key, EST_CMS_CERTS_MAX, 1500); /* lengths above 65,535 */
	EVP_PKEY_free(key);
}

static void no_certificate_or_too_many_is_refused(void **state)
{
	struct est_der ders[EST_CMS_CERTS_MAX + 1] = {{(const uint8_t *)"", 0}};
	AUTO_BUF out = {.max = 1000};

	(void)state;
	assert_int_equal(est_certs_only_build(&out, ders, 0), ERR_LIMIT);
	assert_int_equal(est_certs_only_build(&out, ders, EST_CMS_CERTS_MAX + 1), ERR_LIMIT);
	assert_int_equal(out.len, 0);
}

static void an_oversize_certificate_is_refused(void **state)
{
	static const uint8_t large[0x10001];
	struct est_der der = {large, sizeof(large)};
	AUTO_BUF out = {.max = 200000};

	(void)state;
	assert_int_equal(est_certs_only_build(&out, &der, 1), ERR_LIMIT);
	der.len--;
	assert_int_equal(est_certs_only_build(&out, &der, 1), 0);
}

/* RFC 7030 4.5.2: CsrAttrs ::= SEQUENCE SIZE (0..MAX) OF AttrOrOID */
int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(no_certificate_or_too_many_is_refused),
		cmocka_unit_test(an_oversize_certificate_is_refused),
		cmocka_unit_test(certs_only_is_byte_for_byte_openssls),
	};

	return cmocka_run_group_tests_name("enroll/est_cms", tests, NULL, NULL);
}
