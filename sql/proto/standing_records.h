/* SPDX-License-Identifier: BSD-2-Clause */
/* Changes of what a pump may do, and what a backup knows of them. */
#ifndef SQL_PROTO_STANDING_RECORDS_H
#define SQL_PROTO_STANDING_RECORDS_H

#include "base/ipc_record.h"
#include "sql/proto/registry_sizes.h"

/* when_idle: not before the pump reports that it does not infuse, but at_latest (0: however long
 * that takes). */
#define REVOKE_FIELDS(X, S)                   \
	X(S, STR, device, DEVICE_SERIAL_SIZE) \
	X(S, STR, reason, TEXT_SIZE)          \
	X(S, BOOL, when_idle, 1)              \
	X(S, TIME, at_latest, 1)
RECORD_DECLARE(revoke, REVOKE_FIELDS)

/* Another place than its own zone, or back: action quarantine, park, release. */
#define STANDING_CHANGE_FIELDS(X, S)                \
	X(S, STR, device, DEVICE_SERIAL_SIZE)       \
	X(S, STR, action, STATE_SIZE)               \
	X(S, STR, reason, TEXT_SIZE)                \
	X(S, BOOL, when_idle, 1) /* as in revoke */ \
	X(S, TIME, at_latest, 1)
RECORD_DECLARE(standing_change, STANDING_CHANGE_FIELDS)

/* A change of standing that waits until its pump is idle (docs/decisions/0151). infusing,
 * reported_at: the pump's last word. */
#define PENDING_CHANGE_FIELDS(X, S)           \
	X(S, STR, device, DEVICE_SERIAL_SIZE) \
	X(S, STR, action, STATE_SIZE)         \
	X(S, STR, reason, TEXT_SIZE)          \
	X(S, TIME, asked_at, 1)               \
	X(S, STR, asked_by, LABEL_SIZE)       \
	X(S, TIME, at_latest, 1)              \
	X(S, STR, infusing, STATE_SIZE)       \
	X(S, TIME, reported_at, 1)
RECORD_DECLARE(pending_change, PENDING_CHANGE_FIELDS)

/* state: ordered, wiped (the statement is here), cancelled. The statement is the text that was
 * signed, with the key of the certificate: ca/request/wipe_statement.h. */
#define WIPE_ORDER_TEXT 33
#define DECOMMISSION_FIELDS(X, S)                \
	X(S, STR, device, DEVICE_SERIAL_SIZE)    \
	X(S, STR, wipe_order, WIPE_ORDER_TEXT)   \
	X(S, STR, state, STATE_SIZE)             \
	X(S, TIME, ordered_at, 1)                \
	X(S, STR, ordered_by, LABEL_SIZE)        \
	X(S, STR, reason, TEXT_SIZE)             \
	X(S, TIME, received_at, 1)               \
	X(S, STR, cert_serial, CERT_SERIAL_SIZE) \
	X(S, BLOB, statement, 1024)              \
	X(S, BLOB, signature, 512)               \
	X(S, BOOL, already, 1)
RECORD_DECLARE(decommission, DECOMMISSION_FIELDS)

/* What a pump is told, and names in its statement. */
#define WIPE_ORDER_FIELDS(X, S) X(S, STR, wipe_order, WIPE_ORDER_TEXT)
RECORD_DECLARE(wipe_order, WIPE_ORDER_FIELDS)

/* A statement that the signer has verified. */
#define WIPED_FIELDS(X, S)                       \
	X(S, STR, issuer, ISSUER_SIZE)           \
	X(S, STR, cert_serial, CERT_SERIAL_SIZE) \
	X(S, STR, device, DEVICE_SERIAL_SIZE)    \
	X(S, STR, wipe_order, WIPE_ORDER_TEXT)   \
	X(S, BLOB, statement, 1024)              \
	X(S, BLOB, signature, 512)
RECORD_DECLARE(wiped, WIPED_FIELDS)

/* The receipt of a change of standing: action revoke, quarantine, park or release. already: it was
 * so before; the receipt is that of the first time. */
#define REVOCATION_FIELDS(X, S)                                                                \
	X(S, U64, id, 1)                                                                       \
	X(S, STR, device, DEVICE_SERIAL_SIZE)                                                  \
	X(S, STR, action, STATE_SIZE)                                                          \
	X(S, TIME, asked_at, 1)                                                                \
	X(S, TIME, committed_at, 1)                                                            \
	X(S, BOOL, already, 1)                                                                 \
	X(S, U32, certificates, 1)                                                             \
	X(S, U32, sessions, 1)                                                                 \
	X(S, U32, orders, 1)                                                                   \
	X(S, STR, by, LABEL_SIZE)                                                              \
	X(S, STR, reason, TEXT_SIZE)                                                           \
	/* each 0: not tried yet */                                                            \
	X(S, TIME, return_refused_at, 1) /* revoke */                                          \
	X(S, TIME, returned_at, 1)	 /* else: seen in the zone that it belongs into now */ \
	X(S, U32, unkept, 1) /* certificates that the signer has not written down yet */       \
	X(S, TIME, kept_at, 1)                                                                 \
	X(S, BOOL, waiting, 1) /* nothing is done yet: it waits until the pump is idle */      \
	X(S, TIME, at_latest, 1)
RECORD_DECLARE(revocation, REVOCATION_FIELDS)

/* One line of what a restored registry lacks. kind: revoked (its pump is held back until the merge)
 * or lost (issued after the backup: the pump must enrol again). */
#define GAP_FIELDS(X, S)                            \
	X(S, STR, key, NAME_SIZE) /* for `after` */ \
	X(S, STR, kind, STATE_SIZE)                 \
	X(S, STR, device, DEVICE_SERIAL_SIZE)       \
	X(S, STR, cert_serial, CERT_SERIAL_SIZE)    \
	X(S, TIME, at, 1)                           \
	X(S, TIME, found_at, 1)                     \
	X(S, TIME, merged_at, 1)
RECORD_DECLARE(gap, GAP_FIELDS)

#define MERGE_FIELDS(X, S)    \
	X(S, U32, revoked, 1) \
	X(S, U32, lost, 1)    \
	X(S, BOOL, more, 1) /* not everything in one step: ask again */
RECORD_DECLARE(merge, MERGE_FIELDS)

/* start: begin a backup into a folder of registryd's; else: how far it is. state: none, running,
 * done, failed (then `text` says why). */
#define BACKUP_QUERY_FIELDS(X, S) X(S, BOOL, start, 1)
RECORD_DECLARE(backup_query, BACKUP_QUERY_FIELDS)

#define BACKUP_STATE_FIELDS(X, S)                               \
	X(S, STR, state, STATE_SIZE)                            \
	X(S, STR, folder, LABEL_SIZE) /* below HOME/registry */ \
	X(S, U64, done, 1)                                      \
	X(S, U64, total, 1)                                     \
	X(S, U64, devices, 1)                                   \
	X(S, U64, certificates, 1)                              \
	X(S, U64, audit_rows, 1)                                \
	X(S, STR, audit_head, 65)                               \
	X(S, STR, text, TEXT_SIZE)
RECORD_DECLARE(backup_state, BACKUP_STATE_FIELDS)

#define ID_QUERY_FIELDS(X, S) X(S, U64, id, 1)
RECORD_DECLARE(id_query, ID_QUERY_FIELDS)

#endif
