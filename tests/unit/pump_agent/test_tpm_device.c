/* SPDX-License-Identifier: BSD-2-Clause */
/* The HMAC key and the counter in a TPM, against swtpm: what another TPM, another password or a
 * reset makes of them. */
#include "tests/support/cmocka.h"

#include <stdlib.h>
#include <string.h>

#include "pump_agent/tpm_device_state.h"
#include "tests/unit/pump_agent/soft_tpm.h"

static const uint8_t AUTH[TPM_AUTH_BYTES] = {1, 2, 3};
static const uint8_t OTHER_AUTH[TPM_AUTH_BYTES] = {1, 2, 4};
static const uint8_t IN[TPM_MAC_BYTES] = {7};

static struct soft_tpm one;
static struct tpm_device *device;

static void again(void)
{
	tpm_device_close(device);
	device = NULL;
	assert_int_equal(tpm_device_open(one.tcti, &device), 0);
}

static int set_up(void **state)
{
	(void)state;
	again();
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	tpm_device_close(device);
	device = NULL;
	return 0;
}

/* ---- refusals ---- */

static void a_tpm_that_is_not_there_is_unavailable(void **state)
{
	struct tpm_device *d;

	(void)state;
	assert_int_equal(tpm_device_open("swtpm:host=127.0.0.1,port=1", &d), ERR_UNAVAILABLE);
	assert_int_equal(tpm_device_open("device:/dev/no-such-tpm", &d), ERR_UNAVAILABLE);
}

static void a_key_is_of_no_use_with_another_password(void **state)
{
	uint8_t out[TPM_MAC_BYTES];
	struct tpm_blob blob;

	(void)state;
	assert_int_equal(tpm_device_key_new(device, AUTH, &blob), 0);
	assert_int_equal(tpm_device_key_load(device, OTHER_AUTH, &blob), 0);
	for (int i = 0; i < 40; i++) /* and nobody locks it by trying */
		assert_int_equal(tpm_device_mac(device, IN, out), ERR_CRYPTO);
	assert_int_equal(tpm_device_key_load(device, AUTH, &blob), 0);
	assert_int_equal(tpm_device_mac(device, IN, out), 0);
}

static void a_damaged_key_is_refused(void **state)
{
	struct tpm_blob blob, bad;

	(void)state;
	assert_int_equal(tpm_device_key_new(device, AUTH, &blob), 0);
	for (size_t at = 0; at < blob.len; at += 5) {
		bad = blob;
		bad.data[at] ^= 1;
		assert_int_equal(tpm_device_key_load(device, AUTH, &bad), ERR_CRYPTO);
	}
	for (size_t len = 0; len < blob.len; len += 7) {
		bad = blob;
		bad.len = len;
		assert_int_equal(tpm_device_key_load(device, AUTH, &bad), ERR_CRYPTO);
	}
}

/* A key whose secret somebody gave to the TPM: it may be known outside of it. */
static void a_key_that_was_not_made_in_the_tpm_is_refused(void **state)
{
	TPM2B_SENSITIVE_CREATE secret = {.sensitive = {.userAuth = tpm_device_auth(AUTH),
						       .data = {.size = 32, .buffer = {1}}}};
	TPM2B_PUBLIC template = {
		.publicArea = {.type = TPM2_ALG_KEYEDHASH,
			       .nameAlg = TPM2_ALG_SHA256,
			       .objectAttributes = TPMA_OBJECT_FIXEDTPM | TPMA_OBJECT_FIXEDPARENT |
						   TPMA_OBJECT_USERWITHAUTH | TPMA_OBJECT_NODA |
						   TPMA_OBJECT_SIGN_ENCRYPT,
			       .parameters.keyedHashDetail.scheme = {.scheme = TPM2_ALG_HMAC,
								     .details.hmac.hashAlg =
									     TPM2_ALG_SHA256}}};
	const TPM2B_DATA no_data = {0};
	const TPML_PCR_SELECTION no_pcr = {0};
	TPM2B_PRIVATE *private = NULL;
	TPM2B_PUBLIC *public = NULL;
	struct tpm_blob blob;

	(void)state;
	assert_int_equal(tpm_device_key_new(device, AUTH, &blob), 0); /* for the storage key */
	assert_int_equal(device->lib->Esys_Create(device->esys, device->storage, ESYS_TR_PASSWORD,
						  ESYS_TR_NONE, ESYS_TR_NONE, &secret, &template,
						  &no_data, &no_pcr, &private, &public, NULL, NULL,
						  NULL),
			 0);
	blob.len = 0;
	assert_int_equal(device->lib->Tss2_MU_TPM2B_PUBLIC_Marshal(public, blob.data, TPM_BLOB_MAX,
								   &blob.len),
			 0);
	assert_int_equal(device->lib->Tss2_MU_TPM2B_PRIVATE_Marshal(private, blob.data,
								    TPM_BLOB_MAX, &blob.len),
			 0);
	device->lib->Esys_Free(public);
	device->lib->Esys_Free(private);
	assert_int_equal(tpm_device_key_load(device, AUTH, &blob), ERR_CRYPTO);
}

static void another_tpm_does_not_take_the_key_and_has_no_counter(void **state)
{
	struct tpm_device *d = NULL;
	struct soft_tpm other;
	struct tpm_blob blob;
	uint64_t n;

	(void)state;
	assert_int_equal(tpm_device_key_new(device, AUTH, &blob), 0);
	assert_int_equal(tpm_device_counter_make(device, AUTH, &n), 0);
	soft_tpm_make(&other);
	assert_int_equal(tpm_device_open(other.tcti, &d), 0);
	assert_int_equal(tpm_device_key_load(d, AUTH, &blob), ERR_CRYPTO);
	assert_int_equal(tpm_device_counter_read(d, AUTH, &n), ERR_NOT_FOUND);
	assert_int_equal(tpm_device_counter_raise(d, AUTH, &n), ERR_NOT_FOUND);
	tpm_device_close(d);
	soft_tpm_destroy(&other);
}

static void a_counter_is_neither_read_nor_raised_with_another_password(void **state)
{
	uint64_t n;

	(void)state;
	assert_int_equal(tpm_device_counter_make(device, AUTH, &n), 0);
	for (int i = 0; i < 40; i++)
		assert_int_equal(tpm_device_counter_read(device, OTHER_AUTH, &n), ERR_DENIED);
	assert_int_equal(tpm_device_counter_raise(device, OTHER_AUTH, &n), ERR_DENIED);
	assert_int_equal(tpm_device_counter_read(device, AUTH, &n), 0);
}

/* TPM 2.0 part 1, 19.8: too many of them, and the TPM refuses all that is protected by it. */
static void wrong_passwords_for_other_things_lock_neither_key_nor_counter(void **state)
{
	const TPM2B_NV_PUBLIC guarded = {
		.nvPublic = {.nvIndex = TPM_COUNTER_INDEX + 1,
			     .nameAlg = TPM2_ALG_SHA256,
			     .attributes = TPMA_NV_AUTHREAD | TPMA_NV_AUTHWRITE,
			     .dataSize = 8}};
	TPM2B_MAX_NV_BUFFER *data = NULL;
	TPM2B_AUTH right = tpm_device_auth(AUTH), wrong = tpm_device_auth(OTHER_AUTH);
	const struct tpm_library *lib = device->lib;
	uint8_t out[TPM_MAC_BYTES];
	struct tpm_blob blob;
	ESYS_TR index;
	uint64_t n;
	TSS2_RC r = 0;

	(void)state;
	assert_int_equal(tpm_device_key_new(device, AUTH, &blob), 0);
	assert_int_equal(tpm_device_counter_make(device, AUTH, &n), 0);
	assert_int_equal(lib->Esys_NV_DefineSpace(device->esys, ESYS_TR_RH_OWNER, ESYS_TR_PASSWORD,
						  ESYS_TR_NONE, ESYS_TR_NONE, &right, &guarded,
						  &index),
			 0);
	assert_int_equal(lib->Esys_TR_SetAuth(device->esys, index, &wrong), 0);
	for (int i = 0; i < 100 && r != TPM2_RC_LOCKOUT; i++)
		r = lib->Esys_NV_Read(device->esys, index, index, ESYS_TR_PASSWORD, ESYS_TR_NONE,
				      ESYS_TR_NONE, 8, 0, &data);
	assert_int_equal(r, TPM2_RC_LOCKOUT);
	assert_int_equal(tpm_device_key_load(device, AUTH, &blob), 0);
	assert_int_equal(tpm_device_mac(device, IN, out), 0);
	assert_int_equal(tpm_device_counter_raise(device, AUTH, &n), 0);
	again();
	assert_int_equal(tpm_device_key_load(device, AUTH, &blob), 0);
	assert_int_equal(tpm_device_mac(device, IN, out), 0);
}

static void an_index_that_can_be_written_is_not_taken_for_a_counter(void **state)
{
	const TPM2B_NV_PUBLIC ordinary = {
		.nvPublic = {.nvIndex = TPM_COUNTER_INDEX,
			     .nameAlg = TPM2_ALG_SHA256,
			     .attributes = TPMA_NV_AUTHREAD | TPMA_NV_AUTHWRITE | TPMA_NV_NO_DA,
			     .dataSize = 8}};
	TPM2B_AUTH a = tpm_device_auth(AUTH);
	ESYS_TR index;
	uint64_t n;

	(void)state;
	assert_int_equal(tpm_device_counter_remove(device), 0);
	assert_int_equal(device->lib->Esys_NV_DefineSpace(device->esys, ESYS_TR_RH_OWNER,
							  ESYS_TR_PASSWORD, ESYS_TR_NONE,
							  ESYS_TR_NONE, &a, &ordinary, &index),
			 0);
	assert_int_equal(tpm_device_counter_read(device, AUTH, &n), ERR_EXISTS);
	assert_int_equal(tpm_device_counter_raise(device, AUTH, &n), ERR_EXISTS);
	assert_int_equal(tpm_device_counter_make(device, AUTH, &n), ERR_EXISTS);
	assert_int_equal(tpm_device_counter_remove(device), ERR_EXISTS);
	assert_int_equal(device->lib->Esys_TR_FromTPMPublic(device->esys, TPM_COUNTER_INDEX,
							    ESYS_TR_NONE, ESYS_TR_NONE,
							    ESYS_TR_NONE, &index),
			 0);
	assert_int_equal(device->lib->Esys_NV_UndefineSpace(device->esys, ESYS_TR_RH_OWNER, index,
							    ESYS_TR_PASSWORD, ESYS_TR_NONE,
							    ESYS_TR_NONE),
			 0);
}

static void a_counter_that_was_made_anew_does_not_begin_below_the_old_one(void **state)
{
	uint64_t before, after;

	(void)state;
	assert_int_equal(tpm_device_counter_make(device, AUTH, &before), 0);
	assert_int_equal(tpm_device_counter_raise(device, AUTH, &before), 0);
	assert_int_equal(tpm_device_counter_remove(device), 0);
	assert_int_equal(tpm_device_counter_remove(device), 0); /* nothing to do */
	assert_int_equal(tpm_device_counter_read(device, AUTH, &after), ERR_NOT_FOUND);
	assert_int_equal(tpm_device_counter_make(device, AUTH, &after), 0);
	assert_true(after > before);
}

/* ---- what goes well ---- */

static void a_key_gives_the_same_mac_after_a_reset_and_another_key_another(void **state)
{
	uint8_t first[TPM_MAC_BYTES], next[TPM_MAC_BYTES];
	struct tpm_blob blob, other;

	(void)state;
	assert_int_equal(tpm_device_key_new(device, AUTH, &blob), 0);
	assert_int_equal(tpm_device_key_new(device, AUTH, &other), 0);
	assert_int_equal(tpm_device_key_load(device, AUTH, &blob), 0);
	assert_int_equal(tpm_device_mac(device, IN, first), 0);
	tpm_device_close(device);
	device = NULL;
	soft_tpm_off(&one);
	soft_tpm_on(&one);
	again();
	assert_int_equal(tpm_device_key_load(device, AUTH, &blob), 0);
	assert_int_equal(tpm_device_mac(device, IN, next), 0);
	assert_memory_equal(first, next, sizeof(first));
	assert_int_equal(tpm_device_key_load(device, AUTH, &other), 0);
	assert_int_equal(tpm_device_mac(device, IN, next), 0);
	assert_memory_not_equal(first, next, sizeof(first));
}

static void a_counter_goes_up_by_one_and_stays_there_when_the_plug_is_pulled(void **state)
{
	uint64_t n, next;

	(void)state;
	assert_int_equal(tpm_device_counter_make(device, AUTH, &n), 0);
	assert_int_equal(tpm_device_counter_raise(device, AUTH, &next), 0);
	assert_int_equal(next, n + 1);
	tpm_device_close(device);
	device = NULL;
	soft_tpm_off(&one); /* without TPM2_Shutdown */
	soft_tpm_on(&one);
	again();
	assert_int_equal(tpm_device_counter_read(device, AUTH, &next), 0);
	assert_int_equal(next, n + 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define T(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
		T(a_tpm_that_is_not_there_is_unavailable),
		T(a_key_is_of_no_use_with_another_password),
		T(a_damaged_key_is_refused),
		T(a_key_that_was_not_made_in_the_tpm_is_refused),
		T(another_tpm_does_not_take_the_key_and_has_no_counter),
		T(a_counter_is_neither_read_nor_raised_with_another_password),
		T(wrong_passwords_for_other_things_lock_neither_key_nor_counter),
		T(an_index_that_can_be_written_is_not_taken_for_a_counter),
		T(a_counter_that_was_made_anew_does_not_begin_below_the_old_one),
		T(a_key_gives_the_same_mac_after_a_reset_and_another_key_another),
		T(a_counter_goes_up_by_one_and_stays_there_when_the_plug_is_pulled),
	};
	int failed;

	setenv("TSS2_LOG", "all+none", 0);
	soft_tpm_make(&one);
	failed = cmocka_run_group_tests(tests, NULL, NULL);
	soft_tpm_destroy(&one);
	return failed;
}
