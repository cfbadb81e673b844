/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * OpenSSL objects that free themselves at the end of their scope, and its error queue as error
 * text. Pure glue: knows no certificate rule, does no I/O.
 */
#ifndef CA_OSSL_H
#define CA_OSSL_H

#include <stdint.h>

#include <openssl/bio.h>
#include <openssl/evp.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include "base/buf.h"
#include "base/err.h"

#define OSSL_AUTO(type, name, free_fn)                \
	static inline void name##_auto_free(type **p) \
	{                                             \
		free_fn(*p);                          \
	}
OSSL_AUTO(X509, x509, X509_free)
OSSL_AUTO(X509_REQ, x509_req, X509_REQ_free)
OSSL_AUTO(X509_NAME, x509_name, X509_NAME_free)
OSSL_AUTO(X509_STORE, x509_store, X509_STORE_free)
OSSL_AUTO(X509_STORE_CTX, x509_store_ctx, X509_STORE_CTX_free)
OSSL_AUTO(EVP_PKEY, evp_pkey, EVP_PKEY_free)
OSSL_AUTO(EVP_MD_CTX, evp_md_ctx, EVP_MD_CTX_free)
OSSL_AUTO(BIO, bio, BIO_free_all)
OSSL_AUTO(GENERAL_NAMES, general_names, GENERAL_NAMES_free)
#undef OSSL_AUTO
static inline void x509_extensions_auto_free(STACK_OF(X509_EXTENSION) * *p)
{
	sk_X509_EXTENSION_pop_free(*p, X509_EXTENSION_free);
}
#define AUTO_X509 __attribute__((cleanup(x509_auto_free))) X509 *
#define AUTO_X509_REQ __attribute__((cleanup(x509_req_auto_free))) X509_REQ *
#define AUTO_X509_NAME __attribute__((cleanup(x509_name_auto_free))) X509_NAME *
#define AUTO_X509_STORE __attribute__((cleanup(x509_store_auto_free))) X509_STORE *
#define AUTO_X509_STORE_CTX __attribute__((cleanup(x509_store_ctx_auto_free))) X509_STORE_CTX *
#define AUTO_PKEY __attribute__((cleanup(evp_pkey_auto_free))) EVP_PKEY *
#define AUTO_MD_CTX __attribute__((cleanup(evp_md_ctx_auto_free))) EVP_MD_CTX *
#define AUTO_BIO __attribute__((cleanup(bio_auto_free))) BIO *
#define AUTO_GENERAL_NAMES __attribute__((cleanup(general_names_auto_free))) GENERAL_NAMES *
#define AUTO_X509_EXTENSIONS \
	__attribute__((cleanup(x509_extensions_auto_free))) STACK_OF(X509_EXTENSION) *

/* Hands an owned pointer over: yields it and leaves NULL behind for the cleanup attribute. */
#define OSSL_TAKE(p)                        \
	({                                  \
		__typeof__(p) taken_ = (p); \
		(p) = NULL;                 \
		taken_;                     \
	})

/* As err_set, followed by what OpenSSL says, whose error queue is drained. */
#define err_ossl(code, ...) (ossl_text_set(__VA_ARGS__), (code))
void ossl_text_set(const char *fmt, ...) PRINTF_LIKE(1, 2);

/* One DER certificate with nothing behind it. ERR_INVALID. The caller frees. */
int ossl_cert_parse(const uint8_t *der, size_t len, X509 **out) MUST_USE;
/* The same, and a certification request, whose public key stays the bytes that it is: OpenSSL 3.0
 * turns the key of all that it parses into an object, which costs more than two signatures.
 * X509_get0_pubkey and X509_REQ_get0_pubkey yield NULL afterwards, and X509_verify_cert refuses
 * such a certificate; X509_verify by its issuer's key is as ever. ERR_INVALID, ERR_NOMEM. The
 * caller frees. */
int ossl_cert_parse_plain(const uint8_t *der, size_t len, X509 **out) MUST_USE;
int ossl_request_parse_plain(const uint8_t *der, size_t len, X509_REQ **out) MUST_USE;
/* Gives a certificate that was parsed so the object of its key, which must be the very key.
 * ERR_CRYPTO. */
int ossl_cert_key_set(X509 *cert, EVP_PKEY *key) MUST_USE;
/* Appends the DER form. ERR_LIMIT, ERR_NOMEM, ERR_CRYPTO. */
int ossl_cert_put(struct buf *b, X509 *cert) MUST_USE;
/* SHA-256 of the SubjectPublicKeyInfo in DER. ERR_CRYPTO. */
int ossl_spki_sha256(X509_PUBKEY *spki, uint8_t out[32]) MUST_USE;
/* Lower-case hex of the serial number, as FreeRADIUS shows it. ERR_LIMIT. */
int ossl_serial_hex(const X509 *cert, char *out, size_t size) MUST_USE;
/* The X509_NAME_oneline form, as FreeRADIUS shows it. ERR_LIMIT. */
int ossl_name_oneline(const X509_NAME *name, char *out, size_t size) MUST_USE;
/* The first value of this kind in a name, as UTF-8. ERR_INVALID: none, an empty one, one with a NUL
 * in it or one too long for `size`. */
int ossl_name_value(const X509_NAME *name, int nid, char *out, size_t size) MUST_USE;
/* Milliseconds since 1970 UTC. ERR_INVALID. */
int ossl_time_ms(const ASN1_TIME *t, int64_t *ms_out) MUST_USE;

#endif
