/* SPDX-License-Identifier: BSD-2-Clause */
/* pumplink: any bytes in the page that the agent writes, as the controller takes them, and in the
 * one that the controller writes, as the agent takes them. What comes out keeps its promises. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "pump_agent/pumplink/agent_side.h"
#include "pump_agent/pumplink/link.h"

static struct pumplink *controller;
static struct agent_side *agent;
static struct told_area *told;
static uint64_t now_ms;

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static void start(void)
{
	char dir[] = "/tmp/pumplink-fuzz.XXXXXX";
	char path[64];

	if (!mkdtemp(dir))
		abort();
	snprintf(path, sizeof(path), "%s/s", dir);
	if (agent_side_open(path, getuid(), &agent) || pumplink_open(path, &controller) ||
	    pumplink_tend(controller) || agent_side_attach(agent) != 1)
		abort();
	unlink(path);
	rmdir(dir);
	told = mmap(NULL, PUMPLINK_AREA_BYTES, PROT_READ | PROT_WRITE, MAP_SHARED,
		    controller->told_fd, 0);
	if (told == MAP_FAILED)
		abort();
}

static void controller_looks(void)
{
	struct pumplink_view v;

	pumplink_login_badge(controller, "0451", "1234");
	pumplink_tend(controller);
	pumplink_look(controller, now_ms += 10, &v);
	if ((unsigned)v.network > PUMPLINK_NET_DECOMMISSIONED ||
	    (unsigned)v.clock > PUMPLINK_CLOCK_WRONG ||
	    !pumplink_text_is_serial(v.pump, sizeof(v.pump)))
		abort();
	if (v.session.id &&
	    (!pumplink_text_is_shown_safely(v.session.person, sizeof(v.session.person)) ||
	     !pumplink_text_is_role(v.session.role, sizeof(v.session.role)) ||
	     v.session.left_s > PUMPLINK_SESSION_MAX_S))
		abort();
}

static void agent_looks(void)
{
	struct pumplink_request rq;
	enum pumplink_end why;
	uint32_t session;

	if (agent_side_next(agent, &rq) &&
	    (rq.kind < PUMPLINK_LOGIN_PASSWORD || rq.kind > PUMPLINK_LOGIN_BREAK_GLASS ||
	     strlen(rq.name) > PUMPLINK_NAME_MAX || strlen(rq.secret) != rq.secret_len))
		abort();
	if (agent_side_ended(agent, &session, &why) &&
	    (why <= PUMPLINK_END_NONE || why > PUMPLINK_END_AGENT))
		abort();
	if ((unsigned)agent_side_infusing(agent, now_ms) > PUMPLINK_INFUSING)
		abort();
}

/* The first byte says whose page it is; the rest begins the page, behind the words that make the
 * reader look at all. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct told t = {0};

	if (!len)
		return 0;
	if (!told)
		start();
	data++;
	len--;
	if (data[-1] & 1) {
		memcpy(controller->asked, data,
		       len < PUMPLINK_AREA_BYTES ? len : PUMPLINK_AREA_BYTES);
		agent_looks();
	} else if (data[-1] & 2) {
		memcpy(told, data, len < PUMPLINK_AREA_BYTES ? len : PUMPLINK_AREA_BYTES);
	} else {
		uint32_t number = told->latest;

		memcpy(&t, data, len < sizeof(t) ? len : sizeof(t));
		t.answered = controller->last_request;
		pumplink_told_write(told, &t, &number);
	}
	told->beat++;
	controller_looks();
	return 0;
}
