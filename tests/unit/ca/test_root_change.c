/* SPDX-License-Identifier: BSD-2-Clause */
/* One root after another: what the two certify of each other, and who gets from one to the other.
 */
#include "ca/root_change.h"

#include <string.h>

#include "ca/lint.h"
#include "ca/offline.h"
#include "tests/support/cmocka.h"
#include "tests/unit/ca/ca_fixture.h"

#define KIND CA_KIND_SERVER_ROOT
#define YEAR_MS (365 * DAY_MS)

static struct ca_hierarchy before;
static EVP_PKEY *root_key, *ca_key;
static X509 *root, *ca, *new_with_old, *old_with_new;
static X509 *old_leaf, *new_leaf;

static X509 *leaf_of(X509 *issuer, EVP_PKEY *by)
{
	struct ca_terms t = {.kind = CA_KIND_SERVER_LEAF,
			     .not_before_ms = NOW_MS,
			     .not_after_ms = NOW_MS + 60 * DAY_MS,
			     .names = {"radius-1.pumpgate.internal"}};
	X509 *cert = NULL;

	t.common_name = t.names[0];
	ca_serial_random(t.serial);
	assert_int_equal(ca_certify(&t, root_key, issuer, by, &cert), 0);
	return cert;
}

static int world_make(void **state)
{
	struct ca_terms t;

	(void)state;
	root_key = fixture_ec("P-256");
	ca_key = fixture_ec("P-256");
	assert_int_equal(ca_hierarchy_new(KIND, "Hospital", NOW_MS - YEAR_MS, &before), 0);
	assert_int_equal(ca_root_succeed(KIND, before.root, root_key, NOW_MS, &root), 0);
	t = ca_terms_of_ca(CA_KIND_SERVER_CA, "Hospital", NOW_MS);
	t.common_name = "Pumpgate Server CA 2";
	assert_int_equal(ca_certify(&t, ca_key, root, root_key, &ca), 0);
	assert_int_equal(
		ca_root_cross(KIND, root, before.root, before.root_key, NOW_MS, &new_with_old), 0);
	assert_int_equal(ca_root_cross(KIND, before.root, root, root_key, NOW_MS, &old_with_new),
			 0);
	old_leaf = leaf_of(before.ca, before.ca_key);
	new_leaf = leaf_of(ca, ca_key);
	return 0;
}

static int world_free(void **state)
{
	X509 *certs[] = {root, ca, new_with_old, old_with_new, old_leaf, new_leaf};

	(void)state;
	for (size_t i = 0; i < sizeof(certs) / sizeof(certs[0]); i++)
		X509_free(certs[i]);
	ca_hierarchy_done(&before);
	EVP_PKEY_free(root_key);
	EVP_PKEY_free(ca_key);
	return 0;
}

static int verified(X509 *anchor, X509 *leaf, X509 *between1, X509 *between2)
{
	STACK_OF(X509) *between = sk_X509_new_null();
	X509_STORE *store = X509_STORE_new();
	X509_STORE_CTX *ctx = X509_STORE_CTX_new();
	X509_VERIFY_PARAM *param;
	int error;

	if (between1)
		sk_X509_push(between, between1);
	if (between2)
		sk_X509_push(between, between2);
	assert_int_equal(X509_STORE_add_cert(store, anchor), 1);
	assert_int_equal(X509_STORE_CTX_init(ctx, store, leaf, between), 1);
	param = X509_STORE_CTX_get0_param(ctx);
	X509_VERIFY_PARAM_set_time(param, NOW_MS / 1000);
	X509_VERIFY_PARAM_set_flags(param, X509_V_FLAG_X509_STRICT);
	X509_STORE_CTX_set_purpose(ctx, X509_PURPOSE_SSL_SERVER);
	X509_verify_cert(ctx);
	error = X509_STORE_CTX_get_error(ctx);
	X509_STORE_CTX_free(ctx);
	X509_STORE_free(store);
	sk_X509_free(between);
	return error;
}

static void without_the_cross_certificate_the_old_root_proves_nothing_new(void **state)
{
	(void)state;
	assert_int_not_equal(verified(before.root, new_leaf, ca, NULL), X509_V_OK);
	assert_int_not_equal(verified(before.root, new_leaf, ca, root), X509_V_OK);
	assert_int_not_equal(verified(before.root, new_leaf, ca, old_with_new), X509_V_OK);
	assert_int_not_equal(verified(root, old_leaf, before.ca, NULL), X509_V_OK);
}

static void whoever_trusts_one_root_gets_to_what_the_other_has_issued(void **state)
{
	(void)state;
	assert_int_equal(verified(before.root, new_leaf, ca, new_with_old), X509_V_OK);
	assert_int_equal(verified(root, old_leaf, before.ca, old_with_new), X509_V_OK);
	assert_int_equal(verified(root, new_leaf, ca, NULL), X509_V_OK);
	assert_int_equal(verified(before.root, old_leaf, before.ca, NULL), X509_V_OK);
}

static void times_are_those_of_rfc_4210(void **state)
{
	(void)state;
	assert_int_equal(
		ASN1_TIME_compare(X509_get0_notBefore(new_with_old), X509_get0_notBefore(root)), 0);
	assert_int_equal(ASN1_TIME_compare(X509_get0_notAfter(new_with_old),
					   X509_get0_notAfter(before.root)),
			 0);
	assert_int_equal(ASN1_TIME_compare(X509_get0_notBefore(old_with_new),
					   X509_get0_notBefore(before.root)),
			 0);
	assert_int_equal(ASN1_TIME_compare(X509_get0_notAfter(old_with_new),
					   X509_get0_notAfter(before.root)),
			 0);
	assert_int_equal(
		X509_NAME_cmp(X509_get_subject_name(root), X509_get_subject_name(before.root)), 0);
}

static void root_that_has_ended_certifies_no_successor(void **state)
{
	X509 *cross = NULL;

	(void)state;
	assert_int_equal(ca_root_cross(KIND, root, before.root, before.root_key,
				       NOW_MS + 19 * YEAR_MS, &cross),
			 ERR_EXPIRED);
	assert_null(cross);
}

static void root_is_no_successor_of_itself_and_is_younger_than_what_it_succeeds(void **state)
{
	X509 *next = NULL;

	(void)state;
	assert_int_equal(ca_root_succeed(KIND, before.root, before.root_key, NOW_MS, &next),
			 ERR_INVALID);
	assert_null(next);
	assert_int_equal(ca_root_succeed(KIND, before.root, root_key, NOW_MS - 2 * YEAR_MS, &next),
			 0);
	assert_true(ASN1_TIME_compare(X509_get0_notBefore(next), X509_get0_notBefore(before.root)) >
		    0);
	X509_free(next);
}

static void cross_certificates_that_come_in_are_those_of_the_two_roots(void **state)
{
	X509 *strange = NULL, *other = NULL;
	EVP_PKEY *key = fixture_ec("P-256");

	(void)state;
	assert_int_equal(ca_root_cross_check(KIND, root, before.root, old_with_new), ERR_INVALID);
	assert_int_equal(ca_root_cross_check(KIND, root, before.root, root), ERR_INVALID);
	assert_int_equal(ca_root_cross_check(KIND, before.root, before.root, before.root),
			 ERR_INVALID);
	/* signed by somebody who has neither key */
	assert_int_equal(ca_root_succeed(KIND, before.root, key, NOW_MS - DAY_MS, &other), 0);
	assert_int_equal(ca_root_cross(KIND, root, other, key, NOW_MS, &strange), 0);
	assert_int_equal(ca_root_cross_check(KIND, root, before.root, strange), ERR_INVALID);
	assert_int_equal(ca_root_cross_check(KIND, root, before.root, new_with_old), 0);
	assert_int_equal(ca_root_cross_check(KIND, before.root, root, old_with_new), 0);
	X509_free(strange);
	X509_free(other);
	EVP_PKEY_free(key);
}

static int request_signed_as(const char *name)
{
	struct ca_terms t = ca_terms_of_ca(CA_KIND_SERVER_CA, "Hospital", 0);
	X509_REQ *req = NULL;
	X509 *cert = NULL;
	int rc;

	t.common_name = name;
	assert_int_equal(ca_request_make(&t, ca_key, &req), 0);
	rc = ca_request_sign(req, root, root_key, NOW_MS, &cert);
	X509_REQ_free(req);
	X509_free(cert);
	return rc;
}

static void offline_root_signs_for_successors_of_its_issuing_ca_alone(void **state)
{
	(void)state;
	assert_int_equal(request_signed_as("Pumpgate Server CA"), ERR_INVALID);
	assert_int_equal(request_signed_as("Pumpgate Server CA 100"), ERR_INVALID);
	assert_int_equal(request_signed_as("Pumpgate Server CA 02"), ERR_INVALID);
	assert_int_equal(request_signed_as("Pumpgate Server CA 2x"), ERR_INVALID);
	assert_int_equal(request_signed_as("Pumpgate Device CA 2"), ERR_INVALID);
	assert_int_equal(request_signed_as("Pumpgate Server CA 2"), 0);
	assert_int_equal(request_signed_as("Pumpgate Server CA 1"), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(without_the_cross_certificate_the_old_root_proves_nothing_new),
		cmocka_unit_test(whoever_trusts_one_root_gets_to_what_the_other_has_issued),
		cmocka_unit_test(times_are_those_of_rfc_4210),
		cmocka_unit_test(root_that_has_ended_certifies_no_successor),
		cmocka_unit_test(
			root_is_no_successor_of_itself_and_is_younger_than_what_it_succeeds),
		cmocka_unit_test(cross_certificates_that_come_in_are_those_of_the_two_roots),
		cmocka_unit_test(offline_root_signs_for_successors_of_its_issuing_ca_alone),
	};

	return cmocka_run_group_tests(tests, world_make, world_free);
}
