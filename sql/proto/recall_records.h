/* SPDX-License-Identifier: BSD-2-Clause */
/* Recall of many pumps (docs/decisions/0100). */
#ifndef SQL_PROTO_RECALL_RECORDS_H
#define SQL_PROTO_RECALL_RECORDS_H

#include "base/ipc_record.h"
#include "sql/proto/registry_sizes.h"

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

#endif
