/* SPDX-License-Identifier: BSD-2-Clause */
/* Owns the arithmetic of weak RSA moduli. Never sees a private key, unless it finds one. */
#include "ca/key_strength.h"

#include <stddef.h>

#define FERMAT_ROUNDS 100
#define GENERATOR 65537

static const unsigned char odd_primes[] = {
	3,  5,	7,  11, 13, 17,	 19,  23,  29,	31,  37,  41,  43,  47,	 53,  59,  61,	67,  71,
	73, 79, 83, 89, 97, 101, 103, 107, 109, 113, 127, 131, 137, 139, 149, 151, 157, 163, 167};

static bool is_power_of_generator(unsigned long residue, unsigned p)
{
	unsigned long power = 1;

	do {
		if (power == residue)
			return true;
		power = power * (GENERATOR % p) % p;
	} while (power != 1);
	return false;
}

bool rsa_has_roca_shape(const BIGNUM *n)
{
	for (size_t i = 0; i < sizeof(odd_primes); i++)
		if (!is_power_of_generator(BN_mod_word(n, odd_primes[i]), odd_primes[i]))
			return false;
	return true;
}

/* Numbers of the scope's own, in a BN_CTX. */
struct fermat {
	BN_CTX *ctx;
	BIGNUM *a, *d, *root, *next, *square;
};

/* f->root: the largest number whose square is not above `of` (Newton). */
static bool root_find(struct fermat *f, const BIGNUM *of)
{
	if (!BN_one(f->root) || !BN_lshift(f->root, f->root, (BN_num_bits(of) + 1) / 2 + 1))
		return false;
	for (;;) {
		if (!BN_div(f->next, NULL, of, f->root, f->ctx) ||
		    !BN_add(f->next, f->next, f->root) || !BN_rshift1(f->next, f->next))
			return false;
		if (BN_cmp(f->next, f->root) >= 0)
			return true;
		if (!BN_copy(f->root, f->next))
			return false;
	}
}

/* Squares leave few remainders: only one number in a hundred needs its root. */
static bool may_be_square(const BIGNUM *d)
{
	static const unsigned char moduli[] = {64, 63, 65, 11};

	for (size_t i = 0; i < sizeof(moduli); i++) {
		BN_ULONG rest = BN_mod_word(d, moduli[i]);
		bool found = false;

		for (unsigned x = 0; !found && x < moduli[i]; x++)
			found = x * x % moduli[i] == rest;
		if (!found)
			return false;
	}
	return true;
}

static int is_square(struct fermat *f, const BIGNUM *d)
{
	if (!may_be_square(d))
		return 0;
	if (!root_find(f, d) || !BN_sqr(f->square, f->root, f->ctx))
		return -1;
	return BN_cmp(f->square, d) == 0;
}

/* n = (a - b)(a + b) with a from the root of n upwards, until a^2 - n is a square b^2. 1, 0, or -1
 * without memory. */
static int fermat_run(struct fermat *f, const BIGNUM *n)
{
	int found = 0;

	if (!root_find(f, n) || !BN_copy(f->a, f->root) || !BN_sqr(f->d, f->a, f->ctx))
		return -1;
	if (BN_cmp(f->d, n) == 0)
		return 1;
	for (int i = 0; found == 0 && i < FERMAT_ROUNDS; i++) {
		if (!BN_add_word(f->a, 1) || !BN_sqr(f->d, f->a, f->ctx) || !BN_sub(f->d, f->d, n))
			return -1;
		found = is_square(f, f->d);
	}
	return found;
}

int rsa_primes_are_close(const BIGNUM *n, bool *close_out)
{
	struct fermat f = {.ctx = BN_CTX_new()};
	int found = -1;

	if (!f.ctx)
		return err_set(ERR_NOMEM, "no memory to look at a key");
	BN_CTX_start(f.ctx);
	f.a = BN_CTX_get(f.ctx);
	f.d = BN_CTX_get(f.ctx);
	f.root = BN_CTX_get(f.ctx);
	f.next = BN_CTX_get(f.ctx);
	f.square = BN_CTX_get(f.ctx);
	if (f.square)
		found = fermat_run(&f, n);
	BN_CTX_end(f.ctx);
	BN_CTX_free(f.ctx);
	if (found < 0)
		return err_set(ERR_NOMEM, "no memory to look at a key");
	*close_out = found;
	return 0;
}
