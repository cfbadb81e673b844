/* SPDX-License-Identifier: BSD-2-Clause */
/* Owns the rules of the bundle. Never reads a file, never believes a value it has not checked. */
#include "pump_agent/bundle.h"

#include <string.h>

#include <jansson.h>

#include "base/buf.h"
#include "ca/request/device_name.h"
#include "pump_agent/anchors.h"
#include "pump_agent/login/address.h"

#define TOKEN_MAX 128
#define VERSION_NEWEST 2
#define ANCHOR_TEXT_MAX 8192 /* base64 of one certificate */

static const char LETTERS_DIGITS[] =
	"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";

static void json_auto_free(json_t **j)
{
	json_decref(*j);
}

/* Characters of `extra` are allowed besides the letters and digits. */
static bool is_made_of(const char *s, const char *letters, const char *extra)
{
	for (; *s; s++)
		if (!strchr(letters, *s) && !strchr(extra, *s))
			return false;
	return true;
}

int pump_serial_check(const char *serial)
{
	if (!device_name_is_valid(serial))
		return err_set(ERR_INVALID, "pump: must be 1 to %d of A-Z 0-9 -", PUMP_SERIAL_MAX);
	return 0;
}

int server_name_check(const char *name)
{
	if (!*name || strlen(name) >= SERVER_NAME_MAX || !is_made_of(name, LETTERS_DIGITS, ".-") ||
	    !strchr(name, '.') || name[0] == '.' || name[0] == '-' || strstr(name, "..") ||
	    name[strlen(name) - 1] == '.')
		return err_set(ERR_INVALID, "radius_server_name: must be a full DNS name");
	return 0;
}

int login_server_check(const char *address, const char *name)
{
	struct sockaddr_storage where;
	socklen_t len;
	int rc;

	if (!*address && !*name)
		return 0;
	rc = radsec_address_parse(address, &where, &len);
	if (rc)
		return err_add(rc, "login_server");
	rc = server_name_check(name);
	return rc ? err_set(ERR_INVALID, "login_server_name: must be a full DNS name") : 0;
}

int est_url_check(const char *url)
{
	static const char scheme[] = "https://";
	const char *host = url + strlen(scheme);
	size_t len = strlen(url);

	if (len >= EST_URL_MAX || strncmp(url, scheme, strlen(scheme)))
		return err_set(ERR_INVALID, "est: must be an https:// address below %d characters",
			       EST_URL_MAX);
	if (!is_made_of(host, LETTERS_DIGITS, ".-_:[]/") || *host == '/' || *host == ':' || !*host)
		return err_set(ERR_INVALID, "est: must be https://HOST[:PORT]/PATH");
	if (!strchr(host, '/') || url[len - 1] == '/' || strstr(host, "//") || strstr(host, ".."))
		return err_set(ERR_INVALID, "est: the path must be whole and not end in /");
	return 0;
}

static int field_text(const json_t *root, const char *name, const char **out)
{
	const json_t *value = json_object_get(root, name);

	if (!json_is_string(value))
		return err_set(ERR_INVALID, "%s: missing or not a text", name);
	*out = json_string_value(value); /* without JSON_ALLOW_NUL there is no NUL inside */
	return 0;
}

static int settings_take(const json_t *root, struct pump_settings *s)
{
	const char *pump, *est, *hash, *name;
	size_t len = 0;
	int rc = field_text(root, "pump", &pump);

	rc = rc ? rc : field_text(root, "est", &est);
	rc = rc ? rc : field_text(root, "server_anchor_sha256", &hash);
	rc = rc ? rc : field_text(root, "radius_server_name", &name);
	rc = rc ? rc : pump_serial_check(pump);
	rc = rc ? rc : est_url_check(est);
	rc = rc ? rc : server_name_check(name);
	if (rc)
		return rc;
	if (hex_decode(hash, sizeof(s->anchor_hash), s->anchor_hash, &len) ||
	    len != sizeof(s->anchor_hash))
		return err_set(ERR_INVALID, "server_anchor_sha256: must be 64 hex digits");
	rc = str_copy(s->pump, sizeof(s->pump), pump);
	rc = rc ? rc : str_copy(s->est, sizeof(s->est), est);
	return rc ? rc : str_copy(s->radius_name, sizeof(s->radius_name), name);
}

/* Bundles from before there were logins do not have it. */
static int login_server_take(const json_t *root, struct pump_settings *s)
{
	const char *address, *name;
	int rc;

	if (!json_object_get(root, "login_server") && !json_object_get(root, "login_server_name"))
		return 0;
	rc = field_text(root, "login_server", &address);
	rc = rc ? rc : field_text(root, "login_server_name", &name);
	rc = rc ? rc : login_server_check(address, name);
	rc = rc ? rc : str_copy(s->login_address, sizeof(s->login_address), address);
	return rc ? rc : str_copy(s->login_name, sizeof(s->login_name), name);
}

static int token_take(const json_t *root, struct secret **out)
{
	const char *token;
	int rc = field_text(root, "token", &token);

	if (rc)
		return rc;
	/* No colon and nothing unprintable: it becomes the password of HTTP Basic (RFC 7617). */
	if (!*token || strlen(token) > TOKEN_MAX || !is_made_of(token, LETTERS_DIGITS, "-_.~+/="))
		return err_set(ERR_INVALID, "token: must be 1 to %d letters and digits", TOKEN_MAX);
	return secret_new(token, strlen(token), out);
}

static int path_take(const json_t *root, const char *name, char out[BUNDLE_PATH_MAX])
{
	const char *path;
	int rc = field_text(root, name, &path);

	if (rc)
		return rc;
	if (*path != '/' || str_copy(out, BUNDLE_PATH_MAX, path))
		return err_set(ERR_INVALID, "%s: must be a full path below %d characters", name,
			       BUNDLE_PATH_MAX);
	return 0;
}

/* What the pump proves itself with: one of two. */
static int grounds_take(const json_t *root, struct bundle *b)
{
	int rc;

	if (!json_object_get(root, "idevid_certificate") && !json_object_get(root, "idevid_key"))
		return token_take(root, &b->token);
	if (json_object_get(root, "token"))
		return err_set(ERR_INVALID, "token: not beside a birth certificate");
	rc = path_take(root, "idevid_certificate", b->idevid_certificate);
	return rc ? rc : path_take(root, "idevid_key", b->idevid_key);
}

/* Certificates in base64 (DER), the pinned root among them. */
static int anchors_take(const json_t *root, struct bundle *b)
{
	const json_t *list = json_object_get(root, "server_anchors");
	AUTO_X509S all = sk_X509_new_null();
	size_t n = json_array_size(list);

	if (!all)
		return err_set(ERR_NOMEM, "no memory for certificates");
	if (n < 1 || n > BUNDLE_ANCHORS_MAX)
		return err_set(ERR_INVALID, "server_anchors: must be 1 to %d certificates",
			       BUNDLE_ANCHORS_MAX);
	for (size_t i = 0; i < n; i++) {
		const char *text = json_string_value(json_array_get(list, i));
		AUTO_BUF der = {.max = ANCHOR_TEXT_MAX};
		AUTO_X509 cert = NULL;

		if (!text || strlen(text) > ANCHOR_TEXT_MAX ||
		    est_body_decode(text, strlen(text), &der) ||
		    ossl_cert_parse(der.data, der.len, &cert))
			return err_set(ERR_INVALID, "server_anchors: not a certificate in base64");
		if (!sk_X509_push(all, cert))
			return err_set(ERR_NOMEM, "no memory for certificates");
		(void)OSSL_TAKE(cert);
	}
	return anchors_of_server(all, b->settings.anchor_hash, &b->anchors);
}

int bundle_parse(const void *json, size_t len, struct bundle *out)
{
	__attribute__((cleanup(json_auto_free))) json_t *root = NULL;
	AUTO_BUNDLE b = {0};
	const json_t *version;
	json_error_t why;
	int rc;

	if (len > BUNDLE_MAX)
		return err_set(ERR_LIMIT, "bundle: larger than %d bytes", BUNDLE_MAX);
	root = json_loadb(json, len, JSON_REJECT_DUPLICATES, &why);
	if (!json_is_object(root)) /* why.text may quote the token: say the place only */
		return err_set(ERR_INVALID, "bundle: line %d is not what a bundle looks like",
			       root ? 1 : why.line);
	version = json_object_get(root, "version");
	if (!json_is_integer(version) || json_integer_value(version) < 1)
		return err_set(ERR_INVALID, "bundle: version: missing or not a number");
	if (json_integer_value(version) > VERSION_NEWEST)
		return err_set(ERR_NEWER, "bundle: version %lld is newer than this agent",
			       (long long)json_integer_value(version));
	rc = settings_take(root, &b.settings);
	rc = rc ? rc : login_server_take(root, &b.settings);
	rc = rc ? rc : grounds_take(root, &b);
	if (!rc && json_integer_value(version) >= 2)
		rc = anchors_take(root, &b);
	if (rc)
		return err_add(rc, "bundle");
	*out = b;
	b.token = NULL;
	b.anchors = NULL;
	return 0;
}

void bundle_done(struct bundle *b)
{
	secret_free(b->token);
	x509s_auto_free(&b->anchors);
	memset(b, 0, sizeof(*b));
}
