/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The infusion controller as the agent's loop knows it: pumplink's agent side, a beat, and a look
 * at what the controller asks for: twice a second, and when it says so. Loop thread only; nothing
 * here waits.
 */
#ifndef PUMP_AGENT_CONTROLLER_LINK_H
#define PUMP_AGENT_CONTROLLER_LINK_H

#include <sys/types.h>

#include "base/err.h"
#include "pump_agent/pumplink/agent_side.h"

struct event_base;
struct controller_link;

/*
 * A login is asked for. `rq` is the callee's to read until it returns, and is wiped then. Answer by
 * controller_link_answer, from inside or later. A login takes the place of the one before.
 */
typedef void (*controller_login)(void *ctx, const struct pumplink_request *rq);
/* A session that was answered with OK has ended. */
typedef void (*controller_ended)(void *ctx, uint32_t session, enum pumplink_end why);

/* `path`: of the socket that the controller, running as `controller`, hands its memory to. ERR_* of
 * agent_side_open. */
int controller_link_new(struct event_base *base, const char *path, uid_t controller,
			struct controller_link **out) MUST_USE;
void controller_link_free(struct controller_link *c); /* NULL ok */

/* Who logs people in. Without one, logins are answered PUMPLINK_UNAVAILABLE. */
void controller_link_serve(struct controller_link *c, controller_login login,
			   controller_ended ended, void *ctx);

/* Each may be called with c == NULL (no controller is configured): then they do nothing. */
void controller_link_network(struct controller_link *c, enum pumplink_network network);
void controller_link_clock(struct controller_link *c, enum pumplink_clock clock, int64_t off_ms);
void controller_link_ways(struct controller_link *c, uint32_t ways); /* PUMPLINK_WAY_* */
void controller_link_pump(struct controller_link *c, const char *serial);
void controller_link_answer(struct controller_link *c, uint32_t request,
			    const struct pumplink_answer *answer);
/* The controller no longer waits for it: the work may stop, its answer goes nowhere. */
bool controller_link_is_void(const struct controller_link *c, uint32_t request);
void controller_link_end_session(struct controller_link *c, uint32_t session);
/* The controller's word on whether it infuses is another one than before, or is missing. One
 * listener. */
typedef void (*controller_infusing)(void *ctx, enum pumplink_infusing infusing);
void controller_link_watch(struct controller_link *c, controller_infusing changed, void *ctx);
/* PUMPLINK_INFUSING_UNKNOWN without a controller. */
enum pumplink_infusing controller_link_infusing(struct controller_link *c);

#endif
