/* SPDX-License-Identifier: BSD-2-Clause */
/* Certificates for NAS that speak RadSec (RFC 6614), from the NAS CA. */
#ifndef CA_SIGNERD_NAS_CERT_H
#define CA_SIGNERD_NAS_CERT_H

#include "ca/issue.h"
#include "ca/issued_log.h"
#include "ca/proto/signer_records.h"

struct nas_signer {
	struct ca_issuer issuer; /* without a certificate: this home has no NAS CA */
	struct issued_log *log;	 /* ca/nas-issued.log */
	int64_t validity_ms;
};

/* Signs the request's key for the NAS `name`; nothing else of the request counts. Blocks on one
 * fsync. ERR_NOT_FOUND (no NAS CA), ERR_INVALID and ERR_CRYPTO (the request, the name), ERR_EXPIRED
 * (the CA), ERR_IO, ERR_FULL, ERR_INTERNAL. */
int nas_cert_issue(struct nas_signer *s, const struct sign_nas *rq,
		   struct signed_cert *out) MUST_USE;

#endif
