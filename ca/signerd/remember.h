/* SPDX-License-Identifier: BSD-2-Clause */
/* From the signer's list of revoked serials on the disk to the set in memory that CRL and OCSP are
 * made from. */
#ifndef CA_SIGNERD_REMEMBER_H
#define CA_SIGNERD_REMEMBER_H

#include "ca/signerd/issuance.h"

/* One that stands in the revoked list; its certificate's end comes from the issued list. ERR_NOMEM,
 * ERR_IO, ERR_CORRUPT. */
int remember_revoked(struct signer *s, const struct list_place *p) MUST_USE;
/* All of them, at the start. */
int remember_all(struct signer *s) MUST_USE;

#endif
