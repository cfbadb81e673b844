/* SPDX-License-Identifier: BSD-2-Clause */
#include "ca/signerd/grounds.h"

#include <string.h>

#include "ca/request/related_cert_request.h"
#include "tests/support/cmocka.h"
#include "tests/unit/ca/ca_fixture.h"

static struct issuer_set set;
#define issuer (set.current)
static EVP_PKEY *old_key, *new_key;
static X509 *prior;
static struct sign_renew rq;
static struct cert_facts good;

static int world_make(void **state)
{
	AUTO_BUF der = {.max = 4096};

	(void)state;
	fixture_issuer(true, &issuer);
	old_key = fixture_ec("P-256");
	new_key = fixture_ec("P-256");
	prior = fixture_leaf(&issuer, true, PUMP, old_key);
	assert_int_equal(ossl_cert_put(&der, prior), 0);
	memcpy(rq.prior.data, der.data, der.len);
	rq.prior.len = (uint32_t)der.len;
	good = (struct cert_facts){.found = true,
				   .device = PUMP,
				   .device_state = "enrolled",
				   .cert_state = "valid",
				   .not_after = NOW_MS + DAY_MS};
	memcpy(good.der.data, der.data, der.len);
	good.der.len = (uint32_t)der.len;
	good.spki_sha256.len = 32;
	return ossl_spki_sha256(X509_get_X509_PUBKEY(prior), good.spki_sha256.data);
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

static void prior_from_another_ca_with_our_names_is_refused(void **state)
{
	struct ca_issuer twin;
	struct sign_renew forged = {0};
	struct issue_begin begin = {0};
	AUTO_BUF der = {.max = 4096};
	AUTO_X509 got = NULL;
	X509 *cert;

	(void)state;
	fixture_issuer(true, &twin);
	cert = fixture_leaf(&twin, true, PUMP, old_key);
	assert_int_equal(ossl_cert_put(&der, cert), 0);
	memcpy(forged.prior.data, der.data, der.len);
	forged.prior.len = (uint32_t)der.len;
	assert_int_equal(grounds_prior_parse(&set, &forged, &got, &begin), ERR_DENIED);
	assert_true(refused_as("wrong-ca"));
	forged.prior.len = 20;
	assert_int_equal(grounds_prior_parse(&set, &forged, &got, &begin), ERR_INVALID);
	assert_true(refused_as("request-malformed"));
	assert_int_equal(grounds_prior_parse(&set, &rq, &got, &begin), 0);
	assert_string_equal(begin.prior_issuer, issuer.name);
	X509_free(cert);
	ca_issuer_done(&twin);
}

#define DAY_MS INT64_C(86400000)

static bool late;

static void assert_prior(const struct cert_facts *facts, int want, const char *reason)
{
	assert_int_equal(grounds_prior_check(facts, &rq, NOW_MS, DAY_MS, &late), want);
	assert_true(refused_as(reason));
}

static void prior_that_is_not_in_force_is_refused(void **state)
{
	struct cert_facts f = good;

	(void)state;
	f.found = false;
	assert_prior(&f, ERR_DENIED, "unknown-certificate");
	f = good;
	f.der.data[40] ^= 1;
	assert_prior(&f, ERR_DENIED, "unknown-certificate");
	f = good;
	f.der.len = 0;
	assert_prior(&f, ERR_DENIED, "unknown-certificate");
	f = good;
	strcpy(f.device_state, "revoked");
	assert_prior(&f, ERR_CONFLICT, "pump-revoked");
	strcpy(f.device_state, "");
	assert_prior(&f, ERR_CONFLICT, "pump-revoked");
	f = good;
	strcpy(f.cert_state, "revoked");
	assert_prior(&f, ERR_CONFLICT, "certificate-revoked");
	strcpy(f.cert_state, "reserved");
	assert_prior(&f, ERR_CONFLICT, "certificate-revoked");
	strcpy(f.cert_state, "");
	assert_prior(&f, ERR_CONFLICT, "certificate-revoked");
	strcpy(f.cert_state, "superseded");
	assert_prior(&f, ERR_CONFLICT, "certificate-superseded");
	f = good;
	f.not_after = NOW_MS - DAY_MS;
	assert_prior(&f, ERR_EXPIRED, "certificate-expired");
	f.not_after = NOW_MS;
	assert_int_equal(grounds_prior_check(&f, &rq, NOW_MS, 0, &late), ERR_EXPIRED);
	assert_true(refused_as("certificate-expired"));
	assert_int_equal(grounds_prior_check(&good, &rq, NOW_MS, 0, &late), 0);
	assert_false(late);
}

static void one_past_its_end_counts_for_a_while_and_is_said_to_be_late(void **state)
{
	struct cert_facts f = good;

	(void)state;
	f.not_after = NOW_MS - DAY_MS + 1;
	assert_int_equal(grounds_prior_check(&f, &rq, NOW_MS, DAY_MS, &late), 0);
	assert_true(late);
	strcpy(f.cert_state, "revoked");
	assert_prior(&f, ERR_CONFLICT, "certificate-revoked");
	strcpy(f.cert_state, "superseded");
	assert_prior(&f, ERR_CONFLICT, "certificate-superseded");
	strcpy(f.cert_state, "valid");
	strcpy(f.device_state, "revoked");
	assert_prior(&f, ERR_CONFLICT, "pump-revoked");
}

static bool no_proof;

static int proof(EVP_PKEY *key, EVP_PKEY *by, const struct cert_facts *facts)
{
	X509_REQ *req = fixture_request_draft(&(struct request){.key = key, .cn = PUMP});
	AUTO_BUF der = {.max = CSR_DER_MAX};
	AUTO_CSR csr = {0};

	if (by)
		assert_int_equal(related_cert_request_add(req, prior, by, NOW_MS), 0);
	fixture_request_sign(req, key, &der);
	X509_REQ_free(req);
	assert_int_equal(ca_csr_parse(der.data, der.len, &csr), 0);
	return grounds_proof_check(facts, &csr, prior, NOW_MS, &no_proof);
}

static void new_key_without_proof_of_the_registered_one_is_refused(void **state)
{
	struct cert_facts f = good;

	(void)state;
	assert_int_equal(proof(new_key, NULL, &good), ERR_DENIED);
	assert_true(refused_as("renewal-unproven"));
	assert_true(no_proof); /* a person may be asked */
	assert_int_equal(proof(new_key, new_key, &good), ERR_DENIED);
	assert_true(refused_as("renewal-unproven"));
	assert_false(no_proof); /* a false one: nobody is asked */
	f.spki_sha256.data[0] ^= 1;
	assert_int_equal(proof(old_key, NULL, &f), ERR_DENIED);
	assert_true(refused_as("unknown-certificate"));
	assert_false(no_proof);
}

static void registered_key_or_its_proof_is_enough(void **state)
{
	(void)state;
	assert_int_equal(proof(old_key, NULL, &good), 0);
	assert_int_equal(proof(new_key, old_key, &good), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(prior_from_another_ca_with_our_names_is_refused),
		cmocka_unit_test(prior_that_is_not_in_force_is_refused),
		cmocka_unit_test(one_past_its_end_counts_for_a_while_and_is_said_to_be_late),
		cmocka_unit_test(new_key_without_proof_of_the_registered_one_is_refused),
		cmocka_unit_test(registered_key_or_its_proof_is_enough),
	};

	return cmocka_run_group_tests(tests, world_make, world_free);
}
