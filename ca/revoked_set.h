/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The revoked certificates in memory, for the CRL and for OCSP: what ca/revoked.log holds, with the
 * ends of validity from ca/issued.log. Some 90 bytes each. Thread-safe; never reads a file.
 */
#ifndef CA_REVOKED_SET_H
#define CA_REVOKED_SET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

struct revoked_entry {
	char serial[33]; /* lower-case hex */
	int64_t at_ms;
	int64_t not_after_ms; /* of the certificate; of a reservation the end that it would have */
	/* number of the CA that issued it (ca/ca_number.h); 0: of which is not known, it counts as
	 * revoked for each */
	uint32_t ca;
};

struct revoked_set;

/* ERR_NOMEM. */
int revoked_set_new(struct revoked_set **out) MUST_USE;
void revoked_set_free(struct revoked_set *set); /* NULL ok */

/* One that is there already stays as it was first told. ERR_NOMEM; ERR_CORRUPT: no serial. */
int revoked_set_add(struct revoked_set *set, const struct revoked_entry *entry) MUST_USE;
/* Whether it is to be told by CA number `ca`. */
bool revoked_entry_is_of(const struct revoked_entry *e, uint32_t ca);
bool revoked_set_get(struct revoked_set *set, const char *serial, struct revoked_entry *out);
size_t revoked_set_count(struct revoked_set *set);
/* A copy of all, in the order of their adding; the caller frees *out (NULL when there is none).
 * ERR_NOMEM. */
int revoked_set_copy(struct revoked_set *set, struct revoked_entry **out, size_t *n_out) MUST_USE;

#endif
