/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/support/cmocka.h"

#include "tests/unit/pump_agent/fake_chip.h"

#include <string.h>
#include <unistd.h>

#include <sodium.h>

#define BLOB_BYTES (1 + TPM_AUTH_BYTES)

struct fake_chip fake_chip;

struct tpm_device {
	struct tpm_blob key;
};
static struct tpm_device the_device;

static int answer(void)
{
	unsigned ms = fake_chip.hangs_ms;

	fake_chip.hangs_ms = 0;
	usleep(ms * 1000);
	if (fake_chip.breaks) {
		fake_chip.breaks = false;
		return err_set(ERR_UNAVAILABLE, "the connection is gone");
	}
	return fake_chip.is_away ? err_set(ERR_UNAVAILABLE, "the TPM is away") : 0;
}

static int fake_open(const char *tcti, struct tpm_device **out)
{
	(void)tcti;
	fake_chip.n_opened++;
	*out = &the_device;
	return answer();
}

static void fake_close(struct tpm_device *d)
{
	d->key.len = 0;
}

static int fake_key_new(struct tpm_device *d, const uint8_t auth[TPM_AUTH_BYTES],
			struct tpm_blob *out)
{
	(void)d;
	out->len = BLOB_BYTES;
	out->data[0] = fake_chip.seed;
	memcpy(out->data + 1, auth, TPM_AUTH_BYTES);
	return answer();
}

static int fake_key_load(struct tpm_device *d, const uint8_t auth[TPM_AUTH_BYTES],
			 const struct tpm_blob *blob)
{
	int rc = answer();

	if (!rc && (blob->len != BLOB_BYTES || memcmp(blob->data + 1, auth, TPM_AUTH_BYTES) ||
		    (blob->data[0] != fake_chip.seed && !fake_chip.takes_any)))
		rc = err_set(ERR_CRYPTO, "another TPM's key");
	d->key = *blob;
	return rc;
}

static int fake_mac(struct tpm_device *d, const uint8_t in[TPM_MAC_BYTES],
		    uint8_t out[TPM_MAC_BYTES])
{
	int rc = answer();

	assert_int_equal(d->key.len, BLOB_BYTES);
	crypto_generichash(out, TPM_MAC_BYTES, in, TPM_MAC_BYTES, &fake_chip.seed, 0);
	out[0] ^= fake_chip.seed;
	return rc;
}

static int counter_find(const uint8_t auth[TPM_AUTH_BYTES])
{
	int rc = answer();

	if (!rc && !fake_chip.has_counter)
		rc = err_set(ERR_NOT_FOUND, "no counter");
	if (!rc && memcmp(auth, fake_chip.counter_auth, TPM_AUTH_BYTES))
		rc = err_set(ERR_DENIED, "another's counter");
	return rc;
}

static int fake_read(struct tpm_device *d, const uint8_t auth[TPM_AUTH_BYTES], uint64_t *out)
{
	(void)d;
	*out = fake_chip.counter;
	return counter_find(auth);
}

static int fake_raise(struct tpm_device *d, const uint8_t auth[TPM_AUTH_BYTES], uint64_t *out)
{
	int rc = counter_find(auth);

	(void)d;
	if (rc)
		return rc;
	fake_chip.n_raised++;
	*out = fake_chip.highest = ++fake_chip.counter;
	return fake_chip.is_deaf ? err_set(ERR_CRYPTO, "the answer is lost") : 0;
}

static int fake_make(struct tpm_device *d, const uint8_t auth[TPM_AUTH_BYTES], uint64_t *out)
{
	int rc = answer();

	(void)d;
	if (!rc && fake_chip.makes_none)
		rc = err_set(ERR_CRYPTO, "its owner has a password");
	if (rc)
		return rc;
	fake_chip.has_counter = true;
	memcpy(fake_chip.counter_auth, auth, TPM_AUTH_BYTES);
	*out = fake_chip.counter = ++fake_chip.highest;
	return 0;
}

static int fake_remove(struct tpm_device *d)
{
	int rc = answer();

	(void)d;
	fake_chip.has_counter = fake_chip.has_counter && rc;
	return rc;
}

const struct chip_calls fake_chip_calls = {
	.open = fake_open,
	.close = fake_close,
	.key_new = fake_key_new,
	.key_load = fake_key_load,
	.mac = fake_mac,
	.counter_read = fake_read,
	.counter_make = fake_make,
	.counter_raise = fake_raise,
	.counter_remove = fake_remove,
};
