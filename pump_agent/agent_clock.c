/* SPDX-License-Identifier: BSD-2-Clause */
/* Owns when the agent looks after the wall clock; how is wall_clock.c's. Runs on the loop thread.
 */
#include "base/log.h"
#include "base/secret.h"
#include "pump_agent/agent.h"

#define CLOCK_EVERY_MS (6 * 3600 * 1000LL)
#define CLOCK_SPREAD_MS 60000 /* so that a ward that wakes at once does not ask at once */

void agent_clock_floor(struct agent *a)
{
	AUTO_X509S server = NULL;

	wall_clock_floor(a->clock, credential_not_before(a->cert) * 1000);
	if (store_anchors_read(&a->store, &a->state.settings, ANCHORS_SERVER, &server))
		LOG(LOG_WARN, "agent.no_anchors", LOG_S("why", err_text()));
	else
		wall_clock_floor_of(a->clock, server);
}

void agent_clock_due(struct agent *a)
{
	uint32_t random;

	secret_fill_random(&random, sizeof(random));
	if (wall_clock_is_guess(a->clock))
		a->due.clock = agent_in_ms(0);
	else if (!a->due.clock)
		a->due.clock = agent_in_ms(random % CLOCK_SPREAD_MS);
}

void agent_clock_done(void *ctx, int rc, const char *why, const struct enrol *e)
{
	struct agent *a = ctx;

	if (rc) {
		LOG(LOG_INFO, "agent.clock_not_checked", LOG_S("step", e->step), LOG_S("why", why));
		a->due.clock = agent_wait(&a->clock_wait);
	} else {
		backoff_succeeded(&a->clock_wait);
		a->due.clock = agent_in_ms(CLOCK_EVERY_MS);
	}
	agent_refresh(a);
}

void agent_clock_ask(struct agent *a)
{
	struct enrol e = {.store = &a->store, .clock = a->clock, .state = a->state};

	if (job_start(a->clock_job, enrol_ask_time, &e))
		agent_clock_done(a, ERR_BUSY, err_text(), &e);
}
