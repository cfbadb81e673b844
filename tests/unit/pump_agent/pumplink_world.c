/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/unit/pump_agent/pumplink_world.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

int world_make(void **state)
{
	struct world *w = calloc(1, sizeof(*w));

	snprintf(w->dir, sizeof(w->dir), "/tmp/pumplink.XXXXXX");
	assert_non_null(mkdtemp(w->dir));
	snprintf(w->path, sizeof(w->path), "%s/s", w->dir);
	w->now_ms = 1000000;
	assert_int_equal(pumplink_open(w->path, &w->link), 0);
	*state = w;
	return 0;
}

int world_end(void **state)
{
	struct world *w = *state;

	pumplink_close(w->link);
	agent_side_close(w->agent);
	rmdir(w->dir);
	free(w);
	return 0;
}

void look(struct world *w, unsigned later_ms)
{
	w->now_ms += later_ms;
	pumplink_tend(w->link);
	pumplink_look(w->link, w->now_ms, &w->view);
}

void attach(struct world *w)
{
	assert_int_equal(agent_side_open(w->path, getuid(), &w->agent), 0);
	look(w, 10);
	assert_int_equal(agent_side_attach(w->agent), 1);
	look(w, 10);
	assert_true(w->view.is_agent_alive);
	while (agent_side_attach(w->agent) == 0) /* handed over before the beat was seen */
		;
}

void beat(struct world *w)
{
	agent_side_beat(w->agent);
	look(w, 10);
}

uint32_t request(struct world *w, struct pumplink_request *rq)
{
	uint32_t id = pumplink_login(w->link, "nurse.joy", "correct horse");

	assert_true(id);
	assert_true(agent_side_next(w->agent, rq));
	assert_int_equal(rq->id, id);
	return id;
}

const struct pumplink_answer JOY = {.result = PUMPLINK_OK,
				    .person = "Joy Zo\xc3\xab",
				    .role = "bedside",
				    .session_s = 600,
				    .idle_s = 120};

uint32_t log_in(struct world *w)
{
	struct pumplink_request rq;
	uint32_t id = request(w, &rq);

	assert_int_equal(agent_side_answer(w->agent, id, &JOY), 0);
	beat(w);
	assert_int_equal(pumplink_login_poll(w->link, id, NULL), PUMPLINK_OK);
	return id;
}
