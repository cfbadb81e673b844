/* SPDX-License-Identifier: BSD-2-Clause */
/* Issuing: what the signer (role signer) and enrolld (role enroll) ask, and what people decide
 * about it. */
#ifndef SQL_PROTO_ISSUE_RECORDS_H
#define SQL_PROTO_ISSUE_RECORDS_H

#include "base/ipc_record.h"
#include "sql/proto/registry_sizes.h"

/* ---- issuing (role signer) ---- */

#define ISSUER_FIELDS(X, S)            \
	X(S, STR, issuer, ISSUER_SIZE) \
	X(S, BLOB, der, CERT_DER_MAX)
RECORD_DECLARE(issuer, ISSUER_FIELDS)

/* What a renewal is checked against. found=false: all else zero. */
#define CERT_FACTS_FIELDS(X, S)               \
	X(S, BOOL, found, 1)                  \
	X(S, STR, device, DEVICE_SERIAL_SIZE) \
	X(S, STR, device_state, STATE_SIZE)   \
	X(S, STR, cert_state, STATE_SIZE)     \
	X(S, TIME, not_after, 1)              \
	X(S, BLOB, spki_sha256, 32)           \
	X(S, BLOB, der, CERT_DER_MAX)
RECORD_DECLARE(cert_facts, CERT_FACTS_FIELDS)

/* Asks to reserve `cert_serial` for one issuance. method "token": the token is checked and burnt in
 * the same transaction; "renewal": the prior certificate must be valid and its pump enrolled.
 * Repeating with the same token or prior certificate and the same key resumes what was begun.
 * "idevid": the signer has verified that the holder of a maker's birth certificate wants this key;
 * maker, model, serial and state are checked here.
 * unproven ("renewal" alone): the registered key has not signed for the new one, so that a person
 * must approve this key first.
 * late ("renewal" alone): the prior certificate may be past its end, which is granted once. */
#define ISSUE_BEGIN_FIELDS(X, S)                  \
	X(S, STR, method, STATE_SIZE)             \
	X(S, STR, device, DEVICE_SERIAL_SIZE)     \
	X(S, HIDE, token, 128)                    \
	X(S, STR, prior_issuer, ISSUER_SIZE)      \
	X(S, STR, prior_serial, CERT_SERIAL_SIZE) \
	X(S, STR, issuer, ISSUER_SIZE)            \
	X(S, STR, cert_serial, CERT_SERIAL_SIZE)  \
	X(S, BLOB, spki_sha256, 32)               \
	X(S, STR, key_type, STATE_SIZE)           \
	X(S, STR, source, IP_SIZE)                \
	X(S, BOOL, unproven, 1)                   \
	X(S, BOOL, late, 1)                       \
	X(S, STR, maker, LABEL_SIZE)              \
	X(S, BLOB, anchor_sha256, 32)             \
	X(S, BLOB, idevid_sha256, 32)             \
	X(S, STR, hw_type, OID_SIZE)
RECORD_DECLARE(issue_begin, ISSUE_BEGIN_FIELDS)

/* `der` not empty: this very request was issued before; give that certificate again.
 * Otherwise sign under `cert_serial`, which is the reserved one (maybe an earlier reservation). */
#define ISSUE_GRANT_FIELDS(X, S)                 \
	X(S, STR, device, DEVICE_SERIAL_SIZE)    \
	X(S, STR, maker, LABEL_SIZE)             \
	X(S, STR, model, LABEL_SIZE)             \
	X(S, STR, cert_serial, CERT_SERIAL_SIZE) \
	X(S, BLOB, der, CERT_DER_MAX)
RECORD_DECLARE(issue_grant, ISSUE_GRANT_FIELDS)

#define ISSUE_STORE_FIELDS(X, S)                 \
	X(S, STR, issuer, ISSUER_SIZE)           \
	X(S, STR, cert_serial, CERT_SERIAL_SIZE) \
	X(S, TIME, not_before, 1)                \
	X(S, TIME, not_after, 1)                 \
	X(S, BLOB, der, CERT_DER_MAX)
RECORD_DECLARE(issue_store, ISSUE_STORE_FIELDS)

/* ---- the signer's own lists and the registry, held against each other (docs/decisions/0094) ----
 */

/* compared: everything after the position that was told last has been sent. */
#define LEDGER_QUERY_FIELDS(X, S) X(S, BOOL, compared, 1)
RECORD_DECLARE(ledger_query, LEDGER_QUERY_FIELDS)

/* Up to which entry of each list the registry has seen them, and that entry's serial. */
#define LEDGER_POSITION_FIELDS(X, S)                \
	X(S, U64, issued, 1)                        \
	X(S, STR, issued_serial, CERT_SERIAL_SIZE)  \
	X(S, U64, revoked, 1)                       \
	X(S, STR, revoked_serial, CERT_SERIAL_SIZE) \
	X(S, BOOL, compare_needed, 1)
RECORD_DECLARE(ledger_position, LEDGER_POSITION_FIELDS)

/* One entry of the list of revoked serials (revoked) or of what was issued. In answers of
 * REVOKED_TAKE seq is 0: the signer is asked to keep it. */
#define LEDGER_ENTRY_FIELDS(X, S)                \
	X(S, BOOL, revoked, 1)                   \
	X(S, U64, seq, 1)                        \
	X(S, STR, cert_serial, CERT_SERIAL_SIZE) \
	X(S, STR, device, DEVICE_SERIAL_SIZE)    \
	X(S, TIME, at, 1)
RECORD_DECLARE(ledger_entry, LEDGER_ENTRY_FIELDS)

/* Waits up to wait_ms for a revoked serial that the signer has not kept yet. */
#define REVOKED_TAKE_FIELDS(X, S) X(S, U32, wait_ms, 1)
RECORD_DECLARE(revoked_take, REVOKED_TAKE_FIELDS)

/* ---- enrolment events (role enroll), one-way ---- */

/* An enrolment attempt that came to nothing, for `pump events` and `pump why`. */
#define ENROLL_EVENT_FIELDS(X, S)             \
	X(S, TIME, at, 1)                     \
	X(S, STR, device, DEVICE_SERIAL_SIZE) \
	X(S, STR, operation, STATE_SIZE)      \
	X(S, STR, reason, REASON_SIZE)        \
	X(S, STR, source, IP_SIZE)            \
	X(S, STR, detail, TEXT_SIZE)
RECORD_DECLARE(enroll_event, ENROLL_EVENT_FIELDS)

/* ---- what people and pumpctl decide (role admin) ---- */

/* Which pumps in use have a certificate in force, or past its end and not replaced, of this CA. */
#define ISSUER_QUERY_FIELDS(X, S)            \
	X(S, STR, issuer, ISSUER_SIZE)       \
	X(S, TIME, since, 1)                 \
	X(S, STR, after, DEVICE_SERIAL_SIZE) \
	X(S, U32, limit, 1)
RECORD_DECLARE(issuer_query, ISSUER_QUERY_FIELDS)

/* A step of a roll-over that has been done: start, switch, retire, finish, abort of the CA "device"
 * or "server"; the names of the one in use and of the other one. */
#define CA_STEP_FIELDS(X, S)           \
	X(S, STR, ca, 17)              \
	X(S, STR, step, 17)            \
	X(S, STR, issuer, ISSUER_SIZE) \
	X(S, STR, other, ISSUER_SIZE)
RECORD_DECLARE(ca_step, CA_STEP_FIELDS)

#define TOKEN_CREATE_FIELDS(X, S)             \
	X(S, STR, device, DEVICE_SERIAL_SIZE) \
	X(S, U64, ttl_ms, 1)                  \
	X(S, U64, mab_window_ms, 1) /* 0: the wired MAC window stays as it is */
RECORD_DECLARE(token_create, TOKEN_CREATE_FIELDS)

/* The only time that the token exists outside the pump; the registry keeps its SHA-256. */
#define TOKEN_FIELDS(X, S)     \
	X(S, HIDE, token, 128) \
	X(S, TIME, expires, 1) \
	X(S, TIME, mab_until, 1)
RECORD_DECLARE(token, TOKEN_FIELDS)

/* A maker whose birth certificates stand for a token. models: "MODEL,MODEL=OID": which it may vouch
 * for; with an OID, only if the certificate's hwType (RFC 4108 5) is that. anchor_sha256: of each
 * anchor, in hex, by spaces. anchors: their DER, one behind the other; empty in lists for people.
 */
#define MAKER_FIELDS(X, S)                      \
	X(S, STR, name, LABEL_SIZE)             \
	X(S, BOOL, enabled, 1)                  \
	X(S, STR, models, MAKER_MODELS_SIZE)    \
	X(S, U64, pumps, 1) /* of this maker */ \
	X(S, TIME, added_at, 1)                 \
	X(S, STR, added_by, LABEL_SIZE)         \
	X(S, STR, anchor_sha256, TEXT_SIZE + 8) \
	X(S, BLOB, anchors, MAKER_ANCHORS_SIZE)
RECORD_DECLARE(maker, MAKER_FIELDS)

/* What pumps are told about our servers: der is CMS (ca/server_policy.h), which only pumps verify.
 * login_server, login_name: "" when it says nothing of logins. named_at: when radius_name was first
 * told by a policy; 0: bundles tell it. */
#define SERVER_POLICY_DER_MAX 4096
#define SERVER_POLICY_FIELDS(X, S)             \
	X(S, U64, number, 1)                   \
	X(S, STR, radius_name, TEXT_SIZE)      \
	X(S, BLOB, der, SERVER_POLICY_DER_MAX) \
	X(S, TIME, set_at, 1)                  \
	X(S, STR, set_by, LABEL_SIZE)          \
	X(S, STR, login_server, LABEL_SIZE)    \
	X(S, STR, login_name, TEXT_SIZE)       \
	X(S, TIME, named_at, 1)
RECORD_DECLARE(server_policy, SERVER_POLICY_FIELDS)

/* A renewal that waits for a person, or waited. state: waiting, approved, denied, used, expired.
 * key: SHA-256 of the SubjectPublicKeyInfo in hex. prior: the certificate that the request names.
 */
#define APPROVAL_FIELDS(X, S)                         \
	X(S, STR, place, NAME_SIZE) /* for `after` */ \
	X(S, STR, device, DEVICE_SERIAL_SIZE)         \
	X(S, STR, key, 65)                            \
	X(S, STR, key_type, STATE_SIZE)               \
	X(S, STR, state, STATE_SIZE)                  \
	X(S, STR, source, IP_SIZE)                    \
	X(S, TIME, asked_at, 1)                       \
	X(S, TIME, expires_at, 1)                     \
	X(S, STR, prior, CERT_SERIAL_SIZE)            \
	X(S, STR, maker, LABEL_SIZE)                  \
	X(S, STR, model, LABEL_SIZE)                  \
	X(S, STR, ward, LABEL_SIZE)                   \
	X(S, STR, device_state, STATE_SIZE)           \
	X(S, TIME, decided_at, 1)                     \
	X(S, STR, decided_by, LABEL_SIZE)             \
	X(S, STR, decided_why, TEXT_SIZE)
RECORD_DECLARE(approval, APPROVAL_FIELDS)

/* key: at least the first 16 hex digits. */
#define APPROVAL_DECISION_FIELDS(X, S)        \
	X(S, STR, device, DEVICE_SERIAL_SIZE) \
	X(S, STR, key, 65)                    \
	X(S, BOOL, approve, 1)                \
	X(S, STR, reason, LABEL_SIZE)
RECORD_DECLARE(approval_decision, APPROVAL_DECISION_FIELDS)

#endif
