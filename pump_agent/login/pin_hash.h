/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What stands in for a PIN on this pump: Argon2id over a keyed hash of pump, person, badge, epoch
 * and PIN. Without the pump's key nothing can be tried against it; with the key (a file, see
 * docs/SECURITY.md) a PIN is guessed at the cost of one Argon2id for each.
 *
 * For a password there is a step between the two: the HMAC of the keyed hash under a key that never
 * leaves this pump's TPM (tpm_device.h). Who has all files can try nothing without asking the TPM.
 */
#ifndef PUMP_AGENT_LOGIN_PIN_HASH_H
#define PUMP_AGENT_LOGIN_PIN_HASH_H

#include <stddef.h>

#include "pump_agent/login/offline.h"

#define PIN_KEY_BYTES 32
#define PIN_BOUND_BYTES 32
#define PIN_MEMORY (19u * 1024 * 1024) /* bytes while a PIN is checked */
#define PIN_PASSES 2

struct pin_subject {
	const char *pump;
	const char *user;
	const char *badge;
	uint64_t epoch;
};

/* The keyed hash alone; `what` keeps the hashes of one kind of secret from being those of another.
 */
void pin_bind(const uint8_t key[PIN_KEY_BYTES], const char *what, const struct pin_subject *who,
	      const void *secret, size_t len, uint8_t out[PIN_BOUND_BYTES]);
/* Argon2id alone. Tens of milliseconds of processor time. ERR_NOMEM. */
int pin_stretch(const uint8_t bound[PIN_BOUND_BYTES], const uint8_t salt[PIN_SALT_BYTES],
		uint8_t out[PIN_HASH_BYTES]) MUST_USE;

/* Both. ERR_NOMEM. */
int pin_hash(const uint8_t key[PIN_KEY_BYTES], const struct pin_subject *who, const void *pin,
	     size_t pin_len, const uint8_t salt[PIN_SALT_BYTES],
	     uint8_t out[PIN_HASH_BYTES]) MUST_USE;

#endif
