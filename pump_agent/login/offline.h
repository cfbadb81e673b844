/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the pump remembers so that people whom the server has let in before can log in while it is
 * away, and what it has to tell the server afterwards. Pure: a value and its rules; keeping it on
 * disk is vault.h's.
 *
 * A person's entry is made by a good login at the server, which also says for how long it is good:
 * with badge and PIN, or with name and password where the house wants that and this pump has a TPM.
 * It dies of age, of wrong tries, of a tombstone, of a new epoch of the policy, and the oldest when
 * there are too many. It holds Argon2id under this pump's key, over pump, person, badge and epoch,
 * and for a password under this pump's TPM as well (pin_hash.h): elsewhere it is worth nothing.
 */
#ifndef PUMP_AGENT_LOGIN_OFFLINE_H
#define PUMP_AGENT_LOGIN_OFFLINE_H

#include "pump_agent/login/age.h"
#include "sql/wire/break_glass.h"
#include "sql/wire/login_wire.h"

#define OFFLINE_PEOPLE_MAX 50
#define OFFLINE_LIFE_MAX_S (72 * 3600)
#define OFFLINE_FAILURES_MAX 5
#define OFFLINE_RECORDS_MAX 1000
#define OFFLINE_RECORDS_SPARE 64 /* of them, for break-glass and what is odd */
#define OFFLINE_PUMP_SIZE 64
#define PIN_SALT_BYTES 16
#define PIN_HASH_BYTES 32

/* name: the badge's number; with is_password the name that was typed, prepared (login_text.h). */
#define OFFLINE_PERSON_FIELDS(X, S)                 \
	X(S, STR, name, LOGIN_USER_SIZE)            \
	X(S, STR, user, LOGIN_USER_SIZE)            \
	X(S, STR, display, LOGIN_DISPLAY_SIZE)      \
	X(S, STR, role, LOGIN_ROLE_SIZE)            \
	X(S, HIDE, salt, PIN_SALT_BYTES)            \
	X(S, HIDE, hash, PIN_HASH_BYTES)            \
	X(S, U64, epoch, 1)                         \
	X(S, U64, since_age_ms, 1) /* struct age */ \
	X(S, U32, life_s, 1)                        \
	X(S, U32, session_s, 1)                     \
	X(S, U32, idle_s, 1)                        \
	X(S, U32, failures, 1)                      \
	X(S, U32, failures_max, 1)                  \
	X(S, BOOL, is_password, 1)
RECORD_DECLARE(offline_person, OFFLINE_PERSON_FIELDS)

/* A break-glass code as this pump holds it. */
#define OFFLINE_CODE_FIELDS(X, S)          \
	X(S, U64, id, 1)                   \
	X(S, HIDE, salt, BREAK_GLASS_SALT) \
	X(S, HIDE, hash, BREAK_GLASS_HASH) \
	X(S, TIME, not_after, 1)           \
	X(S, STR, role, LOGIN_ROLE_SIZE)   \
	X(S, U32, session_s, 1)            \
	X(S, U32, idle_s, 1)               \
	X(S, BOOL, is_used, 1)
RECORD_DECLARE(offline_code, OFFLINE_CODE_FIELDS)

/* The seals are vault_seal.c's. */
#define OFFLINE_HEAD_FIELDS(X, S)                                     \
	X(S, STR, pump, OFFLINE_PUMP_SIZE)                            \
	X(S, U64, generation, 1) /* rises each time it is kept */     \
	X(S, U64, epoch, 1)                                           \
	X(S, U64, tombstone, 1)                                       \
	X(S, BLOB, journal, LOGIN_JOURNAL_ID)                         \
	X(S, U64, last_record, 1)                                     \
	X(S, U32, n_people, 1)                                        \
	X(S, U32, n_codes, 1)                                         \
	X(S, U32, n_records, 1)                                       \
	X(S, U64, seal, 1)	    /* of a TPM's counter, 0: none */ \
	X(S, U64, sealed_age_ms, 1) /* struct age */                  \
	X(S, U32, seals_spent, 1)                                     \
	X(S, U64, seals_age_ms, 1)                                    \
	X(S, BOOL, seal_is_owed, 1)
RECORD_DECLARE(offline_head, OFFLINE_HEAD_FIELDS)

/* 370 KiB. */
struct offline {
	struct offline_head head;
	struct age age;
	struct offline_person people[OFFLINE_PEOPLE_MAX]; /* oldest grant first */
	struct offline_code codes[BREAK_GLASS_PER_PUMP];
	struct login_record records[OFFLINE_RECORDS_MAX]; /* not yet at the server, oldest first */
};

enum offline_verdict {
	OFFLINE_UNKNOWN = 0, /* nobody with that badge, or no longer; no such code */
	OFFLINE_WRONG,	     /* PIN or password */
	OFFLINE_CLOCK,	     /* was set back */
	OFFLINE_NO_TPM,	     /* which a password needs */
	OFFLINE_FULL,	     /* too much that the server has not heard yet, or the disk */
	OFFLINE_OK,
};
/* "unknown"; never NULL. */
const char *offline_verdict_name(enum offline_verdict v);

/* Empty, for this pump, with a journal of its own. */
void offline_init(struct offline *o, const char *pump);
/* The sizes and names inside agree with each other and with `pump`. ERR_CORRUPT. */
int offline_check(const struct offline *o, const char *pump) MUST_USE;

/* ---- people ---- */

/* How a person is found: by a badge's number, or by a name with a password. */
struct offline_key {
	const char *name;
	bool is_password;
};

/* What stands in for PIN or password, made for the epoch in the head. */
struct offline_verifier {
	uint8_t salt[PIN_SALT_BYTES];
	uint8_t hash[PIN_HASH_BYTES];
	bool is_of_tpm; /* nobody can try anything against it without this pump's TPM */
};

/* A good login at the server. Terms beyond our own bounds are cut to them. Without `offline`, what
 * was there of the user goes. `v` NULL: not to be kept by this key; a password is not either unless
 * the verifier is of a TPM: what was there by this kind of key goes. */
void offline_grant(struct offline *o, const struct offline_key *k, const struct login_grant *g,
		   const struct offline_verifier *v);
/* Takes away what there is of a user. True: there was something. */
bool offline_drop_user(struct offline *o, const char *user);

/* Who would be meant, for what has to be known before a try: NULL, nobody, or not any longer. */
const struct offline_person *offline_find(const struct offline *o, const struct offline_key *k);

/*
 * Begins a try. The failure is counted before the PIN or password is compared, so that pulling the
 * plug in between wins no try: keep `o`, then hash, then offline_judge. `*out` is set on
 * OFFLINE_OK.
 */
enum offline_verdict offline_try(struct offline *o, const struct age_now *now,
				 const struct offline_key *k, struct offline_person *out) MUST_USE;
/* Ends it: OFFLINE_OK, OFFLINE_WRONG, OFFLINE_UNKNOWN. A login, and the end of an entry by wrong
 * tries, becomes a record: keep `o` before letting anybody in. */
enum offline_verdict offline_judge(struct offline *o, const struct age_now *now,
				   const struct offline_key *k,
				   const uint8_t hash[PIN_HASH_BYTES]) MUST_USE;

/* ---- break-glass ---- */

/* Not used, and its end has not come by the latest time that this pump has known. */
bool offline_code_is_good(const struct offline *o, const struct age_now *now, size_t i);
/* Code `i` was proven: it is used from now on, and there is a record. Keep `o` before letting
 * anybody in. OFFLINE_OK, OFFLINE_UNKNOWN, OFFLINE_FULL. */
enum offline_verdict offline_code_use(struct offline *o, const struct age_now *now,
				      size_t i) MUST_USE;

/* ---- the server ---- */

/* Appends a record of what happened; its number, time and doubt are set here. False: there is no
 * room, and it is lost. */
bool offline_note(struct offline *o, const struct age_now *now, const struct login_record *r);

/* What the pump has, for the beginning of what it says. */
void offline_state(const struct offline *o, struct login_state *out);

/* What a server that has proven itself says, read whole before (answer.h). */
struct offline_news {
	const struct login_tombstone *tombstones;
	size_t n_tombstones;
	const struct login_terms *terms;
	const struct login_code *codes;
	size_t n_codes;
	bool has_codes; /* codes are all that are good for this pump; false: it did not say */
};
enum offline_heard {
	OFFLINE_HEARD_NOTHING = 0, /* that would have to be kept */
	OFFLINE_HEARD_NEWS,
	OFFLINE_HEARD_LESS, /* a person or a code is good no longer: no older copy may be believed
			     */
};
enum offline_heard offline_hear(struct offline *o, const struct age_now *now,
				const struct offline_news *n);

/* An old copy was put in the place of this: nobody and no code is believed any more, what was not
 * told yet is told in a new journal. */
void offline_roll_back(struct offline *o, const struct age_now *now, const char *noticed_by);
/* Time goes on: entries die. True: something has changed that has to be kept. */
bool offline_tick(struct offline *o, const struct age_now *now);

#endif
