/* SPDX-License-Identifier: BSD-2-Clause */
/* Owns the DER of /csrattrs. Pure: never knows whether a device exists. */
#include "enroll/est/est_csrattrs.h"

#include <stdio.h>
#include <string.h>

#include "enroll/est/der_put.h"

#define GENERAL_NAME_URI 0x86 /* [6] IMPLICIT IA5String */
#define URN_SIZE 128

static const uint8_t ec_public_key[] = {0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01};
static const uint8_t rsa_encryption[] = {0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x01};
static const uint8_t secp256r1[] = {0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07};
static const uint8_t secp384r1[] = {0x2b, 0x81, 0x04, 0x00, 0x22};
static const uint8_t ecdsa_sha256[] = {0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04, 0x03, 0x02};
static const uint8_t ecdsa_sha384[] = {0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04, 0x03, 0x03};
static const uint8_t rsa_sha256[] = {0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x0b};
static const uint8_t rsa_2048[] = {0x08, 0x00}; /* INTEGER contents */
static const uint8_t rsa_3072[] = {0x0c, 0x00};
static const uint8_t rsa_4096[] = {0x10, 0x00};
static const uint8_t challenge_password[] = {0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x09, 0x07};
static const uint8_t extension_request[] = {0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x09, 0x0e};
static const uint8_t subject_alt_name[] = {0x55, 0x1d, 0x11};

#define BYTES(a) (a), sizeof(a)

static const struct {
	const uint8_t *family, *detail, *signature;
	uint8_t family_len, detail_len, signature_len, detail_tag;
} keys[] = {
#define KEY(f, d, s, tag)                                             \
	{                                                             \
		(f), (d), (s), sizeof(f), sizeof(d), sizeof(s), (tag) \
	}
	[EST_KEY_ANY] = KEY(ec_public_key, secp256r1, ecdsa_sha256, DER_OID),
	[EST_KEY_EC_P256] = KEY(ec_public_key, secp256r1, ecdsa_sha256, DER_OID),
	[EST_KEY_EC_P384] = KEY(ec_public_key, secp384r1, ecdsa_sha384, DER_OID),
	[EST_KEY_RSA_2048] = KEY(rsa_encryption, rsa_2048, rsa_sha256, DER_INTEGER),
	[EST_KEY_RSA_3072] = KEY(rsa_encryption, rsa_3072, rsa_sha256, DER_INTEGER),
	[EST_KEY_RSA_4096] = KEY(rsa_encryption, rsa_4096, rsa_sha256, DER_INTEGER),
#undef KEY
};

/* Attribute ::= SEQUENCE { type OID, values SET OF one element `value` } */
static int attribute_put(struct buf *out, const uint8_t *type, size_t type_len,
			 const struct buf *value)
{
	size_t inner = der_tlv_size(type_len) + der_tlv_size(value->len);
	int rc = der_header_put(out, DER_SEQUENCE, inner);

	if (!rc)
		rc = der_tlv_put(out, DER_OID, type, type_len);
	return rc ? rc : der_tlv_put(out, DER_SET_OF, value->data, value->len);
}

static int key_put(struct buf *out, enum est_key key)
{
	AUTO_BUF detail = {.max = EST_CSRATTRS_MAX};
	int rc = der_tlv_put(&detail, keys[key].detail_tag, keys[key].detail, keys[key].detail_len);

	if (!rc)
		rc = attribute_put(out, keys[key].family, keys[key].family_len, &detail);
	if (!rc)
		rc = der_tlv_put(out, DER_OID, keys[key].signature, keys[key].signature_len);
	return rc;
}

/* Puts another header around what is there. */
static int wrap(struct buf *b, uint8_t tag)
{
	AUTO_BUF whole = {.max = b->max};
	int rc = der_tlv_put(&whole, tag, b->data, b->len);

	if (rc)
		return rc;
	buf_reset(b);
	return buf_put(b, whole.data, whole.len);
}

/* RFC 9908 3.2: extensionReq's value is an Extensions with the values that the server wants:
 * SEQUENCE { SEQUENCE { subjectAltName, OCTET STRING { SEQUENCE { [6] URN } } } } */
static int name_put(struct buf *out, const char *device)
{
	AUTO_BUF names = {.max = EST_CSRATTRS_MAX};
	AUTO_BUF extension = {.max = EST_CSRATTRS_MAX};
	char urn[URN_SIZE];
	int rc, len = snprintf(urn, sizeof(urn), "urn:pumpgate:pump:%s", device);

	if (len < 0 || (size_t)len >= sizeof(urn))
		return err_set(ERR_LIMIT, "a pump's name is too long");
	if ((rc = der_tlv_put(&names, GENERAL_NAME_URI, urn, (size_t)len)) ||
	    (rc = wrap(&names, DER_SEQUENCE)) || (rc = wrap(&names, DER_OCTETS)) ||
	    (rc = der_tlv_put(&extension, DER_OID, BYTES(subject_alt_name))) ||
	    (rc = buf_put(&extension, names.data, names.len)) ||
	    (rc = wrap(&extension, DER_SEQUENCE)) || (rc = wrap(&extension, DER_SEQUENCE)))
		return rc;
	return attribute_put(out, BYTES(extension_request), &extension);
}

int est_csrattrs_build(struct buf *out, const struct est_profile *profile, const char *device)
{
	AUTO_BUF attrs = {.max = EST_CSRATTRS_MAX};
	int rc = key_put(&attrs, profile->key);

	if (!rc && profile->is_bound)
		rc = der_tlv_put(&attrs, DER_OID, BYTES(challenge_password));
	if (!rc && *device)
		rc = name_put(&attrs, device);
	return rc ? rc : der_tlv_put(out, DER_SEQUENCE, attrs.data, attrs.len);
}
