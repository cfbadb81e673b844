/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Owns the agent's side of clinicians' logins: between the controller and login/login.h. Runs on
 * the loop thread and never waits; a pump whose logins cannot be set up goes on without them.
 */
#include <string.h>

#include "base/log.h"
#include "pump_agent/agent.h"
#include "pump_agent/tpm.h"
#include "pump_agent/wipe.h"

static void answer(void *ctx, uint32_t request, const struct pumplink_answer *answer)
{
	struct agent *a = ctx;

	if (controller_link_is_void(a->controller, request)) {
		if (answer->result == PUMPLINK_OK) /* nobody waits for it: it is over at once */
			login_ended(a->logins, request, PUMPLINK_END_LOGOUT);
		return;
	}
	controller_link_answer(a->controller, request, answer);
}

static void end(void *ctx, uint32_t request)
{
	struct agent *a = ctx;

	LOG(LOG_WARN, "login.ended", LOG_S("why", "this person may no longer log in"));
	controller_link_end_session(a->controller, request);
}

static void changed(void *ctx)
{
	struct agent *a = ctx;

	controller_link_ways(a->controller, login_standing(a->logins).ways);
	agent_refresh(a);
}

static void begin(void *ctx, const struct pumplink_request *rq)
{
	static const struct pumplink_answer closed = {.result = PUMPLINK_UNAVAILABLE};
	struct agent *a = ctx;

	if (a->logins)
		login_begin(a->logins, rq);
	else
		controller_link_answer(a->controller, rq->id, &closed);
}

static void ended(void *ctx, uint32_t session, enum pumplink_end why)
{
	struct agent *a = ctx;

	if (a->logins)
		login_ended(a->logins, session, why);
}

int agent_logins_open(struct agent *a)
{
	const struct login_calls calls = {answer, end, changed, a};
	struct chip *chip = NULL;
	int rc;

	if (!a->controller)
		return 0;
	rc = tpm_is_wanted() ? chip_new(&chip_tpm, tpm_tcti(), &chip) : 0;
	rc = rc ? rc : login_new(a->base, &a->store, chip, &calls, &a->logins);
	if (!rc)
		controller_link_serve(a->controller, begin, ended, a);
	return rc;
}

void agent_logins_identity(struct agent *a)
{
	const struct login_identity who = {&a->state.settings, a->key, a->cert};

	if (a->cert && !a->logins && agent_logins_open(a))
		agent_error(a, "login", err_text());
	if (a->logins && a->cert && login_identity_set(a->logins, &who))
		agent_error(a, "login", err_text());
}

void agent_logins_network(struct agent *a, bool is_up)
{
	if (a->logins)
		login_network(a->logins, is_up);
}

/* The folder goes with the counter, or an old copy of it would be good once more. */
static void counter_remove(struct agent *a)
{
	struct chip *chip = NULL;
	int rc = chip_new(&chip_tpm, tpm_tcti(), &chip);

	rc = rc ? rc : chip_counter_remove(chip);
	chip_free(chip);
	if (rc)
		agent_error(a, "wipe", err_text());
	else
		LOG(LOG_INFO, "login.tpm_counter_removed");
}

int agent_logins_forget(struct agent *a, bool for_good)
{
	agent_logins_close(a);
	if (tpm_is_wanted() && (for_good || wipe_has_people(&a->store)))
		counter_remove(a);
	return wipe_people(&a->store);
}

void agent_logins_close(struct agent *a)
{
	login_free(a->logins);
	a->logins = NULL;
	if (a->controller)
		controller_link_ways(a->controller, 0);
}
