/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * argon2id over secrets, as PHC strings. What is hashed is not the secret but HMAC-SHA-256 of it
 * under a key that stands beside the database (cred/pepper): who has a copy of the database alone
 * can't try PINs on it. Any thread, at once; each call costs `memory_kib` of memory and tens of
 * milliseconds.
 */
#ifndef SQL_CREDD_HASHER_H
#define SQL_CREDD_HASHER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "sql/people/people.h"

#define PEPPER_BYTES 32

#define PEPPER_PRINT_SIZE 65

struct hasher;

/* A name for the key in `path`, which gives nothing of it away. ERR_NOT_FOUND, ERR_IO, ERR_CORRUPT.
 */
int pepper_print(const char *path, char out[PEPPER_PRINT_SIZE]) MUST_USE;

/* Reads `pepper_path`. make: writes a new one if there is none (an empty database alone). Hashes
 * once, for the unknown names. ERR_NOT_FOUND, ERR_IO, ERR_CORRUPT, ERR_NOMEM. */
int hasher_new(const char *pepper_path, bool make, uint32_t memory_kib, uint32_t passes,
	       struct hasher **out) MUST_USE;
void hasher_free(struct hasher *h); /* NULL ok; wipes */

/* ERR_NOMEM. */
int hasher_hash(const struct hasher *h, const char *secret, char out[PHC_SIZE]) MUST_USE;
/* phc "": nobody's, at the same cost; then never true. *old: right, but with other parameters than
 * are wanted now. */
bool hasher_verify(const struct hasher *h, const char *phc, const char *secret, bool *old);
/* What the first hash took. */
uint32_t hasher_cost_us(const struct hasher *h);

#endif
