/* SPDX-License-Identifier: BSD-2-Clause */
/* Owns the steps of a roll-over of the pumps' CA. Never sees a CA's key: signerd moves those. */
#include "enroll/pumpctl/rollover_device.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/daemon.h"
#include "ca/proto/signer_records.h"
#include "enroll/pumpctl/layout.h"
#include "enroll/pumpctl/record_json.h"
#include "enroll/pumpctl/registry.h"
#include "enroll/pumpctl/report.h"
#include "enroll/pumpctl/rollover.h"
#include "enroll/pumpctl/rollover_gate.h"
#include "enroll/pumpctl/rollover_print.h"
#include "enroll/pumpctl/signer.h"

#define PAGE 500
#define SHOWN_MAX 20
#define SIGNER_MS 5000

struct run {
	const struct call *call;
	const struct rollover_choice *choice;
	struct settings s;
	json_t *servers;			/* what was done to them */
	const char *behind[ROLLOVER_BELIEVERS]; /* servers that have not read the trust file yet */
	size_t n_behind;
	bool pumps_known;
	uint64_t pumps, left, left_active; /* enrolled; of the old CA; of these heard of lately */
	struct anchor_lack lacking[SHOWN_MAX];
	size_t n_lacking;
	struct signer_status signer; /* issuer "": it does not answer */
	bool done;
};

static void told(void *ctx, const char *server, const char *what, int64_t away_ms)
{
	struct run *r = ctx;

	rollover_told_print(r->call, r->servers, server, what, away_ms);
}

static bool is(const struct rollover_state *st, const char *name)
{
	return !strcmp(st->name, name);
}

/* ---- what is there ---- */

static int signer_ask(struct run *r)
{
	const struct signer_query q = {.verbose = false};
	AUTO_IPC_CLIENT c = NULL;
	int rc = signer_open(r->call, &c);

	r->signer.issuer[0] = '\0';
	return rc ? rc
		  : ipc_client_call(c, SIGNER_STATUS, &record_signer_query, &q, 1,
				    &record_signer_status, &r->signer, 1, NULL, SIGNER_MS);
}

static void pump_count(struct run *r, const struct anchor_lack *l)
{
	r->left_active += l->active;
	if (r->n_lacking < SHOWN_MAX)
		r->lacking[r->n_lacking++] = *l;
}

/* Pumps that still live by a certificate of `old`. */
static int pumps_look(struct run *r, X509 *old)
{
	AUTO_IPC_CLIENT c = NULL;
	struct issuer_query q = {.since = clock_wall_ms() - r->choice->within_ms, .limit = PAGE};
	static struct anchor_lack page[PAGE];
	struct anchor_count count;
	size_t n = PAGE;
	int rc = rollover_issuer_name(old, q.issuer, sizeof(q.issuer));

	if (!rc)
		rc = registry_open(r->call, &c);
	if (!rc)
		rc = registry_issuer_count(c, &q, &count, REGISTRY_TIMEOUT_MS);
	while (!rc && n == PAGE) {
		rc = registry_issuer_lack(c, &q, page, PAGE, &n, REGISTRY_TIMEOUT_MS);
		for (size_t i = 0; !rc && i < n; i++)
			pump_count(r, &page[i]);
		if (!rc && n)
			memcpy(q.after, page[n - 1].device, sizeof(q.after));
	}
	if (rc)
		return rc;
	r->pumps = count.pumps;
	r->left = count.pumps - count.holding;
	r->pumps_known = true;
	return 0;
}

static struct rollover_facts facts_of(const struct run *r, const struct rollover_state *st)
{
	return (struct rollover_facts){.state = st->name,
				       .behind = r->behind,
				       .n_behind = r->n_behind,
				       .pumps_known = r->pumps_known,
				       .pumps = r->pumps,
				       .left = r->left,
				       .percent = r->choice->percent};
}

/* ---- showing ---- */

static const char *next_step(const struct run *r, const struct rollover_state *st)
{
	const struct rollover_facts f = facts_of(r, st);

	if (is(st, "started"))
		return r->n_behind ? "pumpctl ca rollover start device, again"
				   : "give trust/device.pem to other systems that check pumps' "
				     "certificates, then: pumpctl ca rollover switch device";
	if (is(st, "switched"))
		return rollover_pumps_have_moved(&f)
			       ? "pumpctl ca rollover finish device"
			       : "pumpctl cert rotate --old-ca moves the pumps";
	if (is(st, "retired"))
		return "pumpctl ca rollover finish device, when its last certificate has ended";
	return "pumpctl ca rollover start device begins one";
}

static void pumps_print(const struct run *r, const struct rollover_state *st)
{
	const struct rollover_facts f = facts_of(r, st);

	if (!r->pumps_known) {
		puts("pumps     registryd does not answer: not known");
		return;
	}
	printf("pumps     %" PRIu64 " of %" PRIu64 " have a certificate of the CA in use (%lu %%); "
	       "of the %" PRIu64 " others %" PRIu64 " were heard of lately\n",
	       r->pumps - r->left, r->pumps, rollover_moved_percent(&f), r->left, r->left_active);
	for (size_t i = 0; i < r->n_lacking; i++)
		rollover_lack_print(&r->lacking[i]);
	if (r->left > r->n_lacking)
		printf("  and %" PRIu64 " more\n", r->left - r->n_lacking);
}

static void old_print(const struct run *r)
{
	char until[CLOCK_TEXT_MAX];

	clock_format(r->signer.old_until, until);
	if (!*r->signer.issuer)
		puts("signerd   does not answer");
	else if (*r->signer.old_issuer)
		printf("signerd   signs CRL and OCSP answers of the old one too; its last "
		       "certificate ends %s\n",
		       r->signer.old_until ? until : "(it has none)");
}

static int state_json(const struct run *r, const struct rollover_state *st)
{
	const struct rollover_facts f = facts_of(r, st);
	json_t *lacking = json_array(), *behind = json_array(), *j;

	for (size_t i = 0; i < r->n_lacking; i++)
		json_array_append_new(lacking, record_to_json(&record_anchor_lack, &r->lacking[i]));
	for (size_t i = 0; i < r->n_behind; i++)
		json_array_append_new(behind, json_string(r->behind[i]));
	j = json_pack("{s:s s:s s:o s:o s:o s:b s:I s:I s:I s:I s:o s:o s:O s:s}", "ca", "device",
		      "state", st->name, "issuing", rollover_ca_json(st->certs[1]), "other",
		      st->n > 2 ? rollover_ca_json(st->certs[2]) : json_null(), "behind", behind,
		      "pumps_known", r->pumps_known, "pumps", (json_int_t)r->pumps, "left",
		      (json_int_t)r->left, "left_active", (json_int_t)r->left_active, "percent",
		      (json_int_t)rollover_moved_percent(&f), "lacking", lacking, "old_until",
		      r->signer.old_until ? time_to_json(r->signer.old_until) : json_null(),
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
		rollover_ca_print(is(st, "started") ? "next" : "previous", st->certs[2]);
	for (size_t i = 0; i < r->n_behind; i++)
		printf("behind    %s has not started since trust/device.pem changed\n",
		       r->behind[i]);
	if (is(st, "switched"))
		pumps_print(r, st);
	if (is(st, "switched") || is(st, "retired"))
		old_print(r);
	printf("next step %s\n", next_step(r, st));
	return 0;
}

static int gate(const struct run *r, const char *step, const struct rollover_state *st)
{
	const struct rollover_facts f = facts_of(r, st);

	return !strcmp(step, "switch")	 ? rollover_may_switch(&f)
	       : !strcmp(step, "finish") ? rollover_may_finish(&f)
					 : 0;
}

/* ---- steps ---- */

/* For the audit, once however often; without registryd the signer's files are the record. */
static void audit(struct run *r, const char *step, const struct rollover_state *st)
{
	struct ca_step row = {.ca = "device"};
	AUTO_IPC_CLIENT c = NULL;
	int rc = str_copy(row.step, sizeof(row.step), step);

	if (!rc)
		rc = rollover_issuer_name(st->certs[1], row.issuer, sizeof(row.issuer));
	if (!rc && st->n > 2)
		rc = rollover_issuer_name(st->certs[2], row.other, sizeof(row.other));
	if (!rc)
		rc = registry_open(r->call, &c);
	if (!rc)
		rc = registry_ca_step(c, &row, REGISTRY_TIMEOUT_MS);
	if (rc)
		report_note("pumpctl: this step is not in the audit (%s); the next step, or this "
			    "one again, puts it there",
			    err_text());
}

/* One step of the signer's; *st is the state after it. */
static int signer_step(struct run *r, const char *step, struct rollover_state *st)
{
	const struct rollover_order order = {.what = "device", .step = step, .uri = r->choice->uri};
	AUTO_ROLLOVER after = {.n = 0};
	int rc = rollover_step(&r->s, &order, &after);

	if (rc && rc != ERR_UNCHANGED)
		return rc;
	r->done = r->done || !rc;
	rollover_state_done(st);
	*st = after;
	after.n = 0;
	return 0;
}

/* What follows from the signer's files: who believes which CAs. */
static int follow(struct run *r, const struct rollover_state *st)
{
	int rc = rollover_trust_write(&r->s, "device", st);

	return rc ? rc : rollover_publish(&r->s, "device", told, r, &r->done);
}

/* signerd looks at its files when it is asked. */
static int signer_follows(struct run *r, const struct rollover_state *st)
{
	char issuer[ISSUER_SIZE];
	int rc = rollover_issuer_name(st->certs[1], issuer, sizeof(issuer));

	if (rc)
		return rc;
	if (signer_ask(r)) {
		told(r, "signerd", "does not answer: from its next start on", 0);
		return 0;
	}
	return strcmp(r->signer.issuer, issuer)
		       ? err_set(ERR_BUSY, "signerd still issues with %s; see log/signerd.log",
				 r->signer.issuer)
		       : 0;
}

static int step_finish(struct run *r, struct rollover_state *st)
{
	int rc = is(st, "switched") ? signer_step(r, "retire", st) : 0;

	if (!rc)
		rc = follow(r, st);
	if (!rc && is(st, "retired"))
		audit(r, "retire", st);
	if (!rc)
		rc = signer_step(r, "finish", st);
	if (!rc)
		audit(r, "finish", st);
	return rc;
}

static int step_plain(struct run *r, const char *step, struct rollover_state *st)
{
	int rc = signer_step(r, step, st);

	if (!rc)
		rc = follow(r, st);
	if (!rc && !strcmp(step, "switch"))
		rc = signer_follows(r, st);
	if (!rc)
		audit(r, step, st);
	return rc;
}

static void look(struct run *r, const struct rollover_state *st)
{
	r->n_behind = r->n_lacking = 0;
	r->left = r->left_active = 0;
	if (rollover_behind(&r->s, "device", r->behind, &r->n_behind))
		r->n_behind = 0; /* another user's files: only root looks there */
	if (is(st, "switched"))
		(void)pumps_look(r, st->certs[2]); /* else it is shown as not known */
	if (is(st, "switched") || is(st, "retired"))
		(void)signer_ask(r);
}

static int step_do(struct run *r, struct rollover_state *st)
{
	const char *step = r->choice->step;
	int rc = gate(r, step, st);

	if (rc)
		return rc;
	rc = !strcmp(step, "finish") ? step_finish(r, st) : step_plain(r, step, st);
	if (rc && rc != ERR_BUSY)
		return rc;
	if (rc) { /* retired: its key has to stay for now */
		char why[512];

		snprintf(why, sizeof(why), "%s", err_text());
		look(r, st);
		if ((r->done || r->call->json) && state_show(r, st))
			return ERR_IO;
		return err_set(rc, "%s", why);
	}
	look(r, st);
	if ((r->done || r->call->json) && state_show(r, st))
		return ERR_IO;
	return r->done ? 0
		       : err_set(ERR_UNCHANGED, "it is %s already, and nothing is left to do",
				 st->name);
}

static int dry_run(const struct run *r, const struct rollover_state *st)
{
	static const char *const words[][2] = {
		{"start", "would make the next CA of pumps and have enrolld, radiusd and the login "
			  "server believe it; each starts again"},
		{"switch", "would have signerd issue with the next CA; nothing starts again"},
		{"finish",
		 "would have our servers believe the old CA no more, each starts again, and "
		 "destroy its key once its last certificate has ended"},
		{"abort", "would destroy the next CA; enrolld, radiusd and the login server start "
			  "again"}};
	int rc = gate(r, r->choice->step, st);

	for (size_t i = 0; !r->call->json && i < sizeof(words) / sizeof(words[0]); i++)
		if (!strcmp(r->choice->step, words[i][0]))
			report_line(r->call, "%s: %s", r->choice->step, words[i][1]);
	return state_show(r, st) ? ERR_IO : rc;
}

static int begin(struct run *r, struct rollover_state *st)
{
	const struct rollover_order status = {.what = "device", .step = "status"};
	bool changes = strcmp(r->choice->step, "status") && !call_flag(r->call, "dry-run");
	int rc = settings_read(home_dir(r->call->home), &r->s);

	if (!rc && changes) {
		rc = layout_lock(r->s.home, LOCK_INIT);
		if (rc == ERR_BUSY)
			rc = err_set(rc, "another roll-over, renewal or `pumpctl init` is at work");
	}
	if (!rc)
		rc = rollover_step(&r->s, &status, st);
	if (!rc)
		look(r, st);
	return rc;
}

int rollover_device_run(const struct call *call, const struct rollover_choice *choice)
{
	struct run r = {.call = call, .choice = choice, .servers = json_array()};
	AUTO_ROLLOVER st = {.n = 0};
	bool shows = !strcmp(choice->step, "status");
	int rc = begin(&r, &st);

	if (!rc && shows)
		rc = state_show(&r, &st) ? ERR_IO : 0;
	else if (!rc && call_flag(call, "dry-run"))
		rc = dry_run(&r, &st);
	else if (!rc)
		rc = step_do(&r, &st);
	json_decref(r.servers);
	if (rc)
		return report_failure(rc);
	return shows && !is(&st, "idle") ? EXIT_TRY_AGAIN : EXIT_DONE;
}
