/* SPDX-License-Identifier: BSD-2-Clause */
/* What was and what is: events, certificates, sessions, the audit, the whole status. */
#ifndef SQL_PROTO_HISTORY_RECORDS_H
#define SQL_PROTO_HISTORY_RECORDS_H

#include "base/ipc_record.h"
#include "sql/proto/registry_sizes.h"

/* One line of a pump's history, newest first. source: auth, enroll, report, audit,
 * dispatch. */
#define EVENT_FIELDS(X, S)                                              \
	X(S, TIME, at, 1)                                               \
	X(S, STR, source, STATE_SIZE)                                   \
	X(S, STR, what, REASON_SIZE) /* verdict, operation or action */ \
	X(S, STR, reason, REASON_SIZE)                                  \
	X(S, STR, device, DEVICE_SERIAL_SIZE)                           \
	X(S, STR, identity, USER_NAME_SIZE)                             \
	X(S, STR, cert_serial, CERT_SERIAL_SIZE)                        \
	X(S, STR, mac, MAC_SIZE)                                        \
	X(S, STR, nas, NAME_SIZE)                                       \
	X(S, STR, zone, NAME_SIZE)                                      \
	X(S, U32, vlan, 1)                                              \
	X(S, STR, detail, TEXT_SIZE)                                    \
	X(S, STR, tls, TLS_VERSION_SIZE)                                \
	X(S, STR, tls_cipher, NAME_SIZE)
RECORD_DECLARE(event, EVENT_FIELDS)

#define CERT_FIELDS(X, S)                        \
	X(S, STR, device, DEVICE_SERIAL_SIZE)    \
	X(S, STR, issuer, ISSUER_SIZE)           \
	X(S, STR, cert_serial, CERT_SERIAL_SIZE) \
	X(S, STR, state, STATE_SIZE)             \
	X(S, STR, method, STATE_SIZE)            \
	X(S, STR, key_type, STATE_SIZE)          \
	X(S, TIME, not_before, 1)                \
	X(S, TIME, not_after, 1)                 \
	X(S, TIME, issued_at, 1)                 \
	X(S, TIME, revoked_at, 1)                \
	X(S, TIME, last_used, 1)                 \
	X(S, BLOB, der, CERT_DER_MAX) /* cert_show only */
RECORD_DECLARE(cert, CERT_FIELDS)

#define SESSION_FIELDS(X, S)                                          \
	X(S, STR, key, TEXT_SIZE) /* for `after` */                   \
	X(S, STR, device, DEVICE_SERIAL_SIZE)                         \
	X(S, STR, cert_serial, CERT_SERIAL_SIZE)                      \
	X(S, STR, mac, MAC_SIZE)                                      \
	X(S, STR, nas, NAME_SIZE)                                     \
	X(S, STR, nas_port, LABEL_SIZE)                               \
	X(S, STR, session_id, SESSION_ID_SIZE)                        \
	X(S, STR, zone, NAME_SIZE)                                    \
	X(S, U32, vlan, 1)                                            \
	X(S, STR, state, STATE_SIZE) /* accepted, started, stopped */ \
	X(S, TIME, accepted_at, 1)                                    \
	X(S, TIME, started_at, 1)                                     \
	X(S, TIME, updated_at, 1)                                     \
	X(S, TIME, stopped_at, 1)                                     \
	X(S, U64, input_octets, 1)                                    \
	X(S, U64, output_octets, 1)                                   \
	X(S, STR, cause, REASON_SIZE)
RECORD_DECLARE(session, SESSION_FIELDS)

#define AUDIT_ROW_FIELDS(X, S)         \
	X(S, U64, seq, 1)              \
	X(S, TIME, at, 1)              \
	X(S, STR, actor, LABEL_SIZE)   \
	X(S, STR, action, REASON_SIZE) \
	X(S, STR, object, ISSUER_SIZE) \
	X(S, STR, detail, TEXT_SIZE)   \
	X(S, STR, hash, 65)
RECORD_DECLARE(audit_row, AUDIT_ROW_FIELDS)

/* The chain's end, and the hash of row `seq` of the question ("" when there is no such row). */
#define AUDIT_HEAD_QUERY_FIELDS(X, S) X(S, U64, seq, 1)
RECORD_DECLARE(audit_head_query, AUDIT_HEAD_QUERY_FIELDS)

#define AUDIT_HEAD_FIELDS(X, S) \
	X(S, U64, seq, 1)       \
	X(S, STR, hash, 65)     \
	X(S, STR, row_hash, 65)
RECORD_DECLARE(audit_head, AUDIT_HEAD_FIELDS)

/* checkpoints, signed_at: how many of signerd's fit, and the last one's time; filled in by whoever
 * compares them. */
#define AUDIT_CHECK_FIELDS(X, S)   \
	X(S, BOOL, intact, 1)      \
	X(S, U64, rows, 1)         \
	X(S, U64, bad_seq, 1)      \
	X(S, STR, head, 65)        \
	X(S, STR, text, TEXT_SIZE) \
	X(S, U64, checkpoints, 1)  \
	X(S, TIME, signed_at, 1)
RECORD_DECLARE(audit_check, AUDIT_CHECK_FIELDS)

#define STATUS_FIELDS(X, S)                                    \
	X(S, STR, version, NAME_SIZE)                          \
	X(S, U32, registry_schema, 1)                          \
	X(S, U32, sessions_schema, 1)                          \
	X(S, TIME, started_at, 1)                              \
	X(S, U64, devices, 1)                                  \
	X(S, U64, expected, 1)                                 \
	X(S, U64, enrolled, 1)                                 \
	X(S, U64, revoked, 1)                                  \
	X(S, U64, quarantined, 1)                              \
	X(S, U64, parked, 1)                                   \
	X(S, U64, certificates, 1)                             \
	X(S, U64, expiring, 1) /* valid, end within 14 days */ \
	X(S, U64, live_sessions, 1)                            \
	X(S, U64, orders_open, 1)                              \
	X(S, TIME, orders_oldest, 1)                           \
	X(S, U64, zones, 1)                                    \
	X(S, U64, nas, 1)                                      \
	X(S, U64, audit_rows, 1)                               \
	X(S, U64, events_dropped, 1)                           \
	X(S, U64, registry_bytes, 1)                           \
	X(S, U64, sessions_bytes, 1)                           \
	/* a connection in that role is open */                \
	X(S, BOOL, dispatcher_present, 1)                      \
	X(S, BOOL, signer_present, 1)                          \
	X(S, BOOL, radius_present, 1)                          \
	X(S, BOOL, enroll_present, 1)                          \
	X(S, U64, untold, 1) /* pumps with an untold_nas */    \
	/* revocations that the signer has not written down */ \
	X(S, U64, unkept, 1)                                   \
	X(S, TIME, unkept_oldest, 1)                           \
	/* restored from a backup: see pumpctl backup merge */ \
	X(S, BOOL, compare_needed, 1)                          \
	X(S, TIME, compared_at, 1)                             \
	X(S, U64, held, 1)                                     \
	X(S, U64, lost, 1)                                     \
	X(S, U64, approvals, 1) /* that wait for a person */   \
	X(S, U64, recalls_requested, 1)                        \
	X(S, U64, recalls_running, 1)                          \
	X(S, U64, recalls_paused, 1)                           \
	/* [recall] second_person = no */                      \
	X(S, BOOL, recall_alone, 1)                            \
	X(S, U64, open_alarms, 1)                              \
	/* pumps in use that reported within a day, and those  \
	 * of them below [report] min_version */               \
	X(S, U64, reporting, 1)                                \
	X(S, U64, waiting, 1) /* until their pump is idle */   \
	X(S, U64, below_version, 1)                            \
	X(S, STR, min_version, NAME_SIZE)                      \
	/* accepts that no session tells of; 0: never */       \
	X(S, TIME, accepts_lost_at, 1)
RECORD_DECLARE(status, STATUS_FIELDS)

#endif
