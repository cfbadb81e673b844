/* SPDX-License-Identifier: BSD-2-Clause */
/* Owns the DER that an EST server sends. Pure: never does I/O, never looks into a certificate. */
#include "enroll/est/est_cms.h"

#include <stdlib.h>
#include <string.h>

#include "enroll/est/der_put.h"

static const uint8_t version_and_digests[] = {
	0x02,	    0x01, 0x01, /* CMSVersion 1 */
	DER_SET_OF, 0x00,	/* no DigestAlgorithmIdentifiers */
};
static const uint8_t encap_content_info[] = {
	DER_SEQUENCE, 0x0b, 0x06, 0x09, 0x2a, 0x86, 0x48,
	0x86,	      0xf7, 0x0d, 0x01, 0x07, 0x01, /* data */
};
static const uint8_t signer_infos[] = {DER_SET_OF, 0x00};
static const uint8_t signed_data_oid[] = {
	0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x07, 0x02,
};

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
	int rc = der_header_put(out, DER_CONTEXT_0, total); /* [0] IMPLICIT SET OF */

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
	inner = sizeof(version_and_digests) + sizeof(encap_content_info) + der_tlv_size(total) +
		sizeof(signer_infos);
	signed_data = der_tlv_size(inner); /* inside [0] EXPLICIT */
	if ((rc = der_header_put(out, DER_SEQUENCE,
				 sizeof(signed_data_oid) + der_tlv_size(signed_data))) ||
	    (rc = buf_put(out, signed_data_oid, sizeof(signed_data_oid))) ||
	    (rc = der_header_put(out, DER_CONTEXT_0, signed_data)) ||
	    (rc = der_header_put(out, DER_SEQUENCE, inner)) ||
	    (rc = buf_put(out, version_and_digests, sizeof(version_and_digests))) ||
	    (rc = buf_put(out, encap_content_info, sizeof(encap_content_info))) ||
	    (rc = certificates_put(out, sorted, n, total)))
		return rc;
	return buf_put(out, signer_infos, sizeof(signer_infos));
}
