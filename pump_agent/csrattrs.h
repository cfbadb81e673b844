/* SPDX-License-Identifier: BSD-2-Clause */
/* What a server's /csrattrs asks of a request (RFC 7030 4.5.2, RFC 9908). Pure. */
#ifndef PUMP_AGENT_CSRATTRS_H
#define PUMP_AGENT_CSRATTRS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "pump_agent/credential.h"

struct csr_wishes {
	enum key_kind key;  /* KEY_AS_ASKED: it does not say, or nothing that this pump can make */
	bool wants_binding; /* challengePassword: name the TLS connection in it (RFC 7030 3.5) */
};

/* `der` is a CsrAttrs. What it asks for and this pump does not know is left out, as RFC 7030 4.5.2
 * allows; names are not taken from it: they stand in the bundle. ERR_INVALID. */
int csrattrs_parse(const uint8_t *der, size_t len, struct csr_wishes *out) MUST_USE;

/* The body of an answer: base64 of a CsrAttrs; nothing at all asks for nothing. ERR_INVALID. */
int csrattrs_decode(const void *body, size_t len, struct csr_wishes *out) MUST_USE;

#endif
