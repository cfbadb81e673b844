/* SPDX-License-Identifier: BSD-2-Clause */
/* Owns reading what a pump has before it enrols. Never writes, never deletes. */
#include "pump_agent/birth.h"

#include "pump_agent/anchors.h"
#include "pump_agent/credential.h"

int bundle_read(const char *path, struct bundle *out)
{
	AUTO_BUF text = {.max = BUNDLE_MAX};
	int rc = buf_read_file(&text, path);

	rc = rc ? rc : bundle_parse(text.data, text.len, out);
	return rc ? err_add(rc, "%s", path) : 0;
}

int birth_read(const struct bundle *b, struct birth *out)
{
	AUTO_BUF cert = {.max = EST_ANSWER_MAX};
	AUTO_BUF key = {.max = EST_ANSWER_MAX};
	int rc;

	if (b->token)
		return 0;
	rc = buf_read_file(&cert, b->idevid_certificate);
	rc = rc ? rc : certs_pem_parse(cert.data, cert.len, &out->chain);
	if (rc)
		return err_add(rc, "%s", b->idevid_certificate);
	out->cert = sk_X509_shift(out->chain);
	rc = buf_read_file(&key, b->idevid_key);
	rc = rc ? rc : credential_key_parse(key.data, key.len, &out->key);
	if (rc)
		return err_add(rc, "%s", b->idevid_key);
	if (X509_check_private_key(out->cert, out->key) != 1)
		return err_ossl(ERR_CRYPTO, "%s does not fit %s", b->idevid_key,
				b->idevid_certificate);
	return 0;
}

void birth_done(struct birth *b)
{
	EVP_PKEY_free(b->key);
	X509_free(b->cert);
	x509s_auto_free(&b->chain);
	*b = (struct birth){0};
}
