/* SPDX-License-Identifier: BSD-2-Clause */
/* Owns making and signing server policies. Never signs text that it did not write itself. */
#include "ca/server_policy.h"

#include <inttypes.h>
#include <string.h>

#include <openssl/cms.h>

#include "base/secret.h"
#include "ca/request/ossl.h"

static void cms_auto_free(CMS_ContentInfo **p)
{
	CMS_ContentInfo_free(*p);
}
#define AUTO_CMS __attribute__((cleanup(cms_auto_free))) CMS_ContentInfo *

#define HOST "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-"

/* Nothing that JSON would have to escape. */
static int word_check(const char *text, const char *of, const char *what)
{
	return *text && strspn(text, of) == strlen(text)
		       ? 0
		       : err_set(ERR_INVALID, "'%.64s' is no %s", text, what);
}

static int content_build(const struct server_policy_terms *p, struct buf *out)
{
	int rc = word_check(p->radius_name, HOST, "host name");

	if (!rc)
		rc = buf_printf(out,
				"{\"version\":1,\"kind\":\"server-policy\",\"number\":%" PRIu64
				",\"radius_server_name\":\"%s\"",
				p->number, p->radius_name);
	if (!rc && p->login_server)
		rc = word_check(p->login_server, HOST "[]:", "address and port");
	if (!rc && p->login_server)
		rc = word_check(p->login_name, HOST, "host name");
	if (!rc && p->login_server)
		rc = buf_printf(out, ",\"login_server\":\"%s\",\"login_server_name\":\"%s\"",
				p->login_server, p->login_name);
	return rc ? rc : buf_put_str(out, "}");
}

/* For just one policy: nobody has to guard its key afterwards. */
static int signer_make(const struct ca_issuer *ca, int64_t now_ms, EVP_PKEY **key_out,
		       X509 **cert_out)
{
	struct ca_terms t = {.kind = CA_KIND_POLICY_LEAF,
			     .common_name = "Pumpgate server policy",
			     .not_before_ms = ca->not_before_ms};
	AUTO_PKEY key = EVP_EC_gen("P-256");
	X509_PUBKEY *spki = NULL;
	int rc = ca_issuer_not_after(ca, now_ms, INT64_MAX / 2, &t.not_after_ms);

	if (rc)
		return rc;
	if (!key || !X509_PUBKEY_set(&spki, key))
		return err_ossl(ERR_CRYPTO, "a key for a policy");
	ca_serial_random(t.serial);
	rc = ca_issue(ca, &t, spki, cert_out);
	X509_PUBKEY_free(spki);
	if (!rc)
		*key_out = OSSL_TAKE(key);
	return rc;
}

static int cms_put(CMS_ContentInfo *cms, struct buf *out)
{
	uint8_t *at;
	int len = i2d_CMS_ContentInfo(cms, NULL);
	int rc;

	if (len <= 0)
		return err_ossl(ERR_CRYPTO, "CMS");
	rc = buf_reserve(out, (size_t)len, &at);
	if (!rc && i2d_CMS_ContentInfo(cms, &at) != len)
		rc = err_ossl(ERR_CRYPTO, "CMS");
	return rc;
}

int server_policy_sign(const struct ca_issuer *server_ca, const struct server_policy_terms *p,
		       X509 *new_with_old, int64_t now_ms, struct buf *out, X509 **cert_out)
{
	const unsigned flags = CMS_BINARY | CMS_NOSMIMECAP;
	AUTO_BUF content = {.max = 1024};
	AUTO_PKEY key = NULL;
	AUTO_X509 cert = NULL;
	AUTO_CMS cms = NULL;
	AUTO_BIO bio = NULL;
	int rc = content_build(p, &content);

	if (rc || (rc = signer_make(server_ca, now_ms, &key, &cert)))
		return rc;
	bio = BIO_new_mem_buf(content.data, (int)content.len);
	cms = bio ? CMS_sign(cert, key, NULL, bio, flags) : NULL;
	/* pumps pin the root: the CA below it may be another one some day */
	if (!cms || CMS_add1_cert(cms, server_ca->cert) != 1 ||
	    (new_with_old && CMS_add1_cert(cms, new_with_old) != 1))
		return err_ossl(ERR_CRYPTO, "signing a policy");
	rc = cms_put(cms, out);
	if (!rc)
		*cert_out = OSSL_TAKE(cert);
	return rc;
}
