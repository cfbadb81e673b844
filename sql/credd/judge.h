/* SPDX-License-Identifier: BSD-2-Clause */
/* What becomes of a login, from the facts alone. Pure; zero refuses. */
#ifndef SQL_CREDD_JUDGE_H
#define SQL_CREDD_JUDGE_H

#include "sql/people/people.h"

/* In the order of login_refusal.result's words. */
enum login_result {
	LOGIN_REFUSED = 0,
	LOGIN_NOT_ALLOWED,
	LOGIN_TRY_AGAIN,
	LOGIN_THROTTLED,
	LOGIN_PUMP_REFUSED,
	LOGIN_MALFORMED,
	LOGIN_OK,
};
const char *login_result_word(enum login_result r);
/* For the person at the pump: says nothing that the word does not. */
const char *login_result_text(enum login_result r);

/* May people log in at this pump? why_out: a word for log and audit, "" if so. As for network
 * access: the certificate in force, the pump enrolled; and a pump in quarantine, whose nurse must
 * not lose it. */
bool judge_pump(const struct login_facts *f, int64_t now_ms, const char **why_out);

struct login_case {
	bool account_known;
	bool secret_right; /* as hash or directory say; false when the account is not known */
	bool enabled;
	int64_t expires_at;
	bool has_role; /* for this ward and model */
};
/* Whether an account exists, is disabled or has a role is told only to who knows its secret. */
enum login_result judge_login(const struct login_case *c, int64_t now_ms, const char **why_out);
/* No session and no verifier on a pump outlives the account (expires_at 0: it has no end). An end
 * within a minute leaves nothing to keep offline. */
void judge_terms_end(struct role_terms *t, int64_t expires_at, int64_t now_ms);

#endif
