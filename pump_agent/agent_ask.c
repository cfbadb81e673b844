/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Owns when the agent asks its server for the time and whether a renewal is wanted, and reports the
 * pump to it. Runs on the loop thread.
 */
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/secret.h"
#include "pump_agent/agent.h"

#define ASK_MIN_S 60
#define ASK_MAX_S 21600
#define REPORT_PAUSE_MS 15000 /* between two, however often an infusion begins and ends */
#define BUSY_PAUSE_MS 300
#define ASK_SPREAD_MS 60000 /* so that a ward that wakes at once does not ask at once */

void agent_clock_floor(struct agent *a)
{
	AUTO_X509S server = NULL;

	wall_clock_floor(a->clock, credential_not_before(a->cert) * 1000);
	if (store_anchors_read(&a->store, &a->state.settings, ANCHORS_SERVER, &server))
		LOG(LOG_WARN, "agent.no_anchors", LOG_S("why", err_text()));
	else
		wall_clock_floor_of(a->clock, server);
}

/* A hundredth of the certificate's life, but not more than a minute. */
static uint32_t spread_ms(const struct agent *a)
{
	int64_t life_s =
		a->cert ? credential_not_after(a->cert) - credential_not_before(a->cert) : 0;

	return life_s > 0 && life_s * 10 < ASK_SPREAD_MS ? (uint32_t)life_s * 10 : ASK_SPREAD_MS;
}

void agent_ask_due(struct agent *a)
{
	uint32_t random;
	int64_t soon;

	secret_fill_random(&random, sizeof(random));
	if (wall_clock_is_guess(a->clock)) {
		a->due.ask = agent_in_ms(0);
		return;
	}
	/* Admitted anew: its standing may be what has changed. */
	soon = agent_in_ms(random % spread_ms(a));
	if (a->asked_us && soon < a->asked_us + REPORT_PAUSE_MS * INT64_C(1000))
		soon = a->asked_us + REPORT_PAUSE_MS * INT64_C(1000);
	if (!a->due.ask || a->due.ask > soon)
		a->due.ask = soon;
}

/* As the server says, within bounds that are ours. */
static int64_t again_s(const struct enrol *e)
{
	if (e->again_s < ASK_MIN_S)
		return e->again_s ? ASK_MIN_S : ASK_MAX_S;
	return e->again_s < ASK_MAX_S ? e->again_s : ASK_MAX_S;
}

static void renewal_note(struct agent *a, const struct enrol *e)
{
	char when[CLOCK_TEXT_MAX];

	if (e->renew_at_s == a->asked_renew_s)
		return;
	a->asked_renew_s = e->renew_at_s;
	clock_format(e->renew_at_s * 1000, when);
	LOG(LOG_INFO, "agent.renewal_wanted", LOG_S("at", when));
}

static void told_note(struct agent *a, const struct self_told *told)
{
	if (!strcmp(a->told.state, told->state) && !strcmp(a->told.reason, told->reason) &&
	    !strcmp(a->told.certificate, told->certificate))
		return;
	LOG(LOG_INFO, "agent.standing", LOG_S("state", told->state),
	    LOG_S("certificate", told->certificate), LOG_S("reason", told->reason));
	a->told = *told;
}

/* A state that is neither ("held", "unknown") says nothing about the network that it is on. */
static void told_act(struct agent *a, const struct self_told *told)
{
	static const struct {
		const char *state;
		enum agent_event event;
	} says[] = {
		{"enrolled", EVENT_TOLD_RELEASED},
		{"quarantined", EVENT_TOLD_CONFINED},
		{"parked", EVENT_TOLD_CONFINED},
		{"revoked", EVENT_TOLD_REVOKED},
	};

	for (size_t i = 0; i < sizeof(says) / sizeof(says[0]); i++)
		if (!strcmp(told->state, says[i].state))
			agent_event(a, says[i].event);
}

void agent_report_soon(struct agent *a)
{
	int64_t soon = a->asked_us + REPORT_PAUSE_MS * INT64_C(1000);

	if (!a->asked_us || soon < agent_in_ms(0))
		soon = agent_in_ms(0);
	if (!a->due.ask || a->due.ask > soon)
		a->due.ask = soon;
}

void agent_infusing_set(struct agent *a, enum pumplink_infusing infusing)
{
	if (infusing == a->infusing)
		return;
	a->infusing = infusing;
	agent_report_soon(a);
	agent_refresh(a);
}

/* Before the server shows what only the new anchors prove. */
static void anchors_changed(struct agent *a)
{
	LOG(LOG_INFO, "agent.anchors_changed", LOG_S("pump", a->state.settings.pump));
	a->due.trust = agent_in_ms(0);
	agent_logins_identity(a); /* the login server shows the same */
}

void agent_trust_again(struct agent *a)
{
	bool busy = false;
	int rc;

	if (!a->link || a->network < 0 || !a->cert)
		return; /* the next network is written with what is there then */
	rc = supplicant_is_busy(a->link, &busy);
	if (!rc && busy) {
		a->due.trust = agent_in_ms(BUSY_PAUSE_MS);
		return;
	}
	if (!rc && a->is_renamed)
		agent_server_expect(a);
	else if (!rc)
		rc = supplicant_trust_again(a->link, a->network, a->cert);
	a->is_renamed = false;
	if (rc)
		agent_link_failed(a);
}

static void policy_follow(struct agent *a, const struct server_policy *p)
{
	struct store_state state = a->state;
	bool logins;

	if (!server_policy_take(p, &state.policy_number, &state.settings, &logins))
		return;
	if (store_state_write(&a->store, &state)) {
		agent_error(a, "server-policy", err_text());
		return;
	}
	a->state = state;
	LOG(LOG_INFO, "agent.server_policy", LOG_U("number", p->number),
	    LOG_S("radius", p->radius_name), LOG_S("login", p->login_address));
	a->is_renamed = true;
	a->due.trust = agent_in_ms(0);
	if (logins)
		agent_logins_identity(a);
}

void agent_ask_done(void *ctx, int rc, const char *why, const struct enrol *e)
{
	struct agent *a = ctx;

	if (e->anchors_changed)
		anchors_changed(a);
	policy_follow(a, &e->policy); /* it is signed, whatever failed after it */
	if (rc == ERR_CONFLICT) {
		agent_error(a, e->step, why);
		agent_event(a, EVENT_TOLD_REVOKED);
	}
	if (rc) {
		LOG(LOG_INFO, "agent.server_not_asked", LOG_S("step", e->step), LOG_S("why", why));
		a->due.ask = agent_wait(&a->ask_wait);
	} else {
		backoff_succeeded(&a->ask_wait);
		a->due.ask = agent_in_ms(1000 * again_s(e));
		renewal_note(a, e);
		told_note(a, &e->told);
		told_act(a, &e->told);
		if (*e->told.wipe)
			agent_wipe_ordered(a, e->told.wipe);
	}
	if (e->infusing != a->infusing) /* changed meanwhile */
		agent_report_soon(a);
	if (a->at == AGENT_REVOKED) /* until somebody plugs it in anew */
		a->due.ask = 0;
	agent_refresh(a);
}

void agent_ask(struct agent *a)
{
	struct enrol e = {.store = &a->store,
			  .clock = a->clock,
			  .state = a->state,
			  .infusing = a->infusing,
			  .key_in_tpm = a->key_in_tpm};

	a->asked_us = clock_mono_us();
	if (job_start(a->ask_job, enrol_ask, &e))
		agent_ask_done(a, ERR_BUSY, err_text(), &e);
}
