/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The codes in sealed envelopes: what they look like, what stands in for them where they are
 * checked, and how that reaches a pump (items of sql/wire/login_wire.h). Pure, but for its
 * processor time.
 *
 * A code is ten characters of Crockford's base32 (50 random bits), printed "4F7QK-0M2XT". Neither
 * the service nor the pump keeps it: only Argon2id over pump and code. So a code fits one
 * pump, and who reads either store has 2^50 such computations before him.
 */
#ifndef SQL_WIRE_BREAK_GLASS_H
#define SQL_WIRE_BREAK_GLASS_H

#include <stddef.h>
#include <stdint.h>

#include "sql/wire/login_wire.h"

#define BREAK_GLASS_CHARS 10
#define BREAK_GLASS_TEXT_SIZE (BREAK_GLASS_CHARS + 2) /* with its hyphen and NUL */
#define BREAK_GLASS_MEMORY (19u * 1024 * 1024)	      /* bytes while a code is checked */
#define BREAK_GLASS_PASSES 2
#define BREAK_GLASS_SALT 16
#define BREAK_GLASS_HASH 32
#define BREAK_GLASS_PER_PUMP 4	       /* unused codes of one pump at a time */
#define BREAK_GLASS_USER "break-glass" /* who is logged in, until somebody says who it was */

/* Kinds of items that the server says. */
#define LOGIN_KIND_CODES 64 /* one login_codes: what follows is all that this pump may hold */
#define LOGIN_KIND_CODE 65  /* one login_code */

#define LOGIN_CODES_FIELDS(X, S) X(S, U32, n, 1)
RECORD_DECLARE(login_codes, LOGIN_CODES_FIELDS)

#define LOGIN_CODE_FIELDS(X, S)            \
	X(S, U64, id, 1)                   \
	X(S, HIDE, salt, BREAK_GLASS_SALT) \
	X(S, HIDE, hash, BREAK_GLASS_HASH) \
	X(S, TIME, not_after, 1)           \
	X(S, STR, role, LOGIN_ROLE_SIZE)   \
	X(S, U32, session_s, 1)            \
	X(S, U32, idle_s, 1)
RECORD_DECLARE(login_code, LOGIN_CODE_FIELDS)

/* A new code, as it is printed. The caller wipes it. */
void break_glass_code_new(char out[BREAK_GLASS_TEXT_SIZE]);

/* What a person typed, as it was printed: case, blanks and hyphens do not count, O is 0, I and L
 * are 1. ERR_INVALID when it is no code at all. */
int break_glass_code_parse(const char *typed, size_t len, char out[BREAK_GLASS_TEXT_SIZE]) MUST_USE;

/* Tens of milliseconds of processor time. ERR_NOMEM. */
int break_glass_hash(const char *pump, const char code[BREAK_GLASS_TEXT_SIZE],
		     const uint8_t salt[BREAK_GLASS_SALT], uint8_t out[BREAK_GLASS_HASH]) MUST_USE;

/* How a journal's record (what "break-glass") names the code, in its detail. 0: it names none. */
#define BREAK_GLASS_DETAIL_SIZE 32
void break_glass_detail_build(uint64_t id, char out[BREAK_GLASS_DETAIL_SIZE]);
uint64_t break_glass_detail_parse(const char *detail);

#endif
