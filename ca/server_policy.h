/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The server policy: what pumps are told about the servers that they talk to, signed so that the
 * way it came does not matter (docs/decisions/0180). Pure.
 */
#ifndef CA_SERVER_POLICY_H
#define CA_SERVER_POLICY_H

#include <stdint.h>

#include "base/buf.h"
#include "ca/issue.h"

struct server_policy_terms {
	uint64_t number;	 /* rises with each one */
	const char *radius_name; /* the name in the RADIUS server's certificate from now on */
	/* Where clinicians' logins go, "192.0.2.5:22087" or "[2001:db8::5]:22087", and the name in
	 * that server's certificate; NULL: it says nothing of them. */
	const char *login_server;
	const char *login_name;
};

/*
 * Appends a CMS SignedData message (RFC 5652) in DER around
 * {"version":1,"kind":"server-policy","number":N,"radius_server_name":"..."} and, of logins,
 * "login_server" and "login_server_name" as in a bundle, signed with a key
 * that is made for it and is gone when this returns; its certificate (codeSigning, from the server
 * CA, as long as that lives) is inside, with the CA's and, unless NULL, the one that leads to it
 * from an old root; and in *cert_out, which the caller frees. ERR_INVALID (no host name),
 * ERR_LIMIT, ERR_CRYPTO, ERR_EXPIRED.
 */
int server_policy_sign(const struct ca_issuer *server_ca, const struct server_policy_terms *p,
		       X509 *new_with_old, int64_t now_ms, struct buf *out,
		       X509 **cert_out) MUST_USE;

#endif
