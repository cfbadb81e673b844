/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The life of a pump's credential as a table: state and event give the next state and what to do.
 * Pure. The agent's loop does the actions and feeds their outcomes back as events.
 */
#ifndef PUMP_AGENT_MACHINE_H
#define PUMP_AGENT_MACHINE_H

/* X(symbol, stable name) */
#define AGENT_STATES(X)                                                                          \
	X(UNPROVISIONED, "unprovisioned")   /* no identity, no usable bundle: a person's turn */ \
	X(BOOTSTRAPPING, "bootstrapping")   /* enrolling with a bundle */                        \
	X(ENROLLED, "enrolled")		    /* has an identity, is not on the network with it */ \
	X(ONLINE, "online")		    /* admitted by 802.1X */                             \
	X(RENEWING, "renewing")		    /* asking for the next certificate, old in use */    \
	X(SWAPPING, "swapping")		    /* trying the next certificate on the network */     \
	X(REMEDIATION, "remediation")	    /* admitted, but into quarantine or parking */       \
	X(REVOKED, "revoked")		    /* the server said so: no more tries */              \
	X(DECOMMISSIONED, "decommissioned") /* wiped, or wiping; a new bundle begins anew */

#define AGENT_EVENTS(X)                                                                     \
	X(BUNDLE_FOUND, "bundle-found")                                                     \
	X(ENROL_DONE, "enrol-done")	  /* also: renewal; an identity is on disk */       \
	X(ENROL_FAILED, "enrol-failed")	  /* may work later */                              \
	X(ENROL_REFUSED, "enrol-refused") /* will not work with these credentials */        \
	X(TOLD_REVOKED, "told-revoked")	  /* by the server, whoever asked it what */        \
	X(TOLD_CONFINED, "told-confined") /* quarantined or parked */                       \
	X(TOLD_RELEASED, "told-released") /* in its own zone */                             \
	X(TOLD_WIPE, "told-wipe")	  /* decommissioned: the order is on disk */        \
	X(WIPE_FAILED, "wipe-failed")	  /* something could not be removed */              \
	X(WIPED, "wiped")		  /* the key is gone, the statement is there */     \
	X(DELIVERED, "delivered")	  /* the server has the statement */                \
	X(NOT_DELIVERED, "not-delivered")                                                   \
	X(WIPE_DUE, "wipe-due")		  /* or once more: what is done is found done */    \
	X(SUPPLICANT_UP, "supplicant-up") /* attached to it; it knows no network of ours */ \
	X(SUPPLICANT_DOWN, "supplicant-down")                                               \
	X(ADMITTED, "admitted") /* EAP success, the port is open */                         \
	X(REJECTED, "rejected") /* EAP failure */                                           \
	X(LOST, "lost")		/* out of range, cable, authenticator gone */               \
	X(CABLE, "cable")	/* carrier is there again: maybe another port */            \
	X(RETRY, "retry")	/* the back-off after REJECTED has passed */                \
	X(RENEW_DUE, "renew-due")                                                           \
	X(SWAP_TIMEOUT, "swap-timeout")

/* X(symbol) */
#define AGENT_ACTIONS(X)                                                                  \
	X(NONE)                                                                           \
	X(ENROL)	  /* start the enrolment */                                       \
	X(ENROL_LATER)	  /* look for a bundle or enrol after a back-off */               \
	X(CONNECT)	  /* write the network block and connect */                       \
	X(HOLD)		  /* keep the supplicant quiet, RETRY after a back-off */         \
	X(RECONNECT)	  /* let the supplicant try again */                              \
	X(RECONNECT_SOON) /* at once, or a little later when it was just refused */       \
	X(RENEW)	  /* start the renewal */                                         \
	X(RENEW_LATER)	  /* after a back-off; and ask the supplicant how it stands */    \
	X(SWAP)		  /* hand the next identity to the supplicant, start the timer */ \
	X(COMMIT)	  /* the next identity is the identity */                         \
	X(ROLL_BACK)	  /* previous identity back, next one kept for another try */     \
	X(DISCARD)	  /* previous identity back, next one is thrown away */           \
	X(LEAVE)	  /* take the network block away, remember that it is over */     \
	X(ASK)		  /* the server, whether there is an order to wipe */             \
	X(WIPE)		  /* all but the statement and what it takes to deliver it */     \
	X(WIPE_LATER)	  /* WIPE_DUE after a back-off */                                 \
	X(DELIVER)	  /* the statement */                                             \
	X(CLEAR)	  /* the network, once the statement has had its time */

enum agent_state {
#define X(symbol, name) AGENT_##symbol,
	AGENT_STATES(X)
#undef X
		AGENT_STATE_COUNT
};

enum agent_event {
#define X(symbol, name) EVENT_##symbol,
	AGENT_EVENTS(X)
#undef X
		EVENT_COUNT
};

enum agent_action {
#define X(symbol) ACTION_##symbol,
	AGENT_ACTIONS(X)
#undef X
		ACTION_COUNT
};

struct machine_step {
	enum agent_state next;
	enum agent_action action;
};

/* Events that mean nothing in a state leave it as it is, with ACTION_NONE. */
struct machine_step machine_step(enum agent_state state, enum agent_event event);

/* "online"; never NULL. */
const char *agent_state_name(enum agent_state s);
const char *agent_event_name(enum agent_event e);

#endif
