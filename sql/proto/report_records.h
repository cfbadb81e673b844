/* SPDX-License-Identifier: BSD-2-Clause */
/* What pumps report of themselves, and what is asked about it (docs/decisions/0150). */
#ifndef SQL_PROTO_REPORT_RECORDS_H
#define SQL_PROTO_REPORT_RECORDS_H

#include "base/ipc_record.h"
#include "sql/proto/registry_sizes.h"

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

#endif
