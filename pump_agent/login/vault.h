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
 * generation
 */
#ifndef PUMP_AGENT_LOGIN_VAULT_H
#define PUMP_AGENT_LOGIN_VAULT_H

#include "pump_agent/login/offline.h"
#include "pump_agent/login/pin_hash.h"
#include "pump_agent/store.h"

struct vault {
	struct offline offline; /* change it, then vault_keep */
	uint8_t key[PIN_KEY_BYTES];
	uint64_t marked; /* the generation in `mark` */
	char store_path[PATH_MAX];
	char mark_path[PATH_MAX];
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

/* --- pure, for tests and the fuzzer --- */

/* The plain form. ERR_CORRUPT, ERR_INVALID, ERR_LIMIT, ERR_NOMEM. */
#define VAULT_PLAIN_MAX (512 * 1024)
int vault_build(const struct offline *o, struct buf *out) MUST_USE;
int vault_parse(const void *data, size_t len, struct offline *out) MUST_USE;

#endif
