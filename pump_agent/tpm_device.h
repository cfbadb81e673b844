/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What Pumpgate asks of the pump's TPM 2.0 besides the network's key: an HMAC key that nobody can
 * take out of it, and a counter that nobody can set back. TCG, TPM 2.0 Library, parts 1 and 3.
 * Calls block on the TPM, for tens of milliseconds or, when it is busy or broken, for minutes:
 * whoever must not wait has login/chip.h. One thread at a time.
 *
 * The owner hierarchy must have no password, as for tpm2-openssl's keys. Key and counter have one
 * (`auth`) of 256 random bits; so both are left out of the TPM's protection against guessing
 * (noDA), and wrong passwords of others, which lock that, do not reach them.
 */
#ifndef PUMP_AGENT_TPM_DEVICE_H
#define PUMP_AGENT_TPM_DEVICE_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

#define TPM_AUTH_BYTES 32
#define TPM_MAC_BYTES 32
#define TPM_BLOB_MAX 1024 /* of a wrapped key */
/* Of the owner's range of the TCG's registry of reserved handles (0x01800000 to 0x01bfffff). */
#define TPM_COUNTER_INDEX UINT32_C(0x01b50c01)

struct tpm_device;

/* A key as it lies on the disk: wrapped by its TPM, no secret. */
struct tpm_blob {
	size_t len;
	uint8_t data[TPM_BLOB_MAX];
};

/* Every call: ERR_UNAVAILABLE, the TPM cannot be reached or does not answer; ERR_CRYPTO, it
 * refuses.
 */

/* tcti: in tpm2-tss's words; NULL: its default. Also ERR_NOMEM. */
int tpm_device_open(const char *tcti, struct tpm_device **out) MUST_USE;
void tpm_device_close(struct tpm_device *d); /* NULL ok */

/* A new HMAC key (SHA-256), made in the TPM, that never leaves it: fixedTPM, fixedParent,
 * sensitiveDataOrigin. */
int tpm_device_key_new(struct tpm_device *d, const uint8_t auth[TPM_AUTH_BYTES],
		       struct tpm_blob *out) MUST_USE;
/* The key that tpm_device_mac uses from now on. ERR_CRYPTO also: another TPM's, or a key that was
 * not made in a TPM, or may leave it. */
int tpm_device_key_load(struct tpm_device *d, const uint8_t auth[TPM_AUTH_BYTES],
			const struct tpm_blob *blob) MUST_USE;
int tpm_device_mac(struct tpm_device *d, const uint8_t in[TPM_MAC_BYTES],
		   uint8_t out[TPM_MAC_BYTES]) MUST_USE;

/* ERR_NOT_FOUND: there is none; ERR_EXISTS: somebody else's is in its place; ERR_DENIED: it is of
 * another `auth`. */
int tpm_device_counter_read(struct tpm_device *d, const uint8_t auth[TPM_AUTH_BYTES],
			    uint64_t *out) MUST_USE;
/* Makes it, in the place of one of ours, and raises it once: a TPM lets it begin above whatever any
 * counter in it ever had. ERR_EXISTS as above. */
int tpm_device_counter_make(struct tpm_device *d, const uint8_t auth[TPM_AUTH_BYTES],
			    uint64_t *out) MUST_USE;
/* By one; the value that it then has. A write of the TPM's NV memory, which bears some 100,000. As
 * tpm_device_counter_read. */
int tpm_device_counter_raise(struct tpm_device *d, const uint8_t auth[TPM_AUTH_BYTES],
			     uint64_t *out) MUST_USE;
/* 0 also when there is none. ERR_EXISTS as above. */
int tpm_device_counter_remove(struct tpm_device *d) MUST_USE;

#endif
