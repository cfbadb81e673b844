/* SPDX-License-Identifier: BSD-2-Clause */
/* Owns the agent's events, deadlines and memory of what went wrong. */
#include "pump_agent/agent.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/secret.h"

#define TICK_MAX_MS 30000
#define BUNDLE_POLL_MS 2000
#define NETWORK_FIRST_MS 30000
#define IDENTITY_POLL_MS 10000

int64_t agent_in_ms(int64_t ms)
{
	return clock_mono_us() + ms * 1000;
}

int64_t agent_wait(struct backoff *b)
{
	uint32_t random;

	secret_fill_random(&random, sizeof(random));
	return agent_in_ms(backoff_failed(b, random));
}

void agent_error(struct agent *a, const char *step, const char *text)
{
	LOG(LOG_WARN, "agent.failed", LOG_S("state", agent_state_name(a->at)), LOG_S("step", step),
	    LOG_S("why", text));
	snprintf(a->status.error_step, sizeof(a->status.error_step), "%s", step);
	snprintf(a->status.error_text, sizeof(a->status.error_text), "%s", text);
	a->status.error_at_ms = clock_wall_ms();
	a->status_changed = true;
}

void agent_error_over(struct agent *a, bool network)
{
	const char *step = a->status.error_step;

	if (!*step || network != (!strcmp(step, STEP_NETWORK) || !strcmp(step, STEP_SUPPLICANT)))
		return;
	a->status.error_step[0] = '\0';
	a->status_changed = true;
}

/* Its own plan, which gives way to an infusion as long as there is time; or earlier if the server
 * wants it. Nothing is lost in a renewal that goes well; one that does not should find nobody who
 * needs the network. */
static int64_t renew_at_s(const struct agent *a)
{
	int64_t own = credential_renew_at(a->cert, a->options->renew_percent);

	if (a->options->controller_user && a->infusing != PUMPLINK_IDLE)
		own = credential_renew_latest(a->cert, own);
	return a->asked_renew_s && a->asked_renew_s < own ? a->asked_renew_s : own;
}

static void status_write(struct agent *a)
{
	AUTO_BUF text = {.max = 8192};
	char path[PATH_MAX];
	int rc;

	a->status_changed = false;
	a->status.state = a->at;
	snprintf(a->status.pump, sizeof(a->status.pump), "%s", a->state.settings.pump);
	a->status.certificate[0] = '\0';
	if (a->cert && ossl_serial_hex(a->cert, a->status.certificate, CERT_SERIAL_TEXT_MAX))
		a->status.certificate[0] = '\0';
	a->status.not_after_ms = a->cert ? credential_not_after(a->cert) * 1000 : 0;
	a->status.renew_at_ms = a->cert ? renew_at_s(a) * 1000 : 0;
	a->status.clock = wall_clock_report(a->clock);
	a->status.has_logins = a->logins != NULL;
	if (a->logins)
		a->status.logins = login_standing(a->logins);
	agent_controller_tell(a);
	memcpy(a->status.told, a->told.state, sizeof(a->status.told));
	memcpy(a->status.told_reason, a->told.reason, sizeof(a->status.told_reason));
	rc = status_build(&a->status, &text);
	rc = rc ? rc : store_path(&a->store, STATUS_FILE, path);
	rc = rc ? rc : buf_write_file(path, 0644, text.data, text.len);
	if (rc) /* nobody waits for it: the log has to do */
		LOG(LOG_ERROR, "agent.status_failed", LOG_S("why", err_text()));
}

void agent_queue(struct agent *a, enum agent_event event)
{
	if (a->n_queue < sizeof(a->queue) / sizeof(a->queue[0]))
		a->queue[a->n_queue++] = event;
	else
		LOG(LOG_ERROR, "agent.event_dropped", LOG_S("event", agent_event_name(event)));
}

static void event_run(struct agent *a, enum agent_event event)
{
	struct machine_step step = machine_step(a->at, event);

	if (event == EVENT_ADMITTED) {
		backoff_succeeded(&a->reject_wait);
		a->due.retry = 0;
		a->is_refused = false;
		agent_error_over(a, true);
		agent_ask_due(a);
		agent_logins_network(a, true);
		agent_birth_admitted(a);
	}
	if (event == EVENT_REJECTED &&
	    a->cert) { /* at a bench the server may be reached all the same */
		a->is_refused = true;
		agent_report_soon(a);
	}
	if (step.next != a->at) {
		LOG(LOG_INFO, "agent.state", LOG_S("from", agent_state_name(a->at)),
		    LOG_S("to", agent_state_name(step.next)),
		    LOG_S("event", agent_event_name(event)), LOG_S("pump", a->state.settings.pump));
		a->at = step.next;
		a->entered_us = clock_mono_us();
		a->status.since_ms = clock_wall_ms();
		a->status_changed = true;
	}
	agent_action(a, step.action);
}

static bool is_admitted(const struct agent *a)
{
	return a->at == AGENT_ONLINE || a->at == AGENT_REMEDIATION;
}

static bool may_ask(const struct agent *a)
{
	return is_admitted(a) || a->at == AGENT_REVOKED ||
	       (a->at == AGENT_ENROLLED && a->is_refused);
}

static void timer_set(struct agent *a)
{
	const int64_t dues[] = {a->due.bundle, a->due.retry,
				a->due.renew,  a->due.swap,
				a->due.attach, a->due.ping,
				a->due.wipe,   a->due.identity,
				a->due.trust,  may_ask(a) ? a->due.ask : 0};
	int64_t now = clock_mono_us();
	int64_t wait = (int64_t)TICK_MAX_MS * 1000;
	struct timeval tv;

	for (size_t i = 0; i < sizeof(dues) / sizeof(dues[0]); i++)
		if (dues[i] && dues[i] - now < wait)
			wait = dues[i] - now;
	if (a->cert) { /* by the wall clock, which may be set meanwhile: hence TICK_MAX */
		int64_t renew = renew_at_s(a) * 1000000 - clock_wall_ms() * 1000;

		wait = renew > 0 && renew < wait ? renew : wait;
		wait = renew <= 0 && is_admitted(a) && a->due.renew <= now ? 0 : wait;
	}
	wait = wait < 1000 ? 1000 : wait;
	tv.tv_sec = wait / 1000000;
	tv.tv_usec = wait % 1000000;
	event_add(a->timer, &tv);
}

void agent_refresh(struct agent *a)
{
	status_write(a);
	timer_set(a);
}

void agent_event(struct agent *a, enum agent_event event)
{
	event_run(a, event);
	for (size_t i = 0; i < a->n_queue; i++)
		event_run(a, a->queue[i]);
	a->n_queue = 0;
	if (a->status_changed)
		status_write(a);
	timer_set(a);
}

static bool is_due(int64_t *deadline, int64_t now)
{
	if (!*deadline || *deadline > now)
		return false;
	*deadline = 0;
	return true;
}

/* A bundle that is there, was not used before and was not ruled out; or the next try with one. */
static void bundle_look(struct agent *a)
{
	char hash[65];
	bool wanted = a->at == AGENT_UNPROVISIONED || a->at == AGENT_REVOKED ||
		      a->at == AGENT_ENROLLED ||
		      (a->at == AGENT_DECOMMISSIONED && !a->state.enrolled);

	a->due.bundle = agent_in_ms(is_admitted(a) ? TICK_MAX_MS : BUNDLE_POLL_MS);
	if (job_is_running(a->job))
		return;
	if (wanted && !enrol_bundle_hash(a->options->bundle, hash))
		wanted = strcmp(hash, a->state.bundle_hash) && strcmp(hash, a->refused_bundle);
	else
		wanted = a->at == AGENT_BOOTSTRAPPING;
	if (wanted)
		agent_event(a, EVENT_BUNDLE_FOUND);
}

static bool renewal_is_due(const struct agent *a, int64_t now)
{
	if (!a->cert || a->due.renew > now || renew_at_s(a) > clock_wall_ms() / 1000)
		return false;
	/* give the network a chance first: EST is most likely behind it */
	return is_admitted(a) ||
	       (a->at == AGENT_ENROLLED && now - a->entered_us >= (int64_t)NETWORK_FIRST_MS * 1000);
}

/* A key that cannot be read now (a TPM that is away or locked) may be there later; meanwhile the
 * network is left alone, and a new bundle is taken. */
void agent_identity_missing(struct agent *a)
{
	agent_error(a, STEP_IDENTITY, err_text());
	a->due.identity = agent_in_ms(IDENTITY_POLL_MS);
}

static void identity_try(struct agent *a)
{
	if (a->cert || !a->state.enrolled || *a->state.wipe)
		return;
	if (agent_identity_load(a)) {
		agent_identity_missing(a);
		return;
	}
	agent_error_over(a, false);
	agent_clock_floor(a);
	agent_event(a, EVENT_ENROL_DONE);
}

static void tick(evutil_socket_t fd, short what, void *arg)
{
	struct agent *a = arg;
	int64_t now = clock_mono_us();

	(void)fd;
	(void)what;
	if (is_due(&a->due.attach, now))
		agent_link_attach(a);
	if (is_due(&a->due.ping, now))
		agent_link_ping(a);
	if (is_due(&a->due.bundle, now))
		bundle_look(a);
	if (is_due(&a->due.retry, now))
		agent_event(a, EVENT_RETRY);
	if (is_due(&a->due.swap, now))
		agent_event(a, EVENT_SWAP_TIMEOUT);
	if (is_due(&a->due.wipe, now))
		agent_event(a, EVENT_WIPE_DUE);
	if (is_due(&a->due.identity, now))
		identity_try(a);
	if (is_due(&a->due.trust, now))
		agent_trust_again(a);
	if (may_ask(a) && is_due(&a->due.ask, now))
		agent_ask(a);
	if (renewal_is_due(a, now)) {
		a->due.renew = 0;
		agent_event(a, EVENT_RENEW_DUE);
	}
	timer_set(a);
}

/* A bundle that was used up just before the agent was killed still has its token. */
static void bundle_tidy(const struct agent *a)
{
	char hash[65];

	if (!enrol_bundle_hash(a->options->bundle, hash) && !strcmp(hash, a->state.bundle_hash) &&
	    unlink(a->options->bundle) == 0)
		LOG(LOG_INFO, "agent.bundle_deleted", LOG_S("path", a->options->bundle));
}

/* An agent that was killed while it took the old identity away: what is left of that is no use to
 * anybody. What is there for another bundle, or for a renewal of the identity in use, stays. */
static void slot_tidy(const struct agent *a)
{
	static const char renewal[] = "renewal of ";
	enum slot other = slot_other(a->state.active);
	char purpose[SLOT_PURPOSE_MAX], serial[CERT_SERIAL_TEXT_MAX];
	bool is_renewal, is_old;

	if (store_slot_purpose(&a->store, other, purpose) ||
	    ossl_serial_hex(a->cert, serial, sizeof(serial)))
		return;
	is_renewal = !strncmp(purpose, renewal, strlen(renewal));
	is_old = is_renewal ? strcmp(purpose + strlen(renewal), serial) != 0
			    : !*purpose || !strcmp(purpose, a->state.bundle_hash);
	if (is_old && store_slot_clear(&a->store, other))
		LOG(LOG_WARN, "agent.old_key_kept", LOG_S("why", err_text()));
}

static int state_load(struct agent *a)
{
	int rc = store_state_read(&a->store, &a->state);

	if (rc == ERR_NOT_FOUND)
		return 0;
	if (rc)
		return rc;
	bundle_tidy(a);
	if (*a->state.wipe) { /* its key may be gone already */
		agent_wipe_pending(a);
		return 0;
	}
	if (a->state.revoked)
		a->at = AGENT_REVOKED;
	if (a->state.enrolled && agent_identity_load(a)) {
		agent_identity_missing(a);
	} else if (a->state.enrolled) {
		slot_tidy(a);
		agent_clock_floor(a);
	}
	return 0;
}

static void cable_changed(void *ctx, bool is_up)
{
	struct agent *a = ctx;

	LOG(LOG_INFO, "agent.cable", LOG_S("interface", a->options->interface),
	    LOG_S("carrier", is_up ? "yes" : "no"));
	agent_event(a, is_up ? EVENT_CABLE : EVENT_LOST);
}

static int agent_set_up(struct agent *a)
{
	int rc = store_open(a->options->state, &a->store);

	if (rc)
		return rc;
	rc = agent_controller_open(a);
	rc = rc ? rc : agent_logins_open(a);
	rc = rc ? rc : wall_clock_new(&a->store, a->options->may_set_clock, &a->clock);
	rc = rc ? rc : job_new(a->base, agent_job_done, a, &a->job);
	rc = rc ? rc : job_new(a->base, agent_ask_done, a, &a->ask_job);
	if (!rc && a->options->driver == NET_WIRED)
		rc = link_watch_new(a->base, a->options->interface, cable_changed, a, &a->cable);
	a->timer = evtimer_new(a->base, tick, a);
	if (!rc && !a->timer)
		rc = err_set(ERR_NOMEM, "no memory for a timer");
	return rc ? rc : state_load(a);
}

int agent_start(struct event_base *base, const struct agent_options *options, struct agent *out)
{
	int rc;

	*out = (struct agent){
		.options = options,
		.base = base,
		.network = -1,
		.enrol_wait = {.first_ms = 2000, .max_ms = 300000},
		.reject_wait = {.first_ms = 10000, .max_ms = 300000},
		.renew_wait = {.first_ms = 60000, .max_ms = 3600000},
		.ask_wait = {.first_ms = 60000, .max_ms = 3600000},
		.attach_wait = {.first_ms = 500, .max_ms = 10000},
		/* EST hears of an order within 5 s, and a wiped pump may be off the network soon */
		.wipe_wait = {.first_ms = 1000, .max_ms = 300000},
		.store = {.lock_fd = -1},
	};
	out->status.since_ms = clock_wall_ms();
	rc = agent_set_up(out);
	if (rc) {
		agent_stop(out);
		return rc;
	}
	LOG(LOG_INFO, "agent.start", LOG_S("state", agent_state_name(out->at)),
	    LOG_S("pump", out->state.settings.pump), LOG_S("interface", options->interface),
	    LOG_S("folder", options->state));
	status_write(out);
	if (out->cert && out->at == AGENT_UNPROVISIONED)
		agent_event(out, EVENT_ENROL_DONE);
	out->due.bundle = agent_in_ms(0);
	out->due.attach = agent_in_ms(0);
	timer_set(out);
	return 0;
}

void agent_stop(struct agent *a)
{
	job_free(a->job);
	job_free(a->ask_job);
	link_watch_free(a->cable);
	agent_link_close(a);
	login_free(a->logins);
	controller_link_free(a->controller);
	if (a->timer)
		event_free(a->timer);
	EVP_PKEY_free(a->key);
	X509_free(a->cert);
	EVP_PKEY_free(a->next_key);
	X509_free(a->next_cert);
	wall_clock_free(a->clock);
	store_close(&a->store);
}
