/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * CA keys that stay in a PKCS#11 token (an HSM; SoftHSM in tests), through the OpenSSL provider
 * "pkcs11" (Debian: pkcs11-provider). Why the provider: docs/decisions/0121-key-custody.md.
 */
#ifndef CA_PKCS11_H
#define CA_PKCS11_H

#include "ca/key_access.h"
#include "ca/request/ossl.h"

#define PKCS11_URI_MAX 1024

/* RFC 7512 with an object or id, without pin-value, pin-source, module-name or module-path: those
 * are settings, or secrets. Pure. ERR_INVALID. */
int pkcs11_uri_check(const char *uri) MUST_USE;

/* The private key that the URI names: exactly one. The first call of a process loads provider and
 * module; nothing of them may be needed first when the caller is caged. The PIN is given once, so
 * that a wrong one costs one try of the token's. Safe to use from many threads afterwards. Blocks.
 * ERR_INVALID, ERR_NOT_FOUND, ERR_DENIED (no PIN, no module set), ERR_CRYPTO. Caller frees. */
int pkcs11_key_load(const char *uri, const struct key_access *a, EVP_PKEY **out) MUST_USE;

#endif
