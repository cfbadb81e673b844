/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * pumpctl admin list | add | role | remove: which Unix users run Pumpgate, and how much of it. The
 * lists stand in [users] of pumpgate.conf, root's file; the services read it when they start, and
 * registryd writes each change into the audit then.
 */
#include <errno.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/config.h"
#include "base/daemon.h"
#include "enroll/pumpctl/conf_edit.h"
#include "enroll/pumpctl/record_json.h"
#include "enroll/pumpctl/report.h"
#include "enroll/pumpctl/verbs.h"
#include "policies/admin_kinds.h"

#define OFFICER "security-officer"
#define CONF_MAX 65536
#define KINDS (ADMIN_KINDS + 1) /* the officers first */
#define LIST_MAX 170		/* what a line of pumpgate.conf holds */

struct admins {
	char path[PATH_MAX];
	char lists[KINDS][512]; /* as they stand in the file */
};

static const char *kind_key(int k)
{
	return k ? admin_kind_key((enum admin_kind)(k - 1)) : "admins";
}

static const char *kind_name(int k)
{
	return k ? admin_kind_name((enum admin_kind)(k - 1)) : OFFICER;
}

static int admins_read(const struct call *call, struct admins *a)
{
	AUTO_CONFIG conf = NULL;
	int rc = home_path(home_dir(call->home), "pumpgate.conf", a->path);

	if (!rc)
		rc = config_read(a->path, &conf);
	for (int k = 0; !rc && k < KINDS; k++)
		rc = str_copy(a->lists[k], sizeof(a->lists[k]),
			      config_str(conf, "users", kind_key(k), k ? "" : "root"));
	return rc;
}

/* Calls for each name of the list; the number of names. */
static size_t names_each(const char *list, void (*each)(void *ctx, const char *name), void *ctx)
{
	char copy[512], *save = NULL;
	size_t n = 0;

	snprintf(copy, sizeof(copy), "%s", list);
	for (char *name = strtok_r(copy, ", \t", &save); name;
	     name = strtok_r(NULL, ", \t", &save)) {
		n++;
		if (each)
			each(ctx, name);
	}
	return n;
}

struct without {
	const char *name;
	char *out; /* of the list's size */
	bool found;
};

static void name_keep(void *ctx, const char *name)
{
	struct without *w = ctx;
	size_t used = strlen(w->out);

	if (!strcmp(name, w->name))
		w->found = true;
	else
		snprintf(w->out + used, 512 - used, "%s%s", used ? ", " : "", name);
}

/* Takes the name out of all lists; which one it was in, -1: none. */
static int name_take_out(struct admins *a, const char *name)
{
	int was = -1;

	for (int k = 0; k < KINDS; k++) {
		char kept[512] = "";
		struct without w = {.name = name, .out = kept};

		names_each(a->lists[k], name_keep, &w);
		if (!w.found)
			continue;
		memcpy(a->lists[k], kept, sizeof(kept));
		was = was < 0 ? k : was;
	}
	return was;
}

static int kind_parse(const char *text, int *out)
{
	for (int k = 0; k < KINDS; k++) {
		if (!strcmp(text, kind_name(k))) {
			*out = k;
			return 0;
		}
	}
	return err_set(ERR_INVALID, "the role is " OFFICER ", viewer, onboarder or auditor");
}

static int admins_write(const struct admins *a)
{
	AUTO_BUF text = {.max = CONF_MAX};
	struct stat st;
	int rc = buf_read_file(&text, a->path);

	if (!rc && stat(a->path, &st))
		rc = err_errno(ERR_IO, "%s", a->path);
	for (int k = 0; !rc && k < KINDS; k++) {
		AUTO_BUF next = {.max = CONF_MAX};
		const char *cstr = buf_cstr(&text);

		if (strlen(a->lists[k]) > LIST_MAX)
			return err_set(ERR_LIMIT,
				       "%s: more than a line of the file holds; make a "
				       "Unix user that they share by sudo",
				       kind_key(k));
		if (!cstr)
			return ERR_NOMEM;
		if (k && !a->lists[k][0] && !strstr(cstr, kind_key(k)))
			continue; /* nobody, and no line says so yet */
		rc = conf_edit(cstr, "users", kind_key(k), a->lists[k], &next);
		if (!rc) {
			buf_reset(&text);
			rc = buf_put(&text, next.data, next.len);
		}
	}
	return rc ? rc : buf_write_file(a->path, st.st_mode & 0777, text.data, text.len);
}

static int changed(const struct call *call, const struct admins *a, const char *what)
{
	int rc = admins_write(a);

	if (rc)
		return report_failure(rc);
	report_line(call, "%s %s", call->operands[0], what);
	report_note("it counts once registryd, signerd and credd were started again");
	if (!call->json)
		return EXIT_DONE;
	rc = json_show(json_pack("{s:s s:s}", "user", call->operands[0], "now", what));
	return rc ? report_failure(rc) : EXIT_DONE;
}

static int user_check(const char *name)
{
	if (!*name || strpbrk(name, " ,\t\n=[];#"))
		return err_set(ERR_INVALID, "name a Unix user");
	errno = 0;
	if (!getpwnam(name))
		return err_set(ERR_NOT_FOUND,
			       "there is no Unix user %s here; make one first: "
			       "useradd",
			       name);
	return 0;
}

static int role_give(const struct call *call, const char *role, bool is_new)
{
	struct admins a = {0};
	char what[64];
	int kind, was, rc;

	if (kind_parse(role, &kind))
		return report_usage();
	rc = user_check(call->operands[0]);
	if (!rc)
		rc = admins_read(call, &a);
	if (rc)
		return report_failure(rc);
	was = name_take_out(&a, call->operands[0]);
	if (was == kind)
		return report_failure(
			err_set(ERR_UNCHANGED, "%s is %s already", call->operands[0], role));
	if (is_new != (was < 0))
		return report_failure(is_new ? err_set(ERR_EXISTS,
						       "%s is %s; to change that: "
						       "pumpctl admin role",
						       call->operands[0], kind_name(was))
					     : err_set(ERR_NOT_FOUND,
						       "%s is no admin yet: pumpctl "
						       "admin add",
						       call->operands[0]));
	if (was == 0 && !names_each(a.lists[0], NULL, NULL))
		return report_failure(
			err_set(ERR_CONFLICT, "%s is the last " OFFICER, call->operands[0]));
	snprintf(a.lists[kind] + strlen(a.lists[kind]),
		 sizeof(a.lists[kind]) - strlen(a.lists[kind]), "%s%s",
		 a.lists[kind][0] ? ", " : "", call->operands[0]);
	snprintf(what, sizeof(what), "is %s", role);
	return changed(call, &a, what);
}

static int admin_add_run(const struct call *call)
{
	return role_give(call, call_value(call, "role"), true);
}

static int admin_role_run(const struct call *call)
{
	return role_give(call, call->operands[1], false);
}

static int admin_remove_run(const struct call *call)
{
	struct admins a = {0};
	int was, rc = admins_read(call, &a);

	if (rc)
		return report_failure(rc);
	was = name_take_out(&a, call->operands[0]);
	if (was < 0)
		return report_failure(err_set(ERR_UNCHANGED, "%s is no admin", call->operands[0]));
	if (was == 0 && !names_each(a.lists[0], NULL, NULL))
		return report_failure(
			err_set(ERR_CONFLICT, "%s is the last " OFFICER, call->operands[0]));
	return changed(call, &a, "is no admin any more");
}

struct shown {
	json_t *list; /* NULL: for people */
	const char *kind;
};

static void name_show(void *ctx, const char *name)
{
	struct shown *s = ctx;

	if (s->list)
		json_array_append_new(s->list,
				      json_pack("{s:s s:s}", "user", name, "role", s->kind));
	else
		printf("%-24s %s\n", name, s->kind);
}

static int admin_list_run(const struct call *call)
{
	struct admins a = {0};
	struct shown s = {.list = call->json ? json_array() : NULL};
	int rc = admins_read(call, &a);

	for (int k = 0; !rc && k < KINDS; k++) {
		s.kind = kind_name(k);
		names_each(a.lists[k], name_show, &s);
	}
	if (!rc && call->json)
		rc = json_show(s.list);
	return rc ? report_failure(rc) : EXIT_DONE;
}

const struct verb verb_admin_list = {
	.group = "admin",
	.name = "list",
	.operands = "",
	.summary = "Which Unix users run Pumpgate, and what they may do",
	.examples = {"admin list", "admin list --json", "--home /tmp/try admin list"},
	.run = admin_list_run,
};

static const struct option_spec add_options[] = {
	{"role", 0, OPTION_VALUE, "R", "security-officer (all), viewer, onboarder or auditor",
	 true},
};

const struct verb verb_admin_add = {
	.group = "admin",
	.name = "add",
	.operands = "USER",
	.n_operands = 1,
	.summary = "Let a Unix user use pumpctl, as far as the role goes",
	VERB_OPTIONS(add_options),
	.examples = {"admin add anna --role viewer", "admin add bob --role security-officer",
		     "admin add bench --role onboarder"},
	.run = admin_add_run,
};

const struct verb verb_admin_role = {
	.group = "admin",
	.name = "role",
	.operands = "USER ROLE",
	.n_operands = 2,
	.summary = "Give an admin another role",
	.examples = {"admin role anna onboarder", "admin role anna auditor",
		     "admin role bob security-officer"},
	.run = admin_role_run,
};

const struct verb verb_admin_remove = {
	.group = "admin",
	.name = "remove",
	.operands = "USER",
	.n_operands = 1,
	.summary = "Take a Unix user's role away",
	.examples = {"admin remove anna", "admin remove anna --json",
		     "--home /tmp/try admin remove anna"},
	.run = admin_remove_run,
};
