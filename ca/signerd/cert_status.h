/* SPDX-License-Identifier: BSD-2-Clause */
/* What the signer's own lists say of a serial. */
#ifndef CA_SIGNERD_CERT_STATUS_H
#define CA_SIGNERD_CERT_STATUS_H

#include "ca/ocsp.h"
#include "ca/signerd/issuance.h"

/* Fills i->state and i->revoked_at_ms for i->serial, asked of our CA number i->ca: OCSP_GOOD only
 * for one that is on the issued list, issued by that CA, and not on the revoked list. many_cas:
 * more than one CA has issued, so that its certificate is looked at (on the disk). */
void cert_status_find(const struct signer *s, bool many_cas, struct ocsp_item *i);

#endif
