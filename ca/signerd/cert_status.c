/* SPDX-License-Identifier: BSD-2-Clause */
/* Owns the status that OCSP tells. Never says "good" of a serial that is not on the issued list. */
#include "ca/signerd/cert_status.h"

void cert_status_find(const struct signer *s, struct ocsp_item *i)
{
	char serial[2 * CA_SERIAL_BYTES + 1];
	struct revoked_entry revoked;

	i->state = OCSP_NOT_ISSUED;
	if (i->serial_len != CA_SERIAL_BYTES) /* we issue no others */
		return;
	hex_encode(i->serial, i->serial_len, serial, sizeof(serial));
	/* revoked first: a reservation that was revoked is on that list alone */
	if (revoked_set_get(s->revoked_set, serial, &revoked)) {
		i->state = OCSP_REVOKED;
		i->revoked_at_ms = revoked.at_ms;
	} else if (issued_log_has(s->log, serial)) {
		i->state = OCSP_GOOD;
	}
}
