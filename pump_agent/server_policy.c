/* SPDX-License-Identifier: BSD-2-Clause */
/* Owns what makes a server policy believable. Never follows one that only arrived. */
#include "pump_agent/server_policy.h"

#include <string.h>

#include <jansson.h>

#include "pump_agent/anchors.h"

#define CONTENT_MAX 1024

static void json_auto_free(json_t **j)
{
	json_decref(*j);
}
#define AUTO_JSON __attribute__((cleanup(json_auto_free))) json_t *

static int message_parse(const void *base64, size_t len, CMS_ContentInfo **out)
{
	AUTO_BUF der = {.max = SERVER_POLICY_MAX};
	AUTO_CMS cms = NULL;
	const uint8_t *at;
	int rc;

	if (len > SERVER_POLICY_MAX)
		return err_set(ERR_LIMIT, "server policy: larger than %d bytes", SERVER_POLICY_MAX);
	rc = est_body_decode(base64, len, &der);
	if (rc)
		return rc;
	at = der.data;
	cms = der.len ? d2i_CMS_ContentInfo(NULL, &at, (long)der.len) : NULL;
	if (!cms || at != der.data + der.len ||
	    OBJ_obj2nid(CMS_get0_type(cms)) != NID_pkcs7_signed) {
		ERR_clear_error();
		return err_set(ERR_INVALID, "server policy: not a signed CMS message");
	}
	*out = OSSL_TAKE(cms);
	return 0;
}

/* The server CA gives this purpose to signers of policies alone. */
static bool signs_policies(X509 *cert)
{
	EXTENDED_KEY_USAGE *eku = X509_get_ext_d2i(cert, NID_ext_key_usage, NULL, NULL);
	bool yes = sk_ASN1_OBJECT_num(eku) == 1 &&
		   OBJ_obj2nid(sk_ASN1_OBJECT_value(eku, 0)) == NID_code_sign &&
		   X509_check_ca(cert) == 0 && X509_get_key_usage(cert) == KU_DIGITAL_SIGNATURE;

	EXTENDED_KEY_USAGE_free(eku);
	ERR_clear_error();
	return yes;
}

static int signer_check(CMS_ContentInfo *cms, const STACK_OF(X509) * anchors)
{
	AUTO_X509_STORE store = NULL;
	AUTO_X509_STORE_CTX ctx = X509_STORE_CTX_new();
	STACK_OF(X509) *signers = CMS_get0_signers(cms);
	AUTO_X509S between = CMS_get1_certs(cms); /* trusted for nothing: they may lead to a root */
	X509 *cert = sk_X509_num(signers) == 1 ? sk_X509_value(signers, 0) : NULL;
	int rc = anchors_store(anchors, &store);

	if (!rc && (!cert || !signs_policies(cert)))
		rc = err_set(ERR_CRYPTO,
			     "server policy: signed by a certificate that is not for it");
	else if (!rc && (!ctx || X509_STORE_CTX_init(ctx, store, cert, between) != 1))
		rc = err_ossl(ERR_NOMEM, "server policy");
	else if (!rc && X509_verify_cert(ctx) != 1)
		rc = err_set(ERR_CRYPTO, "server policy: its signer: %s",
			     X509_verify_cert_error_string(X509_STORE_CTX_get_error(ctx)));
	sk_X509_free(signers);
	ERR_clear_error();
	return rc;
}

/* Both or none; numbers for an address, as in a bundle. */
static int logins_parse(json_t *root, struct server_policy *p)
{
	const char *address = "", *name = "";

	if (json_unpack(root, "{s?s, s?s}", "login_server", &address, "login_server_name", &name) ||
	    login_server_check(address, name) ||
	    str_copy(p->login_address, sizeof(p->login_address), address) ||
	    str_copy(p->login_name, sizeof(p->login_name), name))
		return err_set(ERR_INVALID, "server policy: the login server is out of its bounds");
	return 0;
}

static int content_parse(const char *text, size_t len, struct server_policy *out)
{
	AUTO_JSON root = json_loadb(text, len, JSON_REJECT_DUPLICATES, NULL);
	struct server_policy p = {0};
	const char *kind, *name;
	json_int_t number;
	int version;

	if (!root || json_unpack(root, "{s:i, s:s}", "version", &version, "kind", &kind) ||
	    strcmp(kind, "server-policy"))
		return err_set(ERR_INVALID, "server policy: something else was signed");
	if (version != 1)
		return err_set(ERR_NEWER, "server policy: version %d is not of this agent",
			       version);
	if (json_unpack(root, "{s:I, s:s}", "number", &number, "radius_server_name", &name) ||
	    number <= 0 || server_name_check(name) ||
	    str_copy(p.radius_name, sizeof(p.radius_name), name))
		return err_set(ERR_INVALID, "server policy: a value is out of its bounds");
	p.number = (uint64_t)number;
	if (logins_parse(root, &p))
		return ERR_INVALID;
	*out = p;
	return 0;
}

int server_policy_verify(const void *base64, size_t len, const STACK_OF(X509) * anchors,
			 struct server_policy *out)
{
	/* the signer's certificate is judged below, for a purpose that CMS_verify does not know */
	const unsigned flags = CMS_NO_SIGNER_CERT_VERIFY | CMS_BINARY;
	AUTO_BIO content = BIO_new(BIO_s_mem());
	AUTO_CMS cms = NULL;
	char *text;
	long text_len;
	int rc = message_parse(base64, len, &cms);

	if (rc)
		return rc;
	if (!content || CMS_verify(cms, NULL, NULL, NULL, content, flags) != 1)
		return err_ossl(ERR_CRYPTO, "server policy: its signature");
	rc = signer_check(cms, anchors);
	if (rc)
		return rc;
	text_len = BIO_get_mem_data(content, &text);
	if (text_len <= 0 || text_len > CONTENT_MAX)
		return err_set(ERR_LIMIT, "server policy: empty or too long");
	return content_parse(text, (size_t)text_len, out);
}

bool server_policy_take(const struct server_policy *p, uint64_t *number, struct pump_settings *s,
			bool *logins_out)
{
	*logins_out = false;
	if (p->number <= *number)
		return false;
	*number = p->number;
	memcpy(s->radius_name, p->radius_name, sizeof(s->radius_name));
	*logins_out = *p->login_address && (strcmp(p->login_address, s->login_address) ||
					    strcmp(p->login_name, s->login_name));
	if (*logins_out) {
		memcpy(s->login_address, p->login_address, sizeof(s->login_address));
		memcpy(s->login_name, p->login_name, sizeof(s->login_name));
	}
	return true;
}
