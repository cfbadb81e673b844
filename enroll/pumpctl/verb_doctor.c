/* SPDX-License-Identifier: BSD-2-Clause */
/* pumpctl doctor: looks at everything that a home needs, and says what to do about what is wrong.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <time.h>
#include <unistd.h>

#include <jansson.h>
#include <openssl/pem.h>
#include <openssl/x509.h>

#include "base/clock.h"
#include "base/daemon.h"
#include "enroll/pumpctl/layout.h"
#include "enroll/pumpctl/ports.h"
#include "enroll/pumpctl/probe.h"
#include "enroll/pumpctl/record_json.h"
#include "enroll/pumpctl/registry.h"
#include "enroll/pumpctl/report.h"
#include "enroll/pumpctl/server_keys.h"
#include "enroll/pumpctl/server_policy.h"
#include "enroll/pumpctl/services.h"
#include "enroll/pumpctl/verbs.h"

#define DAY_MS 86400000LL
#define RADIUSD_OLDEST 30207		  /* 3.2.7: the BlastRADIUS switches */
#define CLOCK_EARLIEST_MS 1767225600000LL /* 2026-01-01: no build of this is older */
#define MIB (1024ULL * 1024)

enum grade { GRADE_OK, GRADE_WARN, GRADE_FAIL };

struct doctor {
	const struct call *call;
	struct settings s;
	struct probe probe;
	json_t *checks;
	unsigned n_warn, n_fail;
};

static void check(struct doctor *d, enum grade g, const char *what, const char *fmt, ...)
	PRINTF_LIKE(4, 5);

static void check(struct doctor *d, enum grade g, const char *what, const char *fmt, ...)
{
	static const char *const names[] = {"ok", "warn", "fail"};
	char text[640];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	d->n_warn += g == GRADE_WARN;
	d->n_fail += g == GRADE_FAIL;
	if (d->call->json)
		json_array_append_new(d->checks, json_pack("{s:s s:s s:o}", "check", what, "result",
							   names[g], "text", text_to_json(text)));
	else
		printf("%-4s  %-12s  %s\n", names[g], what, text);
}

static void programs_check(struct doctor *d)
{
	char path[PATH_MAX];
	bool all = true;

	for (unsigned i = 0; i < SERVICES_N; i++) {
		if (service_find(&services[i], path)) {
			check(d, GRADE_FAIL, "programs", "%s", err_text());
			all = false;
		}
	}
	if (all)
		check(d, GRADE_OK, "programs", "all %u are there", SERVICES_N);
}

static int radiusd_ask(const char *const args[], const struct owner *o, struct buf *said,
		       int *status)
{
	char path[PATH_MAX];
	struct spawn child = {.path = path, .owner = *o};
	int rc = radiusd_find(path);

	if (rc)
		return rc;
	for (size_t i = 0; args[i]; i++)
		child.args[i] = args[i];
	rc = spawn_run(&child, 20000, said, status);
	if (!rc && !buf_cstr(said))
		rc = err_set(ERR_NOMEM, "no memory");
	return rc;
}

static void radiusd_version_check(struct doctor *d)
{
	static const char *const args[] = {"freeradius", "-v", NULL};
	const struct owner self = {geteuid(), getegid()};
	AUTO_BUF said = {.max = 4096};
	unsigned major, minor, patch;
	const char *at;
	int status;

	if (radiusd_ask(args, &self, &said, &status)) {
		check(d, GRADE_FAIL, "freeradius", "%s", err_text());
		return;
	}
	at = strstr((const char *)said.data, "Version ");
	if (!at || sscanf(at, "Version %u.%u.%u", &major, &minor, &patch) != 3)
		check(d, GRADE_FAIL, "freeradius", "does not say its version");
	else if (major * 10000 + minor * 100 + patch < RADIUSD_OLDEST)
		check(d, GRADE_FAIL, "freeradius",
		      "%u.%u.%u is too old; do: apt-get -t bookworm-backports install freeradius",
		      major, minor, patch);
	else
		check(d, GRADE_OK, "freeradius", "version %u.%u.%u", major, minor, patch);
}

/* Loading the configuration loads rlm_pump.so, whose magic number must be the server's. */
static void radiusd_config_check(struct doctor *d)
{
	char raddb[PATH_MAX];
	const char *const args[] = {"freeradius", "-C", "-d",	  raddb, "-n",
				    "radiusd",	  "-l", "stdout", NULL};
	AUTO_BUF said = {.max = 16384};
	struct owner o;
	int status;

	if (settings_owner(&d->s, PROCESS_RADIUSD, &o) ||
	    home_path(d->s.home, "radius/raddb", raddb) || radiusd_ask(args, &o, &said, &status)) {
		check(d, GRADE_FAIL, "raddb", "%s", err_text());
		return;
	}
	if (status == 0)
		check(d, GRADE_OK, "raddb", "FreeRADIUS accepts configuration and module");
	else
		check(d, GRADE_FAIL, "raddb",
		      "FreeRADIUS refuses its configuration; rebuild after an upgrade of "
		      "FreeRADIUS. "
		      "It says: %.300s",
		      (const char *)said.data + (said.len > 300 ? said.len - 300 : 0));
}

static void folders_check(struct doctor *d)
{
	bool all = true;

	for (size_t i = 0; i < layout_n_folders; i++) {
		const struct layout_folder *f = &layout_folders[i];
		struct owner o = {0, 0};
		char path[PATH_MAX];
		struct stat st;

		if (home_path(d->s.home, f->path, path) || lstat(path, &st)) {
			check(d, GRADE_FAIL, "home", "%s is missing; do: pumpctl init", path);
			all = false;
			continue;
		}
		if (f->process >= 0 && settings_owner(&d->s, (enum process)f->process, &o)) {
			check(d, GRADE_FAIL, "home", "%s", err_text());
			all = false;
		} else if (f->process >= 0 && st.st_uid != o.uid) {
			check(d, GRADE_FAIL, "home",
			      "%s belongs to user %u, not %u; do: pumpctl init", path,
			      (unsigned)st.st_uid, (unsigned)o.uid);
			all = false;
		}
		if (f->path[0] && (st.st_mode & 07777 & ~f->mode)) {
			check(d, GRADE_FAIL, "home", "%s is too open (%04o); do: chmod %04o %s",
			      path, (unsigned)st.st_mode & 07777, (unsigned)f->mode, path);
			all = false;
		}
	}
	if (all)
		check(d, GRADE_OK, "home", "%s: folders have the right owners and modes",
		      d->s.home);
	if (settings_one_user(&d->s))
		check(d, GRADE_WARN, "users",
		      "all processes run as one user: no isolation; see init --users");
	else
		check(d, GRADE_OK, "users", "each process has its own");
}

static int64_t time_of(const ASN1_TIME *t)
{
	struct tm tm;

	return ASN1_TIME_to_tm(t, &tm) ? (int64_t)timegm(&tm) * 1000 : 0;
}

/* Every certificate of a PEM file. */
static void certs_check(struct doctor *d, const char *rel, int64_t warn_ms)
{
	AUTO_BUF pem = {.max = 65536};
	char path[PATH_MAX], end_text[CLOCK_TEXT_MAX];
	int64_t now = clock_wall_ms(), first_end = INT64_MAX;
	BIO *bio;
	X509 *x;

	if (home_path(d->s.home, rel, path) || buf_read_file(&pem, path)) {
		check(d, GRADE_FAIL, "certificate", "%s; do: pumpctl init", err_text());
		return;
	}
	bio = BIO_new_mem_buf(pem.data, (int)pem.len);
	while (bio && (x = PEM_read_bio_X509(bio, NULL, NULL, NULL))) {
		int64_t end = time_of(X509_get0_notAfter(x));

		if (time_of(X509_get0_notBefore(x)) > now)
			check(d, GRADE_FAIL, "clock",
			      "%s begins in the future: set this machine's clock", rel);
		if (end < first_end)
			first_end = end;
		X509_free(x);
	}
	BIO_free(bio);
	if (first_end == INT64_MAX) {
		check(d, GRADE_FAIL, "certificate", "%s holds none; do: pumpctl init", rel);
		return;
	}
	clock_format(first_end, end_text);
	check(d,
	      first_end < now		  ? GRADE_FAIL
	      : first_end - now < warn_ms ? GRADE_WARN
					  : GRADE_OK,
	      "certificate", "%s %s %s", rel, first_end < now ? "ended" : "ends", end_text);
}

static void server_certs_check(struct doctor *d)
{
	static const char how[] = "; do: pumpctl cert server-renew";
	struct server_cert certs[SERVER_CERTS_MAX];
	size_t n = 0;

	if (server_keys_look(&d->s, certs, &n))
		check(d, GRADE_FAIL, "certificate", "%s", err_text());
	for (size_t i = 0; i < n; i++) {
		const struct server_cert *c = &certs[i];
		char end[CLOCK_TEXT_MAX];

		clock_format(c->ends_ms, end);
		if (c->state == SERVER_BROKEN)
			check(d, GRADE_FAIL, "certificate", "%s: %s%s", c->folder, c->why, how);
		else if (c->state == SERVER_ENDED)
			check(d, GRADE_FAIL, "certificate", "%s ended %s%s", c->folder, end, how);
		else if (c->urgent)
			check(d, GRADE_WARN, "certificate",
			      "%s ends %s and no timer has renewed it%s, and: systemctl enable "
			      "--now pumpgate-renew.timer",
			      c->folder, end, how);
		else if (c->state == SERVER_UNSETTLED && d->probe.running)
			check(d, GRADE_WARN, "certificate",
			      "%s has a new one that its server does not use yet%s", c->folder,
			      how);
		else
			check(d, GRADE_OK, "certificate", "%s ends %s", c->folder, end);
	}
}

static void logins_check(struct doctor *d)
{
	char login[64];

	settings_endpoint(d->s.est_address, d->s.login_port, login, sizeof(login));
	check(d, d->probe.login == d->probe.running ? GRADE_OK : GRADE_FAIL, "logins", "%s %s",
	      login,
	      d->probe.running
		      ? d->probe.login ? "is served" : "is not served; see log/clinicians.log"
	      : d->probe.login ? "is taken by another program; choose another in pumpgate.conf"
			       : "is free");
	if (d->probe.running)
		check(d, d->probe.cred ? GRADE_OK : GRADE_FAIL, "credd", "%s",
		      d->probe.cred ? "answers" : "does not answer; see log/credd.log");
}

static void ports_check(struct doctor *d)
{
	char radius[64], radsec[64], est[64];

	settings_endpoint(d->s.radius_address, d->s.radius_auth_port, radius, sizeof(radius));
	settings_endpoint(d->s.est_address, d->s.est_port, est, sizeof(est));
	settings_endpoint(d->s.radius_address, d->s.radsec_port, radsec, sizeof(radsec));
	if (d->s.radsec_port)
		check(d, d->probe.radsec == d->probe.running ? GRADE_OK : GRADE_FAIL, "radsec",
		      "%s %s", radsec,
		      d->probe.running
			      ? d->probe.radsec ? "is served" : "is not served; see log/radsecd.log"
		      : d->probe.radsec
			      ? "is taken by another program; choose another in pumpgate.conf"
			      : "is free");
	logins_check(d);
	if (d->probe.running) {
		check(d, d->probe.radius ? GRADE_OK : GRADE_FAIL, "radius", "%s %s", radius,
		      d->probe.radius ? "is served" : "is not served; see log/radiusd.log");
		check(d, d->probe.est ? GRADE_OK : GRADE_FAIL, "est", "%s %s", est,
		      d->probe.est ? "is served" : "is not served; see log/enrolld.log");
		return;
	}
	check(d, d->probe.radius ? GRADE_FAIL : GRADE_OK, "radius", "%s %s", radius,
	      d->probe.radius ? "is taken by another program; choose another in pumpgate.conf"
			      : "is free");
	check(d, d->probe.est ? GRADE_FAIL : GRADE_OK, "est", "%s %s", est,
	      d->probe.est ? "is taken by another program; choose another in pumpgate.conf"
			   : "is free");
}

/* A pumps' CA that was replaced, and whose key is still here. */
static void old_ca_check(struct doctor *d, const struct signer_status *s)
{
	char until[CLOCK_TEXT_MAX];
	bool over = s->old_until < clock_wall_ms();

	clock_format(s->old_until, until);
	if (!*s->old_issuer)
		return;
	if (!s->old_retired)
		check(d, GRADE_WARN, "old-ca",
		      "pumps of CA %u are still let in: pumpctl ca rollover status device says who "
		      "has to move",
		      s->old_ca);
	else
		check(d, over ? GRADE_WARN : GRADE_OK, "old-ca",
		      over ? "CA %u has no certificate in force any more (since %s): pumpctl ca "
			     "rollover finish device destroys its key"
			   : "CA %u signs CRL and OCSP answers until %s",
		      s->old_ca, s->old_until ? until : "ever");
}

/* What other systems are told of revocations. */
static void published_check(struct doctor *d)
{
	const struct signer_status *s = &d->probe.signer_status;
	int64_t now = clock_wall_ms();
	char from[CLOCK_TEXT_MAX], http[64];

	clock_format(s->crl_this_update, from);
	if (!s->crl_number || s->crl_next_update <= now)
		check(d, GRADE_FAIL, "crl", "none in force; see log/signerd.log");
	else
		check(d, now - s->crl_this_update > 2 * DAY_MS ? GRADE_WARN : GRADE_OK, "crl",
		      "%u entries, of %s", s->crl_entries, from);
	old_ca_check(d, s);
	settings_endpoint(d->s.est_address, d->s.http_port, http, sizeof(http));
	if (d->s.http_port)
		check(d, d->probe.http ? GRADE_OK : GRADE_FAIL, "http", "%s %s", http,
		      d->probe.http ? "is served (CRL, OCSP)"
				    : "is not served; see log/enrolld.log");
}

static void machine_check(struct doctor *d)
{
	struct statvfs fs;
	unsigned long long left;

	if (clock_wall_ms() < CLOCK_EARLIEST_MS)
		check(d, GRADE_FAIL, "clock", "is before this program was made: set it (chrony)");
	else
		check(d, GRADE_OK, "clock", "is plausible");
	if (statvfs(d->s.home, &fs)) {
		check(d, GRADE_FAIL, "disk", "%s: %s", d->s.home, strerror(errno));
		return;
	}
	left = (unsigned long long)fs.f_bavail * fs.f_frsize / MIB;
	check(d,
	      left < 100    ? GRADE_FAIL
	      : left < 1024 ? GRADE_WARN
			    : GRADE_OK,
	      "disk", "%llu MiB are free", left);
}

static void restored_check(struct doctor *d, const struct status *st)
{
	check(d, GRADE_OK, "registryd", "answers, schema %u", st->registry_schema);
	if (st->compare_needed)
		check(d, GRADE_FAIL, "restored",
		      "signerd has not told its lists since the restore: nobody gets on");
	else if (st->held || st->lost)
		check(d, GRADE_FAIL, "restored",
		      "the registry had forgotten revocations of %" PRIu64 " pumps and %" PRIu64
		      " certificates; do: pumpctl backup merge",
		      st->held, st->lost);
	if (st->unkept)
		check(d, GRADE_WARN, "revocations",
		      "%" PRIu64 " certificates are not on signerd's list yet", st->unkept);
}

static void policy_check(struct doctor *d, struct ipc_client *registry)
{
	char told[LABEL_SIZE];

	if (!server_policy_login_lags(&d->s, registry, told) && *told)
		check(d, GRADE_WARN, "policy",
		      "pumps are told that logins go to %s, which pumpgate.conf says no more; do: "
		      "pumpctl cert server-renew",
		      told);
}

static void services_check(struct doctor *d)
{
	AUTO_IPC_CLIENT c = NULL;
	struct list_query q = {0};
	struct status st;

	if (!d->probe.running) {
		check(d, GRADE_WARN, "running",
		      "no; do: pumpctl --home %s run, or: systemctl start pumpgate.target",
		      d->s.home);
		return;
	}
	check(d, GRADE_OK, "running", "%s",
	      d->probe.supervised ? "yes" : "yes, without pumpctl run");
	if (registry_open(d->call, &c) || registry_status(c, &q, &st, REGISTRY_TIMEOUT_MS))
		check(d, GRADE_FAIL, "registryd", "%s; see log/registryd.log", err_text());
	else {
		restored_check(d, &st);
		policy_check(d, c);
	}
	if (d->probe.signer) {
		check(d, GRADE_OK, "signerd", "answers, key store: %s",
		      d->probe.signer_status.key_store);
		published_check(d);
	} else
		check(d, GRADE_FAIL, "signerd", "does not answer; see log/signerd.log");
}

static int doctor_run(const struct call *call)
{
	struct doctor d = {.call = call, .checks = json_array()};
	int rc = settings_read(home_dir(call->home), &d.s);

	if (rc) {
		json_decref(d.checks);
		return report_failure(rc);
	}
	probe_take(&d.s, &d.probe);
	programs_check(&d);
	radiusd_version_check(&d);
	folders_check(&d);
	radiusd_config_check(&d);
	server_certs_check(&d);
	certs_check(&d, "trust/server.pem", 365 * DAY_MS);
	certs_check(&d, "trust/nas.pem", 365 * DAY_MS);
	certs_check(&d, "trust/device.pem", 365 * DAY_MS);
	ports_check(&d);
	machine_check(&d);
	services_check(&d);
	if (call->json)
		rc = json_show(json_pack("{s:b s:i s:i s:o}", "healthy", d.n_fail == 0, "warnings",
					 (int)d.n_warn, "failures", (int)d.n_fail, "checks",
					 d.checks));
	else
		json_decref(d.checks);
	if (rc)
		return report_failure(rc);
	return d.n_fail ? EXIT_FAILED : EXIT_DONE;
}

const struct verb verb_doctor = {
	.name = "doctor",
	.operands = "",
	.summary = "Check programs, home, certificates, ports, clock and disk; say what to do",
	.examples = {"doctor", "doctor --json", "--home /tmp/try doctor"},
	.run = doctor_run,
};
