/* SPDX-License-Identifier: BSD-2-Clause */
/* Owns the table. Never does anything itself. */
#include "pump_agent/machine.h"

#include <stddef.h>

struct row {
	enum agent_state from;
	enum agent_event event;
	enum agent_state next;
	enum agent_action action;
};

#define IN(state, event, next, action)                                      \
	{                                                                   \
		AGENT_##state, EVENT_##event, AGENT_##next, ACTION_##action \
	}

/* What is not here leaves the state as it is. At most one row for a state and an event. */
static const struct row TABLE[] = {
	IN(UNPROVISIONED, BUNDLE_FOUND, BOOTSTRAPPING, ENROL),
	IN(UNPROVISIONED, ENROL_DONE, ENROLLED, CONNECT),

	/* a pump that is enrolled anew may still be on the network with its old identity */
	IN(BOOTSTRAPPING, BUNDLE_FOUND, BOOTSTRAPPING, ENROL),
	IN(BOOTSTRAPPING, ENROL_DONE, ENROLLED, CONNECT),
	IN(BOOTSTRAPPING, ENROL_FAILED, BOOTSTRAPPING, ENROL_LATER),
	IN(BOOTSTRAPPING, ENROL_REFUSED, UNPROVISIONED, ENROL_LATER),
	IN(BOOTSTRAPPING, ENROL_REVOKED, REVOKED, LEAVE),
	IN(BOOTSTRAPPING, SUPPLICANT_UP, BOOTSTRAPPING, CONNECT),
	IN(BOOTSTRAPPING, REJECTED, BOOTSTRAPPING, HOLD),
	IN(BOOTSTRAPPING, RETRY, BOOTSTRAPPING, RECONNECT),
	IN(BOOTSTRAPPING, CABLE, BOOTSTRAPPING, RECONNECT_SOON),

	IN(ENROLLED, BUNDLE_FOUND, BOOTSTRAPPING, ENROL),
	IN(ENROLLED, SUPPLICANT_UP, ENROLLED, CONNECT),
	IN(ENROLLED, ADMITTED, ONLINE, NONE),
	IN(ENROLLED, REJECTED, ENROLLED, HOLD),
	IN(ENROLLED, RETRY, ENROLLED, RECONNECT),
	IN(ENROLLED, CABLE, ENROLLED, RECONNECT_SOON),
	IN(ENROLLED, RENEW_DUE, RENEWING, RENEW),

	IN(ONLINE, SUPPLICANT_UP, ENROLLED, CONNECT),
	IN(ONLINE, SUPPLICANT_DOWN, ENROLLED, NONE),
	IN(ONLINE, REJECTED, ENROLLED, HOLD),
	IN(ONLINE, LOST, ENROLLED, NONE), /* the supplicant looks for a way by itself */
	IN(ONLINE, CABLE, ENROLLED, RECONNECT_SOON),
	IN(ONLINE, RENEW_DUE, RENEWING, RENEW),

	IN(RENEWING, ENROL_DONE, SWAPPING, SWAP),
	IN(RENEWING, ENROL_FAILED, ENROLLED, RENEW_LATER),
	IN(RENEWING, ENROL_REFUSED, ENROLLED, RENEW_LATER),
	IN(RENEWING, ENROL_REVOKED, REVOKED, LEAVE),
	IN(RENEWING, SUPPLICANT_UP, RENEWING, CONNECT),
	IN(RENEWING, REJECTED, RENEWING, HOLD),
	IN(RENEWING, RETRY, RENEWING, RECONNECT),
	IN(RENEWING, CABLE, RENEWING, RECONNECT_SOON),

	IN(SWAPPING, ADMITTED, ONLINE, COMMIT),
	IN(SWAPPING, REJECTED, ENROLLED, DISCARD),
	IN(SWAPPING, SWAP_TIMEOUT, ENROLLED, ROLL_BACK),
	IN(SWAPPING, SUPPLICANT_UP, ENROLLED, ROLL_BACK),
	IN(SWAPPING, SUPPLICANT_DOWN, ENROLLED, ROLL_BACK),

	IN(REVOKED, BUNDLE_FOUND, BOOTSTRAPPING, ENROL),
};

struct machine_step machine_step(enum agent_state state, enum agent_event event)
{
	for (size_t i = 0; i < sizeof(TABLE) / sizeof(TABLE[0]); i++)
		if (TABLE[i].from == state && TABLE[i].event == event)
			return (struct machine_step){TABLE[i].next, TABLE[i].action};
	return (struct machine_step){state, ACTION_NONE};
}

const char *agent_state_name(enum agent_state s)
{
	static const char *const names[] = {
#define X(symbol, name) name,
		AGENT_STATES(X)
#undef X
	};

	return (unsigned)s < AGENT_STATE_COUNT ? names[s] : "?";
}

const char *agent_event_name(enum agent_event e)
{
	static const char *const names[] = {
#define X(symbol, name) name,
		AGENT_EVENTS(X)
#undef X
	};

	return (unsigned)e < EVENT_COUNT ? names[e] : "?";
}
