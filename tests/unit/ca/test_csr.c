/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/unit/ca/ca_fixture.h"

#include <string.h>

#include <openssl/core_names.h>
#include <openssl/err.h>

#include "ca/proto/signer_records.h"
#include "tests/support/cmocka.h"

static EVP_PKEY *ec; /* shared: making keys is what takes the time */

static int keys_make(void **state)
{
	(void)state;
	ec = fixture_ec("P-256");
	return 0;
}

static int keys_free(void **state)
{
	(void)state;
	EVP_PKEY_free(ec);
	return 0;
}

static int parse_request(const struct request *r, struct ca_csr *csr)
{
	AUTO_BUF der = {.max = CSR_DER_MAX * 2};

	fixture_request(r, &der);
	return ca_csr_parse(der.data, der.len, csr);
}

/* The code of parsing and checking names for pump PUMP. */
static int check(const struct request *r)
{
	AUTO_CSR csr = {0};
	int rc = parse_request(r, &csr);

	return rc ? rc : ca_csr_check_names(&csr, PUMP);
}

static void parse_refuses_garbage_and_every_cut(void **state)
{
	AUTO_BUF der = {.max = CSR_DER_MAX};
	AUTO_CSR csr = {0};

	(void)state;
	assert_int_equal(ca_csr_parse((const uint8_t *)"", 0, &csr), ERR_INVALID);
	assert_int_equal(ca_csr_parse((const uint8_t *)"GET / HTTP/1.1", 14, &csr), ERR_INVALID);
	assert_true(refused_as("request-malformed"));
	fixture_request(&(struct request){.key = ec, .cn = PUMP}, &der);
	for (size_t len = 0; len < der.len; len++)
		assert_int_equal(ca_csr_parse(der.data, len, &csr), ERR_INVALID);
	assert_null(csr.req);
}

static void parse_refuses_bytes_behind_the_request_and_oversize(void **state)
{
	static uint8_t large[CSR_DER_MAX + 1];
	AUTO_BUF der = {.max = CSR_DER_MAX};
	AUTO_CSR csr = {0};

	(void)state;
	fixture_request(&(struct request){.key = ec}, &der);
	assert_int_equal(buf_put_u8(&der, 0), 0);
	assert_int_equal(ca_csr_parse(der.data, der.len, &csr), ERR_INVALID);
	assert_int_equal(ca_csr_parse(large, sizeof(large), &csr), ERR_INVALID);
	assert_true(refused_as("request-malformed"));
}

/* Every single flipped bit: of the names, the key, the signature. */
static void parse_refuses_every_flipped_bit(void **state)
{
	AUTO_BUF der = {.max = CSR_DER_MAX};
	size_t proof = 0;

	(void)state;
	fixture_request(&(struct request){.key = ec, .cn = PUMP}, &der);
	for (size_t bit = 0; bit < der.len * 8; bit++) {
		AUTO_CSR csr = {0};

		der.data[bit / 8] ^= (uint8_t)(1 << bit % 8);
		assert_int_not_equal(ca_csr_parse(der.data, der.len, &csr), 0);
		proof += !strncmp(err_text(), "proof-failed", 12);
		der.data[bit / 8] ^= (uint8_t)(1 << bit % 8);
	}
	assert_true(proof > 500); /* many break nothing but the proof */
}

static void parse_refuses_another_keys_signature(void **state)
{
	EVP_PKEY *other = fixture_ec("P-256");
	X509_REQ *req = fixture_request_draft(&(struct request){.key = ec});
	AUTO_BUF der = {.max = CSR_DER_MAX};
	AUTO_CSR csr = {0};

	(void)state;
	fixture_request_sign(req, other, &der);
	assert_int_equal(ca_csr_parse(der.data, der.len, &csr), ERR_CRYPTO);
	assert_true(refused_as("proof-failed"));
	X509_REQ_free(req);
	EVP_PKEY_free(other);
}

static void assert_key_refused(EVP_PKEY *key, const char *word)
{
	AUTO_CSR csr = {0};

	assert_int_equal(parse_request(&(struct request){.key = key}, &csr), ERR_CRYPTO);
	assert_true(refused_as("key-refused"));
	assert_non_null(strstr(err_text(), word));
	EVP_PKEY_free(key);
}

static void keys_refuse_short_rsa(void **state)
{
	(void)state;
	assert_key_refused(fixture_rsa(1024, 65537), "1024 bits");
	assert_key_refused(fixture_rsa(2047, 65537), "2047 bits");
}

static void keys_refuse_rsa_exponent_3(void **state)
{
	(void)state;
	assert_key_refused(fixture_rsa(2048, 3), "exponent");
}

/* One key would pass for two: it is known by the hash of its SubjectPublicKeyInfo. */
static void keys_refuse_rsa_in_another_form(void **state)
{
	EVP_PKEY *key = fixture_rsa(2048, 65537);
	X509_REQ *req = fixture_request_draft(&(struct request){.key = key});
	X509_PUBKEY *spki = X509_REQ_get_X509_PUBKEY(req);
	AUTO_BUF der = {.max = CSR_DER_MAX};
	AUTO_CSR csr = {0};
	const uint8_t *bits;
	uint8_t *copy;
	int len;

	(void)state;
	assert_int_equal(X509_PUBKEY_get0_param(NULL, &bits, &len, NULL, spki), 1);
	copy = OPENSSL_memdup(bits, (size_t)len);
	assert_int_equal(X509_PUBKEY_set0_param(spki, OBJ_nid2obj(NID_rsaEncryption), V_ASN1_UNDEF,
						NULL, copy, len),
			 1);
	fixture_request_sign(req, key, &der);
	assert_int_equal(ca_csr_parse(der.data, der.len, &csr), ERR_CRYPTO);
	assert_true(refused_as("key-refused"));
	X509_REQ_free(req);
	EVP_PKEY_free(key);
}

static void keys_refuse_other_curves(void **state)
{
	(void)state;
	assert_key_refused(fixture_ec("P-521"), "curve");
	assert_key_refused(fixture_ec("P-224"), "curve");
	assert_key_refused(fixture_ec("secp256k1"), "curve");
}

static void keys_refuse_other_algorithms(void **state)
{
	EVP_PKEY *ed = EVP_PKEY_Q_keygen(NULL, NULL, "ED25519");
	X509_REQ *req = fixture_request_draft(&(struct request){.key = ed});
	AUTO_BUF der = {.max = CSR_DER_MAX};
	AUTO_CSR csr = {0};

	(void)state;
	assert_true(X509_REQ_sign(req, ed, NULL) > 0);
	fixture_request_sign(req, NULL, &der);
	assert_int_equal(ca_csr_parse(der.data, der.len, &csr), ERR_CRYPTO);
	assert_true(refused_as("key-refused"));
	X509_REQ_free(req);
	EVP_PKEY_free(ed);
}

static void keys_refuse_curves_by_explicit_parameters(void **state)
{
	EVP_PKEY *key = fixture_ec("P-256");

	(void)state;
	assert_int_equal(EVP_PKEY_set_utf8_string_param(key, OSSL_PKEY_PARAM_EC_ENCODING,
							OSSL_PKEY_EC_ENCODING_EXPLICIT),
			 1);
	assert_key_refused(key, "curve");
}

static EVP_PKEY *ec_in_form(const char *form)
{
	EVP_PKEY *key = fixture_ec("P-256");

	assert_int_equal(EVP_PKEY_set_utf8_string_param(
				 key, OSSL_PKEY_PARAM_EC_POINT_CONVERSION_FORMAT, form),
			 1);
	return key;
}

static void keys_refuse_compressed_and_hybrid_points(void **state)
{
	(void)state;
	assert_key_refused(ec_in_form(OSSL_PKEY_EC_POINT_CONVERSION_FORMAT_COMPRESSED),
			   "uncompressed");
	assert_key_refused(ec_in_form(OSSL_PKEY_EC_POINT_CONVERSION_FORMAT_HYBRID), "uncompressed");
}

static void parse_refuses_sha1(void **state)
{
	AUTO_CSR csr = {0};

	(void)state;
	assert_int_equal(parse_request(&(struct request){.key = ec, .md = EVP_sha1()}, &csr),
			 ERR_CRYPTO);
	assert_true(refused_as("key-refused"));
}

static void names_refuse_another_pumps_cn(void **state)
{
	(void)state;
	assert_int_equal(check(&(struct request){.key = ec, .cn = "PG-000124"}), ERR_INVALID);
	assert_true(refused_as("name-refused"));
	assert_int_equal(check(&(struct request){.key = ec, .cn = "pg-000123"}), ERR_INVALID);
	assert_int_equal(check(&(struct request){.key = ec, .cn = ""}), ERR_INVALID);
}

static void names_refuse_a_nul_in_the_cn(void **state)
{
	(void)state;
	assert_int_equal(check(&(struct request){.key = ec,
						 .cn = PUMP "\0.evil",
						 .cn_len = sizeof(PUMP "\0.evil") - 1}),
			 ERR_INVALID);
	assert_true(refused_as("name-refused"));
	assert_int_equal(
		check(&(struct request){.key = ec, .cn = PUMP "\0", .cn_len = sizeof(PUMP)}),
		ERR_INVALID);
}

static void names_refuse_a_second_cn(void **state)
{
	X509_REQ *req = fixture_request_draft(&(struct request){.key = ec, .cn = PUMP});
	AUTO_BUF der = {.max = CSR_DER_MAX};
	AUTO_CSR csr = {0};

	(void)state;
	X509_NAME_add_entry_by_txt(X509_REQ_get_subject_name(req), "CN", MBSTRING_ASC,
				   (const unsigned char *)"PG-000124", -1, -1, 0);
	fixture_request_sign(req, ec, &der);
	assert_int_equal(ca_csr_parse(der.data, der.len, &csr), 0);
	assert_int_equal(ca_csr_check_names(&csr, PUMP), ERR_INVALID);
	assert_true(refused_as("name-refused"));
	X509_REQ_free(req);
}

static void assert_extensions_refused(const char *extensions, const char *reason)
{
	assert_int_equal(check(&(struct request){.key = ec, .cn = PUMP, .extensions = extensions}),
			 ERR_INVALID);
	assert_true(refused_as(reason));
}

static void names_refuse_ca_rights(void **state)
{
	(void)state;
	assert_extensions_refused("basicConstraints=CA:TRUE", "request-malformed");
	assert_extensions_refused("basicConstraints=critical,CA:TRUE,pathlen:0",
				  "request-malformed");
	assert_extensions_refused("keyUsage=keyCertSign", "request-malformed");
	assert_extensions_refused("keyUsage=digitalSignature,cRLSign", "request-malformed");
	assert_extensions_refused("basicConstraints=CA:FALSE\nbasicConstraints=CA:TRUE",
				  "request-malformed");
}

static void names_refuse_every_san_but_the_pumps_own(void **state)
{
	(void)state;
	assert_extensions_refused("subjectAltName=URI:urn:pumpgate:pump:PG-000124", "name-refused");
	assert_extensions_refused("subjectAltName=DNS:radius-1.pumpgate.internal", "name-refused");
	assert_extensions_refused("subjectAltName=URI:" PUMP_URN ",DNS:radius-1.pumpgate.internal",
				  "name-refused");
	assert_extensions_refused("subjectAltName=IP:127.0.0.1", "name-refused");
	assert_extensions_refused("subjectAltName=DNS:" PUMP_URN, "name-refused");
	assert_extensions_refused("subjectAltName=email:a@example.org", "name-refused");
	assert_extensions_refused("subjectAltName=otherName:1.3.6.1.4.1.311.20.2.3;UTF8:" PUMP,
				  "name-refused");
	assert_extensions_refused("subjectAltName=URI:" PUMP_URN "\nsubjectAltName=URI:" PUMP_URN,
				  "request-malformed");
}

/* Two lists of requested extensions: a harmless one, and one that OpenSSL would not look at. */
static void names_refuse_a_second_list_of_extensions(void **state)
{
	X509_REQ *req = fixture_request_draft(&(struct request){
		.key = ec, .cn = PUMP, .extensions = "subjectAltName=URI:" PUMP_URN});
	STACK_OF(X509_EXTENSION) *more = sk_X509_EXTENSION_new_null();
	AUTO_BUF der = {.max = CSR_DER_MAX};
	AUTO_CSR csr = {0};

	(void)state;
	sk_X509_EXTENSION_push(more, X509V3_EXT_conf(NULL, NULL, "basicConstraints", "CA:TRUE"));
	assert_int_equal(X509_REQ_add_extensions_nid(req, more, NID_ms_ext_req), 1);
	sk_X509_EXTENSION_pop_free(more, X509_EXTENSION_free);
	fixture_request_sign(req, ec, &der);
	assert_int_equal(ca_csr_parse(der.data, der.len, &csr), 0);
	assert_int_equal(ca_csr_check_names(&csr, PUMP), ERR_INVALID);
	assert_true(refused_as("request-malformed"));
	X509_REQ_free(req);
}

/* The terms check of a request whose challengePassword is `challenge`. */
static int terms_check(const char *challenge, struct ca_csr_terms terms)
{
	AUTO_CSR csr = {0};

	assert_int_equal(parse_request(&(struct request){.key = ec, .challenge = challenge}, &csr),
			 0);
	if (!terms.key_type)
		terms.key_type = "";
	return ca_csr_check_terms(&csr, &terms);
}

static const uint8_t unique[12] = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12};
static const uint8_t exporter[32] = {0xff, 0xfe};
#define UNIQUE_TEXT "AQIDBAUGBwgJCgsM"
#define EXPORTER_TEXT "//4AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="
#define CHANNEL                                                                           \
	.tls_unique = unique, .tls_unique_len = sizeof(unique), .tls_exporter = exporter, \
	.tls_exporter_len = sizeof(exporter)

static void terms_refuse_a_request_that_does_not_name_its_connection(void **state)
{
	const char *others[] = {"AQIDBAUGBwgJCgsN",
				"AQIDBAUGBwgJCgs=", "AQIDBAUGBwgJCgsMDQ==", "aqidbaugbwgjcgsm",
				"secret"};

	(void)state;
	assert_int_equal(terms_check(NULL, (struct ca_csr_terms){.bound = true, CHANNEL}),
			 ERR_DENIED);
	assert_true(refused_as("channel-unbound"));
	for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
		/* also where nobody asked for it: what is said must be true */
		assert_int_equal(terms_check(others[i], (struct ca_csr_terms){CHANNEL}),
				 ERR_DENIED);
		assert_true(refused_as("channel-unbound"));
	}
	assert_int_equal(terms_check(UNIQUE_TEXT, (struct ca_csr_terms){.bound = true}),
			 ERR_DENIED);
}

static void terms_refuse_two_challenge_passwords(void **state)
{
	const struct request r = {.key = ec, .challenge = UNIQUE_TEXT};
	X509_REQ *req = fixture_request_draft(&r);
	AUTO_BUF der = {.max = 4096};
	AUTO_CSR csr = {0};

	X509_ATTRIBUTE *attr = X509_REQ_get_attr(
		req, X509_REQ_get_attr_by_NID(req, NID_pkcs9_challengePassword, -1));

	(void)state;
	assert_int_equal(X509_ATTRIBUTE_set1_data(attr, MBSTRING_ASC, "other", -1), 1);
	fixture_request_sign(req, ec, &der);
	assert_int_equal(ca_csr_parse(der.data, der.len, &csr), 0);
	assert_int_equal(ca_csr_check_terms(&csr, &(struct ca_csr_terms){.key_type = "", CHANNEL}),
			 ERR_INVALID);
	assert_true(refused_as("request-malformed"));
	X509_REQ_free(req);
}

static void terms_refuse_another_kind_of_key(void **state)
{
	(void)state;
	assert_int_equal(terms_check(NULL, (struct ca_csr_terms){.key_type = "ec-p384"}),
			 ERR_CRYPTO);
	assert_true(refused_as("key-refused"));
}

static void terms_accept_a_request_that_names_its_connection(void **state)
{
	(void)state;
	assert_int_equal(terms_check(NULL, (struct ca_csr_terms){CHANNEL}), 0);
	assert_int_equal(terms_check(UNIQUE_TEXT, (struct ca_csr_terms){CHANNEL}), 0);
	assert_int_equal(terms_check(UNIQUE_TEXT, (struct ca_csr_terms){.bound = true, CHANNEL}),
			 0);
	assert_int_equal(terms_check(EXPORTER_TEXT, (struct ca_csr_terms){.bound = true, CHANNEL}),
			 0);
	assert_int_equal(terms_check(NULL, (struct ca_csr_terms){.key_type = "ec-p256"}), 0);
}

static void names_accept_what_the_pump_gets_anyway(void **state)
{
	const struct request full = {.key = ec,
				     .cn = PUMP,
				     .extensions = "subjectAltName=URI:" PUMP_URN
						   "\nbasicConstraints=CA:FALSE\n"
						   "keyUsage=critical,digitalSignature\n"
						   "extendedKeyUsage=clientAuth",
				     .challenge = "binding"};

	(void)state;
	assert_int_equal(check(&(struct request){.key = ec}), 0);
	assert_int_equal(check(&(struct request){.key = ec, .cn = PUMP}), 0);
	assert_int_equal(check(&full), 0);
}

static void parse_accepts_the_keys_that_pumps_have(void **state)
{
	const struct {
		EVP_PKEY *key;
		const char *type;
	} good[] = {{fixture_ec("P-256"), "ec-p256"},
		    {fixture_ec("P-384"), "ec-p384"},
		    {fixture_rsa(2048, 65537), "rsa-2048"}};

	(void)state;
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		AUTO_CSR csr = {0};
		EVP_PKEY *key = good[i].key;

		assert_int_equal(parse_request(&(struct request){.key = key, .cn = PUMP}, &csr), 0);
		assert_string_equal(csr.key_type, good[i].type);
		assert_int_equal(EVP_PKEY_eq(csr.key, key), 1);
		EVP_PKEY_free(key);
	}
}

static void refusals_leave_no_openssl_error_behind(void **state)
{
	(void)state;
	ERR_clear_error();
	parse_refuses_garbage_and_every_cut(NULL);
	parse_refuses_another_keys_signature(NULL);
	assert_int_equal(ERR_peek_error(), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(parse_refuses_garbage_and_every_cut),
		cmocka_unit_test(parse_refuses_bytes_behind_the_request_and_oversize),
		cmocka_unit_test(parse_refuses_every_flipped_bit),
		cmocka_unit_test(parse_refuses_another_keys_signature),
		cmocka_unit_test(keys_refuse_short_rsa),
		cmocka_unit_test(keys_refuse_rsa_exponent_3),
		cmocka_unit_test(keys_refuse_rsa_in_another_form),
		cmocka_unit_test(keys_refuse_other_curves),
		cmocka_unit_test(keys_refuse_other_algorithms),
		cmocka_unit_test(keys_refuse_curves_by_explicit_parameters),
		cmocka_unit_test(keys_refuse_compressed_and_hybrid_points),
		cmocka_unit_test(parse_refuses_sha1),
		cmocka_unit_test(names_refuse_another_pumps_cn),
		cmocka_unit_test(names_refuse_a_nul_in_the_cn),
		cmocka_unit_test(names_refuse_a_second_cn),
		cmocka_unit_test(names_refuse_ca_rights),
		cmocka_unit_test(names_refuse_every_san_but_the_pumps_own),
		cmocka_unit_test(names_refuse_a_second_list_of_extensions),
		cmocka_unit_test(terms_refuse_a_request_that_does_not_name_its_connection),
		cmocka_unit_test(terms_refuse_two_challenge_passwords),
		cmocka_unit_test(terms_refuse_another_kind_of_key),
		cmocka_unit_test(terms_accept_a_request_that_names_its_connection),
		cmocka_unit_test(names_accept_what_the_pump_gets_anyway),
		cmocka_unit_test(parse_accepts_the_keys_that_pumps_have),
		cmocka_unit_test(refusals_leave_no_openssl_error_behind),
	};

	return cmocka_run_group_tests(tests, keys_make, keys_free);
}
