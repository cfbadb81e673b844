/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A wired switch of one port for tests and the demo: hostapd authenticates, this program enforces.
 * It follows hostapd's control events, does MAC authentication for a station that does not speak
 * 802.1X, and puts the port into the VLAN that RADIUS named. One JSON line per event on standard
 * output. Runs as root in the network namespace of the switch. Never opens the port on its own
 * word.
 */
#include <stddef.h> /* wpa_ctrl.h needs size_t */

#include <arpa/inet.h>
#include <getopt.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <event2/event.h>
#include <wpa_ctrl.h>

#include "base/buf.h"
#include "base/clock.h"
#include "tests/support/testswitch/switch_das.h"
#include "tests/support/testswitch/switch_mab.h"
#include "tests/support/testswitch/switch_port.h"

#define CAUSE_SESSION_TIMEOUT 5
#define CAUSE_PORT_PREEMPTED 13
#define CAUSE_ADMIN_RESET 6
#define CAUSE_NAS_REQUEST 10

enum way { WAY_NONE = 0, WAY_MAB, WAY_EAP };

struct testswitch {
	struct switch_port port;
	struct switch_mab *mab;
	struct switch_das *das;
	struct event_base *base;
	struct wpa_ctrl *events;
	struct wpa_ctrl *commands;
	struct event *session_end; /* of a MAB session */
	enum way way;		   /* how the station on the port got in */
	int64_t eapol_us;	   /* when the station last spoke 802.1X */
	int64_t asked_us;	   /* when MAC authentication was last begun */
	char asked_mac[SWITCH_MAC_TEXT];
	int64_t eapol_grace_us; /* 802.1X within it keeps MAC authentication away */
	int64_t hold_us;	/* after a refusal */
};

/* Values are our own words, MACs and checked numbers: nothing to escape. */
static void tell(const struct testswitch *s, const char *event, const char *mac, uint32_t vlan,
		 const char *why)
{
	printf("{\"at_ms\":%lld,\"port\":\"%s\",\"event\":\"%s\",\"mac\":\"%s\",\"vlan\":%u,"
	       "\"bridge\":\"%s\",\"why\":\"%s\"}\n",
	       (long long)clock_wall_ms(), s->port.name, event, mac, vlan, s->port.bridge, why);
	fflush(stdout);
}

static void block(struct testswitch *s, const char *mac, const char *why)
{
	s->way = WAY_NONE;
	event_del(s->session_end);
	if (switch_port_block(&s->port)) {
		fprintf(stderr, "testswitch: %s\n", err_text());
		event_base_loopbreak(s->base); /* a switch that can't block must not go on */
	}
	tell(s, "blocked", mac, 0, why);
}

static bool place(struct testswitch *s, const char *mac, uint32_t vlan, enum way way)
{
	bool moves = s->way != way || strcmp(s->port.mac, mac) != 0;
	char before[SWITCH_NAME];

	snprintf(before, sizeof(before), "%s", s->port.bridge);
	if (switch_port_place(&s->port, mac, vlan)) {
		fprintf(stderr, "testswitch: %s\n", err_text());
		block(s, mac, "no-vlan");
		return false;
	}
	s->way = way;
	if (moves || strcmp(before, s->port.bridge) != 0)
		tell(s, "placed", mac, vlan, way == WAY_EAP ? "eap" : "mab");
	return true;
}

/* ---- MAC authentication ---- */

static void on_mab_done(enum switch_mab_answer answer, const char *mac, uint32_t vlan,
			uint32_t session_s, void *ctx)
{
	struct testswitch *s = ctx;
	struct timeval tv = {.tv_sec = session_s};
	bool was_in = s->way == WAY_MAB;

	if (s->way == WAY_EAP)
		return; /* 802.1X was quicker */
	if (answer != SWITCH_MAB_ACCEPT) {
		const char *why = answer == SWITCH_MAB_REJECT ? "mab-reject" : "mab-silent";

		tell(s, why, mac, 0, "");
		if (was_in) {
			block(s, mac, why);
			switch_mab_stop(s->mab, CAUSE_SESSION_TIMEOUT);
		}
		return;
	}
	tell(s, "mab-accept", mac, vlan, "");
	if (!place(s, mac, vlan, WAY_MAB))
		return;
	if (session_s)
		event_add(s->session_end, &tv);
	if (!was_in)
		switch_mab_start(s->mab);
}

static void mab_ask(struct testswitch *s, const char *mac)
{
	s->asked_us = clock_mono_us();
	snprintf(s->asked_mac, sizeof(s->asked_mac), "%s", mac);
	if (switch_mab_ask(s->mab, mac))
		fprintf(stderr, "testswitch: %s\n", err_text());
	else
		tell(s, "mab-ask", mac, 0, "");
}

static void on_session_end(evutil_socket_t fd, short what, void *ctx)
{
	struct testswitch *s = ctx;

	(void)fd;
	(void)what;
	if (s->way == WAY_MAB && !switch_mab_is_asking(s->mab))
		mab_ask(s, s->port.mac);
}

static void station_heard(struct testswitch *s, const char *mac)
{
	int64_t now_us = clock_mono_us();

	if (s->way != WAY_NONE || switch_mab_is_asking(s->mab)) /* one station per port */
		return;
	if (s->eapol_us && now_us - s->eapol_us < s->eapol_grace_us)
		return;
	if (s->asked_us && !strcmp(mac, s->asked_mac) && now_us - s->asked_us < s->hold_us)
		return;
	mab_ask(s, mac);
}

/* A Disconnect-Request: the session of MAC authentication is ours to end. */
static bool on_disconnect(const char *session_id, const char *station, void *ctx)
{
	struct testswitch *s = ctx;

	if (s->way != WAY_MAB || !switch_mab_is_session(s->mab, session_id, station))
		return false;
	block(s, s->port.mac, "disconnected");
	switch_mab_stop(s->mab, CAUSE_ADMIN_RESET);
	return true;
}

static void on_frame(evutil_socket_t fd, short what, void *ctx)
{
	struct testswitch *s = ctx;
	uint8_t frame[ETH_HLEN];
	struct sockaddr_ll from;
	socklen_t from_len = sizeof(from);
	char mac[SWITCH_MAC_TEXT];

	(void)what;
	while (recvfrom(fd, frame, sizeof(frame), MSG_DONTWAIT, (struct sockaddr *)&from,
			&from_len) == (ssize_t)sizeof(frame)) {
		from_len = sizeof(from);
		if (from.sll_pkttype == PACKET_OUTGOING || frame[6] & 1)
			continue;
		if (frame[12] == 0x88 && frame[13] == 0x8e) {
			s->eapol_us = clock_mono_us();
			continue;
		}
		snprintf(mac, sizeof(mac), "%02x:%02x:%02x:%02x:%02x:%02x", frame[6], frame[7],
			 frame[8], frame[9], frame[10], frame[11]);
		station_heard(s, mac);
	}
}

/* ---- hostapd ---- */

/* The number after "KEY=" at a line's start, or 0. */
static uint32_t line_number(const char *text, const char *key)
{
	size_t len = strlen(key);

	for (const char *line = text; line && *line; line = strchr(line, '\n')) {
		line += *line == '\n';
		if (!strncmp(line, key, len))
			return (uint32_t)strtoul(line + len, NULL, 10);
	}
	return 0;
}

static void station_update(struct testswitch *s, const char *mac)
{
	char command[32], answer[4096];
	size_t len = sizeof(answer) - 1;

	snprintf(command, sizeof(command), "STA %s", mac);
	if (wpa_ctrl_request(s->commands, command, strlen(command), answer, &len, NULL) < 0) {
		fprintf(stderr, "testswitch: hostapd does not answer\n");
		block(s, mac, "hostapd-silent");
		return;
	}
	answer[len] = '\0';
	if (!strstr(answer, "[AUTHORIZED]"))
		return;
	if (s->way == WAY_MAB)
		switch_mab_stop(s->mab, CAUSE_PORT_PREEMPTED);
	event_del(s->session_end);
	place(s, mac, line_number(answer, "vlan_id="), WAY_EAP);
}

static void hostapd_event(struct testswitch *s, const char *text)
{
	char mac[SWITCH_MAC_TEXT] = "";

	if (*text == '<' && strchr(text, '>'))
		text = strchr(text, '>') + 1;
	if (sscanf(text, "%*s %17[0-9a-f:]", mac) != 1 || strlen(mac) != 17)
		return;
	if (!strncmp(text, AP_STA_CONNECTED, strlen(AP_STA_CONNECTED)) ||
	    !strncmp(text, WPA_EVENT_EAP_SUCCESS2, strlen(WPA_EVENT_EAP_SUCCESS2))) {
		station_update(s, mac);
	} else if (!strncmp(text, AP_STA_DISCONNECTED, strlen(AP_STA_DISCONNECTED))) {
		if (s->way == WAY_EAP && !strcmp(mac, s->port.mac))
			block(s, mac, "disconnected");
	} else if (!strncmp(text, WPA_EVENT_EAP_FAILURE2, strlen(WPA_EVENT_EAP_FAILURE2))) {
		tell(s, "eap-refused", mac, 0, "");
	}
}

static void on_hostapd(evutil_socket_t fd, short what, void *ctx)
{
	struct testswitch *s = ctx;
	char text[1024];

	(void)fd;
	(void)what;
	while (wpa_ctrl_pending(s->events) > 0) {
		size_t len = sizeof(text) - 1;

		if (wpa_ctrl_recv(s->events, text, &len))
			break;
		text[len] = '\0';
		if (strstr(text, WPA_EVENT_TERMINATING)) {
			block(s, s->port.mac, "hostapd-ended");
			event_base_loopbreak(s->base);
			return;
		}
		hostapd_event(s, text);
	}
}

/* hostapd may be starting still. */
static int hostapd_attach(struct testswitch *s, const char *path)
{
	for (int i = 0; i < 100; i++, usleep(50000)) {
		s->events = wpa_ctrl_open(path);
		if (s->events && !wpa_ctrl_attach(s->events)) {
			s->commands = wpa_ctrl_open(path);
			return s->commands ? 0 : err_set(ERR_IO, "%s: no second connection", path);
		}
		if (s->events)
			wpa_ctrl_close(s->events);
		s->events = NULL;
	}
	return err_set(ERR_UNAVAILABLE, "%s: no hostapd", path);
}

static int listen_to_port(struct testswitch *s)
{
	struct sockaddr_ll on = {.sll_family = AF_PACKET,
				 .sll_protocol = htons(ETH_P_ALL),
				 .sll_ifindex = (int)if_nametoindex(s->port.name)};
	int fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	struct event *readable;

	if (!on.sll_ifindex || fd < 0 || bind(fd, (struct sockaddr *)&on, sizeof(on)))
		return err_errno(ERR_IO, "%s", s->port.name);
	readable = event_new(s->base, fd, EV_READ | EV_PERSIST, on_frame, s);
	return readable && !event_add(readable, NULL) ? 0 : err_set(ERR_NOMEM, "no memory");
}

static void on_signal(evutil_socket_t signo, short what, void *base)
{
	(void)signo;
	(void)what;
	event_base_loopbreak(base);
}

static int run(struct testswitch *s, const char *hostapd, const char *das_listen,
	       const char *das_hostapd, const struct switch_mab_options *o)
{
	struct event *events, *term, *intr;
	int rc;

	s->base = event_base_new();
	if (!s->base)
		return err_set(ERR_NOMEM, "no event loop");
	rc = switch_port_open(&s->port); /* closed from here on */
	rc = rc ? rc : hostapd_attach(s, hostapd);
	rc = rc ? rc : switch_mab_new(s->base, o, on_mab_done, s, &s->mab);
	rc = rc ? rc : listen_to_port(s);
	if (!rc && das_listen)
		rc = switch_das_new(s->base, das_listen, das_hostapd, o->secret, on_disconnect, s,
				    &s->das);
	if (rc)
		return rc;
	s->session_end = evtimer_new(s->base, on_session_end, s);
	events =
		event_new(s->base, wpa_ctrl_get_fd(s->events), EV_READ | EV_PERSIST, on_hostapd, s);
	term = evsignal_new(s->base, SIGTERM, on_signal, s->base);
	intr = evsignal_new(s->base, SIGINT, on_signal, s->base);
	if (!s->session_end || !events || !term || !intr || event_add(events, NULL) ||
	    event_add(term, NULL) || event_add(intr, NULL))
		return err_set(ERR_NOMEM, "no memory for events");
	tell(s, "ready", "", 0, "");
	event_base_dispatch(s->base);
	if (s->way == WAY_MAB)
		switch_mab_stop(s->mab, CAUSE_NAS_REQUEST);
	return 0;
}

static int usage(void)
{
	fputs("usage: testswitch --port IF --hostapd SOCKET --vlan ID=BRIDGE[:isolated]...\n"
	      "  --auth ADDR:PORT --acct ADDR:PORT --secret-file F --nas-ip ADDR\n"
	      "  [--nas-identifier NAME] [--port-number N] [--eapol-grace-ms N] [--hold-ms N]\n"
	      "  [--das ADDR:PORT --hostapd-das ADDR:PORT]\n",
	      stderr);
	return 64;
}

int main(int argc, char **argv)
{
	static const struct option options[] = {
		{"port", 1, NULL, 'p'},	       {"hostapd", 1, NULL, 'h'},
		{"vlan", 1, NULL, 'v'},	       {"auth", 1, NULL, 'a'},
		{"acct", 1, NULL, 'c'},	       {"secret-file", 1, NULL, 's'},
		{"nas-ip", 1, NULL, 'i'},      {"nas-identifier", 1, NULL, 'n'},
		{"port-number", 1, NULL, 'N'}, {"eapol-grace-ms", 1, NULL, 'g'},
		{"hold-ms", 1, NULL, 'o'},     {"das", 1, NULL, 'd'},
		{"hostapd-das", 1, NULL, 'D'}, {0}};
	static struct testswitch s = {.eapol_grace_us = 3000000, .hold_us = 2000000};
	struct switch_mab_options o = {.nas_identifier = "testswitch", .port_number = 1};
	const char *hostapd = NULL, *secret_file = NULL, *das = NULL, *hostapd_das = NULL;
	AUTO_SECRET secret = NULL;
	int c, rc = 0;

	while (!rc && (c = getopt_long(argc, argv, "", options, NULL)) != -1) {
		switch (c) {
		case 'p':
			rc = str_copy(s.port.name, sizeof(s.port.name), optarg);
			break;
		case 'h':
			hostapd = optarg;
			break;
		case 'v':
			rc = switch_port_vlan_add(&s.port, optarg);
			break;
		case 'a':
			o.auth_server = optarg;
			break;
		case 'c':
			o.acct_server = optarg;
			break;
		case 's':
			secret_file = optarg;
			break;
		case 'i':
			o.nas_ip = optarg;
			break;
		case 'n':
			o.nas_identifier = optarg;
			break;
		case 'N':
			o.port_number = (uint32_t)strtoul(optarg, NULL, 10);
			break;
		case 'g':
			s.eapol_grace_us = strtol(optarg, NULL, 10) * 1000;
			break;
		case 'o':
			s.hold_us = strtol(optarg, NULL, 10) * 1000;
			break;
		case 'd':
			das = optarg;
			break;
		case 'D':
			hostapd_das = optarg;
			break;
		default:
			return usage();
		}
	}
	if (!rc && (!s.port.name[0] || !hostapd || !o.auth_server || !o.acct_server ||
		    !secret_file || !o.nas_ip || !das != !hostapd_das || optind != argc))
		return usage();
	o.port_name = s.port.name;
	if (!rc)
		rc = secret_read_file(secret_file, 128, &secret);
	o.secret = secret;
	rc = rc ? rc : run(&s, hostapd, das, hostapd_das, &o);
	if (rc)
		fprintf(stderr, "testswitch: %s\n", err_text());
	switch_das_free(s.das);
	switch_mab_free(s.mab);
	switch_port_done(&s.port);
	return rc ? 1 : 0;
}
