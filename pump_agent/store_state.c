/* SPDX-License-Identifier: BSD-2-Clause */
/* Owns the format of state.json. Never keeps a secret in it. */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include <jansson.h>

#include "pump_agent/store.h"

#define STATE_MAX 8192
#define STATE_VERSION 1

static void json_auto_free(json_t **j)
{
	json_decref(*j);
}
#define AUTO_JSON __attribute__((cleanup(json_auto_free))) json_t *

static int state_parse(const struct buf *text, struct store_state *out)
{
	AUTO_JSON root = json_loadb((char *)text->data, text->len, JSON_REJECT_DUPLICATES, NULL);
	const char *pump, *est, *name, *anchor, *active, *bundle;
	const char *login = "", *login_name = "", *wipe = "";
	struct store_state st = {0};
	int version, enrolled, revoked;
	json_int_t policy = 0; /* agents before it wrote none */
	size_t len = 0;

	if (!root || json_unpack(root, "{s:i}", "version", &version))
		return err_set(ERR_CORRUPT, "state.json: cannot be read");
	if (version != STATE_VERSION)
		return err_set(ERR_NEWER, "state.json: version %d is not of this agent", version);
	if (json_unpack(root, "{s:s, s:s, s:s, s:s, s:s, s:s, s:b, s:b, s?s}", "pump", &pump, "est",
			&est, "radius_server_name", &name, "server_anchor_sha256", &anchor,
			"active", &active, "bundle", &bundle, "enrolled", &enrolled, "revoked",
			&revoked, "wipe", &wipe))
		return err_set(ERR_CORRUPT, "state.json: something is missing");
	if (json_unpack(root, "{s?I}", "server_policy", &policy) || policy < 0)
		return err_set(ERR_CORRUPT, "state.json: server_policy is no number");
	st.policy_number = (uint64_t)policy;
	st.enrolled = enrolled;
	st.revoked = revoked;
	st.active = strcmp(active, "b") ? SLOT_A : SLOT_B;
	/* absent before there were logins */
	if (json_unpack(root, "{s?s, s?s}", "login_server", &login, "login_server_name",
			&login_name))
		return err_set(ERR_CORRUPT, "state.json: login_server cannot be read");
	if (login_server_check(login, login_name) ||
	    str_copy(st.settings.login_address, sizeof(st.settings.login_address), login) ||
	    str_copy(st.settings.login_name, sizeof(st.settings.login_name), login_name))
		return err_set(ERR_CORRUPT, "state.json: login_server is out of its bounds");
	if (pump_serial_check(pump) || est_url_check(est) || server_name_check(name) ||
	    hex_decode(anchor, ANCHOR_HASH_BYTES, st.settings.anchor_hash, &len) ||
	    len != ANCHOR_HASH_BYTES || (strcmp(active, "a") && strcmp(active, "b")) ||
	    str_copy(st.settings.pump, sizeof(st.settings.pump), pump) ||
	    str_copy(st.settings.est, sizeof(st.settings.est), est) ||
	    str_copy(st.settings.radius_name, sizeof(st.settings.radius_name), name) ||
	    str_copy(st.bundle_hash, sizeof(st.bundle_hash), bundle) ||
	    (*wipe && !wipe_order_is_valid(wipe)) || str_copy(st.wipe, sizeof(st.wipe), wipe))
		return err_set(ERR_CORRUPT, "state.json: a value is out of its bounds");
	*out = st;
	return 0;
}

int store_state_read(const struct store *s, struct store_state *out)
{
	AUTO_BUF text = {.max = STATE_MAX};
	char path[PATH_MAX];
	int rc = store_path(s, "state.json", path);

	rc = rc ? rc : buf_read_file(&text, path);
	return rc ? rc : state_parse(&text, out);
}

int store_state_write(const struct store *s, const struct store_state *st)
{
	AUTO_JSON root = NULL;
	char anchor[2 * ANCHOR_HASH_BYTES + 1];
	char text[STATE_MAX];
	char path[PATH_MAX];
	size_t len;
	int rc = store_path(s, "state.json", path);

	if (rc)
		return rc;
	hex_encode(st->settings.anchor_hash, ANCHOR_HASH_BYTES, anchor, sizeof(anchor));
	root = json_pack("{s:i, s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:b, s:b, s:s, s:I}",
			 "version", STATE_VERSION, "pump", st->settings.pump, "est",
			 st->settings.est, "radius_server_name", st->settings.radius_name,
			 "server_anchor_sha256", anchor, "login_server", st->settings.login_address,
			 "login_server_name", st->settings.login_name, "active",
			 st->active == SLOT_A ? "a" : "b", "bundle", st->bundle_hash, "enrolled",
			 st->enrolled, "revoked", st->revoked, "wipe", st->wipe, "server_policy",
			 (json_int_t)st->policy_number);
	if (!root)
		return err_set(ERR_NOMEM, "no memory for state.json");
	len = json_dumpb(root, text, sizeof(text) - 1, JSON_INDENT(2));
	if (!len || len >= sizeof(text))
		return err_set(ERR_INTERNAL, "state.json: too large");
	text[len++] = '\n';
	return buf_write_file(path, 0600, text, len);
}

int store_state_remove(const struct store *s)
{
	char path[PATH_MAX];
	int rc = store_path(s, "state.json", path);

	/* no secret is in it: cut between overwriting and this, no agent could start on it */
	if (!rc && unlink(path) && errno != ENOENT)
		rc = err_errno(ERR_IO, "%s", path);
	return rc;
}
