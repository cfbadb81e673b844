/* SPDX-License-Identifier: BSD-2-Clause */
/* Owns the signer's settings and their bounds. */
#include "ca/signerd/settings.h"

#include <ctype.h>
#include <errno.h>
#include <pwd.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/config.h"
#include "base/daemon.h"

#define DAY_MS INT64_C(86400000)
#define SERVER_VALIDITY_MAX_MS (60 * DAY_MS)
#define DEVICE_VALIDITY_MAX_MS (10 * 365 * DAY_MS)
#define NAS_VALIDITY_MAX_MS (3 * 365 * DAY_MS)
#define VALIDITY_MIN_MS INT64_C(60000)
#define CHECKPOINT_S 60
#define OCSP_PER_MINUTE 6000
#define URL_LETTERS \
	"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~:/?#[]@!$&'()*+,;=%"

/* A user's name or number. */
static int user_parse(const char *text, uid_t *out)
{
	struct passwd *pw;
	unsigned long n;
	char *end;

	if (isdigit((unsigned char)text[0])) {
		errno = 0;
		n = strtoul(text, &end, 10);
		if (errno || *end || n > INT32_MAX)
			return err_set(ERR_INVALID, "[users]: \"%.32s\" is no user number", text);
		*out = (uid_t)n;
		return 0;
	}
	pw = getpwnam(text);
	if (!pw)
		return err_set(ERR_NOT_FOUND, "[users]: there is no user \"%.32s\"", text);
	*out = pw->pw_uid;
	return 0;
}

/* [users] KEY: adds to uids[*n], up to `max`. */
static int list_parse(const char *key, const char *list, uid_t *uids, size_t *n, size_t max)
{
	char copy[512], *save = NULL;

	if (str_copy(copy, sizeof(copy), list))
		return err_set(ERR_LIMIT, "[users] %s: too long", key);
	for (char *name = strtok_r(copy, ", ", &save); name; name = strtok_r(NULL, ", ", &save)) {
		int rc;

		if (*n == max)
			return err_set(ERR_LIMIT, "[users] %s: more than %d", key,
				       SIGNER_ADMINS_MAX);
		rc = user_parse(name, &uids[*n]);
		if (rc)
			return rc;
		++*n;
	}
	return 0;
}

static int admins_read(struct config *c, struct signer_settings *s)
{
	int rc = list_parse("admins", config_str(c, "users", "admins", "root"), s->admin_uids,
			    &s->n_admin, SIGNER_ADMINS_MAX + 1);

	for (int k = 0; !rc && k < ADMIN_KINDS; k++) {
		const char *key = admin_kind_key((enum admin_kind)k);

		rc = list_parse(key, config_str(c, "users", key, ""), s->kind_uids[k],
				&s->n_kind[k], SIGNER_ADMINS_MAX);
	}
	return rc;
}

static int users_read(struct config *c, struct signer_settings *s)
{
	const char *own = config_str(c, "users", "signerd", "");
	const char *enrolld = config_str(c, "users", "enrolld", "");
	uid_t uid;
	int rc;

	if (*own) {
		rc = user_parse(own, &uid);
		if (rc)
			return rc;
		if (uid != geteuid())
			return err_set(ERR_DENIED, "[users] signerd = %s, but this runs as uid %u",
				       own, geteuid());
	}
	if (*enrolld && (rc = user_parse(enrolld, &s->enroll_uids[0])))
		return rc;
	return admins_read(c, s);
}

static int bounds_check(const struct signer_settings *s)
{
	if (s->device_validity_ms < VALIDITY_MIN_MS ||
	    s->device_validity_ms > DEVICE_VALIDITY_MAX_MS)
		return err_set(ERR_INVALID, "[ca] device_validity must be 1m to 3650d");
	if (s->server_validity_ms < VALIDITY_MIN_MS ||
	    s->server_validity_ms > SERVER_VALIDITY_MAX_MS)
		return err_set(ERR_INVALID, "[ca] server_validity must be 1m to 60d");
	if (s->nas_validity_ms < VALIDITY_MIN_MS || s->nas_validity_ms > NAS_VALIDITY_MAX_MS)
		return err_set(ERR_INVALID, "[ca] nas_validity must be 1m to 1095d");
	return 0;
}

static int unproven_read(struct config *c, bool *queue_out)
{
	const char *text = config_str(c, "ca", "unproven_renewals", "queue");

	*queue_out = !strcmp(text, "queue");
	return *queue_out || !strcmp(text, "refuse")
		       ? 0
		       : err_set(ERR_INVALID, "[ca] unproven_renewals must be queue or refuse");
}

/* How long after its end a certificate is still good for one renewal; 0: not at all. */
static int late_read(struct config *c, int64_t *late_max_ms_out)
{
	const char *text = config_str(c, "ca", "expired_return", "once");
	int64_t within_ms;
	int rc = config_duration(c, "ca", "expired_within", "365d", &within_ms);

	if (rc)
		return rc;
	if (within_ms < DAY_MS || within_ms > DEVICE_VALIDITY_MAX_MS)
		return err_set(ERR_INVALID, "[ca] expired_within must be 1d to 3650d");
	if (strcmp(text, "once") && strcmp(text, "no"))
		return err_set(ERR_INVALID, "[ca] expired_return must be once or no");
	*late_max_ms_out = strcmp(text, "no") ? within_ms : 0;
	return 0;
}

static int keys_read(struct config *c, struct key_access *a)
{
	const struct {
		const char *name;
		char *to;
	} paths[] = {{"passphrase_file", a->passphrase_file},
		     {"pin_file", a->pin_file},
		     {"pkcs11_module", a->pkcs11_module}};

	for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++) {
		const char *text = config_str(c, "ca", paths[i].name, "");

		if ((*text && *text != '/') || str_copy(paths[i].to, PATH_MAX, text))
			return err_set(ERR_INVALID, "[ca] %s must be an absolute path",
				       paths[i].name);
	}
	return 0;
}

/* Plain HTTP on purpose: RFC 5280 8 warns of https there, since checking that server's certificate
 * could need this very list. */
static int url_read(struct config *c, const char *key, char out[SIGNER_URL_SIZE])
{
	const char *url = config_str(c, "ca", key, "");

	if (*url && (strncmp(url, "http://", 7) || strlen(url) >= SIGNER_URL_SIZE ||
		     strspn(url, URL_LETTERS) != strlen(url)))
		return err_set(ERR_INVALID, "[ca] %s must be http://HOST/..., at most %d letters",
			       key, SIGNER_URL_SIZE - 1);
	return str_copy(out, SIGNER_URL_SIZE, url);
}

static int all_read(struct config *c, struct signer_settings *s)
{
	int rc;

	if ((rc = str_copy(s->organization, sizeof(s->organization),
			   config_str(c, "server", "organization", "Hospital"))))
		return err_add(rc, "[server] organization");
	if ((rc = config_duration(c, "ca", "device_validity", "365d", &s->device_validity_ms)) ||
	    (rc = config_duration(c, "ca", "server_validity", "60d", &s->server_validity_ms)) ||
	    (rc = config_duration(c, "ca", "nas_validity", "365d", &s->nas_validity_ms)) ||
	    (rc = config_u32(c, "ca", "issue_per_minute", 6000, 1, 1000000,
			     &s->issue_per_minute)) ||
	    (rc = config_u32(c, "ca", "issue_per_hour", 20000, 1, 10000000, &s->issue_per_hour)) ||
	    (rc = config_u32(c, "ca", "ocsp_per_minute", OCSP_PER_MINUTE, 1, 1000000,
			     &s->ocsp_per_minute)) ||
	    (rc = config_u32(c, "ca", "checkpoint_s", CHECKPOINT_S, 1, 3600, &s->checkpoint_s)) ||
	    (rc = url_read(c, "crl_url", s->crl_url)) ||
	    (rc = url_read(c, "ocsp_url", s->ocsp_url)) ||
	    (rc = unproven_read(c, &s->unproven_queue)) || (rc = late_read(c, &s->late_max_ms)) ||
	    (rc = keys_read(c, &s->keys)) || (rc = config_check_unused(c, "ca")) ||
	    (rc = bounds_check(s)))
		return rc;
	return users_read(c, s);
}

int signer_settings_read(const char *home, struct signer_settings *out)
{
	struct signer_settings s = {
		.device_validity_ms = 365 * DAY_MS,
		.server_validity_ms = SERVER_VALIDITY_MAX_MS,
		.nas_validity_ms = 365 * DAY_MS,
		.issue_per_minute = 6000,
		.issue_per_hour = 20000,
		.unproven_queue = true,
		.late_max_ms = 365 * DAY_MS,
		.ocsp_per_minute = OCSP_PER_MINUTE,
		.checkpoint_s = CHECKPOINT_S,
		.organization = "Hospital",
		.enroll_uids = {geteuid()},
		.admin_uids = {geteuid()},
		.n_admin = 1,
	};
	AUTO_CONFIG c = NULL;
	char path[PATH_MAX];
	int rc = home_path(home, "pumpgate.conf", path);

	if (rc)
		return rc;
	rc = config_read(path, &c);
	if (rc == ERR_NOT_FOUND)
		s.admin_uids[s.n_admin++] = 0;
	else if (rc || (rc = all_read(c, &s)))
		return rc;
	*out = s;
	return 0;
}
