/* SPDX-License-Identifier: BSD-2-Clause */
/* The forms in which NAS write a MAC address (Calling-Station-Id, User-Name of MAC auth). Pure. */
#ifndef RADIUS_MODULES_RLM_PUMP_MAC_TEXT_H
#define RADIUS_MODULES_RLM_PUMP_MAC_TEXT_H

#include <stddef.h>

#include "base/err.h"
#include "sql/proto/registry_records.h"

/* To "aa:bb:cc:dd:ee:ff" from 12 hex digits of either case, bare or in equal groups (6 x 2, 3 x 4,
 * 2 x 6) separated by one and the same of ':', '-', '.'. ERR_INVALID (and out "") for anything
 * else. */
int mac_normalise(const char *text, char out[MAC_SIZE]) MUST_USE;

#endif
