/* SPDX-License-Identifier: BSD-2-Clause */
/* Rotation of certificates (docs/decisions/0131). */
#ifndef SQL_PROTO_ROTATION_RECORDS_H
#define SQL_PROTO_ROTATION_RECORDS_H

#include "base/ipc_record.h"
#include "sql/proto/registry_sizes.h"

#define ROTATION_PUMPS_MAX 200000
#define ROTATION_WAVE_MAX 5000

/* chosen: how the pumps were chosen, in words. due_percent: of the certificate's life that must be
 * over; 0 takes all. quiet_*: minutes of the server's day in which no wave begins; equal: none. */
#define ROTATION_START_FIELDS(X, S)                                               \
	X(S, STR, chosen, TEXT_SIZE)                                              \
	X(S, STR, ward, LABEL_SIZE)                                               \
	X(S, STR, model, LABEL_SIZE)                                              \
	X(S, U32, due_percent, 1)                                                 \
	X(S, BOOL, old_ca, 1)	 /* of a CA that has been replaced, of any age */ \
	X(S, BOOL, or_old_ca, 1) /* those too */                                  \
	X(S, U32, canaries, 1)                                                    \
	X(S, U32, wave_max, 1)                                                    \
	X(S, U32, budget_percent, 1)                                              \
	X(S, U64, patience_ms, 1)                                                 \
	X(S, U32, quiet_from, 1)                                                  \
	X(S, U32, quiet_until, 1)                                                 \
	X(S, BOOL, dry_run, 1)
RECORD_DECLARE(rotation_start, ROTATION_START_FIELDS)

/* state: planned, running, halted, done, cancelled. wave: how many were asked already. waiting:
 * not asked yet; asked: not renewed yet; failed: on the network, and did not renew in time; absent:
 * not seen since it was asked; gone: revoked meanwhile. */
#define ROTATION_FIELDS(X, S)               \
	X(S, U64, id, 1)                    \
	X(S, STR, state, STATE_SIZE)        \
	X(S, STR, chosen, TEXT_SIZE)        \
	X(S, TIME, requested_at, 1)         \
	X(S, STR, requested_by, LABEL_SIZE) \
	X(S, U32, waves, 1)                 \
	X(S, U32, wave, 1)                  \
	X(S, U64, pumps, 1)                 \
	X(S, U64, waiting, 1)               \
	X(S, U64, asked, 1)                 \
	X(S, U64, renewed, 1)               \
	X(S, U64, failed, 1)                \
	X(S, U64, absent, 1)                \
	X(S, U64, gone, 1)                  \
	X(S, STR, why, TEXT_SIZE)           \
	X(S, TIME, ended_at, 1)
RECORD_DECLARE(rotation, ROTATION_FIELDS)

/* state, for ROTATION_CHANGE: running or cancelled. */
#define ROTATION_STEP_FIELDS(X, S) \
	X(S, U64, id, 1)           \
	X(S, STR, state, STATE_SIZE)
RECORD_DECLARE(rotation_step, ROTATION_STEP_FIELDS)

#define ROTATION_WAVE_QUERY_FIELDS(X, S) \
	X(S, U64, id, 1)                 \
	X(S, U32, from, 1)
RECORD_DECLARE(rotation_wave_query, ROTATION_WAVE_QUERY_FIELDS)

/* Wave 0 are the canaries, of all wards and models. */
#define ROTATION_WAVE_FIELDS(X, S)   \
	X(S, U32, wave, 1)           \
	X(S, STR, ward, LABEL_SIZE)  \
	X(S, STR, model, LABEL_SIZE) \
	X(S, U64, pumps, 1)          \
	X(S, U64, waiting, 1)        \
	X(S, U64, asked, 1)          \
	X(S, U64, renewed, 1)        \
	X(S, U64, failed, 1)         \
	X(S, U64, absent, 1)         \
	X(S, U64, gone, 1)
RECORD_DECLARE(rotation_wave, ROTATION_WAVE_FIELDS)

/* A certificate that is to be renewed early. */
#define RENEWAL_ASK_FIELDS(X, S)                 \
	X(S, STR, cert_serial, CERT_SERIAL_SIZE) \
	X(S, TIME, asked_at, 1)
RECORD_DECLARE(renewal_ask, RENEWAL_ASK_FIELDS)

#endif
