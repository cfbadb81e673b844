/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Where a login is decided on the pump: at the server, else by what the pump remembers, else not.
 * Everything here blocks and belongs to one thread (login.h has it): two seconds at most on the
 * network, besides tens of milliseconds of processor time and the disk.
 */
#ifndef PUMP_AGENT_LOGIN_DESK_H
#define PUMP_AGENT_LOGIN_DESK_H

#include "pump_agent/login/radsec.h"
#include "pump_agent/login/vault.h"
#include "pump_agent/pumplink/agent_side.h"

#define DESK_BADGE_MS 1300    /* for the server; then the pump decides by itself, */
#define DESK_PASSWORD_MS 1900 /* unless it cannot: a password that it does not keep */
#define DESK_AWAY_MS 5000     /* for so long after it was found away, */
#define DESK_KNOCK_MS 600     /* a login gives the server no longer than that to prove itself */
#define DESK_TRIES_FREE 3     /* wrong break-glass codes before there is a pause after each */
#define DESK_PAUSE_MAX_S 60

struct login_answer;

struct desk {
	struct vault *vault; /* NULL: not opened: nobody is let in offline */
	struct radsec *radsec;
	struct radsec_server server; /* name NULL: this pump was not told of one */
	uint8_t packet_id;
	int64_t away_until_us; /* 0: it answered last time */
	int64_t answered_ms;   /* when it did, by the wall clock; 0: never */
	bool is_behind;	       /* it has more tombstones than it has told: nobody offline */
	bool is_refused;       /* it refuses this pump */
	unsigned wrong_codes;
	int64_t codes_after_us;
	/* out: users whose tombstone came, for a session to end; the caller empties it */
	struct login_tombstone gone[8];
	size_t n_gone;
	bool is_gone_overrun; /* more than that */
};

/* Who came in, beyond what the controller is told. */
struct desk_entry {
	char user[LOGIN_USER_SIZE];
	char login_id[LOGIN_ID_SIZE];
	bool has_terms; /* of the offline entry to be made: desk_remember */
	struct login_grant grant;
	bool keep_password; /* as well */
};

struct age_now desk_now(void);

/* Decides; what is granted offline is on disk before. `entry` is set when the result is OK. */
void desk_login(struct desk *d, const struct pumplink_request *rq, struct pumplink_answer *out,
		struct desk_entry *entry);
/* After the person was let in by the server: what is needed without it, of a badge's PIN, and of a
 * password where the server wants that and there is a TPM. */
int desk_remember(struct desk *d, const struct pumplink_request *rq,
		  const struct desk_entry *entry) MUST_USE;
/* Speaks with the server without a login. ERR_* of radsec.h; ERR_DENIED: it refuses this pump;
 * ERR_BUSY: there is more to be said, at once; ERR_CONFLICT: given up for something else. */
int desk_contact(struct desk *d) MUST_USE;
/* A session that the desk began has ended. */
int desk_note_end(struct desk *d, const struct desk_entry *entry, bool was_offline,
		  const char *why) MUST_USE;

/* Bits of PUMPLINK_WAY_*. */
uint32_t desk_ways(const struct desk *d);

#endif
