/* SPDX-License-Identifier: BSD-2-Clause */
/* What radiusd asks and tells while a packet waits (role radius). */
#ifndef SQL_PROTO_PACKET_RECORDS_H
#define SQL_PROTO_PACKET_RECORDS_H

#include "base/ipc_record.h"
#include "sql/proto/registry_sizes.h"

#define CERT_NAME_FIELDS(X, S)         \
	X(S, STR, issuer, ISSUER_SIZE) \
	X(S, STR, cert_serial, CERT_SERIAL_SIZE)
RECORD_DECLARE(cert_name, CERT_NAME_FIELDS)

/* found=false: no such serial was ever reserved; all else is then zero. A serial that was reserved
 * and never stored has cert_state "reserved". */
#define PUMP_FACTS_FIELDS(X, S)               \
	X(S, BOOL, found, 1)                  \
	X(S, STR, device, DEVICE_SERIAL_SIZE) \
	X(S, STR, device_state, STATE_SIZE)   \
	X(S, STR, cert_state, STATE_SIZE)     \
	X(S, TIME, not_before, 1)             \
	X(S, TIME, not_after, 1)              \
	X(S, STR, mac, MAC_SIZE)              \
	X(S, STR, zone, NAME_SIZE)            \
	X(S, U32, vlan, 1)                    \
	X(S, STR, filter_id, LABEL_SIZE)      \
	X(S, U32, session_s, 1)               \
	X(S, U32, tls_min, 1) /* of its model (policies/tls_profile.h); 0: none */
RECORD_DECLARE(pump_facts, PUMP_FACTS_FIELDS)

/* The zone with a purpose, "quarantine" or "parking"; vlan 0: there is none. */
#define ZONE_QUERY_FIELDS(X, S) X(S, STR, purpose, STATE_SIZE)
RECORD_DECLARE(zone_query, ZONE_QUERY_FIELDS)

#define ZONE_FACTS_FIELDS(X, S)          \
	X(S, STR, zone, NAME_SIZE)       \
	X(S, U32, vlan, 1)               \
	X(S, STR, filter_id, LABEL_SIZE) \
	X(S, U32, session_s, 1)
RECORD_DECLARE(zone_facts, ZONE_FACTS_FIELDS)

#define MAC_QUERY_FIELDS(X, S) X(S, STR, mac, MAC_SIZE)
RECORD_DECLARE(mac_query, MAC_QUERY_FIELDS)

/* The pump that the inventory lists under this MAC, and the onboarding zone (vlan 0: none set). */
#define MAC_FACTS_FIELDS(X, S)                \
	X(S, BOOL, found, 1)                  \
	X(S, STR, device, DEVICE_SERIAL_SIZE) \
	X(S, STR, device_state, STATE_SIZE)   \
	X(S, TIME, window_until, 1)           \
	X(S, STR, zone, NAME_SIZE)            \
	X(S, U32, vlan, 1)                    \
	X(S, STR, filter_id, LABEL_SIZE)      \
	X(S, U32, session_s, 1)
RECORD_DECLARE(mac_facts, MAC_FACTS_FIELDS)

#define BIRTH_QUERY_FIELDS(X, S) X(S, STR, device, DEVICE_SERIAL_SIZE)
RECORD_DECLARE(birth_query, BIRTH_QUERY_FIELDS)

/* A pump that shows a birth certificate; vouched: an enabled maker of its name lists its model (the
 * certificate's hwType is the signer's to compare). And the onboarding zone (vlan 0: none set). */
#define BIRTH_FACTS_FIELDS(X, S)            \
	X(S, BOOL, found, 1)                \
	X(S, BOOL, vouched, 1)              \
	X(S, STR, device_state, STATE_SIZE) \
	X(S, STR, zone, NAME_SIZE)          \
	X(S, U32, vlan, 1)                  \
	X(S, STR, filter_id, LABEL_SIZE)    \
	X(S, U32, session_s, 1)
RECORD_DECLARE(birth_facts, BIRTH_FACTS_FIELDS)

/* A NAS by its address or, when cert_serial is not empty, by the certificate that it showed. */
#define NAS_QUERY_FIELDS(X, S) \
	X(S, STR, ip, IP_SIZE) \
	X(S, STR, cert_serial, CERT_SERIAL_SIZE)
RECORD_DECLARE(nas_query, NAS_QUERY_FIELDS)

/* enabled: also that the certificate is in force, when it was asked for by that. */
#define NAS_FACTS_FIELDS(X, S)             \
	X(S, BOOL, found, 1)               \
	X(S, BOOL, enabled, 1)             \
	X(S, STR, name, NAME_SIZE)         \
	X(S, HIDE, secret, NAS_SECRET_MAX) \
	X(S, U32, secret_version, 1)
RECORD_DECLARE(nas_facts, NAS_FACTS_FIELDS)

/* One authentication attempt, accepted or not. `method`: "eap-tls", "eap-tls-resumed", "mab" or
 * "unknown". For an accept it also opens the session (NAS + Acct-Session-Id). tls: what was
 * negotiated, as in policies/tls_profile.h; 0 where no handshake came to its end. New fields go to
 * the end: entries of the event ring outlive an upgrade. */
#define AUTH_EVENT_FIELDS(X, S)                  \
	X(S, TIME, at, 1)                        \
	X(S, STR, method, STATE_SIZE)            \
	X(S, STR, verdict, STATE_SIZE)           \
	X(S, STR, reason, REASON_SIZE)           \
	X(S, STR, device, DEVICE_SERIAL_SIZE)    \
	X(S, STR, identity, USER_NAME_SIZE)      \
	X(S, STR, issuer, ISSUER_SIZE)           \
	X(S, STR, cert_serial, CERT_SERIAL_SIZE) \
	X(S, STR, mac, MAC_SIZE)                 \
	X(S, STR, nas, NAME_SIZE)                \
	X(S, STR, nas_ip, IP_SIZE)               \
	X(S, STR, nas_port, LABEL_SIZE)          \
	X(S, STR, calling_station, LABEL_SIZE)   \
	X(S, STR, session_id, SESSION_ID_SIZE)   \
	X(S, STR, zone, NAME_SIZE)               \
	X(S, U32, vlan, 1)                       \
	X(S, U32, took_us, 1)                    \
	X(S, STR, detail, TEXT_SIZE)             \
	X(S, U32, tls, 1)                        \
	X(S, STR, tls_cipher, NAME_SIZE)
RECORD_DECLARE(auth_event, AUTH_EVENT_FIELDS)

/* One Accounting-Request (RFC 2866); `type`: start, interim, stop, on, off. `device` and
 * `cert_serial` come back from the Class that the Accept carried; empty when the NAS sent none. */
#define ACCT_EVENT_FIELDS(X, S)                  \
	X(S, TIME, at, 1)                        \
	X(S, STR, type, STATE_SIZE)              \
	X(S, STR, device, DEVICE_SERIAL_SIZE)    \
	X(S, STR, cert_serial, CERT_SERIAL_SIZE) \
	X(S, STR, identity, USER_NAME_SIZE)      \
	X(S, STR, mac, MAC_SIZE)                 \
	X(S, STR, nas, NAME_SIZE)                \
	X(S, STR, nas_ip, IP_SIZE)               \
	X(S, STR, nas_port, LABEL_SIZE)          \
	X(S, STR, calling_station, LABEL_SIZE)   \
	X(S, STR, session_id, SESSION_ID_SIZE)   \
	X(S, U64, input_octets, 1)               \
	X(S, U64, output_octets, 1)              \
	X(S, U32, session_s, 1)                  \
	X(S, STR, cause, REASON_SIZE)
RECORD_DECLARE(acct_event, ACCT_EVENT_FIELDS)

/* Something about a NAS itself, one-way. kind "wrong-secret": `count` packets from its address were
 * not signed with its secret. kind "claim": what its packets say in NAS-IP-Address (or its IPv6
 * form) and NAS-Identifier where that is not its address and name; "" where it is. */
#define NAS_EVENT_FIELDS(X, S)         \
	X(S, TIME, at, 1)              \
	X(S, STR, kind, STATE_SIZE)    \
	X(S, STR, nas, NAME_SIZE)      \
	X(S, STR, nas_ip, IP_SIZE)     \
	X(S, U32, count, 1)            \
	X(S, STR, claimed_ip, IP_SIZE) \
	X(S, STR, claimed_id, LABEL_SIZE)
RECORD_DECLARE(nas_event, NAS_EVENT_FIELDS)

/* ---- logins (role cred) ---- */

/* The pump that showed this certificate, for a login at it. found=false: all else zero. */
#define LOGIN_FACTS_FIELDS(X, S)              \
	X(S, BOOL, found, 1)                  \
	X(S, STR, device, DEVICE_SERIAL_SIZE) \
	X(S, STR, device_state, STATE_SIZE)   \
	X(S, STR, cert_state, STATE_SIZE)     \
	X(S, TIME, not_before, 1)             \
	X(S, TIME, not_after, 1)              \
	X(S, STR, ward, LABEL_SIZE)           \
	X(S, STR, model, LABEL_SIZE)
RECORD_DECLARE(login_facts, LOGIN_FACTS_FIELDS)

#endif
