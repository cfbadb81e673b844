/* SPDX-License-Identifier: BSD-2-Clause */
/* Owns what the machine's actions mean. Runs on the loop thread. */
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "pump_agent/agent.h"
#include "pump_agent/tpm.h"

#define SWAP_WAIT_MS 30000
#define BUNDLE_POLL_MS 2000
#define EXPIRED_IDENTITY "expired" /* leads to the server's way back, docs/decisions/0148 */
#define CABLE_PAUSE_MS 5000
#define CLOCK_PAUSE_MS 1000
#define ASK_PAUSE_MS 2000
#define RENEW_PAUSE_MS \
	60000 /* whatever its certificates' lives are: never one renewal on another */

static const char *blob_of(enum slot slot)
{
	return slot == SLOT_A ? "pumpgate-a" : "pumpgate-b";
}

/* A key in a TPM is named by where it lies: the paths belong to the agent, one of each slot. */
static struct identity identity_in(struct agent *a, enum slot slot, EVP_PKEY *key, X509 *cert)
{
	struct identity who = {.key = key, .cert = cert, .blob = blob_of(slot)};

	if (tpm_key_is(key) && !store_key_path(&a->store, slot, a->key_path[slot]) &&
	    !store_cert_path(&a->store, slot, a->cert_path[slot])) {
		who.key_path = a->key_path[slot];
		who.cert_path = a->cert_path[slot];
	}
	return who;
}

static struct identity identity_of(struct agent *a)
{
	return identity_in(a, a->state.active, a->key, a->cert);
}

static int identity_read(const struct agent *a, enum slot slot, EVP_PKEY **key, X509 **cert)
{
	AUTO_PKEY k = NULL;
	AUTO_X509 c = NULL;
	int rc = store_key_read(&a->store, slot, &k);

	rc = rc ? rc : store_cert_read(&a->store, slot, &c);
	if (rc)
		return rc;
	EVP_PKEY_free(*key);
	X509_free(*cert);
	*key = OSSL_TAKE(k);
	*cert = OSSL_TAKE(c);
	return 0;
}

int agent_identity_load(struct agent *a)
{
	int rc = identity_read(a, a->state.active, &a->key, &a->cert);

	if (rc)
		return rc;
	a->key_in_tpm = tpm_key_is(a->key);
	agent_logins_identity(a);
	return 0;
}

static void job_begin(struct agent *a, job_work work, const char *step)
{
	struct enrol e = {
		.store = &a->store,
		.clock = a->clock,
		.state = a->state,
		.bundle_path = a->options->bundle,
		.key_kind = a->options->key_kind,
	};

	if (job_start(a->job, work, &e)) {
		agent_error(a, step, err_text());
		agent_queue(a, EVENT_ENROL_FAILED);
	}
}

/* What an enrolment's error means for the machine. */
static enum agent_event outcome_of(int rc, const struct enrol *e)
{
	if (!strcmp(e->step, "bundle")) /* unreadable, gone or used: another one is needed */
		return EVENT_ENROL_REFUSED;
	if (rc == ERR_CONFLICT)
		return EVENT_TOLD_REVOKED;
	return rc == ERR_DENIED ? EVENT_ENROL_REFUSED : EVENT_ENROL_FAILED;
}

void agent_job_done(void *ctx, int rc, const char *why, const struct enrol *e)
{
	struct agent *a = ctx;
	bool by_bundle = a->at == AGENT_BOOTSTRAPPING;
	char text[STATUS_WHY_MAX];
	enum agent_event event = EVENT_ENROL_DONE;

	if (a->at == AGENT_DECOMMISSIONED) {
		agent_deliver_done(a, rc, why, e);
		return;
	}
	if (!rc && by_bundle) {
		rc = store_state_read(&a->store, &a->state);
		rc = rc ? rc : agent_identity_load(a);
		why = err_text();
	}
	if (rc) {
		agent_error(a, e->step, why);
		event = outcome_of(rc, e);
	} else {
		LOG(LOG_INFO, by_bundle ? "agent.enrolled" : "agent.renewed",
		    LOG_S("pump", a->state.settings.pump));
		backoff_succeeded(&a->enrol_wait);
		a->asked_renew_s = by_bundle ? 0 : a->asked_renew_s;
		agent_error_over(a, false);
	}
	if (!rc && by_bundle && store_slot_clear(&a->store, slot_other(a->state.active)))
		LOG(LOG_WARN, "agent.old_key_kept", LOG_S("why", err_text()));
	if (!rc && e->is_bundle_kept) {
		snprintf(text, sizeof(text), "the used bundle cannot be deleted; delete %s",
			 a->options->bundle);
		agent_error(a, "bundle", text);
	}
	if (event == EVENT_ENROL_REFUSED && by_bundle &&
	    enrol_bundle_hash(a->options->bundle, a->refused_bundle))
		a->refused_bundle[0] = '\0';
	agent_event(a, event);
}

static void enrol_later(struct agent *a)
{
	if (a->at == AGENT_BOOTSTRAPPING) {
		a->due.bundle = agent_wait(&a->enrol_wait);
		return;
	}
	agent_birth_leave(a);
	a->due.bundle = agent_in_ms(BUNDLE_POLL_MS);
	if (a->cert && !a->state.revoked) /* the identity from before is still good */
		agent_queue(a, EVENT_ENROL_DONE);
}

/* How does the supplicant stand? It may be held from before a restart of the agent: if it does not
 * come on by itself it is told to try, after the pause that a refused pump keeps. */
static void link_look(struct agent *a)
{
	bool yes = false;

	if (!a->link || a->network < 0)
		return;
	if (supplicant_is_admitted(a->link, &yes))
		agent_link_failed(a);
	else if (yes && !(a->cable && link_watch_is_down(a->cable))) /* which it does not look at */
		agent_queue(a, EVENT_ADMITTED);
	else if (!a->due.retry)
		a->due.retry = agent_wait(&a->reject_wait);
}

/* By a clock that is not known to be wrong. */
static bool certificate_has_ended(const struct agent *a)
{
	return a->cert && !wall_clock_is_guess(a->clock) &&
	       credential_not_after(a->cert) <= clock_wall_ms() / 1000;
}

static int block_of(const struct agent *a, char anchors[PATH_MAX], struct netblock_in *out)
{
	*out = (struct netblock_in){
		.driver = a->options->driver,
		.ssid = a->options->ssid,
		.identity = a->as_expired ? EXPIRED_IDENTITY : a->state.settings.pump,
		.server_name = a->state.settings.radius_name,
		.anchors = anchors,
	};
	return store_anchors_path(&a->store, &a->state.settings, ANCHORS_SERVER, anchors);
}

void agent_server_expect(struct agent *a)
{
	struct identity who = identity_of(a);
	char anchors[PATH_MAX];
	struct netblock_in in;

	if (!a->link || !a->cert || a->network < 0)
		return;
	if (block_of(a, anchors, &in) || supplicant_expect(a->link, in, &who, a->network))
		agent_link_failed(a);
}

static void network_write(struct agent *a)
{
	struct identity who = identity_of(a);
	char anchors[PATH_MAX];
	struct netblock_in in;
	int rc = block_of(a, anchors, &in);

	if (!rc && a->network < 0 && !supplicant_adopt(a->link, in, &who, &a->network)) {
		LOG(LOG_INFO, "agent.network_kept", LOG_U("network", a->network));
		link_look(a);
		return;
	}
	rc = rc ? rc : supplicant_connect(a->link, in, &who, &a->network);
	if (rc)
		agent_link_failed(a);
	else
		LOG(LOG_INFO, "agent.network_written", LOG_U("network", a->network),
		    LOG_S("server", in.server_name), LOG_S("identity", in.identity));
}

static void connect_network(struct agent *a)
{
	agent_birth_connect(a);
	if (!a->link || !a->cert || a->state.revoked)
		return;
	a->as_expired = certificate_has_ended(a);
	network_write(a);
}

static void hold(struct agent *a)
{
	a->due.retry = a->clock_moved ? agent_in_ms(CLOCK_PAUSE_MS) : agent_wait(&a->reject_wait);
	a->clock_moved = false;
	if (a->link && a->network >= 0 && supplicant_hold(a->link, a->network))
		agent_link_failed(a);
}

/* Where the server sees its end otherwise (its clock, its policy), the other name is tried. */
static bool reconnect_renamed(struct agent *a)
{
	bool as_expired = certificate_has_ended(a) && !a->as_expired;

	if (!a->link || a->network < 0 || a->state.revoked || as_expired == a->as_expired)
		return false;
	a->as_expired = as_expired;
	network_write(a);
	return true;
}

static void reconnect(struct agent *a)
{
	if (!reconnect_renamed(a) && a->link && a->network >= 0 &&
	    supplicant_resume(a->link, a->network, a->options->driver))
		agent_link_failed(a);
}

/* A pump that is carried to another port shall be on quickly; a loose plug must not make a storm of
 * refused attempts. */
static void reconnect_soon(struct agent *a)
{
	int64_t soon = agent_in_ms(CABLE_PAUSE_MS);

	if (!a->due.retry)
		reconnect(a);
	else if (a->due.retry > soon)
		a->due.retry = soon;
}

static void swap_begin(struct agent *a)
{
	enum slot other = slot_other(a->state.active);
	struct identity next;
	int rc = identity_read(a, other, &a->next_key, &a->next_cert);

	if (rc || !a->link || a->network < 0) { /* it waits in its slot */
		agent_error(a, "swap", rc ? err_text() : "no wpa_supplicant to hand it to");
		agent_queue(a, EVENT_SWAP_TIMEOUT);
		return;
	}
	next = identity_in(a, other, a->next_key, a->next_cert);
	a->due.swap = agent_in_ms(SWAP_WAIT_MS);
	if ((a->as_expired && supplicant_rename(a->link, a->network, a->state.settings.pump)) ||
	    supplicant_swap(a->link, a->network, &next)) {
		agent_error(a, "swap", err_text());
		agent_queue(a, EVENT_SWAP_TIMEOUT);
	}
}

static void next_drop(struct agent *a)
{
	EVP_PKEY_free(a->next_key);
	X509_free(a->next_cert);
	a->next_key = NULL;
	a->next_cert = NULL;
	a->due.swap = 0;
}

/* The network has admitted the pump with its next identity: from now on it is the identity. If the
 * state cannot be written, a restart finds the certificate in its slot and swaps again. */
static void swap_commit(struct agent *a)
{
	struct store_state state = a->state;
	enum slot old = state.active;
	int rc;

	state.active = slot_other(old);
	rc = store_state_write(&a->store, &state);
	if (rc)
		agent_error(a, "commit", err_text());
	a->state = state;
	EVP_PKEY_free(a->key);
	X509_free(a->cert);
	a->key = OSSL_TAKE(a->next_key);
	a->cert = OSSL_TAKE(a->next_cert);
	a->as_expired = false;
	a->key_in_tpm = tpm_key_is(a->key);
	next_drop(a);
	agent_logins_identity(a);
	a->asked_renew_s = 0;
	agent_report_soon(a);
	backoff_succeeded(&a->renew_wait);
	a->due.renew = agent_in_ms(RENEW_PAUSE_MS);
	if (!rc)
		agent_error_over(a, false);
	if (!rc && store_slot_clear(&a->store, old))
		LOG(LOG_WARN, "agent.old_key_kept", LOG_S("why", err_text()));
	if (a->link && supplicant_mark(a->link, a->network, a->cert))
		agent_link_failed(a);
}

static void renew_later(struct agent *a)
{
	a->due.renew = agent_wait(&a->renew_wait);
	link_look(a);
}

static void swap_undo(struct agent *a, bool discard)
{
	struct identity old = identity_of(a);

	next_drop(a);
	a->due.renew = agent_wait(&a->renew_wait);
	/* what a pump gets for an expired certificate it gets once: kept, whoever refused it */
	if (discard && !a->as_expired && store_slot_clear(&a->store, slot_other(a->state.active)))
		agent_error(a, "discard", err_text());
	if (a->link && a->network < 0)
		connect_network(a);
	else if (a->link && a->as_expired)
		network_write(a);
	else if (a->link && supplicant_swap_back(a->link, a->network, &old))
		agent_link_failed(a);
}

void agent_action(struct agent *a, enum agent_action action)
{
	switch (action) {
	case ACTION_ENROL:
		agent_birth_connect(a);
		job_begin(a, enrol_by_bundle, "bundle");
		break;
	case ACTION_ENROL_LATER:
		enrol_later(a);
		break;
	case ACTION_CONNECT:
		connect_network(a);
		break;
	case ACTION_HOLD:
		hold(a);
		break;
	case ACTION_RECONNECT:
		reconnect(a);
		break;
	case ACTION_RECONNECT_SOON:
		reconnect_soon(a);
		break;
	case ACTION_RENEW:
		job_begin(a, enrol_renew, "renewal");
		break;
	case ACTION_RENEW_LATER:
		renew_later(a);
		break;
	case ACTION_SWAP:
		swap_begin(a);
		break;
	case ACTION_COMMIT:
		swap_commit(a);
		break;
	case ACTION_ROLL_BACK:
	case ACTION_DISCARD:
		swap_undo(a, action == ACTION_DISCARD);
		break;
	case ACTION_LEAVE:
		agent_leave(a);
		break;
	case ACTION_ASK:
		a->due.ask = a->due.ask ? a->due.ask : agent_in_ms(ASK_PAUSE_MS);
		break;
	case ACTION_WIPE:
		agent_wipe(a);
		break;
	case ACTION_WIPE_LATER:
		a->due.wipe = agent_wait(&a->wipe_wait);
		break;
	case ACTION_DELIVER:
		agent_deliver(a);
		break;
	case ACTION_CLEAR:
		agent_clear(a);
		break;
	case ACTION_NONE:
	case ACTION_COUNT:
		break;
	}
}
