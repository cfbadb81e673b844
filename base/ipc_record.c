/* SPDX-License-Identifier: BSD-2-Clause */
/* Owns the wire form of typed records. Pure: no socket, no allocation but the caller's buffer. */
#include "base/ipc_record.h"

#include <string.h>

static void put_u64(uint8_t *out, uint64_t v)
{
	for (int i = 0; i < 8; i++)
		out[i] = (uint8_t)(v >> (56 - 8 * i));
}

static uint64_t get_u64(const uint8_t *in)
{
	uint64_t v = 0;

	for (int i = 0; i < 8; i++)
		v = v << 8 | in[i];
	return v;
}

/* The field's bytes; integers are rendered into `scratch`. A zero field yields no bytes. */
static int field_bytes(const struct record_field *f, const void *record, uint8_t scratch[8],
		       const uint8_t **out, size_t *len_out)
{
	const uint8_t *at = (const uint8_t *)record + f->offset;
	const struct record_blob *blob;
	uint64_t v = 0;
	uint32_t u32;

	switch (f->type) {
	case RECORD_STR:
		*out = at;
		*len_out = strnlen((const char *)at, f->size);
		if (*len_out == f->size)
			return err_set(ERR_INTERNAL, "field %s has no end", f->name);
		return 0;
	case RECORD_BLOB:
	case RECORD_HIDE:
		blob = (const struct record_blob *)(const void *)at;
		if (blob->len > f->size)
			return err_set(ERR_INTERNAL, "field %s is too long", f->name);
		*out = blob->data;
		*len_out = blob->len;
		return 0;
	case RECORD_BOOL:
		v = *(const bool *)(const void *)at;
		break;
	case RECORD_U32:
		memcpy(&u32, at, sizeof(u32));
		v = u32;
		break;
	case RECORD_U64:
	case RECORD_TIME:
		memcpy(&v, at, sizeof(v));
		break;
	}
	put_u64(scratch, v);
	*out = scratch;
	*len_out = v ? 8 : 0;
	return 0;
}

int record_put(struct buf *b, const struct record_desc *d, const void *record)
{
	size_t start = b->len;
	int rc = buf_put_u32(b, 0);

	for (size_t i = 0; !rc && i < d->n_fields; i++) {
		uint8_t scratch[8];
		const uint8_t *bytes;
		size_t len;

		rc = field_bytes(&d->fields[i], record, scratch, &bytes, &len);
		if (rc || len == 0)
			continue;
		rc = buf_put_u8(b, (uint8_t)(i + 1));
		if (!rc)
			rc = buf_put_u32(b, (uint32_t)len);
		if (!rc)
			rc = buf_put(b, bytes, len);
	}
	if (rc) {
		b->len = start;
		return err_add(rc, "record %s", d->name);
	}
	for (int i = 0; i < 4; i++)
		b->data[start + (size_t)i] = (uint8_t)((b->len - start - 4) >> (24 - 8 * i));
	return 0;
}

static int field_store(const struct record_field *f, const uint8_t *bytes, size_t len, void *record)
{
	uint8_t *at = (uint8_t *)record + f->offset;
	struct record_blob *blob;
	uint64_t v;
	uint32_t u32;

	switch (f->type) {
	case RECORD_STR:
		if (len >= f->size || memchr(bytes, 0, len))
			return err_set(ERR_INVALID, "field %s: too long or with a NUL", f->name);
		memcpy(at, bytes, len);
		return 0;
	case RECORD_BLOB:
	case RECORD_HIDE:
		if (len > f->size)
			return err_set(ERR_INVALID, "field %s: too long", f->name);
		blob = (struct record_blob *)(void *)at;
		blob->len = (uint32_t)len;
		memcpy(blob->data, bytes, len);
		return 0;
	case RECORD_BOOL:
	case RECORD_U32:
	case RECORD_U64:
	case RECORD_TIME:
		break;
	}
	if (len != 8)
		return err_set(ERR_INVALID, "field %s: not an integer", f->name);
	v = get_u64(bytes);
	if ((f->type == RECORD_BOOL && v > 1) || (f->type == RECORD_U32 && v > UINT32_MAX))
		return err_set(ERR_INVALID, "field %s: out of range", f->name);
	u32 = (uint32_t)v;
	if (f->type == RECORD_BOOL)
		*(bool *)(void *)at = v != 0;
	else if (f->type == RECORD_U32)
		memcpy(at, &u32, sizeof(u32));
	else
		memcpy(at, &v, sizeof(v));
	return 0;
}

int record_get(struct cursor *c, const struct record_desc *d, void *record)
{
	struct cursor body;
	const uint8_t *bytes;
	uint32_t len;
	uint8_t number, last = 0;

	if (cursor_u32(c, &len) || cursor_bytes(c, len, &bytes))
		return err_add(ERR_INVALID, "record %s", d->name);
	memset(record, 0, d->size);
	body = cursor_of(bytes, len);
	while (body.left) {
		if (cursor_u8(&body, &number) || cursor_u32(&body, &len) ||
		    cursor_bytes(&body, len, &bytes))
			return err_add(ERR_INVALID, "record %s", d->name);
		if (number <= last || number > d->n_fields)
			return err_set(ERR_INVALID, "record %s: field %u unknown or repeated",
				       d->name, number);
		if (field_store(&d->fields[number - 1], bytes, len, record))
			return err_add(ERR_INVALID, "record %s", d->name);
		last = number;
	}
	return 0;
}
