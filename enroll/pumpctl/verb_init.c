/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * pumpctl init: makes a home or completes one that was left half made. Every step looks first and
 * does only what is missing, so that it can be killed anywhere and run again. Never overwrites a
 * key.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <jansson.h>

#include "base/daemon.h"
#include "enroll/pumpctl/ca_offline.h"
#include "enroll/pumpctl/hop_tokens.h"
#include "enroll/pumpctl/layout.h"
#include "enroll/pumpctl/ports.h"
#include "enroll/pumpctl/raddb.h"
#include "enroll/pumpctl/report.h"
#include "enroll/pumpctl/maker_file.h"
#include "enroll/pumpctl/server_keys.h"
#include "enroll/pumpctl/settings.h"
#include "enroll/pumpctl/spawn.h"
#include "enroll/pumpctl/verbs.h"

#define STORE_TIMEOUT_MS 60000
#define TRUST_MAX 65536
#define HTTP_PORT 21480

static int text_option(const struct call *call, const char *name, char *out, size_t size)
{
	const char *value = call_value(call, name);

	if (!value)
		return 0;
	if (strlen(value) >= size)
		return err_set(ERR_INVALID, "--%s is longer than %zu bytes", name, size - 1);
	return str_copy(out, size, value);
}

static int port_option(const struct call *call, const char *name, unsigned long min, uint32_t *out)
{
	unsigned long v;
	int rc = call_number(call, name, *out, min, 65535, &v);

	if (!rc)
		*out = (uint32_t)v;
	return rc;
}

/* 0: off. The inner ports follow, unless the file says otherwise. */
static int radsec_option(const struct call *call, struct settings *s)
{
	unsigned long v;
	int rc = call_number(call, "radsec-port", s->radsec_port, 0, 65532, &v);

	if (rc || !call_flag(call, "radsec-port"))
		return rc;
	if (v && v != s->radsec_port)
		s->radsec_inner_port = (uint32_t)v + 1;
	s->radsec_port = (uint32_t)v;
	return 0;
}

static int users_option(const struct call *call, struct settings *s)
{
	unsigned long first;
	int rc;

	if (!call_flag(call, "users"))
		return 0;
	if (geteuid() != 0)
		return err_set(ERR_DENIED, "--users: only root can give files to other users");
	rc = call_number(call, "users", 0, 1, 0x7ffffff0, &first);
	if (rc)
		return rc;
	for (unsigned p = 0; p < PROCESS_COUNT; p++) {
		if (first)
			snprintf(s->users[p], sizeof(s->users[p]), "%lu", first + p);
		else
			snprintf(s->users[p], sizeof(s->users[p]), "%s",
				 process_user((enum process)p));
	}
	return 0;
}

static int options_take(const struct call *call, struct settings *s)
{
	int rc;

	if ((rc = text_option(call, "radius-name", s->radius_name, sizeof(s->radius_name))) ||
	    (rc = text_option(call, "est-name", s->est_names, sizeof(s->est_names))) ||
	    (rc = text_option(call, "organization", s->organization, sizeof(s->organization))) ||
	    (rc = text_option(call, "radius-address", s->radius_address,
			      sizeof(s->radius_address))) ||
	    (rc = text_option(call, "est-address", s->est_address, sizeof(s->est_address))) ||
	    (rc = port_option(call, "radius-auth-port", 1, &s->radius_auth_port)) ||
	    (rc = port_option(call, "radius-acct-port", 1, &s->radius_acct_port)) ||
	    (rc = text_option(call, "radsec-name", s->radsec_name, sizeof(s->radsec_name))) ||
	    (rc = text_option(call, "login-name", s->login_name, sizeof(s->login_name))) ||
	    (rc = port_option(call, "login-port", 1, &s->login_port)) ||
	    (rc = radsec_option(call, s)) ||
	    (rc = port_option(call, "est-port", 1, &s->est_port)) ||
	    (rc = port_option(call, "http-port", 0, &s->http_port)))
		return rc;
	return users_option(call, s);
}

static int radsec_ports_choose(const struct call *call, struct settings *s)
{
	uint32_t at;
	int rc = 0;

	if (!call_flag(call, "radsec-port"))
		rc = port_choose(PORT_TCP, s->radius_address, s->radsec_port, 1, &s->radsec_port);
	if (!rc)
		rc = port_choose(PORT_UDP, "127.0.0.1",
				 s->radsec_port ? s->radsec_port + 1 : s->radsec_inner_port, 3,
				 &at);
	if (!rc)
		s->radsec_inner_port = at;
	return rc;
}

/* The ports that nobody named, so that several homes can live on one machine. */
static int ports_choose(const struct call *call, struct settings *s)
{
	bool auth = call_flag(call, "radius-auth-port");
	bool acct = call_flag(call, "radius-acct-port");
	int rc = 0;

	if (auth && !acct)
		s->radius_acct_port = s->radius_auth_port + 1;
	else if (acct && !auth)
		s->radius_auth_port = s->radius_acct_port - 1;
	else if (!auth) {
		rc = port_choose(PORT_UDP, s->radius_address, s->radius_auth_port, 2,
				 &s->radius_auth_port);
		s->radius_acct_port = s->radius_auth_port + 1;
	}
	if (!rc && !call_flag(call, "est-port"))
		rc = port_choose(PORT_TCP, s->est_address, s->est_port, 1, &s->est_port);
	if (!rc && !call_flag(call, "http-port"))
		rc = port_choose(PORT_TCP, s->est_address, HTTP_PORT, 1, &s->http_port);
	if (!rc)
		rc = radsec_ports_choose(call, s);
	if (!rc && !call_flag(call, "login-port"))
		rc = port_choose(PORT_TCP, s->est_address,
				 s->radsec_port ? s->radsec_inner_port + 3 : s->login_port, 1,
				 &s->login_port);
	return rc;
}

/* Names of the EST certificate that nobody named: this machine by loopback and by its address. */
static void est_names_default(struct settings *s)
{
	bool plain = !strcmp(s->est_address, "0.0.0.0") || !strcmp(s->est_address, "::") ||
		     !strcmp(s->est_address, "127.0.0.1");

	if (!s->est_names[0])
		snprintf(s->est_names, sizeof(s->est_names), "localhost, 127.0.0.1%s%s",
			 plain ? "" : ", ", plain ? "" : s->est_address);
}

static int home_make(const char *home, char out[PATH_MAX])
{
	if (mkdir(home, 0755) && errno != EEXIST)
		return err_errno(ERR_IO, "%s", home);
	if (!realpath(home, out))
		return err_errno(ERR_IO, "%s", home);
	return 0;
}

/* An existing pumpgate.conf counts; an option that says something else is refused. */
static int conf_have(const struct call *call, struct settings *s, bool *changed)
{
	const char *home = home_dir(call->home);
	struct settings asked;
	int rc = settings_read(home, s);

	if (!rc) {
		asked = *s;
		rc = options_take(call, &asked);
		if (!rc && memcmp(&asked, s, sizeof(asked)) != 0)
			rc = err_set(ERR_EXISTS,
				     "%s/pumpgate.conf says otherwise; edit it there, then repeat "
				     "`pumpctl init` without these options",
				     s->home);
		return rc;
	}
	if (rc != ERR_NOT_FOUND)
		return rc;
	settings_default(s);
	if (!raddb_path_is_plain(home))
		return err_set(ERR_INVALID, "%s: use only letters, digits and /._+- for a home",
			       home);
	if ((rc = home_make(home, s->home)) || (rc = options_take(call, s)) ||
	    (rc = ports_choose(call, s)))
		return rc;
	est_names_default(s);
	if ((rc = settings_check(s)) || (rc = layout_apply(s, changed)))
		return rc;
	*changed = true;
	return settings_write(s);
}

static int store_init(const struct settings *s, const char *program, enum process p,
		      const char *proof, bool *changed)
{
	AUTO_BUF said = {.max = 4096};
	char path[PATH_MAX], made[PATH_MAX];
	struct spawn child = {.path = path, .args = {program, "--home", s->home, "init"}};
	bool was_there;
	int status;
	int rc = program_find(program, path);

	if (rc || (rc = home_path(s->home, proof, made)) ||
	    (rc = settings_owner(s, p, &child.owner)))
		return rc;
	was_there = access(made, F_OK) == 0;
	rc = spawn_run(&child, STORE_TIMEOUT_MS, &said, &status);
	if (rc)
		return rc;
	if (status != EXIT_DONE && status != EXIT_NOTHING)
		return err_set(ERR_IO, "%s init failed (status %d): %s", program, status,
			       said.len ? buf_cstr(&said) : "no word; see its log");
	if (!was_there)
		*changed = true;
	return 0;
}

/* trust/ belongs to us; the signer writes there only during init, and what it wrote becomes ours.
 */
static int trust_open(const struct settings *s, bool open_it)
{
	char path[PATH_MAX];
	struct owner o = {geteuid(), getegid()};
	int rc = home_path(s->home, "trust", path);

	if (rc || geteuid() != 0)
		return rc;
	if (open_it && (rc = settings_owner(s, PROCESS_SIGNERD, &o)))
		return rc;
	return lchown(path, o.uid, o.gid) ? err_errno(ERR_IO, "%s", path) : 0;
}

static int trust_take(const struct settings *s, const char *rel)
{
	AUTO_BUF b = {.max = TRUST_MAX};
	char path[PATH_MAX];
	struct stat st;
	int rc = home_path(s->home, rel, path);

	if (rc)
		return rc;
	if (lstat(path, &st) || !S_ISREG(st.st_mode))
		return err_set(ERR_NOT_FOUND, "pumpgate-signerd init wrote no %s", path);
	if (st.st_uid == geteuid() && (st.st_mode & 07777) == 0644)
		return 0;
	rc = buf_read_file(&b, path);
	return rc ? rc : buf_write_file(path, 0644, b.data, b.len);
}

static int signer_init(const struct settings *s, bool *changed)
{
	int rc = trust_open(s, true);
	int closed;

	if (!rc)
		rc = store_init(s, "pumpgate-signerd", PROCESS_SIGNERD, "trust/nas.pem", changed);
	closed = trust_open(s, false);
	if (rc || (rc = closed) || (rc = trust_take(s, "trust/server.pem")) ||
	    (rc = trust_take(s, "trust/nas.pem")))
		return rc;
	return trust_take(s, "trust/device.pem");
}

/* Where the root is on another machine: a request per CA, and then it is the operator's turn. */
static int offline_requests(const struct settings *s, bool *changed)
{
	static const char *const cas[] = {"device", "server"};
	unsigned waiting = 0;

	for (size_t i = 0; i < sizeof(cas) / sizeof(cas[0]); i++) {
		char rel[64], there[PATH_MAX], out[PATH_MAX];
		int rc;

		snprintf(rel, sizeof(rel), "ca/%s-ca.pem", cas[i]);
		if ((rc = home_path(s->home, rel, there)))
			return rc;
		if (access(there, F_OK) == 0)
			continue;
		snprintf(rel, sizeof(rel), "%s-ca.csr", cas[i]);
		if ((rc = home_path(s->home, rel, out)) ||
		    (rc = ca_request_fetch(s->home, cas[i], NULL, false, out)))
			return rc;
		*changed = true;
		waiting++;
	}
	return waiting ? err_set(ERR_BUSY,
				 "%u CAs wait for the offline root: sign %s/*-ca.csr there, then "
				 "pumpctl ca import device FILE, ca import server FILE, init",
				 waiting, s->home)
		       : 0;
}

static int home_complete(const struct call *call, struct settings *s, bool *changed)
{
	int rc = conf_have(call, s, changed);

	if (rc || (rc = settings_users_complete(s, changed)) || (rc = layout_apply(s, changed)))
		return rc;
	rc = layout_lock(s->home, LOCK_INIT);
	if (rc)
		return rc == ERR_BUSY ? err_set(rc, "another `pumpctl init` is at work here") : rc;
	if (!layout_is_locked(s->home, LOCK_RUN) && /* a running system has its stores */
	    ((rc = store_init(s, "pumpgate-registryd", PROCESS_REGISTRYD, "registry/registry.db",
			      changed)) ||
	     (rc = store_init(s, "pumpgate-credd", PROCESS_CREDD, "cred/clinicians.db", changed)) ||
	     (call_flag(call, "offline-root") && (rc = offline_requests(s, changed))) ||
	     (rc = signer_init(s, changed))))
		return rc;
	rc = server_keys_apply(s, changed);
	if (!rc)
		rc = maker_file_have(s, changed);
	if (!rc)
		rc = hop_tokens_apply(s, changed);
	return rc ? rc : raddb_render(s, changed);
}

static void init_show(const struct call *call, const struct settings *s, bool changed)
{
	char auth[64], acct[64], est[320];

	settings_endpoint(s->radius_address, s->radius_auth_port, auth, sizeof(auth));
	settings_endpoint(s->radius_address, s->radius_acct_port, acct, sizeof(acct));
	settings_est_url(s, est, sizeof(est));
	if (call->json) {
		json_t *j = json_pack("{s:s s:b s:{s:s s:s} s:s s:s+}", "home", s->home, "changed",
				      changed, "radius", "auth", auth, "acct", acct, "est", est,
				      "trust", s->home, "/trust/server.pem");

		if (j && json_dumpf(j, stdout, JSON_INDENT(2)) == 0)
			putchar('\n');
		json_decref(j);
		return;
	}
	printf("%s %s\n", s->home, changed ? "is ready to run" : "is complete: nothing to do");
	if (!changed)
		return;
	printf("  RADIUS  %s (accounting %s), name %s\n", auth, acct, s->radius_name);
	printf("  EST     %s\n", est);
	printf("next: pumpctl --home %s run\n", s->home);
}

static int init_run(const struct call *call)
{
	struct settings s;
	bool changed = false;
	int rc;

	umask(022);
	rc = home_complete(call, &s, &changed);
	if (rc)
		return report_failure(rc);
	init_show(call, &s, changed);
	return changed ? EXIT_DONE : EXIT_NOTHING;
}

static const struct option_spec init_options[] = {
	{"radius-address", 0, OPTION_VALUE, "A", "where RADIUS listens (127.0.0.1)", false},
	{"radius-auth-port", 0, OPTION_VALUE, "N", "authentication (21812 or the next free)",
	 false},
	{"radius-acct-port", 0, OPTION_VALUE, "N", "accounting (21813 or the next free)", false},
	{"est-address", 0, OPTION_VALUE, "A", "where EST listens (127.0.0.1)", false},
	{"est-port", 0, OPTION_VALUE, "N", "EST (21443 or the next free)", false},
	{"http-port", 0, OPTION_VALUE, "N", "CRL and OCSP (21480 or the next free; 0: not served)",
	 false},
	{"radsec-port", 0, OPTION_VALUE, "N", "RadSec (22083 or the next free); 0: off", false},
	{"radsec-name", 0, OPTION_VALUE, "N",
	 "name in RadSec's certificate (radsec-1.pumpgate.internal)", false},
	{"login-port", 0, OPTION_VALUE, "N", "clinicians' logins (22087 or the next free)", false},
	{"login-name", 0, OPTION_VALUE, "N",
	 "name in that server's certificate (login-1.pumpgate.internal)", false},
	{"est-name", 0, OPTION_VALUE, "NAMES", "names and addresses in EST's certificate", false},
	{"radius-name", 0, OPTION_VALUE, "N", "name that pumps pin (radius-1.pumpgate.internal)",
	 false},
	{"organization", 0, OPTION_VALUE, "O", "in the CAs' names (Hospital)", false},
	{"offline-root", 0, OPTION_FLAG, NULL,
	 "only requests for the issuing CAs: their roots are on another machine", false},
	{"users", 0, OPTION_MAYBE_NUMBER, "[FIRST]",
	 "a user per process: pumpgate-registry, -signer, -enroll, -radius, -dispatch, -radsec, "
	 "-cred, -login; or eight numbers from FIRST",
	 false},
};

const struct verb verb_init = {
	.name = "init",
	.operands = "",
	.summary = "Make a home: settings, stores, CAs, server certificates, FreeRADIUS's files",
	VERB_OPTIONS(init_options),
	.examples = {"--home /tmp/try init",
		     "--home /tmp/try2 init --radius-auth-port 1812 --est-port 8443",
		     "--home /tmp/try3 init --organization 'City Hospital' --json"},
	.run = init_run,
};
