/* SPDX-License-Identifier: BSD-2-Clause */
/* The RADIUS packets of a login and of a contact, built and read whole (decision 155). Pure. */
#ifndef PUMP_AGENT_LOGIN_ANSWER_H
#define PUMP_AGENT_LOGIN_ANSWER_H

#include "pump_agent/login/offline.h"
#include "radius_modules/packet/radius_packet.h"

#define ANSWER_TOMBSTONES_MAX 150 /* more do not fit in a blob */

/* name "" : a contact. `secret` is then unused. */
struct login_question {
	const char *name; /* account, or a badge's number */
	const void *secret;
	size_t secret_len;
	const struct buf *says; /* the blob */
};
/* Signed, ready to be sent. ERR_INVALID, ERR_LIMIT, ERR_CRYPTO. */
int login_question_build(const struct login_question *q, uint8_t id,
			 struct radius_packet *out) MUST_USE;

/* What the pump has and what it has to tell: as many records as fit; `o` NULL: nothing. ERR_LIMIT,
 * ERR_NOMEM. */
int login_says_build(const struct offline *o, const struct login_state *state,
		     struct buf *out) MUST_USE;

struct login_answer {
	bool is_accept;
	bool has_terms;
	bool has_grant;
	bool has_refusal;
	bool has_keeping;
	struct login_terms terms;
	struct login_grant grant;
	struct login_keeping keeping; /* zero without */
	struct login_refusal refusal;
	struct login_tombstone tombstones[ANSWER_TOMBSTONES_MAX];
	size_t n_tombstones;
	bool has_codes;
	struct login_code codes[BREAK_GLASS_PER_PUMP];
	size_t n_codes;
};

/*
 * The answer to `request`. Nothing of it is believed unless both signatures fit, there is a
 * Message-Authenticator, and every item is whole and within its bounds. Kinds of items that are not
 * known are passed over. An Accept must hold terms, and a grant to a login (`wants_grant`); a
 * Reject a refusal, and may hold nothing else: a server that is busy, or does not know the pump.
 * ERR_DENIED: a signature; ERR_INVALID.
 */
int login_answer_parse(const void *data, size_t len, const struct radius_packet *request,
		       bool wants_grant, struct login_answer *out) MUST_USE;

#endif
