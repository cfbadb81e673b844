/* SPDX-License-Identifier: BSD-2-Clause */
/* Owns which public keys may be certified. Never sees a private one. */
#include <pthread.h>
#include <stdio.h>
#include <string.h>

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/objects.h>

#include "ca/csr.h"
#include "ca/key_strength.h"
#include "ca/refuse.h"

#define RSA_MIN_BITS 2048
#define RSA_MAX_BITS 4096
#define RSA_EXPONENT 65537
#define SMALL_FACTOR_MAX 751 /* SP 800-89 5.3.3 */

/* The curve by its OID, not by explicit parameters (RFC 5480 2.1.1: "specifiedCurve MUST NOT be
 * used"), with the point uncompressed, which is the only form that every peer reads. */
static int ec_check(const X509_ALGOR *alg, const uint8_t *point, int len, char *key_type)
{
	const ASN1_OBJECT *curve = NULL;
	const void *value;
	int type, size;

	X509_ALGOR_get0(NULL, &type, &value, alg);
	if (type == V_ASN1_OBJECT)
		curve = value;
	switch (curve ? OBJ_obj2nid(curve) : NID_undef) {
	case NID_X9_62_prime256v1:
		size = 32;
		break;
	case NID_secp384r1:
		size = 48;
		break;
	default:
		return ca_refuse(REASON_KEY_REFUSED, ERR_CRYPTO,
				 "EC key on another curve than P-256 or P-384");
	}
	if (len != 1 + 2 * size || point[0] != 0x04)
		return ca_refuse(REASON_KEY_REFUSED, ERR_CRYPTO, "EC point is not uncompressed");
	snprintf(key_type, CSR_KEY_TYPE_SIZE, "ec-p%d", size * 8);
	return 0;
}

static int rsa_modulus_check(const BIGNUM *n)
{
	bool close;
	int rc;

	if (!BN_is_odd(n))
		return ca_refuse(REASON_KEY_REFUSED, ERR_CRYPTO, "RSA modulus is even");
	for (BN_ULONG factor = 3; factor <= SMALL_FACTOR_MAX; factor += 2)
		if (BN_mod_word(n, factor) == 0)
			return ca_refuse(REASON_KEY_REFUSED, ERR_CRYPTO,
					 "RSA modulus has a small factor");
	if (rsa_has_roca_shape(n))
		return ca_refuse(REASON_KEY_REFUSED, ERR_CRYPTO,
				 "RSA modulus has the shape of a flawed generator's "
				 "(ROCA, CVE-2017-15361): update what made this key");
	rc = rsa_primes_are_close(n, &close);
	if (rc)
		return rc;
	return close ? ca_refuse(REASON_KEY_REFUSED, ERR_CRYPTO,
				 "RSA primes are so close together that the modulus falls apart")
		     : 0;
}

static int rsa_check(EVP_PKEY *key, char *key_type)
{
	BIGNUM *n = NULL, *e = NULL;
	int bits, rc;

	if (!EVP_PKEY_get_bn_param(key, OSSL_PKEY_PARAM_RSA_N, &n) ||
	    !EVP_PKEY_get_bn_param(key, OSSL_PKEY_PARAM_RSA_E, &e)) {
		BN_free(n);
		return err_ossl(ERR_NOMEM, "RSA key");
	}
	bits = BN_num_bits(n);
	if (bits < RSA_MIN_BITS || bits > RSA_MAX_BITS)
		rc = ca_refuse(REASON_KEY_REFUSED, ERR_CRYPTO,
			       "RSA key of %d bits; %d to %d are accepted", bits, RSA_MIN_BITS,
			       RSA_MAX_BITS);
	else if (!BN_is_word(e, RSA_EXPONENT))
		rc = ca_refuse(REASON_KEY_REFUSED, ERR_CRYPTO, "RSA exponent is not %d",
			       RSA_EXPONENT);
	else
		rc = rsa_modulus_check(n);
	snprintf(key_type, CSR_KEY_TYPE_SIZE, "rsa-%d", bits);
	BN_free(n);
	BN_free(e);
	return rc;
}

/* RFC 3279 2.3.1: "The parameters field MUST have ASN.1 type NULL". The same key in another dress
 * would have another hash, and be taken for a key that no other pump has. */
static int rsa_form_check(X509_PUBKEY *spki, EVP_PKEY *key)
{
	unsigned char *given = NULL, *usual = NULL;
	int given_len = i2d_X509_PUBKEY(spki, &given), usual_len = i2d_PUBKEY(key, &usual);
	bool same =
		given_len > 0 && given_len == usual_len && !memcmp(given, usual, (size_t)given_len);

	OPENSSL_free(given);
	OPENSSL_free(usual);
	ERR_clear_error();
	return same ? 0
		    : ca_refuse(REASON_KEY_REFUSED, ERR_CRYPTO,
				"RSA key is not in the one form of RFC 3279");
}

static pthread_once_t curves_once = PTHREAD_ONCE_INIT;
static EVP_PKEY *p256, *p384; /* of each the parameters are taken; for the process's life */

static void curves_make(void)
{
	p256 = EVP_EC_gen("P-256");
	p384 = EVP_EC_gen("P-384");
}

/* By the point alone, which must be on the curve: a tenth of what OpenSSL's decoder costs. */
static EVP_PKEY *ec_key_new(const char *key_type, const uint8_t *point, int len)
{
	AUTO_PKEY key = EVP_PKEY_new();
	const EVP_PKEY *curve;

	(void)pthread_once(&curves_once, curves_make);
	curve = strcmp(key_type, "ec-p256") == 0 ? p256 : p384;
	if (!key || !curve || EVP_PKEY_copy_parameters(key, curve) != 1 ||
	    EVP_PKEY_set1_encoded_public_key(key, point, (size_t)len) != 1)
		return NULL;
	return OSSL_TAKE(key);
}

static EVP_PKEY *rsa_key_new(X509_PUBKEY *spki)
{
	unsigned char *der = NULL;
	const unsigned char *at;
	int len = i2d_X509_PUBKEY(spki, &der);
	EVP_PKEY *key = NULL;

	at = der;
	if (len > 0)
		key = d2i_PUBKEY(NULL, &at, len);
	OPENSSL_free(der);
	return key;
}

int ca_key_parse(X509_PUBKEY *spki, char key_type_out[CSR_KEY_TYPE_SIZE], EVP_PKEY **key_out)
{
	ASN1_OBJECT *kind;
	const uint8_t *bits;
	X509_ALGOR *alg;
	AUTO_PKEY key = NULL;
	int len, nid, rc = 0;

	if (!X509_PUBKEY_get0_param(&kind, &bits, &len, &alg, spki))
		return err_ossl(ERR_CRYPTO, "public key");
	nid = OBJ_obj2nid(kind);
	if (nid != NID_X9_62_id_ecPublicKey && nid != NID_rsaEncryption)
		return ca_refuse(REASON_KEY_REFUSED, ERR_CRYPTO,
				 "key is neither EC (P-256, P-384) nor RSA");
	if (nid == NID_X9_62_id_ecPublicKey)
		rc = ec_check(alg, bits, len, key_type_out);
	if (rc)
		return rc;
	key = nid == NID_rsaEncryption ? rsa_key_new(spki) : ec_key_new(key_type_out, bits, len);
	if (!key) {
		rc = err_ossl(ERR_CRYPTO, "public key can't be decoded");
		return err_add(rc, "%s", reason_name(REASON_KEY_REFUSED));
	}
	if (nid == NID_rsaEncryption &&
	    ((rc = rsa_check(key, key_type_out)) || (rc = rsa_form_check(spki, key))))
		return rc;
	*key_out = OSSL_TAKE(key);
	return 0;
}

int ca_key_check(X509_PUBKEY *spki, char key_type_out[CSR_KEY_TYPE_SIZE])
{
	AUTO_PKEY key = NULL;

	return ca_key_parse(spki, key_type_out, &key);
}
