/* SPDX-License-Identifier: BSD-2-Clause */
/* Owns DER's tags and lengths. Pure: never looks at contents. */
#include "enroll/est/der_put.h"

/* Octets of a length's encoding. */
static size_t length_size(size_t len)
{
	return len < 0x80 ? 1 : len < 0x100 ? 2 : len < 0x10000 ? 3 : 4;
}

size_t der_tlv_size(size_t len)
{
	return 1 + length_size(len) + len;
}

int der_header_put(struct buf *out, uint8_t tag, size_t len)
{
	size_t n = length_size(len);
	uint8_t *at;
	int rc = buf_reserve(out, 1 + n, &at);

	if (rc)
		return rc;
	*at++ = tag;
	if (n > 1)
		*at++ = (uint8_t)(0x80 | (n - 1));
	for (size_t shift = n > 1 ? n - 1 : 1; shift-- > 0;)
		*at++ = (uint8_t)(len >> (8 * shift));
	return 0;
}

int der_tlv_put(struct buf *out, uint8_t tag, const void *data, size_t len)
{
	int rc = der_header_put(out, tag, len);

	return rc ? rc : buf_put(out, data, len);
}
