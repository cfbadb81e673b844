/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * pumpctl pump import: an inventory file into the registry, 256 pumps per transaction. Good rows go
 * in, each bad one is named; run again, what is in already counts as unchanged.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "enroll/pumpctl/import_run.h"
#include "enroll/pumpctl/inventory_csv.h"
#include "enroll/pumpctl/registry.h"
#include "enroll/pumpctl/report.h"
#include "enroll/pumpctl/verbs.h"

#define BATCH 256
#define ZONES_MAX 1000
#define BATCH_TIMEOUT_MS 60000
#define RETRIES 4 /* after 1, 2 and 3 seconds */

struct import {
	struct import_run run;
	struct ipc_client *client;
	struct zone *zones; /* dry run: what the registry would accept */
	size_t n_zones;
	struct device batch[BATCH];
	unsigned lines[BATCH];
	size_t n;
	struct add_outcome outcomes[BATCH];
};

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
	if (im->run.dry_run)
		outcomes_guess(im);
	else
		rc = batch_add(im);
	for (size_t i = 0; !rc && i < im->n; i++)
		rc = import_take(&im->run, im->lines[i], im->batch[i].serial, &im->outcomes[i]);
	im->n = 0;
	import_progress_show(&im->run);
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
	struct import *im = ctx;

	return import_refuse(&im->run, line, serial, why);
}

static void on_ignored(void *ctx, const char *column)
{
	(void)ctx;
	report_note("column '%s' is not read", column);
}

static int on_bytes(void *inventory, const void *data, size_t len)
{
	return inventory_feed(inventory, data, len);
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

static int import_all(struct import *im, const char *path)
{
	const struct inventory_sink sink = {on_row, on_bad, on_ignored, im};
	AUTO_INVENTORY v = NULL;
	int rc = inventory_new(&sink, &v);

	if (!rc && im->run.dry_run)
		rc = zones_read(im);
	if (!rc)
		rc = import_file_read(&im->run, path, on_bytes, v);
	if (!rc)
		rc = inventory_end(v);
	return rc ? rc : batch_send(im);
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
	import_begin(&im->run, call, "pumps", "serial");
	im->client = c;
	status = import_end(&im->run, import_all(im, call->operands[0]), registry_failure);
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
