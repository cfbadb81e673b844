/* SPDX-License-Identifier: BSD-2-Clause */
/* The rules for what an inventory record may hold, wherever it comes from. Pure. */
#ifndef ENROLL_PUMPCTL_DEVICE_FIELDS_H
#define ENROLL_PUMPCTL_DEVICE_FIELDS_H

#include <stddef.h>

#include "base/err.h"
#include "sql/proto/registry_records.h"

enum device_column {
	COLUMN_SERIAL,
	COLUMN_MAKER,
	COLUMN_MODEL,
	COLUMN_MAC,
	COLUMN_WARD, /* may be empty or missing; all others are needed */
	COLUMN_ZONE,
	COLUMN_COUNT
};

/* "serial", "maker", ...; never NULL. */
const char *device_column_name(enum device_column c);
/* COLUMN_COUNT for any other name; upper and lower case alike. */
enum device_column device_column_parse(const char *name, size_t len);

/* Checks one value and stores it in `d`; MACs in any usual form become aa:bb:cc:dd:ee:ff.
 * ERR_INVALID says what is wrong; `d` is then unchanged. Refused: NUL and control characters,
 * broken UTF-8, what a spreadsheet would run as a formula (leading = + - @), too long, empty where
 * needed. */
int device_column_set(struct device *d, enum device_column c, const char *value,
		      size_t len) MUST_USE;

/* A pump's serial as an operand: ERR_INVALID unless [A-Z0-9-]{1,63}. */
int device_serial_check(const char *serial) MUST_USE;

#endif
