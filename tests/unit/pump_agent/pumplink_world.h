/* SPDX-License-Identifier: BSD-2-Clause */
/* A controller and an agent at the two ends of a pumplink, in one process, and a clock of their
 * own. */
#ifndef TESTS_UNIT_PUMP_AGENT_PUMPLINK_WORLD_H
#define TESTS_UNIT_PUMP_AGENT_PUMPLINK_WORLD_H

#include "tests/support/cmocka.h"

#include <stdint.h>

#include "pump_agent/pumplink/agent_side.h"
#include "pump_agent/pumplink/link.h"

struct world {
	char dir[64];
	char path[96];
	struct pumplink *link;
	struct agent_side *agent;
	struct pumplink_view view;
	uint64_t now_ms;
};

/* The controller's end is open, and there is no agent yet. */
int world_make(void **state);
int world_end(void **state);

/* The controller tends the link and looks, `later_ms` after its last look. */
void look(struct world *w, unsigned later_ms);
/* An agent is started, and the controller has seen its beat. */
void attach(struct world *w);
void beat(struct world *w);

/* The controller asks for a login, and the agent has it in *rq. Returns its id. */
uint32_t request(struct world *w, struct pumplink_request *rq);
/* As request(), and the agent's answer is JOY. */
uint32_t log_in(struct world *w);

extern const struct pumplink_answer JOY;

#endif
