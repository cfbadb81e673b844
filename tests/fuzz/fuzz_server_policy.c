/* SPDX-License-Identifier: BSD-2-Clause */
/* Server policies on a pump: any bytes, with anchors that signed nothing. None may be believed. */
#include <stdlib.h>

#include "pump_agent/anchors.h"
#include "pump_agent/server_policy.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

/* A root of nobody's: its key was thrown away. */
static const STACK_OF(X509) * anchors(void)
{
	static STACK_OF(X509) * all;
	EVP_PKEY *key;
	X509 *root;

	if (all)
		return all;
	key = EVP_EC_gen("P-256");
	root = X509_new();
	all = sk_X509_new_null();
	if (!key || !root || !all || !X509_set_version(root, 2) ||
	    !X509_gmtime_adj(X509_getm_notBefore(root), -60) ||
	    !X509_gmtime_adj(X509_getm_notAfter(root), 86400) || !X509_set_pubkey(root, key) ||
	    !X509_add1_ext_i2d(root, NID_basic_constraints, &(BASIC_CONSTRAINTS){.ca = 1}, 1, 0) ||
	    !X509_sign(root, key, EVP_sha256()) || sk_X509_push(all, root) <= 0)
		abort();
	EVP_PKEY_free(key);
	return all;
}

static void judge(const uint8_t *base64, size_t len)
{
	struct server_policy p;

	if (server_policy_verify(base64, len, anchors(), &p) == 0)
		abort();
}

/* As it is, and as the DER inside the base64. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	static uint8_t base64[2 * SERVER_POLICY_MAX];

	judge(data, len);
	if (len <= SERVER_POLICY_MAX / 4 * 3)
		judge(base64, (size_t)EVP_EncodeBlock(base64, data, (int)len));
	return 0;
}
