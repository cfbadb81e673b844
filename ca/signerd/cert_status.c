/* SPDX-License-Identifier: BSD-2-Clause */
/* Owns the status that OCSP tells. Never says "good" of a serial that is not on the issued list, or
 * stands there for another CA. */
#include "ca/signerd/cert_status.h"

#include "ca/ca_number.h"

#define DER_MAX 8192

/* Where there was never a second CA the index in memory knows. */
static bool is_issued_by(const struct signer *s, const char *serial, uint32_t ca, bool many_cas)
{
	AUTO_BUF store = {.max = DER_MAX};
	struct issued_entry e;

	if (!many_cas)
		return issued_log_has(s->log, serial);
	return issued_log_has(s->log, serial) && issued_log_find(s->log, serial, &store, &e) == 0 &&
	       ca_number_of_issuer(e.der, e.der_len) == ca;
}

void cert_status_find(const struct signer *s, bool many_cas, struct ocsp_item *i)
{
	char serial[2 * CA_SERIAL_BYTES + 1];
	struct revoked_entry revoked;

	i->state = OCSP_NOT_ISSUED;
	if (i->serial_len != CA_SERIAL_BYTES) /* we issue no others */
		return;
	hex_encode(i->serial, i->serial_len, serial, sizeof(serial));
	/* revoked first: a reservation that was revoked is on that list alone */
	if (revoked_set_get(s->revoked_set, serial, &revoked)) {
		if (!revoked_entry_is_of(&revoked, i->ca))
			return;
		i->state = OCSP_REVOKED;
		i->revoked_at_ms = revoked.at_ms;
	} else if (is_issued_by(s, serial, i->ca, many_cas)) {
		i->state = OCSP_GOOD;
	}
}
