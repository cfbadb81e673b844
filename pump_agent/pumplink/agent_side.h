/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The agent's side of pumplink: takes the controller's memory, tells it how things stand, takes its
 * requests. Never blocks; nothing that the controller writes can do more than be refused. One
 * thread. The loop's glue is pump_agent/controller_link.h.
 */
#ifndef PUMP_AGENT_PUMPLINK_AGENT_SIDE_H
#define PUMP_AGENT_PUMPLINK_AGENT_SIDE_H

#include <sys/types.h>

#include "base/err.h"
#include "pump_agent/pumplink/layout.h" /* enum pumplink_kind, pumplink_end */
#include "pump_agent/pumplink/pumplink.h"

struct agent_side;

/*
 * Binds the datagram socket `path` (replacing one that is left over; mode 0660), which `controller`
 * hands its memory to: datagrams of other users are dropped, but for root's. ERR_NOMEM, ERR_LIMIT,
 * ERR_IO.
 */
int agent_side_open(const char *path, uid_t controller, struct agent_side **out) MUST_USE;
void agent_side_close(struct agent_side *s); /* NULL ok; the controller sees the beat end */

/* Readable: agent_side_attach has something to do. */
int agent_side_fd(const struct agent_side *s);
/*
 * Takes one datagram. 1: a controller was attached that was not before; what the one before had
 * asked for is void. 0: the one that is attached has come again, or asks to be looked at.
 * ERR_NOT_FOUND: no datagram;
 * ERR_INVALID, ERR_DENIED, ERR_IO: it was refused.
 */
int agent_side_attach(struct agent_side *s) MUST_USE;
bool agent_side_is_attached(const struct agent_side *s);

/* How the pump stands. Kept, and told to controllers that attach later. */
struct pumplink_standing {
	enum pumplink_network network;
	enum pumplink_clock clock;
	int64_t clock_off_ms;
	uint32_t ways;
	char pump[PUMPLINK_PUMP_MAX + 1];
};
void agent_side_tell(struct agent_side *s, const struct pumplink_standing *st);
/* The agent lives: at least once a second. */
void agent_side_beat(struct agent_side *s);

/* Unknown also when the controller's own beat is missing; `now_ms` never steps. */
enum pumplink_infusing agent_side_infusing(struct agent_side *s, uint64_t now_ms);

/* Checked: a known kind, UTF-8 without control characters in the name, no NUL in the secret. */
struct pumplink_request {
	uint32_t id;
	enum pumplink_kind kind;
	char name[PUMPLINK_NAME_MAX + 1];
	char secret[PUMPLINK_SECRET_MAX + 1]; /* NUL-terminated; wipe it */
	size_t secret_len;
};
void pumplink_request_wipe(struct pumplink_request *rq);

/* True: a request that was not taken before; the controller then wipes its copy. Poll it. */
bool agent_side_next(struct agent_side *s, struct pumplink_request *out);
/* The controller no longer waits for this one (cancelled, timed out, gone). */
bool agent_side_is_void(const struct agent_side *s, uint32_t request);

struct pumplink_answer {
	enum pumplink_result result; /* OK, REFUSED, TRY_AGAIN or UNAVAILABLE */
	uint32_t wait_s;	     /* TRY_AGAIN */
	/* OK: */
	char person[PUMPLINK_PERSON_MAX + 1];
	char role[PUMPLINK_ROLE_MAX + 1];
	uint32_t session_s;
	uint32_t idle_s;
	bool is_offline;
	bool is_break_glass;
};
/* The session that an OK begins has the request's number. Told again to nobody: a controller that
 * attaches later starts with nobody logged in. ERR_INVALID: the controller would not believe it. */
int agent_side_answer(struct agent_side *s, uint32_t request,
		      const struct pumplink_answer *answer) MUST_USE;
/* Ends a session that was begun (the person was disabled). */
void agent_side_end_session(struct agent_side *s, uint32_t session);

/* True: a session has ended since the last call; the last one, when there were several. */
bool agent_side_ended(struct agent_side *s, uint32_t *session_out, enum pumplink_end *why_out);

#endif
