/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The number and the time of the last revocation list, in a file of one line:
 *
 *   v1 NUMBER THIS_UPDATE_MS
 *
 * It is on the disk before the list that it describes is signed, so that a number is never used
 * twice, whenever the signer is killed. Numbers are at least the wall clock in milliseconds: a
 * file that came back from a backup does not make them go back. Blocks on the disk.
 */
#ifndef CA_CRL_STATE_H
#define CA_CRL_STATE_H

#include <stdint.h>

#include "base/err.h"

struct crl_state {
	uint64_t number;	/* 0: no list was made yet */
	int64_t this_update_ms; /* 0: as above */
};

/* No file is no error: all zero. ERR_IO, ERR_CORRUPT. */
int crl_state_read(const char *path, struct crl_state *out) MUST_USE;
/* The next number, in `s` and on the disk. On failure `s` is as before. ERR_IO, ERR_FULL. */
int crl_state_next(const char *path, int64_t now_ms, struct crl_state *s) MUST_USE;

#endif
