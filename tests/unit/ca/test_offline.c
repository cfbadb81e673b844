/* SPDX-License-Identifier: BSD-2-Clause */
/* What comes back from an offline root, and what is refused of it. */
#include "ca/offline.h"

#include <string.h>

#include "ca/ca_number.h"
#include "tests/support/cmocka.h"
#include "tests/unit/ca/ca_fixture.h"

#define O "City Hospital"

static EVP_PKEY *root_key, *ca_key, *other_key;
static X509 *root, *ca;

static int request_make(enum ca_kind root_kind, const char *name, EVP_PKEY *key, X509_REQ **out)
{
	struct ca_terms t = ca_terms_of_ca(ca_kind_below(root_kind), O, NOW_MS);

	t.common_name = name ? name : t.common_name;
	return ca_request_make(&t, key, out);
}

static X509 *signed_for(X509 *by, EVP_PKEY *by_key, enum ca_kind kind, EVP_PKEY *key)
{
	X509_REQ *req;
	X509 *cert = NULL;

	assert_int_equal(request_make(kind, NULL, key, &req), 0);
	assert_int_equal(ca_request_sign(req, by, by_key, NOW_MS, &cert), 0);
	X509_REQ_free(req);
	return cert;
}

static int world_make(void **state)
{
	(void)state;
	root_key = fixture_ec("P-256");
	ca_key = fixture_ec("P-256");
	other_key = fixture_ec("P-256");
	assert_int_equal(ca_root_make(CA_KIND_DEVICE_ROOT, O, root_key, NOW_MS, &root), 0);
	ca = signed_for(root, root_key, CA_KIND_DEVICE_ROOT, ca_key);
	return 0;
}

static int world_free(void **state)
{
	(void)state;
	X509_free(root);
	X509_free(ca);
	EVP_PKEY_free(root_key);
	EVP_PKEY_free(ca_key);
	EVP_PKEY_free(other_key);
	return 0;
}

static int import(X509 *r, X509 *c)
{
	return ca_import_check(CA_KIND_DEVICE_ROOT, r, c, ca_key, NOW_MS);
}

static void certificate_for_another_key_or_by_another_root_is_refused(void **state)
{
	X509 *other_root = NULL, *c = signed_for(root, root_key, CA_KIND_DEVICE_ROOT, other_key);

	(void)state;
	assert_int_equal(import(root, c), ERR_INVALID);
	assert_non_null(strstr(err_text(), "not for the key"));
	X509_free(c);
	assert_int_equal(ca_root_make(CA_KIND_DEVICE_ROOT, O, other_key, NOW_MS, &other_root), 0);
	assert_int_equal(import(other_root, ca), ERR_INVALID);
	c = signed_for(other_root, other_key, CA_KIND_DEVICE_ROOT, ca_key);
	assert_int_equal(import(root, c), ERR_INVALID);
	assert_int_equal(import(other_root, c), 0); /* a root of one's choice, as a whole */
	X509_free(other_root);
	X509_free(c);
}

static void other_hierarchy_and_swapped_files_are_refused(void **state)
{
	X509 *server_root = NULL, *c;

	(void)state;
	assert_int_equal(import(ca, root), ERR_INVALID);
	assert_int_equal(import(root, root), ERR_INVALID);
	assert_int_equal(ca_root_make(CA_KIND_SERVER_ROOT, O, root_key, NOW_MS, &server_root), 0);
	c = signed_for(server_root, root_key, CA_KIND_SERVER_ROOT, ca_key);
	assert_int_equal(import(server_root, c), ERR_INVALID);
	assert_int_equal(ca_import_check(CA_KIND_SERVER_ROOT, server_root, c, ca_key, NOW_MS), 0);
	X509_free(server_root);
	X509_free(c);
}

/* The issuing CA again, changed by somebody who has the root key and not our profile. */
static int changed_by(void (*change)(X509 *c), EVP_PKEY *by)
{
	X509 *c = X509_dup(ca);
	AUTO_BUF der = {.max = 8192};
	X509 *fresh = NULL;
	int rc;

	change(c);
	assert_true(X509_sign(c, by, EVP_sha256()) > 0);
	assert_int_equal(ossl_cert_put(&der, c), 0);
	assert_int_equal(ossl_cert_parse(der.data, der.len, &fresh), 0);
	rc = import(root, fresh);
	X509_free(c);
	X509_free(fresh);
	return rc;
}

static int changed(void (*change)(X509 *c))
{
	return changed_by(change, root_key);
}

static void extension_swap(X509 *c, int nid, const char *value)
{
	int at = X509_get_ext_by_NID(c, nid, -1);
	X509_EXTENSION *e = value ? X509V3_EXT_conf_nid(NULL, NULL, nid, (char *)value) : NULL;

	X509_EXTENSION_free(X509_delete_ext(c, at));
	if (e)
		X509_add_ext(c, e, at);
	X509_EXTENSION_free(e);
}

static void longer_path(X509 *c)
{
	extension_swap(c, NID_basic_constraints, "critical,CA:TRUE,pathlen:3");
}
static void no_path_length(X509 *c)
{
	extension_swap(c, NID_basic_constraints, "critical,CA:TRUE");
}
static void no_name_constraints(X509 *c)
{
	extension_swap(c, NID_name_constraints, NULL);
}
static void for_servers_too(X509 *c)
{
	extension_swap(c, NID_ext_key_usage, "clientAuth,serverAuth");
}
static void ended(X509 *c)
{
	X509_gmtime_adj(X509_getm_notAfter(c), -60);
}
static void short_serial(X509 *c)
{
	ASN1_INTEGER_set(X509_get_serialNumber(c), 7);
}
static void unchanged(X509 *c)
{
	(void)c;
}

static void certificate_beside_the_profile_is_refused(void **state)
{
	(void)state;
	assert_int_equal(changed(longer_path), ERR_INVALID);
	assert_int_equal(changed(no_path_length), ERR_INVALID);
	assert_int_equal(changed(no_name_constraints), ERR_INVALID);
	assert_int_equal(changed(for_servers_too), ERR_INVALID);
	assert_int_equal(changed(ended), ERR_INVALID);
	assert_int_equal(changed(short_serial), ERR_INVALID);
	assert_int_equal(changed_by(unchanged, other_key), ERR_INVALID); /* all but the signature */
	assert_int_equal(changed(unchanged), 0);
}

static void certificate_that_is_not_in_force_for_30_days_is_refused(void **state)
{
	(void)state;
	assert_int_equal(
		ca_import_check(CA_KIND_DEVICE_ROOT, root, ca, ca_key, NOW_MS - 2 * DAY_MS),
		ERR_INVALID);
	assert_int_equal(
		ca_import_check(CA_KIND_DEVICE_ROOT, root, ca, ca_key, NOW_MS + 3640 * DAY_MS),
		ERR_INVALID);
	assert_int_equal(import(root, ca), 0);
}

static void request_for_another_ca_or_without_proof_is_not_signed(void **state)
{
	X509_REQ *req = NULL;
	X509 *cert = NULL;

	(void)state;
	assert_int_equal(request_make(CA_KIND_SERVER_ROOT, NULL, ca_key, &req), 0);
	assert_int_equal(ca_request_sign(req, root, root_key, NOW_MS, &cert), ERR_INVALID);
	X509_REQ_free(req);
	assert_int_equal(request_make(CA_KIND_DEVICE_ROOT, NULL, ca_key, &req), 0);
	assert_int_equal(ca_request_sign(req, root, other_key, NOW_MS, &cert), ERR_CRYPTO);
	assert_true(X509_REQ_set_pubkey(req, other_key));
	assert_int_equal(ca_request_sign(req, root, root_key, NOW_MS, &cert), ERR_CRYPTO);
	assert_null(cert);
	X509_REQ_free(req);
}

static void next_ca_is_signed_with_its_number_and_no_other_name(void **state)
{
	const char *const odd[] = {"Pumpgate Device CA",    "Pumpgate Device CA 0",
				   "Pumpgate Device CA 02", "Pumpgate Device CA 100",
				   "Pumpgate Server CA 2",  "Pumpgate Device Root 2"};
	X509_REQ *req = NULL;
	X509 *cert = NULL;

	(void)state;
	for (size_t i = 0; i < sizeof(odd) / sizeof(odd[0]); i++) {
		assert_int_equal(request_make(CA_KIND_DEVICE_ROOT, odd[i], ca_key, &req), 0);
		assert_int_equal(ca_request_sign(req, root, root_key, NOW_MS, &cert), ERR_INVALID);
		X509_REQ_free(req);
	}
	assert_int_equal(request_make(CA_KIND_DEVICE_ROOT, "Pumpgate Device CA 12", ca_key, &req),
			 0);
	assert_int_equal(ca_request_sign(req, root, root_key, NOW_MS, &cert), 0);
	assert_int_equal(ca_number_of(X509_get_subject_name(cert)), 12);
	assert_int_equal(import(root, cert), 0);
	X509_free(cert);
	X509_REQ_free(req);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(certificate_for_another_key_or_by_another_root_is_refused),
		cmocka_unit_test(other_hierarchy_and_swapped_files_are_refused),
		cmocka_unit_test(certificate_beside_the_profile_is_refused),
		cmocka_unit_test(certificate_that_is_not_in_force_for_30_days_is_refused),
		cmocka_unit_test(request_for_another_ca_or_without_proof_is_not_signed),
		cmocka_unit_test(next_ca_is_signed_with_its_number_and_no_other_name),
	};

	return cmocka_run_group_tests(tests, world_make, world_free);
}
