/* SPDX-License-Identifier: BSD-2-Clause */
/* Owns the translation of list options. */
#include "enroll/pumpctl/query.h"

#include "enroll/pumpctl/device_fields.h"

int query_filters_take(const struct call *call, struct list_query *q)
{
	const struct {
		const char *option;
		char *to;
		size_t size;
	} filters[] = {
		{"pump", q->device, sizeof(q->device)}, {"state", q->state, sizeof(q->state)},
		{"zone", q->zone, sizeof(q->zone)},	{"ward", q->ward, sizeof(q->ward)},
		{"model", q->model, sizeof(q->model)},	{"nas", q->nas, sizeof(q->nas)},
	};

	for (size_t i = 0; i < sizeof(filters) / sizeof(filters[0]); i++) {
		const char *value = call_value(call, filters[i].option);

		if (value && str_copy(filters[i].to, filters[i].size, value))
			return err_set(ERR_INVALID, "--%s: at most %zu characters",
				       filters[i].option, filters[i].size - 1);
	}
	return 0;
}

int query_pump_take(const struct call *call, struct list_query *q)
{
	int rc = device_serial_check(call->operands[0]);

	return rc ? rc : str_copy(q->device, sizeof(q->device), call->operands[0]);
}
