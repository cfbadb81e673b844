/* SPDX-License-Identifier: BSD-2-Clause */
/* Owns the form of break-glass codes. Never knows which are good. */
#include "sql/wire/break_glass.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <sodium.h>

#include "base/secret.h"

RECORD_DESCRIBE(login_codes, LOGIN_CODES_FIELDS)
RECORD_DESCRIBE(login_code, LOGIN_CODE_FIELDS)

#define HALF (BREAK_GLASS_CHARS / 2)

static const char ALPHABET[] = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"; /* 32: no I, L, O, U */

/* Writes character `n` of a code where it is printed. */
static void put(char out[BREAK_GLASS_TEXT_SIZE], size_t n, char c)
{
	out[n < HALF ? n : n + 1] = c;
}

void break_glass_code_new(char out[BREAK_GLASS_TEXT_SIZE])
{
	uint8_t random[BREAK_GLASS_CHARS];

	secret_fill_random(random, sizeof(random));
	for (size_t i = 0; i < BREAK_GLASS_CHARS; i++)
		put(out, i, ALPHABET[random[i] % 32]); /* 32 divides 256: no bias */
	out[HALF] = '-';
	out[BREAK_GLASS_TEXT_SIZE - 1] = '\0';
	secret_wipe(random, sizeof(random));
}

static char canonical(char c)
{
	c = c >= 'a' && c <= 'z' ? (char)(c - 'a' + 'A') : c;
	if (c == 'O')
		return '0';
	return c == 'I' || c == 'L' ? '1' : c;
}

int break_glass_code_parse(const char *typed, size_t len, char out[BREAK_GLASS_TEXT_SIZE])
{
	size_t n = 0;

	for (size_t i = 0; i < len; i++) {
		char c = canonical(typed[i]);

		if (c == ' ' || c == '-')
			continue;
		if (!c || !strchr(ALPHABET, c) || n == BREAK_GLASS_CHARS)
			return err_set(ERR_INVALID, "this is no break-glass code");
		put(out, n++, c);
	}
	if (n != BREAK_GLASS_CHARS)
		return err_set(ERR_INVALID, "this is no break-glass code");
	out[HALF] = '-';
	out[BREAK_GLASS_TEXT_SIZE - 1] = '\0';
	return 0;
}

int break_glass_hash(const char *pump, const char code[BREAK_GLASS_TEXT_SIZE],
		     const uint8_t salt[BREAK_GLASS_SALT], uint8_t out[BREAK_GLASS_HASH])
{
	static const char what[] = "pumpgate break-glass 1";
	crypto_generichash_state h;
	uint8_t bound[32];
	int rc;

	/* with their NULs: no two different inputs are the same bytes */
	crypto_generichash_init(&h, NULL, 0, sizeof(bound));
	crypto_generichash_update(&h, (const uint8_t *)what, sizeof(what));
	crypto_generichash_update(&h, (const uint8_t *)pump, strlen(pump) + 1);
	crypto_generichash_update(&h, (const uint8_t *)code, BREAK_GLASS_TEXT_SIZE);
	crypto_generichash_final(&h, bound, sizeof(bound));
	rc = crypto_pwhash(out, BREAK_GLASS_HASH, (const char *)bound, sizeof(bound), salt,
			   BREAK_GLASS_PASSES, BREAK_GLASS_MEMORY, crypto_pwhash_ALG_ARGON2ID13);
	secret_wipe(bound, sizeof(bound));
	secret_wipe(&h, sizeof(h));
	return rc ? err_set(ERR_NOMEM, "no memory to check a code") : 0;
}

void break_glass_detail_build(uint64_t id, char out[BREAK_GLASS_DETAIL_SIZE])
{
	snprintf(out, BREAK_GLASS_DETAIL_SIZE, "code %" PRIu64, id);
}

uint64_t break_glass_detail_parse(const char *detail)
{
	char again[BREAK_GLASS_DETAIL_SIZE];
	uint64_t id = strncmp(detail, "code ", 5) ? 0 : strtoull(detail + 5, NULL, 10);

	break_glass_detail_build(id, again);
	return id && !strcmp(detail, again) ? id : 0; /* one form only */
}
