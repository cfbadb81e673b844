/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * EST answers on a pump: any bytes as /cacerts. Whatever is chosen as a server anchor has the
 * pinned hash or was signed by what has it; a new root by a cross certificate.
 */
#include <stdlib.h>
#include <string.h>

#include "pump_agent/anchors.h"
#include "pump_agent/succession.h"

#define NOW_S INT64_C(1795348800) /* 2026-11-22 */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static void choose(const STACK_OF(X509) * all, const uint8_t hash[ANCHOR_HASH_BYTES])
{
	AUTO_X509S server = NULL;
	AUTO_X509S devices = NULL;
	uint8_t md[32];

	if (anchors_of_server(all, hash, &server))
		return;
	if (!X509_digest(sk_X509_value(server, 0), EVP_sha256(), md, NULL) ||
	    memcmp(md, hash, sizeof(md)))
		abort();
	for (int i = 1; i < sk_X509_num(server); i++)
		if (X509_verify(sk_X509_value(server, i),
				X509_get0_pubkey(sk_X509_value(server, 0))) != 1)
			abort();
	if (anchors_of_devices(all, server, &devices))
		return;
	for (int i = 0; i < sk_X509_num(devices); i++)
		for (int k = 0; k < sk_X509_num(server); k++)
			if (!X509_cmp(sk_X509_value(devices, i), sk_X509_value(server, k)))
				abort();
}

/* Then the answer once more, by a pump that holds what was chosen: what it holds afterwards has the
 * root that the server proved itself by, and beside it only what that root itself speaks for. */
static void follow(const STACK_OF(X509) * all, const uint8_t hash[ANCHOR_HASH_BYTES])
{
	AUTO_X509S held = NULL;
	AUTO_X509S next = NULL;
	X509 *root, *other = NULL;
	size_t roots = 0;

	if (anchors_of_server(all, hash, &held) || anchors_follow(held, all, hash, NOW_S, &next))
		return;
	root = sk_X509_value(next, 0);
	if (X509_cmp(root, sk_X509_value(held, 0)) || sk_X509_num(next) > ANCHORS_MAX)
		abort();
	for (int i = 1; i < sk_X509_num(next); i++) {
		X509 *x = sk_X509_value(next, i);
		bool known = false;

		if (anchor_is_below(x, other ? other : root))
			continue;
		for (int k = 0; k < sk_X509_num(all); k++)
			known |= !succession_check(root, sk_X509_value(all, k), x, NOW_S);
		if (!known || ++roots >= ANCHOR_ROOTS_MAX)
			abort();
		other = x;
	}
}

static void take(const uint8_t *data, size_t len)
{
	static const uint8_t nobody[ANCHOR_HASH_BYTES];
	AUTO_X509S all = NULL;

	if (est_certs_parse(data, len, &all))
		return;
	if (sk_X509_num(all) < 1 || sk_X509_num(all) > EST_CERTS_MAX)
		abort();
	choose(all, nobody);
	for (int i = 0; i < sk_X509_num(all); i++) {
		uint8_t hash[ANCHOR_HASH_BYTES];

		if (X509_digest(sk_X509_value(all, i), EVP_sha256(), hash, NULL)) {
			choose(all, hash);
			follow(all, hash);
		}
	}
}

/* As it is, and as the DER inside the base64. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	static uint8_t base64[EST_ANSWER_MAX + 1];

	take(data, len);
	if (len <= EST_ANSWER_MAX / 4 * 3)
		take(base64, (size_t)EVP_EncodeBlock(base64, data, (int)len));
	return 0;
}
