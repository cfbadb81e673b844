/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What pumpgate-registryd is asked and answers: one record type per message. Shared by the service
 * and every client; only data, no behaviour.
 *
 * Conventions: a pump is named by its inventory serial ([A-Z0-9-], at most 63). A certificate is
 * named by issuer (X509_NAME_oneline form, as FreeRADIUS shows it) and serial (lower-case hex of
 * the DER integer's content). MACs are "aa:bb:cc:dd:ee:ff". States, verdicts and reasons travel as
 * their stable names from policies/.
 */
#ifndef SQL_PROTO_REGISTRY_RECORDS_H
#define SQL_PROTO_REGISTRY_RECORDS_H

#include "base/ipc_record.h"

#define DEVICE_SERIAL_SIZE 64
#define CERT_SERIAL_SIZE 48
#define ISSUER_SIZE 256
#define MAC_SIZE 18
#define IP_SIZE 46
#define NAME_SIZE 33	    /* zones, NAS */
#define LABEL_SIZE 65	    /* maker, model, ward, NAS-Identifier, NAS-Port-Id */
#define USER_NAME_SIZE 254  /* RADIUS User-Name, RFC 2865 5.1 */
#define SESSION_ID_SIZE 254 /* Acct-Session-Id */
#define REASON_SIZE 33
#define STATE_SIZE 17
#define TEXT_SIZE 256
#define CERT_DER_MAX 4096
#define NAS_SECRET_MAX 128
#define TLS_VERSION_SIZE 8	/* "1.3", for people */
#define OID_SIZE 97		/* dotted */
#define MAKER_ANCHORS_MAX 4	/* of one maker: its root, and the next one */
#define MAKER_ANCHORS_SIZE 8192 /* bytes of their DER */
#define MAKER_MODELS_SIZE 1024
#define MAKERS_MAX 64

/* ---- packet path (role radius) ---- */

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

/* ---- what pumps report of themselves (docs/decisions/0150) ---- */

#define REPORT_SLOTS_MAX 4
#define REPORT_ANCHORS_MAX 8
#define REPORT_PORTS_MAX 32
#define REPORT_SLOTS_SIZE (REPORT_SLOTS_MAX * (CERT_SERIAL_SIZE + 32))
#define REPORT_ANCHORS_SIZE (REPORT_ANCHORS_MAX * 65 + 1)
#define REPORT_PORTS_SIZE (REPORT_PORTS_MAX * 10 + 1)

/* A pump's word about itself; issuer, cert_serial and device are those of the certificate that it
 * showed. key_protection: software, tpm. infusing: unknown, idle, infusing. slots:
 * "SERIAL until TIME, SERIAL until TIME in use". anchors: SHA-256 in hex, apart by blanks. ports:
 * "tcp/22 udp/161", what listens; ports_more: so many besides. */
#define PUMP_REPORT_FIELDS(X, S)                                                                 \
	X(S, STR, device, DEVICE_SERIAL_SIZE)                                                    \
	X(S, TIME, at, 1)	   /* in answers, as the next two */                             \
	X(S, TIME, infusing_at, 1) /* since when it says so */                                   \
	X(S, TIME, changed_at, 1)  /* the rest of it */                                          \
	X(S, STR, issuer, ISSUER_SIZE)                                                           \
	X(S, STR, cert_serial, CERT_SERIAL_SIZE)                                                 \
	X(S, STR, source, IP_SIZE)                                                               \
	X(S, STR, software, NAME_SIZE)                                                           \
	X(S, STR, key_protection, STATE_SIZE)                                                    \
	X(S, STR, infusing, STATE_SIZE)                                                          \
	X(S, BOOL, clock_checked,                                                                \
	  1) /* against a server that proved itself; else the next are 0 */                      \
	X(S, U64, clock_behind_ms, 1)                                                            \
	X(S, U64, clock_ahead_ms, 1)                                                             \
	X(S, STR, slots, REPORT_SLOTS_SIZE)                                                      \
	X(S, STR, server_anchors, REPORT_ANCHORS_SIZE)                                           \
	X(S, STR, device_anchors, REPORT_ANCHORS_SIZE)                                           \
	X(S, STR, ports, REPORT_PORTS_SIZE)                                                      \
	X(S, STR, ports_beyond, REPORT_PORTS_SIZE) /* in answers: what its model may not have */ \
	X(S, U32, ports_more, 1)
RECORD_DECLARE(pump_report, PUMP_REPORT_FIELDS)

/* Which ports pumps of a model may have open, written as in a report; any: nobody has said. */
#define MODEL_PORTS_FIELDS(X, S)                          \
	X(S, STR, model, LABEL_SIZE)                      \
	X(S, BOOL, any, 1)                                \
	X(S, STR, allowed, REPORT_PORTS_SIZE)             \
	X(S, U64, pumps, 1) /* in answers, as the rest */ \
	X(S, TIME, set_at, 1)                             \
	X(S, STR, set_by, LABEL_SIZE)                     \
	X(S, STR, tls_min, TLS_VERSION_SIZE) /* its floor; "": none */
RECORD_DECLARE(model_ports, MODEL_PORTS_FIELDS)

/* The lowest version of TLS with which pumps of a model get into their own zone
 * (policies/tls_profile.h); 0: none. below: pumps that were shown to the person as being below it,
 * for the audit. */
#define MODEL_TLS_FIELDS(X, S)       \
	X(S, STR, model, LABEL_SIZE) \
	X(S, U32, min, 1)            \
	X(S, U64, below, 1)
RECORD_DECLARE(model_tls, MODEL_TLS_FIELDS)

/* Pumps that hold a certificate in force, by serial; model "": of all. */
#define MODEL_QUERY_FIELDS(X, S)             \
	X(S, STR, model, LABEL_SIZE)         \
	X(S, STR, after, DEVICE_SERIAL_SIZE) \
	X(S, U32, limit, 1)
RECORD_DECLARE(model_query, MODEL_QUERY_FIELDS)

/* What such a pump last negotiated, "1.3" (tls_at: when; 0: not seen since that is kept), and the
 * kind of its newest key. low: it is in the quarantine zone for it. */
#define MODEL_PUMP_FIELDS(X, S)               \
	X(S, STR, device, DEVICE_SERIAL_SIZE) \
	X(S, STR, model, LABEL_SIZE)          \
	X(S, STR, ward, LABEL_SIZE)           \
	X(S, STR, key_type, STATE_SIZE)       \
	X(S, STR, tls, TLS_VERSION_SIZE)      \
	X(S, STR, tls_cipher, NAME_SIZE)      \
	X(S, TIME, tls_at, 1)                 \
	X(S, BOOL, low, 1)
RECORD_DECLARE(model_pump, MODEL_PUMP_FIELDS)

/* What the pump is told. state: its standing (policies/standing.h), "" for a certificate that the
 * registry does not know. cert_state: of the certificate that it showed. reason: of a standing that
 * people changed. wipe_order: the pump is to wipe itself (decommission); "": it is not. */
#define REPORT_ANSWER_FIELDS(X, S)        \
	X(S, STR, state, STATE_SIZE)      \
	X(S, STR, cert_state, STATE_SIZE) \
	X(S, STR, reason, TEXT_SIZE)      \
	X(S, STR, wipe_order, 33)
RECORD_DECLARE(report_answer, REPORT_ANSWER_FIELDS)

/* Which pumps in use do not hold a server anchor (SHA-256 in hex), by serial: those that have not
 * reported it since `since`. */
#define ANCHOR_QUERY_FIELDS(X, S)            \
	X(S, STR, sha256, 65)                \
	X(S, TIME, since, 1)                 \
	X(S, STR, after, DEVICE_SERIAL_SIZE) \
	X(S, U32, limit, 1)
RECORD_DECLARE(anchor_query, ANCHOR_QUERY_FIELDS)

/* active: reported, or was on the network, since then. */
#define ANCHOR_LACK_FIELDS(X, S)              \
	X(S, STR, device, DEVICE_SERIAL_SIZE) \
	X(S, STR, ward, LABEL_SIZE)           \
	X(S, STR, model, LABEL_SIZE)          \
	X(S, BOOL, active, 1)                 \
	X(S, TIME, reported_at, 1)            \
	X(S, TIME, last_seen, 1)
RECORD_DECLARE(anchor_lack, ANCHOR_LACK_FIELDS)

#define ANCHOR_COUNT_FIELDS(X, S)          \
	X(S, U64, pumps, 1)   /* in use */ \
	X(S, U64, holding, 1) /* and have reported it */
RECORD_DECLARE(anchor_count, ANCHOR_COUNT_FIELDS)

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

/* ---- dispatch (role dispatch) ---- */

/* fresh: the dispatcher has just started, so what an earlier one had taken is free again.
 * The answer waits up to wait_ms for the first due order. */
#define DISPATCH_TAKE_FIELDS(X, S) \
	X(S, BOOL, fresh, 1)       \
	X(S, U32, max, 1)          \
	X(S, U32, wait_ms, 1)
RECORD_DECLARE(dispatch_take, DISPATCH_TAKE_FIELDS)

/* radsec: it goes to the NAS over a connection of its own, with one of cert_serials (apart by
 * blanks); nas_ip and das_port then say nothing. */
#define DISPATCH_ORDER_FIELDS(X, S)            \
	X(S, U64, id, 1)                       \
	X(S, STR, device, DEVICE_SERIAL_SIZE)  \
	X(S, STR, nas, NAME_SIZE)              \
	X(S, STR, nas_ip, IP_SIZE)             \
	X(S, U32, das_port, 1)                 \
	X(S, HIDE, secret, NAS_SECRET_MAX)     \
	X(S, STR, session_id, SESSION_ID_SIZE) \
	X(S, STR, calling_station, LABEL_SIZE) \
	X(S, U32, attempt, 1)                  \
	X(S, BOOL, radsec, 1)                  \
	X(S, STR, cert_serials, TEXT_SIZE)
RECORD_DECLARE(dispatch_order, DISPATCH_ORDER_FIELDS)

/* result: ack, nak (error_cause as RFC 5176 3.6), silent, unsendable. */
#define DISPATCH_RESULT_FIELDS(X, S)  \
	X(S, U64, id, 1)              \
	X(S, TIME, at, 1)             \
	X(S, STR, result, STATE_SIZE) \
	X(S, U32, error_cause, 1)     \
	X(S, U32, rtt_us, 1)          \
	X(S, STR, detail, TEXT_SIZE)
RECORD_DECLARE(dispatch_result, DISPATCH_RESULT_FIELDS)

/* ---- administration (role admin); the actor of the audit row is the peer's Unix user ---- */

#define ZONE_FIELDS(X, S)                                                        \
	X(S, STR, name, NAME_SIZE)                                               \
	X(S, U32, vlan, 1)                                                       \
	X(S, STR, filter_id, LABEL_SIZE)                                         \
	X(S, U32, session_s, 1)                                                  \
	X(S, STR, purpose, STATE_SIZE) /* "", onboarding, quarantine, parking */ \
	X(S, U64, devices, 1)	       /* in answers */
RECORD_DECLARE(zone, ZONE_FIELDS)

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

/* ---- recall of many pumps (docs/decisions/0100) ---- */

/* More pumps than this need --count, and a second admin's confirmation unless the rule is off. */
#define RECALL_ALONE_MAX 20
#define RECALL_PUMPS_MAX 500000
#define RECALL_PACE_MAX 100000
#define RECALL_REASON_SIZE 201 /* the pumps' own reason begins with "recall ID: " */

#define PUMP_NAME_FIELDS(X, S) X(S, STR, device, DEVICE_SERIAL_SIZE)
RECORD_DECLARE(pump_name, PUMP_NAME_FIELDS)

/* chosen: how the pumps were chosen, in words. per_second: 0 as fast as it goes. */
#define RECALL_DRAFT_FIELDS(X, S)             \
	X(S, STR, chosen, TEXT_SIZE)          \
	X(S, STR, reason, RECALL_REASON_SIZE) \
	X(S, U32, per_second, 1)
RECORD_DECLARE(recall_draft, RECALL_DRAFT_FIELDS)

#define RECALL_PUMP_FIELDS(X, S) \
	X(S, U64, recall, 1)     \
	X(S, STR, device, DEVICE_SERIAL_SIZE)
RECORD_DECLARE(recall_pump, RECALL_PUMP_FIELDS)

/* pumps: how many the person has seen that it takes; must be true. state, for RECALL_CHANGE alone:
 * paused, running or cancelled. */
#define RECALL_STEP_FIELDS(X, S) \
	X(S, U64, id, 1)         \
	X(S, U64, pumps, 1)      \
	X(S, STR, state, STATE_SIZE)
RECORD_DECLARE(recall_step, RECALL_STEP_FIELDS)

/* state: draft, requested (waits for a second admin), lapsed (it waited too long), running, paused,
 * done, cancelled. The order counts are those of RECALL_SHOW; open ones are retried. */
#define RECALL_FIELDS(X, S)                                                          \
	X(S, U64, id, 1)                                                             \
	X(S, STR, key, STATE_SIZE) /* for `after` */                                 \
	X(S, STR, state, STATE_SIZE)                                                 \
	X(S, STR, chosen, TEXT_SIZE)                                                 \
	X(S, STR, reason, RECALL_REASON_SIZE)                                        \
	X(S, U32, per_second, 1)                                                     \
	X(S, U64, pumps, 1)                                                          \
	X(S, U64, revoked, 1)                                                        \
	X(S, U64, already, 1)	     /* had been revoked before */                   \
	X(S, U64, waiting, 1)	     /* neither yet; cancelled: left alone */        \
	X(S, BOOL, second_person, 1) /* one was needed */                            \
	X(S, TIME, requested_at, 1)                                                  \
	X(S, STR, requested_by, LABEL_SIZE)                                          \
	X(S, TIME, confirmed_at, 1)                                                  \
	X(S, STR, confirmed_by, LABEL_SIZE)                                          \
	X(S, TIME, changed_at, 1) /* paused, resumed or cancelled */                 \
	X(S, STR, changed_by, LABEL_SIZE)                                            \
	X(S, TIME, ended_at, 1) /* the last pump was revoked, or it was cancelled */ \
	X(S, U64, orders, 1)                                                         \
	X(S, U64, acked, 1)                                                          \
	X(S, U64, gone, 1)    /* the NAS knew no such session */                     \
	X(S, U64, refused, 1) /* open: the NAS said no */                            \
	X(S, U64, silent, 1)  /* open: no answer */                                  \
	X(S, U64, unknown, 1) /* open: not sent yet, or on its way */                \
	X(S, U64, unsendable, 1)                                                     \
	X(S, TIME, answered_at, 1) /* when the last order was settled */             \
	X(S, U64, unkept, 1)	   /* certificates that the signer has not written down yet */
RECORD_DECLARE(recall, RECALL_FIELDS)

#define RECALL_NAS_QUERY_FIELDS(X, S) \
	X(S, U64, id, 1)              \
	X(S, STR, after, NAME_SIZE)
RECORD_DECLARE(recall_nas_query, RECALL_NAS_QUERY_FIELDS)

/* What became of a recall's orders at one NAS; counts as in recall. */
#define RECALL_NAS_FIELDS(X, S)   \
	X(S, STR, nas, NAME_SIZE) \
	X(S, U64, orders, 1)      \
	X(S, U64, acked, 1)       \
	X(S, U64, gone, 1)        \
	X(S, U64, refused, 1)     \
	X(S, U64, silent, 1)      \
	X(S, U64, unknown, 1)     \
	X(S, U64, unsendable, 1)  \
	X(S, U32, slowest_ms, 1) /* of the answers, since first sent */
RECORD_DECLARE(recall_nas, RECALL_NAS_FIELDS)

/* ---- rotation of certificates (docs/decisions/0131) ---- */

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

/* state: waiting, sent, acked, gone (the NAS knows no such session), unsendable. */
#define ORDER_STATUS_FIELDS(X, S)                                \
	X(S, U64, id, 1)                                         \
	X(S, STR, nas, NAME_SIZE)                                \
	X(S, STR, nas_ip, IP_SIZE)                               \
	X(S, STR, session_id, SESSION_ID_SIZE)                   \
	X(S, STR, cause, STATE_SIZE) /* session, recent, late */ \
	X(S, STR, state, STATE_SIZE)                             \
	X(S, U32, attempts, 1)                                   \
	X(S, STR, last_result, STATE_SIZE)                       \
	X(S, U32, error_cause, 1)                                \
	X(S, U32, rtt_us, 1)                                     \
	X(S, TIME, created_at, 1)                                \
	X(S, TIME, done_at, 1)                                   \
	X(S, TIME, next_at, 1)
RECORD_DECLARE(order_status, ORDER_STATUS_FIELDS)

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
