/* SPDX-License-Identifier: BSD-2-Clause */
/* Keys, requests and certificates of RadSec NAS as pumpctl handles them. Only files; no service. */
#ifndef ENROLL_PUMPCTL_NAS_CERT_H
#define ENROLL_PUMPCTL_NAS_CERT_H

#include "base/buf.h"
#include "sql/proto/registry_records.h"

/* The request in a file, PEM or DER, as DER; `spki_out` gets the SHA-256 of its public key.
 * ERR_NOT_FOUND, ERR_IO, ERR_INVALID. */
int nas_csr_read(const char *path, struct buf *der, uint8_t spki_out[32]) MUST_USE;

/* A request for the P-256 key in the file `path`, which is made (mode 0600) if it is not there; an
 * existing key is used as it is. ERR_IO, ERR_INVALID, ERR_CRYPTO. */
int nas_csr_make(const char *path, struct buf *der, uint8_t spki_out[32]) MUST_USE;

/* What the registry needs to know of the certificate out->der, from that itself; fills in issuer,
 * serial, times and key. ERR_INVALID. */
int nas_cert_describe(struct nas_cert *out) MUST_USE;

/* The certificate in PEM. ERR_INVALID, ERR_LIMIT. */
int nas_cert_pem(const struct nas_cert *c, struct buf *out) MUST_USE;

#endif
