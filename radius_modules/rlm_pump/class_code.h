/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The Class attribute (RFC 2865 5.25) that an Access-Accept carries and accounting brings back:
 * "pg1.<pump serial>.<certificate serial>", the latter empty for an onboarding session. It names a
 * session's owner to the registry; it is no proof, since every NAS can make one up. Pure.
 */
#ifndef RADIUS_MODULES_RLM_PUMP_CLASS_CODE_H
#define RADIUS_MODULES_RLM_PUMP_CLASS_CODE_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "sql/proto/registry_records.h"

#define CLASS_SIZE 128 /* with its NUL; an attribute holds 253 */

struct class_code {
	char device[DEVICE_SERIAL_SIZE];
	char cert_serial[CERT_SERIAL_SIZE];
};

/* ERR_INVALID when a part is not of its alphabet. */
int class_build(const struct class_code *c, char out[CLASS_SIZE]) MUST_USE;
/* Strict: ERR_INVALID for anything that class_build would not have made. */
int class_parse(const uint8_t *data, size_t len, struct class_code *out) MUST_USE;

#endif
