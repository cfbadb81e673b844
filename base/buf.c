/* SPDX-License-Identifier: BSD-2-Clause */
/* Owns bounded byte buffers and cursors. Never knows what the bytes mean. */
#include "base/buf.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <sodium.h>

void buf_init(struct buf *b, size_t max)
{
	*b = (struct buf){.max = max};
}

void buf_done(struct buf *b)
{
	if (b->data) {
		sodium_memzero(b->data, b->cap);
		free(b->data);
	}
	*b = (struct buf){.max = b->max};
}

void buf_reset(struct buf *b)
{
	if (b->data)
		sodium_memzero(b->data, b->len);
	b->len = 0;
}

/* Room for `extra` more bytes; `slack` is memory that does not count against max. */
static int grow(struct buf *b, size_t extra, size_t slack)
{
	size_t want, cap;
	uint8_t *fresh;

	if (extra > b->max - b->len)
		return err_set(ERR_LIMIT, "more than %zu bytes", b->max);
	want = b->len + extra + slack;
	if (want <= b->cap)
		return 0;
	cap = b->cap ? b->cap : 64;
	while (cap < want)
		cap *= 2;
	if (cap > b->max + 1)
		cap = b->max + 1;
	fresh = malloc(cap); /* not realloc: the old copy must be wiped */
	if (!fresh)
		return err_set(ERR_NOMEM, "no memory for %zu bytes", cap);
	if (b->data) {
		memcpy(fresh, b->data, b->len);
		sodium_memzero(b->data, b->cap);
		free(b->data);
	}
	b->data = fresh;
	b->cap = cap;
	return 0;
}

int buf_reserve(struct buf *b, size_t len, uint8_t **out)
{
	int rc = grow(b, len, 0);

	if (rc)
		return rc;
	*out = b->data ? b->data + b->len : NULL;
	b->len += len;
	return 0;
}

int buf_put(struct buf *b, const void *data, size_t len)
{
	int rc;

	if (len == 0)
		return 0;
	rc = grow(b, len, 0);
	if (rc)
		return rc;
	memcpy(b->data + b->len, data, len);
	b->len += len;
	return 0;
}

int buf_put_u8(struct buf *b, uint8_t v)
{
	return buf_put(b, &v, 1);
}

int buf_put_u16(struct buf *b, uint16_t v)
{
	uint8_t raw[2] = {v >> 8, v & 0xff};

	return buf_put(b, raw, sizeof(raw));
}

int buf_put_u32(struct buf *b, uint32_t v)
{
	uint8_t raw[4] = {v >> 24, (v >> 16) & 0xff, (v >> 8) & 0xff, v & 0xff};

	return buf_put(b, raw, sizeof(raw));
}

int buf_put_u64(struct buf *b, uint64_t v)
{
	uint8_t raw[8];

	for (int i = 0; i < 8; i++)
		raw[i] = (v >> (56 - 8 * i)) & 0xff;
	return buf_put(b, raw, sizeof(raw));
}

int buf_put_str(struct buf *b, const char *s)
{
	return buf_put(b, s, strlen(s));
}

int buf_printf(struct buf *b, const char *fmt, ...)
{
	va_list ap;
	int need, rc;

	va_start(ap, fmt);
	need = vsnprintf(NULL, 0, fmt, ap);
	va_end(ap);
	if (need < 0)
		return err_set(ERR_INTERNAL, "bad format");
	rc = grow(b, (size_t)need, 1);
	if (rc)
		return rc;
	va_start(ap, fmt);
	vsnprintf((char *)b->data + b->len, (size_t)need + 1, fmt, ap);
	va_end(ap);
	b->len += (size_t)need;
	return 0;
}

const char *buf_cstr(struct buf *b)
{
	if (grow(b, 0, 1))
		return NULL;
	b->data[b->len] = '\0';
	return (const char *)b->data;
}

struct cursor cursor_of(const void *data, size_t len)
{
	return (struct cursor){.at = data, .left = len};
}

int cursor_bytes(struct cursor *c, size_t len, const uint8_t **out)
{
	if (len > c->left)
		return err_set(ERR_INVALID, "%zu bytes needed, %zu left", len, c->left);
	*out = c->at;
	c->at += len;
	c->left -= len;
	return 0;
}

static int cursor_int(struct cursor *c, size_t width, uint64_t *out)
{
	const uint8_t *raw;
	uint64_t v = 0;
	int rc = cursor_bytes(c, width, &raw);

	if (rc)
		return rc;
	for (size_t i = 0; i < width; i++)
		v = v << 8 | raw[i];
	*out = v;
	return 0;
}

int cursor_u8(struct cursor *c, uint8_t *out)
{
	uint64_t v;
	int rc = cursor_int(c, 1, &v);

	if (!rc)
		*out = (uint8_t)v;
	return rc;
}

int cursor_u16(struct cursor *c, uint16_t *out)
{
	uint64_t v;
	int rc = cursor_int(c, 2, &v);

	if (!rc)
		*out = (uint16_t)v;
	return rc;
}

int cursor_u32(struct cursor *c, uint32_t *out)
{
	uint64_t v;
	int rc = cursor_int(c, 4, &v);

	if (!rc)
		*out = (uint32_t)v;
	return rc;
}

int cursor_u64(struct cursor *c, uint64_t *out)
{
	return cursor_int(c, 8, out);
}

void hex_encode(const uint8_t *data, size_t len, char *out, size_t out_size)
{
	sodium_bin2hex(out, out_size, data, len);
}

int hex_decode(const char *hex, size_t max, uint8_t *out, size_t *len_out)
{
	size_t hex_len = strlen(hex), got;
	const char *end;

	if (hex_len % 2)
		return err_set(ERR_INVALID, "hex text has an odd length");
	if (hex_len / 2 > max)
		return err_set(ERR_LIMIT, "hex text is longer than %zu bytes", max);
	if (sodium_hex2bin(out, max, hex, hex_len, NULL, &got, &end) || got != hex_len / 2)
		return err_set(ERR_INVALID, "not hex text");
	*len_out = got;
	return 0;
}

int str_copy(char *dst, size_t size, const char *src)
{
	size_t len = strlen(src);

	if (len >= size) {
		if (size)
			dst[0] = '\0';
		return err_set(ERR_LIMIT, "text of %zu bytes is longer than %zu", len,
			       size ? size - 1 : 0);
	}
	memcpy(dst, src, len + 1);
	return 0;
}
