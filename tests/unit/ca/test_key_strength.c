/* SPDX-License-Identifier: BSD-2-Clause */
/* Keys that are large enough and weak all the same. */
#include "ca/key_strength.h"

#include <string.h>

#include <openssl/core_names.h>
#include <openssl/param_build.h>
#include <openssl/rsa.h>

#include "tests/support/cmocka.h"
#include "tests/unit/ca/ca_fixture.h"

/* The public key (n, 65537). */
static X509_PUBKEY *rsa_public(const BIGNUM *n)
{
	OSSL_PARAM_BLD *build = OSSL_PARAM_BLD_new();
	EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_name(NULL, "RSA", NULL);
	BIGNUM *e = BN_new();
	OSSL_PARAM *params;
	EVP_PKEY *key = NULL;
	X509_PUBKEY *spki = NULL;

	BN_set_word(e, 65537);
	OSSL_PARAM_BLD_push_BN(build, OSSL_PKEY_PARAM_RSA_N, n);
	OSSL_PARAM_BLD_push_BN(build, OSSL_PKEY_PARAM_RSA_E, e);
	params = OSSL_PARAM_BLD_to_param(build);
	assert_int_equal(EVP_PKEY_fromdata_init(ctx), 1);
	assert_int_equal(EVP_PKEY_fromdata(ctx, &key, EVP_PKEY_PUBLIC_KEY, params), 1);
	assert_int_equal(X509_PUBKEY_set(&spki, key), 1);
	OSSL_PARAM_free(params);
	OSSL_PARAM_BLD_free(build);
	EVP_PKEY_CTX_free(ctx);
	EVP_PKEY_free(key);
	BN_free(e);
	return spki;
}

static void assert_refused(const BIGNUM *n, const char *word)
{
	X509_PUBKEY *spki = rsa_public(n);
	char type[CSR_KEY_TYPE_SIZE];

	assert_int_equal(ca_key_check(spki, type), ERR_CRYPTO);
	assert_true(refused_as("key-refused"));
	if (!strstr(err_text(), word))
		print_error("%s\n", err_text());
	assert_non_null(strstr(err_text(), word));
	X509_PUBKEY_free(spki);
}

/* k * M + (65537^a mod M) with M the product of the first n_primes primes; a prime of that shape or
 * any number. The flawed generator has 126 for keys of 2048 bits, 39 for 512. */
static BIGNUM *roca_number(int bits, unsigned n_primes, bool prime_wanted)
{
	BN_CTX *ctx = BN_CTX_new();
	BIGNUM *m = BN_new(), *a = BN_new(), *g = BN_new(), *k = BN_new(), *n = BN_new();

	BN_one(m);
	for (unsigned p = 2, found = 0; found < n_primes; p++) {
		bool is_prime = true;

		for (unsigned d = 2; is_prime && d * d <= p; d++)
			is_prime = p % d != 0;
		if (is_prime) {
			BN_mul_word(m, p);
			found++;
		}
	}
	do {
		BN_set_word(g, 65537);
		BN_rand_range(a, m);
		BN_mod_exp(g, g, a, m, ctx);
		BN_rand(k, bits - BN_num_bits(m), BN_RAND_TOP_TWO, BN_RAND_BOTTOM_ANY);
		BN_mul(n, k, m, ctx);
		BN_add(n, n, g);
	} while (prime_wanted && BN_check_prime(n, ctx, NULL) != 1);
	BN_free(m);
	BN_free(a);
	BN_free(g);
	BN_free(k);
	BN_CTX_free(ctx);
	return n;
}

static BIGNUM *product(const BIGNUM *p, const BIGNUM *q)
{
	BN_CTX *ctx = BN_CTX_new();
	BIGNUM *n = BN_new();

	BN_mul(n, p, q, ctx);
	BN_CTX_free(ctx);
	return n;
}

static void keys_refuse_the_shape_of_roca(void **state)
{
	BIGNUM *n = roca_number(2049, 126, false), *p, *q;

	(void)state;
	assert_refused(n, "ROCA");
	BN_free(n);
	p = roca_number(256, 39, true); /* as the flawed generator did */
	q = roca_number(256, 39, true);
	n = product(p, q);
	assert_true(rsa_has_roca_shape(n));
	BN_free(p);
	BN_free(q);
	BN_free(n);
}

static BIGNUM *prime_after(const BIGNUM *from, unsigned long distance)
{
	BN_CTX *ctx = BN_CTX_new();
	BIGNUM *p = BN_dup(from);

	BN_add_word(p, distance);
	if (!BN_is_odd(p))
		BN_add_word(p, 1);
	while (BN_check_prime(p, ctx, NULL) != 1)
		BN_add_word(p, 2);
	BN_CTX_free(ctx);
	return p;
}

static bool falls_apart(const BIGNUM *p, const BIGNUM *q)
{
	BIGNUM *n = product(p, q);
	bool close = false;

	assert_int_equal(rsa_primes_are_close(n, &close), 0);
	BN_free(n);
	return close;
}

static void keys_refuse_primes_next_to_each_other(void **state)
{
	BIGNUM *start = BN_new(), *p, *q, *n;

	(void)state;
	BN_rand(start, 1024, BN_RAND_TOP_TWO, BN_RAND_BOTTOM_ODD);
	p = prime_after(start, 0);
	q = prime_after(p, 2);
	n = product(p, q);
	assert_refused(n, "close");
	BN_free(n);
	BN_free(p);
	BN_free(q);
	BN_rand(start, 256, BN_RAND_TOP_TWO, BN_RAND_BOTTOM_ODD);
	p = prime_after(start, 0);
	assert_true(falls_apart(p, p));
	for (unsigned long distance = 2; distance < 1000000000; distance *= 1000) {
		q = prime_after(p, distance);
		assert_true(falls_apart(p, q));
		BN_free(q);
	}
	BN_rand(start, 256, BN_RAND_TOP_TWO, BN_RAND_BOTTOM_ODD);
	q = prime_after(start, 0);
	assert_false(falls_apart(p, q));
	BN_free(start);
	BN_free(p);
	BN_free(q);
}

static void sound_keys_are_neither(void **state)
{
	(void)state;
	for (int i = 0; i < 2; i++) {
		EVP_PKEY *key = fixture_rsa(2048, 65537);
		BIGNUM *n = NULL;
		bool close = true;

		assert_int_equal(EVP_PKEY_get_bn_param(key, OSSL_PKEY_PARAM_RSA_N, &n), 1);
		assert_false(rsa_has_roca_shape(n));
		assert_int_equal(rsa_primes_are_close(n, &close), 0);
		assert_false(close);
		BN_free(n);
		EVP_PKEY_free(key);
	}
}

/* The key as it comes out of a request: read from its bytes. */
static int ec_point_check(const uint8_t *point, int len)
{
	X509_PUBKEY *built = X509_PUBKEY_new(), *spki;
	char type[CSR_KEY_TYPE_SIZE];
	unsigned char *der = NULL;
	const unsigned char *at;
	int der_len, rc;

	assert_int_equal(X509_PUBKEY_set0_param(built, OBJ_nid2obj(NID_X9_62_id_ecPublicKey),
						V_ASN1_OBJECT, OBJ_nid2obj(NID_X9_62_prime256v1),
						OPENSSL_memdup(point, (size_t)len), len),
			 1);
	der_len = i2d_X509_PUBKEY(built, &der);
	at = der;
	spki = d2i_X509_PUBKEY(NULL, &at, der_len);
	assert_non_null(spki);
	rc = ca_key_check(spki, type);
	X509_PUBKEY_free(built);
	X509_PUBKEY_free(spki);
	OPENSSL_free(der);
	return rc;
}

static void keys_refuse_points_that_are_not_on_the_curve(void **state)
{
	EVP_PKEY *key = fixture_ec("P-256");
	const uint8_t infinity[65] = {0};
	uint8_t point[65], zeros[65] = {4};
	size_t len;

	(void)state;
	assert_int_equal(EVP_PKEY_get_octet_string_param(key, OSSL_PKEY_PARAM_ENCODED_PUBLIC_KEY,
							 point, sizeof(point), &len),
			 1);
	assert_int_equal(len, 65);
	assert_int_equal(ec_point_check(point, 65), 0);
	point[64] ^= 1;
	assert_int_equal(ec_point_check(point, 65), ERR_CRYPTO);
	assert_true(refused_as("key-refused"));
	assert_int_equal(ec_point_check(zeros, 65), ERR_CRYPTO);
	assert_int_equal(ec_point_check(infinity, 1), ERR_CRYPTO);
	assert_int_equal(ec_point_check(infinity, 65), ERR_CRYPTO);
	assert_true(refused_as("key-refused"));
	EVP_PKEY_free(key);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(keys_refuse_the_shape_of_roca),
		cmocka_unit_test(keys_refuse_primes_next_to_each_other),
		cmocka_unit_test(keys_refuse_points_that_are_not_on_the_curve),
		cmocka_unit_test(sound_keys_are_neither),
	};

	return cmocka_run_group_tests_name("ca/key_strength", tests, NULL, NULL);
}
