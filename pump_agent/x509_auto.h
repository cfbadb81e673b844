/* SPDX-License-Identifier: BSD-2-Clause */
/* OpenSSL objects that only the agent uses, freed where their scope ends. */
#ifndef PUMP_AGENT_X509_AUTO_H
#define PUMP_AGENT_X509_AUTO_H

#include <openssl/cms.h>
#include <openssl/err.h>
#include <openssl/pkcs12.h>

#include "ca/request/ossl.h"

static inline void x509s_auto_free(STACK_OF(X509) * *p)
{
	sk_X509_pop_free(*p, X509_free);
}
static inline void cms_auto_free(CMS_ContentInfo **p)
{
	CMS_ContentInfo_free(*p);
}
static inline void pkcs12_auto_free(PKCS12 **p)
{
	PKCS12_free(*p);
}
#define AUTO_X509S __attribute__((cleanup(x509s_auto_free))) STACK_OF(X509) *
#define AUTO_CMS __attribute__((cleanup(cms_auto_free))) CMS_ContentInfo *
#define AUTO_PKCS12 __attribute__((cleanup(pkcs12_auto_free))) PKCS12 *

#endif
