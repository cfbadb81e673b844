/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * pumpctl cert rotate | rotation: asking pumps to renew their certificates early, wave by wave.
 * registryd carries it out; ending this program ends nothing.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "enroll/pumpctl/record_json.h"
#include "enroll/pumpctl/registry.h"
#include "enroll/pumpctl/report.h"
#include "enroll/pumpctl/rotation_choice.h"
#include "enroll/pumpctl/table.h"
#include "enroll/pumpctl/verbs.h"

#define WAVES_MAX 500
#define POLL_NS 500000000
#define AWAY_MAX_US 60000000LL
#define BAR_WIDTH 30

static const struct column wave_columns[] = {
	{"WAVE", "wave"},	{"WARD", "ward"},    {"MODEL", "model"},     {"PUMPS", "pumps"},
	{"WAITING", "waiting"}, {"ASKED", "asked"},  {"RENEWED", "renewed"}, {"FAILED", "failed"},
	{"ABSENT", "absent"},	{"REVOKED", "gone"},
};
#define N_WAVE_COLUMNS (sizeof(wave_columns) / sizeof(wave_columns[0]))

/* ---- showing ---- */

static json_t *waves_to_json(const struct rotation_wave *waves, size_t n)
{
	json_t *all = json_array();

	for (size_t i = 0; all && i < n; i++)
		json_array_append_new(all, record_to_json(&record_rotation_wave, &waves[i]));
	return all;
}

static int json_print(const struct rotation *r, const struct rotation_wave *waves, size_t n)
{
	json_t *j = record_to_json(&record_rotation, r);

	if (j)
		json_object_set_new(j, "by_wave", waves_to_json(waves, n));
	return json_show(j);
}

static void sentence_print(const struct rotation *r)
{
	printf("rotation %" PRIu64 " (%s) is %s: wave %" PRIu32 " of %" PRIu32 ", %" PRIu64
	       " of %" PRIu64 " pumps have renewed\n",
	       r->id, r->chosen, r->state, r->wave, r->waves, r->renewed, r->pumps);
	if (!strcmp(r->state, "halted"))
		printf("halted: %s\nnext: pumpctl pump why on one of them; then pumpctl cert "
		       "rotation --resume, or --cancel\n",
		       r->why);
	else if (r->failed || r->absent)
		printf("%" PRIu64 " failed to renew in time, %" PRIu64
		       " were not on the network since they were asked\n",
		       r->failed, r->absent);
}

static int print(const struct call *call, const struct rotation *r,
		 const struct rotation_wave *waves, size_t n)
{
	struct table t = {.to = stdout,
			  .columns = wave_columns,
			  .n_columns = N_WAVE_COLUMNS,
			  .width = terminal_width()};

	if (call->json)
		return json_print(r, waves, n);
	if (r->id)
		sentence_print(r);
	table_print(&t, &record_rotation_wave, waves, n);
	return 0;
}

static int rotation_print(const struct call *call, struct ipc_client *c, const struct rotation *r)
{
	struct rotation_wave_query q = {.id = r->id};
	struct rotation_wave *waves = calloc(WAVES_MAX, sizeof(*waves));
	size_t n = 0;
	int rc = waves ? registry_rotation_waves(c, &q, waves, WAVES_MAX, &n, REGISTRY_TIMEOUT_MS)
		       : err_set(ERR_NOMEM, "no memory for waves");

	rc = rc ? rc : print(call, r, waves, n);
	free(waves);
	return rc ? registry_failure(call, rc) : EXIT_DONE;
}

static int outcome_status(const struct rotation *r)
{
	if (!strcmp(r->state, "running"))
		return EXIT_TRY_AGAIN;
	return strcmp(r->state, "done") || r->failed || r->absent ? EXIT_FAILED : EXIT_DONE;
}

/* ---- following ---- */

static void progress_show(const struct rotation *r)
{
	uint64_t settled = r->renewed + r->failed + r->absent + r->gone;
	int filled = r->pumps ? (int)(settled * BAR_WIDTH / r->pumps) : 0;

	fprintf(stderr,
		"\r\033[K[%-*.*s] wave %" PRIu32 "/%" PRIu32 ", %" PRIu64 "/%" PRIu64
		" renewed, %" PRIu64 " asked, %" PRIu64 " failed",
		BAR_WIDTH, filled, "##############################", r->wave, r->waves, r->renewed,
		r->pumps, r->asked, r->failed);
}

static int follow(struct ipc_client *c, struct rotation *r)
{
	const struct timespec pause = {.tv_nsec = POLL_NS};
	const struct id_query q = {.id = r->id};
	const bool progress = isatty(STDERR_FILENO);
	int64_t heard_us = clock_mono_us();
	int rc = 0;

	while (!strcmp(r->state, "running")) {
		nanosleep(&pause, NULL);
		rc = registry_rotation_show(c, &q, r, REGISTRY_TIMEOUT_MS);
		if (!rc)
			heard_us = clock_mono_us();
		else if (exit_status_of(rc) != EXIT_TRY_AGAIN ||
			 clock_mono_us() - heard_us > AWAY_MAX_US)
			break; /* a registryd that restarts is waited for */
		if (!rc && progress)
			progress_show(r);
	}
	if (progress)
		fputs("\r\033[K", stderr);
	return rc;
}

static int follow_and_print(const struct call *call, struct ipc_client *c, struct rotation *r)
{
	int rc = 0, status;

	if (call_flag(call, "wait")) {
		report_note("pumpctl: rotation %" PRIu64 " is carried out by registryd and goes on "
			    "without this program; stop it: pumpctl cert rotation --cancel",
			    r->id);
		rc = follow(c, r);
	}
	if (rc)
		return registry_failure(call, rc);
	status = rotation_print(call, c, r);
	if (status != EXIT_DONE)
		return status;
	return call_flag(call, "wait") ? outcome_status(r) : EXIT_DONE;
}

/* ---- cert rotate ---- */

static int preview(const struct call *call, struct ipc_client *c, const struct rotation_start *rq)
{
	struct rotation_wave *waves = calloc(WAVES_MAX, sizeof(*waves));
	struct rotation r = {0};
	size_t n = 0;
	int rc = waves ? registry_rotation_start(c, rq, &r, REGISTRY_TIMEOUT_MS)
		       : err_set(ERR_NOMEM, "no memory for waves");

	rc = rc ? rc : registry_rotation_preview(c, rq, waves, WAVES_MAX, &n, REGISTRY_TIMEOUT_MS);
	rc = rc ? rc : print(call, &r, waves, n);
	free(waves);
	if (rc)
		return registry_failure(call, rc);
	report_note("pumpctl: %" PRIu64 " pumps in %" PRIu32 " waves%s; nothing was changed",
		    r.pumps, r.waves, r.waves > n ? " (the first ones are shown)" : "");
	return EXIT_DONE;
}

/* The rotation that is not at its end; ERR_NOT_FOUND. */
static int open_rotation(struct ipc_client *c, struct rotation *out)
{
	const struct id_query newest = {0};
	int rc = registry_rotation_show(c, &newest, out, REGISTRY_TIMEOUT_MS);

	if (!rc && strcmp(out->state, "running") && strcmp(out->state, "halted"))
		return err_set(ERR_NOT_FOUND, "no rotation is open");
	return rc;
}

static int cert_rotate_run(const struct call *call)
{
	AUTO_IPC_CLIENT c = NULL;
	struct rotation_start rq;
	struct rotation r;
	int rc;

	if (rotation_choice_take(call, &rq))
		return report_usage();
	rc = registry_open(call, &c);
	if (rc)
		return registry_failure(call, rc);
	if (rq.dry_run)
		return preview(call, c, &rq);
	rc = registry_rotation_start(c, &rq, &r, REGISTRY_TIMEOUT_MS);
	if (rc == ERR_CONFLICT && !rotation_choice_is_explicit(call) &&
	    !open_rotation(c, &r)) /* a timer's call: what runs goes on */
		rc = !strcmp(r.state, "halted")
			     ? err_set(ERR_CONFLICT,
				       "rotation %" PRIu64 " is halted: %s; see: pumpctl cert "
				       "rotation",
				       r.id, r.why)
			     : 0;
	return rc ? registry_failure(call, rc) : follow_and_print(call, c, &r);
}

static const struct option_spec rotate_options[] = {
	{"due", 0, OPTION_VALUE, "PERCENT",
	 "certificates with so much of their life over (75, and all of a CA that was replaced)",
	 false},
	{"all", 0, OPTION_FLAG, NULL, "certificates of any age", false},
	{"old-ca", 0, OPTION_FLAG, NULL, "only those of a CA that was replaced, of any age", false},
	{"ward", 0, OPTION_VALUE, "W", "only pumps of this ward", false},
	{"model", 0, OPTION_VALUE, "M", "only pumps of this model", false},
	{"canaries", 0, OPTION_VALUE, "N", "pumps asked first, one of a ward and model each (5)",
	 false},
	{"wave", 0, OPTION_VALUE, "N", "pumps asked at once after that (200)", false},
	{"patience", 0, OPTION_VALUE, "T", "for a pump that was asked (24h)", false},
	{"budget", 0, OPTION_VALUE, "PERCENT", "of those asked may fail before it halts (2)",
	 false},
	{"quiet", 0, OPTION_VALUE, "HH:MM-HH:MM", "no wave begins then, by this server's clock",
	 false},
	{"dry-run", 0, OPTION_FLAG, NULL, "only show the waves", false},
	{"wait", 0, OPTION_FLAG, NULL, "look on until it is done or halted", false},
};

const struct verb verb_cert_rotate = {
	.group = "cert",
	.name = "rotate",
	.operands = "",
	.summary = "Ask pumps to renew their certificates, wave by wave",
	VERB_OPTIONS(rotate_options),
	.examples = {"cert rotate --all --dry-run", "cert rotate --ward ICU --quiet 06:00-09:00",
		     "cert rotate --old-ca --wave 500 --json"},
	.run = cert_rotate_run,
};

/* ---- cert rotation ---- */

static int change(const struct call *call, struct ipc_client *c, const char *state)
{
	struct rotation_step step = {0};
	struct rotation r;
	int rc = open_rotation(c, &r);

	if (rc == ERR_NOT_FOUND)
		rc = err_set(ERR_UNCHANGED, "no rotation is open");
	step.id = rc ? 0 : r.id;
	rc = rc ? rc : str_copy(step.state, sizeof(step.state), state);
	rc = rc ? rc : registry_rotation_change(c, &step, &r, REGISTRY_TIMEOUT_MS);
	return rc ? registry_failure(call, rc) : follow_and_print(call, c, &r);
}

static int cert_rotation_run(const struct call *call)
{
	const struct id_query newest = {0};
	AUTO_IPC_CLIENT c = NULL;
	struct rotation r;
	int rc;

	if (call_flag(call, "resume") && call_flag(call, "cancel")) {
		(void)err_set(ERR_INVALID, "either --resume or --cancel");
		return report_usage();
	}
	rc = registry_open(call, &c);
	if (rc)
		return registry_failure(call, rc);
	if (call_flag(call, "resume") || call_flag(call, "cancel"))
		return change(call, c, call_flag(call, "resume") ? "running" : "cancelled");
	rc = registry_rotation_show(c, &newest, &r, REGISTRY_TIMEOUT_MS);
	return rc ? registry_failure(call, rc) : follow_and_print(call, c, &r);
}

static const struct option_spec rotation_options[] = {
	{"resume", 0, OPTION_FLAG, NULL, "go on with a halted one; what failed is forgiven", false},
	{"cancel", 0, OPTION_FLAG, NULL, "ask no more pumps", false},
	{"wait", 0, OPTION_FLAG, NULL, "look on until it is done or halted", false},
};

const struct verb verb_cert_rotation = {
	.group = "cert",
	.name = "rotation",
	.operands = "",
	.summary = "Show how the newest rotation stands, resume or cancel it",
	VERB_OPTIONS(rotation_options),
	.examples = {"cert rotation", "cert rotation --resume --wait", "cert rotation --json"},
	.run = cert_rotation_run,
};
