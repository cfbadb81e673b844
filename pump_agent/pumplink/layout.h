/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The shared memory between the two sides of pumplink: one page that the agent writes ("told") and
 * one that the controller writes ("asked"). Nobody reads what he wrote himself: what stands there
 * later may be another's. Pure; libc only, since the controller links it. Native byte order: both
 * sides run on one machine.
 */
#ifndef PUMP_AGENT_PUMPLINK_LAYOUT_H
#define PUMP_AGENT_PUMPLINK_LAYOUT_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "pump_agent/pumplink/pumplink.h"

#define PUMPLINK_AREA_BYTES 4096
#define PUMPLINK_VERSION 0x504c0001u /* in the datagram that hands the memory over */
#define PUMPLINK_ID_MAX 0x0fffffffu  /* of requests: an id and an end fit into one word */

typedef _Atomic uint32_t pumplink_word;
_Static_assert(ATOMIC_INT_LOCK_FREE == 2 && sizeof(pumplink_word) == 4,
	       "words between processes must be lock-free");

#define ROUND4(n) (((n) + 3) / 4 * 4)

/* What the agent tells: one snapshot. */
struct told {
	uint32_t network;
	uint32_t clock;
	uint32_t clock_off_low, clock_off_high;
	uint32_t ways;
	char pump[ROUND4(PUMPLINK_PUMP_MAX + 1)];
	uint32_t taken; /* the last request that the agent has a copy of */
	uint32_t ended; /* the last session that the agent ends */
	/* the answer to request `answered`, 0: none yet */
	uint32_t answered, result, wait_s;
	uint32_t session_s, idle_s, flags;
	char person[ROUND4(PUMPLINK_PERSON_MAX + 1)];
	char role[ROUND4(PUMPLINK_ROLE_MAX + 1)];
};
#define TOLD_WORDS (sizeof(struct told) / 4)
#define TOLD_IS_OFFLINE 1u
#define TOLD_IS_BREAK_GLASS 2u

/*
 * Four snapshots, the latest named by its number. A writer that is stopped in the middle has not
 * named his yet, so the reader always finds a whole one; he misses only if the writer comes round
 * four times during one copy, and tries again at most TOLD_TRIES times.
 */
#define TOLD_SLOTS 4
#define TOLD_TRIES 4
struct told_area {
	pumplink_word beat;   /* changes while the agent lives */
	pumplink_word latest; /* 0: nothing yet */
	struct {
		pumplink_word number; /* 0: being written */
		pumplink_word words[TOLD_WORDS];
	} slots[TOLD_SLOTS];
};
_Static_assert(sizeof(struct told_area) <= PUMPLINK_AREA_BYTES, "a page");

enum pumplink_kind {
	PUMPLINK_LOGIN_PASSWORD = 1, /* name and password */
	PUMPLINK_LOGIN_BADGE,	     /* badge (in `name`) and PIN */
	PUMPLINK_LOGIN_BREAK_GLASS,  /* code; no name */
};

/* Why a session has ended. */
enum pumplink_end {
	PUMPLINK_END_NONE = 0,
	PUMPLINK_END_LOGOUT,   /* by the person */
	PUMPLINK_END_IDLE,     /* by itself: nobody touched a key */
	PUMPLINK_END_EXPIRED,  /* its time was over */
	PUMPLINK_END_REPLACED, /* another person logged in */
	PUMPLINK_END_AGENT,    /* the agent's word */
};

/* A request with its secret, there for as long as the agent has not taken it. */
struct letter {
	uint32_t kind; /* enum pumplink_kind */
	uint32_t secret_len;
	char name[ROUND4(PUMPLINK_NAME_MAX + 1)];
	char secret[ROUND4(PUMPLINK_SECRET_MAX + 1)];
};
#define LETTER_WORDS (sizeof(struct letter) / 4)

struct asked_area {
	pumplink_word beat; /* changes while the controller looks */
	pumplink_word infusing;
	pumplink_word awaited; /* the request whose answer is waited for; 0: none */
	pumplink_word ended;   /* ASKED_ENDED of the last session that has ended; 0: none */
	pumplink_word letter;  /* its number; 0: none, or being written */
	pumplink_word letter_words[LETTER_WORDS];
};
_Static_assert(sizeof(struct asked_area) <= PUMPLINK_AREA_BYTES, "a page");

#define ASKED_ENDED(session, why) ((uint32_t)(session) << 3 | (uint32_t)(why))

/* False: none yet, or none whole in TOLD_TRIES tries. `*out` may be anything then. */
bool pumplink_told_read(const struct told_area *area, struct told *out);
/* `number`: of the snapshot before; counted by the writer for himself. */
void pumplink_told_write(struct told_area *area, const struct told *told, uint32_t *number);

void pumplink_letter_write(struct asked_area *area, const struct letter *letter, uint32_t number);
void pumplink_letter_wipe(struct asked_area *area);
/* Its number; 0: none, or none whole. */
uint32_t pumplink_letter_read(const struct asked_area *area, struct letter *out);

/* NUL within `size`, not empty, UTF-8 without control characters and without those that change the
 * direction of writing. */
bool pumplink_text_is_shown_safely(const char *text, size_t size);
/* NUL within `size`, not empty, [a-z0-9-] only. */
bool pumplink_text_is_role(const char *text, size_t size);
/* NUL within `size`, [A-Z0-9-] only; may be empty. */
bool pumplink_text_is_serial(const char *text, size_t size);

#endif
