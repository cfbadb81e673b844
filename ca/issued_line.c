/* SPDX-License-Identifier: BSD-2-Clause */
/* Owns the form of a line of the signer's lists. Never touches a file. */
#include "ca/issued_line.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include <openssl/evp.h>
#include <openssl/sha.h>

#define CHAIN_HEX (2 * ISSUED_CHAIN_BYTES)
#define DER_MAX 4096

/* One word: printable, no blank, not empty. */
static bool is_word(const char *s)
{
	if (!*s)
		return false;
	for (; *s; s++)
		if (*s <= ' ' || *s > '~')
			return false;
	return true;
}

static void chain_next(uint8_t chain[ISSUED_CHAIN_BYTES], const void *line, size_t len)
{
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();

	/* fails only without memory: then the chain is one that no line fits */
	if (!ctx || !EVP_DigestInit_ex(ctx, EVP_sha256(), NULL) ||
	    !EVP_DigestUpdate(ctx, chain, ISSUED_CHAIN_BYTES) ||
	    !EVP_DigestUpdate(ctx, line, len) || !EVP_DigestFinal_ex(ctx, chain, NULL))
		memset(chain, 0xff, ISSUED_CHAIN_BYTES);
	EVP_MD_CTX_free(ctx);
}

int issued_line_build(const struct issued_entry *e, uint64_t seq, uint8_t chain[ISSUED_CHAIN_BYTES],
		      struct buf *out)
{
	char spki[65], hash[CHAIN_HEX + 1], der[DER_MAX / 3 * 4 + 8];
	size_t start = out->len;
	int rc;

	if (!is_word(e->serial) || !is_word(e->device))
		return err_set(ERR_INVALID, "serial or name that makes no line");
	if (e->der_len == 0 || e->der_len > DER_MAX)
		return err_set(ERR_LIMIT, "certificate of %zu bytes", e->der_len);
	hex_encode(e->spki_sha256, sizeof(e->spki_sha256), spki, sizeof(spki));
	EVP_EncodeBlock((unsigned char *)der, e->der, (int)e->der_len);
	rc = buf_printf(out, "v1 %" PRIu64 " %" PRId64 " %s %s %" PRId64 " %s %s ", seq, e->at_ms,
			e->serial, e->device, e->not_after_ms, spki, der);
	if (rc)
		return rc;
	chain_next(chain, out->data + start, out->len - start);
	hex_encode(chain, ISSUED_CHAIN_BYTES, hash, sizeof(hash));
	return buf_printf(out, "%s\n", hash);
}

int revoked_line_build(const struct list_place *e, uint64_t seq, uint8_t chain[ISSUED_CHAIN_BYTES],
		       struct buf *out)
{
	char hash[CHAIN_HEX + 1];
	size_t start = out->len;
	int rc;

	if (!is_word(e->serial) || !is_word(e->device))
		return err_set(ERR_INVALID, "serial or name that makes no line");
	rc = buf_printf(out, "v1 %" PRIu64 " %" PRId64 " %s %s ", seq, e->at_ms, e->serial,
			e->device);
	if (rc)
		return rc;
	chain_next(chain, out->data + start, out->len - start);
	hex_encode(chain, ISSUED_CHAIN_BYTES, hash, sizeof(hash));
	return buf_printf(out, "%s\n", hash);
}

int list_line_place(const char *line, size_t len, struct list_place *out)
{
	char head[512];
	struct list_place e = {0};

	len = len < sizeof(head) ? len : sizeof(head) - 1;
	memcpy(head, line, len);
	head[len] = '\0';
	if (sscanf(head, "v1 %*u %" SCNd64 " %32s %255s ", &e.at_ms, e.serial, e.device) != 3)
		return err_set(ERR_CORRUPT, "unreadable line in the signer's list");
	*out = e;
	return 0;
}

int issued_line_check(const char *line, size_t len, uint64_t seq, uint8_t chain[ISSUED_CHAIN_BYTES],
		      char serial_out[33])
{
	char text[ISSUED_LINE_MAX + 1], hash[CHAIN_HEX + 1];
	uint64_t got;

	if (len > ISSUED_LINE_MAX || len <= CHAIN_HEX || memchr(line, '\0', len))
		return err_set(ERR_CORRUPT, "no line of this list");
	chain_next(chain, line, len - CHAIN_HEX);
	hex_encode(chain, ISSUED_CHAIN_BYTES, hash, sizeof(hash));
	if (memcmp(hash, line + len - CHAIN_HEX, CHAIN_HEX))
		return err_set(ERR_CORRUPT, "its hash does not fit: a line was changed or removed");
	memcpy(text, line, len);
	text[len] = '\0';
	if (sscanf(text, "v1 %" SCNu64 " %*d %32[0-9a-f] ", &got, serial_out) != 2 || got != seq)
		return err_set(ERR_CORRUPT, "its number is not %" PRIu64, seq);
	return 0;
}

static int der_decode(const char *b64, struct buf *store, struct issued_entry *out)
{
	size_t len = strlen(b64), pad = 0, start = store->len;
	uint8_t *at;
	int rc;

	while (pad < 2 && pad < len && b64[len - 1 - pad] == '=')
		pad++;
	rc = len % 4 ? ERR_CORRUPT : buf_reserve(store, len / 4 * 3, &at);
	if (rc || len == 0 || EVP_DecodeBlock(at, (const unsigned char *)b64, (int)len) < 0)
		return err_set(rc ? rc : ERR_CORRUPT, "certificate in the issued list");
	store->len -= pad;
	out->der = store->data + start;
	out->der_len = store->len - start;
	return 0;
}

int issued_line_parse(const char *line, size_t len, struct buf *store, struct issued_entry *out)
{
	char text[ISSUED_LINE_MAX + 1], spki[65], b64[ISSUED_LINE_MAX + 1];
	struct issued_entry e = {0};
	size_t spki_len;
	int rc;

	if (len > ISSUED_LINE_MAX)
		return err_set(ERR_CORRUPT, "line of %zu bytes in the issued list", len);
	memcpy(text, line, len);
	text[len] = '\0';
	if (sscanf(text, "v1 %*u %" SCNd64 " %32s %255s %" SCNd64 " %64s %8192s ", &e.at_ms,
		   e.serial, e.device, &e.not_after_ms, spki, b64) != 6 ||
	    hex_decode(spki, sizeof(e.spki_sha256), e.spki_sha256, &spki_len) || spki_len != 32)
		return err_set(ERR_CORRUPT, "unreadable line in the issued list");
	rc = der_decode(b64, store, &e);
	if (!rc)
		*out = e;
	return rc;
}
