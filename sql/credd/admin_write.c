/* SPDX-License-Identifier: BSD-2-Clause */
/* Owns what admins change, on the writer's thread: one transaction each, one line in the log. */
#include "sql/credd/credd.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "sql/credd/glass.h"
#include "sql/wire/login_text.h"
#include "sql/proto/cred_verbs.h"

static void tell(struct admin_job *j, int rc, const char *object)
{
	struct ipc_request *rq = j->job.rq;
	char id[REQUEST_NAME_SIZE];

	request_name(ipc_request_id(rq), id);
	if (rc)
		LOG(rc == ERR_UNCHANGED ? LOG_INFO : LOG_WARN, ipc_request_verb(rq)->name,
		    LOG_S("object", object), LOG_S("by", j->actor), LOG_S("outcome", err_name(rc)),
		    LOG_S("why", err_text()), LOG_S("request", id));
	else
		LOG(LOG_INFO, ipc_request_verb(rq)->name, LOG_S("object", object),
		    LOG_S("by", j->actor), LOG_S("outcome", "done"), LOG_S("request", id));
	admin_job_free(j);
	if (rc)
		ipc_request_fail(rq, rc);
	else
		ipc_request_reply(rq, NULL, 0);
}

/* Into `name`, which has room for what came in: prepared names are no longer. */
static int name_prepare(char *name)
{
	char prepared[LOGIN_USER_SIZE];
	int rc = login_name_prepare((const uint8_t *)name, strlen(name), prepared);

	if (!rc)
		memcpy(name, prepared, strlen(prepared) + 1);
	return rc;
}

/* What is refused of one user stops nobody else; what fails stops all. */
static bool is_finding(int rc)
{
	return rc == ERR_UNCHANGED || rc == ERR_EXISTS || rc == ERR_INVALID ||
	       rc == ERR_NOT_FOUND || rc == ERR_CONFLICT || rc == ERR_LIMIT;
}

static int users_add_in(struct people *p, struct admin_job *j, const struct action *by,
			struct add_outcome *out, size_t n)
{
	const struct user_add *users = ipc_request_record(j->job.rq);
	int rc = people_begin(p);

	for (size_t i = 0; !rc && i < n; i++) {
		struct user_add u = users[i];

		rc = name_prepare(u.name);
		if (!rc)
			rc = people_user_add(p, by, &u, j->hashes[i][0], j->hashes[i][1]);
		explicit_bzero(&u, sizeof(u));
		snprintf(out[i].serial, sizeof(out[i].serial), "%.*s",
			 (int)sizeof(out[i].serial) - 1, users[i].name);
		out[i].code = (uint32_t)-rc;
		snprintf(out[i].text, sizeof(out[i].text), "%s", rc ? err_text() : "");
		if (n == 1 && rc) /* alone: all or nothing, and said as such */
			break;
		rc = is_finding(rc) ? 0 : rc;
	}
	if (!rc)
		rc = people_commit(p);
	if (rc)
		people_rollback(p);
	return rc;
}

static void users_add(struct people *p, struct admin_job *j, const struct action *by)
{
	struct ipc_request *rq = j->job.rq;
	size_t n;
	const struct user_add *users = ipc_request_records(rq, &n);
	struct add_outcome *out = calloc(n ? n : 1, sizeof(*out));
	int rc = out ? users_add_in(p, j, by, out, n) : err_set(ERR_NOMEM, "no memory");

	if (rc) {
		tell(j, rc, n ? users[0].name : "");
		free(out);
		return;
	}
	LOG(LOG_INFO, "user_add", LOG_S("by", j->actor), LOG_U("users", n),
	    LOG_S("first", n ? users[0].name : ""), LOG_S("outcome", "done"));
	admin_job_free(j);
	ipc_request_reply(rq, out, n);
	free(out);
}

static int state_set(struct people *p, const struct action *by, struct user_state s)
{
	int rc = name_prepare(s.name);

	return rc ? rc : people_user_state(p, by, &s);
}

static int role_give(struct people *p, const struct action *by, struct user_role r)
{
	int rc = name_prepare(r.name);

	return rc ? rc : people_user_role(p, by, &r);
}

static int secret_set(struct people *p, const struct action *by, const struct admin_job *j,
		      const struct user_secret *asked)
{
	struct user_secret s = {.remove = asked->remove};
	int rc;

	memcpy(s.name, asked->name, sizeof(s.name));
	memcpy(s.badge, asked->badge, sizeof(s.badge));
	rc = name_prepare(s.name);
	return rc ? rc : people_user_secret(p, by, &s, j->hashes[0][*s.badge ? 1 : 0]);
}

static void glass_end(struct people *p, struct admin_job *j, const struct action *by,
		      const struct glass_void *v)
{
	struct glass_count done = {0};
	struct ipc_request *rq = j->job.rq;
	int rc = people_glass_void(p, by, v, &done.voided);

	if (rc) {
		tell(j, rc, *v->device ? v->device : v->ward);
		return;
	}
	LOG(LOG_INFO, "glass_void", LOG_S("object", *v->device ? v->device : v->ward),
	    LOG_S("by", j->actor), LOG_U("codes", done.voided), LOG_S("outcome", "done"));
	admin_job_free(j);
	ipc_request_reply(rq, &done, 1);
}

static void glass_name(struct people *p, struct admin_job *j, const struct action *by,
		       const struct glass_review *r)
{
	char code[24];

	snprintf(code, sizeof(code), "%" PRIu64, r->id);
	tell(j, people_glass_review(p, by, r), code);
}

void admin_write(struct people *p, struct admin_job *j)
{
	const struct action by = {.actor = j->actor, .at = clock_wall_ms()};
	const void *record = ipc_request_record(j->job.rq);
	const struct user_state *state = record;
	const struct user_role *role = record;
	const struct user_secret *secret = record;
	const struct role_terms *terms = record;

	switch (ipc_request_verb(j->job.rq)->verb) {
	case CRED_USER_ADD:
		users_add(p, j, &by);
		return;
	case CRED_USER_STATE:
		tell(j, state_set(p, &by, *state), state->name);
		return;
	case CRED_USER_SECRET:
		tell(j, secret_set(p, &by, j, secret), secret->name);
		return;
	case CRED_USER_ROLE:
		tell(j, role_give(p, &by, *role), role->name);
		return;
	case CRED_ROLE_SET:
		tell(j, people_role_set(p, &by, terms), terms->role);
		return;
	case CRED_GLASS_ISSUE:
		glass_issue(p, j, &by);
		return;
	case CRED_GLASS_REVIEW:
		glass_name(p, j, &by, record);
		return;
	case CRED_GLASS_VOID:
		glass_end(p, j, &by, record);
		return;
	default:
		tell(j, err_set(ERR_INTERNAL, "a verb without a writer"), "");
	}
}
