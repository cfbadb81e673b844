/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Keys and certificates of the CAs in files. A key file has mode 0600 and is owned by the user that
 * reads it (root may read its service's); anything looser is refused, since then the key can't be
 * called ours. It holds one of:
 *   - the private key in PKCS#8 PEM;
 *   - the same, encrypted (PBES2 with scrypt and AES-256, RFC 7914; `openssl pkey` reads it);
 *   - one line "pkcs11:...": the key stays in a token (ca/pkcs11.h).
 * All calls block on the disk, and those that open a key on what opens it.
 */
#ifndef CA_KEYSTORE_H
#define CA_KEYSTORE_H

#include "ca/key_access.h"
#include "ca/request/ossl.h"

enum keystore_form { KEYSTORE_NONE = 0, KEYSTORE_PLAIN, KEYSTORE_ENCRYPTED, KEYSTORE_PKCS11 };
/* "none", "file", "encrypted", "pkcs11"; never NULL. */
const char *keystore_form_name(enum keystore_form form);

/* ERR_NOT_FOUND, ERR_DENIED (mode or owner; passphrase or PIN missing), ERR_IO, ERR_CRYPTO (no such
 * key in it, or a wrong passphrase). `access` NULL: plain files only. Caller frees. */
int keystore_key_read(const char *path, const struct key_access *access, EVP_PKEY **out) MUST_USE;
/* What the file holds, without opening the key; detail_out is the URI of a key in a token, else "".
 * KEYSTORE_NONE is success too: there is no such file. */
int keystore_key_form(const char *path, enum keystore_form *out, char detail_out[1025]) MUST_USE;

/* Creates the file: ERR_EXISTS when there is one, which stays as it is. ERR_IO, ERR_FULL. */
int keystore_key_write(const char *path, EVP_PKEY *key) MUST_USE;

/* Replaces the file by another form of the same key; what is written is first read back and proven
 * to be that key. A plain file's old content is overwritten, as far as a disk does that.
 * KEYSTORE_PLAIN, KEYSTORE_ENCRYPTED: `key` must be in memory (ERR_DENIED for one in a token), and
 * the passphrase comes from `access`. KEYSTORE_PKCS11: `uri` must name the same key (ERR_CONFLICT).
 * ERR_UNCHANGED: it is that URI already. */
int keystore_key_protect(const char *path, EVP_PKEY *key, enum keystore_form form,
			 const struct key_access *access, const char *uri) MUST_USE;

/* The first certificate of a PEM file. ERR_NOT_FOUND, ERR_IO, ERR_CRYPTO. Caller frees. */
int keystore_cert_read(const char *path, X509 **out) MUST_USE;
/* Replaces the file atomically, with `mode`, by these certificates in PEM. ERR_IO, ERR_FULL. */
int keystore_certs_write(const char *path, unsigned mode, X509 *const *certs, size_t n) MUST_USE;

#endif
