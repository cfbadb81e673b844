/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * pumpctl ca rollover: another issuing CA. Of the servers here, which pumps must know before a
 * server shows a certificate of it: the gate stands here; what is done, in rollover.c. Of the pumps
 * in rollover_device.c.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/daemon.h"
#include "enroll/pumpctl/layout.h"
#include "enroll/pumpctl/record_json.h"
#include "enroll/pumpctl/registry.h"
#include "enroll/pumpctl/report.h"
#include "enroll/pumpctl/rollover.h"
#include "enroll/pumpctl/rollover_device.h"
#include "enroll/pumpctl/rollover_print.h"
#include "enroll/pumpctl/verbs.h"

#define WITHIN_DEFAULT "7d"
#define PAGE 500
#define SHOWN_MAX 20

struct gate {
	unsigned long percent; /* wanted */
	bool is_known;
	uint64_t holding, active, absent;
	struct anchor_lack lacking[SHOWN_MAX]; /* active ones */
	size_t n_lacking;
};

struct run {
	const struct call *call;
	struct settings s;
	const char *uri; /* start: of a key in a token */
	int64_t within_ms;
	struct gate gate;
	json_t *servers; /* what was done to them */
	bool done;
};

static void told(void *ctx, const char *server, const char *what, int64_t away_ms)
{
	struct run *r = ctx;

	rollover_told_print(r->call, r->servers, server, what, away_ms);
}

/* ---- the gate ---- */

static void lack_count(struct gate *g, const struct anchor_lack *l)
{
	if (!l->active) {
		g->absent++;
		return;
	}
	g->active++;
	if (g->n_lacking < SHOWN_MAX)
		g->lacking[g->n_lacking++] = *l;
}

static int gate_look(struct run *r, X509 *anchor)
{
	AUTO_IPC_CLIENT c = NULL;
	struct anchor_query q = {.since = clock_wall_ms() - r->within_ms, .limit = PAGE};
	static struct anchor_lack page[PAGE];
	struct anchor_count count;
	size_t n = PAGE;
	int rc = rollover_sha256(anchor, q.sha256);

	if (!rc)
		rc = registry_open(r->call, &c);
	if (!rc)
		rc = registry_anchor_count(c, &q, &count, REGISTRY_TIMEOUT_MS);
	if (!rc)
		r->gate.holding = r->gate.active = count.holding;
	while (!rc && n == PAGE) {
		rc = registry_anchor_lack(c, &q, page, PAGE, &n, REGISTRY_TIMEOUT_MS);
		for (size_t i = 0; !rc && i < n; i++)
			lack_count(&r->gate, &page[i]);
		if (!rc && n)
			memcpy(q.after, page[n - 1].device, sizeof(q.after));
	}
	r->gate.is_known = !rc;
	return rc;
}

static unsigned long gate_percent(const struct gate *g)
{
	return g->active ? (unsigned long)(g->holding * 100 / g->active) : 100;
}

static bool gate_is_open(const struct gate *g)
{
	return !g->percent || (g->is_known && gate_percent(g) >= g->percent);
}

static void gate_print(const struct gate *g)
{
	if (!g->is_known) {
		puts("pumps     registryd does not answer: not known");
		return;
	}
	printf("pumps     %" PRIu64 " of %" PRIu64
	       " active ones hold the next CA (%lu %%); %" PRIu64 " more were not heard of\n",
	       g->holding, g->active, gate_percent(g), g->absent);
	for (size_t i = 0; i < g->n_lacking; i++)
		rollover_lack_print(&g->lacking[i]);
	if (g->active - g->holding > g->n_lacking)
		printf("  and %" PRIu64 " more\n", g->active - g->holding - g->n_lacking);
}

/* ---- what is there ---- */

static const char *next_step(const struct run *r, const struct rollover_state *st)
{
	if (!strcmp(st->name, "started"))
		return gate_is_open(&r->gate)
			       ? "pumpctl ca rollover switch server"
			       : "wait: pumps ask once an hour while they are on the network";
	if (!strcmp(st->name, "switched"))
		return "pumpctl ca rollover finish server";
	return "pumpctl ca rollover start server begins one";
}

static int state_json(const struct run *r, const struct rollover_state *st)
{
	const struct gate *g = &r->gate;
	json_t *lacking = json_array(), *j;

	for (size_t i = 0; i < g->n_lacking; i++)
		json_array_append_new(lacking, record_to_json(&record_anchor_lack, &g->lacking[i]));
	j = json_pack("{s:s s:s s:o s:o s:I s:I s:I s:I s:b s:o s:O s:s}", "ca", "server", "state",
		      st->name, "issuing", rollover_ca_json(st->certs[1]), "other",
		      st->n > 2 ? rollover_ca_json(st->certs[2]) : json_null(), "holding",
		      (json_int_t)g->holding, "active", (json_int_t)g->active, "absent",
		      (json_int_t)g->absent, "percent", (json_int_t)gate_percent(g), "may_switch",
		      !strcmp(st->name, "started") && gate_is_open(g), "lacking", lacking,
		      "servers", r->servers, "next", next_step(r, st));
	return json_show(j);
}

static int state_show(const struct run *r, const struct rollover_state *st)
{
	if (r->call->json)
		return state_json(r, st);
	printf("state     %s\n", st->name);
	rollover_ca_print("in use", st->certs[1]);
	if (st->n > 2)
		rollover_ca_print(strcmp(st->name, "started") ? "previous" : "next", st->certs[2]);
	if (!strcmp(st->name, "started"))
		gate_print(&r->gate);
	printf("next step %s\n", next_step(r, st));
	return 0;
}

/* ---- steps ---- */

/* What follows from the signer's files: the trust file, then who has to know it. */
static int follow(struct run *r, const struct rollover_state *st)
{
	int rc = rollover_trust_write(&r->s, "server", st);

	if (!rc && !strcmp(st->name, "switched"))
		rc = rollover_servers(&r->s, st->certs[1], told, r, &r->done);
	return rc ? rc : rollover_publish(&r->s, "server", told, r, &r->done);
}

static int may_switch(const struct run *r, const struct rollover_state *st)
{
	if (strcmp(st->name, "started") || gate_is_open(&r->gate))
		return 0;
	return err_set(ERR_BUSY,
		       "only %lu %% of %" PRIu64
		       " active pumps hold the next CA, %lu %% are wanted: "
		       "the others would refuse the RADIUS server. pumpctl ca rollover status "
		       "server lists them; --percent N sets another bound",
		       gate_percent(&r->gate), r->gate.active, r->gate.percent);
}

static int may_finish(const struct run *r, const struct rollover_state *st)
{
	unsigned left = 0;
	int rc;

	if (strcmp(st->name, "switched"))
		return 0;
	rc = rollover_servers_left(&r->s, st->certs[1], &left);
	if (!rc && left)
		rc = err_set(ERR_BUSY,
			     "%u servers have no certificate of the new CA in use yet: pumpctl ca "
			     "rollover switch server",
			     left);
	return rc;
}

/* The step itself, unless the gate is closed; then what follows, also from one that was killed. */
static int step_do(struct run *r, const char *step, const struct rollover_state *before)
{
	const struct rollover_order order = {"server", step, r->uri};
	AUTO_ROLLOVER after = {.n = 0};
	int rc = !strcmp(step, "switch")   ? may_switch(r, before)
		 : !strcmp(step, "finish") ? may_finish(r, before)
					   : 0;

	if (rc)
		return rc;
	rc = rollover_step(&r->s, &order, &after);
	r->done = !rc;
	if (rc && rc != ERR_UNCHANGED)
		return rc;
	rc = follow(r, &after);
	if (rc)
		return rc;
	if (!strcmp(after.name, "started"))
		(void)gate_look(r, after.certs[2]); /* else it is shown as not known */
	if ((r->done || r->call->json) && state_show(r, &after))
		return ERR_IO;
	return r->done ? 0
		       : err_set(ERR_UNCHANGED, "it is %s already, and nothing is left to do",
				 after.name);
}

static int dry_run(const struct run *r, const char *step, const struct rollover_state *st)
{
	static const char *const words[][2] = {
		{"start", "would make the next issuing CA and tell pumps of it; enrolld starts "
			  "again"},
		{"switch", "would renew the certificates of enrolld, radiusd and radsecd with the "
			   "next CA; each starts again"},
		{"finish", "would take the previous CA out of what pumps are told, and destroy its "
			   "key; enrolld starts again"},
		{"abort", "would destroy the next CA and tell pumps so; enrolld starts again"}};
	int rc = !strcmp(step, "switch")   ? may_switch(r, st)
		 : !strcmp(step, "finish") ? may_finish(r, st)
					   : 0;

	for (size_t i = 0; !r->call->json && i < sizeof(words) / sizeof(words[0]); i++)
		if (!strcmp(step, words[i][0]))
			report_line(r->call, "%s: %s", step, words[i][1]);
	return state_show(r, st) ? ERR_IO : rc;
}

static int rollover_exit(int rc)
{
	return rc ? report_failure(rc) : EXIT_DONE;
}

static int begin(struct run *r, const char *step, struct rollover_state *before)
{
	const struct rollover_order status = {"server", "status", NULL};
	bool changes = strcmp(step, "status") && !call_flag(r->call, "dry-run");
	int rc = settings_read(home_dir(r->call->home), &r->s);

	if (!rc && changes) {
		rc = layout_lock(r->s.home, LOCK_INIT);
		if (rc == ERR_BUSY)
			rc = err_set(rc, "another roll-over, renewal or `pumpctl init` is at work");
	}
	if (!rc)
		rc = rollover_step(&r->s, &status, before);
	if (!rc && !strcmp(before->name, "started") &&
	    (!strcmp(step, "status") || (!strcmp(step, "switch") && r->gate.percent)))
		rc = gate_look(r, before->certs[2]);
	return rc;
}

static int rollover_take(const struct call *call, struct run *r)
{
	static const char *const steps[] = {"start", "status", "switch", "finish", "abort"};
	const char *within = call_value(call, "active-within");
	size_t i = 0;

	while (i < 5 && strcmp(call->operands[0], steps[i]))
		i++;
	if (i == 5)
		return err_set(ERR_INVALID, "STEP is start, status, switch, finish or abort");
	if (strcmp(call->operands[1], "server") && strcmp(call->operands[1], "device"))
		return err_set(ERR_INVALID, "CA is server or device");
	r->uri = call_value(call, "pkcs11");
	if (r->uri && strcmp(call->operands[0], "start") != 0)
		return err_set(ERR_INVALID, "--pkcs11 belongs to start");
	if (clock_duration_parse(within ? within : WITHIN_DEFAULT, &r->within_ms) ||
	    r->within_ms < 1000)
		return err_set(ERR_INVALID, "--active-within: a time such as 7d");
	return call_number(call, "percent", 100, 0, 100, &r->gate.percent);
}

static int rollover_run(const struct call *call)
{
	struct run r = {.call = call, .servers = json_array()};
	const char *step = call->operands[0];
	AUTO_ROLLOVER before = {.n = 0};
	int rc;

	if (rollover_take(call, &r)) {
		json_decref(r.servers);
		return report_usage();
	}
	if (!strcmp(call->operands[1], "device")) {
		const struct rollover_choice choice = {step, r.uri, r.gate.percent, r.within_ms};

		json_decref(r.servers);
		return rollover_device_run(call, &choice);
	}
	rc = begin(&r, step, &before);
	if (!rc && !strcmp(step, "status"))
		rc = state_show(&r, &before) ? ERR_IO : 0;
	else if (!rc && call_flag(call, "dry-run"))
		rc = dry_run(&r, step, &before);
	else if (!rc)
		rc = step_do(&r, step, &before);
	json_decref(r.servers);
	if (rc)
		return rollover_exit(rc);
	return !strcmp(step, "status") && strcmp(before.name, "idle") ? EXIT_TRY_AGAIN : EXIT_DONE;
}

static const struct option_spec rollover_options[] = {
	{"percent", 0, OPTION_VALUE, "N", "enough when so many of the pumps are ready (100)",
	 false},
	{"active-within", 0, OPTION_VALUE, "T", "active: heard of within T (7d)", false},
	{"pkcs11", 0, OPTION_VALUE, "URI", "start: the next key was made in a token", false},
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
	.examples = {"ca rollover start server", "ca rollover switch server --percent 98 --dry-run",
		     "ca rollover status device --json"},
	.run = rollover_run,
};
