/* SPDX-License-Identifier: BSD-2-Clause */
/* Owns what a network block must have. Never makes one that trusts any server. */
#include "pump_agent/netblock.h"

#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "base/secret.h"
#include "ca/request/server_name.h"
#include "pump_agent/bundle.h"

static struct netblock_field *field_next(struct netblock *b, const char *name)
{
	struct netblock_field *f = &b->fields[b->n++];

	f->name = name;
	return f;
}

static int put_word(struct netblock *b, const char *name, const char *value)
{
	return str_copy(field_next(b, name)->value, sizeof(b->fields[0].value), value);
}

/* wpa_supplicant's quotes know no escapes: a quote or control character could add a line. */
static int put_text(struct netblock *b, const char *name, const char *value)
{
	struct netblock_field *f = field_next(b, name);

	for (const char *c = value; *c; c++)
		if (*c == '"' || (unsigned char)*c < 0x20 || (unsigned char)*c >= 0x7f)
			return err_set(ERR_INVALID,
				       "network block: %s has a character that "
				       "cannot be carried",
				       name);
	if (snprintf(f->value, sizeof(f->value), "\"%s\"", value) >= (int)sizeof(f->value))
		return err_set(ERR_LIMIT, "network block: %s is too long", name);
	return 0;
}

static int put_link(struct netblock *b, const struct netblock_in *in)
{
	char hex[2 * SSID_MAX + 1];
	int rc;

	if (in->driver == NET_WIRED) {
		rc = put_word(b, "key_mgmt", "IEEE8021X");
		return rc ? rc : put_word(b, "eapol_flags", "0");
	}
	if (!in->ssid || !*in->ssid || strlen(in->ssid) > SSID_MAX)
		return err_set(ERR_INVALID,
			       "network block: Wi-Fi needs an SSID of at most %d bytes", SSID_MAX);
	hex_encode((const uint8_t *)in->ssid, strlen(in->ssid), hex, sizeof(hex));
	rc = put_word(b, "ssid", hex);
	rc = rc ? rc : put_word(b, "scan_ssid", "1");
	rc = rc ? rc : put_word(b, "key_mgmt", "WPA-EAP WPA-EAP-SHA256");
	rc = rc ? rc : put_word(b, "proto", "RSN");
	rc = rc ? rc : put_word(b, "pairwise", "CCMP");
	return rc ? rc : put_word(b, "ieee80211w", "1");
}

/* The name, and the one that follows it after a compromise: a pump that was away then still gets
 * on. Only the server CA can give somebody that name. */
static int put_server_names(struct netblock *b, const char *name)
{
	char next[SERVER_NAME_MAX], names[2 * SERVER_NAME_MAX + 1];

	if (server_name_next(name, next, sizeof(next))) /* a name without epochs: it alone */
		return put_text(b, "domain_match", name);
	snprintf(names, sizeof(names), "%s;%s", name, next);
	return put_text(b, "domain_match", names);
}

static int put_server_checks(struct netblock *b, const struct netblock_in *in)
{
	int rc;

	if (!in->anchors || in->anchors[0] != '/')
		return err_set(ERR_INVALID, "network block refused: no CA to check the server by");
	if (!in->server_name || server_name_check(in->server_name))
		return err_set(ERR_INVALID, "network block refused: no server name to check");
	rc = put_text(b, "ca_cert", in->anchors);
	return rc ? rc : put_server_names(b, in->server_name);
}

/* A TPM's key stays where it is: wpa_supplicant is told the paths. */
static int put_paths(struct netblock *b, const struct netblock_in *in)
{
	int rc;

	if (!in->identity || in->key_path[0] != '/' || !in->cert_path || in->cert_path[0] != '/' ||
	    !in->id)
		return err_set(ERR_INVALID, "network block refused: no identity");
	rc = put_text(b, "identity", in->identity);
	rc = rc ? rc : put_text(b, "client_cert", in->cert_path);
	rc = rc ? rc : put_text(b, "private_key", in->key_path);
	return rc ? rc : put_text(b, "id_str", in->id);
}

static int put_identity(struct netblock *b, const struct netblock_in *in)
{
	char key[160];
	int rc;

	if (in->key_path)
		return put_paths(b, in);

	if (!in->identity || !in->blob || !in->passphrase || !*in->passphrase || !in->id ||
	    snprintf(key, sizeof(key), "blob://%s", in->blob) >= (int)sizeof(key))
		return err_set(ERR_INVALID, "network block refused: no identity");
	rc = put_text(b, "identity", in->identity);
	b->fields[b->n].is_secret = true;
	rc = rc ? rc : put_text(b, "private_key_passwd", in->passphrase);
	rc = rc ? rc : put_text(b, "private_key", key);
	return rc ? rc : put_text(b, "id_str", in->id);
}

/* The block is only handed out when both checks are in it, however it was put together. */
static int checks_are_in(const struct netblock *b)
{
	const char *ca = netblock_value(b, "ca_cert");
	const char *name = netblock_value(b, "domain_match");

	if (!ca || strlen(ca) < 4 || !name || strlen(name) < 4)
		return err_set(ERR_INTERNAL, "network block refused: a server check is missing");
	return 0;
}

int netblock_build(const struct netblock_in *in, struct netblock *out)
{
	struct netblock b = {0};
	int rc = put_link(&b, in);

	rc = rc ? rc : put_word(&b, "eap", "TLS");
	rc = rc ? rc : put_server_checks(&b, in);
	rc = rc ? rc : put_identity(&b, in);
	/* TLS 1.3 is off in wpa_supplicant 2.10 unless asked for; no server of ours takes 1.1 */
	rc = rc ? rc
		: put_text(&b, "phase1",
			   "tls_disable_tlsv1_0=1 tls_disable_tlsv1_1=1 tls_disable_tlsv1_2=0 "
			   "tls_disable_tlsv1_3=0");
	rc = rc ? rc : checks_are_in(&b);
	if (!rc)
		*out = b;
	secret_wipe(&b, sizeof(b));
	return rc;
}

void netblock_done(struct netblock *b)
{
	secret_wipe(b, sizeof(*b));
}

const char *netblock_value(const struct netblock *b, const char *name)
{
	for (size_t i = 0; i < b->n; i++)
		if (!strcmp(b->fields[i].name, name))
			return b->fields[i].value;
	return NULL;
}
