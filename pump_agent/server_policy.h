/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the server's side tells pumps about itself, signed by the server CA (ca/server_policy.h,
 * docs/decisions/0180). Pure: it counts for its signature, wherever it came from.
 */
#ifndef PUMP_AGENT_SERVER_POLICY_H
#define PUMP_AGENT_SERVER_POLICY_H

#include <stdint.h>

#include "pump_agent/bundle.h"
#include "pump_agent/x509_auto.h"

#define SERVER_POLICY_MAX 8192 /* bytes of base64 */

struct server_policy {
	uint64_t number; /* 0: none; a lower one than was seen before must not be followed */
	char radius_name[SERVER_NAME_MAX];
	char login_address[LOGIN_ADDRESS_MAX]; /* "": it says nothing of logins */
	char login_name[SERVER_NAME_MAX];
};

/*
 * `base64` is a CMS SignedData message (RFC 5652) with one signer, whose certificate is inside,
 * leads to a root of `anchors`, is for codeSigning alone, and is in force by the wall clock. A
 * server's own certificate signs no policy. ERR_INVALID (form), ERR_CRYPTO (not signed so),
 * ERR_NEWER (of a later release), ERR_LIMIT, ERR_NOMEM.
 */
int server_policy_verify(const void *base64, size_t len, const STACK_OF(X509) * anchors,
			 struct server_policy *out) MUST_USE;

/* Puts a verified policy into the settings, if it is newer than number *number, which it then is.
 * False, and nothing is changed: it is not; a lower number is an old one that somebody sends again.
 * logins_out: the login server is another. Pure. */
bool server_policy_take(const struct server_policy *p, uint64_t *number, struct pump_settings *s,
			bool *logins_out);

#endif
