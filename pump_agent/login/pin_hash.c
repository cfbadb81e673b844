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

int pin_hash(const uint8_t key[PIN_KEY_BYTES], const struct pin_subject *who, const void *pin,
	     size_t pin_len, const uint8_t salt[PIN_SALT_BYTES], uint8_t out[PIN_HASH_BYTES])
{
	crypto_generichash_state h;
	uint8_t bound[32];
	uint8_t epoch[8];
	int rc;

	for (size_t i = 0; i < sizeof(epoch); i++)
		epoch[i] = (uint8_t)(who->epoch >> (56 - 8 * i));
	crypto_generichash_init(&h, key, PIN_KEY_BYTES, sizeof(bound));
	text_put(&h, "pumpgate pin 1");
	text_put(&h, who->pump);
	text_put(&h, who->user);
	text_put(&h, who->badge);
	crypto_generichash_update(&h, epoch, sizeof(epoch));
	crypto_generichash_update(&h, pin, pin_len);
	crypto_generichash_final(&h, bound, sizeof(bound));
	rc = crypto_pwhash(out, PIN_HASH_BYTES, (const char *)bound, sizeof(bound), salt,
			   PIN_PASSES, PIN_MEMORY, crypto_pwhash_ALG_ARGON2ID13);
	secret_wipe(bound, sizeof(bound));
	secret_wipe(&h, sizeof(h));
	return rc ? err_set(ERR_NOMEM, "no memory to check a PIN") : 0;
}
