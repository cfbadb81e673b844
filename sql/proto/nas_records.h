/* SPDX-License-Identifier: BSD-2-Clause */
/* The NAS, as people manage them. */
#ifndef SQL_PROTO_NAS_RECORDS_H
#define SQL_PROTO_NAS_RECORDS_H

#include "base/ipc_record.h"
#include "sql/proto/registry_sizes.h"

#define NAS_FIELDS(X, S)                                                     \
	X(S, STR, name, NAME_SIZE)                                           \
	X(S, STR, ip, IP_SIZE)                                               \
	X(S, U32, das_port, 1) /* 0: the NAS takes no Disconnect-Requests */ \
	X(S, BOOL, enabled, 1)                                               \
	X(S, U32, secret_version, 1)                                         \
	X(S, HIDE, secret, NAS_SECRET_MAX) /* in requests only */            \
	X(S, TIME, last_seen, 1)                                             \
	X(S, STR, site, NAME_SIZE) /* where it stands; "": nobody told */    \
	X(S, BOOL, radsec, 1)	   /* by certificate; no secret, ip may be empty */
RECORD_DECLARE(nas, NAS_FIELDS)

#define NAS_NAME_FIELDS(X, S) X(S, STR, name, NAME_SIZE)
RECORD_DECLARE(nas_name, NAS_NAME_FIELDS)

/* The events are those that are still kept. */
#define NAS_DETAIL_FIELDS(X, S)                                           \
	X(S, STR, name, NAME_SIZE)                                        \
	X(S, STR, ip, IP_SIZE)                                            \
	X(S, STR, site, NAME_SIZE)                                        \
	X(S, U32, das_port, 1)                                            \
	X(S, BOOL, enabled, 1)                                            \
	X(S, U32, secret_version, 1)                                      \
	X(S, TIME, added_at, 1)                                           \
	X(S, TIME, last_seen, 1)                                          \
	X(S, U64, live_sessions, 1)                                       \
	X(S, U64, open_orders, 1)                                         \
	X(S, U64, wrong_secret_events, 1)                                 \
	X(S, TIME, wrong_secret_at, 1)                                    \
	X(S, U64, claim_events, 1)                                        \
	X(S, TIME, claim_at, 1)                                           \
	X(S, STR, last_event, TEXT_SIZE)                                  \
	X(S, BOOL, radsec, 1)                                             \
	X(S, U64, certificates, 1)		 /* in force */           \
	X(S, STR, cert_serial, CERT_SERIAL_SIZE) /* the newest of them */ \
	X(S, TIME, cert_not_after, 1)
RECORD_DECLARE(nas_detail, NAS_DETAIL_FIELDS)

/* A certificate of a RadSec NAS. sole, in requests: the NAS's others are refused from now on. */
#define NAS_CERT_FIELDS(X, S)                    \
	X(S, STR, nas, NAME_SIZE)                \
	X(S, STR, issuer, ISSUER_SIZE)           \
	X(S, STR, cert_serial, CERT_SERIAL_SIZE) \
	X(S, STR, state, STATE_SIZE)             \
	X(S, BLOB, spki_sha256, 32)              \
	X(S, TIME, not_before, 1)                \
	X(S, TIME, not_after, 1)                 \
	X(S, TIME, issued_at, 1)                 \
	X(S, TIME, revoked_at, 1)                \
	X(S, BOOL, sole, 1)                      \
	X(S, BLOB, der, CERT_DER_MAX)
RECORD_DECLARE(nas_cert, NAS_CERT_FIELDS)

/* What a NAS makes of a Disconnect-Request for a session that does not exist. result: as in
 * dispatch_result, or "untaken" when no dispatcher sent it in time. */
#define NAS_PROBE_FIELDS(X, S)        \
	X(S, STR, name, NAME_SIZE)    \
	X(S, STR, ip, IP_SIZE)        \
	X(S, U32, das_port, 1)        \
	X(S, STR, result, STATE_SIZE) \
	X(S, U32, error_cause, 1)     \
	X(S, U32, rtt_us, 1)          \
	X(S, STR, detail, TEXT_SIZE)
RECORD_DECLARE(nas_probe, NAS_PROBE_FIELDS)

#endif
