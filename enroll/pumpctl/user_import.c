/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * pumpctl user import: a list of people into credd, 64 accounts per transaction. Good rows go in,
 * each bad one is named; run again, what is in already counts as unchanged.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <jansson.h>

#include "base/log.h"
#include "enroll/pumpctl/registry.h"
#include "enroll/pumpctl/report.h"
#include "enroll/pumpctl/user_csv.h"
#include "enroll/pumpctl/user_directory.h"
#include "enroll/pumpctl/verbs.h"
#include "sql/proto/cred_verbs.h"

#define CHUNK 65536
#define ROLES_MAX 200
#define BATCH_TIMEOUT_MS 60000

struct user_import {
	const struct call *call;
	struct ipc_client *client;
	bool dry_run;
	struct role_terms roles[ROLES_MAX]; /* dry run */
	size_t n_roles;
	struct user_add batch[CRED_USER_ADD_MAX];
	unsigned lines[CRED_USER_ADD_MAX];
	size_t n;
	struct add_outcome outcomes[CRED_USER_ADD_MAX];
	unsigned long added, unchanged, refused;
	bool progress;
};

static int refuse(struct user_import *im, unsigned line, const char *name, const char *why)
{
	char safe[512];
	json_t *j;

	log_escape(why, strlen(why), safe, sizeof(safe));
	if (im->progress)
		fputs("\r\033[K", stderr);
	if (im->call->json) {
		j = json_pack("{s:i s:s s:s}", "line", (int)line, "name", name, "reason", safe);
		fputs(im->refused ? ",\n  " : "\n  ", stdout);
		if (!j || json_dumpf(j, stdout, JSON_COMPACT)) {
			json_decref(j);
			return err_set(ERR_IO, "cannot write the answer");
		}
		json_decref(j);
	} else {
		printf("line %u: %s%s%s\n", line, name, *name ? ": " : "", safe);
	}
	im->refused++;
	return 0;
}

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
	if (im->dry_run)
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
	for (size_t i = 0; !rc && i < im->n; i++) {
		if (im->outcomes[i].code == 0)
			im->added++;
		else if (im->outcomes[i].code == -ERR_UNCHANGED)
			im->unchanged++;
		else
			rc = refuse(im, im->lines[i], im->batch[i].name, im->outcomes[i].text);
	}
	im->n = 0;
	if (im->progress)
		fprintf(stderr, "\r%lu people", im->added + im->unchanged + im->refused);
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
	return refuse(ctx, line, name, why);
}

static void on_same(void *ctx)
{
	struct user_import *im = ctx;

	im->unchanged++;
}

static void on_ignored(void *ctx, const char *column)
{
	(void)ctx;
	report_note("column '%s' is not read", column);
}

static int file_feed(int fd, struct user_csv *v)
{
	char *chunk = malloc(CHUNK);
	int rc = chunk ? 0 : err_set(ERR_NOMEM, "no memory to read the file");

	while (!rc) {
		ssize_t n = read(fd, chunk, CHUNK);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			rc = err_errno(ERR_IO, "reading the file");
		if (n <= 0)
			break;
		rc = user_csv_feed(v, chunk, (size_t)n);
	}
	free(chunk);
	if (!rc)
		rc = user_csv_end(v);
	return rc;
}

static int file_import(struct user_import *im)
{
	const struct user_csv_sink sink = {on_row, on_bad, on_ignored, im};
	const struct list_query all = {.limit = ROLES_MAX};
	const char *path = im->call->operands[0];
	struct user_csv *v = NULL;
	int fd, rc;

	fd = strcmp(path, "-") ? open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY) : dup(0);
	if (fd < 0)
		return err_errno(ERR_IO, "%s", path);
	rc = user_csv_new(&sink, &v);
	if (!rc && im->dry_run)
		rc = ipc_client_call(im->client, CRED_ROLE_LIST, &record_list_query, &all, 1,
				     &record_role_terms, im->roles, ROLES_MAX, &im->n_roles,
				     REGISTRY_TIMEOUT_MS);
	if (!rc)
		rc = file_feed(fd, v);
	close(fd);
	user_csv_free(v);
	return rc;
}

static int import_all(struct user_import *im)
{
	const struct user_directory_sink sink = {on_row, on_bad, on_same, im};
	int rc = call_flag(im->call, "ldap") ? user_directory_feed(im->client, &sink)
					     : file_import(im);

	if (!rc)
		rc = batch_send(im);
	if (im->progress)
		fputs("\r\033[K", stderr);
	return rc;
}

static int import_summary(const struct user_import *im, int rc)
{
	if (im->call->json)
		printf("%s],\n \"added\": %lu, \"unchanged\": %lu, \"refused\": %lu, "
		       "\"dry_run\": %s, \"complete\": %s}\n",
		       im->refused ? "\n " : "", im->added, im->unchanged, im->refused,
		       im->dry_run ? "true" : "false", rc ? "false" : "true");
	else if (im->dry_run)
		printf("dry run, nothing changed: %lu rows are good, %lu refused\n", im->added,
		       im->refused);
	else
		printf("%lu added, %lu unchanged, %lu refused\n", im->added, im->unchanged,
		       im->refused);
	if (rc) {
		int status = cred_failure(im->call, rc);

		report_note("not the whole file was read; repeat the import, what is in counts as "
			    "unchanged");
		return status;
	}
	if (im->refused)
		return EXIT_FAILED;
	return im->added ? EXIT_DONE : EXIT_NOTHING;
}

static int user_import_run(const struct call *call)
{
	struct user_import *im = calloc(1, sizeof(*im));
	AUTO_IPC_CLIENT c = NULL;
	int status, rc;

	if (call_flag(call, "ldap") == (call->n_operands == 1)) {
		free(im);
		err_text_set("name a file, or --ldap for the directory");
		return report_usage();
	}
	rc = im ? cred_open(call, &c) : err_set(ERR_NOMEM, "no memory for the import");

	if (rc) {
		free(im);
		return cred_failure(call, rc);
	}
	im->call = call;
	im->client = c;
	im->dry_run = call_flag(call, "dry-run");
	im->progress = isatty(STDERR_FILENO);
	if (call->json)
		fputs("{\"refused_rows\": [", stdout);
	status = import_summary(im, import_all(im));
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
