/* SPDX-License-Identifier: BSD-2-Clause */
/* Owns the moment of signing. Never lets a CA's key touch what has not been judged before. */
#include <string.h>

#include <openssl/core_names.h>

#include "ca/lint.h"

#define CERT_DER_MAX_BYTES 16384

int ca_rehearsal_key_new(const EVP_PKEY *like, EVP_PKEY **out)
{
	char group[64];
	size_t len;

	if (EVP_PKEY_get_base_id(like) == EVP_PKEY_RSA)
		*out = EVP_RSA_gen((unsigned)EVP_PKEY_get_bits(like));
	else if (EVP_PKEY_get_group_name(like, group, sizeof(group), &len))
		*out = EVP_EC_gen(group);
	else
		return err_ossl(ERR_CRYPTO, "a CA key that is neither EC nor RSA");
	return *out ? 0 : err_ossl(ERR_CRYPTO, "key for rehearsals");
}

static int sign_and_read(X509 *draft, EVP_PKEY *key, X509 **out)
{
	AUTO_BUF der = {.max = CERT_DER_MAX_BYTES};
	int rc;

	if (!X509_sign(draft, key, EVP_sha256()))
		return err_ossl(ERR_CRYPTO, "signing");
	rc = ossl_cert_put(&der, draft);
	return rc ? rc : ossl_cert_parse(der.data, der.len, out);
}

static bool same_body(X509 *a, X509 *b)
{
	unsigned char *x = NULL, *y = NULL;
	int x_len = i2d_re_X509_tbs(a, &x), y_len = i2d_re_X509_tbs(b, &y);
	bool same = x_len > 0 && x_len == y_len && !memcmp(x, y, (size_t)x_len);

	OPENSSL_free(x);
	OPENSSL_free(y);
	return same;
}

int ca_sign_judged(X509 *draft, const struct ca_terms *t, X509 *issuer, EVP_PKEY *rehearsal,
		   EVP_PKEY *key, X509 **out)
{
	AUTO_X509 judged = NULL;
	AUTO_X509 fresh = NULL;
	int rc;

	if ((rc = sign_and_read(draft, rehearsal, &judged)) ||
	    (rc = ca_lint(t->kind, issuer, judged)) || (rc = ca_profile_check(draft, judged)) ||
	    (rc = sign_and_read(draft, key, &fresh)))
		return rc;
	if (!same_body(judged, fresh))
		return err_set(ERR_INTERNAL, "what was signed is not what was judged");
	*out = OSSL_TAKE(fresh);
	return 0;
}
