/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * pumplink: what an infusion controller knows of the pump's network agent, and tells it.
 *
 * The controller never waits for the agent. Everything but pumplink_open, pumplink_tend and
 * pumplink_close reads and writes memory only, of which the agent can write none: no system call,
 * no lock, no allocation, no page fault, a bounded number of steps, whatever the agent does: it may
 * be stopped, killed, started anew or hostile. What it said is checked before it is believed.
 *
 * Libc and Linux 5.1; no thread of its own; no signal is touched. A link is for one thread at a
 * time; only pumplink_tend is for another one, which a hostile agent can keep waiting for some
 * milliseconds.
 *
 *	struct pumplink *link;
 *	struct pumplink_view view;
 *
 *	if (pumplink_open(PUMPLINK_SOCKET, &link))
 *		... no memory: go on without network ...
 *	every 10 ms, in the control loop, with a clock of yours that never steps:
 *		pumplink_look(link, now_ms, &view);
 *		pumplink_tell_infusing(link, PUMPLINK_INFUSING);
 *	ten times a second, in a thread of less importance:
 *		pumplink_tend(link);
 *
 * What a login permits is the controller's to bound: the agent names a person and a role, and
 * nothing that comes over this link starts, stops or alters an infusion.
 */
#ifndef PUMPLINK_H
#define PUMPLINK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define PUMPLINK_SOCKET "/run/pumpgate-agent/pumplink"

/* Bytes, without the NUL. */
#define PUMPLINK_NAME_MAX 64	/* a login name, or what a badge's reader reads */
#define PUMPLINK_SECRET_MAX 128 /* a password, a PIN, a break-glass code */
#define PUMPLINK_PERSON_MAX 128 /* a name as people write it */
#define PUMPLINK_ROLE_MAX 32
#define PUMPLINK_PUMP_MAX 63

#define PUMPLINK_AGENT_GONE_MS 3000	   /* without a beat: the agent counts as gone */
#define PUMPLINK_LOGIN_MS 30000		   /* a login without an answer ends by itself */
#define PUMPLINK_SESSION_MAX_S (24 * 3600) /* no agent can grant more */

/* How the pump stands with the network. Values are stable. */
enum pumplink_network {
	PUMPLINK_NET_UNKNOWN = 0,    /* no agent, or it said nothing that can be believed */
	PUMPLINK_NET_NO_CREDENTIAL,  /* never enrolled, or refused: a technician's turn */
	PUMPLINK_NET_ONBOARDING,     /* getting its credential */
	PUMPLINK_NET_OFFLINE,	     /* has its credential, no network at the moment */
	PUMPLINK_NET_ONLINE,	     /* admitted */
	PUMPLINK_NET_QUARANTINED,    /* admitted, to the quarantine zone only */
	PUMPLINK_NET_REVOKED,	     /* network credential revoked: standalone */
	PUMPLINK_NET_DECOMMISSIONED, /* wiped: standalone, for good */
};

/* May the wall clock be shown and written into records? */
enum pumplink_clock {
	PUMPLINK_CLOCK_UNKNOWN = 0, /* nobody has compared it */
	PUMPLINK_CLOCK_RIGHT,	    /* a server that proved itself agreed */
	PUMPLINK_CLOCK_GUESS,	    /* was wrong; set to a time that has certainly passed */
	PUMPLINK_CLOCK_WRONG,	    /* wrong by clock_off_ms, and the agent may not set it */
};

/* In what ways a login can succeed now; bits of `ways`. For the keypad's menu only. */
#define PUMPLINK_WAY_ONLINE 1u	    /* the server is there */
#define PUMPLINK_WAY_OFFLINE 2u	    /* somebody who logged in here lately, by badge and PIN */
#define PUMPLINK_WAY_BREAK_GLASS 4u /* a code from the sealed envelope */
#define PUMPLINK_WAY_PASSWORD 8u    /* as 2, by name and password: on a pump with a TPM */

enum pumplink_infusing {
	PUMPLINK_INFUSING_UNKNOWN = 0,
	PUMPLINK_IDLE,
	PUMPLINK_INFUSING,
};

enum pumplink_result {
	PUMPLINK_PENDING = 0,
	PUMPLINK_OK,	      /* logged in: pumplink_view.session */
	PUMPLINK_REFUSED,     /* wrong, unknown or not allowed: nobody is told which */
	PUMPLINK_TRY_AGAIN,   /* busy, or too many tries: not before wait_s */
	PUMPLINK_UNAVAILABLE, /* no network, and no other way for this person */
	PUMPLINK_NO_AGENT,    /* no agent there, or none that answers */
	PUMPLINK_CANCELLED,   /* by pumplink_cancel, a later login or pumplink_close */
};

/* Who is logged in. Kept by the controller's side of the link: goes on when the agent dies, ends
 * at its time. */
struct pumplink_session {
	uint32_t id;			      /* 0: nobody */
	char person[PUMPLINK_PERSON_MAX + 1]; /* UTF-8 without control characters */
	char role[PUMPLINK_ROLE_MAX + 1];     /* [a-z0-9-]+ */
	uint32_t left_s;		      /* until it ends by itself */
	uint32_t idle_s; /* log off after so long without a key: the controller's; 0: none */
	bool is_offline; /* the server was not asked */
	bool is_break_glass;
};

struct pumplink_view {
	bool is_agent_alive;   /* its last beat is younger than PUMPLINK_AGENT_GONE_MS */
	uint32_t agent_age_ms; /* of its last beat; UINT32_MAX: never heard */
	enum pumplink_network network;
	enum pumplink_clock clock;
	int64_t clock_off_ms; /* PUMPLINK_CLOCK_WRONG: positive when the clock is behind */
	uint32_t ways;
	char pump[PUMPLINK_PUMP_MAX + 1]; /* serial number by the inventory; "" */
	struct pumplink_session session;
};

struct pumplink;

/* ---- not from the control loop ---- */

/*
 * Makes the shared memory. The agent need not be there. `agent_socket` is copied. Locks the memory
 * when RLIMIT_MEMLOCK allows (16 KiB). 0, or a negative errno (-ENOSYS: a kernel before 5.1).
 */
int pumplink_open(const char *agent_socket, struct pumplink **out);
/* NULL ok. The agent hears that the controller is gone by the missing beat. */
void pumplink_close(struct pumplink *link);
/*
 * About ten times a second: fetches what the agent says, hands the memory to an agent that was
 * started since, and tells it of a login, by one non-blocking datagram. When nobody calls it any
 * more, the agent counts as gone. 0, or the negative errno of the datagram, which needs no
 * attention (-ENOENT, -ECONNREFUSED: no agent; -EAGAIN: it is busy).
 */
int pumplink_tend(struct pumplink *link);

/* ---- from the control loop: memory only ---- */

/*
 * How things stand. `now_ms`: any clock of the caller's that never steps, the same one each time.
 * Call it at least once a second: it notices that the agent lives, ends sessions and logins whose
 * time is over and wipes what was typed as soon as the agent has it.
 */
void pumplink_look(struct pumplink *link, uint64_t now_ms, struct pumplink_view *out);
/* Holds until told otherwise; without a word the agent takes it as unknown. */
void pumplink_tell_infusing(struct pumplink *link, enum pumplink_infusing infusing);

/*
 * Begin a login. Each takes the place of a login that is still pending; a session goes on until
 * the new one is accepted. The secret is copied, and wiped as soon as the agent has it; the caller
 * wipes its own. Returns the request's number (never 0), or 0: empty, too long or with a NUL.
 */
uint32_t pumplink_login(struct pumplink *link, const char *name, const char *password);
uint32_t pumplink_login_badge(struct pumplink *link, const char *badge, const char *pin);
uint32_t pumplink_login_break_glass(struct pumplink *link, const char *code);
/* How it went, as of the last pumplink_look. `wait_s` (may be NULL): with PUMPLINK_TRY_AGAIN. A
 * number that is not the last request's: PUMPLINK_CANCELLED. */
enum pumplink_result pumplink_login_poll(const struct pumplink *link, uint32_t request,
					 uint32_t *wait_s);
void pumplink_cancel(struct pumplink *link); /* the pending login */
/* At once, on the controller's word; the agent learns of it. `by_itself`: after idle_s. */
void pumplink_logout(struct pumplink *link, bool by_itself);

/* As of the last pumplink_look; "" when nobody is logged in. Valid until the next call. */
const char *pumplink_who(const struct pumplink *link);
const char *pumplink_role(const struct pumplink *link);

/* For the display: "network credential revoked, standalone". Never NULL, never the agent's words.
 */
const char *pumplink_network_text(enum pumplink_network network);
const char *pumplink_clock_text(enum pumplink_clock clock);

#ifdef __cplusplus
}
#endif
#endif
