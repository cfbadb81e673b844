/* SPDX-License-Identifier: BSD-2-Clause */
/* Break-glass codes that were used and that nobody has named yet, for pumpctl status. */
#ifndef ENROLL_PUMPCTL_GLASS_REPORT_H
#define ENROLL_PUMPCTL_GLASS_REPORT_H

#include <jansson.h>

#include "enroll/pumpctl/args.h"
#include "sql/proto/glass_records.h"

#define GLASS_SHOWN 10

struct glass_report {
	struct glass_count count; /* zero when credd does not answer */
	struct glass uses[GLASS_SHOWN];
	size_t n_uses;
};

/* Asks credd; what it does not answer stays zero: status says elsewhere that it is away. */
void glass_report_take(const struct call *call, struct glass_report *out);
void glass_report_print(const struct glass_report *r);
json_t *glass_report_json(const struct glass_report *r); /* NULL: no memory */

#endif
