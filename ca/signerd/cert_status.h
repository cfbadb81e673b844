/* SPDX-License-Identifier: BSD-2-Clause */
/* What the signer's own lists say of a serial. Never touches the disk. */
#ifndef CA_SIGNERD_CERT_STATUS_H
#define CA_SIGNERD_CERT_STATUS_H

#include "ca/ocsp.h"
#include "ca/signerd/issuance.h"

/* Fills i->state and i->revoked_at_ms for i->serial, a serial of our CA: OCSP_GOOD only for one
 * that is on the issued list and not on the revoked one. */
void cert_status_find(const struct signer *s, struct ocsp_item *i);

#endif
