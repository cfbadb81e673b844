/* SPDX-License-Identifier: BSD-2-Clause */
/* RSA moduli that are large and yet known to be weak. Within ca/ only. Pure. */
#ifndef CA_KEY_STRENGTH_H
#define CA_KEY_STRENGTH_H

#include <stdbool.h>

#include <openssl/bn.h>

#include "base/err.h"

/* ROCA, CVE-2017-15361 (Nemec et al., "The Return of Coppersmith's Attack", CCS 2017, section 4):
 * the flawed generator makes primes k * M + (65537^a mod M), so that the modulus is a power of
 * 65537 modulo every small prime. One sound modulus in some 2^27 looks so too. */
bool rsa_has_roca_shape(const BIGNUM *n);

/* Fermat's method: whether the two primes lie so close that `n` falls apart within 100 rounds
 * (CVE-2022-26320: primes that are next to each other). *close_out. ERR_NOMEM. */
int rsa_primes_are_close(const BIGNUM *n, bool *close_out) MUST_USE;

#endif
