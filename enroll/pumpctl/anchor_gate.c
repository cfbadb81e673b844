/* SPDX-License-Identifier: BSD-2-Clause */
/* Owns counting who holds an anchor. Never decides what to do about those who do not. */
#include "enroll/pumpctl/anchor_gate.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "enroll/pumpctl/record_json.h"
#include "enroll/pumpctl/registry.h"
#include "enroll/pumpctl/rollover.h"
#include "enroll/pumpctl/rollover_print.h"

#define PAGE 500
#define SHOWN_MAX 20

void gate_done(struct gate *g)
{
	free(g->lacking);
	g->lacking = NULL;
}

static void lack_count(struct gate *g, const struct anchor_lack *l, int64_t active_since)
{
	bool active = g->is_last ? l->reported_at >= active_since || l->last_seen >= active_since
				 : l->active;

	*(active ? &g->active : &g->absent) += 1;
	if ((active || g->is_last) && g->n_lacking < GATE_LISTED_MAX)
		g->lacking[g->n_lacking++] = *l;
}

int gate_look(const struct call *call, X509 *anchor, struct gate *g)
{
	int64_t active_since = clock_wall_ms() - g->within_ms;
	AUTO_IPC_CLIENT c = NULL;
	/* who has it and is away comes back with it: how long ago it said so does not matter then
	 */
	struct anchor_query q = {.since = g->is_last ? 0 : active_since, .limit = PAGE};
	static struct anchor_lack page[PAGE];
	struct anchor_count count;
	size_t n = PAGE;
	int rc = rollover_sha256(anchor, q.sha256);

	gate_done(g);
	g->lacking = calloc(GATE_LISTED_MAX, sizeof(*g->lacking));
	g->active = g->absent = g->n_lacking = 0;
	if (!rc && !g->lacking)
		rc = err_set(ERR_NOMEM, "no memory for a list of pumps");
	if (!rc)
		rc = registry_open(call, &c);
	if (!rc)
		rc = registry_anchor_count(c, &q, &count, REGISTRY_TIMEOUT_MS);
	if (!rc)
		g->holding = g->active = count.holding;
	while (!rc && n == PAGE) {
		rc = registry_anchor_lack(c, &q, page, PAGE, &n, REGISTRY_TIMEOUT_MS);
		for (size_t i = 0; !rc && i < n; i++)
			lack_count(g, &page[i], active_since);
		if (!rc && n)
			memcpy(q.after, page[n - 1].device, sizeof(q.after));
	}
	g->is_known = !rc;
	return rc;
}

unsigned long gate_percent(const struct gate *g)
{
	return g->active ? (unsigned long)(g->holding * 100 / g->active) : 100;
}

uint64_t gate_lacking(const struct gate *g)
{
	return g->active - g->holding + (g->is_last ? g->absent : 0);
}

bool gate_is_open(const struct gate *g)
{
	if (g->is_last)
		return g->is_known && !gate_lacking(g);
	return !g->percent || (g->is_known && gate_percent(g) >= g->percent);
}

void gate_print(const struct gate *g)
{
	size_t shown = g->n_lacking < SHOWN_MAX ? g->n_lacking : SHOWN_MAX;

	if (!g->is_known) {
		puts("pumps     registryd does not answer: not known");
		return;
	}
	printf("pumps     %" PRIu64 " of %" PRIu64 " active ones hold the %s (%lu %%); %" PRIu64
	       "%s\n",
	       g->holding, g->active, g->is_last ? "new root" : "next CA", gate_percent(g),
	       g->absent,
	       g->is_last ? " others lack it and were not heard of" : " more were not heard of");
	for (size_t i = 0; i < shown; i++)
		rollover_lack_print(&g->lacking[i]);
	if (gate_lacking(g) > shown)
		printf("  and %" PRIu64 " more: --json lists %d\n", gate_lacking(g) - shown,
		       GATE_LISTED_MAX);
}

json_t *gate_lacking_json(const struct gate *g)
{
	json_t *list = json_array();

	for (size_t i = 0; i < g->n_lacking; i++)
		json_array_append_new(list, record_to_json(&record_anchor_lack, &g->lacking[i]));
	return list;
}
