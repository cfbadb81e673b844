/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * pumpctl ca rollover: another issuing CA. Of the servers here, with --new-root another root too,
 * which pumps must know before a server shows a certificate of it: what may be done when stands
 * here; what is done, in rollover.c. Of the pumps in rollover_device.c.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/daemon.h"
#include "enroll/pumpctl/anchor_gate.h"
#include "enroll/pumpctl/layout.h"
#include "enroll/pumpctl/record_json.h"
#include "enroll/pumpctl/registry.h"
#include "enroll/pumpctl/report.h"
#include "enroll/pumpctl/rollover.h"
#include "enroll/pumpctl/rollover_device.h"
#include "enroll/pumpctl/rollover_print.h"
#include "enroll/pumpctl/server_policy.h"
#include "enroll/pumpctl/verbs.h"

#define WITHIN_DEFAULT "7d"

struct run {
	const struct call *call;
	const char *step;
	const char *uri; /* start: of a key in a token */
	struct settings s;
	struct gate gate;
	json_t *servers; /* what was done to them */
	bool done;
};

static bool is_started(const struct rollover_state *st)
{
	return !strcmp(st->name, "started");
}

static bool is_switched(const struct rollover_state *st)
{
	return !strcmp(st->name, "switched");
}

/* The old root goes for good with what comes next: everybody must have left it. */
static bool is_before_the_last_step(const struct rollover_state *st)
{
	return is_switched(st) && st->of_root;
}

static void told(void *ctx, const char *server, const char *what, int64_t away_ms)
{
	struct run *r = ctx;

	rollover_told_print(r->call, r->servers, server, what, away_ms);
}

/* ---- what is there ---- */

static const char *next_step(const struct run *r, const struct rollover_state *st)
{
	if (is_started(st))
		return gate_is_open(&r->gate)
			       ? "pumpctl ca rollover switch server"
			       : "wait: pumps ask once an hour while they are on the network";
	if (is_before_the_last_step(st) && !gate_is_open(&r->gate))
		return "wait for the pumps that lack the new root; those that never come: pumpctl "
		       "ca rollover finish server --leave-behind";
	if (is_switched(st))
		return "pumpctl ca rollover finish server";
	return "pumpctl ca rollover start server begins one";
}

static json_t *other_json(const struct rollover_state *st, size_t at)
{
	return st->n > at ? rollover_ca_json(st->certs[at]) : json_null();
}

static int state_json(const struct run *r, const struct rollover_state *st)
{
	const struct gate *g = &r->gate;
	json_t *j = json_pack(
		"{s:s s:s s:b s:o s:o s:o s:o s:I s:I s:I s:I s:b s:b s:o s:O s:s}", "ca", "server",
		"state", st->name, "new_root", st->of_root, "issuing",
		rollover_ca_json(st->certs[ROLLOVER_CA]), "other",
		other_json(st, ROLLOVER_OTHER_CA), "root",
		rollover_ca_json(st->certs[ROLLOVER_ROOT]), "other_root",
		other_json(st, ROLLOVER_OTHER_ROOT), "holding", (json_int_t)g->holding, "active",
		(json_int_t)g->active, "absent", (json_int_t)g->absent, "percent",
		(json_int_t)gate_percent(g), "may_switch", is_started(st) && gate_is_open(g),
		"may_finish", is_switched(st) && (!st->of_root || gate_is_open(g)), "lacking",
		gate_lacking_json(g), "servers", r->servers, "next", next_step(r, st));

	return json_show(j);
}

static int state_show(const struct run *r, const struct rollover_state *st)
{
	if (r->call->json)
		return state_json(r, st);
	printf("state     %s%s\n", st->name, st->of_root ? ", with the root" : "");
	rollover_ca_print("in use", st->certs[ROLLOVER_CA]);
	if (st->n > ROLLOVER_OTHER_CA)
		rollover_ca_print(is_started(st) ? "next" : "previous",
				  st->certs[ROLLOVER_OTHER_CA]);
	rollover_ca_print("root", st->certs[ROLLOVER_ROOT]);
	if (st->n > ROLLOVER_OTHER_ROOT)
		rollover_ca_print(is_started(st) ? "next root" : "old root",
				  st->certs[ROLLOVER_OTHER_ROOT]);
	if (is_started(st) || is_before_the_last_step(st))
		gate_print(&r->gate);
	printf("next step %s\n", next_step(r, st));
	return 0;
}

/* ---- steps ---- */

/* What pumps hold of what is to come, or of what will be all that there is. */
static int state_gate(struct run *r, const struct rollover_state *st)
{
	r->gate.is_last = is_before_the_last_step(st);
	if (!is_started(st) && !r->gate.is_last)
		return 0;
	return gate_look(r->call, st->certs[r->gate.is_last ? ROLLOVER_CA : ROLLOVER_OTHER_CA],
			 &r->gate);
}

/* Pumps that know the new root alone can't check what was signed below the old one. */
static int policy_follow(struct run *r, const struct rollover_state *st)
{
	AUTO_IPC_CLIENT registry = NULL;
	int rc = registry_open(r->call, &registry);

	rc = rc ? rc : server_policy_follow(&r->s, registry, st->certs[ROLLOVER_CA], &r->done);
	return rc ? err_add(rc, "the server policy below the new root") : 0;
}

/* What follows from the signer's files: the trust file, then who has to know it. */
static int follow(struct run *r, const struct rollover_state *st)
{
	int rc = rollover_trust_write(&r->s, "server", st);

	if (!rc && !is_started(st))
		rc = rollover_servers(&r->s, st, told, r, &r->done);
	rc = rc ? rc : rollover_publish(&r->s, "server", told, r, &r->done);
	if (rc || !is_before_the_last_step(st))
		return rc;
	if (policy_follow(r, st)) /* finish insists on it */
		report_note("not done yet: %s", err_text());
	return 0;
}

static int may_switch(const struct run *r, const struct rollover_state *st)
{
	if (!is_started(st) || gate_is_open(&r->gate))
		return 0;
	return err_set(ERR_BUSY,
		       "only %lu %% of %" PRIu64
		       " active pumps hold the next CA, %lu %% are wanted: "
		       "the others would refuse the RADIUS server. pumpctl ca rollover status "
		       "server lists them; --percent N sets another bound",
		       gate_percent(&r->gate), r->gate.active, r->gate.percent);
}

static int may_leave_behind(struct run *r)
{
	if (gate_is_open(&r->gate))
		return 0;
	if (!r->call->json)
		gate_print(&r->gate);
	if (call_flag(r->call, "leave-behind"))
		return 0;
	return err_set(ERR_BUSY,
		       "%" PRIu64
		       " pumps would find no way back: they know the old root alone, and "
		       "need a new bundle each once it is gone. --leave-behind finishes without "
		       "them",
		       gate_lacking(&r->gate));
}

static int may_finish(struct run *r, const struct rollover_state *st)
{
	unsigned left = 0;
	int rc;

	if (!is_switched(st))
		return 0;
	rc = rollover_servers_left(&r->s, st, &left);
	if (!rc && left)
		rc = err_set(ERR_BUSY,
			     "%u servers have no certificate of the new CA in use yet: pumpctl ca "
			     "rollover switch server",
			     left);
	return rc || !st->of_root ? rc : may_leave_behind(r);
}

static int may_do(struct run *r, const struct rollover_state *st)
{
	if (!strcmp(r->step, "switch"))
		return may_switch(r, st);
	return strcmp(r->step, "finish") ? 0 : may_finish(r, st);
}

static void farewell(const struct run *r, const struct rollover_state *before)
{
	if (strcmp(r->step, "finish") || !before->of_root)
		return;
	report_line(r->call, "a root on another machine: pumpgate-signerd --home DIR retire server "
			     "there; NAS with RadSec must trust the new root "
			     "(HOME/trust/server.pem)");
}

/* The step itself, unless the gate is closed; then what follows, also from one that was killed. */
static int step_do(struct run *r, const struct rollover_state *before)
{
	const struct rollover_order order = {.what = "server",
					     .step = r->step,
					     .uri = r->uri,
					     .new_root = call_flag(r->call, "new-root")};
	AUTO_ROLLOVER after = {.n = 0};
	int rc = may_do(r, before);

	/* what a killed switch may have left undone */
	if (!rc && !strcmp(r->step, "finish") && is_before_the_last_step(before))
		rc = policy_follow(r, before);
	if (rc)
		return rc;
	rc = rollover_step(&r->s, &order, &after);
	r->done = r->done || !rc;
	if (rc && rc != ERR_UNCHANGED)
		return rc;
	rc = follow(r, &after);
	if (rc)
		return rc;
	(void)state_gate(r, &after); /* else it is shown as not known */
	if ((r->done || r->call->json) && state_show(r, &after))
		return ERR_IO;
	if (r->done)
		farewell(r, before);
	return r->done ? 0
		       : err_set(ERR_UNCHANGED, "it is %s already, and nothing is left to do",
				 after.name);
}

static int dry_run(struct run *r, const struct rollover_state *st)
{
	static const char *const words[][2] = {
		{"start", "would make the next issuing CA (--new-root: and its root, with cross "
			  "certificates) and tell pumps of it; enrolld starts again"},
		{"switch", "would renew the certificates of enrolld, radiusd and radsecd with the "
			   "next CA; each starts again"},
		{"finish", "would take the previous CA out of what pumps are told, and destroy its "
			   "key, with a replaced root also that; enrolld starts again"},
		{"abort", "would destroy the next CA and tell pumps so; enrolld starts again"}};
	int rc = may_do(r, st);

	for (size_t i = 0; !r->call->json && i < sizeof(words) / sizeof(words[0]); i++)
		if (!strcmp(r->step, words[i][0]))
			report_line(r->call, "%s: %s", r->step, words[i][1]);
	return state_show(r, st) ? ERR_IO : rc;
}

static int rollover_exit(int rc)
{
	return rc ? report_failure(rc) : EXIT_DONE;
}

/* Without what pumps hold no question of these has an answer. */
static bool needs_gate(const struct run *r, const struct rollover_state *st)
{
	if (is_started(st))
		return !strcmp(r->step, "status") ||
		       (!strcmp(r->step, "switch") && r->gate.percent);
	return is_before_the_last_step(st) &&
	       (!strcmp(r->step, "status") || !strcmp(r->step, "finish"));
}

static int begin(struct run *r, struct rollover_state *before)
{
	static const struct rollover_order look = {.what = "server", .step = "status"};
	bool changes = strcmp(r->step, "status") && !call_flag(r->call, "dry-run");
	int rc = settings_read(home_dir(r->call->home), &r->s);

	if (!rc && changes) {
		rc = layout_lock(r->s.home, LOCK_INIT);
		if (rc == ERR_BUSY)
			rc = err_set(rc, "another roll-over, renewal or `pumpctl init` is at work");
	}
	if (!rc)
		rc = rollover_step(&r->s, &look, before);
	if (!rc && needs_gate(r, before))
		rc = state_gate(r, before);
	return rc;
}

static int options_take(const struct call *call, struct run *r)
{
	static const char *const steps[] = {"start", "status", "switch", "finish", "abort"};
	const char *within = call_value(call, "active-within");
	bool of_device = !strcmp(call->operands[1], "device");
	size_t i = 0;

	r->step = call->operands[0];
	while (i < 5 && strcmp(r->step, steps[i]))
		i++;
	if (i == 5)
		return err_set(ERR_INVALID, "STEP is start, status, switch, finish or abort");
	if (strcmp(call->operands[1], "server") && !of_device)
		return err_set(ERR_INVALID, "CA is server or device");
	r->uri = call_value(call, "pkcs11");
	if ((r->uri || call_flag(call, "new-root")) && strcmp(r->step, "start") != 0)
		return err_set(ERR_INVALID, "--pkcs11 and --new-root belong to start");
	if (call_flag(call, "leave-behind") && (of_device || strcmp(r->step, "finish") != 0))
		return err_set(ERR_INVALID, "--leave-behind belongs to finish server");
	if (call_flag(call, "new-root") && of_device)
		return err_set(ERR_INVALID, "--new-root: the pumps' own root is not replaced yet");
	if (clock_duration_parse(within ? within : WITHIN_DEFAULT, &r->gate.within_ms) ||
	    r->gate.within_ms < 1000)
		return err_set(ERR_INVALID, "--active-within: a time such as 7d");
	return call_number(call, "percent", 100, 0, 100, &r->gate.percent);
}

static int run(struct run *r, const struct rollover_state *before)
{
	if (!strcmp(r->step, "status"))
		return state_show(r, before) ? ERR_IO : 0;
	return call_flag(r->call, "dry-run") ? dry_run(r, before) : step_do(r, before);
}

static int rollover_run(const struct call *call)
{
	struct run r = {.call = call, .servers = json_array()};
	AUTO_ROLLOVER before = {.n = 0};
	int rc;

	if (options_take(call, &r)) {
		json_decref(r.servers);
		return report_usage();
	}
	if (!strcmp(call->operands[1], "device")) {
		const struct rollover_choice choice = {r.step, r.uri, r.gate.percent,
						       r.gate.within_ms};

		json_decref(r.servers);
		return rollover_device_run(call, &choice);
	}
	rc = begin(&r, &before);
	rc = rc ? rc : run(&r, &before);
	json_decref(r.servers);
	gate_done(&r.gate);
	if (rc)
		return rollover_exit(rc);
	return !strcmp(r.step, "status") && strcmp(before.name, "idle") ? EXIT_TRY_AGAIN
									: EXIT_DONE;
}

static const struct option_spec rollover_options[] = {
	{"new-root", 0, OPTION_FLAG, NULL, "start: replace the servers' root too", false},
	{"percent", 0, OPTION_VALUE, "N", "enough when so many of the pumps are ready (100)",
	 false},
	{"active-within", 0, OPTION_VALUE, "T", "active: heard of within T (7d)", false},
	{"pkcs11", 0, OPTION_VALUE, "URI", "start: the next key was made in a token", false},
	{"leave-behind", 0, OPTION_FLAG, NULL,
	 "finish: although pumps know the old root alone; they need a new bundle", false},
	{"dry-run", 0, OPTION_FLAG, NULL, "say what would be done", false},
};

const struct verb verb_ca_rollover = {
	.group = "ca",
	.name = "rollover",
	.operands = "STEP CA",
	.n_operands = 2,
	.summary =
		"Replace an issuing CA, of server or device (start, status, switch, finish, abort)",
	VERB_OPTIONS(rollover_options),
	.examples = {"ca rollover start server --new-root",
		     "ca rollover switch server --percent 98 --dry-run",
		     "ca rollover status device --json"},
	.run = rollover_run,
};
