/* SPDX-License-Identifier: BSD-2-Clause */
/* pumpctl user add | enable | disable | password | badge | role | unlock: the accounts of
 * clinicians. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/secret.h"
#include "enroll/pumpctl/registry.h"
#include "enroll/pumpctl/report.h"
#include "enroll/pumpctl/strength.h"
#include "enroll/pumpctl/user_csv.h"
#include "enroll/pumpctl/verbs.h"
#include "sql/proto/cred_verbs.h"

#define HASH_TIMEOUT_MS 30000

static int text_take(const struct call *call, const char *option, char *out, size_t size)
{
	const char *value = call_value(call, option);

	if (value && str_copy(out, size, value))
		return err_set(ERR_INVALID, "--%s: at most %zu bytes", option, size - 1);
	return 0;
}

static int name_take(const struct call *call, char *out, size_t size)
{
	if (!*call->operands[0] || str_copy(out, size, call->operands[0]))
		return err_set(ERR_INVALID, "a user's name has 1 to %d bytes", LOGIN_USER_SIZE - 1);
	return 0;
}

/* From standard input, judged; into a HIDE member. */
static int secret_take(const char *prompt, size_t max, int (*judge)(const char *, const char *),
		       const char *name, void *member)
{
	struct record_blob *to = member;
	AUTO_SECRET s = NULL;
	char text[LOGIN_PASSWORD_MAX + 1];
	int rc = secret_read_stdin(prompt, max, &s);

	if (rc)
		return rc;
	if (memchr(secret_data(s), 0, secret_len(s)))
		return err_set(ERR_INVALID, "there is a NUL in it");
	memcpy(text, secret_data(s), secret_len(s));
	text[secret_len(s)] = '\0';
	rc = judge(text, name);
	if (!rc) {
		to->len = (uint32_t)secret_len(s);
		memcpy(to->data, secret_data(s), secret_len(s));
	}
	secret_wipe(text, sizeof(text));
	return rc;
}

static int pin_judge(const char *pin, const char *name)
{
	(void)name;
	return strength_pin(pin);
}

static int password_take(const char *name, void *member)
{
	return secret_take("password: ", LOGIN_PASSWORD_MAX, strength_password, name, member);
}

static int pin_take(void *member)
{
	return secret_take("PIN: ", LOGIN_PIN_MAX, pin_judge, "", member);
}

/* Says how it went; yields the exit status. */
static int told(const struct call *call, int rc, const char *done)
{
	if (rc)
		return cred_failure(call, rc);
	report_line(call, "%s %s", call->operands[0], done);
	return EXIT_DONE;
}

static int cred_tell(const struct call *call, uint16_t verb, const struct record_desc *desc,
		     const void *record)
{
	AUTO_IPC_CLIENT c = NULL;
	int rc = cred_open(call, &c);

	return rc ? rc
		  : ipc_client_call(c, verb, desc, record, 1, NULL, NULL, 0, NULL, HASH_TIMEOUT_MS);
}

static int add_take(const struct call *call, struct user_add *u)
{
	const char *expires = call_value(call, "expires");
	int rc = name_take(call, u->name, sizeof(u->name));

	if (!rc)
		rc = text_take(call, "display", u->display, sizeof(u->display));
	if (!rc)
		rc = text_take(call, "source", u->source, sizeof(u->source));
	if (!rc)
		rc = text_take(call, "badge", u->badge, sizeof(u->badge));
	if (!rc)
		rc = text_take(call, "role", u->role, sizeof(u->role));
	if (!rc)
		rc = text_take(call, "ward", u->ward, sizeof(u->ward));
	if (!rc)
		rc = text_take(call, "model", u->model, sizeof(u->model));
	if (!rc && expires)
		rc = user_expiry_parse(expires, clock_wall_ms(), &u->expires);
	return rc;
}

static int add_send(const struct call *call, const struct user_add *u)
{
	struct add_outcome outcome;
	AUTO_IPC_CLIENT c = NULL;
	size_t n;
	int rc = cred_open(call, &c);

	if (!rc)
		rc = ipc_client_call(c, CRED_USER_ADD, &record_user_add, u, 1, &record_add_outcome,
				     &outcome, 1, &n, HASH_TIMEOUT_MS);
	return rc;
}

static int user_add_run(const struct call *call)
{
	struct user_add u = {0};
	int rc = add_take(call, &u);

	if (rc)
		return report_usage();
	if (strcmp(u.source, "directory") && !call_flag(call, "no-password"))
		rc = password_take(u.name, &u.password);
	if (!rc && *u.badge)
		rc = pin_take(&u.pin);
	if (rc) {
		secret_wipe(&u, sizeof(u));
		return report_failure(rc);
	}
	rc = add_send(call, &u);
	secret_wipe(&u, sizeof(u));
	if (rc == ERR_EXISTS)
		rc = err_add(rc, "nothing changed; see: pumpctl user show %s", call->operands[0]);
	return told(call, rc, "may log in where a role allows it");
}

static const struct option_spec user_add_options[] = {
	{"display", 0, OPTION_VALUE, "NAME", "as the pump shows the person", false},
	{"role", 0, OPTION_VALUE, "R", "at all pumps, or those of --ward or --model", false},
	{"ward", 0, OPTION_VALUE, "W", "the role counts at pumps of this ward", false},
	{"model", 0, OPTION_VALUE, "M", "the role counts at pumps of this model", false},
	{"badge", 0, OPTION_VALUE, "NUMBER", "with a PIN: the line after the password", false},
	{"source", 0, OPTION_VALUE, "S", "local (default), or directory: the password is there",
	 false},
	{"expires", 0, OPTION_VALUE, "T", "a day such as 2027-03-31, or from now such as 90d",
	 false},
	{"no-password", 0, OPTION_FLAG, NULL, "none for now; or badge and PIN alone", false},
};

const struct verb verb_user_add = {
	.group = "user",
	.name = "add",
	.operands = "NAME",
	.n_operands = 1,
	.summary = "Add a clinician's account; password (and PIN) from standard input",
	VERB_OPTIONS(user_add_options),
	.examples = {"user add a.meier --display 'Anna Meier' --role nurse --ward ICU",
		     "user add b.kern --badge 7790123 --no-password --role physician",
		     "user add c.roth --source directory --expires 90d"},
	.run = user_add_run,
};

static int state_run(const struct call *call, const char *state, const char *done)
{
	struct user_state s = {0};

	if (name_take(call, s.name, sizeof(s.name)) ||
	    text_take(call, "reason", s.reason, sizeof(s.reason)))
		return report_usage();
	snprintf(s.state, sizeof(s.state), "%s", state);
	return told(call, cred_tell(call, CRED_USER_STATE, &record_user_state, &s), done);
}

static int user_disable_run(const struct call *call)
{
	return state_run(call, "disabled",
			 "is refused from now on; pumps forget the account when they next ask");
}

static int user_enable_run(const struct call *call)
{
	return state_run(call, "enabled", "may log in again");
}

static const struct option_spec state_options[] = {
	{"reason", 0, OPTION_VALUE, "TEXT", "for the audit", false},
};

const struct verb verb_user_disable = {
	.group = "user",
	.name = "disable",
	.operands = "NAME",
	.n_operands = 1,
	.summary = "Refuse an account at the next login; pumps forget what they keep of it",
	VERB_OPTIONS(state_options),
	.examples = {"user disable a.meier", "user disable a.meier --reason 'left on 2026-11-30'",
		     "user disable a.meier --json"},
	.run = user_disable_run,
};

const struct verb verb_user_enable = {
	.group = "user",
	.name = "enable",
	.operands = "NAME",
	.n_operands = 1,
	.summary = "Let a disabled account log in again",
	VERB_OPTIONS(state_options),
	.examples = {"user enable a.meier", "user enable a.meier --reason 'back from leave'",
		     "user enable a.meier --json"},
	.run = user_enable_run,
};

static int user_password_run(const struct call *call)
{
	struct user_secret s = {0};
	int rc;

	if (name_take(call, s.name, sizeof(s.name)))
		return report_usage();
	rc = password_take(s.name, &s.secret);
	if (rc)
		return report_failure(rc);
	rc = cred_tell(call, CRED_USER_SECRET, &record_user_secret, &s);
	secret_wipe(&s, sizeof(s));
	return told(call, rc, "has the new password");
}

const struct verb verb_user_password = {
	.group = "user",
	.name = "password",
	.operands = "NAME",
	.n_operands = 1,
	.summary = "Set a new password, from standard input",
	.examples = {"user password a.meier", "user password a.meier < new-password",
		     "--home /tmp/try user password a.meier"},
	.run = user_password_run,
};

static int user_badge_run(const struct call *call)
{
	struct user_secret s = {.remove = call_flag(call, "remove")};
	int rc;

	if (name_take(call, s.name, sizeof(s.name)))
		return report_usage();
	if (!*call->operands[1] || str_copy(s.badge, sizeof(s.badge), call->operands[1])) {
		err_text_set("a badge's number has 1 to %zu characters", sizeof(s.badge) - 1);
		return report_usage();
	}
	rc = s.remove ? 0 : pin_take(&s.secret);
	if (rc)
		return report_failure(rc);
	rc = cred_tell(call, CRED_USER_SECRET, &record_user_secret, &s);
	secret_wipe(&s, sizeof(s));
	return told(call, rc, s.remove ? "has that badge no more" : "has the badge with this PIN");
}

static const struct option_spec badge_options[] = {
	{"remove", 0, OPTION_FLAG, NULL, "take the badge away: lost, or given back", false},
};

const struct verb verb_user_badge = {
	.group = "user",
	.name = "badge",
	.operands = "NAME NUMBER",
	.n_operands = 2,
	.summary =
		"Give a badge with its PIN (from standard input), set a new PIN, or take it away",
	VERB_OPTIONS(badge_options),
	.examples = {"user badge a.meier 7790123", "user badge a.meier 7790123 --remove",
		     "user badge a.meier 7790123 < pin"},
	.run = user_badge_run,
};

static int user_role_run(const struct call *call)
{
	struct user_role r = {.remove = call_flag(call, "remove")};

	if (name_take(call, r.name, sizeof(r.name)))
		return report_usage();
	if (str_copy(r.role, sizeof(r.role), call->operands[1])) {
		err_text_set("a role's name has at most %zu characters", sizeof(r.role) - 1);
		return report_usage();
	}
	if (text_take(call, "ward", r.ward, sizeof(r.ward)) ||
	    text_take(call, "model", r.model, sizeof(r.model)))
		return report_usage();
	return told(call, cred_tell(call, CRED_USER_ROLE, &record_user_role, &r),
		    r.remove ? "has that role there no more" : "has that role there");
}

static const struct option_spec role_options[] = {
	{"ward", 0, OPTION_VALUE, "W", "at pumps of this ward (else any)", false},
	{"model", 0, OPTION_VALUE, "M", "at pumps of this model (else any)", false},
	{"remove", 0, OPTION_FLAG, NULL, "take it away there", false},
};

const struct verb verb_user_role = {
	.group = "user",
	.name = "role",
	.operands = "NAME ROLE",
	.n_operands = 2,
	.summary =
		"Give a role everywhere, in a ward or at a model; the most particular one counts",
	VERB_OPTIONS(role_options),
	.examples = {"user role a.meier nurse --ward ICU", "user role a.meier physician",
		     "user role a.meier nurse --ward ICU --remove"},
	.run = user_role_run,
};

static int user_unlock_run(const struct call *call)
{
	struct user_unlocked done;
	struct user_name q = {0};
	AUTO_IPC_CLIENT c = NULL;
	int rc;

	if (name_take(call, q.name, sizeof(q.name)))
		return report_usage();
	rc = cred_open(call, &c);
	if (!rc)
		rc = ipc_client_call(c, CRED_USER_UNLOCK, &record_user_name, &q, 1,
				     &record_user_unlocked, &done, 1, NULL, REGISTRY_TIMEOUT_MS);
	if (rc)
		return cred_failure(call, rc);
	if (call->json)
		return record_show(call, &record_user_unlocked, &done);
	if (!done.pumps) {
		report_line(call, "no pump makes %s wait", q.name);
		return EXIT_NOTHING;
	}
	report_line(call, "%s may try again at once; %u pumps made the user wait", q.name,
		    done.pumps);
	return EXIT_DONE;
}

const struct verb verb_user_unlock = {
	.group = "user",
	.name = "unlock",
	.operands = "NAME",
	.n_operands = 1,
	.summary = "Take away the delays after wrong tries (a minute at most, so seldom needed)",
	.examples = {"user unlock a.meier", "user unlock a.meier --json",
		     "--home /tmp/try user unlock a.meier"},
	.run = user_unlock_run,
};
