/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Owns what the agent does when it is told that its pump is revoked or decommissioned. Runs on the
 * loop thread. Never touches an infusion: only the network and what is on the disk end.
 */
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "pump_agent/agent.h"
#include "pump_agent/wipe.h"

#define DELIVERY_WAIT_MS 30000 /* the network is kept so long for the statement */

void agent_wipe_pending(struct agent *a)
{
	a->at = AGENT_DECOMMISSIONED;
	a->due.wipe = agent_in_ms(0);
	a->due.retry = agent_in_ms(DELIVERY_WAIT_MS);
}

void agent_wipe_ordered(struct agent *a, const char *order)
{
	struct store_state state = a->state;

	if (*state.wipe || a->at == AGENT_BOOTSTRAPPING)
		return;
	if (!wipe_order_is_valid(order) || str_copy(state.wipe, sizeof(state.wipe), order)) {
		agent_error(a, "wipe", "the server's order to wipe cannot be read");
		return;
	}
	if (store_state_write(&a->store, &state)) { /* asked again, and then tried again */
		agent_error(a, "wipe", err_text());
		return;
	}
	a->state = state;
	LOG(LOG_WARN, "agent.wipe_ordered", LOG_S("pump", state.settings.pump),
	    LOG_S("order", order));
	a->due.retry = agent_in_ms(DELIVERY_WAIT_MS);
	agent_event(a, EVENT_TOLD_WIPE);
}

static void identity_forget(struct agent *a)
{
	EVP_PKEY_free(a->key);
	X509_free(a->cert);
	EVP_PKEY_free(a->next_key);
	X509_free(a->next_cert);
	a->key = NULL;
	a->cert = NULL;
	a->next_key = NULL;
	a->next_cert = NULL;
	a->due.swap = 0;
}

void agent_wipe(struct agent *a)
{
	const struct wipe_order order = {
		.store = &a->store,
		.more = a->options->wipe,
		.bundle = a->state.enrolled ? a->options->bundle : NULL,
		.now_ms = clock_wall_ms(),
	};
	bool is_unsigned, had_key = a->state.enrolled;

	if (!*a->state.wipe) /* all of it is done */
		return;
	job_cancel(a->job); /* a renewal would write into what is being wiped */
	if (agent_logins_forget(a, true) || wipe_run(&order, &a->state, &is_unsigned)) {
		agent_error(a, "wipe", err_text());
		agent_queue(a, EVENT_WIPE_FAILED);
		return;
	}
	identity_forget(a);
	a->status_changed = true;
	if (is_unsigned)
		agent_error(a, "wipe", "wiped, but the key could not sign the statement");
	if (had_key)
		LOG(LOG_WARN, "agent.wiped", LOG_S("pump", a->state.settings.pump),
		    LOG_S("statement", is_unsigned ? "none" : "signed"));
	agent_queue(a, wipe_is_delivered(&a->store, a->state.wipe) ? EVENT_DELIVERED : EVENT_WIPED);
}

void agent_deliver(struct agent *a)
{
	struct enrol e = {.store = &a->store, .clock = a->clock, .state = a->state};

	if (!job_is_running(a->job) && job_start(a->job, enrol_deliver, &e))
		agent_queue(a, EVENT_NOT_DELIVERED);
}

void agent_deliver_done(struct agent *a, int rc, const char *why, const struct enrol *e)
{
	if (!rc && wipe_delivered(&a->store, a->state.wipe)) {
		rc = ERR_IO;
		why = err_text();
	}
	if (rc) {
		agent_error(a, e->step, why);
		agent_event(a, EVENT_NOT_DELIVERED);
		return;
	}
	LOG(LOG_INFO, "agent.statement_delivered", LOG_S("pump", a->state.settings.pump));
	agent_error_over(a, false);
	agent_event(a, EVENT_DELIVERED);
}

void agent_clear(struct agent *a)
{
	bool delivered = wipe_is_delivered(&a->store, a->state.wipe) && !a->state.enrolled;

	if (!a->link || (!delivered && a->due.retry))
		return;
	if (supplicant_leave(a->link)) {
		agent_link_failed(a);
		return;
	}
	a->network = -1;
	a->due.retry = 0;
	if (!delivered || !*a->state.wipe)
		return;
	if (wipe_finish(&a->store)) {
		agent_error(a, "wipe", err_text());
		agent_queue(a, EVENT_WIPE_FAILED);
		return;
	}
	a->state = (struct store_state){0};
	a->status_changed = true;
	LOG(LOG_INFO, "agent.clean", LOG_S("folder", a->options->state));
}

/* The state comes first: a pump that is killed here does not try the network again. */
void agent_leave(struct agent *a)
{
	struct store_state state = a->state;

	/* Before a pump has an identity there is nothing to remember but the refused bundle. */
	state.revoked = true;
	if (!a->state.revoked) {
		if (a->cert && store_state_write(&a->store, &state))
			agent_error(a, "commit", err_text());
		if (enrol_bundle_hash(a->options->bundle, a->refused_bundle))
			a->refused_bundle[0] = '\0';
	}
	a->state = state;
	if (agent_logins_forget(a, false))
		agent_error(a, "wipe", err_text());
	if (a->link && supplicant_leave(a->link))
		agent_link_failed(a);
	a->network = -1;
	a->due.retry = 0;
}
