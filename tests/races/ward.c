/* SPDX-License-Identifier: BSD-2-Clause */
/* Owns what the NAS do besides EAP: who is on, accounting, and Disconnect-Requests. */
#include <arpa/inet.h>
#include <err.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "tests/races/races.h"

#define DROP_PERCENT 15
#define ROAM_PERCENT 50 /* the NAS that a pump left notices */
#define LOST_PERCENT 30 /* accounting of a late NAS that never comes */
#define LATE_US 1500000
#define PROMPT_US 5000

enum { ACCT_START = 1, ACCT_STOP = 2 };

struct report {
	int64_t due_us;
	size_t stay;
	uint32_t type;
};

static int das_socket(const char *ip, uint16_t port)
{
	struct sockaddr_in at = {.sin_family = AF_INET, .sin_port = htons(port)};
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	if (inet_pton(AF_INET, ip, &at.sin_addr) != 1)
		errx(64, "%s: no IPv4 address", ip);
	if (fd < 0 || bind(fd, (struct sockaddr *)&at, sizeof(at)))
		err(1, "%s port %u", ip, port);
	return fd;
}

void ward_open(struct ward *w, const char *net, uint16_t das_port, uint16_t acct_port)
{
	for (unsigned i = 0; i < NAS_COUNT; i++) {
		struct radius_target acct;
		char ip[32];

		snprintf(ip, sizeof(ip), "%s.%u", net, i + 1);
		w->das[i] = das_socket(ip, das_port);
		w->options[i] = w->options[0];
		w->options[i].target.source_ip = inet_addr(ip);
		w->options[i].no_session_id = i == NAS_NAMELESS || i == NAS_NAMED_AFTERWARDS;
		acct = w->options[i].target;
		((struct sockaddr_in *)(void *)&acct.addr)->sin_port = htons(acct_port);
		w->acct[i] = radius_target_socket(&acct);
	}
}

void ward_close(struct ward *w)
{
	for (unsigned i = 0; i < NAS_COUNT; i++) {
		close(w->das[i]);
		close(w->acct[i]);
	}
	free(w->reports);
}

/* Accounting for a stay, as reliable as the NAS is. */
static void report_plan(struct ward *w, size_t stay, uint32_t type)
{
	unsigned nas = w->history->stays[stay].nas;
	uint32_t spread = nas == NAS_LATE ? LATE_US : PROMPT_US;

	if (nas == NAS_NO_ACCOUNTING || nas == NAS_NAMELESS ||
	    (nas == NAS_LATE && dice_percent(w->dice, LOST_PERCENT)))
		return;
	if (w->n_reports == w->reports_max) {
		w->reports_max = w->reports_max ? w->reports_max * 2 : 256;
		w->reports = realloc(w->reports, w->reports_max * sizeof(*w->reports));
		if (!w->reports)
			err(1, "accounting");
	}
	w->reports[w->n_reports++] =
		(struct report){.due_us = clock_mono_us() + dice_below(w->dice, spread),
				.stay = stay,
				.type = type};
}

static void report_send(struct ward *w, const struct report *r)
{
	const struct stay *s = &w->history->stays[r->stay];
	const struct credential *who = w->history->pumps[s->pump].tls[0];
	const struct radius_target *t = &w->options[s->nas].target;
	struct radius_packet p;

	radius_begin(&p, RADIUS_ACCOUNTING_REQUEST, ++w->acct_id);
	if (radius_put_u32(&p, RADIUS_ACCT_STATUS_TYPE, r->type) ||
	    radius_put_str(&p, RADIUS_USER_NAME, who->identity) ||
	    radius_put_u32(&p, RADIUS_NAS_IP_ADDRESS, ntohl(t->source_ip)) ||
	    radius_put_str(&p, RADIUS_CALLING_STATION_ID, who->mac) ||
	    radius_put_str(&p, RADIUS_ACCT_SESSION_ID, s->session) ||
	    (s->class_text[0] && radius_put_str(&p, RADIUS_CLASS, s->class_text)) ||
	    radius_sign_request(&p, t->secret, t->secret_len))
		errx(1, "accounting: %s", err_text());
	(void)!send(w->acct[s->nas], p.data, p.len, 0);
}

void ward_tick(struct ward *w, int64_t now_us)
{
	uint8_t answer[RADIUS_PACKET_MAX];

	for (size_t i = 0; i < w->n_reports;) {
		if (w->reports[i].due_us > now_us) {
			i++;
			continue;
		}
		report_send(w, &w->reports[i]);
		w->reports[i] = w->reports[--w->n_reports];
	}
	for (unsigned i = 0; i < NAS_COUNT; i++)
		while (recv(w->acct[i], answer, sizeof(answer), 0) > 0)
			;
}

static void stay_end(struct ward *w, size_t i)
{
	w->history->stays[i].end_us = clock_mono_us();
	report_plan(w, i, ACCT_STOP);
}

void ward_admit(struct ward *w, unsigned nas, unsigned pump, const struct eap_slot *slot)
{
	struct stay s = {.pump = pump, .nas = nas, .start_us = clock_mono_us()};
	struct history *h = w->history;

	if (nas != NAS_NAMELESS)
		memcpy(s.session, slot->session_id, sizeof(s.session));
	memcpy(s.class_text, slot->class_text, sizeof(s.class_text));
	s.quarantined = !strcmp(slot->vlan, h->quarantine_vlan);
	for (size_t i = 0; i < h->n_stays; i++) { /* one station, one session; roaming */
		const struct stay *was = &h->stays[i];

		if (!was->end_us && was->pump == pump &&
		    (was->nas == nas || dice_percent(w->dice, ROAM_PERCENT)))
			stay_end(w, i);
	}
	report_plan(w, history_stay(h, &s), ACCT_START);
}

/* RFC 5176 3: every attribute that names a session must match. */
static bool stay_matches(const struct history *h, const struct stay *s, unsigned nas,
			 const char *session, const char *station)
{
	return !s->end_us && s->nas == nas && (!*session || !strcmp(session, s->session)) &&
	       (!*station || !strcmp(station, h->pumps[s->pump].tls[0]->mac));
}

/* NULL: none of this run's; orders of an earlier one may still be open. */
static struct pump *pump_of_station(const struct history *h, const char *station)
{
	for (unsigned i = 0; i < h->n_pumps; i++)
		if (!strcmp(station, h->pumps[i].tls[0]->mac))
			return &h->pumps[i];
	return NULL;
}

static void das_answer(struct ward *w, unsigned nas, const struct radius_view *rq,
		       const struct sockaddr_in *to)
{
	const struct radius_target *t = &w->options[nas].target;
	char session[64] = "", station[64] = "";
	struct history *h = w->history;
	struct radius_packet p;
	struct pump *pump;
	bool found = false;
	int rc = 0;

	radius_attr_str(rq, RADIUS_ACCT_SESSION_ID, session, sizeof(session));
	radius_attr_str(rq, RADIUS_CALLING_STATION_ID, station, sizeof(station));
	pump = pump_of_station(h, station);
	/* never the same one twice in a row: asked again at once, it is heard within the two s */
	if (pump) {
		pump->deaf[nas] = !pump->deaf[nas] && dice_percent(w->dice, DROP_PERCENT);
		h->dropped += pump->deaf[nas];
		if (pump->deaf[nas])
			return;
	}
	for (size_t i = 0; (*session || *station) && i < h->n_stays; i++)
		if (stay_matches(h, &h->stays[i], nas, session, station)) {
			stay_end(w, i);
			found = true;
		}
	if (pump)
		atomic_fetch_add(found ? &pump->acks[nas] : &pump->naks[nas], 1);
	radius_begin(&p, found ? RADIUS_DISCONNECT_ACK : RADIUS_DISCONNECT_NAK, rq->id);
	if (!found)
		rc = radius_put_u32(&p, RADIUS_ERROR_CAUSE, RADIUS_CAUSE_NO_SESSION);
	if (rc || radius_sign_reply(&p, rq->authenticator, t->secret, t->secret_len))
		errx(1, "DAS: %s", err_text());
	(void)!sendto(w->das[nas], p.data, p.len, 0, (const struct sockaddr *)to, sizeof(*to));
}

void ward_das_hear(struct ward *w, unsigned nas)
{
	const struct radius_target *t = &w->options[nas].target;
	uint8_t data[RADIUS_PACKET_MAX];
	struct sockaddr_in from;
	socklen_t from_len = sizeof(from);
	struct radius_view rq;
	ssize_t n;

	while ((n = recvfrom(w->das[nas], data, sizeof(data), 0, (struct sockaddr *)&from,
			     &from_len)) > 0) {
		if (radius_view_parse(data, (size_t)n, &rq) ||
		    rq.code != RADIUS_DISCONNECT_REQUEST ||
		    radius_verify_request(&rq, t->secret, t->secret_len, true))
			errx(1, "race-%u was sent no genuine Disconnect-Request", nas);
		das_answer(w, nas, &rq, &from);
	}
}
