/* SPDX-License-Identifier: BSD-2-Clause */
/* Where a pump that was wiped hands its statement in: /.well-known/pumpgate/decommission/ORDER.
 * Pure.
 */
#ifndef ENROLL_EST_WIPE_PATH_H
#define ENROLL_EST_WIPE_PATH_H

#include <stdbool.h>

#include "ca/request/wipe_statement.h"

/* In origin-form or absolute-form, without a query; the order goes to `out`. */
bool wipe_path_parse(const char *target, char out[WIPE_ORDER_SIZE]);

#endif
