/* SPDX-License-Identifier: BSD-2-Clause */
/* Owns the way to OpenSSL's TPM provider. Never loads it where it was not asked for. */
#include "pump_agent/tpm.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/decoder.h>
#include <openssl/encoder.h>
#include <openssl/provider.h>

#include "base/log.h"

#define PROVIDER "tpm2"
#define FROM_TPM "provider=" PROVIDER

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static enum key_place wanted;
static OSSL_PROVIDER *provider; /* under lock; stays once it is there */

bool tpm_is_possible(void)
{
#ifdef PUMPGATE_STATIC
	return false;
#else
	return true;
#endif
}

/* The provider connects to the TPM when it is loaded: a TPM that is away has none. */
static int provider_have(void)
{
	int rc = 0;

	if (!tpm_is_possible())
		return err_set(ERR_UNAVAILABLE, "this agent is static and knows no TPM");
	pthread_mutex_lock(&lock);
	if (!provider) {
		/* another provider by name ends the default one's being there by itself */
		if (OSSL_PROVIDER_load(NULL, "default"))
			provider = OSSL_PROVIDER_load(NULL, PROVIDER);
		/* without it OpenSSL 3.0 signs with its own code, which finds no private part */
		if (provider && EVP_set_default_properties(NULL, "?tpm2.signature=yes") != 1) {
			OSSL_PROVIDER_unload(provider);
			provider = NULL;
		}
		if (!provider)
			rc = err_ossl(ERR_UNAVAILABLE, "the TPM cannot be reached");
	}
	pthread_mutex_unlock(&lock);
	return rc;
}

void tpm_use(enum key_place place, const char *tcti)
{
	wanted = place;
	if (place == KEY_IN_FILE)
		return;
	if (tcti)
		setenv("TPM2OPENSSL_TCTI", tcti, 1);
	if (!provider_have())
		LOG(LOG_INFO, "agent.tpm_found");
	else if (place == KEY_IN_TPM)
		LOG(LOG_ERROR, "agent.tpm_away", LOG_S("why", err_text()));
}

bool tpm_is_wanted(void)
{
	return wanted == KEY_IN_TPM || (wanted == KEY_IN_TPM_IF_ANY && !provider_have());
}

const char *tpm_tcti(void)
{
	return getenv("TPM2OPENSSL_TCTI"); /* as the provider does */
}

static void ctx_auto_free(EVP_PKEY_CTX **p)
{
	EVP_PKEY_CTX_free(*p);
}

static int rsa_bits(enum key_kind kind)
{
	return kind == KEY_RSA2048   ? 2048
	       : kind == KEY_RSA3072 ? 3072
	       : kind == KEY_RSA4096 ? 4096
				     : 0;
}

int tpm_key_new(enum key_kind kind, EVP_PKEY **out)
{
	int bits = rsa_bits(kind);
	__attribute__((cleanup(ctx_auto_free))) EVP_PKEY_CTX *ctx = NULL;
	EVP_PKEY *key = NULL;
	int rc = provider_have();

	if (rc)
		return rc;
	ctx = EVP_PKEY_CTX_new_from_name(NULL, bits ? "RSA" : "EC", FROM_TPM);
	if (!ctx || EVP_PKEY_keygen_init(ctx) != 1 ||
	    (bits ? EVP_PKEY_CTX_set_rsa_keygen_bits(ctx, bits)
		  : EVP_PKEY_CTX_set_group_name(ctx, kind == KEY_P384 ? "P-384" : "P-256")) != 1 ||
	    EVP_PKEY_generate(ctx, &key) != 1)
		return err_ossl(ERR_CRYPTO, "making a key in the TPM");
	*out = key;
	return 0;
}

static void encoder_auto_free(OSSL_ENCODER_CTX **p)
{
	OSSL_ENCODER_CTX_free(*p);
}

int tpm_key_build(const EVP_PKEY *key, struct buf *der_out)
{
	__attribute__((cleanup(encoder_auto_free))) OSSL_ENCODER_CTX *ctx =
		OSSL_ENCODER_CTX_new_for_pkey(key, EVP_PKEY_KEYPAIR, "DER", NULL, FROM_TPM);
	unsigned char *der = NULL;
	size_t len = 0;
	int rc;

	if (!ctx || !OSSL_ENCODER_CTX_get_num_encoders(ctx) ||
	    OSSL_ENCODER_to_data(ctx, &der, &len) != 1)
		return err_ossl(ERR_CRYPTO, "the TPM's key");
	rc = buf_put(der_out, der, len); /* wrapped by the TPM: no secret */
	OPENSSL_free(der);
	return rc;
}

static int no_passphrase(char *buf, int size, int rwflag, void *arg)
{
	(void)buf;
	(void)size;
	(void)rwflag;
	(void)arg;
	return -1; /* never ask at a terminal */
}

static void decoder_auto_free(OSSL_DECODER_CTX **p)
{
	OSSL_DECODER_CTX_free(*p);
}

int tpm_key_parse(const void *der, size_t len, EVP_PKEY **out)
{
	__attribute__((cleanup(decoder_auto_free))) OSSL_DECODER_CTX *ctx = NULL;
	const unsigned char *at = der;
	EVP_PKEY *key = NULL;
	int rc = provider_have();

	if (rc)
		return rc;
	ctx = OSSL_DECODER_CTX_new_for_pkey(&key, "DER", NULL, NULL, EVP_PKEY_KEYPAIR, NULL,
					    "?" FROM_TPM);
	if (!ctx || OSSL_DECODER_CTX_set_pem_password_cb(ctx, no_passphrase, NULL) != 1 ||
	    OSSL_DECODER_from_data(ctx, &at, &len) != 1 || !tpm_key_is(key)) {
		EVP_PKEY_free(key);
		return err_ossl(ERR_CRYPTO, "the TPM does not take this key");
	}
	*out = key;
	return 0;
}

bool tpm_key_is(const EVP_PKEY *key)
{
	const OSSL_PROVIDER *of = key ? EVP_PKEY_get0_provider(key) : NULL;

	return of && !strcmp(OSSL_PROVIDER_get0_name(of), PROVIDER);
}
