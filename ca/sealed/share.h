/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A key split among people, any two of whom can put it together (Shamir's scheme, libgfshare). One
 * share tells nothing about the key. As text a share is one line that survives paper:
 *   PGS1 THRESHOLD NUMBER BACKUP DATA CHECK   in hex, in groups; spaces and hyphens do not matter.
 * Pure but for the kernel's random numbers.
 */
#ifndef CA_SHARE_H
#define CA_SHARE_H

#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"

#define SHARE_KEY_BYTES 32
#define SHARE_ID_BYTES 8
#define SHARE_THRESHOLD 2
#define SHARE_PEOPLE_MAX 9

struct share {
	uint8_t number;		    /* 1 to SHARE_PEOPLE_MAX */
	uint8_t id[SHARE_ID_BYTES]; /* of the backup that it opens */
	uint8_t data[SHARE_KEY_BYTES];
};

/* `n` shares, 2 to SHARE_PEOPLE_MAX, of which any two give `key` back. ERR_INVALID, ERR_NOMEM. */
int share_split(const uint8_t key[SHARE_KEY_BYTES], const uint8_t id[SHARE_ID_BYTES], unsigned n,
		struct share *out) MUST_USE;
/* ERR_INVALID: twice the same share, or of two backups. */
int share_join(const struct share *a, const struct share *b,
	       uint8_t key_out[SHARE_KEY_BYTES]) MUST_USE;

/* Appends the line. */
int share_put(struct buf *b, const struct share *s) MUST_USE;
/* The first line of `text` that begins with PGS1. ERR_INVALID (a digit is wrong, too many or few).
 */
int share_parse(const char *text, size_t len, struct share *out) MUST_USE;

#endif
