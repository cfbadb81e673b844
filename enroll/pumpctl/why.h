/* SPDX-License-Identifier: BSD-2-Clause */
/* Why a pump is on or off the network, in one sentence, and what to do about it. Pure. */
#ifndef ENROLL_PUMPCTL_WHY_H
#define ENROLL_PUMPCTL_WHY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "policies/reason.h"
#include "sql/proto/registry_records.h"

struct why_facts {
	const char *serial;
	const struct device *device; /* NULL: the inventory has no such pump */
	const struct event *events;  /* newest first */
	size_t n_events;
	int64_t now_ms;
};

struct why_answer {
	struct buf sentence; /* bounded; one line */
	struct buf next;     /* empty when there is nothing to do */
	enum reason reason;  /* the one that decided, or REASON_NONE */
	bool on;	     /* the pump is on the network as far as we know */
};

void why_answer_init(struct why_answer *a);
void why_answer_done(struct why_answer *a);
/* ERR_LIMIT, ERR_NOMEM. */
int why_decide(const struct why_facts *f, struct why_answer *out) MUST_USE;

#endif
