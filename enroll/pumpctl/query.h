/* SPDX-License-Identifier: BSD-2-Clause */
/* Options of a call as fields of a list_query. */
#ifndef ENROLL_PUMPCTL_QUERY_H
#define ENROLL_PUMPCTL_QUERY_H

#include "enroll/pumpctl/args.h"
#include "sql/proto/registry_records.h"

/* Takes --pump, --state, --zone, --ward, --model, --nas as far as they are given. ERR_INVALID. */
int query_filters_take(const struct call *call, struct list_query *q) MUST_USE;
/* The first operand as the pump. ERR_INVALID when it can't be a serial. */
int query_pump_take(const struct call *call, struct list_query *q) MUST_USE;

#endif
