/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/unit/ca/ca_fixture.h"

#include "ca/proto/signer_records.h"
#include "ca/request/related_cert_asn1.h"
#include "ca/request/related_cert_request.h"
#include "tests/support/cmocka.h"

static struct ca_issuer issuer;
static EVP_PKEY *old_key, *new_key;
static X509 *prior;

static int world_make(void **state)
{
	(void)state;
	fixture_issuer(true, &issuer);
	old_key = fixture_ec("P-256");
	new_key = fixture_ec("P-256");
	prior = fixture_leaf(&issuer, true, PUMP, old_key);
	return 0;
}

static int world_free(void **state)
{
	(void)state;
	ca_issuer_done(&issuer);
	EVP_PKEY_free(old_key);
	EVP_PKEY_free(new_key);
	X509_free(prior);
	return 0;
}

/* A request for new_key with the proof by `by` about `about`, through DER as on the wire. */
static X509_REQ *request_by(X509 *about, EVP_PKEY *by, int64_t at_ms)
{
	X509_REQ *req = fixture_request_draft(&(struct request){.key = new_key, .cn = PUMP});
	AUTO_BUF der = {.max = CSR_DER_MAX};
	const uint8_t *at;

	if (by)
		assert_int_equal(related_cert_request_add(req, about, by, at_ms), 0);
	fixture_request_sign(req, new_key, &der);
	X509_REQ_free(req);
	at = der.data;
	req = d2i_X509_REQ(NULL, &at, (long)der.len);
	assert_non_null(req);
	return req;
}

/* Takes the request over. */
static void assert_check(X509_REQ *req, X509 *about, int want)
{
	int got = related_cert_request_check(req, about, NOW_MS);

	if (got != want)
		print_error("%s\n", err_text());
	assert_int_equal(got, want);
	X509_REQ_free(req);
}

static void check_refuses_a_request_without_proof(void **state)
{
	(void)state;
	assert_check(request_by(NULL, NULL, 0), prior, ERR_NOT_FOUND);
}

static void check_refuses_another_keys_proof(void **state)
{
	EVP_PKEY *thief = fixture_ec("P-256");

	(void)state;
	assert_check(request_by(prior, thief, NOW_MS), prior, ERR_DENIED);
	assert_check(request_by(prior, new_key, NOW_MS), prior, ERR_DENIED);
	EVP_PKEY_free(thief);
}

static void check_refuses_proof_about_another_certificate(void **state)
{
	AUTO_X509 other = fixture_leaf(&issuer, true, "PG-000124", old_key);

	(void)state;
	assert_check(request_by(other, old_key, NOW_MS), prior, ERR_DENIED);
}

static void check_refuses_stale_and_future_proof(void **state)
{
	(void)state;
	assert_check(request_by(prior, old_key, NOW_MS - RELATED_CERT_WINDOW_MS - 2000), prior,
		     ERR_EXPIRED);
	assert_check(request_by(prior, old_key, NOW_MS + RELATED_CERT_WINDOW_MS + 2000), prior,
		     ERR_EXPIRED);
	assert_check(request_by(prior, old_key, 0), prior, ERR_EXPIRED);
}

static X509_ATTRIBUTE *attribute_of(X509_REQ *req, const char *oid)
{
	ASN1_OBJECT *object = OBJ_txt2obj(oid, 1);
	int at = X509_REQ_get_attr_by_OBJ(req, object, -1);

	ASN1_OBJECT_free(object);
	assert_true(at >= 0);
	return X509_REQ_get_attr(req, at);
}

/* What a broken-into front end would do: the genuine attributes in a request for its own key. */
static void check_refuses_a_proof_that_was_moved_to_another_key(void **state)
{
	X509_REQ *genuine = request_by(prior, old_key, NOW_MS);
	EVP_PKEY *thief = fixture_ec("P-256");
	X509_REQ *moved = fixture_request_draft(&(struct request){.key = thief, .cn = PUMP});

	(void)state;
	X509_REQ_add1_attr(moved, attribute_of(genuine, RELATED_CERT_REQUEST_OID));
	X509_REQ_add1_attr(moved, attribute_of(genuine, NEW_KEY_BINDING_OID));
	assert_check(moved, prior, ERR_DENIED);
	assert_check(genuine, prior, 0);
	EVP_PKEY_free(thief);
}

static void check_refuses_the_rfc_attribute_without_binding(void **state)
{
	X509_REQ *genuine = request_by(prior, old_key, NOW_MS);
	X509_REQ *bare = fixture_request_draft(&(struct request){.key = new_key});

	(void)state;
	X509_REQ_add1_attr(bare, attribute_of(genuine, RELATED_CERT_REQUEST_OID));
	assert_check(bare, prior, ERR_DENIED);
	X509_REQ_free(genuine);
}

/* The binding alone is not enough: RFC 9763's own signature must be right too. */
static void check_refuses_a_flipped_bit_in_the_rfc_signature(void **state)
{
	X509_REQ *genuine = request_by(prior, old_key, NOW_MS);
	X509_REQ *flipped = fixture_request_draft(&(struct request){.key = new_key});
	const ASN1_STRING *value = X509_ATTRIBUTE_get0_data(
		attribute_of(genuine, RELATED_CERT_REQUEST_OID), 0, V_ASN1_SEQUENCE, NULL);
	ASN1_OBJECT *object = OBJ_txt2obj(RELATED_CERT_REQUEST_OID, 1);
	AUTO_BUF der = {.max = CSR_DER_MAX};

	(void)state;
	assert_int_equal(
		buf_put(&der, ASN1_STRING_get0_data(value), (size_t)ASN1_STRING_length(value)), 0);
	der.data[der.len - 1] ^= 1; /* the signature comes last */
	X509_REQ_add1_attr_by_OBJ(flipped, object, V_ASN1_SEQUENCE, der.data, (int)der.len);
	X509_REQ_add1_attr(flipped, attribute_of(genuine, NEW_KEY_BINDING_OID));
	assert_check(flipped, prior, ERR_DENIED);
	ASN1_OBJECT_free(object);
	X509_REQ_free(genuine);
}

static void check_refuses_doubled_and_malformed_attributes(void **state)
{
	X509_REQ *twice = request_by(prior, old_key, NOW_MS);
	X509_REQ *odd = fixture_request_draft(&(struct request){.key = new_key});
	ASN1_OBJECT *object = OBJ_txt2obj(RELATED_CERT_REQUEST_OID, 1);
	X509_ATTRIBUTE *attr = attribute_of(twice, RELATED_CERT_REQUEST_OID);
	const ASN1_STRING *value = X509_ATTRIBUTE_get0_data(attr, 0, V_ASN1_SEQUENCE, NULL);

	(void)state;
	assert_int_equal(X509_ATTRIBUTE_set1_data(attr, V_ASN1_SEQUENCE,
						  ASN1_STRING_get0_data(value),
						  ASN1_STRING_length(value)),
			 1);
	assert_check(twice, prior, ERR_INVALID);
	X509_REQ_add1_attr_by_OBJ(odd, object, V_ASN1_SEQUENCE,
				  (const unsigned char *)"\x30\x03\x02\x01\x05", 5);
	assert_check(odd, prior, ERR_INVALID);
	odd = fixture_request_draft(&(struct request){.key = new_key});
	X509_REQ_add1_attr_by_OBJ(odd, object, V_ASN1_UTF8STRING, (const unsigned char *)"x", 1);
	assert_check(odd, prior, ERR_INVALID);
	ASN1_OBJECT_free(object);
}

static void check_accepts_the_holder_of_each_kind_of_key(void **state)
{
	EVP_PKEY *keys[] = {fixture_ec("P-256"), fixture_ec("P-384"), fixture_rsa(2048, 65537)};

	(void)state;
	for (size_t i = 0; i < 3; i++) {
		AUTO_X509 cert = fixture_leaf(&issuer, true, PUMP, keys[i]);

		assert_check(request_by(cert, keys[i], NOW_MS - 3600 * 1000), cert, 0);
		EVP_PKEY_free(keys[i]);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(check_refuses_a_request_without_proof),
		cmocka_unit_test(check_refuses_another_keys_proof),
		cmocka_unit_test(check_refuses_proof_about_another_certificate),
		cmocka_unit_test(check_refuses_stale_and_future_proof),
		cmocka_unit_test(check_refuses_a_proof_that_was_moved_to_another_key),
		cmocka_unit_test(check_refuses_the_rfc_attribute_without_binding),
		cmocka_unit_test(check_refuses_a_flipped_bit_in_the_rfc_signature),
		cmocka_unit_test(check_refuses_doubled_and_malformed_attributes),
		cmocka_unit_test(check_accepts_the_holder_of_each_kind_of_key),
	};

	return cmocka_run_group_tests(tests, world_make, world_free);
}
