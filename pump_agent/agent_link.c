/* SPDX-License-Identifier: BSD-2-Clause */
/* Owns the agent's side of the link to wpa_supplicant: attach, events, loss. */
#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "pump_agent/agent.h"

#define PING_MS 5000
#define EVENTS_PER_TURN 64

void agent_link_close(struct agent *a)
{
	if (a->link_event)
		event_free(a->link_event);
	a->link_event = NULL;
	wpa_link_close(a->link);
	a->link = NULL;
	a->network = -1;
	a->due.ping = 0;
	a->due.retry = 0;
}

void agent_link_failed(struct agent *a)
{
	agent_error(a, STEP_SUPPLICANT, err_text());
	agent_link_close(a);
	a->due.attach = agent_wait(&a->attach_wait);
	agent_queue(a, EVENT_SUPPLICANT_DOWN);
}

static void link_lost(struct agent *a)
{
	agent_link_close(a);
	a->due.attach = agent_wait(&a->attach_wait);
	agent_event(a, EVENT_SUPPLICANT_DOWN);
}

static void admitted(struct agent *a, enum wpa_event event)
{
	/* A wired port without an authenticator opens by itself ("connected"): only EAP counts. On
	 * Wi-Fi EAP is followed by the four-way handshake, but proves a swapped identity. */
	if (event == WPA_EAP_SUCCESS && a->options->driver == NET_WIFI && a->at != AGENT_SWAPPING)
		return;
	if (event == WPA_CONNECTED && a->options->driver == NET_WIRED)
		return;
	agent_event(a, EVENT_ADMITTED);
}

/* The words of wpa_supplicant about a server's certificate, without its event's name. */
static void server_refused(struct agent *a, const char *line)
{
	char text[STATUS_WHY_MAX];
	const char *detail = strstr(line, "subject=");

	snprintf(text, sizeof(text), "the RADIUS server did not prove itself: %s",
		 detail ? detail : line);
	agent_error(a, STEP_NETWORK, text);
	a->server_refused = true;
	/* TLS_FAIL_EXPIRED of wpa_supplicant: it has, or our clock is ahead */
	a->clock_moved = strstr(line, "reason=4 ") && wall_clock_expired(a->clock);
}

static void refused(struct agent *a)
{
	if (!a->server_refused)
		agent_error(a, STEP_NETWORK,
			    a->key_in_tpm ? "the network refused this pump (EAP failure), or its "
					    "TPM did not sign: is it locked?"
					  : "the network refused this pump (EAP failure)");
	a->server_refused = false;
	agent_event(a, EVENT_REJECTED);
}

/* It would wait for a passphrase that nobody has. An identity that was being tried is not at fault.
 */
static void key_wanted(struct agent *a)
{
	agent_error(
		a, STEP_NETWORK,
		"wpa_supplicant cannot use the key: is the TPM there, and its OPENSSL_CONF set?");
	agent_event(a, a->at == AGENT_SWAPPING ? EVENT_SWAP_TIMEOUT : EVENT_REJECTED);
}

static void event_take(struct agent *a, const char *line)
{
	enum wpa_event event = wpa_event_parse(line);

	switch (event) {
	case WPA_CONNECTED:
	case WPA_EAP_SUCCESS:
		admitted(a, event);
		break;
	case WPA_EAP_FAILURE:
		refused(a);
		break;
	case WPA_SERVER_REFUSED:
		server_refused(a, line);
		break;
	case WPA_DISCONNECTED:
		agent_event(a, EVENT_LOST);
		break;
	case WPA_KEY_WANTED:
		key_wanted(a);
		break;
	case WPA_TERMINATING:
		LOG(LOG_WARN, "agent.supplicant_ends");
		link_lost(a);
		break;
	default:
		break;
	}
}

static void link_read(evutil_socket_t fd, short what, void *arg)
{
	struct agent *a = arg;
	char line[2048];
	int rc = 0;

	(void)fd;
	(void)what;
	for (int i = 0; i < EVENTS_PER_TURN && a->link; i++) {
		rc = wpa_link_event(a->link, line, sizeof(line));
		if (rc <= 0)
			break;
		event_take(a, line);
	}
	if (rc < 0 && a->link) {
		LOG(LOG_WARN, "agent.supplicant_lost", LOG_S("why", err_text()));
		link_lost(a);
	}
}

void agent_link_attach(struct agent *a)
{
	const struct agent_options *o = a->options;
	char run[PATH_MAX];
	int rc = store_path(&a->store, "run", run);

	rc = rc ? rc : wpa_link_open(o->control, o->interface, run, &a->link);
	if (!rc) {
		a->link_event = event_new(a->base, wpa_link_fd(a->link), EV_READ | EV_PERSIST,
					  link_read, a);
		if (!a->link_event || event_add(a->link_event, NULL))
			rc = err_set(ERR_NOMEM, "no memory for a link to wpa_supplicant");
	}
	if (rc) {
		if (a->attach_wait.failures == 0)
			LOG(LOG_WARN, "agent.no_supplicant", LOG_S("why", err_text()));
		agent_link_close(a);
		a->due.attach = agent_wait(&a->attach_wait);
		return;
	}
	LOG(LOG_INFO, "agent.supplicant_found", LOG_S("interface", o->interface));
	a->due.ping = agent_in_ms(PING_MS);
	agent_event(a, EVENT_SUPPLICANT_UP);
	if (a->link)
		backoff_succeeded(&a->attach_wait);
}

void agent_link_ping(struct agent *a)
{
	char reply[WPA_REPLY_MAX];

	if (!a->link)
		return;
	a->due.ping = agent_in_ms(PING_MS);
	if (wpa_link_ask(a->link, "PING", reply) || strcmp(reply, "PONG")) {
		LOG(LOG_WARN, "agent.supplicant_lost", LOG_S("why", err_text()));
		link_lost(a);
	}
}
