/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * pumpctl cert server-list | server-renew: the certificates of the RADIUS and EST servers, which
 * end after 60 days. For a daily timer; can be killed anywhere and run again.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include <jansson.h>

#include "base/clock.h"
#include "base/daemon.h"
#include "ca/request/server_name.h"
#include "enroll/pumpctl/layout.h"
#include "enroll/pumpctl/raddb.h"
#include "enroll/pumpctl/record_json.h"
#include "enroll/pumpctl/registry.h"
#include "enroll/pumpctl/report.h"
#include "enroll/pumpctl/server_keys.h"
#include "enroll/pumpctl/server_policy.h"
#include "enroll/pumpctl/server_restart.h"
#include "enroll/pumpctl/verbs.h"

#define DAY_MS 86400000LL

/* ---- list ---- */

static int64_t days_left(const struct server_cert *c)
{
	return c->ends_ms ? (c->ends_ms - clock_wall_ms()) / DAY_MS : 0;
}

static json_t *cert_to_json(const struct server_cert *c)
{
	char ends[CLOCK_TEXT_MAX];

	clock_format(c->ends_ms, ends);
	return json_pack("{s:s s:o s:s s:s s:I s:s s:o}", "server", c->folder, "names",
			 text_to_json(c->names), "serial", c->serial, "ends", ends, "days_left",
			 (json_int_t)days_left(c), "state", server_state_name(c->state), "why",
			 text_to_json(c->why));
}

static void cert_print(const struct server_cert *c)
{
	char ends[CLOCK_TEXT_MAX];

	clock_format(c->ends_ms, ends);
	printf("%-7s  %-10.10s  %5" PRId64 "  %-14s  %s\n", c->folder, ends, days_left(c),
	       server_state_name(c->state), c->names);
	if (c->why[0])
		printf("         %s\n", c->why);
}

static int server_list_run(const struct call *call)
{
	struct server_cert certs[SERVER_CERTS_MAX];
	struct settings s;
	json_t *list = json_array();
	size_t n = 0;
	int rc = settings_read(home_dir(call->home), &s);

	if (!rc)
		rc = server_keys_look(&s, certs, &n);
	if (!rc && !call->json)
		printf("%-7s  %-10s  %5s  %-14s  %s\n", "SERVER", "ENDS", "DAYS", "STATE", "NAMES");
	for (size_t i = 0; i < n; i++) {
		if (call->json)
			json_array_append_new(list, cert_to_json(&certs[i]));
		else
			cert_print(&certs[i]);
	}
	if (!rc && call->json)
		return json_show(list) ? EXIT_FAILED : EXIT_DONE;
	json_decref(list);
	return rc ? report_failure(rc) : EXIT_DONE;
}

/* ---- renew ---- */

struct renewal {
	const struct call *call;
	struct settings s;
	int64_t validity_ms, ca_ends_ms;
	unsigned n_done;
	json_t *done;		     /* what was done, or would be */
	enum epoch_name compromised; /* with --compromised */
};

/* Whoever took one key may have taken them all. */
static bool is_every_one_wanted(const struct renewal *r)
{
	return call_flag(r->call, "all") || call_value(r->call, "compromised");
}

static bool is_wanted(const struct renewal *r, const struct server_cert *c)
{
	return is_every_one_wanted(r) || c->state == SERVER_DUE || c->state == SERVER_ENDED ||
	       c->state == SERVER_BROKEN;
}

/* A server CA that ends itself can't give what lives longer: that would be a restart a day. */
static int gain_check(const struct renewal *r, const struct server_cert *c)
{
	int64_t end = clock_wall_ms() + r->validity_ms;
	char text[CLOCK_TEXT_MAX];

	if (end > r->ca_ends_ms)
		end = r->ca_ends_ms;
	if (c->state == SERVER_BROKEN || is_every_one_wanted(r) ||
	    end > c->ends_ms + r->validity_ms / 60)
		return 0;
	clock_format(r->ca_ends_ms, text);
	return err_set(ERR_UNAVAILABLE,
		       "%s: a new certificate would end with the server CA, at %s: that CA must be "
		       "replaced first: pumpctl ca rollover start server",
		       c->folder, text);
}

static void outcome_show(struct renewal *r, const struct server_cert *c, const char *what,
			 int64_t away_ms)
{
	r->n_done++;
	if (r->call->json)
		json_array_append_new(r->done,
				      json_pack("{s:s s:s s:I}", "server", c->folder, "done", what,
						"away_ms", (json_int_t)away_ms));
	else if (away_ms)
		printf("%-7s  %s, was away for %" PRId64 " ms\n", c->folder, what, away_ms);
	else
		printf("%-7s  %s\n", c->folder, what);
}

static int pair_adopt(const struct renewal *r, const struct server_cert *c)
{
	char folder[PATH_MAX];
	struct key_pair pair;
	int rc = server_keys_pair(&r->s, c->process, folder, &pair);

	return rc ? rc : key_pair_adopt(&pair);
}

static int server_renew(struct renewal *r, const struct server_cert *c)
{
	bool wanted = is_wanted(r, c);
	enum restart_result restart;
	int64_t away_ms;
	int rc;

	if (!wanted && c->state != SERVER_UNSETTLED)
		return 0;
	if (call_flag(r->call, "dry-run")) {
		outcome_show(r, c, wanted ? "would be renewed" : "would be started again", 0);
		return 0;
	}
	if (wanted && ((rc = gain_check(r, c)) || (rc = pair_adopt(r, c)) ||
		       (rc = server_keys_renew(&r->s, c))))
		return rc;
	rc = server_restart(&r->s, c, &restart, &away_ms);
	if (rc)
		return rc;
	if (restart == RESTART_DONE)
		outcome_show(r, c, wanted ? "renewed" : "started again", away_ms);
	else if (wanted)
		outcome_show(r, c, "renewed, in use from the next start on", 0);
	return 0;
}

/* ---- after a compromise ---- */

static int rename_begin(struct renewal *r)
{
	const char *server = call_value(r->call, "compromised"), *name;
	char old[sizeof(r->s.radius_name)], next[sizeof(old)];
	struct ipc_client *registry = NULL;
	bool changed;
	int rc;

	if (!server)
		return 0;
	name = settings_epoch_name(&r->s, r->compromised);
	memcpy(old, name, sizeof(old));
	if (call_flag(r->call, "dry-run")) {
		rc = server_name_next(old, next, sizeof(next));
		if (!rc)
			report_line(r->call, "%-7s  would be called %s instead of %s", server, next,
				    old);
		return rc;
	}
	if (!layout_is_locked(r->s.home, LOCK_REGISTRY))
		return err_set(ERR_UNAVAILABLE, "pumps are told through the running system: start "
						"it, then repeat this");
	rc = registry_open(r->call, &registry);
	if (!rc)
		rc = server_policy_rename(&r->s, r->compromised, registry,
					  call_flag(r->call, "again"));
	ipc_client_free(registry);
	if (rc || (rc = raddb_render(&r->s, &changed)))
		return rc;
	report_line(r->call, "%-7s  is called %s from now on, not %s", server, name, old);
	return 0;
}

static int compromised_parse(const char *server, enum epoch_name *out)
{
	*out = EPOCH_RADIUS;
	if (!server || !strcmp(server, "radius"))
		return 0;
	*out = EPOCH_LOGIN;
	return !strcmp(server, "login")
		       ? 0
		       : err_set(ERR_INVALID,
				 "--compromised radius or login: pumps know only these by a name "
				 "with an epoch; for others: --all, and ca rollover start server");
}

/* A name or address that pumps were not told yet, whoever changed it and whatever kept it from
 * them. */
static int policy_settle(struct renewal *r)
{
	struct ipc_client *registry = NULL;
	char login[LABEL_SIZE];
	uint64_t number = 0;
	int rc;

	settings_login_server(&r->s, login, sizeof(login));
	if (call_flag(r->call, "dry-run") || !layout_is_locked(r->s.home, LOCK_REGISTRY))
		return 0;
	rc = registry_open(r->call, &registry);
	if (!rc)
		rc = server_policy_apply(&r->s, registry, &number);
	ipc_client_free(registry);
	if (rc && !call_value(r->call, "compromised")) {
		report_note("whether pumps know the name %s can't be told now: %s",
			    r->s.radius_name, err_text());
		return 0; /* nothing to do with what was renewed; the next renewal looks again */
	}
	if (rc)
		return err_add(rc,
			       "pumps are not told the name %s yet; repeat: pumpctl cert "
			       "server-renew",
			       r->s.radius_name);
	if (!number)
		return 0;
	r->n_done++;
	if (r->call->json)
		json_array_append_new(r->done,
				      json_pack("{s:s s:s s:I}", "server", "policy", "done",
						r->s.radius_name, "number", (json_int_t)number));
	else
		printf("policy   %" PRIu64 " tells pumps the name %s%s%s, within the hour\n",
		       number, r->s.radius_name, *login ? " and logins at " : "", login);
	return 0;
}

static int renewal_begin(struct renewal *r, struct server_cert *certs, size_t *n)
{
	int rc = settings_read(home_dir(r->call->home), &r->s);

	if (rc || (rc = clock_duration_parse(r->s.server_validity, &r->validity_ms)) ||
	    (rc = server_keys_ca_ends(&r->s, "server", &r->ca_ends_ms)))
		return rc;
	if (!call_flag(r->call, "dry-run")) {
		rc = layout_lock(r->s.home, LOCK_INIT);
		if (rc == ERR_BUSY)
			return err_set(rc, "another renewal, or `pumpctl init`, is at work here");
	}
	if (!rc)
		rc = rename_begin(r);
	return rc ? rc : server_keys_look(&r->s, certs, n);
}

static int server_renew_run(const struct call *call)
{
	struct renewal r = {.call = call, .done = json_array()};
	struct server_cert certs[SERVER_CERTS_MAX];
	size_t n = 0;
	int failed = 0;
	int rc;

	if (compromised_parse(call_value(call, "compromised"), &r.compromised)) {
		json_decref(r.done);
		return report_usage();
	}
	rc = renewal_begin(&r, certs, &n);
	for (size_t i = 0; !rc && i < n; i++) { /* one that fails must not keep the others back */
		int one = server_renew(&r, &certs[i]);

		if (one)
			failed = report_failure(one);
	}
	if (!rc && !failed) /* not before radiusd has the name that pumps are told */
		rc = policy_settle(&r);
	if (rc)
		failed = report_failure(rc);
	if (call->json && !rc && json_show(json_incref(r.done)))
		failed = EXIT_FAILED;
	json_decref(r.done);
	if (failed)
		return failed;
	if (!r.n_done)
		report_line(call, "nothing is due: pumpctl cert server-list says until when");
	return r.n_done ? EXIT_DONE : EXIT_NOTHING;
}

const struct verb verb_cert_server_list = {
	.group = "cert",
	.name = "server-list",
	.operands = "",
	.summary = "List the certificates of the RADIUS and EST servers and when they end",
	.examples = {"cert server-list", "cert server-list --json",
		     "--home /tmp/try cert server-list"},
	.run = server_list_run,
};

static const struct option_spec renew_options[] = {
	{"all", 0, OPTION_FLAG, NULL, "of any age, not only in the last third of their life",
	 false},
	{"compromised", 0, OPTION_VALUE, "radius|login",
	 "its key is in wrong hands: all keys are renewed, its name gets the next number, and "
	 "pumps "
	 "are told to take the old one no more",
	 false},
	{"again", 0, OPTION_FLAG, NULL,
	 "with --compromised: also when the name changed within 30 days", false},
	{"dry-run", 0, OPTION_FLAG, NULL, "say what would be renewed", false},
};

const struct verb verb_cert_server_renew = {
	.group = "cert",
	.name = "server-renew",
	.operands = "",
	.summary = "Renew servers' certificates that are due, and have the servers take them",
	VERB_OPTIONS(renew_options),
	.examples = {"cert server-renew", "cert server-renew --all --dry-run",
		     "cert server-renew --compromised radius"},
	.run = server_renew_run,
};
