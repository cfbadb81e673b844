/* SPDX-License-Identifier: BSD-2-Clause */
/* pumpctl run: the whole server in the foreground, and run.json for whoever wants to use it. */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <jansson.h>

#include "base/buf.h"
#include "base/daemon.h"
#include "base/log.h"
#include "enroll/pumpctl/layout.h"
#include "enroll/pumpctl/report.h"
#include "enroll/pumpctl/services.h"
#include "enroll/pumpctl/supervisor.h"
#include "enroll/pumpctl/verbs.h"

struct run {
	const struct call *call;
	struct settings settings;
	char run_json[PATH_MAX];
};

static int run_json_build(const struct settings *s, char **out)
{
	char auth[64], acct[64], radsec[64], login[64], est[320], http[320], trust[PATH_MAX];
	json_t *j;
	int rc = home_path(s->home, "trust/server.pem", trust);

	if (rc)
		return rc;
	settings_endpoint(s->radius_address, s->radius_auth_port, auth, sizeof(auth));
	settings_endpoint(s->radius_address, s->radius_acct_port, acct, sizeof(acct));
	settings_est_url(s, est, sizeof(est));
	settings_http_url(s, http, sizeof(http));
	j = json_pack("{s:b s:i s:{s:s s:s} s:s s:s s:s*}", "ready", 1, "pid", (int)getpid(),
		      "radius", "auth", auth, "acct", acct, "est", est, "trust", trust, "http",
		      *http ? http : NULL);
	settings_endpoint(s->radius_address, s->radsec_port, radsec, sizeof(radsec));
	settings_endpoint(s->est_address, s->login_port, login, sizeof(login));
	if (j && json_object_set_new(j, "radsec",
				     json_pack("{s:s, s:s*}", "clinicians", login, "nas",
					       s->radsec_port ? radsec : NULL))) {
		json_decref(j);
		j = NULL;
	}
	*out = j ? json_dumps(j, JSON_COMPACT) : NULL;
	json_decref(j);
	return *out ? 0 : err_set(ERR_NOMEM, "no memory for run.json");
}

static void addresses_show(const struct settings *s)
{
	char auth[64], acct[64], radsec[64], login[64], est[320], http[320];

	settings_endpoint(s->radius_address, s->radius_auth_port, auth, sizeof(auth));
	settings_endpoint(s->radius_address, s->radius_acct_port, acct, sizeof(acct));
	settings_endpoint(s->radius_address, s->radsec_port, radsec, sizeof(radsec));
	settings_endpoint(s->est_address, s->login_port, login, sizeof(login));
	settings_est_url(s, est, sizeof(est));
	puts("ready");
	printf("  RADIUS authentication  %s\n", auth);
	printf("  RADIUS accounting      %s\n", acct);
	printf("  RadSec                 %s\n", s->radsec_port ? radsec : "off");
	printf("  clinicians' logins     %s\n", login);
	printf("  EST                    %s\n", est);
	settings_http_url(s, http, sizeof(http));
	if (*http)
		printf("  CRL                    %s/crl/device.crl\n"
		       "  OCSP                   %s/ocsp\n",
		       http, http);
	printf("  trust                  %s/trust/server.pem\n", s->home);
	printf("  logs                   %s/log/\n", s->home);
}

static int on_ready(void *ctx)
{
	struct run *r = ctx;
	char *text = NULL;
	AUTO_BUF b = {.max = 8192};
	int rc = run_json_build(&r->settings, &text);

	if (rc)
		return rc;
	rc = buf_printf(&b, "%s\n", text);
	if (!rc)
		rc = buf_write_file(r->run_json, 0644, b.data, b.len);
	if (!rc) {
		if (r->call->json)
			puts(text);
		else
			addresses_show(&r->settings);
		fflush(stdout);
	}
	free(text);
	return rc;
}

static int programs_check(void)
{
	for (unsigned i = 0; i < SERVICES_N; i++) {
		char path[PATH_MAX];
		int rc = service_find(&services[i], path);

		if (rc)
			return rc;
	}
	return 0;
}

static int home_take(struct run *r)
{
	int rc = settings_read(home_dir(r->call->home), &r->settings);

	if (rc)
		return rc;
	if (access(r->settings.home, W_OK))
		return err_set(ERR_DENIED, "%s belongs to another user; run it as that one or root",
			       r->settings.home);
	rc = programs_check();
	if (rc)
		return rc;
	rc = layout_lock(r->settings.home, LOCK_RUN);
	if (rc == ERR_BUSY)
		return err_set(ERR_CONFLICT, "%s is running already; see: pumpctl --home %s status",
			       r->settings.home, r->settings.home);
	if (rc)
		return err_add(rc, "%s is not complete; do: pumpctl --home %s init",
			       r->settings.home, r->settings.home);
	rc = home_path(r->settings.home, "run.json", r->run_json);
	if (!rc)
		unlink(r->run_json); /* of one that was killed */
	return rc;
}

static int run_run(const struct call *call)
{
	struct run r = {.call = call};
	struct supervisor_options o = {.settings = &r.settings,
				       .verbose = call_flag(call, "verbose"),
				       .ready = on_ready,
				       .ctx = &r};
	int rc;

	umask(022);
	signal(SIGPIPE, SIG_IGN); /* whoever read our output may go; the server stays */
	log_start("pumpctl", o.verbose ? LOG_INFO : LOG_WARN);
	rc = home_take(&r);
	if (rc)
		return report_failure(rc);
	if (settings_one_user(&r.settings))
		report_note("no isolation between processes in this mode");
	rc = supervisor_run(&o);
	unlink(r.run_json);
	if (rc)
		return report_failure(rc);
	report_line(call, "stopped");
	return EXIT_DONE;
}

static const struct option_spec run_options[] = {
	{"verbose", 'v', OPTION_FLAG, NULL, "copy what the processes log to standard error", false},
};

const struct verb verb_run = {
	.name = "run",
	.operands = "",
	.summary = "Run the server's processes in the foreground until Ctrl-C",
	VERB_OPTIONS(run_options),
	.examples = {"--home /tmp/try run", "--home /tmp/try run --json",
		     "--home /tmp/try run --verbose"},
	.run = run_run,
};
