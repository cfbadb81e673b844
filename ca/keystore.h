/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Keys and certificates of the CAs in files. A private key is a PKCS#8 PEM file, mode 0600, owned
 * by the user that reads it (root may read its service's); anything looser is refused, since then
 * the key can't be called ours. All calls block on the disk.
 */
#ifndef CA_KEYSTORE_H
#define CA_KEYSTORE_H

#include "ca/request/ossl.h"

/* ERR_NOT_FOUND, ERR_DENIED (mode or owner), ERR_IO, ERR_CRYPTO (no such key in it). Caller frees.
 */
int keystore_key_read(const char *path, EVP_PKEY **out) MUST_USE;
/* Creates the file: ERR_EXISTS when there is one, which stays as it is. ERR_IO, ERR_FULL. */
int keystore_key_write(const char *path, EVP_PKEY *key) MUST_USE;

/* The first certificate of a PEM file. ERR_NOT_FOUND, ERR_IO, ERR_CRYPTO. Caller frees. */
int keystore_cert_read(const char *path, X509 **out) MUST_USE;
/* Replaces the file atomically, with `mode`, by these certificates in PEM. ERR_IO, ERR_FULL. */
int keystore_certs_write(const char *path, unsigned mode, X509 *const *certs, size_t n) MUST_USE;

#endif
