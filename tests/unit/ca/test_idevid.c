/* SPDX-License-Identifier: BSD-2-Clause */
/* Birth certificates: their names, their way to the maker, and what they are good for. */
#include "ca/request/idevid.h"

#include <stdlib.h>
#include <string.h>

#include "ca/idevid_chain.h"
#include "ca/request/related_cert_request.h"
#include "ca/signerd/idevid_grounds.h"
#include "tests/support/cmocka.h"
#include "tests/unit/ca/ca_fixture.h"
#include "tests/unit/ca/maker_fixture.h"

/* A maker with root and issuing CA, another maker, and pump PG-000123 of the first. */
static struct {
	EVP_PKEY *root_key, *ca_key, *other_key, *birth_key, *new_key;
	X509 *root, *ca, *other, *birth;
	struct maker *makers; /* Acme and Other */
	struct sign_idevid rq;
} w;

static void der_put(X509 *cert, uint8_t *data, uint32_t *len)
{
	uint8_t *at = data;

	*len = (uint32_t)i2d_X509(cert, &at);
}

static void maker_set(struct maker *m, const char *name, X509 *anchor)
{
	*m = (struct maker){.enabled = true};
	strcpy(m->name, name);
	der_put(anchor, m->anchors.data, &m->anchors.len);
}

static int world_make(void **state)
{
	const struct birth_spec root = {.cn = "Acme Root", .is_ca = true};
	const struct birth_spec ca = {.cn = "Acme CA", .is_ca = true};
	const struct birth_spec other = {.cn = "Other Root", .is_ca = true};
	const struct birth_spec birth = {.cn = "pump", .serial_number = PUMP, .hw_serial = PUMP};

	(void)state;
	w.root_key = fixture_ec("P-256");
	w.ca_key = fixture_ec("P-256");
	w.other_key = fixture_ec("P-256");
	w.birth_key = fixture_ec("P-256");
	w.new_key = fixture_ec("P-256");
	w.root = fixture_birth(&root, w.root_key, NULL, NULL);
	w.ca = fixture_birth(&ca, w.ca_key, w.root, w.root_key);
	w.other = fixture_birth(&other, w.other_key, NULL, NULL);
	w.birth = fixture_birth(&birth, w.birth_key, w.ca, w.ca_key);
	w.makers = calloc(2, sizeof(*w.makers));
	maker_set(&w.makers[0], "Other", w.other);
	maker_set(&w.makers[1], "Acme", w.root);
	der_put(w.birth, w.rq.idevid.data, &w.rq.idevid.len);
	der_put(w.ca, w.rq.chain.data, &w.rq.chain.len);
	return 0;
}

static int world_free(void **state)
{
	(void)state;
	EVP_PKEY_free(w.root_key);
	EVP_PKEY_free(w.ca_key);
	EVP_PKEY_free(w.other_key);
	EVP_PKEY_free(w.birth_key);
	EVP_PKEY_free(w.new_key);
	X509_free(w.root);
	X509_free(w.ca);
	X509_free(w.other);
	X509_free(w.birth);
	free(w.makers);
	return 0;
}

/* ---- names ---- */

static int name_of(const struct birth_spec *s, struct idevid_name *out)
{
	X509 *cert = fixture_birth(s, w.birth_key, w.ca, w.ca_key);
	int rc = idevid_name_read(cert, out);

	X509_free(cert);
	return rc;
}

static void names_that_are_no_serial_are_refused(void **state)
{
	const struct birth_spec bad[] = {
		{.cn = PUMP},
		{.cn = "p", .serial_number = "PID:One SN:PG-1"},
		{.cn = "p", .serial_number = "pg-000123"},
		{.cn = "p", .hw_serial = "PG-1\0X", .hw_serial_len = 6},
		{.cn = "p", .hw_serial = "PG 1"},
		{.cn = "p", .hw_serial = " PG-1", .serial_number = "PG-1"},
		{.cn = "p", .hw_serial = "PG-1", .two_modules = true},
		{.cn = "p", .hw_serial = "PG-1", .serial_number = "PG-2"},
	};
	struct idevid_name name;

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_int_equal(name_of(&bad[i], &name), ERR_INVALID);
}

static void names_are_read_from_module_or_subject(void **state)
{
	const struct birth_spec module = {.cn = "p", .hw_serial = PUMP};
	const struct birth_spec subject = {.cn = "p", .serial_number = PUMP};
	const struct birth_spec both = {
		.cn = "p", .hw_serial = PUMP, .serial_number = "PID:One SN:" PUMP};
	struct idevid_name name;

	(void)state;
	assert_int_equal(name_of(&module, &name), 0);
	assert_string_equal(name.serial, PUMP);
	assert_string_equal(name.hw_type, HW_TYPE);
	assert_int_equal(name_of(&subject, &name), 0);
	assert_string_equal(name.serial, PUMP);
	assert_string_equal(name.hw_type, "");
	assert_int_equal(name_of(&both, &name), 0);
	assert_string_equal(name.serial, PUMP);
}

static void a_module_with_bytes_behind_it_is_refused(void **state)
{
	AUTO_BUF der = {.max = 256};
	struct idevid_name name;

	(void)state;
	fixture_module_put(&der, HW_TYPE, "PG-1", 4);
	assert_int_equal(idevid_hardware_module_parse(der.data, der.len, &name), 0);
	assert_int_equal(idevid_hardware_module_parse(der.data, der.len - 1, &name), ERR_INVALID);
	assert_int_equal(buf_put_u8(&der, 0), 0);
	assert_int_equal(idevid_hardware_module_parse(der.data, der.len, &name), ERR_INVALID);
}

/* ---- the way to the maker ---- */

/* Does `leaf` verify with `anchor` alone, the issuing CA sent along? */
static int verify(X509 *leaf, X509 *anchor)
{
	STACK_OF(X509) *anchors = sk_X509_new_null(), *chain = sk_X509_new_null();
	uint8_t hash[32];
	int rc;

	assert_true(sk_X509_push(anchors, anchor) > 0 && sk_X509_push(chain, w.ca) > 0);
	rc = idevid_chain_verify(leaf, chain, anchors, NOW_MS, hash);
	sk_X509_free(anchors);
	sk_X509_free(chain);
	return rc;
}

static void leaves_that_lead_nowhere_are_refused(void **state)
{
	const struct birth_spec expired = {.cn = "p",
					   .serial_number = PUMP,
					   .not_before_ms = NOW_MS - 2 * DAY_MS,
					   .not_after_ms = NOW_MS - DAY_MS};
	const struct birth_spec early = {
		.cn = "p", .serial_number = PUMP, .not_before_ms = NOW_MS + DAY_MS};
	const struct birth_spec server = {.cn = "p", .serial_number = PUMP, .usage = "serverAuth"};
	const struct birth_spec *bad[] = {&expired, &early, &server};

	(void)state;
	assert_int_equal(verify(w.birth, w.other), ERR_DENIED);
	assert_int_equal(verify(w.ca, w.root), ERR_DENIED);	/* a CA is no pump */
	assert_int_equal(verify(w.birth, w.birth), ERR_DENIED); /* no anchor of itself */
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		X509 *leaf = fixture_birth(bad[i], w.birth_key, w.ca, w.ca_key);

		assert_int_equal(verify(leaf, w.root), ERR_DENIED);
		X509_free(leaf);
	}
}

static void a_double_of_the_issuing_ca_is_refused(void **state)
{
	const struct birth_spec twin = {.cn = "Acme CA", .is_ca = true};
	const struct birth_spec birth = {.cn = "pump", .serial_number = PUMP};
	EVP_PKEY *key = fixture_ec("P-256");
	X509 *ca = fixture_birth(&twin, key, NULL, NULL);
	X509 *leaf = fixture_birth(&birth, w.birth_key, ca, key);

	(void)state;
	assert_int_equal(verify(leaf, w.root), ERR_DENIED);
	assert_int_equal(verify(leaf, w.ca), ERR_DENIED);
	X509_free(leaf);
	X509_free(ca);
	EVP_PKEY_free(key);
}

static void a_leaf_leads_to_the_root_or_to_the_issuing_ca_alone(void **state)
{
	(void)state;
	assert_int_equal(verify(w.birth, w.root), 0);
	assert_int_equal(verify(w.birth, w.ca), 0);
}

/* ---- grounds ---- */

/* The check of a request for `key` with a proof by `proof_key` (NULL: none). */
static int grounds(EVP_PKEY *key, EVP_PKEY *proof_key, const char *cn, size_t n_makers,
		   struct issue_begin *begin)
{
	const struct request r = {.key = key, .cn = cn};
	X509_REQ *req = fixture_request_draft(&r);
	AUTO_BUF der = {.max = 8192};
	AUTO_CSR csr = {0};

	if (proof_key)
		assert_int_equal(related_cert_request_add(req, w.birth, proof_key, NOW_MS), 0);
	fixture_request_sign(req, key, &der);
	X509_REQ_free(req);
	assert_int_equal(ca_csr_parse(der.data, der.len, &csr), 0);
	*begin = (struct issue_begin){.method = "idevid"};
	return grounds_idevid_check(&w.rq, &csr, w.makers, n_makers, NOW_MS, begin);
}

static void a_request_without_proof_of_the_birth_key_is_refused(void **state)
{
	struct issue_begin b;

	(void)state;
	assert_int_equal(grounds(w.new_key, NULL, NULL, 2, &b), ERR_DENIED);
	assert_true(refused_as("idevid-unproven"));
	assert_int_equal(grounds(w.new_key, w.other_key, NULL, 2, &b), ERR_DENIED);
	assert_true(refused_as("idevid-unproven"));
}

static void a_maker_that_is_unknown_or_disabled_vouches_for_nobody(void **state)
{
	struct issue_begin b;

	(void)state;
	assert_int_equal(grounds(w.new_key, w.birth_key, NULL, 0, &b), ERR_DENIED);
	assert_true(refused_as("maker-refused"));
	assert_int_equal(grounds(w.new_key, w.birth_key, NULL, 1, &b), ERR_DENIED);
	assert_true(refused_as("maker-refused"));
	w.makers[1].enabled = false;
	assert_int_equal(grounds(w.new_key, w.birth_key, NULL, 2, &b), ERR_DENIED);
	assert_true(refused_as("maker-refused"));
	w.makers[1].enabled = true;
}

static void a_request_for_another_name_or_the_birth_key_is_refused(void **state)
{
	struct issue_begin b;

	(void)state;
	assert_int_equal(grounds(w.new_key, w.birth_key, "PG-000124", 2, &b), ERR_INVALID);
	assert_true(refused_as("name-refused"));
	assert_int_equal(grounds(w.birth_key, w.birth_key, NULL, 2, &b), ERR_CRYPTO);
	assert_true(refused_as("key-refused"));
}

static void a_good_request_says_who_vouches_for_whom(void **state)
{
	struct issue_begin b;
	uint8_t hash[32];
	unsigned n = 32;

	(void)state;
	assert_int_equal(grounds(w.new_key, w.birth_key, PUMP, 2, &b), 0);
	assert_string_equal(b.device, PUMP);
	assert_string_equal(b.maker, "Acme");
	assert_string_equal(b.hw_type, HW_TYPE);
	assert_int_equal(X509_digest(w.root, EVP_sha256(), hash, &n), 1);
	assert_int_equal(b.anchor_sha256.len, 32);
	assert_memory_equal(b.anchor_sha256.data, hash, 32);
	assert_int_equal(X509_digest(w.birth, EVP_sha256(), hash, &n), 1);
	assert_int_equal(b.idevid_sha256.len, 32);
	assert_memory_equal(b.idevid_sha256.data, hash, 32);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(names_that_are_no_serial_are_refused),
		cmocka_unit_test(names_are_read_from_module_or_subject),
		cmocka_unit_test(a_module_with_bytes_behind_it_is_refused),
		cmocka_unit_test(leaves_that_lead_nowhere_are_refused),
		cmocka_unit_test(a_double_of_the_issuing_ca_is_refused),
		cmocka_unit_test(a_leaf_leads_to_the_root_or_to_the_issuing_ca_alone),
		cmocka_unit_test(a_request_without_proof_of_the_birth_key_is_refused),
		cmocka_unit_test(a_maker_that_is_unknown_or_disabled_vouches_for_nobody),
		cmocka_unit_test(a_request_for_another_name_or_the_birth_key_is_refused),
		cmocka_unit_test(a_good_request_says_who_vouches_for_whom),
	};

	return cmocka_run_group_tests_name("ca/idevid", tests, world_make, world_free);
}
