/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * pumpctl user import: a list of people into credd, 64 accounts per transaction. Good rows go in,
 * each bad one is named; run again, what is in already counts as unchanged.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "enroll/pumpctl/import_run.h"
#include "enroll/pumpctl/registry.h"
#include "enroll/pumpctl/report.h"
#include "enroll/pumpctl/user_csv.h"
#include "enroll/pumpctl/user_directory.h"
#include "enroll/pumpctl/verbs.h"
#include "sql/proto/cred_verbs.h"

#define ROLES_MAX 200
#define BATCH_TIMEOUT_MS 60000

struct user_import {
	struct import_run run;
	struct ipc_client *client;
	struct role_terms roles[ROLES_MAX]; /* dry run */
	size_t n_roles;
	struct user_add batch[CRED_USER_ADD_MAX];
	unsigned lines[CRED_USER_ADD_MAX];
	size_t n;
	struct add_outcome outcomes[CRED_USER_ADD_MAX];
};

static bool role_exists(const struct user_import *im, const char *role)
{
	for (size_t i = 0; i < im->n_roles; i++)
		if (!strcmp(im->roles[i].role, role))
			return true;
	return !*role;
}

/* Without credd's word: what a dry run can know. */
static void outcomes_guess(struct user_import *im)
{
	for (size_t i = 0; i < im->n; i++) {
		struct add_outcome *o = &im->outcomes[i];

		*o = (struct add_outcome){0};
		if (role_exists(im, im->batch[i].role))
			continue;
		o->code = -ERR_NOT_FOUND;
		snprintf(o->text, sizeof(o->text), "there is no role '%s'", im->batch[i].role);
	}
}

static int batch_send(struct user_import *im)
{
	size_t n = 0;
	int rc = 0;

	if (im->n == 0)
		return 0;
	if (im->run.dry_run)
		outcomes_guess(im);
	else
		rc = ipc_client_call(im->client, CRED_USER_ADD, &record_user_add, im->batch, im->n,
				     &record_add_outcome, im->outcomes, CRED_USER_ADD_MAX, &n,
				     BATCH_TIMEOUT_MS);
	if (im->n == 1 && (rc == ERR_UNCHANGED || rc == ERR_EXISTS || rc == ERR_INVALID ||
			   rc == ERR_NOT_FOUND || rc == ERR_LIMIT)) { /* alone it is told so */
		im->outcomes[0].code = (uint32_t)-rc;
		snprintf(im->outcomes[0].text, sizeof(im->outcomes[0].text), "%s", err_text());
		rc = 0;
	}
	for (size_t i = 0; !rc && i < im->n; i++)
		rc = import_take(&im->run, im->lines[i], im->batch[i].name, &im->outcomes[i]);
	im->n = 0;
	import_progress_show(&im->run);
	return rc;
}

static int on_row(void *ctx, unsigned line, const struct user_add *u)
{
	struct user_import *im = ctx;

	im->batch[im->n] = *u;
	im->lines[im->n++] = line;
	return im->n == CRED_USER_ADD_MAX ? batch_send(im) : 0;
}

static int on_bad(void *ctx, unsigned line, const char *name, const char *why)
{
	struct user_import *im = ctx;

	return import_refuse(&im->run, line, name, why);
}

static void on_same(void *ctx)
{
	struct user_import *im = ctx;

	im->run.unchanged++;
}

static void on_ignored(void *ctx, const char *column)
{
	(void)ctx;
	report_note("column '%s' is not read", column);
}

static int on_bytes(void *csv, const void *data, size_t len)
{
	return user_csv_feed(csv, data, len);
}

static int file_import(struct user_import *im, const char *path)
{
	const struct user_csv_sink sink = {on_row, on_bad, on_ignored, im};
	const struct list_query all = {.limit = ROLES_MAX};
	struct user_csv *v = NULL;
	int rc = user_csv_new(&sink, &v);

	if (!rc && im->run.dry_run)
		rc = ipc_client_call(im->client, CRED_ROLE_LIST, &record_list_query, &all, 1,
				     &record_role_terms, im->roles, ROLES_MAX, &im->n_roles,
				     REGISTRY_TIMEOUT_MS);
	if (!rc)
		rc = import_file_read(&im->run, path, on_bytes, v);
	if (!rc)
		rc = user_csv_end(v);
	user_csv_free(v);
	return rc;
}

static int import_all(struct user_import *im, const struct call *call)
{
	const struct user_directory_sink sink = {on_row, on_bad, on_same, im};
	int rc = call_flag(call, "ldap") ? user_directory_feed(im->client, &sink)
					 : file_import(im, call->operands[0]);

	return rc ? rc : batch_send(im);
}

static int user_import_run(const struct call *call)
{
	struct user_import *im;
	AUTO_IPC_CLIENT c = NULL;
	int status, rc;

	if (call_flag(call, "ldap") == (call->n_operands == 1)) {
		err_text_set("name a file, or --ldap for the directory");
		return report_usage();
	}
	im = calloc(1, sizeof(*im));
	rc = im ? cred_open(call, &c) : err_set(ERR_NOMEM, "no memory for the import");
	if (rc) {
		free(im);
		return cred_failure(call, rc);
	}
	import_begin(&im->run, call, "people", "name");
	im->client = c;
	status = import_end(&im->run, import_all(im, call), cred_failure);
	free(im);
	return status;
}

static const struct option_spec import_options[] = {
	{"dry-run", 0, OPTION_FLAG, NULL, "check the file and its roles, change nothing", false},
	{"ldap", 0, OPTION_FLAG, NULL,
	 "everybody whom the directory gives a role, instead of a file", false},
};

const struct verb verb_user_import = {
	.group = "user",
	.name = "import",
	.operands = "[FILE.csv]",
	.n_operands_more = 1,
	.summary = "Add accounts from CSV with columns name,display,source,expires,badge,role,ward,"
		   "model (- : standard input)",
	VERB_OPTIONS(import_options),
	.examples = {"user import people.csv --dry-run", "user import --ldap --dry-run",
		     "user import - --json < people.csv"},
	.run = user_import_run,
};
