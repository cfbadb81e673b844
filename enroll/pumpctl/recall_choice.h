/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Which pumps a recall takes: those that match filters, or those of a list, as the registry knows
 * them now; counted by ward and model.
 */
#ifndef ENROLL_PUMPCTL_RECALL_CHOICE_H
#define ENROLL_PUMPCTL_RECALL_CHOICE_H

#include <stdio.h>

#include <jansson.h>

#include "enroll/pumpctl/args.h"
#include "sql/client/registry_client.h"

#define RECALL_GROUP_FIELDS(X, S)    \
	X(S, STR, ward, LABEL_SIZE)  \
	X(S, STR, model, LABEL_SIZE) \
	X(S, U64, pumps, 1)          \
	X(S, U64, on, 1) /* of them with a live session */
RECORD_DECLARE(recall_group, RECALL_GROUP_FIELDS)

struct recall_choice {
	char chosen[TEXT_SIZE]; /* in words */
	struct pump_name *pumps;
	size_t n, room;
	struct recall_group *groups;
	size_t n_groups, groups_room;
	uint64_t on;	  /* pumps with a live session */
	uint64_t already; /* left out: revoked before */
	uint64_t bad;	  /* lines of the list that can't be taken */
	json_t *bad_rows; /* of --json */
};

void recall_choice_free(struct recall_choice *c);

/* Whether --model, --ward, --zone or --file is there. */
bool recall_choice_is_asked(const struct call *call);
/* Reads --model, --ward, --zone, --file as far as given and asks the registry. A bad line is
 * printed at once, or kept for --json. ERR_INVALID (filters and a list together), ERR_LIMIT,
 * ERR_IO, and what a call to the registry returns. Blocks. */
int recall_choice_take(const struct call *call, struct ipc_client *c,
		       struct recall_choice *out) MUST_USE;
/* Counts one pump, unless it is revoked. ERR_LIMIT, ERR_NOMEM. */
int recall_choice_add(struct recall_choice *c, const struct device *d) MUST_USE;

/* What it would do: counts, a table of the largest groups, and what it means for the pumps. */
void recall_choice_print(FILE *to, struct recall_choice *c);
/* The caller's object; NULL without memory. */
json_t *recall_choice_to_json(struct recall_choice *c);
/* What a recall means for pumps that infuse, for whoever decides. */
void recall_meaning_print(FILE *to);

#endif
