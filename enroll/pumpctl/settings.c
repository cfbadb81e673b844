/* SPDX-License-Identifier: BSD-2-Clause */
/* Owns reading and writing pumpgate.conf for pumpctl. Never applies what it says. */
#include "enroll/pumpctl/settings.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <errno.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/config.h"
#include "policies/admin_kinds.h"
#include "policies/anomaly.h"

#define CONF_MAX 16384

static const char *const process_names[PROCESS_COUNT] = {
	[PROCESS_REGISTRYD] = "registryd", [PROCESS_SIGNERD] = "signerd",
	[PROCESS_ENROLLD] = "enrolld",	   [PROCESS_RADIUSD] = "radiusd",
	[PROCESS_DISPATCHD] = "dispatchd", [PROCESS_RADSECD] = "radsecd",
	[PROCESS_CREDD] = "credd",	   [PROCESS_CLINICIANS] = "clinicians",
};

const char *process_name(enum process p)
{
	return process_names[p];
}

const char *process_user(enum process p)
{
	static const char *const users[PROCESS_COUNT] = {
		[PROCESS_REGISTRYD] = "pumpgate-registry", [PROCESS_SIGNERD] = "pumpgate-signer",
		[PROCESS_ENROLLD] = "pumpgate-enroll",	   [PROCESS_RADIUSD] = "pumpgate-radius",
		[PROCESS_DISPATCHD] = "pumpgate-dispatch", [PROCESS_RADSECD] = "pumpgate-radsec",
		[PROCESS_CREDD] = "pumpgate-cred",	   [PROCESS_CLINICIANS] = "pumpgate-login",
	};

	return users[p];
}

void settings_default(struct settings *s)
{
	memset(s, 0, sizeof(*s));
	strcpy(s->radius_name, "radius-1.pumpgate.internal");
	strcpy(s->radsec_name, "radsec-1.pumpgate.internal");
	strcpy(s->login_name, "login-1.pumpgate.internal");
	strcpy(s->organization, "Hospital");
	strcpy(s->radius_address, "127.0.0.1");
	strcpy(s->est_address, "127.0.0.1");
	s->radius_auth_port = 21812;
	s->radius_acct_port = 21813;
	s->est_port = 21443;
	s->radsec_port = 22083;
	s->radsec_inner_port = 22084;
	s->login_port = 22087;
	strcpy(s->admins, "root");
	strcpy(s->device_validity, "365d");
	s->late_max_s = 365 * 86400;
	strcpy(s->server_validity, "60d");
	strcpy(s->second_person, "yes");
	strcpy(s->nas_validity, "365d");
}

static bool only(const char *text, const char *extra)
{
	if (!*text)
		return false;
	for (; *text; text++)
		if (!isalnum((unsigned char)*text) && !strchr(extra, *text))
			return false;
	return true;
}

static bool is_address(const char *text)
{
	uint8_t raw[16];

	return inet_pton(AF_INET, text, raw) == 1 || inet_pton(AF_INET6, text, raw) == 1;
}

static bool is_organization(const char *text)
{
	if (!*text || isspace((unsigned char)*text))
		return false;
	for (; *text; text++)
		if ((unsigned char)*text < 0x20 || (unsigned char)*text == 0x7f || *text == ';')
			return false;
	return true;
}

int settings_check(const struct settings *s)
{
	int64_t ms;

	if (!only(s->radius_name, ".-"))
		return err_set(ERR_INVALID, "radius_name '%.64s' is no host name", s->radius_name);
	if (!only(s->radsec_name, ".-"))
		return err_set(ERR_INVALID, "radsec_name '%.64s' is no host name", s->radsec_name);
	if (!strcmp(s->radsec_name, s->radius_name))
		return err_set(ERR_INVALID, "radsec_name must not be the name that pumps pin");
	if (!only(s->login_name, ".-"))
		return err_set(ERR_INVALID, "login_name '%.64s' is no host name", s->login_name);
	if (!strcmp(s->login_name, s->radius_name) || !strcmp(s->login_name, s->radsec_name))
		return err_set(ERR_INVALID, "login_name must be a name of its own");
	if (!only(s->est_names, ".-:, "))
		return err_set(ERR_INVALID,
			       "est_names '%.64s': write names or addresses, "
			       "separated by commas",
			       s->est_names);
	if (!is_organization(s->organization))
		return err_set(ERR_INVALID, "organization '%.64s': printable, without ';'",
			       s->organization);
	if (!is_address(s->radius_address))
		return err_set(ERR_INVALID, "radius_address '%.45s' is no IP address",
			       s->radius_address);
	if (!is_address(s->est_address))
		return err_set(ERR_INVALID, "est_address '%.45s' is no IP address", s->est_address);
	if (s->http_port == s->est_port)
		return err_set(ERR_INVALID, "est_port and http_port need two ports");
	if (s->radius_auth_port == s->radius_acct_port)
		return err_set(ERR_INVALID, "authentication and accounting need two ports");
	if (s->radsec_port && s->radsec_port == s->est_port)
		return err_set(ERR_INVALID, "RadSec and EST need two ports");
	if (s->login_port == s->est_port || s->login_port == s->radsec_port)
		return err_set(ERR_INVALID, "logins need a port of their own");
	if (clock_duration_parse(s->nas_validity, &ms))
		return err_add(ERR_INVALID, "nas_validity");
	if (clock_duration_parse(s->device_validity, &ms))
		return err_add(ERR_INVALID, "device_validity");
	if (clock_duration_parse(s->server_validity, &ms))
		return err_add(ERR_INVALID, "server_validity");
	if (strcmp(s->second_person, "yes") && strcmp(s->second_person, "no"))
		return err_set(ERR_INVALID, "second_person is yes or no");
	return 0;
}

static int str_setting(struct config *c, const char *section, const char *key, char *out,
		       size_t size)
{
	const char *text = config_str(c, section, key, NULL);

	if (!text)
		return 0;
	if (strlen(text) >= size)
		return err_set(ERR_INVALID, "pumpgate.conf: [%s] %s is longer than %zu bytes",
			       section, key, size - 1);
	return str_copy(out, size, text);
}

static int strings_read(struct config *c, struct settings *s)
{
	const struct {
		const char *section, *key;
		char *out;
		size_t size;
	} strings[] = {
		{"server", "radius_name", s->radius_name, sizeof(s->radius_name)},
		{"server", "est_names", s->est_names, sizeof(s->est_names)},
		{"server", "radsec_name", s->radsec_name, sizeof(s->radsec_name)},
		{"server", "login_name", s->login_name, sizeof(s->login_name)},
		{"server", "organization", s->organization, sizeof(s->organization)},
		{"listen", "radius_address", s->radius_address, sizeof(s->radius_address)},
		{"listen", "est_address", s->est_address, sizeof(s->est_address)},
		{"users", "admins", s->admins, sizeof(s->admins)},
		{"est", "labels", s->est_labels, sizeof(s->est_labels)},
		{"ca", "device_validity", s->device_validity, sizeof(s->device_validity)},
		{"ca", "server_validity", s->server_validity, sizeof(s->server_validity)},
		{"recall", "second_person", s->second_person, sizeof(s->second_person)},
		{"ca", "nas_validity", s->nas_validity, sizeof(s->nas_validity)},
	};
	int rc = 0;

	for (size_t i = 0; !rc && i < sizeof(strings) / sizeof(strings[0]); i++)
		rc = str_setting(c, strings[i].section, strings[i].key, strings[i].out,
				 strings[i].size);
	for (int p = 0; !rc && p < PROCESS_COUNT; p++)
		rc = str_setting(c, "users", process_names[p], s->users[p], sizeof(s->users[p]));
	return rc;
}

/* As the signer reads it, which judges its bounds; for the RADIUS server. */
static int late_read(struct config *c, uint32_t *late_max_s_out)
{
	bool is_on = strcmp(config_str(c, "ca", "expired_return", "once"), "no") != 0;
	int64_t within_ms;
	int rc = config_duration(c, "ca", "expired_within", "365d", &within_ms);

	if (!rc)
		*late_max_s_out = is_on ? (uint32_t)(within_ms / 1000) : 0;
	return rc;
}

static int conf_read(struct config *c, struct settings *s)
{
	static const char *const sections[] = {"server", "listen", "users", "ca", "recall"};
	static const char *const signers_own[] = {
		"unproven_renewals", "issue_per_hour",	"passphrase_file",
		"pin_file",	     "pkcs11_module",	"crl_url",
		"ocsp_url",	     "ocsp_per_minute", "checkpoint_s"};
	uint32_t per_minute; /* the signer's own setting: only its bounds are checked here */
	struct anomaly_policy anomaly; /* the registry's, likewise */
	int rc = strings_read(c, s);

	for (int k = 0; k < ADMIN_KINDS; k++) /* judged by whom they ask */
		config_str(c, "users", admin_kind_key((enum admin_kind)k), "");
	if (!rc)
		rc = late_read(c, &s->late_max_s);
	for (size_t i = 0; i < sizeof(signers_own) / sizeof(signers_own[0]); i++)
		config_str(c, "ca", signers_own[i], ""); /* judged by the signer */
	if (rc ||
	    (rc = config_u32(c, "listen", "radius_auth_port", s->radius_auth_port, 1, 65535,
			     &s->radius_auth_port)) ||
	    (rc = config_u32(c, "listen", "radius_acct_port", s->radius_acct_port, 1, 65535,
			     &s->radius_acct_port)) ||
	    (rc = config_u32(c, "listen", "est_port", s->est_port, 1, 65535, &s->est_port)) ||
	    (rc = config_u32(c, "listen", "http_port", 0, 0, 65535, &s->http_port)) ||
	    (rc = config_u32(c, "listen", "radsec_port", s->radsec_port, 0, 65535,
			     &s->radsec_port)) ||
	    (rc = config_u32(c, "listen", "login_port", s->login_port, 1, 65535, &s->login_port)) ||
	    (rc = config_u32(c, "listen", "radsec_inner_port", s->radsec_inner_port, 1, 65533,
			     &s->radsec_inner_port)) ||
	    (rc = config_u32(c, "ca", "issue_per_minute", 1, 1, 1000000, &per_minute)))
		return rc;
	for (size_t i = 0; i < sizeof(sections) / sizeof(sections[0]); i++) {
		rc = config_check_unused(c, sections[i]);
		if (rc)
			return rc;
	}
	rc = anomaly_policy_read(c, &anomaly);
	return rc ? rc : settings_check(s);
}

int settings_read(const char *home, struct settings *out)
{
	AUTO_CONFIG c = NULL;
	char path[PATH_MAX];
	struct settings s;
	int rc;

	settings_default(&s);
	if (!realpath(home, s.home))
		return err_set(ERR_NOT_FOUND, "no folder %s; do: pumpctl --home %s init", home,
			       home);
	if (snprintf(path, sizeof(path), "%s/pumpgate.conf", s.home) >= (int)sizeof(path))
		return err_set(ERR_LIMIT, "%s: path too long", home);
	rc = config_read(path, &c);
	if (rc == ERR_NOT_FOUND)
		return err_set(rc, "no %s; do: pumpctl --home %s init", path, home);
	if (rc || (rc = conf_read(c, &s)))
		return rc;
	*out = s;
	return 0;
}

int settings_write(const struct settings *s)
{
	AUTO_BUF b = {.max = CONF_MAX};
	char path[PATH_MAX];
	int rc = buf_printf(
		&b,
		"# Settings of all Pumpgate processes; no secret belongs here.\n"
		"# After a change: pumpctl init (applies it), then restart.\n"
		"[server]\n"
		"radius_name = %s\n"
		"est_names = %s\n"
		"radsec_name = %s\n"
		"login_name = %s\n"
		"organization = %s\n"
		"\n[listen]\n"
		"radius_address = %s\n"
		"radius_auth_port = %u\n"
		"radius_acct_port = %u\n"
		"est_address = %s\n"
		"est_port = %u\n"
		"# CRL and OCSP for other systems that must trust a pump; 0: not served.\n"
		"http_port = %u\n"
		"# RADIUS over TLS for access points and switches; 0: off. The inner ports\n"
		"# (three, on 127.0.0.1) are between our own processes.\n"
		"radsec_port = %u\n"
		"radsec_inner_port = %u\n"
		"# Clinicians' logins: RADIUS over TLS for pumps, at est_address.\n"
		"login_port = %u\n"
		"\n# A name or a number; empty: the user that runs `pumpctl run`.\n"
		"[users]\n",
		s->radius_name, s->est_names, s->radsec_name, s->login_name, s->organization,
		s->radius_address, s->radius_auth_port, s->radius_acct_port, s->est_address,
		s->est_port, s->http_port, s->radsec_port, s->radsec_inner_port, s->login_port);

	for (int p = 0; !rc && p < PROCESS_COUNT; p++)
		rc = buf_printf(&b, "%s =%s%s\n", process_names[p], s->users[p][0] ? " " : "",
				s->users[p]);
	if (!rc)
		rc = buf_printf(&b,
				"admins = %s\n"
				"\n[ca]\n"
				"device_validity = %s\n"
				"server_validity = %s\n"
				"nas_validity = %s\n"
				"\n# Recalls of more than 20 pumps: yes, another admin confirms.\n"
				"[recall]\n"
				"second_person = %s\n",
				s->admins, s->device_validity, s->server_validity, s->nas_validity,
				s->second_person);
	if (rc)
		return rc;
	if (snprintf(path, sizeof(path), "%s/pumpgate.conf", s->home) >= (int)sizeof(path))
		return err_set(ERR_LIMIT, "%s: path too long", s->home);
	return buf_write_file(path, 0644, b.data, b.len);
}

/* A user for a process that has none: by number the next one, by name the usual one. */
static void user_derive(struct settings *s, int p)
{
	unsigned long highest = 0;

	for (int i = 0; i < PROCESS_COUNT; i++) {
		unsigned long v = strtoul(s->users[i], NULL, 10);

		highest = v > highest ? v : highest;
	}
	if (isdigit((unsigned char)s->users[0][0]))
		snprintf(s->users[p], sizeof(s->users[p]), "%lu", highest + 1);
	else
		snprintf(s->users[p], sizeof(s->users[p]), "%s", process_user((enum process)p));
}

int settings_users_complete(struct settings *s, bool *changed)
{
	AUTO_BUF in = {.max = CONF_MAX};
	AUTO_BUF out = {.max = 2 * CONF_MAX};
	char path[PATH_MAX];
	const char *text, *at;
	bool missing = false;
	int rc;

	for (int p = 0; p < PROCESS_COUNT; p++)
		missing |= !s->users[p][0];
	if (!s->users[0][0] || !missing)
		return 0;
	if (snprintf(path, sizeof(path), "%s/pumpgate.conf", s->home) >= (int)sizeof(path))
		return err_set(ERR_LIMIT, "%s: path too long", s->home);
	rc = buf_read_file(&in, path);
	if (rc)
		return rc;
	text = buf_cstr(&in);
	at = text ? strstr(text, "[users]\n") : NULL;
	if (!at)
		return err_set(ERR_INVALID, "%s: name a user for each process in [users]", path);
	at += strlen("[users]\n");
	rc = buf_put(&out, text, (size_t)(at - text));
	for (int p = 0; !rc && p < PROCESS_COUNT; p++) {
		if (s->users[p][0])
			continue;
		user_derive(s, p);
		rc = buf_printf(&out, "%s = %s\n", process_names[p], s->users[p]);
	}
	if (!rc)
		rc = buf_put_str(&out, at);
	if (!rc)
		rc = buf_write_file(path, 0644, out.data, out.len);
	*changed |= !rc;
	return rc;
}

static int owner_lookup(const char *user, struct owner *out)
{
	struct passwd *pw;
	unsigned long id;
	char *end;

	if (isdigit((unsigned char)user[0])) {
		errno = 0;
		id = strtoul(user, &end, 10);
		if (errno || *end || id > 0x7ffffffe)
			return err_set(ERR_INVALID, "[users]: '%s' is no user number", user);
		*out = (struct owner){(uid_t)id, (gid_t)id};
		return 0;
	}
	pw = getpwnam(user);
	if (!pw)
		return err_set(ERR_NOT_FOUND,
			       "no user %s; do: adduser --system --group --no-create-home %s", user,
			       user);
	*out = (struct owner){pw->pw_uid, pw->pw_gid};
	return 0;
}

int settings_owner(const struct settings *s, enum process p, struct owner *out)
{
	int rc;

	*out = (struct owner){geteuid(), getegid()};
	if (!s->users[p][0])
		return 0;
	rc = owner_lookup(s->users[p], out);
	if (rc)
		return rc;
	if (geteuid() != 0 && out->uid != geteuid())
		return err_set(ERR_DENIED, "%s runs as user %s: start pumpctl as root",
			       process_names[p], s->users[p]);
	return 0;
}

bool settings_one_user(const struct settings *s)
{
	for (int p = 1; p < PROCESS_COUNT; p++)
		if (strcmp(s->users[p], s->users[0]))
			return false;
	return true;
}

void settings_endpoint(const char *address, uint32_t port, char *out, size_t size)
{
	const bool six = strchr(address, ':') != NULL;

	snprintf(out, size, "%s%s%s:%u", six ? "[" : "", address, six ? "]" : "", port);
}

/* The first name that another machine could use; with only local ones the first. */
static void first_name(const char *names, char *out, size_t size)
{
	char copy[512], *save = NULL;

	out[0] = '\0';
	snprintf(copy, sizeof(copy), "%s", names);
	for (char *t = strtok_r(copy, ", ", &save); t; t = strtok_r(NULL, ", ", &save)) {
		bool local = !strcmp(t, "localhost") || !strncmp(t, "127.", 4) || !strcmp(t, "::1");

		if (!out[0] || !local)
			snprintf(out, size, "%s", t);
		if (!local)
			return;
	}
}

/* As another machine would write it. */
static void est_endpoint(const struct settings *s, uint32_t port, char *out, size_t size)
{
	bool any = !strcmp(s->est_address, "0.0.0.0") || !strcmp(s->est_address, "::");
	char host[256];

	if (any)
		first_name(s->est_names, host, sizeof(host));
	else
		snprintf(host, sizeof(host), "%s", s->est_address);
	settings_endpoint(host, port, out, size);
}

void settings_est_url(const struct settings *s, char *out, size_t size)
{
	char endpoint[300];

	est_endpoint(s, s->est_port, endpoint, sizeof(endpoint));
	snprintf(out, size, "https://%s/.well-known/est", endpoint);
}

void settings_login_server(const struct settings *s, char *out, size_t size)
{
	bool any = !strcmp(s->est_address, "0.0.0.0") || !strcmp(s->est_address, "::");
	char copy[sizeof(s->est_names)], *save = NULL;
	const char *address = any ? "" : s->est_address;

	/* numbers only: a pump at the bedside waits for no name service */
	snprintf(copy, sizeof(copy), "%s", s->est_names);
	for (char *t = strtok_r(copy, ", ", &save); any && !*address && t;
	     t = strtok_r(NULL, ", ", &save))
		if (is_address(t) && strncmp(t, "127.", 4) && strcmp(t, "::1"))
			address = t;
	out[0] = '\0';
	if (*address)
		settings_endpoint(address, s->login_port, out, size);
}

bool settings_has_label(const struct settings *s, const char *label)
{
	char copy[sizeof(s->est_labels)], *save = NULL;

	snprintf(copy, sizeof(copy), "%s", s->est_labels);
	for (char *t = strtok_r(copy, ", ", &save); t; t = strtok_r(NULL, ", ", &save))
		if (!strcmp(t, label))
			return true;
	return false;
}

void settings_http_url(const struct settings *s, char *out, size_t size)
{
	char endpoint[300];

	out[0] = '\0';
	if (!s->http_port)
		return;
	est_endpoint(s, s->http_port, endpoint, sizeof(endpoint));
	snprintf(out, size, "http://%s", endpoint);
}
