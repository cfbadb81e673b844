/* SPDX-License-Identifier: BSD-2-Clause */
/* Owns the walk over the DER of a TLS session. Pure; trusts no length. */
#include "radius_modules/rlm_pump/tls_session_strip.h"

#define TAG_INTEGER 0x02
#define TAG_SEQUENCE 0x30
#define TAG_PEER 0xa3 /* [3], constructed */

struct element {
	uint8_t tag;
	const uint8_t *all; /* with tag and length */
	size_t all_len;
	const uint8_t *body;
	size_t body_len;
};

/* One DER element with a single-byte tag and a definite length of up to four bytes. */
static int element_take(struct cursor *c, struct element *e)
{
	const uint8_t *start = c->at;
	uint8_t first, byte;
	uint32_t len = 0;

	if (cursor_u8(c, &e->tag) || (e->tag & 0x1f) == 0x1f || cursor_u8(c, &first))
		return ERR_INVALID;
	if (first < 0x80) {
		len = first;
	} else if (first == 0x80 || first > 0x84) {
		return ERR_INVALID;
	} else {
		for (int i = 0; i < (first & 0x7f); i++) {
			if (cursor_u8(c, &byte))
				return ERR_INVALID;
			len = len << 8 | byte;
		}
	}
	if (cursor_bytes(c, len, &e->body))
		return ERR_INVALID;
	e->body_len = len;
	e->all = start;
	e->all_len = (size_t)(c->at - start);
	return 0;
}

static int put_sequence_head(struct buf *out, size_t len)
{
	int rc = buf_put_u8(out, TAG_SEQUENCE);

	if (rc)
		return rc;
	if (len < 0x80)
		return buf_put_u8(out, (uint8_t)len);
	if (len > UINT16_MAX)
		return err_set(ERR_LIMIT, "a TLS session of %zu bytes", len);
	if (len < 0x100)
		return (rc = buf_put_u8(out, 0x81)) ? rc : buf_put_u8(out, (uint8_t)len);
	return (rc = buf_put_u8(out, 0x82)) ? rc : buf_put_u16(out, (uint16_t)len);
}

/* The second element is the protocol version. */
static int version_take(const struct element *e, uint32_t *out)
{
	if (e->tag != TAG_INTEGER || e->body_len == 0 || e->body_len > 3)
		return ERR_INVALID;
	*out = 0;
	for (size_t i = 0; i < e->body_len; i++)
		*out = *out << 8 | e->body[i];
	return 0;
}

int tls_session_strip(const uint8_t *der, size_t len, struct buf *out, uint32_t *version_out)
{
	AUTO_BUF kept = {.max = out->max};
	struct cursor c = cursor_of(der, len);
	struct element e;
	uint32_t version = 0;
	size_t n = 0;
	int rc = 0;

	if (element_take(&c, &e) || e.tag != TAG_SEQUENCE || c.left)
		return err_set(ERR_INVALID, "not a TLS session");
	c = cursor_of(e.body, e.body_len);
	for (; c.left; n++) {
		if (element_take(&c, &e) || (n == 1 && version_take(&e, &version)))
			return err_set(ERR_INVALID, "not a TLS session");
		if (e.tag != TAG_PEER && (rc = buf_put(&kept, e.all, e.all_len)))
			return rc;
	}
	if (n < 2)
		return err_set(ERR_INVALID, "not a TLS session");
	if ((rc = put_sequence_head(out, kept.len)) || (rc = buf_put(out, kept.data, kept.len)))
		return rc;
	*version_out = version;
	return 0;
}
