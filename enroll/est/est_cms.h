/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The certs-only CMS message that carries certificates to an EST client. Pure.
 */
#ifndef ENROLL_EST_EST_CMS_H
#define ENROLL_EST_EST_CMS_H

#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"

#define EST_CMS_CERTS_MAX 8

struct est_der {
	const uint8_t *data; /* not owned */
	size_t len;
};

/* Appends a degenerate SignedData with `n` certificates (each DER, at most EST_CMS_CERTS_MAX) and
 * no signer: RFC 7030 4.1.3 and 4.2.3, RFC 5652 5.1. The certificates are not looked into: reading
 * and re-encoding one costs more than a signature. The SET is sorted, as DER wants (X.690 11.6).
 * ERR_LIMIT, ERR_NOMEM. */
int est_certs_only_build(struct buf *out, const struct est_der *certs, size_t n) MUST_USE;

#endif
