/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Proof, inside a certification request, that the asker holds the key of an earlier certificate:
 * RFC 9763's relatedCertRequest attribute, and one of our own that ties the proof to the new key.
 *
 * RFC 9763 3.1 signs certID and requestTime only: who sees one request (a TLS front end that was
 * broken into) could move its attribute to a request for another key while it is fresh. Pumpgate's
 * attribute therefore signs the same two and the new SubjectPublicKeyInfo; both must verify.
 *
 * Pure; linked by the pump agent (adds) and the signer (checks).
 */
#ifndef CA_RELATED_CERT_REQUEST_H
#define CA_RELATED_CERT_REQUEST_H

#include <stdint.h>

#include "ca/request/ossl.h"

/* How far requestTime may be from the signer's clock, either way. A repeated proof can only ask
 * again for the same key, so the window allows for pumps with poor clocks. */
#define RELATED_CERT_WINDOW_MS (INT64_C(24) * 3600 * 1000)

/* Adds both attributes to `req`, whose public key must be set already; call before X509_REQ_sign.
 * prior_key is the key of `prior`: EC or RSA, from any provider (a TPM too: two signatures).
 * ERR_CRYPTO, ERR_NOMEM. */
int related_cert_request_add(X509_REQ *req, X509 *prior, EVP_PKEY *prior_key,
			     int64_t now_ms) MUST_USE;

/* Whether `req` proves that its new key is wanted by the holder of `prior`.
 *   ERR_NOT_FOUND  no such attribute   ERR_INVALID  malformed or there twice
 *   ERR_DENIED     names another certificate, or a signature does not verify
 *   ERR_EXPIRED    requestTime is outside the window */
int related_cert_request_check(X509_REQ *req, X509 *prior, int64_t now_ms) MUST_USE;

#endif
