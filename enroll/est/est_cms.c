/* SPDX-License-Identifier: BSD-2-Clause */
/* Owns the DER that an EST server sends. Pure: never does I/O, never looks into a certificate. */
#include "enroll/est/est_cms.h"

#include <stdlib.h>
#include <string.h>

#define SEQUENCE 0x30
#define SET_OF 0x31
#define CONTEXT_0 0xa0 /* constructed */

static const uint8_t version_and_digests[] = {
	0x02,	0x01, 0x01, /* CMSVersion 1 */
	SET_OF, 0x00,	    /* no DigestAlgorithmIdentifiers */
};
static const uint8_t encap_content_info[] = {
	SEQUENCE, 0x0b, 0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x07, 0x01, /* data */
};
static const uint8_t signer_infos[] = {SET_OF, 0x00};
static const uint8_t signed_data_oid[] = {
	0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x07, 0x02,
};

/* Octets of a length's encoding. */
static size_t length_size(size_t len)
{
	return len < 0x80 ? 1 : len < 0x100 ? 2 : len < 0x10000 ? 3 : 4;
}

static size_t tlv_size(size_t len)
{
	return 1 + length_size(len) + len;
}

/* Tag and length; `len` is below 2^24, which the caller has checked. */
static int header_put(struct buf *out, uint8_t tag, size_t len)
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

/* X.690 11.6: ascending, the shorter one padded with zero octets. */
static int der_order(const void *a, const void *b)
{
	const struct est_der *x = a, *y = b;
	int order = memcmp(x->data, y->data, x->len < y->len ? x->len : y->len);

	if (order)
		return order;
	return x->len < y->len ? -1 : x->len > y->len;
}

static int certificates_put(struct buf *out, const struct est_der *sorted, size_t n, size_t total)
{
	int rc = header_put(out, CONTEXT_0, total); /* [0] IMPLICIT SET OF */

	for (size_t i = 0; !rc && i < n; i++)
		rc = buf_put(out, sorted[i].data, sorted[i].len);
	return rc;
}

int est_certs_only_build(struct buf *out, const struct est_der *certs, size_t n)
{
	struct est_der sorted[EST_CMS_CERTS_MAX];
	size_t total = 0, inner, signed_data;
	int rc;

	if (n == 0 || n > EST_CMS_CERTS_MAX)
		return err_set(ERR_LIMIT, "%zu certificates for one message", n);
	for (size_t i = 0; i < n; i++) {
		if (certs[i].len > 0x10000)
			return err_set(ERR_LIMIT, "a certificate of %zu bytes", certs[i].len);
		sorted[i] = certs[i];
		total += certs[i].len;
	}
	qsort(sorted, n, sizeof(sorted[0]), der_order);
	inner = sizeof(version_and_digests) + sizeof(encap_content_info) + tlv_size(total) +
		sizeof(signer_infos);
	signed_data = tlv_size(inner); /* inside [0] EXPLICIT */
	if ((rc = header_put(out, SEQUENCE, sizeof(signed_data_oid) + tlv_size(signed_data))) ||
	    (rc = buf_put(out, signed_data_oid, sizeof(signed_data_oid))) ||
	    (rc = header_put(out, CONTEXT_0, signed_data)) ||
	    (rc = header_put(out, SEQUENCE, inner)) ||
	    (rc = buf_put(out, version_and_digests, sizeof(version_and_digests))) ||
	    (rc = buf_put(out, encap_content_info, sizeof(encap_content_info))) ||
	    (rc = certificates_put(out, sorted, n, total)))
		return rc;
	return buf_put(out, signer_infos, sizeof(signer_infos));
}

struct est_der est_csrattrs(void)
{
	static const uint8_t der[] = {
		SEQUENCE,
		0x21,
		/* Attribute: id-ecPublicKey { secp256r1 } */
		SEQUENCE,
		0x15,
		/* 1.2.840.10045.2.1 */
		0x06,
		0x07,
		0x2a,
		0x86,
		0x48,
		0xce,
		0x3d,
		0x02,
		0x01,
		/* SET of 1.2.840.10045.3.1.7 */
		SET_OF,
		0x0a,
		0x06,
		0x08,
		0x2a,
		0x86,
		0x48,
		0xce,
		0x3d,
		0x03,
		0x01,
		0x07,
		/* OID: ecdsa-with-SHA256, 1.2.840.10045.4.3.2 */
		0x06,
		0x08,
		0x2a,
		0x86,
		0x48,
		0xce,
		0x3d,
		0x04,
		0x03,
		0x02,
	};

	return (struct est_der){der, sizeof(der)};
}
