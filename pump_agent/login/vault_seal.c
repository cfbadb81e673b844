/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Owns what ties the offline store to the pump's TPM: its counter, against an old copy of the whole
 * folder, and the HMAC key under passwords. Never lets a TPM that is away turn anybody away but who
 * comes with a password; never wears its memory out.
 */
#include <stdio.h>
#include <string.h>

#include <sodium.h>

#include "base/log.h"
#include "base/secret.h"
#include "pump_agent/login/vault.h"

#define HOUR_MS UINT64_C(3600000)
#define SEALS_MAX 50		  /* at once; one comes back each hour: 88,000 in ten years */
#define SEAL_AGE_MS (6 * HOUR_MS) /* no copy is good for longer than that, while the pump runs */
#define AUTH_LABEL "pumpgate tpm auth 1"

/* Key and counter have a password that only this folder's key gives. */
void vault_chip_set(struct vault *v, struct chip *chip)
{
	AUTO_BUF blob = {.max = TPM_BLOB_MAX};

	v->chip = chip;
	crypto_generichash(v->chip_auth, sizeof(v->chip_auth), (const uint8_t *)AUTH_LABEL,
			   sizeof(AUTH_LABEL) - 1, v->key, sizeof(v->key));
	if (!buf_read_file(&blob, v->tpm_key_path) && blob.len) {
		memcpy(v->tpm_key.data, blob.data, blob.len);
		v->tpm_key.len = blob.len;
	}
}

/* Once in the log, until it answers again. */
static int chip_said(struct vault *v, int rc)
{
	if (rc && !*v->chip_why)
		LOG(LOG_WARN, "login.tpm_away", LOG_S("why", err_text()));
	else if (!rc && *v->chip_why)
		LOG(LOG_INFO, "login.tpm_back");
	snprintf(v->chip_why, sizeof(v->chip_why), "%s", rc ? err_text() : "");
	return rc;
}

/* ---- the key ---- */

int vault_tpm_mac(struct vault *v, const uint8_t bound[PIN_BOUND_BYTES],
		  uint8_t out[PIN_BOUND_BYTES])
{
	_Static_assert(PIN_BOUND_BYTES == TPM_MAC_BYTES, "an HMAC takes the place of the hash");
	if (!v->chip || !v->tpm_key.len)
		return err_set(ERR_UNAVAILABLE, "this pump has no TPM's key for passwords");
	return chip_said(v, chip_mac(v->chip, v->chip_auth, &v->tpm_key, bound, out));
}

static void passwords_drop(struct offline *o)
{
	uint32_t n = 0;

	for (uint32_t i = 0; i < o->head.n_people; i++)
		if (!o->people[i].is_password)
			o->people[n++] = o->people[i];
	secret_wipe(o->people + n, (o->head.n_people - n) * sizeof(o->people[0]));
	o->head.n_people = n;
}

static int key_make(struct vault *v)
{
	struct tpm_blob blob;
	int rc = chip_said(v, chip_key_new(v->chip, v->chip_auth, &blob));

	rc = rc ? rc : buf_write_file(v->tpm_key_path, 0600, blob.data, blob.len);
	if (rc)
		return rc;
	v->tpm_key = blob;
	passwords_drop(&v->offline);
	LOG(LOG_INFO, "login.tpm_key_made");
	return vault_keep(v);
}

int vault_tpm_key_have(struct vault *v)
{
	static const uint8_t nothing[PIN_BOUND_BYTES];
	uint8_t mac[PIN_BOUND_BYTES];
	int rc = ERR_CRYPTO;

	if (!v->chip)
		return err_set(ERR_UNAVAILABLE, "this pump has no TPM");
	if (v->tpm_key.len)
		rc = vault_tpm_mac(v, nothing, mac);
	secret_wipe(mac, sizeof(mac));
	return rc == ERR_CRYPTO ? key_make(v) : rc;
}

/* ---- the counter ---- */

/* Raising costs NV memory: SEALS_MAX at once, one an hour. */
static bool budget_has(struct vault *v)
{
	struct offline_head *h = &v->offline.head;
	uint64_t hours = (v->offline.age.age_ms - h->seals_age_ms) / HOUR_MS;

	h->seals_spent = hours < h->seals_spent ? h->seals_spent - (uint32_t)hours : 0;
	h->seals_age_ms += hours * HOUR_MS;
	return h->seals_spent < SEALS_MAX;
}

/* The store on the disk says what the counter has after this: a plug pulled in between leaves it
 * one ahead, which vault_seal_look puts right. */
static int counter_raise(struct vault *v)
{
	struct offline_head *h = &v->offline.head;
	uint64_t value = 0;

	if (chip_said(v, chip_counter_raise(v->chip, v->chip_auth, &value))) {
		v->is_compared = false; /* nobody waits for it again before it was looked at */
		return 0;
	}
	v->counter = value;
	if (value == h->seal)
		return 0;
	h->seal = value; /* a call that came too late has raised it as well */
	return vault_keep(v);
}

int vault_keep_as(struct vault *v, enum vault_weight weight)
{
	struct offline_head *h = &v->offline.head;
	int rc;

	if (weight == VAULT_LIGHT || !v->chip)
		return vault_keep(v);
	h->seal_is_owed = !v->is_compared || (!budget_has(v) && weight != VAULT_FINAL);
	if (h->seal_is_owed)
		return vault_keep(v);
	h->seals_spent += h->seals_spent < SEALS_MAX;
	h->seal = v->counter + 1;
	h->sealed_age_ms = v->offline.age.age_ms;
	rc = vault_keep(v);
	return rc ? rc : counter_raise(v);
}

/* NULL: the store is the one that the counter knows. */
static const char *what_is_odd(const struct vault *v, int read_rc, uint64_t value)
{
	uint64_t seal = v->offline.head.seal;

	if (read_rc) /* none, or made for another folder's key */
		return seal ? "the TPM's counter is gone" : NULL;
	if (v->is_new)
		return "store is gone";
	if (seal == value || seal == value + 1)
		return NULL;
	return seal < value ? "all of it is an old copy" : "the TPM's counter is another";
}

static int counter_make(struct vault *v)
{
	struct offline_head *h = &v->offline.head;
	uint64_t value = 0;

	if (chip_said(v, chip_counter_make(v->chip, v->chip_auth, &value)))
		return vault_keep(v); /* what was noticed counts all the same */
	v->is_compared = true;
	v->counter = h->seal = value;
	h->sealed_age_ms = v->offline.age.age_ms;
	h->seal_is_owed = false;
	LOG(LOG_INFO, "login.tpm_counter_made");
	return vault_keep(v);
}

/* Connection, storage key and key are there before somebody waits for them. */
static void key_warm(struct vault *v)
{
	static const uint8_t nothing[PIN_BOUND_BYTES];
	uint8_t mac[PIN_BOUND_BYTES];

	if (v->tpm_key.len && vault_tpm_mac(v, nothing, mac))
		LOG(LOG_WARN, "login.tpm_key", LOG_S("why", err_text()));
	secret_wipe(mac, sizeof(mac));
}

static int counter_compare(struct vault *v, const struct age_now *now, const char **noticed_out)
{
	uint64_t value = 0;
	int rc = chip_counter_read(v->chip, v->chip_auth, &value);
	bool is_missing = rc == ERR_NOT_FOUND || rc == ERR_DENIED;
	int keep_rc;

	if (rc && !is_missing)
		return (void)chip_said(v, rc), 0;
	*noticed_out = what_is_odd(v, rc, value);
	if (*noticed_out) {
		offline_roll_back(&v->offline, now, "pump");
		v->offline.head.seal = 0; /* noticed once */
	}
	if (is_missing) {
		keep_rc = counter_make(v);
	} else {
		(void)chip_said(v, 0);
		v->is_compared = true;
		v->counter = value;
		keep_rc = *noticed_out || v->offline.head.seal != value
				  ? vault_keep_as(v, VAULT_FINAL)
				  : 0;
	}
	v->is_new = v->is_new && keep_rc;
	key_warm(v);
	return keep_rc;
}

static bool is_seal_due(const struct vault *v)
{
	const struct offline_head *h = &v->offline.head;

	return h->seal_is_owed || h->seal != v->counter ||
	       ((h->n_people || h->n_codes) &&
		v->offline.age.age_ms - h->sealed_age_ms >= SEAL_AGE_MS);
}

int vault_seal_look(struct vault *v, const struct age_now *now, const char **noticed_out)
{
	*noticed_out = NULL;
	if (!v->chip)
		return 0;
	if (!v->is_compared)
		return counter_compare(v, now, noticed_out);
	return is_seal_due(v) && budget_has(v) ? vault_keep_as(v, VAULT_HEAVY) : 0;
}
