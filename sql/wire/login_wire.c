/* SPDX-License-Identifier: BSD-2-Clause */
/* Owns the field lists of the login blobs and the row of items around them. Never a socket. */
#include "sql/wire/login_wire.h"

RECORD_DESCRIBE(login_state, LOGIN_STATE_FIELDS)
RECORD_DESCRIBE(login_record, LOGIN_RECORD_FIELDS)
RECORD_DESCRIBE(login_tombstone, LOGIN_TOMBSTONE_FIELDS)
RECORD_DESCRIBE(login_terms, LOGIN_TERMS_FIELDS)
RECORD_DESCRIBE(login_grant, LOGIN_GRANT_FIELDS)
RECORD_DESCRIBE(login_keeping, LOGIN_KEEPING_FIELDS)
RECORD_DESCRIBE(login_refusal, LOGIN_REFUSAL_FIELDS)

int login_item_put(struct buf *b, uint8_t kind, const struct record_desc *d, const void *record)
{
	size_t before = b->len;
	int rc = buf_put_u8(b, kind);

	if (!rc)
		rc = record_put(b, d, record);
	if (rc)
		b->len = before;
	return rc;
}

int login_item_next(struct cursor *blob, uint8_t *kind_out, struct cursor *record_out)
{
	struct cursor look = *blob;
	const uint8_t *start;
	uint32_t len;
	uint8_t kind;

	if (look.left == 0)
		return 0;
	if (cursor_u8(&look, &kind))
		return err_set(ERR_INVALID, "an item is cut short");
	start = look.at;
	if (cursor_u32(&look, &len) || look.left < len)
		return err_set(ERR_INVALID, "an item is cut short");
	*record_out = cursor_of(start, (size_t)len + 4);
	*kind_out = kind;
	*blob = cursor_of(look.at + len, look.left - len);
	return 1;
}
