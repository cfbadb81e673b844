/* SPDX-License-Identifier: BSD-2-Clause */
/* Owns the form of pumps' reports. Never believes whose they are. */
#include "enroll/est/self_report.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include <jansson.h>

#include "base/clock.h"

#define CLOCK_OFF_MAX_MS (INT64_C(200) * 366 * 86400000)
#define YEAR_2500_S INT64_C(16725225600)

static void json_auto_free(json_t **j)
{
	json_decref(*j);
}
#define AUTO_JSON __attribute__((cleanup(json_auto_free))) json_t *

bool self_report_is_target(const char *target)
{
	static const char scheme[] = "https://";

	if (!strncasecmp(target, scheme, sizeof(scheme) - 1)) {
		target = strchr(target + sizeof(scheme) - 1, '/');
		if (!target)
			return false;
	}
	return !strcmp(target, "/.well-known/pumpgate/status");
}

static int word_take(const json_t *root, const char *name, const char *const *allowed, size_t n,
		     char out[STATE_SIZE])
{
	const char *text = json_string_value(json_object_get(root, name));

	for (size_t i = 0; text && i < n; i++)
		if (!strcmp(text, allowed[i]))
			return str_copy(out, STATE_SIZE, text);
	return err_set(ERR_INVALID, "%s is not one of its words", name);
}

static int software_take(const json_t *root, char out[NAME_SIZE])
{
	static const char chars[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
				    "0123456789.-+~_";
	const char *text = json_string_value(json_object_get(root, "software"));

	if (!text || !*text || strspn(text, chars) != strlen(text) ||
	    str_copy(out, NAME_SIZE, text))
		return err_set(ERR_INVALID, "software is not a version of up to %d characters",
			       NAME_SIZE - 1);
	return 0;
}

static int clock_take(const json_t *root, struct pump_report *out)
{
	const json_t *behind = json_object_get(root, "clock_behind_ms");
	int64_t ms = json_integer_value(behind);

	if (!behind || json_is_null(behind))
		return 0;
	if (!json_is_integer(behind) || ms > CLOCK_OFF_MAX_MS || ms < -CLOCK_OFF_MAX_MS)
		return err_set(ERR_INVALID, "clock_behind_ms is no such number");
	out->clock_checked = true;
	out->clock_behind_ms = ms > 0 ? (uint64_t)ms : 0;
	out->clock_ahead_ms = ms < 0 ? (uint64_t)-ms : 0;
	return 0;
}

static bool is_hex(const char *text, size_t min, size_t max)
{
	size_t len = text ? strspn(text, "0123456789abcdef") : 0;

	return text && !text[len] && len >= min && len <= max;
}

static int slot_put(const json_t *slot, char *out, size_t size)
{
	const char *serial = json_string_value(json_object_get(slot, "serial"));
	const json_t *end = json_object_get(slot, "not_after");
	int64_t end_s = json_integer_value(end);
	char until[CLOCK_TEXT_MAX];
	size_t at = strlen(out);
	int n;

	if (!is_hex(serial, 2, CERT_SERIAL_SIZE - 1) || !json_is_integer(end) || end_s < 0 ||
	    end_s > YEAR_2500_S)
		return err_set(ERR_INVALID, "a slot without serial and not_after");
	clock_format(end_s * 1000, until);
	n = snprintf(out + at, size - at, "%s%s until %.10s%s", at ? ", " : "", serial, until,
		     json_is_true(json_object_get(slot, "in_use")) ? " in use" : "");
	return n < 0 || (size_t)n >= size - at ? err_set(ERR_LIMIT, "slots too long") : 0;
}

static int slots_take(const json_t *root, struct pump_report *out)
{
	const json_t *list = json_object_get(root, "slots");
	int rc = 0;

	if (!json_is_array(list) || json_array_size(list) > REPORT_SLOTS_MAX)
		return err_set(ERR_INVALID, "slots is not a list of up to %d", REPORT_SLOTS_MAX);
	for (size_t i = 0; !rc && i < json_array_size(list); i++)
		rc = slot_put(json_array_get(list, i), out->slots, sizeof(out->slots));
	return rc;
}

typedef bool (*word_is)(const char *text);

static bool is_sha256(const char *text)
{
	return is_hex(text, 64, 64);
}

static bool is_port(const char *text)
{
	unsigned port;
	int end = 0;

	return text && (!strncmp(text, "tcp/", 4) || !strncmp(text, "udp/", 4)) &&
	       strspn(text + 4, "0123456789") == strlen(text + 4) && strlen(text) <= 9 &&
	       sscanf(text + 4, "%5u%n", &port, &end) == 1 && !text[4 + end] && port > 0 &&
	       port <= 65535;
}

/* The words of a list, apart by blanks. */
static int words_take(const json_t *root, const char *name, size_t max, word_is is, char *out,
		      size_t size)
{
	const json_t *list = json_object_get(root, name);
	size_t at = 0;

	if (!json_is_array(list) || json_array_size(list) > max)
		return err_set(ERR_INVALID, "%s is not a list of up to %zu", name, max);
	for (size_t i = 0; at < size && i < json_array_size(list); i++) {
		const char *text = json_string_value(json_array_get(list, i));

		if (!is(text))
			return err_set(ERR_INVALID, "%s has something else in it", name);
		at += (size_t)snprintf(out + at, size - at, "%s%s", at ? " " : "", text);
	}
	return at < size ? 0 : err_set(ERR_LIMIT, "%s is too long", name);
}

static int ports_take(const json_t *root, struct pump_report *out)
{
	const json_t *more = json_object_get(root, "ports_more");
	int64_t n = json_integer_value(more);

	if (!json_is_integer(more) || n < 0 || n > 1000000)
		return err_set(ERR_INVALID, "ports_more is no such number");
	out->ports_more = (uint32_t)n;
	return words_take(root, "ports", REPORT_PORTS_MAX, is_port, out->ports, sizeof(out->ports));
}

static int parts_take(const json_t *root, struct pump_report *out)
{
	static const char *const protections[] = {"software", "tpm"};
	static const char *const infusing[] = {"unknown", "idle", "infusing"};
	int rc = software_take(root, out->software);

	rc = rc ? rc : word_take(root, "key_protection", protections, 2, out->key_protection);
	rc = rc ? rc : word_take(root, "infusing", infusing, 3, out->infusing);
	rc = rc ? rc : clock_take(root, out);
	rc = rc ? rc : slots_take(root, out);
	rc = rc ? rc
		: words_take(root, "server_anchors", REPORT_ANCHORS_MAX, is_sha256,
			     out->server_anchors, sizeof(out->server_anchors));
	rc = rc ? rc
		: words_take(root, "device_anchors", REPORT_ANCHORS_MAX, is_sha256,
			     out->device_anchors, sizeof(out->device_anchors));
	return rc ? rc : ports_take(root, out);
}

int self_report_parse(const void *json, size_t len, struct pump_report *out)
{
	AUTO_JSON root = NULL;
	struct pump_report r = {0};
	const json_t *version;
	int rc;

	if (len > SELF_REPORT_MAX)
		return err_set(ERR_LIMIT, "a report has at most %d bytes", SELF_REPORT_MAX);
	root = json_loadb(json, len, JSON_REJECT_DUPLICATES, NULL);
	version = json_object_get(root, "version");
	if (!json_is_integer(version) || json_integer_value(version) != 1)
		return err_set(ERR_INVALID, "this is no report in JSON of version 1");
	rc = parts_take(root, &r);
	if (!rc)
		*out = r;
	return rc;
}

static bool is_over(const struct report_answer *a)
{
	return !strcmp(a->state, "revoked") || !strcmp(a->cert_state, "revoked");
}

int self_report_answer_build(const struct report_answer *a, struct buf *out)
{
	AUTO_JSON reason = json_string(a->reason); /* NULL: no UTF-8 */
	const char *why = reason ? a->reason : "";
	AUTO_JSON root = NULL;
	char text[SELF_REPORT_ANSWER_MAX];
	size_t len;
	int rc;

	if (is_over(a))
		root = json_pack("{s:i, s:s, s:s}", "version", 1, "state", "revoked", "reason",
				 why);
	else
		root = json_pack("{s:i, s:s, s:s, s:s}", "version", 1, "state",
				 *a->state ? a->state : "unknown", "certificate",
				 *a->cert_state ? a->cert_state : "unknown", "reason", why);
	if (*a->wipe_order && json_object_set_new(root, "decommission", json_string(a->wipe_order)))
		len = 0;
	else
		len = root ? json_dumpb(root, text, sizeof(text), JSON_COMPACT) : 0;
	rc = len && len <= sizeof(text) ? buf_put(out, text, len)
					: err_set(ERR_NOMEM, "no memory for an answer");
	return rc ? rc : buf_put_str(out, "\n");
}
