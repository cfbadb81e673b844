/* SPDX-License-Identifier: BSD-2-Clause */
/* Owns the verifier of a PIN. Never keeps anything. */
#include "pump_agent/login/pin_hash.h"

#include <string.h>

#include <sodium.h>

#include "base/secret.h"

static void text_put(crypto_generichash_state *h, const char *text)
{
	crypto_generichash_update(h, (const uint8_t *)text, strlen(text) + 1);
}

void pin_bind(const uint8_t key[PIN_KEY_BYTES], const char *what, const struct pin_subject *who,
	      const void *secret, size_t len, uint8_t out[PIN_BOUND_BYTES])
{
	crypto_generichash_state h;
	uint8_t epoch[8];

	for (size_t i = 0; i < sizeof(epoch); i++)
		epoch[i] = (uint8_t)(who->epoch >> (56 - 8 * i));
	crypto_generichash_init(&h, key, PIN_KEY_BYTES, PIN_BOUND_BYTES);
	text_put(&h, what);
	text_put(&h, who->pump);
	text_put(&h, who->user);
	text_put(&h, who->badge);
	crypto_generichash_update(&h, epoch, sizeof(epoch));
	crypto_generichash_update(&h, secret, len);
	crypto_generichash_final(&h, out, PIN_BOUND_BYTES);
	secret_wipe(&h, sizeof(h));
}

int pin_stretch(const uint8_t bound[PIN_BOUND_BYTES], const uint8_t salt[PIN_SALT_BYTES],
		uint8_t out[PIN_HASH_BYTES])
{
	return crypto_pwhash(out, PIN_HASH_BYTES, (const char *)bound, PIN_BOUND_BYTES, salt,
			     PIN_PASSES, PIN_MEMORY, crypto_pwhash_ALG_ARGON2ID13)
		       ? err_set(ERR_NOMEM, "no memory to check a PIN or password")
		       : 0;
}

int pin_hash(const uint8_t key[PIN_KEY_BYTES], const struct pin_subject *who, const void *pin,
	     size_t pin_len, const uint8_t salt[PIN_SALT_BYTES], uint8_t out[PIN_HASH_BYTES])
{
	uint8_t bound[PIN_BOUND_BYTES];
	int rc;

	pin_bind(key, "pumpgate pin 1", who, pin, pin_len, bound);
	rc = pin_stretch(bound, salt, out);
	secret_wipe(bound, sizeof(bound));
	return rc;
}
