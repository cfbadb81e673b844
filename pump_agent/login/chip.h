/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The pump's TPM as logins use it: a thread of its own speaks with it, so that a TPM that hangs
 * keeps nobody waiting beyond a time that is given here. It connects when it is first needed, and
 * again after a connection broke. Calls wait, one caller at a time.
 */
#ifndef PUMP_AGENT_LOGIN_CHIP_H
#define PUMP_AGENT_LOGIN_CHIP_H

#include <stdbool.h>

#include "pump_agent/tpm_device.h"

#define CHIP_MAC_MS 1500     /* of a login; some 50 when the key is loaded */
#define CHIP_COUNTER_MS 1000 /* of a login too */
#define CHIP_MAKE_MS 10000   /* nobody waits for it but the login thread */

struct chip;

/* tpm_device.h's calls (chip_tpm), or a test's. */
struct chip_calls {
	int (*open)(const char *tcti, struct tpm_device **out);
	void (*close)(struct tpm_device *d);
	int (*key_new)(struct tpm_device *d, const uint8_t auth[TPM_AUTH_BYTES],
		       struct tpm_blob *out);
	int (*key_load)(struct tpm_device *d, const uint8_t auth[TPM_AUTH_BYTES],
			const struct tpm_blob *blob);
	int (*mac)(struct tpm_device *d, const uint8_t in[TPM_MAC_BYTES],
		   uint8_t out[TPM_MAC_BYTES]);
	int (*counter_read)(struct tpm_device *d, const uint8_t auth[TPM_AUTH_BYTES],
			    uint64_t *out);
	int (*counter_make)(struct tpm_device *d, const uint8_t auth[TPM_AUTH_BYTES],
			    uint64_t *out);
	int (*counter_raise)(struct tpm_device *d, const uint8_t auth[TPM_AUTH_BYTES],
			     uint64_t *out);
	int (*counter_remove)(struct tpm_device *d);
};
extern const struct chip_calls chip_tpm;

/* Asks the TPM nothing yet. `tcti` as of tpm_device_open, for the life of the program. ERR_NOMEM.
 */
int chip_new(const struct chip_calls *calls, const char *tcti, struct chip **out) MUST_USE;
/* A TPM that hangs is left to its thread, which ends with the process. NULL ok. */
void chip_free(struct chip *c);

/* Errors: those of tpm_device.h. ERR_TIMEOUT: no answer within the time; ERR_BUSY: it still has not
 * answered to what was asked before. */
int chip_key_new(struct chip *c, const uint8_t auth[TPM_AUTH_BYTES], struct tpm_blob *out) MUST_USE;
int chip_mac(struct chip *c, const uint8_t auth[TPM_AUTH_BYTES], const struct tpm_blob *key,
	     const uint8_t in[TPM_MAC_BYTES], uint8_t out[TPM_MAC_BYTES]) MUST_USE;
int chip_counter_read(struct chip *c, const uint8_t auth[TPM_AUTH_BYTES], uint64_t *out) MUST_USE;
int chip_counter_make(struct chip *c, const uint8_t auth[TPM_AUTH_BYTES], uint64_t *out) MUST_USE;
int chip_counter_raise(struct chip *c, const uint8_t auth[TPM_AUTH_BYTES], uint64_t *out) MUST_USE;
int chip_counter_remove(struct chip *c) MUST_USE;

#endif
