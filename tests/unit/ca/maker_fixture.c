/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/unit/ca/maker_fixture.h"

#include <string.h>

#include "tests/support/cmocka.h"
#include "tests/unit/ca/ca_fixture.h"

void fixture_module_put(struct buf *out, const char *hw_type, const void *serial, size_t len)
{
	ASN1_OBJECT *oid = OBJ_txt2obj(hw_type, 1);
	int oid_len = i2d_ASN1_OBJECT(oid, NULL);
	uint8_t *at;

	assert_true(oid_len > 0 && (size_t)oid_len + len + 2 < 128);
	assert_int_equal(buf_put_u8(out, 0x30), 0);
	assert_int_equal(buf_put_u8(out, (uint8_t)((size_t)oid_len + len + 2)), 0);
	assert_int_equal(buf_reserve(out, (size_t)oid_len, &at), 0);
	i2d_ASN1_OBJECT(oid, &at);
	assert_int_equal(buf_put_u8(out, 0x04), 0);
	assert_int_equal(buf_put_u8(out, (uint8_t)len), 0);
	assert_int_equal(buf_put(out, serial, len), 0);
	ASN1_OBJECT_free(oid);
}

static void module_push(GENERAL_NAMES *names, const struct birth_spec *s)
{
	size_t len = s->hw_serial_len ? (size_t)s->hw_serial_len : strlen(s->hw_serial);
	GENERAL_NAME *name = GENERAL_NAME_new();
	ASN1_TYPE *value = ASN1_TYPE_new();
	ASN1_STRING *sequence = ASN1_STRING_type_new(V_ASN1_SEQUENCE);
	AUTO_BUF der = {.max = 256};

	fixture_module_put(&der, s->hw_type ? s->hw_type : HW_TYPE, s->hw_serial, len);
	assert_int_equal(ASN1_STRING_set(sequence, der.data, (int)der.len), 1);
	ASN1_TYPE_set(value, V_ASN1_SEQUENCE, sequence);
	assert_int_equal(
		GENERAL_NAME_set0_othername(name, OBJ_txt2obj("1.3.6.1.5.5.7.8.4", 1), value), 1);
	assert_true(sk_GENERAL_NAME_push(names, name) > 0);
}

static void extension_add(X509 *cert, const char *name, const char *value)
{
	X509_EXTENSION *ext = X509V3_EXT_conf(NULL, NULL, name, value);

	assert_non_null(ext);
	assert_int_equal(X509_add_ext(cert, ext, -1), 1);
	X509_EXTENSION_free(ext);
}

static void names_set(X509 *cert, const struct birth_spec *s)
{
	X509_NAME *subject = X509_get_subject_name(cert);
	AUTO_GENERAL_NAMES names = sk_GENERAL_NAME_new_null();

	assert_int_equal(X509_NAME_add_entry_by_NID(subject, NID_commonName, MBSTRING_UTF8,
						    (const unsigned char *)s->cn, -1, -1, 0),
			 1);
	if (s->serial_number)
		assert_int_equal(X509_NAME_add_entry_by_NID(
					 subject, NID_serialNumber, MBSTRING_UTF8,
					 (const unsigned char *)s->serial_number, -1, -1, 0),
				 1);
	if (!s->hw_serial)
		return;
	module_push(names, s);
	if (s->two_modules)
		module_push(names, s);
	assert_int_equal(X509_add1_ext_i2d(cert, NID_subject_alt_name, names, 0, 0), 1);
}

X509 *fixture_birth(const struct birth_spec *s, EVP_PKEY *key, X509 *issuer, EVP_PKEY *issuer_key)
{
	static long serial = 1000;
	X509 *cert = X509_new();
	int64_t from = s->not_before_ms ? s->not_before_ms : NOW_MS - DAY_MS;
	int64_t to = s->not_after_ms ? s->not_after_ms : NOW_MS + 365 * DAY_MS;

	assert_non_null(cert);
	assert_int_equal(X509_set_version(cert, 2), 1);
	assert_int_equal(ASN1_INTEGER_set(X509_get_serialNumber(cert), serial++), 1);
	assert_non_null(ASN1_TIME_set(X509_getm_notBefore(cert), from / 1000));
	assert_non_null(ASN1_TIME_set(X509_getm_notAfter(cert), to / 1000));
	names_set(cert, s);
	assert_int_equal(X509_set_issuer_name(cert, X509_get_subject_name(issuer ? issuer : cert)),
			 1);
	assert_int_equal(X509_set_pubkey(cert, key), 1);
	if (s->is_ca) {
		extension_add(cert, "basicConstraints", "critical,CA:TRUE");
		extension_add(cert, "keyUsage", "critical,keyCertSign,digitalSignature");
	} else {
		extension_add(cert, "keyUsage", "critical,digitalSignature");
	}
	if (s->usage)
		extension_add(cert, "extendedKeyUsage", s->usage);
	assert_true(X509_sign(cert, issuer ? issuer_key : key, EVP_sha256()) > 0);
	return cert;
}
