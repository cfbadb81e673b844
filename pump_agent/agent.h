/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The agent's loop: events of wpa_supplicant, the worker and the clock into the machine, its
 * actions out. It listens on nothing, and nobody waits for it.
 */
#ifndef PUMP_AGENT_AGENT_H
#define PUMP_AGENT_AGENT_H

#include <event2/event.h>

#include "pump_agent/backoff.h"
#include "pump_agent/controller_link.h"
#include "pump_agent/job.h"
#include "pump_agent/link_watch.h"
#include "pump_agent/login/login.h"
#include "pump_agent/machine.h"
#include "pump_agent/options.h"
#include "pump_agent/status.h"
#include "pump_agent/store.h"
#include "pump_agent/supplicant.h"
#include "pump_agent/wall_clock.h"

/* Points in time of the clock that never steps, in microseconds; 0: not set. */
struct agent_deadlines {
	int64_t bundle;	  /* look for a bundle, or enrol again */
	int64_t retry;	  /* end of HOLD */
	int64_t renew;	  /* no renewal before */
	int64_t swap;	  /* the new identity must be admitted until */
	int64_t attach;	  /* look for wpa_supplicant */
	int64_t ping;	  /* is it still there? */
	int64_t wipe;	  /* carry the order out, or deliver its statement, once more */
	int64_t identity; /* read it once more: its key was not to be had */
	int64_t ask;	  /* the server for the time and for its wishes, once online */
	int64_t trust;	  /* wpa_supplicant must take what servers are checked by from now on */
};

struct agent {
	const struct agent_options *options;
	struct event_base *base;
	struct event *timer;
	struct store store;
	struct store_state state; /* as on disk */
	struct status status;
	bool status_changed; /* since status.json was written */
	struct job *job;
	struct job *ask_job;
	struct wall_clock *clock;
	int64_t asked_renew_s; /* when the server wants a renewal, by the wall clock; 0: it does not
				*/
	enum pumplink_infusing infusing; /* as the controller says */
	bool key_in_tpm;		 /* of the identity in use */
	struct self_told told;		 /* the server's last word; state "": none yet */
	int64_t asked_us;		 /* when the server was last asked */
	bool clock_moved;	  /* since the attempt that failed: the next one need not wait */
	struct link_watch *cable; /* NULL on Wi-Fi */
	struct controller_link *controller; /* NULL: none is configured */
	enum pumplink_network network_told; /* to it, last */
	struct login *logins;		    /* NULL likewise */

	enum agent_state at;
	int64_t entered_us;  /* when `at` began, by the clock that never steps */
	bool is_refused;     /* by the network, the last time it said something */
	bool server_refused; /* in this attempt: the failure that follows has its reason already */
	enum agent_event queue[8]; /* events that actions brought forth */
	size_t n_queue;

	char key_path[2][PATH_MAX]; /* of each slot, for a key in a TPM */
	char cert_path[2][PATH_MAX];
	EVP_PKEY *key; /* the identity in use, NULL without one */
	X509 *cert;
	EVP_PKEY *next_key; /* while swapping */
	X509 *next_cert;

	struct wpa_link *link; /* NULL: no wpa_supplicant there */
	struct event *link_event;
	int network;	 /* -1: none of ours */
	bool is_renamed; /* for due.trust: the server has another name, too */
	bool as_expired; /* it was written under the name of pumps whose certificate has ended */

	struct agent_deadlines due;
	struct backoff enrol_wait;
	struct backoff reject_wait;
	struct backoff renew_wait;
	struct backoff attach_wait;
	struct backoff ask_wait;
	struct backoff wipe_wait;
	char refused_bundle[65]; /* hash of a bundle that the server or its content ruled out */
};

/* Opens the state folder, loads what is there, and begins. ERR_* of the store. */
int agent_start(struct event_base *base, const struct agent_options *options,
		struct agent *out) MUST_USE;
/* Stops a running enrolment; wpa_supplicant keeps its network, and the pump its admission. */
void agent_stop(struct agent *a);

/* --- between agent.c, agent_actions.c and agent_link.c --- */

/* Runs the machine until nothing is left to do, then writes status.json if it changed. */
void agent_event(struct agent *a, enum agent_event event);
/* From inside an action: runs after it. */
void agent_queue(struct agent *a, enum agent_event event);
void agent_action(struct agent *a, enum agent_action action);
/* Remembers and logs what went wrong, for status.json. `step` is one word. */
void agent_error(struct agent *a, const char *step, const char *text);
#define STEP_NETWORK "network"	     /* refused, or refusing: over once the pump is admitted */
#define STEP_SUPPLICANT "supplicant" /* likewise */
#define STEP_IDENTITY "identity"
/* It went well: forgets an error of the network's steps, or of all the others. */
void agent_error_over(struct agent *a, bool network);
int64_t agent_wait(struct backoff *b); /* one more failure: the deadline after it */
int64_t agent_in_ms(int64_t ms);       /* a deadline */

void agent_job_done(void *ctx, int rc, const char *why, const struct enrol *e);
/* Writes status.json and sets the timer, after a change that is no event of the machine. */
void agent_refresh(struct agent *a);

/* agent_birth.c: the network by a maker's birth certificate, while there is no identity. Each does
 * nothing where that is not so. */
void agent_birth_connect(struct agent *a);
void agent_birth_leave(struct agent *a);    /* the bundle was no good */
void agent_birth_admitted(struct agent *a); /* the server is within reach: enrol now */

/* agent_controller.c: the infusion controller, which is told and never waited for. */
int agent_controller_open(
	struct agent *a) MUST_USE;	     /* ERR_* of controller_link_new, ERR_NOT_FOUND */
void agent_controller_tell(struct agent *a); /* as status.json has it */

/* agent_logins.c: people who log in at the controller. Without one, nothing happens. */
int agent_logins_open(struct agent *a) MUST_USE; /* ERR_* of login_new */
void agent_logins_identity(struct agent *a);	 /* the settings or the certificate are new */
void agent_logins_network(struct agent *a, bool is_up);
/* Nobody logs in any more, until there is another identity: what is on the disk may be wiped. */
void agent_logins_close(struct agent *a);
/* And what they kept is wiped, with the TPM's counter: `for_good`, also one that an earlier wipe
 * left there. ERR_IO. */
int agent_logins_forget(struct agent *a, bool for_good) MUST_USE;

/* due.trust has come: as soon as no authentication runs, which would be broken off. */
void agent_trust_again(struct agent *a);
/* What the pump holds was made before now: the clock's floor. */
void agent_clock_floor(struct agent *a);
/* Online: a guess of the time is put right at once, else the server is asked a little later. */
void agent_ask_due(struct agent *a);
/* The controller's word, by pumplink: told to the server soon, when it is not as it was. */
void agent_infusing_set(struct agent *a, enum pumplink_infusing infusing);
/* Something is not as it was last reported: asks and reports within seconds, once online. */
void agent_report_soon(struct agent *a);
/* Begins to ask the server, on a worker of its own. */
void agent_ask(struct agent *a);
void agent_ask_done(void *ctx, int rc, const char *why, const struct enrol *e);
/* wpa_supplicant takes servers of the state's name from now on. */
void agent_server_expect(struct agent *a);

/* agent_wipe.c: the actions of a pump that is revoked or decommissioned. */
void agent_leave(struct agent *a);
void agent_wipe(struct agent *a);
void agent_deliver(struct agent *a);
void agent_deliver_done(struct agent *a, int rc, const char *why, const struct enrol *e);
void agent_clear(struct agent *a);
/* The server has ordered it: into state.json, then EVENT_TOLD_WIPE. */
void agent_wipe_ordered(struct agent *a, const char *order);
/* At the start: an order stands in state.json. */
void agent_wipe_pending(struct agent *a);

/* The identity of the active slot into memory. */
int agent_identity_load(struct agent *a) MUST_USE;
/* It could not be loaded (err_text): said, and tried again. */
void agent_identity_missing(struct agent *a);

/* Tries to reach wpa_supplicant; EVENT_SUPPLICANT_UP when it is there. */
void agent_link_attach(struct agent *a);
/* Drops the link after an error, whose text is recorded; attaches again later. */
void agent_link_failed(struct agent *a);
void agent_link_ping(struct agent *a);
void agent_link_close(struct agent *a);

#endif
