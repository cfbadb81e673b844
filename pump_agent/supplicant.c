/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Owns the commands to wpa_supplicant and their order. Never writes a field that netblock_build did
 * not make, never puts a key into a file or an unencrypted command.
 */
#include "pump_agent/supplicant.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/secret.h"
#include "pump_agent/bundle.h"
#include "pump_agent/credential.h"

#define PASSPHRASE_BYTES 32
#define COMMAND_MAX 16384
#define MARK_MAX 80

struct passphrase {
	char text[2 * PASSPHRASE_BYTES + 1];
};

static void passphrase_wipe(struct passphrase *p)
{
	secret_wipe(p, sizeof(*p));
}
#define AUTO_PASSPHRASE __attribute__((cleanup(passphrase_wipe))) struct passphrase

static void passphrase_new(struct passphrase *p)
{
	uint8_t raw[PASSPHRASE_BYTES];

	secret_fill_random(raw, sizeof(raw));
	hex_encode(raw, sizeof(raw), p->text, sizeof(p->text));
	secret_wipe(raw, sizeof(raw));
}

static void netblock_auto_done(struct netblock *b)
{
	netblock_done(b);
}

static int mark_build(const X509 *cert, char out[MARK_MAX])
{
	static const char prefix[] = "pumpgate-";

	memcpy(out, prefix, sizeof(prefix));
	return ossl_serial_hex(cert, out + strlen(prefix), CERT_SERIAL_TEXT_MAX);
}

static int field_set(struct wpa_link *l, int network, const char *name, const char *value)
{
	char command[640];
	int rc;

	snprintf(command, sizeof(command), "SET_NETWORK %d %s %s", network, name, value);
	rc = wpa_link_do(l, name, command);
	secret_wipe(command, sizeof(command));
	return rc;
}

static int fit_check(const struct identity *who)
{
	if (X509_check_private_key(who->cert, who->key) == 1)
		return 0;
	ERR_clear_error();
	return err_set(ERR_CORRUPT, "the certificate does not fit the key");
}

/* The command interface may be logged: the key crosses it encrypted, its passphrase in a field
 * that wpa_supplicant does not log. */
static int blob_set(struct wpa_link *l, const struct identity *who, const char *passphrase)
{
	AUTO_BUF p12 = {.max = COMMAND_MAX / 2 - 64};
	AUTO_BUF command = {.max = COMMAND_MAX};
	uint8_t *at;
	int rc = fit_check(who);

	rc = rc ? rc : credential_pkcs12_build(who->key, who->cert, who->chain, passphrase, &p12);
	rc = rc ? rc : buf_printf(&command, "SET blob %s ", who->blob);
	rc = rc ? rc : buf_reserve(&command, 2 * p12.len + 1, &at);
	if (rc)
		return rc;
	hex_encode(p12.data, p12.len, (char *)at, 2 * p12.len + 1);
	return wpa_link_do(l, "the identity", (const char *)command.data);
}

static int text_set(struct wpa_link *l, int network, const char *name, const char *text)
{
	char value[PATH_MAX + 3];

	if (snprintf(value, sizeof(value), "\"%s\"", text) > 500)
		return err_set(ERR_LIMIT, "%s: path too long", name);
	return field_set(l, network, name, value);
}

/* A key in a TPM cannot go into a blob: two fields, back to back. An authentication that falls
 * between the two fails, and the caller goes back. */
static int paths_use(struct wpa_link *l, int network, const struct identity *who)
{
	int rc = fit_check(who);

	rc = rc ? rc : text_set(l, network, "private_key", who->key_path);
	return rc ? rc : text_set(l, network, "client_cert", who->cert_path);
}

static int blob_use(struct wpa_link *l, int network, const struct identity *who)
{
	AUTO_PASSPHRASE pass;
	char value[2 * PASSPHRASE_BYTES + 3];
	int rc;

	passphrase_new(&pass);
	rc = blob_set(l, who, pass.text);
	snprintf(value, sizeof(value), "\"%s\"", pass.text);
	rc = rc ? rc : field_set(l, network, "private_key_passwd", value);
	secret_wipe(value, sizeof(value));
	snprintf(value, sizeof(value), "\"blob://%.40s\"", who->blob);
	return rc ? rc : field_set(l, network, "private_key", value);
}

static int network_number(struct wpa_link *l, const char *command, int *out)
{
	char reply[WPA_REPLY_MAX];
	char *end;
	long n;
	int rc = wpa_link_ask(l, command, reply);

	if (rc)
		return rc;
	n = strtol(reply, &end, 10);
	if (end == reply || n < 0 || n > 65535)
		return err_set(ERR_INVALID, "wpa_supplicant refused: %s", command);
	*out = (int)n;
	return 0;
}

/* The number of the only network; ERR_NOT_FOUND when there is none, or more. */
static int network_only(struct wpa_link *l, int *out)
{
	char reply[WPA_REPLY_MAX];
	const char *line;
	int rc = wpa_link_ask(l, "LIST_NETWORKS", reply);

	if (rc)
		return rc;
	line = strchr(reply, '\n'); /* after the headings */
	if (!line || strchr(line + 1, '\n') || sscanf(line + 1, "%d", out) != 1)
		return err_set(ERR_NOT_FOUND, "not one network");
	return 0;
}

static bool field_is(struct wpa_link *l, int network, const struct netblock_field *f,
		     const char *ssid)
{
	char command[80];
	char quoted[SSID_MAX + 3];
	char reply[WPA_REPLY_MAX];

	snprintf(command, sizeof(command), "GET_NETWORK %d %s", network, f->name);
	if (wpa_link_ask(l, command, reply))
		return false;
	if (!strcmp(reply, f->value))
		return true;
	/* an SSID is given as hex and shown as text where it can be */
	snprintf(quoted, sizeof(quoted), "\"%s\"", ssid ? ssid : "");
	return !strcmp(f->name, "ssid") && !strcmp(reply, quoted);
}

int supplicant_adopt(struct wpa_link *l, struct netblock_in in, const struct identity *who,
		     int *network_out)
{
	__attribute__((cleanup(netblock_auto_done))) struct netblock b = {0};
	char mark[MARK_MAX];
	int network = 0;
	int rc = mark_build(who->cert, mark);

	in.key_path = who->key_path;
	in.cert_path = who->cert_path;
	in.blob = who->blob;
	in.passphrase = "*"; /* wpa_supplicant does not tell it; not compared */
	in.id = mark;
	rc = rc ? rc : netblock_build(&in, &b);
	rc = rc ? rc : network_only(l, &network);
	for (size_t i = 0; i < b.n && !rc; i++)
		if (!b.fields[i].is_secret && !field_is(l, network, &b.fields[i], in.ssid))
			rc = err_set(ERR_NOT_FOUND, "the network's %s differs", b.fields[i].name);
	if (!rc)
		*network_out = network;
	return rc;
}

int supplicant_connect(struct wpa_link *l, struct netblock_in in, const struct identity *who,
		       int *network_out)
{
	__attribute__((cleanup(netblock_auto_done))) struct netblock b = {0};
	AUTO_PASSPHRASE pass;
	char mark[MARK_MAX];
	char command[64];
	int network = 0;
	int rc;

	passphrase_new(&pass);
	in.key_path = who->key_path;
	in.cert_path = who->cert_path;
	in.blob = who->blob;
	in.passphrase = pass.text;
	in.id = mark;
	rc = mark_build(who->cert, mark);
	rc = rc ? rc : netblock_build(&in, &b);
	rc = rc ? rc : wpa_link_do(l, "removing networks", "REMOVE_NETWORK all");
	if (!rc && in.driver == NET_WIRED)
		rc = wpa_link_do(l, "a wired interface", "AP_SCAN 0");
	if (!rc)
		rc = who->key_path ? fit_check(who) : blob_set(l, who, pass.text);
	rc = rc ? rc : network_number(l, "ADD_NETWORK", &network);
	for (size_t i = 0; i < b.n && !rc; i++)
		rc = field_set(l, network, b.fields[i].name, b.fields[i].value);
	snprintf(command, sizeof(command), "SELECT_NETWORK %d", network);
	rc = rc ? rc : wpa_link_do(l, "connecting", command);
	if (!rc)
		*network_out = network;
	return rc;
}

static int identity_use(struct wpa_link *l, int network, const struct identity *who)
{
	int rc;

	if (who->key_path)
		return paths_use(l, network, who);
	rc = blob_use(l, network, who);
	/* from a TPM to a file: the blob has its certificate with it */
	return rc ? rc : field_set(l, network, "client_cert", "NULL");
}

int supplicant_swap(struct wpa_link *l, int network, const struct identity *who)
{
	int rc = identity_use(l, network, who);

	return rc ? rc : wpa_link_do(l, "authenticating anew", "REAUTHENTICATE");
}

int supplicant_swap_back(struct wpa_link *l, int network, const struct identity *who)
{
	int rc = identity_use(l, network, who);

	return rc ? rc : wpa_link_do(l, "connecting", "REASSOCIATE");
}

/* wpa_supplicant drops its cached EAP session when any field of the network changes. */
int supplicant_trust_again(struct wpa_link *l, int network, const X509 *cert)
{
	int rc = field_set(l, network, "id_str", "\"pumpgate trust\"");

	return rc ? rc : supplicant_mark(l, network, cert);
}

int supplicant_rename(struct wpa_link *l, int network, const char *identity)
{
	char value[PUMP_SERIAL_MAX + 3];

	if (pump_serial_check(identity) ||
	    snprintf(value, sizeof(value), "\"%s\"", identity) >= (int)sizeof(value))
		return err_set(ERR_INVALID, "an identity that is no pump's serial");
	return field_set(l, network, "identity", value);
}

int supplicant_mark(struct wpa_link *l, int network, const X509 *cert)
{
	char mark[MARK_MAX];
	char value[MARK_MAX + 2];
	int rc = mark_build(cert, mark);

	snprintf(value, sizeof(value), "\"%s\"", mark);
	return rc ? rc : field_set(l, network, "id_str", value);
}

int supplicant_expect(struct wpa_link *l, struct netblock_in in, const struct identity *who,
		      int network)
{
	__attribute__((cleanup(netblock_auto_done))) struct netblock b = {0};
	char mark[MARK_MAX];
	int rc = mark_build(who->cert, mark);

	in.blob = who->blob;
	in.passphrase = "*"; /* neither is written here */
	in.id = mark;
	rc = rc ? rc : netblock_build(&in, &b);
	return rc ? rc : field_set(l, network, "domain_match", netblock_value(&b, "domain_match"));
}

static int numbered(struct wpa_link *l, const char *what, const char *verb, int network)
{
	char command[64];

	snprintf(command, sizeof(command), "%s %d", verb, network);
	return wpa_link_do(l, what, command);
}

int supplicant_hold(struct wpa_link *l, int network)
{
	return numbered(l, "waiting", "DISABLE_NETWORK", network);
}

int supplicant_resume(struct wpa_link *l, int network, enum net_driver driver)
{
	int rc = numbered(l, "connecting", "SELECT_NETWORK", network);

	/* a wired supplicant is HELD for 60 s after a failure unless it is told */
	if (!rc && driver == NET_WIRED)
		rc = wpa_link_do(l, "connecting", "REASSOCIATE");
	return rc;
}

int supplicant_leave(struct wpa_link *l)
{
	return wpa_link_do(l, "removing networks", "REMOVE_NETWORK all");
}

int supplicant_is_busy(struct wpa_link *l, bool *out)
{
	char reply[WPA_REPLY_MAX];
	int rc = wpa_link_ask(l, "STATUS", reply);

	if (!rc)
		*out = strstr(reply, "Supplicant PAE state=AUTHENTICATING") ||
		       strstr(reply, "Supplicant PAE state=RESTART");
	return rc;
}

int supplicant_is_admitted(struct wpa_link *l, bool *out)
{
	char reply[WPA_REPLY_MAX];
	int rc = wpa_link_ask(l, "STATUS", reply);

	/* An open port alone proves nothing: without any authenticator a wired one opens too. */
	if (!rc)
		*out = strstr(reply, "suppPortStatus=Authorized") &&
		       strstr(reply, "EAP state=SUCCESS") && strstr(reply, "wpa_state=COMPLETED");
	return rc;
}
