/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * struct offline on the pump's disk, sealed under a key of this pump's (XChaCha20-Poly1305, the
 * pump's serial number bound in). One file is the one commit point; it is replaced atomically. A
 * second small file says which generation was kept last, so that an older copy of the first that is
 * put back is noticed at the next start. An older copy of both is noticed by the server, which
 * knows the generation that it was told (docs/SECURITY.md says what is left). One thread; calls
 * block on the disk.
 *
 *   login/key    32 random bytes      login/store  the sealed struct      login/mark  its
 * generation     login/tpm-key  with a TPM and passwords: the HMAC key, wrapped by it
 *
 * With a TPM its counter ends what is left (vault_seal.c, docs/decisions/0201): the store says what
 * the counter had when it was sealed, and is worth nothing once the counter has gone on.
 */
#ifndef PUMP_AGENT_LOGIN_VAULT_H
#define PUMP_AGENT_LOGIN_VAULT_H

#include "pump_agent/login/chip.h"
#include "pump_agent/login/offline.h"
#include "pump_agent/login/pin_hash.h"
#include "pump_agent/store.h"

struct vault {
	struct offline offline; /* change it, then vault_keep */
	uint8_t key[PIN_KEY_BYTES];
	uint64_t marked; /* the generation in `mark` */
	bool is_new;	 /* there was neither store nor mark */
	char store_path[PATH_MAX];
	char mark_path[PATH_MAX];
	char tpm_key_path[PATH_MAX];
	/* of a TPM */
	struct chip *chip; /* NULL: none */
	uint8_t chip_auth[TPM_AUTH_BYTES];
	struct tpm_blob tpm_key; /* len 0: none was needed yet */
	bool is_compared;	 /* with the counter, which has: */
	uint64_t counter;
	char chip_why[96]; /* what is wrong with it; "" : nothing */
};

/*
 * What there is, for this pump; empty when there is none. An old copy, or something that cannot be
 * read, is rolled back (offline_roll_back) and kept so; `*noticed_out` then says what was noticed,
 * else it is NULL. The caller frees with vault_close. ERR_IO, ERR_FULL, ERR_NOMEM.
 */
int vault_open(const struct store *store, const char *pump, const struct age_now *now,
	       struct vault **out, const char **noticed_out) MUST_USE;
void vault_close(struct vault *v); /* wipes; NULL ok */

/* What is in memory is on disk afterwards, or else nothing may be granted on it: ERR_IO, ERR_FULL,
 * ERR_NOMEM. */
int vault_keep(struct vault *v) MUST_USE;

/* --- with a TPM (vault_seal.c); without one: as without --- */

enum vault_weight {
	VAULT_LIGHT = 0, /* an older copy is worth as much */
	VAULT_HEAVY, /* it should not be: the counter is raised, as long as its NV memory bears it
		      */
	VAULT_FINAL, /* somebody or something is good no longer: the counter is raised */
};
/* As vault_keep; then the counter is raised. A TPM that cannot do that now only leaves it owed: who
 * waits at the bedside is not turned away for it. */
int vault_keep_as(struct vault *v, enum vault_weight weight) MUST_USE;

/* From now on there is a TPM; `chip` outlives the vault. */
void vault_chip_set(struct vault *v, struct chip *chip);
/*
 * Compares with the counter, if that was not done yet, and raises it where that is owed: at the
 * start and now and then. *noticed_out as of vault_open: then nobody is believed any more. A TPM
 * that is away (chip_why) changes nothing. Errors of vault_keep.
 */
int vault_seal_look(struct vault *v, const struct age_now *now, const char **noticed_out) MUST_USE;

/* Out of what pin_bind yields: the HMAC of this pump's TPM, which pin_stretch takes. Errors of
 * chip.h; ERR_UNAVAILABLE: no TPM. */
int vault_tpm_mac(struct vault *v, const uint8_t bound[PIN_BOUND_BYTES],
		  uint8_t out[PIN_BOUND_BYTES]) MUST_USE;
/* There is a key for vault_tpm_mac: a new one, when there was none or this TPM does not take it;
 * then passwords under another are dropped. Errors of chip.h and vault_keep. */
int vault_tpm_key_have(struct vault *v) MUST_USE;

/* --- pure, for tests and the fuzzer --- */

/* The plain form. ERR_CORRUPT, ERR_INVALID, ERR_LIMIT, ERR_NOMEM. */
#define VAULT_PLAIN_MAX (512 * 1024)
int vault_build(const struct offline *o, struct buf *out) MUST_USE;
int vault_parse(const void *data, size_t len, struct offline *out) MUST_USE;

#endif
