/* SPDX-License-Identifier: BSD-2-Clause */
/* What would become of pumps if a setting of TLS were tightened. Changes nothing. */
#ifndef ENROLL_PUMPCTL_MODEL_CHECK_H
#define ENROLL_PUMPCTL_MODEL_CHECK_H

#include "base/ipc_client.h"
#include "enroll/pumpctl/args.h"
#include "sql/proto/registry_records.h"

/* What would be asked of a pump. */
struct tls_wish {
	char model[LABEL_SIZE]; /* "": all models */
	uint32_t min;		/* policies/tls_profile.h; 0: any version */
	char key[STATE_SIZE];	/* "ec", "rsa-3072"; "": any */
};

struct tls_tally {
	uint64_t pass, fail, unknown;
};

#define CHECKED_PUMP_FIELDS(X, S)                       \
	X(S, STR, outcome, 8) /* pass, fail, unknown */ \
	X(S, STR, device, DEVICE_SERIAL_SIZE)           \
	X(S, STR, model, LABEL_SIZE)                    \
	X(S, STR, ward, LABEL_SIZE)                     \
	X(S, STR, tls, TLS_VERSION_SIZE)                \
	X(S, STR, tls_cipher, NAME_SIZE)                \
	X(S, TIME, tls_at, 1)                           \
	X(S, STR, key_type, STATE_SIZE)
RECORD_DECLARE(checked_pump, CHECKED_PUMP_FIELDS)

/* Prints the pumps that would fail and those of which nothing is known (passing: all of them), as a
 * table or, with --json, as the elements of an array, and counts them. Blocks. ERR_* of the
 * registry's client. */
int model_check_show(const struct call *call, struct ipc_client *c, const struct tls_wish *wish,
		     bool passing, struct tls_tally *out) MUST_USE;

#endif
