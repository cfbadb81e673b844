/* SPDX-License-Identifier: BSD-2-Clause */
/* Owns the form of the pump's report. Never holds a secret. */
#include "pump_agent/self_report.h"

#include <stdio.h>
#include <string.h>

#include <jansson.h>
#include <openssl/x509.h>

#include "pump_agent/credential.h"
#include "pump_agent/succession.h"

static void json_auto_free(json_t **j)
{
	json_decref(*j);
}
#define AUTO_JSON __attribute__((cleanup(json_auto_free))) json_t *

static const char *infusing_word(enum pumplink_infusing i)
{
	switch (i) {
	case PUMPLINK_IDLE:
		return "idle";
	case PUMPLINK_INFUSING:
		return "infusing";
	default:
		return "unknown";
	}
}

static json_t *slots_json(const struct self_report *r)
{
	json_t *list = json_array();
	char serial[CERT_SERIAL_TEXT_MAX];

	for (size_t i = 0; i < 2; i++) {
		X509 *cert = r->slots[i].cert;

		if (!cert || ossl_serial_hex(cert, serial, sizeof(serial)))
			continue;
		json_array_append_new(list,
				      json_pack("{s:s, s:I, s:b}", "serial", serial, "not_after",
						(json_int_t)credential_not_after(cert), "in_use",
						r->slots[i].in_use));
	}
	return list;
}

static json_t *anchors_json(const STACK_OF(X509) * certs)
{
	json_t *list = json_array();

	for (int i = 0; certs && i < sk_X509_num(certs) && i < ANCHORS_MAX; i++) {
		uint8_t md[32];
		char hex[65];
		unsigned len = sizeof(md);

		if (X509_digest(sk_X509_value(certs, i), EVP_sha256(), md, &len) != 1)
			continue;
		hex_encode(md, sizeof(md), hex, sizeof(hex));
		json_array_append_new(list, json_string(hex));
	}
	return list;
}

static json_t *ports_json(const struct open_ports *p)
{
	json_t *list = json_array();
	char word[16];

	for (size_t i = 0; i < p->n; i++) {
		snprintf(word, sizeof(word), "%s/%u", p->all[i].is_udp ? "udp" : "tcp",
			 p->all[i].port);
		json_array_append_new(list, json_string(word));
	}
	return list;
}

int self_report_build(const struct self_report *r, struct buf *out)
{
	json_t *behind = r->clock.checked_ms ? json_integer(r->clock.off_ms) : json_null();
	AUTO_JSON root = json_pack("{s:i, s:s, s:s, s:s, s:o, s:o, s:o, s:o, s:o, s:I}", "version",
				   1, "software", r->software, "key_protection",
				   r->key_in_tpm ? "tpm" : "software", "infusing",
				   infusing_word(r->infusing), "clock_behind_ms", behind, "slots",
				   slots_json(r), "server_anchors", anchors_json(r->server),
				   "device_anchors", anchors_json(r->devices), "ports",
				   ports_json(&r->ports), "ports_more", (json_int_t)r->ports.more);
	char text[SELF_REPORT_MAX];
	size_t len = root ? json_dumpb(root, text, sizeof(text), JSON_COMPACT) : 0;

	ERR_clear_error();
	if (!len || len > sizeof(text))
		return err_set(ERR_LIMIT, "a report that finds no room");
	return buf_put(out, text, len);
}

static int word_copy(const json_t *root, const char *name, bool required, char *out, size_t size)
{
	const char *text = json_string_value(json_object_get(root, name));

	*out = '\0';
	if (!text)
		return required ? err_set(ERR_INVALID, "status: no %s", name) : 0;
	if (strspn(text, "abcdefghijklmnopqrstuvwxyz-") != strlen(text) ||
	    str_copy(out, size, text))
		return err_set(ERR_INVALID, "status: %s is no word", name);
	return 0;
}

/* One line for people; cut where it is too long. */
static void reason_copy(const json_t *root, char out[SELF_TOLD_REASON_SIZE])
{
	const char *text = json_string_value(json_object_get(root, "reason"));
	size_t n = 0;

	for (; text && *text && n + 1 < SELF_TOLD_REASON_SIZE; text++)
		out[n++] = *text >= 0x20 && *text < 0x7f ? *text : '?';
	out[n] = '\0';
}

static int wipe_copy(const json_t *root, char out[WIPE_ORDER_SIZE])
{
	const char *order = json_string_value(json_object_get(root, "decommission"));

	if (!order)
		return 0;
	return wipe_order_is_valid(order)
		       ? str_copy(out, WIPE_ORDER_SIZE, order)
		       : err_set(ERR_INVALID, "status: an order to wipe that cannot be read");
}

int self_told_parse(const void *json, size_t len, struct self_told *out)
{
	AUTO_JSON root =
		len > SELF_TOLD_MAX ? NULL : json_loadb(json, len, JSON_REJECT_DUPLICATES, NULL);
	const json_t *version = json_object_get(root, "version");
	struct self_told t = {0};
	int rc;

	if (!json_is_integer(version) || json_integer_value(version) != 1)
		return err_set(ERR_INVALID, "status: no answer of version 1");
	rc = word_copy(root, "state", true, t.state, sizeof(t.state));
	rc = rc ? rc : wipe_copy(root, t.wipe);
	rc = rc ? rc : word_copy(root, "certificate", false, t.certificate, sizeof(t.certificate));
	if (rc)
		return rc;
	if (!*t.state)
		return err_set(ERR_INVALID, "status: no state");
	reason_copy(root, t.reason);
	*out = t;
	return 0;
}
