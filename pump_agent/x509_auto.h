/* SPDX-License-Identifier: BSD-2-Clause */
/* OpenSSL's objects of the agent, freed where their scope ends; and its error queue as text. */
#ifndef PUMP_AGENT_X509_AUTO_H
#define PUMP_AGENT_X509_AUTO_H

#include <openssl/bio.h>
#include <openssl/cms.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pkcs12.h>
#include <openssl/x509.h>
#include <openssl/x509_vfy.h>

#include "base/err.h"

static inline void x509_stack_free(STACK_OF(X509) * s)
{
	sk_X509_pop_free(s, X509_free);
}

static inline void ext_stack_free(STACK_OF(X509_EXTENSION) * s)
{
	sk_X509_EXTENSION_pop_free(s, X509_EXTENSION_free);
}

#define AUTO_FREE_BY(type, name, free_fn)        \
	static inline void name##_auto(type **p) \
	{                                        \
		free_fn(*p);                     \
	}                                        \
	extern int name##_auto_takes_a_semicolon_

AUTO_FREE_BY(X509, x509, X509_free);
AUTO_FREE_BY(X509_REQ, x509_req, X509_REQ_free);
AUTO_FREE_BY(X509_STORE, x509_store, X509_STORE_free);
AUTO_FREE_BY(X509_STORE_CTX, x509_store_ctx, X509_STORE_CTX_free);
AUTO_FREE_BY(EVP_PKEY, pkey, EVP_PKEY_free);
AUTO_FREE_BY(BIO, bio, BIO_free_all);
AUTO_FREE_BY(CMS_ContentInfo, cms, CMS_ContentInfo_free);
AUTO_FREE_BY(PKCS12, pkcs12, PKCS12_free);
AUTO_FREE_BY(ASN1_TIME, asn1_time, ASN1_TIME_free);
AUTO_FREE_BY(STACK_OF(X509), x509_stack, x509_stack_free);
AUTO_FREE_BY(STACK_OF(X509_EXTENSION), ext_stack, ext_stack_free);

#define AUTO(type, name) __attribute__((cleanup(name##_auto))) type *
#define AUTO_X509 AUTO(X509, x509)
#define AUTO_X509_REQ AUTO(X509_REQ, x509_req)
#define AUTO_X509_STORE AUTO(X509_STORE, x509_store)
#define AUTO_X509_STORE_CTX AUTO(X509_STORE_CTX, x509_store_ctx)
#define AUTO_PKEY AUTO(EVP_PKEY, pkey)
#define AUTO_BIO AUTO(BIO, bio)
#define AUTO_CMS AUTO(CMS_ContentInfo, cms)
#define AUTO_PKCS12 AUTO(PKCS12, pkcs12)
#define AUTO_TIME AUTO(ASN1_TIME, asn1_time)
#define AUTO_X509S AUTO(STACK_OF(X509), x509_stack)
#define AUTO_EXTENSIONS AUTO(STACK_OF(X509_EXTENSION), ext_stack)

/* Hands over what an AUTO_ variable owns. */
#define TAKE(p)                           \
	({                                \
		__auto_type taken_ = (p); \
		(p) = NULL;               \
		taken_;                   \
	})

/* Drains OpenSSL's error queue into the thread's text, after `what`. ERR_CRYPTO. */
#define err_openssl(what)                                                               \
	({                                                                              \
		unsigned long code_ = ERR_peek_last_error();                            \
		const char *why_ = code_ ? ERR_reason_error_string(code_) : NULL;       \
		err_text_set("%s: %s", (what), why_ ? why_ : "refused by the library"); \
		ERR_clear_error();                                                      \
		ERR_CRYPTO;                                                             \
	})

#endif
