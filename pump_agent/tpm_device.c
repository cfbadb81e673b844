/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Owns the TPM's HMAC key. Never uses a key whose public part does not say that it was made in this
 * TPM and stays there.
 */
#include "pump_agent/tpm_device_state.h"

#include <stdlib.h>
#include <string.h>

#include "base/secret.h"

/* TPM 2.0 part 1, 25: made here, bound to this TPM and to its parent, signs only (an HMAC), used
 * with its password, which needs no protection against guessing. */
#define KEY_ATTRIBUTES                                                                      \
	(TPMA_OBJECT_FIXEDTPM | TPMA_OBJECT_FIXEDPARENT | TPMA_OBJECT_SENSITIVEDATAORIGIN | \
	 TPMA_OBJECT_USERWITHAUTH | TPMA_OBJECT_NODA | TPMA_OBJECT_SIGN_ENCRYPT)

/* TCG TPM v2.0 Provisioning Guidance, table 2: the storage key, the same at each call. */
static const TPM2B_PUBLIC STORAGE_KEY = {
	.publicArea =
		{
			.type = TPM2_ALG_ECC,
			.nameAlg = TPM2_ALG_SHA256,
			.objectAttributes = TPMA_OBJECT_FIXEDTPM | TPMA_OBJECT_FIXEDPARENT |
					    TPMA_OBJECT_SENSITIVEDATAORIGIN |
					    TPMA_OBJECT_USERWITHAUTH | TPMA_OBJECT_NODA |
					    TPMA_OBJECT_RESTRICTED | TPMA_OBJECT_DECRYPT,
			.parameters.eccDetail = {.symmetric = {.algorithm = TPM2_ALG_AES,
							       .keyBits.aes = 128,
							       .mode.aes = TPM2_ALG_CFB},
						 .scheme.scheme = TPM2_ALG_NULL,
						 .curveID = TPM2_ECC_NIST_P256,
						 .kdf.scheme = TPM2_ALG_NULL},
			.unique.ecc = {.x.size = 32, .y.size = 32},
		},
};

static const TPM2B_PUBLIC MAC_KEY = {
	.publicArea =
		{
			.type = TPM2_ALG_KEYEDHASH,
			.nameAlg = TPM2_ALG_SHA256,
			.objectAttributes = KEY_ATTRIBUTES,
			.parameters.keyedHashDetail.scheme = {.scheme = TPM2_ALG_HMAC,
							      .details.hmac.hashAlg =
								      TPM2_ALG_SHA256},
		},
};

/* TPM 2.0 part 2, 6.6: a warning (it is busy, tests itself, is locked) is no answer to the
 * question. */
int tpm_device_failed(const struct tpm_device *d, TSS2_RC rc, const char *doing)
{
	TSS2_RC layer = rc & TSS2_RC_LAYER_MASK;
	bool is_warning = !(rc & TPM2_RC_FMT1) && (rc & TPM2_RC_WARN) == TPM2_RC_WARN;
	bool answered =
		(layer == TSS2_TPM_RC_LAYER || layer == TSS2_RESMGR_TPM_RC_LAYER) && !is_warning;

	return err_set(answered ? ERR_CRYPTO : ERR_UNAVAILABLE, "TPM, %s: %s", doing,
		       d->lib->Tss2_RC_Decode(rc));
}

TPM2B_AUTH tpm_device_auth(const uint8_t auth[TPM_AUTH_BYTES])
{
	TPM2B_AUTH a = {.size = TPM_AUTH_BYTES};

	memcpy(a.buffer, auth, TPM_AUTH_BYTES);
	return a;
}

int tpm_device_open(const char *tcti, struct tpm_device **out)
{
	struct tpm_device *d = calloc(1, sizeof(*d));
	int rc = d ? tpm_library_have(&d->lib) : err_set(ERR_NOMEM, "no memory for a TPM");
	TSS2_RC r;

	if (rc) {
		free(d);
		return rc;
	}
	d->storage = d->key = ESYS_TR_NONE;
	r = d->lib->Tss2_TctiLdr_Initialize(tcti, &d->tcti);
	if (!r)
		r = d->lib->Esys_Initialize(&d->esys, d->tcti, NULL);
	if (r) {
		rc = err_set(ERR_UNAVAILABLE, "the TPM cannot be reached: %s",
			     d->lib->Tss2_RC_Decode(r));
		tpm_device_close(d);
		return rc;
	}
	*out = d;
	return 0;
}

static void key_drop(struct tpm_device *d, ESYS_TR *key)
{
	if (*key != ESYS_TR_NONE)
		(void)d->lib->Esys_FlushContext(d->esys, *key);
	*key = ESYS_TR_NONE;
}

void tpm_device_close(struct tpm_device *d)
{
	if (!d)
		return;
	if (d->esys) {
		key_drop(d, &d->key);
		key_drop(d, &d->storage);
		d->lib->Esys_Finalize(&d->esys);
	}
	if (d->tcti)
		d->lib->Tss2_TctiLdr_Finalize(&d->tcti);
	free(d);
}

/* Derived from the owner's seed: takes long on some TPMs, so it stays for the connection's life. */
static int storage_have(struct tpm_device *d)
{
	static const TPM2B_SENSITIVE_CREATE no_secret;
	static const TPM2B_DATA no_data;
	static const TPML_PCR_SELECTION no_pcr;
	TSS2_RC r;

	if (d->storage != ESYS_TR_NONE)
		return 0;
	r = d->lib->Esys_CreatePrimary(d->esys, ESYS_TR_RH_OWNER, ESYS_TR_PASSWORD, ESYS_TR_NONE,
				       ESYS_TR_NONE, &no_secret, &STORAGE_KEY, &no_data, &no_pcr,
				       &d->storage, NULL, NULL, NULL, NULL);
	if (!r)
		return 0;
	d->storage = ESYS_TR_NONE;
	return tpm_device_failed(d, r, "its storage key (has its owner a password?)");
}

/* ---- the key on the disk: TPM2B_PUBLIC, then TPM2B_PRIVATE, as the TPM writes them ---- */

static int blob_build(const struct tpm_device *d, const TPM2B_PUBLIC *public,
		      const TPM2B_PRIVATE *private, struct tpm_blob *out)
{
	TSS2_RC r;

	out->len = 0;
	r = d->lib->Tss2_MU_TPM2B_PUBLIC_Marshal(public, out->data, sizeof(out->data), &out->len);
	if (!r)
		r = d->lib->Tss2_MU_TPM2B_PRIVATE_Marshal(private, out->data, sizeof(out->data),
							  &out->len);
	return r ? err_set(ERR_CRYPTO, "the TPM's key is too long") : 0;
}

static int blob_parse(const struct tpm_device *d, const struct tpm_blob *blob, TPM2B_PUBLIC *public,
		      TPM2B_PRIVATE *private)
{
	size_t at = 0;

	if (blob->len > sizeof(blob->data) ||
	    d->lib->Tss2_MU_TPM2B_PUBLIC_Unmarshal(blob->data, blob->len, &at, public) ||
	    d->lib->Tss2_MU_TPM2B_PRIVATE_Unmarshal(blob->data, blob->len, &at, private) ||
	    at != blob->len)
		return err_set(ERR_CRYPTO, "the TPM's key on the disk is damaged");
	return 0;
}

/* The TPM itself holds a key to these attributes, once it has loaded it. */
static bool is_bound(const TPM2B_PUBLIC *public)
{
	const TPMT_PUBLIC *p = &public->publicArea;
	const TPMT_KEYEDHASH_SCHEME *scheme = &p->parameters.keyedHashDetail.scheme;

	return p->type == TPM2_ALG_KEYEDHASH && p->objectAttributes == KEY_ATTRIBUTES &&
	       scheme->scheme == TPM2_ALG_HMAC && scheme->details.hmac.hashAlg == TPM2_ALG_SHA256;
}

int tpm_device_key_new(struct tpm_device *d, const uint8_t auth[TPM_AUTH_BYTES],
		       struct tpm_blob *out)
{
	static const TPM2B_DATA no_data;
	static const TPML_PCR_SELECTION no_pcr;
	TPM2B_SENSITIVE_CREATE secret = {.sensitive.userAuth = tpm_device_auth(auth)};
	TPM2B_PRIVATE *private = NULL;
	TPM2B_PUBLIC *public = NULL;
	TSS2_RC r;
	int rc = storage_have(d);

	if (rc)
		return rc;
	r = d->lib->Esys_Create(d->esys, d->storage, ESYS_TR_PASSWORD, ESYS_TR_NONE, ESYS_TR_NONE,
				&secret, &MAC_KEY, &no_data, &no_pcr, &private, &public, NULL, NULL,
				NULL);
	secret_wipe(&secret, sizeof(secret));
	if (r)
		return tpm_device_failed(d, r, "a new HMAC key");
	rc = blob_build(d, public, private, out);
	d->lib->Esys_Free(public);
	d->lib->Esys_Free(private);
	return rc;
}

int tpm_device_key_load(struct tpm_device *d, const uint8_t auth[TPM_AUTH_BYTES],
			const struct tpm_blob *blob)
{
	TPM2B_PUBLIC public = {0};
	TPM2B_PRIVATE private = {0};
	TPM2B_AUTH a = tpm_device_auth(auth);
	TSS2_RC r;
	int rc = blob_parse(d, blob, &public, &private);

	if (!rc && !is_bound(&public))
		rc = err_set(ERR_CRYPTO, "the key on the disk is not one that stays in a TPM");
	rc = rc ? rc : storage_have(d);
	if (rc)
		return rc;
	key_drop(d, &d->key);
	r = d->lib->Esys_Load(d->esys, d->storage, ESYS_TR_PASSWORD, ESYS_TR_NONE, ESYS_TR_NONE,
			      &private, &public, &d->key);
	if (r) {
		d->key = ESYS_TR_NONE;
		return tpm_device_failed(d, r, "the HMAC key (another TPM's?)");
	}
	r = d->lib->Esys_TR_SetAuth(d->esys, d->key, &a);
	secret_wipe(&a, sizeof(a));
	return r ? tpm_device_failed(d, r, "the HMAC key") : 0;
}

int tpm_device_mac(struct tpm_device *d, const uint8_t in[TPM_MAC_BYTES],
		   uint8_t out[TPM_MAC_BYTES])
{
	TPM2B_MAX_BUFFER data = {.size = TPM_MAC_BYTES};
	TPM2B_DIGEST *mac = NULL;
	TSS2_RC r;
	int rc = 0;

	if (d->key == ESYS_TR_NONE)
		return err_set(ERR_INTERNAL, "no HMAC key was loaded");
	memcpy(data.buffer, in, TPM_MAC_BYTES);
	r = d->lib->Esys_HMAC(d->esys, d->key, ESYS_TR_PASSWORD, ESYS_TR_NONE, ESYS_TR_NONE, &data,
			      TPM2_ALG_SHA256, &mac);
	secret_wipe(&data, sizeof(data));
	if (r)
		return tpm_device_failed(d, r, "an HMAC");
	if (mac->size == TPM_MAC_BYTES)
		memcpy(out, mac->buffer, TPM_MAC_BYTES);
	else
		rc = err_set(ERR_CRYPTO, "TPM: an HMAC of %u bytes", mac->size);
	secret_wipe(mac, sizeof(*mac));
	d->lib->Esys_Free(mac);
	return rc;
}
