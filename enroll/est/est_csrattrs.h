/* SPDX-License-Identifier: BSD-2-Clause */
/* What /csrattrs answers (RFC 7030 4.5.2 as RFC 9908 explains it). Pure. */
#ifndef ENROLL_EST_EST_CSRATTRS_H
#define ENROLL_EST_EST_CSRATTRS_H

#include "base/buf.h"
#include "enroll/est/est_label.h"

#define EST_CSRATTRS_MAX 512

/* Appends a CsrAttrs: the key's kind (id-ecPublicKey with its curve, or rsaEncryption with its
 * size), the signature algorithm, challengePassword if the profile wants the request bound to its
 * connection, and, when `device` is not "", an extensionReq with the name that the certificate will
 * have: a subjectAltName of one URI `urn:pumpgate:pump:<device>`. ERR_LIMIT, ERR_NOMEM. */
int est_csrattrs_build(struct buf *out, const struct est_profile *profile,
		       const char *device) MUST_USE;

#endif
