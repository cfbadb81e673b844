/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Where a person's password is verified when that is not here: the hook for the hospital's
 * directory. credd has one source at most; who has it is said per account.
 */
#ifndef SQL_CREDD_PERSON_SOURCE_H
#define SQL_CREDD_PERSON_SOURCE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "sql/wire/login_wire.h"

#define PERSON_ROLES_MAX 32
#define PERSON_PLACE_SIZE 65 /* ward, model: LABEL_SIZE */

enum person_result {
	PERSON_AWAY = 0, /* nobody could say: "try again", never a refusal, never an acceptance */
	PERSON_REFUSED,	 /* not known there, not exactly one, wrong password, locked, expired */
	PERSON_VERIFIED,
};

struct person {
	char account[LOGIN_USER_SIZE]; /* the directory's own name of it, prepared (nameprep) */
	const char *why; /* of PERSON_REFUSED, a word for the audit; NULL: the usual one */
	char display[LOGIN_DISPLAY_SIZE]; /* "" keeps what the account says */
	/* What the person's groups stand for; ward and model "" mean any. Besides these the roles
	 * that `pumpctl user role` gave count. */
	struct person_role {
		char role[LOGIN_ROLE_SIZE];
		char ward[PERSON_PLACE_SIZE];
		char model[PERSON_PLACE_SIZE];
	} roles[PERSON_ROLES_MAX];
	size_t n_roles;
};

/* verify: several worker threads at once; may block until deadline_us (clock_mono_us) and not
 * longer. `name` is the account's name as stored: valid UTF-8, no NUL, prepared (nameprep), 1 to 64
 * bytes. The password is SASLprep'd UTF-8 (RFC 4013), 1 to 128 bytes, not terminated. `out` is
 * zeroed before and read only after PERSON_VERIFIED, but for `why`. Why not, for the log:
 * err_text(). */
struct person_source {
	void *ctx;
	bool takes_unknown; /* a name that is not here is asked for too; it gets an account then */
	/* The same of somebody who has proven who they are by badge and PIN: may they still log in,
	 * and with which roles? */
	enum person_result (*describe)(void *ctx, const char *name, int64_t deadline_us,
				       struct person *out);
	enum person_result (*verify)(void *ctx, const char *name, const uint8_t *password,
				     size_t password_len, int64_t deadline_us, struct person *out);
};

#endif
