/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Owns the TPM's counter. Never takes an index for it that could be set to a value, and never
 * removes one that is not of its kind.
 */
#include "pump_agent/tpm_device_state.h"

#include <string.h>

#include "base/secret.h"

/* TPM 2.0 part 2, 13.4. A counter proper: not ORDERLY, which would keep its value in the TPM's RAM
 * and, after a pulled plug, go on from somewhere ahead: that could not be told from an old copy. */
#define COUNTER_ATTRIBUTES                                                        \
	((TPMA_NV)(TPM2_NT_COUNTER << TPMA_NV_TPM2_NT_SHIFT) | TPMA_NV_AUTHREAD | \
	 TPMA_NV_AUTHWRITE | TPMA_NV_NO_DA)
#define COUNTER_BYTES 8

/* What there is in the counter's place, found without a password. */
enum found { FOUND_NONE, FOUND_OURS, FOUND_FRESH /* ours, never raised */, FOUND_FOREIGN };

static int is_defined(struct tpm_device *d, bool *out)
{
	TPMS_CAPABILITY_DATA *data = NULL;
	TSS2_RC r = d->lib->Esys_GetCapability(d->esys, ESYS_TR_NONE, ESYS_TR_NONE, ESYS_TR_NONE,
					       TPM2_CAP_HANDLES, TPM_COUNTER_INDEX, 1, NULL, &data);

	if (r)
		return tpm_device_failed(d, r, "its NV indices");
	*out = data->data.handles.count && data->data.handles.handle[0] == TPM_COUNTER_INDEX;
	d->lib->Esys_Free(data);
	return 0;
}

static enum found kind_of(const TPMS_NV_PUBLIC *p)
{
	if (p->nvIndex != TPM_COUNTER_INDEX || p->dataSize != COUNTER_BYTES || p->authPolicy.size ||
	    (p->attributes & ~TPMA_NV_WRITTEN) != COUNTER_ATTRIBUTES)
		return FOUND_FOREIGN;
	return p->attributes & TPMA_NV_WRITTEN ? FOUND_OURS : FOUND_FRESH;
}

/* `*index`: to be closed by the caller; ESYS_TR_NONE for FOUND_NONE. */
static int counter_find(struct tpm_device *d, ESYS_TR *index, enum found *out)
{
	TPM2B_NV_PUBLIC *public = NULL;
	bool has = false;
	int rc = is_defined(d, &has);
	TSS2_RC r;

	*index = ESYS_TR_NONE;
	*out = FOUND_NONE;
	if (rc || !has)
		return rc;
	r = d->lib->Esys_TR_FromTPMPublic(d->esys, TPM_COUNTER_INDEX, ESYS_TR_NONE, ESYS_TR_NONE,
					  ESYS_TR_NONE, index);
	if (!r)
		r = d->lib->Esys_NV_ReadPublic(d->esys, *index, ESYS_TR_NONE, ESYS_TR_NONE,
					       ESYS_TR_NONE, &public, NULL);
	if (r)
		return tpm_device_failed(d, r, "its counter");
	*out = kind_of(&public->nvPublic);
	d->lib->Esys_Free(public);
	return 0;
}

static void index_close(struct tpm_device *d, ESYS_TR *index)
{
	if (*index != ESYS_TR_NONE)
		(void)d->lib->Esys_TR_Close(d->esys, index);
}

static int foreign(void)
{
	return err_set(ERR_EXISTS, "TPM: NV index 0x%x is somebody else's", TPM_COUNTER_INDEX);
}

/* TPM 2.0 part 2, 6.6: BAD_AUTH, also AUTH_FAIL where guessing is watched; with the number of the
 * session that it is about. */
static int use_failed(const struct tpm_device *d, TSS2_RC r, const char *doing)
{
	TSS2_RC code = r & ~(TSS2_RC)(TPM2_RC_N_MASK | TPM2_RC_P | TSS2_RC_LAYER_MASK);

	if (code == TPM2_RC_BAD_AUTH || code == TPM2_RC_AUTH_FAIL)
		return err_set(ERR_DENIED, "TPM: its counter is of another store");
	return tpm_device_failed(d, r, doing);
}

static int value_read(struct tpm_device *d, ESYS_TR index, uint64_t *out)
{
	TPM2B_MAX_NV_BUFFER *data = NULL;
	uint64_t value = 0;
	int rc = 0;
	TSS2_RC r = d->lib->Esys_NV_Read(d->esys, index, index, ESYS_TR_PASSWORD, ESYS_TR_NONE,
					 ESYS_TR_NONE, COUNTER_BYTES, 0, &data);

	if (r)
		return use_failed(d, r, "reading its counter");
	for (size_t i = 0; i < COUNTER_BYTES; i++)
		value = value << 8 | data->buffer[i];
	if (data->size == COUNTER_BYTES)
		*out = value;
	else
		rc = err_set(ERR_CRYPTO, "TPM: a counter of %u bytes", data->size);
	d->lib->Esys_Free(data);
	return rc;
}

static int value_raise(struct tpm_device *d, ESYS_TR index)
{
	TSS2_RC r = d->lib->Esys_NV_Increment(d->esys, index, index, ESYS_TR_PASSWORD, ESYS_TR_NONE,
					      ESYS_TR_NONE);

	return r ? use_failed(d, r, "raising its counter") : 0;
}

static int auth_set(struct tpm_device *d, ESYS_TR index, const uint8_t auth[TPM_AUTH_BYTES])
{
	TPM2B_AUTH a = tpm_device_auth(auth);
	TSS2_RC r = d->lib->Esys_TR_SetAuth(d->esys, index, &a);

	secret_wipe(&a, sizeof(a));
	return r ? tpm_device_failed(d, r, "its counter") : 0;
}

static int counter_use(struct tpm_device *d, const uint8_t auth[TPM_AUTH_BYTES], bool raise,
		       uint64_t *out)
{
	enum found found;
	ESYS_TR index;
	int rc = counter_find(d, &index, &found);

	/* one that was never raised has no value: a plug was pulled while it was made */
	if (!rc && (found == FOUND_NONE || found == FOUND_FRESH))
		rc = err_set(ERR_NOT_FOUND, "the TPM has no counter of ours");
	if (!rc && found == FOUND_FOREIGN)
		rc = foreign();
	rc = rc ? rc : auth_set(d, index, auth);
	if (!rc && raise)
		rc = value_raise(d, index);
	rc = rc ? rc : value_read(d, index, out);
	index_close(d, &index);
	return rc;
}

int tpm_device_counter_read(struct tpm_device *d, const uint8_t auth[TPM_AUTH_BYTES], uint64_t *out)
{
	return counter_use(d, auth, false, out);
}

int tpm_device_counter_raise(struct tpm_device *d, const uint8_t auth[TPM_AUTH_BYTES],
			     uint64_t *out)
{
	return counter_use(d, auth, true, out);
}

int tpm_device_counter_remove(struct tpm_device *d)
{
	enum found found;
	ESYS_TR index;
	int rc = counter_find(d, &index, &found);
	TSS2_RC r;

	if (!rc && found == FOUND_FOREIGN)
		rc = foreign();
	if (rc || found == FOUND_NONE) {
		index_close(d, &index);
		return rc;
	}
	r = d->lib->Esys_NV_UndefineSpace(d->esys, ESYS_TR_RH_OWNER, index, ESYS_TR_PASSWORD,
					  ESYS_TR_NONE, ESYS_TR_NONE);
	if (!r)
		return 0; /* the library has closed it */
	index_close(d, &index);
	return tpm_device_failed(d, r, "removing its counter");
}

int tpm_device_counter_make(struct tpm_device *d, const uint8_t auth[TPM_AUTH_BYTES], uint64_t *out)
{
	TPM2B_AUTH a = tpm_device_auth(auth);
	const TPM2B_NV_PUBLIC public = {.nvPublic = {.nvIndex = TPM_COUNTER_INDEX,
						     .nameAlg = TPM2_ALG_SHA256,
						     .attributes = COUNTER_ATTRIBUTES,
						     .dataSize = COUNTER_BYTES}};
	ESYS_TR index = ESYS_TR_NONE;
	TSS2_RC r;
	int rc = tpm_device_counter_remove(d);

	if (rc)
		return rc;
	r = d->lib->Esys_NV_DefineSpace(d->esys, ESYS_TR_RH_OWNER, ESYS_TR_PASSWORD, ESYS_TR_NONE,
					ESYS_TR_NONE, &a, &public, &index);
	secret_wipe(&a, sizeof(a));
	if (r)
		return tpm_device_failed(d, r, "a counter (has its owner a password?)");
	rc = auth_set(d, index, auth);
	rc = rc ? rc : value_raise(d, index);
	rc = rc ? rc : value_read(d, index, out);
	index_close(d, &index);
	return rc;
}
