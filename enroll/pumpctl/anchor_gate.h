/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * How far pumps have followed a roll-over of the servers' CA, by the anchors that they report
 * (docs/decisions/0150): whether the servers may switch, and whether what pumps held before may be
 * forgotten.
 */
#ifndef ENROLL_PUMPCTL_ANCHOR_GATE_H
#define ENROLL_PUMPCTL_ANCHOR_GATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <jansson.h>
#include <openssl/x509.h>

#include "enroll/pumpctl/args.h"
#include "sql/client/registry_client.h"

#define GATE_LISTED_MAX 1000

struct gate {
	unsigned long percent; /* wanted of the active ones */
	int64_t within_ms;     /* active: heard of within */
	bool is_last;	       /* nobody may lack it: it will be the only one */
	bool is_known;
	uint64_t holding, active, absent;
	struct anchor_lack *lacking; /* GATE_LISTED_MAX; active ones, and absent ones if is_last */
	size_t n_lacking;
};

/* Counts who has reported `anchor`. Blocks on registryd. Errors of the registry: then it is not
 * known. */
int gate_look(const struct call *call, X509 *anchor, struct gate *g) MUST_USE;
void gate_done(struct gate *g); /* safe on a zeroed struct */

unsigned long gate_percent(const struct gate *g);
bool gate_is_open(const struct gate *g);
/* Pumps that would be shut out: with is_last all that lack it. */
uint64_t gate_lacking(const struct gate *g);

/* For people: counts, and the first of those that lack it. */
void gate_print(const struct gate *g);
/* An array of those that lack it. The caller frees. */
json_t *gate_lacking_json(const struct gate *g);

#endif
