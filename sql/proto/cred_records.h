/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What pumpgate-credd is asked and answers. Shared by the service and its clients; only data. Names
 * of people are UTF-8, prepared (nameprep) by the service; a badge's number is printable ASCII.
 */
#ifndef SQL_PROTO_CRED_RECORDS_H
#define SQL_PROTO_CRED_RECORDS_H

#include "sql/proto/registry_records.h"
#include "sql/wire/login_wire.h"

#define CRED_NAME_BYTES 253 /* RADIUS User-Name */
#define BADGE_SIZE 65

/* ---- a login (role login) ---- */

/* issuer and cert_serial are of the TLS connection that it came over, never of the request. name
 * and password as they came: any bytes. */
#define CRED_LOGIN_FIELDS(X, S)                  \
	X(S, STR, issuer, ISSUER_SIZE)           \
	X(S, STR, cert_serial, CERT_SERIAL_SIZE) \
	X(S, STR, source, IP_SIZE)               \
	X(S, BLOB, name, CRED_NAME_BYTES)        \
	X(S, HIDE, password, LOGIN_PASSWORD_MAX) \
	X(S, BLOB, says, LOGIN_BLOB_MAX)
RECORD_DECLARE(cred_login, CRED_LOGIN_FIELDS)

/* result: "ok" or a login_refusal.result; accept: true with "ok" alone. device: for the log. */
#define CRED_ANSWER_FIELDS(X, S)              \
	X(S, BOOL, accept, 1)                 \
	X(S, STR, result, LOGIN_WORD_SIZE)    \
	X(S, STR, device, DEVICE_SERIAL_SIZE) \
	X(S, STR, user, LOGIN_USER_SIZE)      \
	X(S, STR, role, LOGIN_ROLE_SIZE)      \
	X(S, U32, session_s, 1)               \
	X(S, U32, idle_s, 1)                  \
	X(S, STR, text, LOGIN_RECORD_TEXT)    \
	X(S, BLOB, hears, LOGIN_BLOB_MAX)
RECORD_DECLARE(cred_answer, CRED_ANSWER_FIELDS)

/* ---- people (role admin) ---- */

#define USER_NAME_FIELDS(X, S) X(S, STR, name, CRED_NAME_BYTES + 1)
RECORD_DECLARE(user_name, USER_NAME_FIELDS)

/* A new account. role "": none yet. badge "": none; pin goes with it. source "": local. */
#define USER_ADD_FIELDS(X, S)                    \
	X(S, STR, name, CRED_NAME_BYTES + 1)     \
	X(S, STR, display, LOGIN_DISPLAY_SIZE)   \
	X(S, STR, source, LOGIN_WORD_SIZE)       \
	X(S, TIME, expires, 1)                   \
	X(S, HIDE, password, LOGIN_PASSWORD_MAX) \
	X(S, STR, badge, BADGE_SIZE)             \
	X(S, HIDE, pin, LOGIN_PIN_MAX)           \
	X(S, STR, role, LOGIN_ROLE_SIZE)         \
	X(S, STR, ward, LABEL_SIZE)              \
	X(S, STR, model, LABEL_SIZE)
RECORD_DECLARE(user_add, USER_ADD_FIELDS)

#define USER_FIELDS(X, S)                                  \
	X(S, STR, name, LOGIN_USER_SIZE)                   \
	X(S, STR, display, LOGIN_DISPLAY_SIZE)             \
	X(S, STR, source, LOGIN_WORD_SIZE)                 \
	X(S, STR, state, STATE_SIZE)                       \
	X(S, STR, state_by, LABEL_SIZE)                    \
	X(S, STR, state_reason, TEXT_SIZE)                 \
	X(S, TIME, expires, 1)                             \
	X(S, BOOL, has_password, 1)                        \
	X(S, U32, badges, 1)                               \
	X(S, U32, roles, 1)                                \
	X(S, STR, role, LOGIN_ROLE_SIZE) /* one of them */ \
	X(S, U32, sessions, 1)		 /* now */         \
	X(S, TIME, added_at, 1)                            \
	X(S, TIME, last_login, 1)                          \
	X(S, STR, last_device, DEVICE_SERIAL_SIZE)
RECORD_DECLARE(user, USER_FIELDS)

/* state: enabled or disabled. */
#define USER_STATE_FIELDS(X, S)              \
	X(S, STR, name, CRED_NAME_BYTES + 1) \
	X(S, STR, state, STATE_SIZE)         \
	X(S, STR, reason, TEXT_SIZE)
RECORD_DECLARE(user_state, USER_STATE_FIELDS)

/* A new password (badge ""), or a badge with its PIN; remove: that badge is nobody's any more. */
#define USER_SECRET_FIELDS(X, S)               \
	X(S, STR, name, CRED_NAME_BYTES + 1)   \
	X(S, STR, badge, BADGE_SIZE)           \
	X(S, HIDE, secret, LOGIN_PASSWORD_MAX) \
	X(S, BOOL, remove, 1)
RECORD_DECLARE(user_secret, USER_SECRET_FIELDS)

#define USER_ROLE_FIELDS(X, S)               \
	X(S, STR, name, CRED_NAME_BYTES + 1) \
	X(S, STR, role, LOGIN_ROLE_SIZE)     \
	X(S, STR, ward, LABEL_SIZE)          \
	X(S, STR, model, LABEL_SIZE)         \
	X(S, BOOL, remove, 1)
RECORD_DECLARE(user_role, USER_ROLE_FIELDS)

#define USER_BADGE_FIELDS(X, S)      \
	X(S, STR, badge, BADGE_SIZE) \
	X(S, TIME, added_at, 1)
RECORD_DECLARE(user_badge, USER_BADGE_FIELDS)

/* How many pumps made this user wait. */
#define USER_UNLOCKED_FIELDS(X, S) X(S, U32, pumps, 1)
RECORD_DECLARE(user_unlocked, USER_UNLOCKED_FIELDS)

#define LOGIN_SESSION_FIELDS(X, S)                  \
	X(S, STR, key, NAME_SIZE) /* for `after` */ \
	X(S, STR, login_id, LOGIN_ID_SIZE)          \
	X(S, STR, user, LOGIN_USER_SIZE)            \
	X(S, STR, device, DEVICE_SERIAL_SIZE)       \
	X(S, STR, ward, LABEL_SIZE)                 \
	X(S, STR, role, LOGIN_ROLE_SIZE)            \
	X(S, STR, method, LOGIN_WORD_SIZE)          \
	X(S, TIME, started, 1)                      \
	X(S, TIME, until, 1)                        \
	X(S, TIME, ended, 1) /* 0: not that anybody said */
RECORD_DECLARE(login_session, LOGIN_SESSION_FIELDS)

#define ROLE_TERMS_FIELDS(X, S)          \
	X(S, STR, role, LOGIN_ROLE_SIZE) \
	X(S, U32, session_s, 1)          \
	X(S, U32, idle_s, 1)             \
	X(S, BOOL, offline, 1)           \
	X(S, U32, offline_s, 1)          \
	X(S, U32, offline_failures, 1)   \
	X(S, U32, offline_people, 1)     \
	X(S, BOOL, offline_passwords, 1) \
	X(S, U32, users, 1) /* in answers */
RECORD_DECLARE(role_terms, ROLE_TERMS_FIELDS)

/* throttled, busy, spraying: since the start. hash_us: one password's cost when credd started. */
#define CRED_STATUS_FIELDS(X, S)                                                             \
	X(S, STR, version, NAME_SIZE)                                                        \
	X(S, U32, schema, 1)                                                                 \
	X(S, TIME, started_at, 1)                                                            \
	X(S, U64, users, 1)                                                                  \
	X(S, U64, disabled, 1)                                                               \
	X(S, U64, sessions, 1)                                                               \
	X(S, U64, policy_epoch, 1)                                                           \
	X(S, U64, tombstones, 1)                                                             \
	X(S, U64, accepted, 1)                                                               \
	X(S, U64, refused, 1)                                                                \
	X(S, U64, throttled, 1)                                                              \
	X(S, U64, busy, 1)                                                                   \
	X(S, U64, spraying, 1)                                                               \
	X(S, U32, hash_us, 1)                                                                \
	X(S, BOOL, directory, 1)                                                             \
	X(S, U32, directory_servers, 1)                                                      \
	X(S, U32, directory_down, 1) /* left alone after failures */                         \
	X(S, BOOL, login_present, 1) /* radiusd clinicians is connected */                   \
	X(S, U64, held, 1)	     /* accounts disabled because a database was restored */ \
	X(S, U64, behind, 1) /* contacts of pumps that know later withdrawals, since the start */
RECORD_DECLARE(cred_status, CRED_STATUS_FIELDS)

/* ---- the directory (role admin) ---- */

/* A person as the directory has them now. state: good, or why they can't log in. known: the source
 * of the account of that name here, "" none. role: one of them. */
#define DIRECTORY_ENTRY_FIELDS(X, S)           \
	X(S, STR, name, LOGIN_USER_SIZE)       \
	X(S, STR, display, LOGIN_DISPLAY_SIZE) \
	X(S, STR, state, LOGIN_WORD_SIZE)      \
	X(S, STR, known, LOGIN_WORD_SIZE)      \
	X(S, U32, roles, 1)                    \
	X(S, STR, role, LOGIN_ROLE_SIZE)       \
	X(S, STR, dn, TEXT_SIZE)
RECORD_DECLARE(directory_entry, DIRECTORY_ENTRY_FIELDS)

#define DIRECTORY_SERVER_FIELDS(X, S)         \
	X(S, STR, server, TEXT_SIZE)          \
	X(S, STR, state, LOGIN_WORD_SIZE)     \
	X(S, U32, failures, 1) /* in a row */ \
	X(S, U32, retry_s, 1)                 \
	X(S, STR, text, TEXT_SIZE) /* of the last one */
RECORD_DECLARE(directory_server, DIRECTORY_SERVER_FIELDS)

#endif
