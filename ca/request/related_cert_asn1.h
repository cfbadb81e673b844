/* SPDX-License-Identifier: BSD-2-Clause */
/* The shape of relatedCertRequest, for its two users in ca/ only. */
#ifndef CA_RELATED_CERT_ASN1_H
#define CA_RELATED_CERT_ASN1_H

#include <openssl/asn1t.h>
#include <openssl/pkcs7.h>

#include "ca/request/ossl.h"

/* id-aa-relatedCertRequest, RFC 9763 3.1 */
#define RELATED_CERT_REQUEST_OID "1.2.840.113549.1.9.16.2.60"
/* Pumpgate's binding to the new key: a UUID-based arc needs no registration (X.667). Its value is
 * an OCTET STRING: a signature by the prior key over certID, requestTime and the new key's SPKI. */
#define NEW_KEY_BINDING_OID "2.25.89217601057412708914925782298742014548"

/* RequesterCertificate ::= SEQUENCE { certID IssuerAndSerialNumber, requestTime BinaryTime,
 *     locationInfo UniformResourceIdentifier, signature BIT STRING } */
typedef struct {
	PKCS7_ISSUER_AND_SERIAL *cert_id;
	ASN1_INTEGER *request_time; /* RFC 6019: seconds since 1970 */
	ASN1_TYPE *location_info;   /* not signed, not used: the registry has the certificate */
	ASN1_BIT_STRING *signature;
} REQUESTER_CERTIFICATE;
DECLARE_ASN1_FUNCTIONS(REQUESTER_CERTIFICATE)

/* What the signature of RFC 9763 covers (spki NULL), or the binding's. ERR_CRYPTO, ERR_NOMEM. */
int related_cert_signed_bytes(PKCS7_ISSUER_AND_SERIAL *cert_id, ASN1_INTEGER *request_time,
			      X509_PUBKEY *spki, struct buf *out) MUST_USE;
/* SHA-384 with P-384, SHA-256 with all others. */
const EVP_MD *related_cert_digest(const EVP_PKEY *key);

#endif
