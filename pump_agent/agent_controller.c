/* SPDX-License-Identifier: BSD-2-Clause */
/* Owns what the agent tells the infusion controller about itself. Runs on the loop thread. */
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "pump_agent/agent.h"

#ifdef PUMPGATE_STATIC
/* Of /etc/passwd alone: what else nsswitch.conf names cannot be loaded into a static program. */
static const struct passwd *user_named(const char *name)
{
	const struct passwd *who = NULL;
	FILE *users = fopen("/etc/passwd", "re");

	do {
		who = users ? fgetpwent(users) : NULL;
	} while (who && strcmp(who->pw_name, name) != 0);
	if (users)
		fclose(users);
	return who;
}
#else
static const struct passwd *user_named(const char *name)
{
	return getpwnam(name);
}
#endif

/* By name or by number. */
static int user_find(const char *name, uid_t *out)
{
	char *end;
	unsigned long n = strtoul(name, &end, 10);
	const struct passwd *who;

	if (*name >= '0' && *name <= '9' && !*end && n < UINT32_MAX) {
		*out = (uid_t)n;
		return 0;
	}
	who = user_named(name);
	if (!who)
		return err_set(ERR_NOT_FOUND, "controller-user %s: no such user", name);
	*out = who->pw_uid;
	return 0;
}

static void infusing_changed(void *ctx, enum pumplink_infusing infusing)
{
	agent_infusing_set(ctx, infusing);
}

int agent_controller_open(struct agent *a)
{
	const struct agent_options *o = a->options;
	uid_t uid;
	int rc;

	if (!o->controller_user)
		return 0;
	rc = user_find(o->controller_user, &uid);
	rc = rc ? rc : controller_link_new(a->base, o->controller_socket, uid, &a->controller);
	if (!rc)
		controller_link_watch(a->controller, infusing_changed, a);
	if (!rc)
		LOG(LOG_INFO, "agent.controller_awaited", LOG_S("socket", o->controller_socket),
		    LOG_S("user", o->controller_user));
	return rc;
}

static enum pumplink_network network_of(const struct agent *a)
{
	switch (a->at) {
	case AGENT_UNPROVISIONED:
		return PUMPLINK_NET_NO_CREDENTIAL;
	case AGENT_BOOTSTRAPPING:
		return PUMPLINK_NET_ONBOARDING;
	case AGENT_ONLINE:
		return PUMPLINK_NET_ONLINE;
	case AGENT_RENEWING: /* goes on beside the network, if there is one */
	case AGENT_SWAPPING:
		return a->network_told;
	case AGENT_REMEDIATION:
		return PUMPLINK_NET_QUARANTINED;
	case AGENT_REVOKED:
		return PUMPLINK_NET_REVOKED;
	case AGENT_DECOMMISSIONED:
		return PUMPLINK_NET_DECOMMISSIONED;
	default:
		return PUMPLINK_NET_OFFLINE;
	}
}

static enum pumplink_clock clock_of(const struct clock_report *c)
{
	if (c->is_refused)
		return PUMPLINK_CLOCK_WRONG;
	if (c->basis && !strcmp(c->basis, "floor"))
		return PUMPLINK_CLOCK_GUESS;
	return c->checked_ms ? PUMPLINK_CLOCK_RIGHT : PUMPLINK_CLOCK_UNKNOWN;
}

void agent_controller_tell(struct agent *a)
{
	const struct clock_report *c = &a->status.clock;

	controller_link_pump(a->controller, a->state.settings.pump);
	a->network_told = network_of(a);
	controller_link_network(a->controller, a->network_told);
	controller_link_clock(a->controller, clock_of(c), c->off_ms);
}
