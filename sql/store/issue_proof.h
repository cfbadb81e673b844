/* SPDX-License-Identifier: BSD-2-Clause */
/* What the files of issuing share; for sql/store alone. */
#ifndef SQL_STORE_ISSUE_PROOF_H
#define SQL_STORE_ISSUE_PROOF_H

#include "sql/store/store_db.h"

#define RESERVED_MS (24LL * 3600 * 1000) /* a reservation that old will not be finished */
#define SPKI_BYTES 32

struct issue_device {
	int64_t id;
	char serial[DEVICE_SERIAL_SIZE];
	char state[STATE_SIZE];
	char maker[LABEL_SIZE];
	char model[LABEL_SIZE];
};

/* By serial or by id; state as it stands, wherever the pump is placed. ERR_NOT_FOUND. */
int issue_device_find(struct db *db, const char *serial, int64_t id,
		      struct issue_device *out) MUST_USE;

/* May this pump have its first certificate by a birth certificate, which the signer has verified to
 * end at rq->anchor_sha256? 0: yes; 1: this very request was begun before. ERR_NOT_FOUND
 * unknown-pump; ERR_CONFLICT (revoked, or held back after a restore); ERR_DENIED maker-refused;
 * ERR_USED idevid-used. */
int issue_proof_by_idevid(struct db *db, const struct issue_begin *rq, int64_t now,
			  struct issue_device *device) MUST_USE;

#endif
