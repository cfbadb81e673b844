/* SPDX-License-Identifier: BSD-2-Clause */
/* Owns base64 in EST bodies and headers. Pure: never does I/O. */
#include "enroll/est/est_base64.h"

#include <string.h>

#define LINE_CHARS 64

static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/* 0-63, or -1. Arithmetic only: what passes here may be a token. */
static int value_of(uint8_t c)
{
	if (c >= 'A' && c <= 'Z')
		return c - 'A';
	if (c >= 'a' && c <= 'z')
		return c - 'a' + 26;
	if (c >= '0' && c <= '9')
		return c - '0' + 52;
	return c == '+' ? 62 : c == '/' ? 63 : -1;
}

struct decoding {
	uint32_t bits;
	unsigned n_chars; /* of the group of four, padding included */
	unsigned n_pad;
	uint8_t *out;
	size_t max;
	size_t len;
};

static int group_put(struct decoding *d)
{
	size_t n = 3 - d->n_pad;
	uint32_t unused = d->n_pad == 2 ? 0xffff : d->n_pad == 1 ? 0xff : 0;

	if (d->bits & unused)
		return err_set(ERR_INVALID, "base64: bits left over at the end");
	if (n > d->max - d->len)
		return err_set(ERR_LIMIT, "base64: more than %zu bytes", d->max);
	for (size_t i = 0; i < n; i++)
		d->out[d->len++] = (uint8_t)(d->bits >> (16 - 8 * i));
	d->bits = 0;
	d->n_chars = 0;
	return 0;
}

static int char_take(struct decoding *d, uint8_t c)
{
	int v = value_of(c);

	if (c == '=') {
		if (d->n_chars < 2)
			return err_set(ERR_INVALID, "base64: misplaced padding");
		d->n_pad++;
		v = 0;
	} else if (v < 0) {
		return err_set(ERR_INVALID, "base64: foreign character 0x%02x", c);
	} else if (d->n_pad) {
		return err_set(ERR_INVALID, "base64: characters after the padding");
	}
	d->bits |= (uint32_t)v << (18 - 6 * d->n_chars);
	return ++d->n_chars == 4 ? group_put(d) : 0;
}

int est_base64_decode(const uint8_t *text, size_t len, uint8_t *out, size_t max, size_t *len_out)
{
	struct decoding d = {.out = out, .max = max};

	for (size_t i = 0; i < len; i++) {
		int rc;

		if (text[i] == ' ' || text[i] == '\t' || text[i] == '\r' || text[i] == '\n')
			continue;
		rc = char_take(&d, text[i]);
		if (rc)
			return rc;
	}
	if (d.n_chars)
		return err_set(ERR_INVALID, "base64: cut short");
	*len_out = d.len;
	return 0;
}

int est_base64_encode(struct buf *out, const uint8_t *data, size_t len, enum est_lines lines)
{
	size_t chars = (len + 2) / 3 * 4;
	size_t n_lines = lines == EST_LINES_OF_64 ? (chars + LINE_CHARS - 1) / LINE_CHARS : 0;
	size_t in_line = 0;
	uint8_t *at;
	int rc = buf_reserve(out, chars + 2 * n_lines, &at);

	if (rc)
		return rc;
	for (size_t i = 0; i < len; i += 3) {
		size_t n = len - i < 3 ? len - i : 3;
		uint32_t bits = (uint32_t)data[i] << 16 | (n > 1 ? (uint32_t)data[i + 1] << 8 : 0) |
				(n > 2 ? data[i + 2] : 0);

		*at++ = (uint8_t)alphabet[bits >> 18];
		*at++ = (uint8_t)alphabet[bits >> 12 & 63];
		*at++ = n > 1 ? (uint8_t)alphabet[bits >> 6 & 63] : '=';
		*at++ = n > 2 ? (uint8_t)alphabet[bits & 63] : '=';
		in_line += 4;
		if (n_lines && (in_line == LINE_CHARS || i + 3 >= len)) {
			*at++ = '\r';
			*at++ = '\n';
			in_line = 0;
		}
	}
	return 0;
}
