/* SPDX-License-Identifier: BSD-2-Clause */
/* Owns making one-time tokens. The token leaves once and is stored as its SHA-256 only. */
#include "sql/store/store_db.h"

#include <string.h>

#include <sodium.h>

#include "base/secret.h"

#define TOKEN_RANDOM_BYTES 20
#define TOKEN_CHARS (TOKEN_RANDOM_BYTES * 8 / 5)
#define TTL_MIN_MS (60LL * 1000)
#define TTL_MAX_MS (7LL * 24 * 3600 * 1000)
#define MAB_MAX_MS (24LL * 3600 * 1000)

/* 160 random bits in base 32 without i, l, o, u, so that nothing looks like 0 or 1. */
static void token_make(uint8_t out[TOKEN_CHARS])
{
	static const char alphabet[] = "0123456789abcdefghjkmnpqrstvwxyz";
	uint8_t random[TOKEN_CHARS];

	secret_fill_random(random, sizeof(random));
	for (size_t i = 0; i < TOKEN_CHARS; i++)
		out[i] = (uint8_t)alphabet[random[i] & 31];
	secret_wipe(random, sizeof(random));
}

static int times_check(const struct token_create *rq)
{
	if (rq->ttl_ms < TTL_MIN_MS || rq->ttl_ms > TTL_MAX_MS)
		return err_set(ERR_INVALID, "a token lives from 1 minute to 7 days");
	if (rq->mab_window_ms > MAB_MAX_MS)
		return err_set(ERR_INVALID, "a wired enrolment window is open at most 24 hours");
	return 0;
}

/* The pump's row id, if it may get a token; its window, which may stay as it is. */
static int device_for_token(struct db *db, const struct token_create *rq, int64_t *id_out,
			    int64_t *mab_until_out)
{
	char state[STATE_SIZE];
	AUTO_QUERY q;
	int rc = query_open(&q, db, "SELECT id, state, mab_until FROM devices WHERE serial = ?1",
			    DB_T(rq->device));

	if (!rc)
		rc = query_next(&q);
	if (rc < 0)
		return rc;
	if (rc == 0)
		return err_set(ERR_NOT_FOUND, "the inventory has no pump '%s'", rq->device);
	query_text(&q, 1, state, sizeof(state));
	if (!strcmp(state, "revoked"))
		return err_set(ERR_CONFLICT, "pump %s is revoked and cannot be enrolled again",
			       rq->device);
	if (rq->mab_window_ms && strcmp(state, "expected"))
		return err_set(ERR_CONFLICT,
			       "pump %s has a certificate: it cannot get on by its MAC address",
			       rq->device);
	*id_out = query_i64(&q, 0);
	*mab_until_out = query_i64(&q, 2);
	return 0;
}

int store_token_create(struct store *st, const struct action *by, const struct token_create *rq,
		       struct token *out)
{
	uint8_t hash[crypto_hash_sha256_BYTES];
	struct token made = {.token.len = TOKEN_CHARS};
	AUTO_TX tx = {0};
	int64_t device;
	int rc = times_check(rq);

	if (!rc)
		rc = tx_begin(&tx, st->db);
	if (!rc)
		rc = device_for_token(st->db, rq, &device, &made.mab_until);
	if (rc)
		return rc;
	token_make(made.token.data);
	crypto_hash_sha256(hash, made.token.data, TOKEN_CHARS);
	made.expires = by->at + (int64_t)rq->ttl_ms;
	if (rq->mab_window_ms)
		made.mab_until = by->at + (int64_t)rq->mab_window_ms;
	rc = db_run(st->db,
		    "UPDATE tokens SET state = 'void' WHERE device_id = ?1 AND state = 'open'",
		    DB_I(device));
	if (!rc)
		rc = db_run(st->db,
			    "INSERT INTO tokens (device_id, hash, state, created_at, created_by,"
			    " expires_at, used_at) VALUES (?1, ?2, 'open', ?3, ?4, ?5, 0)",
			    DB_I(device), DB_B(hash, sizeof(hash)), DB_I(by->at), DB_T(by->actor),
			    DB_I(made.expires));
	if (!rc && rq->mab_window_ms)
		rc = db_run(st->db, "UPDATE devices SET mab_until = ?2 WHERE id = ?1", DB_I(device),
			    DB_I(made.mab_until));
	if (!rc)
		rc = audit_append(st->db, by, "token.create", rq->device,
				  "ttl_s=%llu mab_window_s=%llu",
				  (unsigned long long)rq->ttl_ms / 1000,
				  (unsigned long long)rq->mab_window_ms / 1000);
	if (!rc)
		rc = tx_commit(&tx);
	if (!rc)
		*out = made;
	secret_wipe(&made, sizeof(made));
	return rc;
}
