/* SPDX-License-Identifier: BSD-2-Clause */
/* Owns splitting a key and the shares' text. Never keeps a key. */
#include "ca/sealed/share.h"

#include <ctype.h>
#include <string.h>

#include <libgfshare.h>
#include <sodium.h>

#include "base/secret.h"

#define MARK "PGS1"
#define CHECK_BYTES 4
/* threshold, number, id, data, check */
#define TEXT_BYTES (2 + SHARE_ID_BYTES + SHARE_KEY_BYTES + CHECK_BYTES)
#define GROUP_DIGITS 8

static void random_fill(unsigned char *data, unsigned int len)
{
	secret_fill_random(data, len);
}

int share_split(const uint8_t key[SHARE_KEY_BYTES], const uint8_t id[SHARE_ID_BYTES], unsigned n,
		struct share *out)
{
	uint8_t numbers[SHARE_PEOPLE_MAX], copy[SHARE_KEY_BYTES];
	gfshare_ctx *g;

	if (n < SHARE_THRESHOLD || n > SHARE_PEOPLE_MAX)
		return err_set(ERR_INVALID, "shares are for %d to %d people", SHARE_THRESHOLD,
			       SHARE_PEOPLE_MAX);
	for (unsigned i = 0; i < n; i++)
		numbers[i] = (uint8_t)(i + 1);
	gfshare_fill_rand = random_fill; /* the library's own choice is random(3) */
	g = gfshare_ctx_init_enc(numbers, n, SHARE_THRESHOLD, SHARE_KEY_BYTES);
	if (!g)
		return err_set(ERR_NOMEM, "no memory to split a key");
	memcpy(copy, key, sizeof(copy));
	gfshare_ctx_enc_setsecret(g, copy);
	for (unsigned i = 0; i < n; i++) {
		out[i].number = numbers[i];
		memcpy(out[i].id, id, SHARE_ID_BYTES);
		gfshare_ctx_enc_getshare(g, (unsigned char)i, out[i].data);
	}
	secret_wipe(copy, sizeof(copy));
	gfshare_ctx_free(g); /* it fills its memory with random bytes first */
	return 0;
}

int share_join(const struct share *a, const struct share *b, uint8_t key_out[SHARE_KEY_BYTES])
{
	uint8_t numbers[SHARE_THRESHOLD] = {a->number, b->number};
	uint8_t data[SHARE_THRESHOLD][SHARE_KEY_BYTES];
	gfshare_ctx *g;

	if (memcmp(a->id, b->id, SHARE_ID_BYTES))
		return err_set(ERR_INVALID, "the two shares are of two backups");
	if (a->number == b->number)
		return err_set(ERR_INVALID, "that is one share twice: the share of a second person "
					    "is needed");
	gfshare_fill_rand = random_fill;
	g = gfshare_ctx_init_dec(numbers, SHARE_THRESHOLD, SHARE_KEY_BYTES);
	if (!g)
		return err_set(ERR_NOMEM, "no memory to join a key");
	memcpy(data[0], a->data, SHARE_KEY_BYTES);
	memcpy(data[1], b->data, SHARE_KEY_BYTES);
	gfshare_ctx_dec_giveshare(g, 0, data[0]);
	gfshare_ctx_dec_giveshare(g, 1, data[1]);
	gfshare_ctx_dec_extract(g, key_out);
	secret_wipe(data, sizeof(data));
	gfshare_ctx_free(g);
	return 0;
}

static void check_of(const uint8_t *bytes, uint8_t out[CHECK_BYTES])
{
	uint8_t sha[crypto_hash_sha256_BYTES];

	crypto_hash_sha256(sha, bytes, TEXT_BYTES - CHECK_BYTES);
	memcpy(out, sha, CHECK_BYTES);
	secret_wipe(sha, sizeof(sha));
}

int share_put(struct buf *b, const struct share *s)
{
	uint8_t bytes[TEXT_BYTES] = {SHARE_THRESHOLD, s->number};
	char hex[2 * TEXT_BYTES + 1];
	int rc = buf_put_str(b, MARK);

	memcpy(bytes + 2, s->id, SHARE_ID_BYTES);
	memcpy(bytes + 2 + SHARE_ID_BYTES, s->data, SHARE_KEY_BYTES);
	check_of(bytes, bytes + TEXT_BYTES - CHECK_BYTES);
	hex_encode(bytes, sizeof(bytes), hex, sizeof(hex));
	for (size_t i = 0; !rc && i < 2 * TEXT_BYTES; i += GROUP_DIGITS)
		rc = buf_printf(b, "-%.*s", GROUP_DIGITS, hex + i);
	secret_wipe(bytes, sizeof(bytes));
	secret_wipe(hex, sizeof(hex));
	return rc ? rc : buf_put_str(b, "\n");
}

/* Hex digits of the line at `at`, without spaces and hyphens. */
static int digits_take(const char *at, const char *end, char out[2 * TEXT_BYTES + 1])
{
	size_t n = 0;

	for (; at < end && *at != '\n' && *at != '\0'; at++) {
		if (*at == ' ' || *at == '-' || *at == '\t' || *at == '\r')
			continue;
		if (!isxdigit((unsigned char)*at) || n == 2 * TEXT_BYTES)
			return ERR_INVALID;
		out[n++] = (char)tolower((unsigned char)*at);
	}
	out[n] = '\0';
	return n == 2 * TEXT_BYTES ? 0 : ERR_INVALID;
}

static int bytes_parse(const char *hex, struct share *out)
{
	uint8_t bytes[TEXT_BYTES], check[CHECK_BYTES];
	size_t len;
	int rc = hex_decode(hex, sizeof(bytes), bytes, &len);

	if (!rc && len == sizeof(bytes)) {
		check_of(bytes, check);
		if (memcmp(check, bytes + TEXT_BYTES - CHECK_BYTES, CHECK_BYTES) ||
		    bytes[0] != SHARE_THRESHOLD || !bytes[1] || bytes[1] > SHARE_PEOPLE_MAX)
			rc = ERR_INVALID;
	}
	if (!rc) {
		out->number = bytes[1];
		memcpy(out->id, bytes + 2, SHARE_ID_BYTES);
		memcpy(out->data, bytes + 2 + SHARE_ID_BYTES, SHARE_KEY_BYTES);
	}
	secret_wipe(bytes, sizeof(bytes));
	return rc;
}

int share_parse(const char *text, size_t len, struct share *out)
{
	const char *end = text + len;
	char hex[2 * TEXT_BYTES + 1];
	int rc = ERR_INVALID;

	for (const char *at = text; rc && at < end;) {
		const char *next = memchr(at, '\n', (size_t)(end - at));

		if ((size_t)(end - at) > strlen(MARK) && !memcmp(at, MARK, strlen(MARK))) {
			rc = digits_take(at + strlen(MARK), end, hex);
			if (!rc)
				rc = bytes_parse(hex, out);
			break;
		}
		at = next ? next + 1 : end;
	}
	secret_wipe(hex, sizeof(hex));
	return rc ? err_set(ERR_INVALID, "no share of a CA backup, or a digit of it is wrong") : 0;
}
