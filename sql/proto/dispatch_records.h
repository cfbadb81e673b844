/* SPDX-License-Identifier: BSD-2-Clause */
/* Orders to NAS, and what became of them (role dispatch). */
#ifndef SQL_PROTO_DISPATCH_RECORDS_H
#define SQL_PROTO_DISPATCH_RECORDS_H

#include "base/ipc_record.h"
#include "sql/proto/registry_sizes.h"

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

#endif
