/* SPDX-License-Identifier: BSD-2-Clause */
/* pumpctl user directory | leavers, and the directory's people as rows of an import. */
#include "enroll/pumpctl/user_directory.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "enroll/pumpctl/record_json.h"
#include "enroll/pumpctl/registry.h"
#include "enroll/pumpctl/report.h"
#include "enroll/pumpctl/verbs.h"
#include "sql/proto/cred_verbs.h"

#define PAGE 1000

int user_directory_list(struct ipc_client *c, struct directory_entry **out, size_t *n_out)
{
	struct directory_entry *all = NULL;
	struct list_query q = {0};
	size_t n = 0, got = 0;
	int rc = 0;

	do {
		struct directory_entry *more = realloc(all, (n + PAGE) * sizeof(*more));

		if (!more) {
			rc = err_set(ERR_NOMEM, "no memory for a list of people");
			break;
		}
		all = more;
		rc = ipc_client_call(c, CRED_DIRECTORY_LIST, &record_list_query, &q, 1,
				     &record_directory_entry, all + n, PAGE, &got,
				     DIRECTORY_LIST_TIMEOUT_MS);
		n += rc ? 0 : got;
		if (n)
			snprintf(q.after, sizeof(q.after), "%s", all[n - 1].name);
	} while (!rc && got);
	if (rc || !n) {
		free(all);
		all = NULL;
	}
	if (!rc) {
		*out = all;
		*n_out = n;
	}
	return rc;
}

int user_directory_feed(struct ipc_client *c, const struct user_directory_sink *sink)
{
	struct directory_entry *all = NULL;
	size_t n = 0;
	int rc = user_directory_list(c, &all, &n);

	for (size_t i = 0; !rc && i < n; i++) {
		const struct directory_entry *e = &all[i];
		struct user_add u = {.source = "directory"};

		if (!strcmp(e->known, "directory")) {
			sink->same(sink->ctx);
		} else if (*e->known) {
			rc = sink->bad(sink->ctx, (unsigned)i + 1, e->name,
				       "a local account has that name");
		} else if (strcmp(e->state, "good") != 0) {
			report_note("%s is left out: %s in the directory", e->name, e->state);
		} else {
			snprintf(u.name, sizeof(u.name), "%s", e->name);
			snprintf(u.display, sizeof(u.display), "%s", e->display);
			rc = sink->row(sink->ctx, (unsigned)i + 1, &u);
		}
	}
	free(all);
	return rc;
}

/* ---- user directory ---- */

static int person_show(const struct call *call, const char *name)
{
	struct user_name q = {0};
	struct directory_entry e;
	AUTO_IPC_CLIENT c = NULL;
	int rc = str_copy(q.name, sizeof(q.name), name);

	if (!rc)
		rc = cred_open(call, &c);
	if (!rc)
		rc = ipc_client_call(c, CRED_DIRECTORY_FIND, &record_user_name, &q, 1,
				     &record_directory_entry, &e, 1, NULL, REGISTRY_TIMEOUT_MS);
	if (rc)
		return cred_failure(call, rc);
	return record_show(call, &record_directory_entry, &e);
}

static int user_directory_run(const struct call *call)
{
	static const struct column columns[] = {{"SERVER", "server"},
						{"STATE", "state"},
						{"FAILURES", "failures"},
						{"AGAIN IN", "retry_s"},
						{"WHY", "text"}};
	const struct listing l = {
		CRED_DIRECTORY_HEALTH, &record_directory_server, columns, 5, NULL, "no server"};
	struct list_query q = {0};

	return call->n_operands ? person_show(call, call->operands[0])
				: people_show(call, &l, &q, 0);
}

const struct verb verb_user_directory = {
	.group = "user",
	.name = "directory",
	.operands = "[NAME]",
	.n_operands_more = 1,
	.summary = "How the directory's servers do, or what the directory says of a person now",
	.examples = {"user directory", "user directory a.meier", "user directory --json"},
	.run = user_directory_run,
};

/* ---- user leavers ---- */

static int entry_compare(const void *name, const void *entry)
{
	return strcmp(name, ((const struct directory_entry *)entry)->name);
}

struct leavers {
	const struct call *call;
	struct ipc_client *client;
	struct directory_entry *all; /* of the directory */
	size_t n_all;
	struct user *users; /* who left */
	size_t n;
};

/* Is there nothing more that lets them in by the directory's password? *why says so. */
static int left_check(struct leavers *l, const struct user *u, bool *left, const char **why)
{
	const struct directory_entry *e =
		l->n_all ? bsearch(u->name, l->all, l->n_all, sizeof(*l->all), entry_compare)
			 : NULL;
	struct user_name q = {0};
	struct directory_entry now;
	int rc;

	*left = false;
	if (e && !strcmp(e->state, "good"))
		return 0;
	snprintf(q.name, sizeof(q.name), "%s", u->name);
	rc = ipc_client_call(l->client, CRED_DIRECTORY_FIND, &record_user_name, &q, 1,
			     &record_directory_entry, &now, 1, NULL, REGISTRY_TIMEOUT_MS);
	if (rc && rc != ERR_NOT_FOUND)
		return rc; /* not heard is not gone */
	*why = rc				? "is not in the directory any more"
	       : !strcmp(now.state, "no-role")	? "is in no group with a role"
	       : !strcmp(now.state, "disabled") ? "is disabled in the directory"
	       : !strcmp(now.state, "expired")	? "has expired in the directory"
						: NULL;
	/* a role that pumpctl gave counts without any group */
	*left = *why && (rc || strcmp(now.state, "no-role") != 0 || u->roles == 0);
	return 0;
}

static int user_judge(struct leavers *l, const struct user *u)
{
	struct user *more;
	const char *why = NULL;
	bool left;
	int rc;

	if (strcmp(u->source, "directory") != 0 || strcmp(u->state, "enabled") != 0)
		return 0;
	rc = left_check(l, u, &left, &why);
	if (rc || !left)
		return rc;
	more = realloc(l->users, (l->n + 1) * sizeof(*more));
	if (!more)
		return err_set(ERR_NOMEM, "no memory for a list of people");
	l->users = more;
	l->users[l->n] = *u;
	snprintf(l->users[l->n].state_reason, sizeof(u->state_reason), "%s", why);
	l->n++;
	return 0;
}

static int leavers_find(struct leavers *l)
{
	struct user *page = calloc(LISTING_PAGE, sizeof(*page));
	struct list_query q = {.limit = LISTING_PAGE};
	size_t n = 0;
	int rc = page ? user_directory_list(l->client, &l->all, &l->n_all)
		      : err_set(ERR_NOMEM, "no memory for a list of people");

	do {
		if (!rc)
			rc = ipc_client_call(l->client, CRED_USER_LIST, &record_list_query, &q, 1,
					     &record_user, page, LISTING_PAGE, &n,
					     REGISTRY_TIMEOUT_MS);
		for (size_t i = 0; !rc && i < n; i++)
			rc = user_judge(l, &page[i]);
		if (!rc && n)
			snprintf(q.after, sizeof(q.after), "%s", page[n - 1].name);
	} while (!rc && n);
	free(page);
	return rc;
}

static int leavers_disable(struct leavers *l)
{
	int rc = 0;

	for (size_t i = 0; !rc && i < l->n; i++) {
		struct user_state s = {.state = "disabled"};

		snprintf(s.name, sizeof(s.name), "%s", l->users[i].name);
		snprintf(s.reason, sizeof(s.reason), "%s", l->users[i].state_reason);
		rc = ipc_client_call(l->client, CRED_USER_STATE, &record_user_state, &s, 1, NULL,
				     NULL, 0, NULL, REGISTRY_TIMEOUT_MS);
		if (rc == ERR_UNCHANGED)
			rc = 0;
	}
	return rc;
}

static int leavers_show(const struct leavers *l)
{
	json_t *list = l->call->json ? json_array() : NULL;

	for (size_t i = 0; i < l->n; i++) {
		if (list)
			json_array_append_new(list,
					      json_pack("{s:s s:s s:i}", "name", l->users[i].name,
							"why", l->users[i].state_reason, "badges",
							(int)l->users[i].badges));
		else
			printf("%s: %s%s\n", l->users[i].name, l->users[i].state_reason,
			       l->users[i].badges ? " (has a badge here)" : "");
	}
	return l->call->json ? json_show(list) : 0;
}

static int leavers_work(struct leavers *l)
{
	unsigned long count = 0;
	int rc;

	if (call_number(l->call, "count", 0, 1, 1000000, &count))
		return report_usage();
	rc = cred_open(l->call, &l->client);
	if (!rc)
		rc = leavers_find(l);
	if (!rc)
		rc = leavers_show(l);
	if (!rc && count && count != l->n)
		return report_failure(err_set(ERR_CONFLICT,
					      "%zu accounts, not %lu: nothing is changed; look at "
					      "the list, then: pumpctl user leavers --count %zu",
					      l->n, count, l->n));
	if (!rc && count)
		rc = leavers_disable(l);
	if (rc)
		return cred_failure(l->call, rc);
	if (count)
		report_line(l->call, "%zu accounts disabled; pumps forget them when they next ask",
			    l->n);
	else if (l->n)
		report_line(l->call,
			    "nothing changed; to disable them: pumpctl user leavers --count "
			    "%zu",
			    l->n);
	return l->n ? EXIT_DONE : EXIT_NOTHING;
}

static int user_leavers_run(const struct call *call)
{
	struct leavers l = {.call = call};
	int status = leavers_work(&l);

	ipc_client_free(l.client);
	free(l.all);
	free(l.users);
	return status;
}

static const struct option_spec leavers_options[] = {
	{"count", 0, OPTION_VALUE, "N", "disable them, if they are just N", false},
};

const struct verb verb_user_leavers = {
	.group = "user",
	.name = "leavers",
	.operands = "",
	.summary = "Accounts here that the directory would let log in no more; and disable them",
	VERB_OPTIONS(leavers_options),
	.examples = {"user leavers", "user leavers --count 3", "user leavers --json"},
	.run = user_leavers_run,
};
