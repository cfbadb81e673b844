/* SPDX-License-Identifier: BSD-2-Clause */
/* Owns the format of status.json. Never writes a token or a key. */
#include "pump_agent/status.h"

#include <limits.h>
#include <string.h>

#include <jansson.h>

#include "base/clock.h"

#define STATUS_MAX 4096

static void json_auto_free(json_t **j)
{
	json_decref(*j);
}
#define AUTO_JSON __attribute__((cleanup(json_auto_free))) json_t *

static json_t *time_or_null(int64_t ms)
{
	char text[CLOCK_TEXT_MAX];

	if (!ms)
		return json_null();
	clock_format(ms, text);
	return json_string(text);
}

static json_t *text_or_null(const char *text)
{
	return *text ? json_string(text) : json_null();
}

static json_t *error_json(const struct status *st)
{
	char text[STATUS_WHY_MAX];
	size_t i;

	if (!*st->error_step)
		return json_null();
	/* a peer's words may be in it: JSON wants UTF-8, people want one line */
	for (i = 0; i + 1 < sizeof(text) && st->error_text[i]; i++)
		text[i] = st->error_text[i] >= 0x20 && st->error_text[i] < 0x7f ? st->error_text[i]
										: '?';
	text[i] = '\0';
	return json_pack("{s:s, s:s, s:o}", "step", st->error_step, "text", text, "at",
			 time_or_null(st->error_at_ms));
}

static json_t *clock_json(const struct clock_report *c)
{
	json_t *off = c->checked_ms ? json_integer(c->off_ms / 1000) : json_null();

	return json_pack("{s:s, s:o, s:o, s:b}", "basis", c->basis ? c->basis : "system", "checked",
			 time_or_null(c->checked_ms), "behind_s", off, "cannot_be_set",
			 c->is_refused);
}

/* null without a controller. */
static json_t *logins_json(const struct status *st)
{
	const struct login_standing *l = &st->logins;

	if (!st->has_logins)
		return json_null();
	return json_pack("{s:b, s:o, s:i, s:i, s:i, s:b, s:o, s:o}", "server", l->is_configured,
			 "answered", time_or_null(l->answered_ms), "people", (int)l->n_people,
			 "codes", (int)l->n_codes, "untold", (int)l->n_records, "clock_set_back",
			 l->is_clock_set_back, "noticed", text_or_null(l->noticed), "tpm",
			 text_or_null(l->tpm));
}

int status_build(const struct status *st, struct buf *out)
{
	AUTO_JSON root = json_pack(
		"{s:i, s:s, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o}", "version", 1,
		"state", agent_state_name(st->state), "since", time_or_null(st->since_ms), "pump",
		text_or_null(st->pump), "certificate", text_or_null(st->certificate), "not_after",
		time_or_null(st->not_after_ms), "renew_at", time_or_null(st->renew_at_ms), "clock",
		clock_json(&st->clock), "logins", logins_json(st), "server_says",
		text_or_null(st->told), "server_reason", text_or_null(st->told_reason), "error",
		error_json(st));
	char text[STATUS_MAX];
	size_t len = root ? json_dumpb(root, text, sizeof(text), JSON_INDENT(2)) : 0;
	int rc;

	if (!len || len > sizeof(text))
		return err_set(ERR_NOMEM, "status cannot be written");
	rc = buf_put(out, text, len);
	return rc ? rc : buf_put(out, "\n", 1);
}

static const char *word(const json_t *root, const char *name)
{
	const char *text = json_string_value(json_object_get(root, name));

	return text ? text : "-";
}

static void clock_print(const json_t *clock, FILE *out)
{
	const char *basis = word(clock, "basis");
	long long behind = json_integer_value(json_object_get(clock, "behind_s"));

	if (json_is_true(json_object_get(clock, "cannot_be_set")))
		fprintf(out, "clock        wrong, and the agent may not set it\n");
	else if (!strcmp(basis, "floor"))
		fprintf(out, "clock        was wrong; set to the earliest time it can be\n");
	else if (!strcmp(basis, "server"))
		fprintf(out, "clock        confirmed by the server %s (it was %lld s %s)\n",
			word(clock, "checked"), behind < 0 ? -behind : behind,
			behind < 0 ? "ahead" : "behind");
}

static void logins_print(const json_t *l, FILE *out)
{
	const char *noticed = json_string_value(json_object_get(l, "noticed"));
	const char *tpm = json_string_value(json_object_get(l, "tpm"));

	if (!json_is_object(l))
		return;
	if (!json_is_true(json_object_get(l, "server")))
		fprintf(out, "logins       no server for them is known (a newer bundle says it)\n");
	else
		fprintf(out, "logins       server last heard %s\n", word(l, "answered"));
	fprintf(out, "  without it %lld people, %lld break-glass codes, %lld records to tell\n",
		json_integer_value(json_object_get(l, "people")),
		json_integer_value(json_object_get(l, "codes")),
		json_integer_value(json_object_get(l, "untold")));
	if (tpm && strcmp(tpm, "good"))
		fprintf(out, "  TPM        %s: no password without the server\n", tpm);
	if (json_is_true(json_object_get(l, "clock_set_back")))
		fprintf(out, "  refused    the clock was set back: nobody without the server\n");
	if (noticed)
		fprintf(out, "  ATTENTION  somebody changed what this pump had kept: %s\n",
			noticed);
}

static const char *what_to_do(const char *state)
{
	if (!strcmp(state, agent_state_name(AGENT_UNPROVISIONED)))
		return "give it a new bundle: pumpctl pump bundle SERIAL";
	if (!strcmp(state, agent_state_name(AGENT_REVOKED)))
		return "network credential revoked, standalone: infusions go on; if that was a "
		       "mistake: pumpctl pump why SERIAL";
	if (!strcmp(state, agent_state_name(AGENT_REMEDIATION)))
		return "in quarantine or parked: pumpctl pump show SERIAL says why";
	if (!strcmp(state, agent_state_name(AGENT_DECOMMISSIONED)))
		return "this pump was decommissioned; for another life: pumpctl pump add, then "
		       "pump bundle";
	return NULL;
}

int status_print(const char *dir, bool json, FILE *out)
{
	AUTO_BUF text = {.max = STATUS_MAX};
	AUTO_JSON root = NULL;
	const json_t *error;
	char path[PATH_MAX];
	int rc;

	snprintf(path, sizeof(path), "%s/" STATUS_FILE, dir);
	rc = buf_read_file(&text, path);
	if (rc)
		return rc == ERR_NOT_FOUND ? err_add(rc, "no agent has run here yet") : rc;
	if (json) {
		fwrite(text.data, 1, text.len, out);
		return 0;
	}
	root = json_loadb((char *)text.data, text.len, 0, NULL);
	if (!root)
		return err_set(ERR_CORRUPT, "%s: cannot be read", path);
	fprintf(out, "pump         %s\nstate        %s since %s\n", word(root, "pump"),
		word(root, "state"), word(root, "since"));
	fprintf(out, "certificate  %s\n  ends       %s\n  renewal    %s\n",
		word(root, "certificate"), word(root, "not_after"), word(root, "renew_at"));
	clock_print(json_object_get(root, "clock"), out);
	logins_print(json_object_get(root, "logins"), out);
	if (json_is_string(json_object_get(root, "server_says")))
		fprintf(out, "server says  %s%s%s\n", word(root, "server_says"),
			json_is_string(json_object_get(root, "server_reason")) ? ": " : "",
			json_is_string(json_object_get(root, "server_reason"))
				? word(root, "server_reason")
				: "");
	error = json_object_get(root, "error");
	if (json_is_object(error))
		fprintf(out, "last error   %s: %s (%s)\n", word(error, "step"), word(error, "text"),
			word(error, "at"));
	if (what_to_do(word(root, "state")))
		fprintf(out, "what to do   %s\n", what_to_do(word(root, "state")));
	return 0;
}
