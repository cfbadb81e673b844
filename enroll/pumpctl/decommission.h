/* SPDX-License-Identifier: BSD-2-Clause */
/* The order to wipe and the pump's signed statement, as people and programs see them. */
#ifndef ENROLL_PUMPCTL_DECOMMISSION_H
#define ENROLL_PUMPCTL_DECOMMISSION_H

#include <stdio.h>

#include <jansson.h>

#include "sql/proto/registry_records.h"

/* A few lines; the statement's own text is indented. */
void decommission_print(FILE *to, const struct decommission *d);
/* "statement" is its text; "signature" hex. NULL without memory. */
json_t *decommission_to_json(const struct decommission *d);

#endif
