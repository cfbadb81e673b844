/* SPDX-License-Identifier: BSD-2-Clause */
/* Owns the rules of a login. Never a database, a clock or a secret. */
#include "sql/credd/judge.h"

#include <string.h>

#define OFFLINE_MIN_S 60

const char *login_result_word(enum login_result r)
{
	static const char *const words[] = {"refused",	    "not-allowed", "try-again", "throttled",
					    "pump-refused", "malformed",   "ok"};

	return words[r];
}

const char *login_result_text(enum login_result r)
{
	static const char *const texts[] = {
		"Name or password is not right.",
		"This account cannot be used here. Ask whoever manages accounts.",
		"The login service is busy. Try again.",
		"Too many wrong tries here. Wait a moment.",
		"This pump may not log people in. Tell biomedical engineering.",
		"The login was not understood.",
		""};

	return texts[r];
}

bool judge_pump(const struct login_facts *f, int64_t now_ms, const char **why_out)
{
	if (!f->found)
		*why_out = "pump-unknown";
	else if (strcmp(f->cert_state, "valid"))
		*why_out = "certificate-not-in-force";
	else if (now_ms < f->not_before || now_ms > f->not_after)
		*why_out = "certificate-out-of-time";
	else if (strcmp(f->device_state, "enrolled") && strcmp(f->device_state, "quarantined"))
		*why_out = "pump-standing";
	else
		*why_out = "";
	return !**why_out;
}

enum login_result judge_login(const struct login_case *c, int64_t now_ms, const char **why_out)
{
	*why_out = !c->account_known ? "unknown-name" : "wrong-secret";
	if (!c->account_known || !c->secret_right)
		return LOGIN_REFUSED;
	*why_out = !c->enabled				      ? "disabled"
		   : c->expires_at && now_ms >= c->expires_at ? "expired"
		   : !c->has_role			      ? "no-role-here"
							      : "";
	return **why_out ? LOGIN_NOT_ALLOWED : LOGIN_OK;
}

static uint32_t least(uint32_t value, int64_t bound)
{
	return value > bound ? (uint32_t)bound : value;
}

void judge_terms_end(struct role_terms *t, int64_t expires_at, int64_t now_ms)
{
	int64_t left_s = (expires_at - now_ms) / 1000;

	if (!expires_at)
		return;
	left_s = left_s < 1 ? 1 : left_s;
	t->session_s = least(t->session_s, left_s);
	t->idle_s = least(t->idle_s, left_s);
	t->offline_s = least(t->offline_s, left_s);
	if (t->offline_s < OFFLINE_MIN_S)
		t->offline = false;
}
