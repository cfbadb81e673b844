/* SPDX-License-Identifier: BSD-2-Clause */
#include "enroll/status/ocsp_request.h"

#include <stdlib.h>
#include <string.h>

#include <openssl/ocsp.h>

#include "enroll/status/status_path.h"
#include "tests/support/cmocka.h"

struct asked {
	const EVP_MD *md;
	unsigned n_certs;
	const uint8_t *serial; /* NULL: of 16 bytes */
	int serial_len;
	int name_hash_len;     /* 0: the algorithm's */
	const char *extension; /* "OID" of a request extension */
	bool critical;
	bool on_single;	 /* the extension stands at the certificate */
	int nonce_len;	 /* -1: none */
	bool bare_nonce; /* without the OCTET STRING inside */
};

static const struct asked usual = {.n_certs = 1, .nonce_len = -1};

static const uint8_t serial16[16] = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16};

static OCSP_CERTID *id_make(const struct asked *a)
{
	X509_NAME *name = X509_NAME_new();
	ASN1_BIT_STRING *key = ASN1_BIT_STRING_new();
	BIGNUM *bn = a->serial ? BN_bin2bn(a->serial, a->serial_len, NULL)
			       : BN_bin2bn(serial16, sizeof(serial16), NULL);
	ASN1_INTEGER *serial = BN_to_ASN1_INTEGER(bn, NULL);
	OCSP_CERTID *id;

	X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC, (const uint8_t *)"CA", -1, -1, 0);
	ASN1_BIT_STRING_set(key, (unsigned char *)"key", 3);
	id = OCSP_cert_id_new(a->md ? a->md : EVP_sha1(), name, key, serial);
	assert_non_null(id);
	if (a->name_hash_len) {
		ASN1_OCTET_STRING *hash;

		OCSP_id_get0_info(&hash, NULL, NULL, NULL, id);
		ASN1_OCTET_STRING_set(hash, serial16, a->name_hash_len);
	}
	X509_NAME_free(name);
	ASN1_BIT_STRING_free(key);
	ASN1_INTEGER_free(serial);
	BN_free(bn);
	return id;
}

static X509_EXTENSION *extension_make(const char *oid, bool critical, const uint8_t *data, int len)
{
	ASN1_OBJECT *obj = OBJ_txt2obj(oid, 1);
	ASN1_OCTET_STRING *value = ASN1_OCTET_STRING_new();
	X509_EXTENSION *ext;

	ASN1_OCTET_STRING_set(value, data, len);
	ext = X509_EXTENSION_create_by_OBJ(NULL, obj, critical, value);
	ASN1_OBJECT_free(obj);
	ASN1_OCTET_STRING_free(value);
	assert_non_null(ext);
	return ext;
}

static void nonce_add(OCSP_REQUEST *rq, const struct asked *a)
{
	uint8_t bytes[400] = {0}, *at = bytes;
	uint8_t zeros[256] = {0};
	ASN1_OCTET_STRING *inner = ASN1_OCTET_STRING_new();
	X509_EXTENSION *ext;
	int len = a->nonce_len;

	ASN1_OCTET_STRING_set(inner, zeros, a->nonce_len);
	if (!a->bare_nonce)
		len = i2d_ASN1_OCTET_STRING(inner, &at);
	ASN1_OCTET_STRING_free(inner);
	ext = extension_make("1.3.6.1.5.5.7.48.1.2", false, bytes, len);
	OCSP_REQUEST_add_ext(rq, ext, -1);
	X509_EXTENSION_free(ext);
}

static size_t request_make(const struct asked *a, uint8_t out[8192])
{
	OCSP_REQUEST *rq = OCSP_REQUEST_new();
	uint8_t *at = out;
	int len;

	for (unsigned i = 0; i < a->n_certs; i++) {
		OCSP_ONEREQ *one = OCSP_request_add0_id(rq, id_make(a));

		if (a->extension && a->on_single) {
			X509_EXTENSION *ext = extension_make(a->extension, a->critical, out, 0);

			OCSP_ONEREQ_add_ext(one, ext, -1);
			X509_EXTENSION_free(ext);
		}
	}
	if (a->extension && !a->on_single) {
		X509_EXTENSION *ext = extension_make(a->extension, a->critical, out, 0);

		OCSP_REQUEST_add_ext(rq, ext, -1);
		X509_EXTENSION_free(ext);
	}
	if (a->nonce_len >= 0)
		nonce_add(rq, a);
	len = i2d_OCSP_REQUEST(rq, &at);
	assert_in_range(len, 1, 8192);
	OCSP_REQUEST_free(rq);
	return (size_t)len;
}

static int parse(const struct asked *a, struct ocsp_asked *out)
{
	uint8_t der[8192];
	size_t len = request_make(a, der);

	return ocsp_request_parse(der, len, out);
}

static void rubbish_and_what_follows_a_request_is_malformed(void **state)
{
	struct ocsp_asked out;
	uint8_t der[8192] = {0};
	size_t len;

	(void)state;
	assert_int_equal(ocsp_request_parse(der, 0, &out), ERR_INVALID);
	assert_int_equal(ocsp_request_parse(der, 40, &out), ERR_INVALID);
	len = request_make(&usual, der);
	der[len] = 0;
	assert_int_equal(ocsp_request_parse(der, len + 1, &out), ERR_INVALID);
	assert_int_equal(ocsp_request_parse(der, len - 1, &out), ERR_INVALID);
	assert_int_equal(ocsp_request_parse(der, len, &out), 0);
}

static void none_and_more_certificates_than_are_answered_is_malformed(void **state)
{
	struct asked a = usual;
	struct ocsp_asked out;

	(void)state;
	a.n_certs = OCSP_ASKED_MAX + 1;
	assert_int_equal(parse(&a, &out), ERR_INVALID);
	a.n_certs = 0;
	assert_int_equal(parse(&a, &out), ERR_INVALID);
	a.n_certs = OCSP_ASKED_MAX;
	assert_int_equal(parse(&a, &out), 0);
	assert_int_equal(out.n, OCSP_ASKED_MAX);
}

/* RFC 9654 2.1 */
static void nonce_of_no_or_too_many_octets_is_malformed(void **state)
{
	static const int refused[] = {0, 129, 200}, taken[] = {1, 16, 32, 128};
	struct asked a = usual;
	struct ocsp_asked out;

	(void)state;
	for (size_t i = 0; i < 3; i++) {
		a.nonce_len = refused[i];
		assert_int_equal(parse(&a, &out), ERR_INVALID);
	}
	for (size_t i = 0; i < 4; i++) {
		a.nonce_len = taken[i];
		assert_int_equal(parse(&a, &out), 0);
		assert_int_equal(out.queries[0].nonce.len, taken[i]);
	}
	a.bare_nonce = true;
	a.nonce_len = 16;
	assert_int_equal(parse(&a, &out), ERR_INVALID);
}

static void critical_extension_that_nobody_knows_is_malformed(void **state)
{
	struct asked a = usual;
	struct ocsp_asked out;

	(void)state;
	a.extension = "1.2.3.4";
	assert_int_equal(parse(&a, &out), 0);
	a.on_single = true;
	assert_int_equal(parse(&a, &out), 0);
	a.critical = true;
	assert_int_equal(parse(&a, &out), ERR_INVALID);
	a.on_single = false;
	assert_int_equal(parse(&a, &out), ERR_INVALID);
}

static void serial_that_can_be_none_is_malformed(void **state)
{
	static const uint8_t long_one[21] = {1};
	struct asked a = usual;
	struct ocsp_asked out;

	(void)state;
	a.serial = long_one;
	a.serial_len = 21;
	assert_int_equal(parse(&a, &out), ERR_INVALID);
	a.serial_len = 20;
	assert_int_equal(parse(&a, &out), 0);
}

static void hash_of_another_length_than_its_algorithms_is_malformed(void **state)
{
	struct asked a = usual;
	struct ocsp_asked out;

	(void)state;
	a.name_hash_len = 16;
	assert_int_equal(parse(&a, &out), ERR_INVALID);
}

static void hash_that_no_certid_of_ours_has_is_unauthorized(void **state)
{
	struct asked a = usual;
	struct ocsp_asked out;

	(void)state;
	a.md = EVP_md5();
	assert_int_equal(parse(&a, &out), ERR_NOT_FOUND);
}

static void what_is_asked_is_taken_out(void **state)
{
	struct asked a = usual;
	struct ocsp_asked out;

	(void)state;
	a.md = EVP_sha384();
	assert_int_equal(parse(&a, &out), 0);
	assert_int_equal(out.n, 1);
	assert_int_equal(out.queries[0].hash, OCSP_SHA384);
	assert_int_equal(out.queries[0].issuer_name_hash.len, 48);
	assert_int_equal(out.queries[0].issuer_key_hash.len, 48);
	assert_int_equal(out.queries[0].cert_serial.len, 16);
	assert_memory_equal(out.queries[0].cert_serial.data, serial16, 16);
	assert_int_equal(out.queries[0].nonce.len, 0);
}

static void failures_are_what_openssl_reads(void **state)
{
	static const enum ocsp_failure all[] = {OCSP_MALFORMED, OCSP_INTERNAL, OCSP_TRY_LATER,
						OCSP_UNAUTHORIZED};

	(void)state;
	for (size_t i = 0; i < 4; i++) {
		uint8_t der[OCSP_FAILURE_BYTES];
		const uint8_t *at = der;
		OCSP_RESPONSE *r;

		ocsp_failure_build(all[i], der);
		r = d2i_OCSP_RESPONSE(NULL, &at, sizeof(der));
		assert_non_null(r);
		assert_int_equal(OCSP_response_status(r), all[i]);
		OCSP_RESPONSE_free(r);
	}
}

static void paths_name_the_list_and_the_responder_alone(void **state)
{
	static const struct {
		const char *target;
		enum status_resource is;
		uint32_t ca;
	} paths[] = {
		{"/", STATUS_NONE, 0},
		{"/crl/", STATUS_NONE, 0},
		{"/crl/device.crl?x", STATUS_NONE, 0},
		{"/crl/../crl/device.crl", STATUS_NONE, 0},
		{"/ocspx", STATUS_NONE, 0},
		{"http://host", STATUS_NONE, 0},
		{"https://host/crl/device.crl", STATUS_NONE, 0},
		{"/crl/device-.crl", STATUS_NONE, 0},
		{"/crl/device-1.crl", STATUS_NONE, 0},
		{"/crl/device-02.crl", STATUS_NONE, 0},
		{"/crl/device-100.crl", STATUS_NONE, 0},
		{"/crl/device-2.crlx", STATUS_NONE, 0},
		{"/crl/device-x.crl", STATUS_NONE, 0},
		{"/crl/device.crl", STATUS_CRL, 1},
		{"http://host:80/crl/device.crl", STATUS_CRL, 1},
		{"/crl/device-2.crl", STATUS_CRL, 2},
		{"/crl/device-99.crl", STATUS_CRL, 99},
		{"/ocsp", STATUS_OCSP, 0},
		{"/ocsp/", STATUS_OCSP, 0},
		{"/ocsp/MEow", STATUS_OCSP_BY_GET, 0},
	};
	const char *rest;
	uint32_t ca;

	(void)state;
	for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++) {
		assert_int_equal(status_path_parse(paths[i].target, &rest, &ca), paths[i].is);
		assert_int_equal(ca, paths[i].ca);
	}
	assert_string_equal(rest, "MEow");
}

static void request_in_the_path_is_decoded_strictly(void **state)
{
	uint8_t out[OCSP_REQUEST_MAX];
	char *too_long = malloc(8000);
	size_t len;

	(void)state;
	memset(too_long, 'A', 7999);
	too_long[7999] = '\0';
	assert_int_equal(status_get_decode("%", out, &len), ERR_INVALID);
	assert_int_equal(status_get_decode("AAA%3", out, &len), ERR_INVALID);
	assert_int_equal(status_get_decode("AAAA%00", out, &len), ERR_INVALID);
	assert_int_equal(status_get_decode("AA*A", out, &len), ERR_INVALID);
	assert_int_equal(status_get_decode(too_long, out, &len), ERR_LIMIT);
	assert_int_equal(status_get_decode("+/8%3D", out, &len), 0);
	assert_int_equal(len, 2);
	assert_memory_equal(out, "\xfb\xff", 2);
	assert_int_equal(status_get_decode("%2B%2f8=", out, &len), 0);
	assert_int_equal(len, 2);
	free(too_long);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(rubbish_and_what_follows_a_request_is_malformed),
		cmocka_unit_test(none_and_more_certificates_than_are_answered_is_malformed),
		cmocka_unit_test(nonce_of_no_or_too_many_octets_is_malformed),
		cmocka_unit_test(critical_extension_that_nobody_knows_is_malformed),
		cmocka_unit_test(serial_that_can_be_none_is_malformed),
		cmocka_unit_test(hash_of_another_length_than_its_algorithms_is_malformed),
		cmocka_unit_test(hash_that_no_certid_of_ours_has_is_unauthorized),
		cmocka_unit_test(request_in_the_path_is_decoded_strictly),
		cmocka_unit_test(what_is_asked_is_taken_out),
		cmocka_unit_test(failures_are_what_openssl_reads),
		cmocka_unit_test(paths_name_the_list_and_the_responder_alone),
	};

	return cmocka_run_group_tests_name("enroll/ocsp_request", tests, NULL, NULL);
}
