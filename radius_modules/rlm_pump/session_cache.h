/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * TLS sessions that a pump may resume, in memory only, so that none outlives the server: what
 * OpenSSL needs (without the peer's certificate) beside whose session it is. Bounded in entries and
 * in age; the oldest goes first; nothing renews an entry. Being found here decides nothing: the
 * registry is asked on every authentication. Thread-safe.
 */
#ifndef RADIUS_MODULES_RLM_PUMP_SESSION_CACHE_H
#define RADIUS_MODULES_RLM_PUMP_SESSION_CACHE_H

#include <stdint.h>

#include "base/buf.h"
#include "sql/proto/registry_records.h"

#define SESSION_ID_MAX 32    /* RFC 5246 7.4.1.2 */
#define SESSION_DATA_MAX 512 /* a stripped session has about 150 bytes */

struct session_owner {
	char issuer[ISSUER_SIZE];
	char cert_serial[CERT_SERIAL_SIZE];
};

struct session_cache;

/* ERR_NOMEM. `max`: entries; ttl_us: their age at most. */
int session_cache_new(uint32_t max, int64_t ttl_us, struct session_cache **out) MUST_USE;
void session_cache_free(struct session_cache *c); /* NULL ok; wipes the keys */

/* Replaces an entry of the same id. ERR_INVALID for an empty id, data or certificate serial,
 * ERR_LIMIT for a long id or data, ERR_NOMEM. */
int session_cache_put(struct session_cache *c, const uint8_t *id, size_t id_len,
		      const uint8_t *data, size_t data_len, const struct session_owner *owner,
		      int64_t now_us) MUST_USE;
/* Appends the session to `data`. ERR_NOT_FOUND, also when it is too old; ERR_LIMIT, ERR_NOMEM. */
int session_cache_get(struct session_cache *c, const uint8_t *id, size_t id_len, int64_t now_us,
		      struct buf *data, struct session_owner *owner) MUST_USE;
void session_cache_drop(struct session_cache *c, const uint8_t *id, size_t id_len);
/* All sessions of one certificate: for one that was refused. */
void session_cache_drop_owner(struct session_cache *c, const struct session_owner *owner);
uint32_t session_cache_count(struct session_cache *c);

#endif
