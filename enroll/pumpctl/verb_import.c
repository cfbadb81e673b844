/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * pumpctl pump import: an inventory file into the registry, 256 pumps per transaction. Good rows go
 * in, each bad one is named; run again, what is in already counts as unchanged.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <jansson.h>

#include "base/clock.h"
#include "base/log.h"
#include "enroll/pumpctl/inventory_csv.h"
#include "enroll/pumpctl/registry.h"
#include "enroll/pumpctl/report.h"
#include "enroll/pumpctl/verbs.h"

#define BATCH 256
#define CHUNK 65536
#define ZONES_MAX 1000
#define PROGRESS_US 100000
#define BATCH_TIMEOUT_MS 60000
#define RETRIES 4 /* after 1, 2 and 3 seconds */

struct import {
	const struct call *call;
	struct ipc_client *client;
	bool dry_run;
	struct zone *zones; /* dry run: what the registry would accept */
	size_t n_zones;
	struct device batch[BATCH];
	unsigned lines[BATCH];
	size_t n;
	struct add_outcome outcomes[BATCH];
	unsigned long added, unchanged, refused;
	off_t size, done; /* bytes; size 0: unknown */
	int64_t shown_us;
	bool progress;
};

static void progress_clear(const struct import *im)
{
	if (im->progress)
		fputs("\r\033[K", stderr);
}

static void progress_show(struct import *im)
{
	const int width = 30;
	int64_t now = clock_mono_us();
	int filled;

	if (!im->progress || now - im->shown_us < PROGRESS_US)
		return;
	im->shown_us = now;
	filled = im->size ? (int)(im->done * width / im->size) : 0;
	if (filled > width)
		filled = width;
	fprintf(stderr, "\r[%-*.*s] %lu pumps", width, filled, "##############################",
		im->added + im->unchanged + im->refused);
}

static int refuse(struct import *im, unsigned line, const char *serial, const char *why)
{
	char safe[512];

	log_escape(why, strlen(why), safe, sizeof(safe));
	if (im->call->json) {
		json_t *j = json_pack("{s:i s:s s:s}", "line", (int)line, "serial", serial,
				      "reason", safe);

		fputs(im->refused ? ",\n  " : "\n  ", stdout);
		if (!j || json_dumpf(j, stdout, JSON_COMPACT))
			return err_set(ERR_IO, "cannot write the answer");
		json_decref(j);
	} else {
		progress_clear(im);
		printf("line %u: %s%s%s\n", line, serial, *serial ? ": " : "", safe);
	}
	im->refused++;
	return 0;
}

static int outcomes_take(struct import *im)
{
	for (size_t i = 0; i < im->n; i++) {
		const struct add_outcome *o = &im->outcomes[i];
		int rc = 0;

		if (o->code == 0)
			im->added++;
		else if (o->code == -ERR_UNCHANGED)
			im->unchanged++;
		else
			rc = refuse(im, im->lines[i], im->batch[i].serial, o->text);
		if (rc)
			return rc;
	}
	return 0;
}

static bool zone_exists(const struct import *im, const char *name)
{
	for (size_t i = 0; i < im->n_zones; i++)
		if (!strcmp(im->zones[i].name, name))
			return true;
	return false;
}

/* Without the registry's word: what a dry run can know. */
static void outcomes_guess(struct import *im)
{
	for (size_t i = 0; i < im->n; i++) {
		struct add_outcome *o = &im->outcomes[i];

		*o = (struct add_outcome){0};
		if (zone_exists(im, im->batch[i].zone))
			continue;
		o->code = -ERR_NOT_FOUND;
		snprintf(o->text, sizeof(o->text), "there is no zone '%s'", im->batch[i].zone);
	}
}

/* Adding is idempotent, so a registry that restarts in between costs only a pause. */
static int batch_add(struct import *im)
{
	int rc = ERR_UNAVAILABLE;

	for (unsigned try = 0; try < RETRIES && exit_status_of(rc) == EXIT_TRY_AGAIN; try++) {
		if (try)
			sleep(try);
		rc = registry_device_add(im->client, im->batch, im->n, im->outcomes,
					 BATCH_TIMEOUT_MS);
	}
	return rc;
}

static int batch_send(struct import *im)
{
	int rc = 0;

	if (im->n == 0)
		return 0;
	if (im->dry_run)
		outcomes_guess(im);
	else
		rc = batch_add(im);
	if (!rc)
		rc = outcomes_take(im);
	im->n = 0;
	progress_show(im);
	return rc;
}

static int on_row(void *ctx, unsigned line, const struct device *d)
{
	struct import *im = ctx;

	im->batch[im->n] = *d;
	im->lines[im->n++] = line;
	return im->n == BATCH ? batch_send(im) : 0;
}

static int on_bad(void *ctx, unsigned line, const char *serial, const char *why)
{
	return refuse(ctx, line, serial, why);
}

static void on_ignored(void *ctx, const char *column)
{
	(void)ctx;
	report_note("column '%s' is not read", column);
}

static int file_open(struct import *im, const char *path, int *fd_out)
{
	struct stat st;

	*fd_out = strcmp(path, "-") ? open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY) : dup(0);
	if (*fd_out < 0)
		return err_errno(ERR_IO, "%s", path);
	if (fstat(*fd_out, &st) == 0 && S_ISDIR(st.st_mode)) {
		close(*fd_out);
		return err_set(ERR_IO, "%s is a folder", path);
	}
	im->size = S_ISREG(st.st_mode) ? st.st_size : 0;
	return 0;
}

static int file_feed(struct import *im, int fd, struct inventory *v)
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
		im->done += n;
		rc = inventory_feed(v, chunk, (size_t)n);
	}
	free(chunk);
	if (!rc)
		rc = inventory_end(v);
	return rc ? rc : batch_send(im);
}

static int zones_read(struct import *im)
{
	struct list_query q = {.limit = ZONES_MAX};

	im->zones = calloc(ZONES_MAX, sizeof(*im->zones));
	if (!im->zones)
		return err_set(ERR_NOMEM, "no memory for zones");
	return registry_zone_list(im->client, &q, im->zones, ZONES_MAX, &im->n_zones,
				  REGISTRY_TIMEOUT_MS);
}

static int import_all(struct import *im)
{
	const struct inventory_sink sink = {on_row, on_bad, on_ignored, im};
	AUTO_INVENTORY v = NULL;
	int fd, rc;

	rc = file_open(im, im->call->operands[0], &fd);
	if (rc)
		return rc;
	rc = inventory_new(&sink, &v);
	if (!rc && im->dry_run)
		rc = zones_read(im);
	if (!rc)
		rc = file_feed(im, fd, v);
	close(fd);
	progress_clear(im);
	return rc;
}

static int import_summary(const struct import *im, int rc)
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
		int status = registry_failure(im->call, rc);

		report_note("not the whole file was read; repeat the import, what is in counts as "
			    "unchanged");
		return status;
	}
	if (im->refused)
		return EXIT_FAILED;
	return im->added ? EXIT_DONE : EXIT_NOTHING;
}

static int pump_import_run(const struct call *call)
{
	struct import *im = calloc(1, sizeof(*im));
	AUTO_IPC_CLIENT c = NULL;
	int status;
	int rc = im ? registry_open(call, &c) : err_set(ERR_NOMEM, "no memory for the import");

	if (rc) {
		free(im);
		return registry_failure(call, rc);
	}
	im->call = call;
	im->client = c;
	im->dry_run = call_flag(call, "dry-run");
	im->progress = isatty(STDERR_FILENO);
	if (call->json)
		fputs("{\"refused_rows\": [", stdout);
	status = import_summary(im, import_all(im));
	free(im->zones);
	free(im);
	return status;
}

static const struct option_spec import_options[] = {
	{"dry-run", 0, OPTION_FLAG, NULL, "check the file and its zones, change nothing", false},
};

const struct verb verb_pump_import = {
	.group = "pump",
	.name = "import",
	.operands = "FILE.csv",
	.n_operands = 1,
	.summary = "Add pumps from CSV with columns serial,maker,model,mac,ward,zone (- : standard "
		   "input)",
	VERB_OPTIONS(import_options),
	.examples = {"pump import inventory.csv --dry-run", "pump import inventory.csv",
		     "pump import - --json < inventory.csv"},
	.run = pump_import_run,
};
