/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The network before the pump has a certificate of its own: EAP-TLS with its maker's birth
 * certificate, which leads into the onboarding zone. Owns that network block, which has the same
 * checks of the server as any other. Never connects without the server's anchors in the bundle.
 */
#include "base/log.h"
#include "pump_agent/agent.h"
#include "pump_agent/birth.h"

#define BIRTH_IDENTITY "idevid" /* tells the server which of its trust stores to take */
#define BIRTH_BLOB "pumpgate-birth"

static bool is_wanted(const struct agent *a)
{
	return a->link && a->network < 0 && a->at == AGENT_BOOTSTRAPPING &&
	       (!a->cert || a->state.revoked);
}

static int network_write(struct agent *a, const struct bundle *b, const struct birth *birth)
{
	struct identity who = {
		.key = birth->key, .cert = birth->cert, .blob = BIRTH_BLOB, .chain = birth->chain};
	char anchors[PATH_MAX];
	struct netblock_in in = {
		.driver = a->options->driver,
		.ssid = a->options->ssid,
		.identity = BIRTH_IDENTITY,
		.server_name = b->settings.radius_name,
		.anchors = anchors,
	};
	int rc = store_anchors_write(&a->store, &b->settings, ANCHORS_SERVER, b->anchors);

	rc = rc ? rc : store_anchors_path(&a->store, &b->settings, ANCHORS_SERVER, anchors);
	if (rc) {
		agent_error(a, STEP_NETWORK, err_text());
		return rc;
	}
	wall_clock_floor_of(a->clock, b->anchors); /* the server is judged by the time, too */
	rc = supplicant_connect(a->link, in, &who, &a->network);
	if (rc)
		agent_link_failed(a);
	return rc;
}

void agent_birth_connect(struct agent *a)
{
	AUTO_BUNDLE b = {0};
	AUTO_BIRTH birth = {0};

	/* what is wrong with the bundle the enrolment says, which reads it too */
	if (!is_wanted(a) || bundle_read(a->options->bundle, &b) || b.token || !b.anchors ||
	    birth_read(&b, &birth))
		return;
	if (!network_write(a, &b, &birth))
		LOG(LOG_INFO, "agent.birth_network", LOG_U("network", a->network),
		    LOG_S("server", b.settings.radius_name), LOG_S("pump", b.settings.pump));
}

void agent_birth_leave(struct agent *a)
{
	if (!a->link || a->network < 0 || a->cert)
		return;
	a->network = -1;
	a->due.retry = 0;
	if (supplicant_leave(a->link))
		agent_link_failed(a);
}

void agent_birth_admitted(struct agent *a)
{
	if (a->at != AGENT_BOOTSTRAPPING)
		return;
	backoff_succeeded(&a->enrol_wait);
	a->due.bundle = agent_in_ms(0);
}
