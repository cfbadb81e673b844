/* SPDX-License-Identifier: BSD-2-Clause */
/* The inventory: zones, pumps, alarms. */
#ifndef SQL_PROTO_INVENTORY_RECORDS_H
#define SQL_PROTO_INVENTORY_RECORDS_H

#include "base/ipc_record.h"
#include "sql/proto/registry_sizes.h"

#define ZONE_FIELDS(X, S)                                                        \
	X(S, STR, name, NAME_SIZE)                                               \
	X(S, U32, vlan, 1)                                                       \
	X(S, STR, filter_id, LABEL_SIZE)                                         \
	X(S, U32, session_s, 1)                                                  \
	X(S, STR, purpose, STATE_SIZE) /* "", onboarding, quarantine, parking */ \
	X(S, U64, devices, 1)	       /* in answers */
RECORD_DECLARE(zone, ZONE_FIELDS)

#define DEVICE_FIELDS(X, S)                                                                    \
	X(S, STR, serial, DEVICE_SERIAL_SIZE)                                                  \
	X(S, STR, maker, LABEL_SIZE)                                                           \
	X(S, STR, model, LABEL_SIZE)                                                           \
	X(S, STR, mac, MAC_SIZE)                                                               \
	X(S, STR, ward, LABEL_SIZE)                                                            \
	X(S, STR, zone, NAME_SIZE)                                                             \
	/* the rest in answers only */                                                         \
	X(S, STR, state, STATE_SIZE)                                                           \
	X(S, TIME, state_at, 1)                                                                \
	X(S, STR, state_by, LABEL_SIZE)                                                        \
	X(S, STR, state_reason, TEXT_SIZE)                                                     \
	X(S, U32, vlan, 1)                                                                     \
	X(S, TIME, added_at, 1)                                                                \
	X(S, TIME, mab_until, 1)                                                               \
	X(S, TIME, token_until, 1)                                                             \
	X(S, STR, cert_serial, CERT_SERIAL_SIZE)                                               \
	X(S, STR, cert_state, STATE_SIZE)                                                      \
	X(S, TIME, cert_not_after, 1)                                                          \
	X(S, TIME, last_seen, 1)                                                               \
	X(S, STR, last_nas, NAME_SIZE)                                                         \
	X(S, U32, live_sessions, 1)                                                            \
	X(S, U32, open_orders, 1)                                                              \
	X(S, U32, untold_nas, 1) /* of the last week that could not be told of a revocation */ \
	X(S, U32, rejects, 1)	 /* attempts refused since it was last let on */               \
	X(S, STR, other_macs, TEXT_SIZE) /* device_show only */                                \
	X(S, U32, open_alarms, 1)                                                              \
	X(S, TIME, reported_at, 1) /* by the pump itself, as the next three */                 \
	X(S, STR, software, NAME_SIZE)                                                         \
	X(S, STR, key_protection, STATE_SIZE)                                                  \
	X(S, STR, infusing, STATE_SIZE)                                                        \
	X(S, STR, waiting, STATE_SIZE) /* a change of standing, until the pump is idle */      \
	X(S, TIME, waiting_since, 1)                                                           \
	X(S, STR, waiting_by, LABEL_SIZE)                                                      \
	X(S, TIME, waiting_at_latest, 1)                                                       \
	X(S, STR, tls, TLS_VERSION_SIZE) /* as in model_pump, as the next two */               \
	X(S, STR, tls_cipher, NAME_SIZE)                                                       \
	X(S, TIME, tls_at, 1)
RECORD_DECLARE(device, DEVICE_FIELDS)

/* A further network card of a pump. remove: it is the pump's no more. */
#define DEVICE_MAC_FIELDS(X, S)               \
	X(S, STR, device, DEVICE_SERIAL_SIZE) \
	X(S, STR, mac, MAC_SIZE)              \
	X(S, BOOL, remove, 1)
RECORD_DECLARE(device_mac, DEVICE_MAC_FIELDS)

/* kind: a name of policies/anomaly.h. device: the owner of the certificate that was presented, ""
 * when the registry knows none. nas: where the suspect was seen; other_nas and other_mac: what it
 * is held against. action: none, quarantined, capped (too many: people decide), failed. */
#define ALARM_FIELDS(X, S)                                    \
	X(S, STR, key, NAME_SIZE) /* for `after` */           \
	X(S, U64, id, 1)                                      \
	X(S, STR, state, STATE_SIZE) /* open, acknowledged */ \
	X(S, STR, kind, REASON_SIZE)                          \
	X(S, STR, device, DEVICE_SERIAL_SIZE)                 \
	X(S, STR, nas, NAME_SIZE)                             \
	X(S, STR, other_nas, NAME_SIZE)                       \
	X(S, STR, cert_serial, CERT_SERIAL_SIZE)              \
	X(S, STR, mac, MAC_SIZE)                              \
	X(S, STR, other_mac, MAC_SIZE)                        \
	X(S, STR, detail, TEXT_SIZE)                          \
	X(S, STR, action, STATE_SIZE)                         \
	X(S, U64, count, 1)                                   \
	X(S, TIME, first_at, 1)                               \
	X(S, TIME, last_at, 1)                                \
	X(S, TIME, acked_at, 1)                               \
	X(S, STR, acked_by, LABEL_SIZE)                       \
	X(S, STR, note, TEXT_SIZE)
RECORD_DECLARE(alarm, ALARM_FIELDS)

#define ALARM_ACK_FIELDS(X, S) \
	X(S, U64, id, 1)       \
	X(S, STR, note, TEXT_SIZE)
RECORD_DECLARE(alarm_ack, ALARM_ACK_FIELDS)

/* One outcome per record of a device_add request, in its order. code: 0, ERR_UNCHANGED or why not
 * (as a positive number: -ERR_*). */
#define ADD_OUTCOME_FIELDS(X, S)              \
	X(S, STR, serial, DEVICE_SERIAL_SIZE) \
	X(S, U32, code, 1)                    \
	X(S, STR, text, TEXT_SIZE)
RECORD_DECLARE(add_outcome, ADD_OUTCOME_FIELDS)

/* For every list: rows after the key `after` in the verb's order ("" from the start), at most
 * `limit`; empty filters match all. */
#define LIST_QUERY_FIELDS(X, S)               \
	X(S, STR, after, USER_NAME_SIZE)      \
	X(S, U32, limit, 1)                   \
	X(S, STR, device, DEVICE_SERIAL_SIZE) \
	X(S, STR, state, STATE_SIZE)          \
	X(S, STR, zone, NAME_SIZE)            \
	X(S, STR, ward, LABEL_SIZE)           \
	X(S, STR, model, LABEL_SIZE)          \
	X(S, STR, nas, NAME_SIZE)             \
	X(S, BOOL, live_only, 1)
RECORD_DECLARE(list_query, LIST_QUERY_FIELDS)

#endif
