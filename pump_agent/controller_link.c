/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Owns the agent's timer for the controller: twice a second for some microseconds while a
 * controller is attached, at once when it asks for a login, and not at all without one.
 */
#include "pump_agent/controller_link.h"

#include <stdlib.h>
#include <string.h>

#include <event2/event.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/log.h"

#define DATAGRAMS_PER_LOOK 8
#define COMPLAIN_US 60000000

static const struct timeval LOOK = {.tv_usec = 500000};
static const struct timeval REST = {.tv_usec = 100000}; /* of the socket, after a datagram */

struct controller_link {
	struct agent_side *side;
	struct event *datagram;
	struct event *timer;
	struct pumplink_standing standing;
	controller_login login;
	controller_ended ended;
	void *ctx;
	controller_infusing changed;
	void *watch_ctx;
	enum pumplink_infusing infusing; /* as of the last look */
	int64_t refused_us;		 /* when a datagram was last complained about */
};

/* Complains once a minute at most: a flood must not fill the log. */
static void refused(struct controller_link *c)
{
	int64_t now = clock_mono_us();

	if (c->refused_us && now - c->refused_us < COMPLAIN_US)
		return;
	c->refused_us = now;
	LOG(LOG_WARN, "agent.controller_refused", LOG_S("why", err_text()));
}

static void login_take(struct controller_link *c)
{
	static const struct pumplink_answer unavailable = {.result = PUMPLINK_UNAVAILABLE};
	struct pumplink_request rq;

	if (!agent_side_next(c->side, &rq))
		return;
	if (c->login)
		c->login(c->ctx, &rq);
	else
		controller_link_answer(c, rq.id, &unavailable);
	pumplink_request_wipe(&rq);
}

static void infusing_look(struct controller_link *c)
{
	enum pumplink_infusing now =
		agent_side_is_attached(c->side)
			? agent_side_infusing(c->side, (uint64_t)clock_mono_us() / 1000)
			: PUMPLINK_INFUSING_UNKNOWN;

	if (now == c->infusing)
		return;
	c->infusing = now;
	if (c->changed)
		c->changed(c->watch_ctx, now);
}

void controller_link_watch(struct controller_link *c, controller_infusing changed, void *ctx)
{
	if (!c)
		return;
	c->changed = changed;
	c->watch_ctx = ctx;
}

static void look(struct controller_link *c)
{
	enum pumplink_end why;
	uint32_t session;

	infusing_look(c);
	if (!agent_side_is_attached(c->side))
		return;
	agent_side_beat(c->side);
	if (agent_side_ended(c->side, &session, &why) && c->ended)
		c->ended(c->ctx, session, why);
	login_take(c);
}

/* After some datagrams the socket rests: a flood is the kernel's to drop. */
static void datagram(evutil_socket_t fd, short what, void *arg)
{
	struct controller_link *c = arg;
	int rc = 0;

	(void)fd;
	(void)what;
	for (int i = 0; i < DATAGRAMS_PER_LOOK && rc != ERR_NOT_FOUND; i++) {
		rc = agent_side_attach(c->side);
		if (rc > 0)
			LOG(LOG_INFO, "agent.controller_attached");
		else if (rc && rc != ERR_NOT_FOUND)
			refused(c);
	}
	look(c);
	event_add(c->timer, &REST);
}

static void timer(evutil_socket_t fd, short what, void *arg)
{
	struct controller_link *c = arg;

	(void)fd;
	(void)what;
	event_add(c->datagram, NULL);
	look(c);
	if (agent_side_is_attached(c->side))
		event_add(c->timer, &LOOK);
}

int controller_link_new(struct event_base *base, const char *path, uid_t controller,
			struct controller_link **out)
{
	struct controller_link *c = calloc(1, sizeof(*c));
	int rc = c ? agent_side_open(path, controller, &c->side)
		   : err_set(ERR_NOMEM, "no memory for the link to the controller");

	if (rc) {
		free(c);
		return rc;
	}
	c->timer = evtimer_new(base, timer, c);
	c->datagram = event_new(base, agent_side_fd(c->side), EV_READ, datagram, c);
	if (!c->timer || !c->datagram || event_add(c->datagram, NULL)) {
		controller_link_free(c);
		return err_set(ERR_NOMEM, "no memory for the link to the controller");
	}
	*out = c;
	return 0;
}

void controller_link_free(struct controller_link *c)
{
	if (!c)
		return;
	if (c->timer)
		event_free(c->timer);
	if (c->datagram)
		event_free(c->datagram);
	agent_side_close(c->side);
	free(c);
}

void controller_link_serve(struct controller_link *c, controller_login login,
			   controller_ended ended, void *ctx)
{
	if (!c)
		return;
	c->login = login;
	c->ended = ended;
	c->ctx = ctx;
}

/* Told only when it differs: the controller copies what is new. */
static void standing_set(struct controller_link *c, const struct pumplink_standing *next)
{
	if (!memcmp(&c->standing, next, sizeof(*next)))
		return;
	c->standing = *next;
	agent_side_tell(c->side, next);
}

void controller_link_network(struct controller_link *c, enum pumplink_network network)
{
	struct pumplink_standing next;

	if (!c)
		return;
	next = c->standing;
	next.network = network;
	standing_set(c, &next);
}

void controller_link_clock(struct controller_link *c, enum pumplink_clock clock, int64_t off_ms)
{
	struct pumplink_standing next;

	if (!c)
		return;
	next = c->standing;
	next.clock = clock;
	next.clock_off_ms = off_ms;
	standing_set(c, &next);
}

void controller_link_ways(struct controller_link *c, uint32_t ways)
{
	struct pumplink_standing next;

	if (!c)
		return;
	next = c->standing;
	next.ways = ways;
	standing_set(c, &next);
}

void controller_link_pump(struct controller_link *c, const char *serial)
{
	struct pumplink_standing next;

	if (!c)
		return;
	next = c->standing;
	memset(next.pump, 0, sizeof(next.pump));
	if (str_copy(next.pump, sizeof(next.pump), serial))
		LOG(LOG_WARN, "agent.serial_too_long");
	standing_set(c, &next);
}

void controller_link_answer(struct controller_link *c, uint32_t request,
			    const struct pumplink_answer *answer)
{
	static const struct pumplink_answer unavailable = {.result = PUMPLINK_UNAVAILABLE};

	if (!c || !agent_side_answer(c->side, request, answer))
		return;
	LOG(LOG_ERROR, "agent.answer_unfit", LOG_S("why", err_text()));
	if (agent_side_answer(c->side, request, &unavailable))
		LOG(LOG_ERROR, "agent.answer_lost", LOG_S("why", err_text()));
}

bool controller_link_is_void(const struct controller_link *c, uint32_t request)
{
	return !c || agent_side_is_void(c->side, request);
}

void controller_link_end_session(struct controller_link *c, uint32_t session)
{
	if (c)
		agent_side_end_session(c->side, session);
}

enum pumplink_infusing controller_link_infusing(struct controller_link *c)
{
	return c ? c->infusing : PUMPLINK_INFUSING_UNKNOWN;
}
