/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The controller's side from within: between pumplink.c, which never calls the system, and
 * handover.c, which does. The loop reads the agent's words in a copy: the agent can punch a hole
 * into its page, and who has it mapped and reads there waits for a new one (14 ms were seen).
 */
#ifndef PUMP_AGENT_PUMPLINK_LINK_H
#define PUMP_AGENT_PUMPLINK_LINK_H

#include <sys/socket.h>
#include <sys/un.h>

#include "pump_agent/pumplink/layout.h"

struct pumplink {
	struct asked_area *asked; /* the agent may read there at any time */
	struct told_area copy;	  /* of what the agent told: pumplink_tend's last */

	uint64_t now_ms; /* of the last look */
	uint32_t beat;	 /* the agent's, as last seen */
	uint64_t beat_ms;
	bool is_heard; /* ever */
	atomic_bool is_alive;
	uint32_t own_beat;

	uint32_t last_request;
	enum pumplink_result result; /* of it */
	uint32_t wait_s;
	uint64_t request_ms;
	bool is_begun;	 /* a look has come by since it was asked for */
	bool has_letter; /* what was typed still stands in the shared memory */

	struct pumplink_session session;
	uint64_t session_end_ms;

	/* handover.c's: the loop touches none of it */
	uint32_t copied; /* number of the last snapshot in `copy` */
	int socket;
	int told_fd, asked_fd;
	struct sockaddr_un agent;
	socklen_t agent_len;
};

#endif
