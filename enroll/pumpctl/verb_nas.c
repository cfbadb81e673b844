/* SPDX-License-Identifier: BSD-2-Clause */
/* pumpctl nas show | set | enable | disable | secret | test | config: what is done with a NAS that
 * is there. */
#include <arpa/inet.h>
#include <string.h>

#include "base/daemon.h"
#include "base/secret.h"
#include "enroll/pumpctl/nas_config.h"
#include "enroll/pumpctl/nas_finding.h"
#include "enroll/pumpctl/nas_secret.h"
#include "enroll/pumpctl/record_json.h"
#include "enroll/pumpctl/registry.h"
#include "enroll/pumpctl/report.h"
#include "enroll/pumpctl/settings.h"
#include "enroll/pumpctl/verbs.h"

#define CONFIG_MAX 16384

static int name_take(const struct call *call, char out[NAME_SIZE])
{
	if (!*call->operands[0] || str_copy(out, NAME_SIZE, call->operands[0]))
		return err_set(ERR_INVALID, "a NAS's name has 1 to %d characters", NAME_SIZE - 1);
	return 0;
}

static int detail_ask(const struct call *call, struct nas_detail *out)
{
	AUTO_IPC_CLIENT c = NULL;
	struct nas_name q = {0};
	int rc = name_take(call, q.name);

	if (!rc)
		rc = registry_open(call, &c);
	return rc ? rc : registry_nas_show(c, &q, out, REGISTRY_TIMEOUT_MS);
}

static int nas_show_run(const struct call *call)
{
	struct nas_detail n;
	int rc = detail_ask(call, &n);

	return rc ? registry_failure(call, rc) : record_show(call, &record_nas_detail, &n);
}

const struct verb verb_nas_show = {
	.group = "nas",
	.name = "show",
	.operands = "NAME",
	.n_operands = 1,
	.summary = "Show an access point or switch, and what was odd about it",
	.examples = {"nas show ap-icu-1", "nas show ap-icu-1 --json",
		     "--home /tmp/try nas show sw-2"},
	.run = nas_show_run,
};

/* ---- enable, disable ---- */

static int enable_run(const struct call *call, bool enabled)
{
	AUTO_IPC_CLIENT c = NULL;
	struct nas n = {.enabled = enabled};
	int rc = name_take(call, n.name);

	if (!rc)
		rc = registry_open(call, &c);
	if (!rc)
		rc = registry_nas_enable(c, &n, REGISTRY_TIMEOUT_MS);
	if (rc)
		return registry_failure(call, rc);
	if (call->json) {
		struct nas_detail now;

		rc = detail_ask(call, &now);
		return rc ? registry_failure(call, rc)
			  : record_show(call, &record_nas_detail, &now);
	}
	report_line(call,
		    enabled ? "NAS %s is answered again, within a second"
			    : "NAS %s gets no answer any more, within a second; sessions on it go "
			      "on until they end",
		    n.name);
	return EXIT_DONE;
}

static int nas_enable_run(const struct call *call)
{
	return enable_run(call, true);
}

static int nas_disable_run(const struct call *call)
{
	return enable_run(call, false);
}

const struct verb verb_nas_enable = {
	.group = "nas",
	.name = "enable",
	.operands = "NAME",
	.n_operands = 1,
	.summary = "Answer a disabled access point or switch again",
	.examples = {"nas enable ap-icu-1", "nas enable ap-icu-1 --json",
		     "--home /tmp/try nas enable sw-2"},
	.run = nas_enable_run,
};

const struct verb verb_nas_disable = {
	.group = "nas",
	.name = "disable",
	.operands = "NAME",
	.n_operands = 1,
	.summary = "Give an access point or switch no answers any more",
	.examples = {"nas disable ap-icu-1", "nas disable ap-icu-1 --json",
		     "--home /tmp/try nas disable sw-2"},
	.run = nas_disable_run,
};

/* ---- set ---- */

static int nas_set_run(const struct call *call)
{
	AUTO_IPC_CLIENT c = NULL;
	const char *site = call_value(call, "site");
	struct nas_detail now;
	struct nas n = {0};
	int rc;

	if (name_take(call, n.name))
		return report_usage();
	if (str_copy(n.site, sizeof(n.site), site)) {
		err_text_set("--site: at most %zu characters", sizeof(n.site) - 1);
		return report_usage();
	}
	rc = registry_open(call, &c);
	if (!rc)
		rc = registry_nas_site(c, &n, REGISTRY_TIMEOUT_MS);
	if (!rc && call->json)
		rc = detail_ask(call, &now);
	if (rc)
		return registry_failure(call, rc);
	if (call->json)
		return record_show(call, &record_nas_detail, &now);
	if (*n.site)
		report_line(call, "NAS %s stands at %s", n.name, n.site);
	else
		report_line(call, "nobody says where NAS %s stands", n.name);
	return EXIT_DONE;
}

static const struct option_spec nas_set_options[] = {
	{"site", 0, OPTION_VALUE, "S", "where it stands; \"\" for unknown", true},
};

const struct verb verb_nas_set = {
	.group = "nas",
	.name = "set",
	.operands = "NAME",
	.n_operands = 1,
	.summary = "Say where an access point or switch stands: a pump can't be at two sites at "
		   "once",
	VERB_OPTIONS(nas_set_options),
	.examples = {"nas set ap-icu-1 --site main-house", "nas set ap-icu-1 --site \"\"",
		     "nas set sw-2 --site clinic-north --json"},
	.run = nas_set_run,
};

/* ---- secret ---- */

static int nas_secret_run(const struct call *call)
{
	AUTO_IPC_CLIENT c = NULL;
	struct nas n = {0};
	int rc;

	if (name_take(call, n.name) || nas_secret_check(call))
		return report_usage();
	rc = nas_secret_take(call, &n);
	if (!rc) {
		rc = registry_open(call, &c);
		if (!rc)
			rc = registry_nas_secret(c, &n, REGISTRY_TIMEOUT_MS);
		nas_secret_settle(call, &n, rc);
	}
	secret_wipe(&n.secret, sizeof(n.secret));
	if (rc)
		return registry_failure(call, rc);
	if (!nas_secret_on_stdout(call))
		report_line(call,
			    "NAS %s has a new secret, in force within a second: set it on the NAS "
			    "now, then do: pumpctl nas test %s",
			    n.name, n.name);
	return EXIT_DONE;
}

static const struct option_spec nas_secret_options[] = {
	{"secret-file", 0, OPTION_VALUE, "F", "the new shared secret; - for standard input", false},
	{"secret-out", 0, OPTION_VALUE, "F", "make one, and write it there; - for standard output",
	 false},
};

const struct verb verb_nas_secret = {
	.group = "nas",
	.name = "secret",
	.operands = "NAME",
	.n_operands = 1,
	.summary = "Give an access point or switch another shared secret",
	VERB_OPTIONS(nas_secret_options),
	.examples = {"nas secret ap-icu-1 --secret-out ap-icu-1.secret",
		     "nas secret sw-2 --secret-file sw-2.secret",
		     "nas secret sw-2 --secret-file -"},
	.run = nas_secret_run,
};

/* ---- test ---- */

static int probe_show(const struct call *call, const struct nas_probe *p,
		      const struct nas_finding *f)
{
	json_t *j;

	if (!call->json) {
		if (*p->ip)
			printf("NAS %s, %s port %u: %s", p->name, p->ip, p->das_port, p->result);
		else
			printf("NAS %s, over its RadSec connection: %s", p->name, p->result);
		if (p->error_cause)
			printf(" (Error-Cause %u)", p->error_cause);
		if (p->rtt_us)
			printf(" after %.1f ms", p->rtt_us / 1000.0);
		printf("\n%s\n", f->means);
		if (*f->next)
			printf("next: %s\n", f->next);
		return 0;
	}
	j = record_to_json(&record_nas_probe, p);
	if (j && (json_object_set_new(j, "works", json_boolean(f->works)) ||
		  json_object_set_new(j, "means", json_string(f->means)) ||
		  json_object_set_new(j, "next", json_string(f->next)))) {
		json_decref(j);
		j = NULL;
	}
	return json_show(j);
}

static int nas_test_run(const struct call *call)
{
	AUTO_IPC_CLIENT c = NULL;
	struct nas_name q = {0};
	struct nas_probe p;
	struct nas_finding f;
	int rc = name_take(call, q.name);

	if (!rc)
		rc = registry_open(call, &c);
	if (!rc)
		rc = registry_nas_probe(c, &q, &p, REGISTRY_TIMEOUT_MS);
	if (rc)
		return registry_failure(call, rc);
	f = nas_finding_of(&p);
	if (probe_show(call, &p, &f))
		return report_failure(ERR_IO);
	return f.works ? EXIT_DONE : f.again ? EXIT_TRY_AGAIN : EXIT_FAILED;
}

const struct verb verb_nas_test = {
	.group = "nas",
	.name = "test",
	.operands = "NAME",
	.n_operands = 1,
	.summary = "Send it a Disconnect-Request for no session, and say what the answer means",
	.examples = {"nas test ap-icu-1", "nas test ap-icu-1 --json",
		     "--home /tmp/try nas test sw-2"},
	.run = nas_test_run,
};

/* ---- config ---- */

/* An address that a NAS on another machine cannot reach. */
static bool is_local_only(const char *address)
{
	return !strncmp(address, "127.", 4) || !strcmp(address, "::1") ||
	       !strcmp(address, "0.0.0.0") || !strcmp(address, "::");
}

static int server_take(const struct call *call, const struct settings *s, const char **out)
{
	uint8_t raw[16];

	*out = call_value(call, "server");
	if (*out)
		return inet_pton(AF_INET, *out, raw) == 1 || inet_pton(AF_INET6, *out, raw) == 1
			       ? 0
			       : err_set(ERR_INVALID, "--server %.45s is no IP address", *out);
	*out = s->radius_address;
	if (is_local_only(*out))
		report_note("warning: pumpgate.conf has radius_address = %s; say with --server "
			    "where this NAS reaches the server",
			    *out);
	return 0;
}

static int nas_config_run(const struct call *call)
{
	AUTO_BUF text = {.max = CONFIG_MAX};
	struct nas_detail n;
	struct settings s;
	struct nas_config in;
	int rc = settings_read(home_dir(call->home), &s);

	if (rc)
		return report_failure(rc);
	if (server_take(call, &s, &in.server))
		return report_usage();
	rc = detail_ask(call, &n);
	if (rc)
		return registry_failure(call, rc);
	in.name = n.name;
	in.ip = n.ip;
	in.das_port = n.das_port;
	in.auth_port = s.radius_auth_port;
	in.acct_port = s.radius_acct_port;
	in.radsec = n.radsec;
	in.radsec_port = s.radsec_port;
	in.radsec_name = s.radsec_name;
	rc = nas_config_build(call_value(call, "vendor"), &in, &text);
	if (rc)
		return rc == ERR_INVALID ? report_usage() : report_failure(rc);
	if (call->json) {
		rc = json_show(json_pack("{s:s, s:s#}", "nas", n.name, "config", text.data,
					 (int)text.len));
		return rc ? report_failure(rc) : EXIT_DONE;
	}
	fwrite(text.data, 1, text.len, stdout);
	if (n.radsec) {
		report_note("Next: pumpctl nas certificate %s --csr FILE (or --new-key DIR), then: "
			    "pumpctl nas test %s",
			    n.name, n.name);
		return EXIT_DONE;
	}
	report_note("Put the NAS's secret in the place of " NAS_CONFIG_SECRET
		    " (each time the same); Pumpgate never shows a stored one. Then: pumpctl nas "
		    "test %s",
		    n.name);
	return EXIT_DONE;
}

static const struct option_spec nas_config_options[] = {
	{"vendor", 0, OPTION_VALUE, "V", "hostapd, cisco-ios-xe, aruba, juniper; radsecproxy",
	 true},
	{"server", 0, OPTION_VALUE, "ADDR", "where it reaches this server (radius_address)", false},
};

const struct verb verb_nas_config = {
	.group = "nas",
	.name = "config",
	.operands = "NAME",
	.n_operands = 1,
	.summary = "Print configuration to paste into an access point or switch",
	VERB_OPTIONS(nas_config_options),
	.examples = {"nas config sw-2 --vendor cisco-ios-xe",
		     "nas config ap-icu-1 --vendor hostapd --server 192.0.2.1",
		     "nas config sw-3 --vendor juniper > sw-3.conf"},
	.run = nas_config_run,
};
