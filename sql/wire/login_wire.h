/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a pump's agent and pumpgate-credd say to each other inside the RADIUS attributes
 * Pumpgate-Says and Pumpgate-Hears (docs/decisions/0155): items, each a kind (u8) and one record.
 * Pumps are updated later than servers: a kind that is not known is skipped, and a record that was
 * released never changes. Pure; both ends and rlm_clinician's tests share it.
 */
#ifndef SQL_WIRE_LOGIN_WIRE_H
#define SQL_WIRE_LOGIN_WIRE_H

#include "base/ipc_record.h"

/* RFC 5612: the vendor number that is nobody's. */
#define LOGIN_VENDOR 32473
#define LOGIN_ATTR_SAYS 1
#define LOGIN_ATTR_HEARS 2
#define LOGIN_ATTR_ROLE 3
#define LOGIN_ATTR_BYTES 247			       /* RFC 2865 5.26: of one attribute */
#define LOGIN_BLOB_MAX ((size_t)12 * LOGIN_ATTR_BYTES) /* of all of them joined */
#define LOGIN_RADSEC_SECRET "radsec"		       /* RFC 6614 2.3 */
#define LOGIN_SERVICE_CONTACT 17 /* Service-Type Authorize-Only, RFC 5176 3.1 */

#define LOGIN_USER_SIZE 65     /* an account's name */
#define LOGIN_DISPLAY_SIZE 129 /* a person's name as people write it */
#define LOGIN_ROLE_SIZE 33
#define LOGIN_ID_SIZE 33 /* of one login, hex */
#define LOGIN_WORD_SIZE 17
#define LOGIN_JOURNAL_ID 16 /* bytes */
#define LOGIN_RECORD_TEXT 129
#define LOGIN_PASSWORD_MAX 128 /* bytes, RFC 2865 5.2; of a PIN 16 */
#define LOGIN_PIN_MAX 16

enum login_kind {
	LOGIN_KIND_STATE = 1,	  /* says, first */
	LOGIN_KIND_RECORD = 2,	  /* says: journal, rising numbers */
	LOGIN_KIND_TOMBSTONE = 3, /* hears, before all else */
	LOGIN_KIND_TERMS = 4,	  /* hears, always once */
	LOGIN_KIND_GRANT = 5,	  /* hears, with an Accept to a login */
	LOGIN_KIND_REFUSAL = 6,	  /* hears, with a Reject */
	LOGIN_KIND_KEEPING = 7,	  /* hears, with a grant */
				  /* 64 and up: break-glass */
};

/* What the pump has. method: "password" (also ""), "pin" (User-Name is then the badge's number).
 * request_id names the login in the log of every process. */
#define LOGIN_STATE_FIELDS(X, S)              \
	X(S, U64, request_id, 1)              \
	X(S, STR, method, LOGIN_WORD_SIZE)    \
	X(S, U64, tombstone, 1)               \
	X(S, U64, policy_epoch, 1)            \
	X(S, U64, generation, 1)              \
	X(S, BLOB, journal, LOGIN_JOURNAL_ID) \
	X(S, STR, agent_version, LOGIN_WORD_SIZE)
RECORD_DECLARE(login_state, LOGIN_STATE_FIELDS)

/* One thing that happened at the pump. what: login, logout, refused, break-glass, or a word of a
 * later release ([a-z-]). method: password, pin, code. result: ok or the reason. `at` is the pump's
 * clock; clock_unsure: it had not been set. role: "" when there is none. */
#define LOGIN_RECORD_FIELDS(X, S)          \
	X(S, U64, seq, 1)                  \
	X(S, TIME, at, 1)                  \
	X(S, BOOL, clock_unsure, 1)        \
	X(S, STR, what, LOGIN_WORD_SIZE)   \
	X(S, STR, user, LOGIN_USER_SIZE)   \
	X(S, STR, role, LOGIN_ROLE_SIZE)   \
	X(S, STR, method, LOGIN_WORD_SIZE) \
	X(S, STR, result, LOGIN_WORD_SIZE) \
	X(S, STR, login_id, LOGIN_ID_SIZE) \
	X(S, STR, detail, LOGIN_RECORD_TEXT)
RECORD_DECLARE(login_record, LOGIN_RECORD_FIELDS)

/* Forget what you hold of this user. */
#define LOGIN_TOMBSTONE_FIELDS(X, S) \
	X(S, U64, seq, 1)            \
	X(S, STR, user, LOGIN_USER_SIZE)
RECORD_DECLARE(login_tombstone, LOGIN_TOMBSTONE_FIELDS)

/* tombstone: the number that the pump has once it has read this blob. more: ask again at once.
 * stored: the last number of its journal that is stored here. drop: forget all verifiers. */
#define LOGIN_TERMS_FIELDS(X, S)   \
	X(S, TIME, server_time, 1) \
	X(S, U64, policy_epoch, 1) \
	X(S, U64, tombstone, 1)    \
	X(S, BOOL, more, 1)        \
	X(S, U64, stored, 1)       \
	X(S, BOOL, drop, 1)
RECORD_DECLARE(login_terms, LOGIN_TERMS_FIELDS)

/* offline: a verifier may be kept for this user and method, for offline_s seconds, until
 * offline_failures wrong tries, of at most offline_people users on one pump. login_id names the
 * login. */
#define LOGIN_GRANT_FIELDS(X, S)               \
	X(S, STR, user, LOGIN_USER_SIZE)       \
	X(S, STR, display, LOGIN_DISPLAY_SIZE) \
	X(S, STR, role, LOGIN_ROLE_SIZE)       \
	X(S, STR, login_id, LOGIN_ID_SIZE)     \
	X(S, U32, session_s, 1)                \
	X(S, U32, idle_s, 1)                   \
	X(S, BOOL, offline, 1)                 \
	X(S, U32, offline_s, 1)                \
	X(S, U32, offline_failures, 1)         \
	X(S, U32, offline_people, 1)           \
	X(S, BOOL, directory, 1) /* the password is the directory's: only under a TPM key */
RECORD_DECLARE(login_grant, LOGIN_GRANT_FIELDS)

/* password: within the grant's terms the pump may keep a verifier of the password too, if it has a
 * TPM, under a key that cannot be taken out of that; of the directory's and of an account's here.
 */
#define LOGIN_KEEPING_FIELDS(X, S) X(S, BOOL, password, 1)
RECORD_DECLARE(login_keeping, LOGIN_KEEPING_FIELDS)

/* result: refused, not-allowed, try-again, throttled, pump-refused, malformed. retry_s: not before.
 */
#define LOGIN_REFUSAL_FIELDS(X, S)         \
	X(S, STR, result, LOGIN_WORD_SIZE) \
	X(S, U32, retry_s, 1)              \
	X(S, STR, text, LOGIN_RECORD_TEXT)
RECORD_DECLARE(login_refusal, LOGIN_REFUSAL_FIELDS)

/* Appends one item; `b` should have LOGIN_BLOB_MAX as its maximum. As record_put; nothing is added
 * on failure. */
int login_item_put(struct buf *b, uint8_t kind, const struct record_desc *d,
		   const void *record) MUST_USE;
/* The next item of a blob: its kind and a cursor over its record, for record_get. 1: there is one;
 * 0: the end. ERR_INVALID: cut short. */
int login_item_next(struct cursor *blob, uint8_t *kind_out, struct cursor *record_out) MUST_USE;

#endif
