/* SPDX-License-Identifier: BSD-2-Clause */
/* Owns the pepper and the cost of a hash. */
#include "sql/credd/hasher.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <sodium.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/secret.h"

struct hasher {
	struct secret *pepper;
	size_t memory;
	unsigned long long passes;
	uint32_t cost_us;
	char nobody[PHC_SIZE];
};

static int pepper_load(const char *path, struct secret **out)
{
	/* not secret_read_file: it drops a last byte that happens to be a newline */
	AUTO_BUF b = {.max = PEPPER_BYTES + 1};
	int rc = buf_read_file(&b, path);

	if (rc)
		return err_add(rc, "the key beside the clinician database");
	if (b.len != PEPPER_BYTES)
		return err_set(ERR_CORRUPT, "%s: not %d bytes", path, PEPPER_BYTES);
	return secret_new(b.data, b.len, out);
}

static int pepper_read(struct hasher *h, const char *path, bool make)
{
	AUTO_SECRET fresh = NULL;
	int rc;

	if (!make || access(path, F_OK) == 0)
		return pepper_load(path, &h->pepper);
	rc = secret_random(PEPPER_BYTES, &fresh);
	if (!rc)
		rc = buf_write_file(path, 0600, secret_data(fresh), PEPPER_BYTES);
	if (!rc) {
		h->pepper = fresh;
		fresh = NULL;
	}
	return rc;
}

int pepper_print(const char *path, char out[PEPPER_PRINT_SIZE])
{
	static const char what[] = "pumpgate: which pepper is this";
	uint8_t hash[(PEPPER_PRINT_SIZE - 1) / 2];
	AUTO_SECRET pepper = NULL;
	int rc = pepper_load(path, &pepper);

	if (rc)
		return rc;
	crypto_generichash(hash, sizeof(hash), (const unsigned char *)what, sizeof(what),
			   secret_data(pepper), secret_len(pepper));
	hex_encode(hash, sizeof(hash), out, PEPPER_PRINT_SIZE);
	return 0;
}

int hasher_new(const char *pepper_path, bool make, uint32_t memory_kib, uint32_t passes,
	       struct hasher **out)
{
	struct hasher *h = calloc(1, sizeof(*h));
	char word[33];
	int64_t started;
	int rc = h ? pepper_read(h, pepper_path, make) : err_set(ERR_NOMEM, "no memory");

	if (!rc) {
		uint8_t random[16];

		h->memory = (size_t)memory_kib * 1024;
		h->passes = passes;
		secret_fill_random(random, sizeof(random));
		hex_encode(random, sizeof(random), word, sizeof(word));
		started = clock_mono_us();
		rc = hasher_hash(h, word, h->nobody);
		h->cost_us = (uint32_t)(clock_mono_us() - started);
	}
	if (rc) {
		hasher_free(h);
		return rc;
	}
	*out = h;
	return 0;
}

void hasher_free(struct hasher *h)
{
	if (!h)
		return;
	secret_free(h->pepper);
	free(h);
}

static void peppered(const struct hasher *h, const char *secret,
		     char out[crypto_auth_hmacsha256_BYTES])
{
	crypto_auth_hmacsha256_state mac;

	crypto_auth_hmacsha256_init(&mac, secret_data(h->pepper), secret_len(h->pepper));
	crypto_auth_hmacsha256_update(&mac, (const unsigned char *)secret, strlen(secret));
	crypto_auth_hmacsha256_final(&mac, (unsigned char *)out);
	secret_wipe(&mac, sizeof(mac));
}

int hasher_hash(const struct hasher *h, const char *secret, char out[PHC_SIZE])
{
	char key[crypto_auth_hmacsha256_BYTES];
	int rc;

	peppered(h, secret, key);
	memset(out, 0, PHC_SIZE);
	rc = crypto_pwhash_str_alg(out, key, sizeof(key), h->passes, h->memory,
				   crypto_pwhash_ALG_ARGON2ID13);
	secret_wipe(key, sizeof(key));
	return rc ? err_set(ERR_NOMEM, "no memory for argon2id") : 0;
}

bool hasher_verify(const struct hasher *h, const char *phc, const char *secret, bool *old)
{
	char key[crypto_auth_hmacsha256_BYTES];
	bool right;

	*old = false;
	peppered(h, secret, key);
	right = crypto_pwhash_str_verify(*phc ? phc : h->nobody, key, sizeof(key)) == 0 && *phc;
	secret_wipe(key, sizeof(key));
	if (right)
		*old = crypto_pwhash_str_needs_rehash(phc, h->passes, h->memory) != 0;
	return right;
}

uint32_t hasher_cost_us(const struct hasher *h)
{
	return h->cost_us;
}
