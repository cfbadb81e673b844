/* SPDX-License-Identifier: BSD-2-Clause */
/* pumpctl user list | show | sessions | roles | terms: who may log in, who has, and what a role is
 * given.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "enroll/pumpctl/query.h"
#include "enroll/pumpctl/record_json.h"
#include "enroll/pumpctl/registry.h"
#include "enroll/pumpctl/report.h"
#include "enroll/pumpctl/verbs.h"
#include "sql/proto/cred_records.h"
#include "sql/proto/cred_verbs.h"

#define ROLES_SHOWN 64

static int user_list_run(const struct call *call)
{
	static const struct column columns[] = {
		{"NAME", "name"},    {"PERSON", "display"},
		{"STATE", "state"},  {"FROM", "source"},
		{"ROLE", "role"},    {"BADGES", "badges"},
		{"ENDS", "expires"}, {"LAST LOGIN", "last_login"},
	};
	const struct listing l = {
		CRED_USER_LIST, &record_user,
		columns,	8,
		"name",		"no account yet; add one by: pumpctl user add NAME --role nurse"};
	struct list_query q = {0};

	if (query_filters_take(call, &q))
		return report_usage();
	return people_show(call, &l, &q, 0);
}

static const struct option_spec list_options[] = {
	{"state", 0, OPTION_VALUE, "S", "enabled or disabled", false},
	{"ward", 0, OPTION_VALUE, "W", "with a role for this ward", false},
};

const struct verb verb_user_list = {
	.group = "user",
	.name = "list",
	.operands = "",
	.summary = "List the accounts of clinicians",
	VERB_OPTIONS(list_options),
	.examples = {"user list", "user list --ward ICU", "user list --state disabled --json"},
	.run = user_list_run,
};

struct shown {
	struct user user;
	struct user_role roles[ROLES_SHOWN];
	struct user_badge badges[ROLES_SHOWN];
	size_t n_roles, n_badges;
};

static int shown_read(const struct call *call, struct shown *s)
{
	struct user_name q = {0};
	AUTO_IPC_CLIENT c = NULL;
	int rc = cred_open(call, &c);

	if (!rc)
		rc = str_copy(q.name, sizeof(q.name), call->operands[0]);
	if (!rc)
		rc = ipc_client_call(c, CRED_USER_SHOW, &record_user_name, &q, 1, &record_user,
				     &s->user, 1, NULL, REGISTRY_TIMEOUT_MS);
	if (!rc)
		rc = ipc_client_call(c, CRED_USER_ROLES, &record_user_name, &q, 1,
				     &record_user_role, s->roles, ROLES_SHOWN, &s->n_roles,
				     REGISTRY_TIMEOUT_MS);
	return rc ? rc
		  : ipc_client_call(c, CRED_USER_BADGES, &record_user_name, &q, 1,
				    &record_user_badge, s->badges, ROLES_SHOWN, &s->n_badges,
				    REGISTRY_TIMEOUT_MS);
}

static int shown_json(const struct shown *s)
{
	json_t *j = record_to_json(&record_user, &s->user);
	json_t *roles = json_array(), *badges = json_array();

	for (size_t i = 0; i < s->n_roles; i++)
		json_array_append_new(roles,
				      json_pack("{s:s s:s s:s}", "role", s->roles[i].role, "ward",
						s->roles[i].ward, "model", s->roles[i].model));
	for (size_t i = 0; i < s->n_badges; i++)
		json_array_append_new(badges, json_string(s->badges[i].badge));
	if (!j || json_object_set_new(j, "roles_at", roles) ||
	    json_object_set_new(j, "badge_numbers", badges)) {
		json_decref(j);
		return report_failure(err_set(ERR_NOMEM, "no memory for the answer"));
	}
	return json_show(j) ? report_failure(ERR_IO) : EXIT_DONE;
}

static int user_show_run(const struct call *call)
{
	struct shown *s = calloc(1, sizeof(*s));
	int rc = s ? shown_read(call, s) : err_set(ERR_NOMEM, "no memory");
	int status;

	if (rc) {
		free(s);
		return cred_failure(call, rc);
	}
	if (call->json) {
		status = shown_json(s);
	} else {
		status = record_show(call, &record_user, &s->user);
		for (size_t i = 0; i < s->n_roles; i++)
			printf("%s at ward %s, model %s\n", s->roles[i].role,
			       *s->roles[i].ward ? s->roles[i].ward : "any",
			       *s->roles[i].model ? s->roles[i].model : "any");
		for (size_t i = 0; i < s->n_badges; i++)
			printf("badge %s\n", s->badges[i].badge);
	}
	free(s);
	return status;
}

const struct verb verb_user_show = {
	.group = "user",
	.name = "show",
	.operands = "NAME",
	.n_operands = 1,
	.summary = "Show one account with its roles and badges",
	.examples = {"user show a.meier", "user show a.meier --json",
		     "--home /tmp/try user show a.meier"},
	.run = user_show_run,
};

static int user_sessions_run(const struct call *call)
{
	static const struct column columns[] = {
		{"USER", "user"},   {"PUMP", "device"},	  {"WARD", "ward"},   {"ROLE", "role"},
		{"WITH", "method"}, {"SINCE", "started"}, {"UNTIL", "until"}, {"ENDED", "ended"},
	};
	const struct listing l = {CRED_LOGIN_LIST, &record_login_session, columns, 8,
				  "key",	   "nobody is logged in"};
	struct list_query q = {.live_only = !call_flag(call, "all")};

	if (query_filters_take(call, &q))
		return report_usage();
	return people_show(call, &l, &q, 0);
}

static const struct option_spec sessions_options[] = {
	{"all", 'a', OPTION_FLAG, NULL, "ended ones of the last week too", false},
	{"pump", 0, OPTION_VALUE, "SERIAL", "at this pump", false},
};

const struct verb verb_user_sessions = {
	.group = "user",
	.name = "sessions",
	.operands = "",
	.summary = "List who is logged in at which pump (as far as the pumps have told)",
	VERB_OPTIONS(sessions_options),
	.examples = {"user sessions", "user sessions --pump PG-000123 --all",
		     "user sessions --json"},
	.run = user_sessions_run,
};

static int user_roles_run(const struct call *call)
{
	static const struct column columns[] = {
		{"ROLE", "role"},
		{"SESSION S", "session_s"},
		{"LOG-OFF S", "idle_s"},
		{"OFFLINE", "offline"},
		{"FOR S", "offline_s"},
		{"TRIES", "offline_failures"},
		{"PEOPLE", "offline_people"},
		{"PASSWORDS", "offline_passwords"},
		{"USERS", "users"},
	};
	const struct listing l = {CRED_ROLE_LIST, &record_role_terms, columns, 9,
				  "role",	  "no role"};
	struct list_query q = {0};

	return people_show(call, &l, &q, 0);
}

const struct verb verb_user_roles = {
	.group = "user",
	.name = "roles",
	.operands = "",
	.summary = "List the roles and what each is given at a pump",
	.examples = {"user roles", "user roles --json", "--home /tmp/try user roles"},
	.run = user_roles_run,
};

static int role_find(struct ipc_client *c, const char *role, struct role_terms *out)
{
	struct role_terms all[ROLES_SHOWN];
	const struct list_query q = {.limit = ROLES_SHOWN};
	size_t n = 0;
	int rc = ipc_client_call(c, CRED_ROLE_LIST, &record_list_query, &q, 1, &record_role_terms,
				 all, ROLES_SHOWN, &n, REGISTRY_TIMEOUT_MS);

	/* a new role begins with what is usual at the bedside, but without anything offline */
	*out = (struct role_terms){.session_s = 12 * 3600, .idle_s = 300};
	for (size_t i = 0; !rc && i < n; i++)
		if (!strcmp(all[i].role, role))
			*out = all[i];
	return rc ? rc : str_copy(out->role, sizeof(out->role), role);
}

static int seconds_take(const struct call *call, const char *option, uint32_t *out)
{
	const char *text = call_value(call, option);
	int64_t ms;

	if (!text)
		return 0;
	if (clock_duration_parse(text, &ms) || ms / 1000 > UINT32_MAX)
		return err_set(ERR_INVALID, "--%s: a time such as 5m or 8h", option);
	*out = (uint32_t)(ms / 1000);
	return 0;
}

static int terms_take(const struct call *call, struct role_terms *t)
{
	const char *offline = call_value(call, "offline");
	const char *passwords = call_value(call, "offline-passwords");
	unsigned long failures, people;
	int rc = seconds_take(call, "session", &t->session_s);

	if (!rc)
		rc = seconds_take(call, "log-off", &t->idle_s);
	if (!rc && offline && !strcmp(offline, "no"))
		t->offline = false;
	else if (!rc && offline && !(rc = seconds_take(call, "offline", &t->offline_s)))
		t->offline = true;
	if (!rc)
		rc = call_number(call, "tries", t->offline_failures ? t->offline_failures : 5, 1,
				 10, &failures);
	if (!rc)
		rc = call_number(call, "people", t->offline_people ? t->offline_people : 50, 1, 200,
				 &people);
	if (!rc) {
		t->offline_failures = (uint32_t)failures;
		t->offline_people = (uint32_t)people;
	}
	if (rc || !passwords)
		return rc;
	t->offline_passwords = !strcmp(passwords, "yes");
	if (!t->offline_passwords && strcmp(passwords, "no"))
		return err_set(ERR_INVALID, "--offline-passwords: yes or no");
	if (t->offline_passwords && !t->offline)
		return err_set(ERR_INVALID, "--offline-passwords goes with --offline T: the role"
					    " is not let in without network at all");
	return 0;
}

static int user_terms_run(const struct call *call)
{
	struct role_terms t;
	AUTO_IPC_CLIENT c = NULL;
	int rc = cred_open(call, &c);

	if (!rc)
		rc = role_find(c, call->operands[0], &t);
	if (rc)
		return cred_failure(call, rc);
	if (terms_take(call, &t))
		return report_usage();
	rc = ipc_client_call(c, CRED_ROLE_SET, &record_role_terms, &t, 1, NULL, NULL, 0, NULL,
			     REGISTRY_TIMEOUT_MS);
	if (rc)
		return cred_failure(call, rc);
	report_line(call, "%s: logged off after %u s without a key, a login lasts %u s", t.role,
		    t.idle_s, t.session_s);
	return EXIT_DONE;
}

static const struct option_spec terms_options[] = {
	{"session", 0, OPTION_VALUE, "T", "how long a login lasts (12h)", false},
	{"log-off", 0, OPTION_VALUE, "T", "automatic log-off without a key pressed (5m)", false},
	{"offline", 0, OPTION_VALUE, "T",
	 "a pump may let the person in without network for so long, "
	 "or no",
	 false},
	{"tries", 0, OPTION_VALUE, "N", "wrong ones offline before the pump forgets (5)", false},
	{"people", 0, OPTION_VALUE, "N", "that a pump keeps at most (50)", false},
	{"offline-passwords", 0, OPTION_VALUE, "yes|no",
	 "by password too, at pumps with a TPM (no); else by badge and PIN alone", false},
};

const struct verb verb_user_terms = {
	.group = "user",
	.name = "terms",
	.operands = "ROLE",
	.n_operands = 1,
	.summary = "Make a role, or change what it is given at a pump",
	VERB_OPTIONS(terms_options),
	.examples = {"user terms nurse --log-off 2m",
		     "user terms midwife --session 8h --offline 72h --offline-passwords yes",
		     "user terms physician --offline no"},
	.run = user_terms_run,
};
