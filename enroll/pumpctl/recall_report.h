/* SPDX-License-Identifier: BSD-2-Clause */
/* What a recall has come to, for people and programs. Pure. */
#ifndef ENROLL_PUMPCTL_RECALL_REPORT_H
#define ENROLL_PUMPCTL_RECALL_REPORT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include <jansson.h>

#include "sql/proto/registry_records.h"

struct recall_report {
	struct recall recall;
	struct recall_nas *nas; /* by name */
	size_t n_nas;
};

enum recall_outcome {
	RECALL_GREEN,	/* every pump revoked, every NAS has confirmed, the signer has kept it */
	RECALL_OPEN,	/* something of that is not there yet and goes on by itself */
	RECALL_STOPPED, /* paused, cancelled, or it waits for a second person */
	RECALL_UNSENT,	/* some NAS cannot be told */
};
enum recall_outcome recall_outcome(const struct recall *r);
/* Nothing can change any more without somebody: a stopped one, or one without open orders. */
bool recall_is_settled(const struct recall *r);

void recall_report_print(FILE *to, const struct recall_report *r);
/* One sentence on what to do next; "" when there is nothing. */
void recall_next_step(const struct recall *r, char *out, size_t size);
/* The caller's object; NULL without memory. */
json_t *recall_report_to_json(const struct recall_report *r);

#endif
