/* SPDX-License-Identifier: BSD-2-Clause */
/* Owns filling the set of what is revoked. Never decides that something is. */
#include "ca/signerd/remember.h"

#include "ca/ca_number.h"

int remember_revoked(struct signer *s, const struct list_place *p)
{
	AUTO_BUF store = {.max = 8192};
	struct revoked_entry e = {.at_ms = p->at_ms};
	struct issued_entry issued;
	int rc = str_copy(e.serial, sizeof(e.serial), p->serial);

	if (rc)
		return rc;
	rc = issued_log_find(s->log, p->serial, &store, &issued);
	if (rc && rc != ERR_NOT_FOUND)
		return rc;
	/* a reservation that never became a certificate stays as long as one made then would */
	e.not_after_ms = rc ? p->at_ms + s->device_validity_ms : issued.not_after_ms;
	e.ca = rc ? 0 : ca_number_of_issuer(issued.der, issued.der_len);
	return revoked_set_add(s->revoked_set, &e);
}

int remember_all(struct signer *s)
{
	uint64_t n = issued_log_count(s->revoked);
	struct list_place p;
	int rc = 0;

	for (uint64_t seq = 1; !rc && seq <= n; seq++) {
		rc = issued_log_at(s->revoked, seq, &p);
		if (!rc)
			rc = remember_revoked(s, &p);
	}
	return rc;
}
