/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What pumpgate-credd is asked and answers about break-glass codes. Shared by the service and its
 * clients; only data. The verbs stand in sql/proto/cred_verbs.h.
 */
#ifndef SQL_PROTO_GLASS_RECORDS_H
#define SQL_PROTO_GLASS_RECORDS_H

#include "sql/proto/registry_records.h"
#include "sql/wire/break_glass.h"

#define GLASS_WANTS_MAX 16 /* pumps in one request: each code costs an argon2id */
#define GLASS_DAYS_MAX 366

/* New codes for a pump; what it had is void. */
#define GLASS_WANT_FIELDS(X, S)               \
	X(S, STR, device, DEVICE_SERIAL_SIZE) \
	X(S, STR, ward, LABEL_SIZE)           \
	X(S, STR, role, LOGIN_ROLE_SIZE)      \
	X(S, U32, codes, 1)                   \
	X(S, TIME, not_after, 1)
RECORD_DECLARE(glass_want, GLASS_WANT_FIELDS)

/* The only time that a code exists outside its envelope. */
#define GLASS_ISSUED_FIELDS(X, S)             \
	X(S, STR, device, DEVICE_SERIAL_SIZE) \
	X(S, U64, id, 1)                      \
	X(S, TIME, not_after, 1)              \
	X(S, HIDE, code, BREAK_GLASS_TEXT_SIZE)
RECORD_DECLARE(glass_issued, GLASS_ISSUED_FIELDS)

/* state: open, expired, used, reviewed, void. */
#define GLASS_FIELDS(X, S)                          \
	X(S, STR, key, NAME_SIZE) /* for `after` */ \
	X(S, U64, id, 1)                            \
	X(S, STR, device, DEVICE_SERIAL_SIZE)       \
	X(S, STR, ward, LABEL_SIZE)                 \
	X(S, STR, role, LOGIN_ROLE_SIZE)            \
	X(S, STR, state, STATE_SIZE)                \
	X(S, TIME, issued_at, 1)                    \
	X(S, STR, issued_by, LABEL_SIZE)            \
	X(S, TIME, not_after, 1)                    \
	X(S, TIME, used_at, 1)                      \
	X(S, TIME, told_at, 1)                      \
	X(S, TIME, reviewed_at, 1)                  \
	X(S, STR, reviewed_by, LABEL_SIZE)          \
	X(S, STR, person, LOGIN_DISPLAY_SIZE)       \
	X(S, STR, reason, TEXT_SIZE)
RECORD_DECLARE(glass, GLASS_FIELDS)

#define GLASS_REVIEW_FIELDS(X, S)             \
	X(S, U64, id, 1)                      \
	X(S, STR, person, LOGIN_DISPLAY_SIZE) \
	X(S, STR, reason, TEXT_SIZE)
RECORD_DECLARE(glass_review, GLASS_REVIEW_FIELDS)

/* Open codes of a pump, or of a ward: the envelope is lost. */
#define GLASS_VOID_FIELDS(X, S)               \
	X(S, STR, device, DEVICE_SERIAL_SIZE) \
	X(S, STR, ward, LABEL_SIZE)           \
	X(S, STR, reason, TEXT_SIZE)
RECORD_DECLARE(glass_void, GLASS_VOID_FIELDS)

#define GLASS_COUNT_FIELDS(X, S) \
	X(S, U64, open, 1)       \
	X(S, U64, unreviewed, 1) \
	X(S, U64, voided, 1) /* by this request */
RECORD_DECLARE(glass_count, GLASS_COUNT_FIELDS)

#endif
