/* SPDX-License-Identifier: BSD-2-Clause */
/* pumpctl pump token | bundle: the one-time token and the file around it. A token goes to standard
 * output or into a file of mode 0600, nowhere else. */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <jansson.h>

#include "base/clock.h"
#include "base/daemon.h"
#include "base/secret.h"
#include "enroll/pumpctl/bundle.h"
#include "enroll/pumpctl/device_fields.h"
#include "enroll/pumpctl/record_json.h"
#include "enroll/pumpctl/registry.h"
#include "enroll/pumpctl/report.h"
#include "enroll/pumpctl/settings.h"
#include "enroll/pumpctl/verbs.h"

#define TTL_DEFAULT "24h"
#define TRUST_MAX 65536
#define BUNDLE_MAX 8192
#define EST_URL_SIZE 384
#define QR_MAX (256 * 1024)

static int duration_option(const struct call *call, const char *name, const char *fallback,
			   uint64_t *out)
{
	const char *text = call_value(call, name);
	int64_t ms;
	int rc;

	if (!text && !fallback)
		return 0;
	rc = clock_duration_parse(text ? text : fallback, &ms);
	if (rc)
		return err_add(rc, "--%s", name);
	if (ms == 0)
		return err_set(ERR_INVALID, "--%s: must be longer than 0", name);
	*out = (uint64_t)ms;
	return 0;
}

static int token_options(const struct call *call, struct token_create *rq)
{
	int rc = device_serial_check(call->operands[0]);

	if (rc || (rc = str_copy(rq->device, sizeof(rq->device), call->operands[0])) ||
	    (rc = duration_option(call, "ttl", TTL_DEFAULT, &rq->ttl_ms)))
		return rc;
	return duration_option(call, "mab-window", NULL, &rq->mab_window_ms);
}

static int token_make(const struct call *call, const struct token_create *rq, struct token *out)
{
	AUTO_IPC_CLIENT c = NULL;
	int rc = registry_open(call, &c);

	return rc ? rc : registry_token_create(c, rq, out, REGISTRY_TIMEOUT_MS);
}

static int token_show(const struct call *call, const struct token *t)
{
	char until[CLOCK_TEXT_MAX];

	if (call->json)
		return json_show(json_pack("{s:s s:s% s:o s:o}", "pump", call->operands[0], "token",
					   t->token.data, (size_t)t->token.len, "expires",
					   time_to_json(t->expires), "mab_until",
					   time_to_json(t->mab_until)));
	printf("%.*s\n", (int)t->token.len, (const char *)t->token.data);
	if (isatty(STDERR_FILENO)) {
		clock_format(t->expires, until);
		report_note("good once, until %s; it is not shown again", until);
	}
	return 0;
}

static int pump_token_run(const struct call *call)
{
	struct token_create rq = {0};
	struct token token;
	int rc;

	if (token_options(call, &rq))
		return report_usage();
	rc = token_make(call, &rq, &token);
	if (!rc)
		rc = token_show(call, &token);
	secret_wipe(&token, sizeof(token));
	return rc ? registry_failure(call, rc) : EXIT_DONE;
}

static const struct option_spec token_options_list[] = {
	{"ttl", 0, OPTION_VALUE, "T", "how long it is good (24h)", false},
	{"mab-window", 0, OPTION_VALUE, "T",
	 "let the pump into the onboarding zone by MAC for so long", false},
};

const struct verb verb_pump_token = {
	.group = "pump",
	.name = "token",
	.operands = "SERIAL",
	.n_operands = 1,
	.summary = "Make a one-time enrolment token and print it alone",
	VERB_OPTIONS(token_options_list),
	.examples = {"pump token PG-000123", "pump token PG-000123 --ttl 2h",
		     "pump token PG-000123 --mab-window 30m --json"},
	.run = pump_token_run,
};

/* The hash, and the certificates themselves where `anchors` is given. */
static int anchor_read(const struct settings *s, char out[ANCHOR_HEX_SIZE],
		       struct bundle_anchors *anchors)
{
	AUTO_BUF pem = {.max = TRUST_MAX};
	char path[PATH_MAX];
	int rc = home_path(s->home, "trust/server.pem", path);

	if (rc || (rc = buf_read_file(&pem, path)))
		return rc;
	rc = bundle_anchor_sha256(pem.data, pem.len, out);
	if (!rc && anchors)
		rc = bundle_anchors_take(pem.data, pem.len, anchors);
	return rc ? err_add(rc, "%s", path) : 0;
}

static int bundle_write(const struct call *call, const char *path, const struct buf *text)
{
	if (!strcmp(path, "-"))
		return fwrite(text->data, 1, text->len, stdout) == text->len
			       ? 0
			       : err_set(ERR_IO, "cannot write the bundle");
	(void)call;
	return buf_write_file(path, 0600, text->data, text->len);
}

static int bundle_draw(const struct bundle *b)
{
	AUTO_BUF text = {.max = BUNDLE_MAX};
	AUTO_BUF drawn = {.max = QR_MAX};
	int rc = bundle_build(b, 0, &text);

	if (!rc && !buf_cstr(&text))
		rc = ERR_NOMEM;
	if (!rc)
		rc = bundle_qr((const char *)text.data, &drawn);
	if (!rc && fwrite(drawn.data, 1, drawn.len, stdout) != drawn.len)
		rc = err_set(ERR_IO, "cannot draw");
	return rc;
}

/* What was written for a pump that enrols with its birth certificate. */
static int idevid_told(const struct call *call, const struct bundle *b, const char *out)
{
	if (call->json && (!out || strcmp(out, "-")))
		return json_show(json_pack("{s:s s:s? s:s}", "pump", b->pump, "file", out,
					   "idevid_certificate", b->idevid_certificate));
	if (out && strcmp(out, "-"))
		printf("%s: for pump %s alone, which enrols with its birth certificate %s; no "
		       "secret is in it\n",
		       out, b->pump, b->idevid_certificate);
	return 0;
}

/* With --qr and no --out nothing is left on disk. */
static int bundle_deliver(const struct call *call, const struct bundle *b, const struct token *t)
{
	AUTO_BUF text = {.max = BUNDLE_MAX};
	const char *out = call_value(call, "out");
	char path[DEVICE_SERIAL_SIZE + 16], until[CLOCK_TEXT_MAX];
	bool qr = call_flag(call, "qr");
	int rc = bundle_build(b, 1, &text);

	snprintf(path, sizeof(path), "%s.bundle.json", b->pump);
	if (!out && !qr)
		out = path;
	if (!rc && out)
		rc = bundle_write(call, out, &text);
	if (!rc && qr)
		rc = bundle_draw(b);
	if (rc)
		return rc;
	if (!b->token)
		return idevid_told(call, b, out);
	clock_format(t->expires, until);
	if (call->json && (!out || strcmp(out, "-")))
		return json_show(json_pack("{s:s s:s? s:o s:o}", "pump", b->pump, "file", out,
					   "expires", time_to_json(t->expires), "mab_until",
					   time_to_json(t->mab_until)));
	if (out && strcmp(out, "-"))
		printf("%s: for pump %s alone, its token is good once, until %s\n", out, b->pump,
		       until);
	return 0;
}

/* The address that the pump enrols and renews at, with the label that was asked for. */
static int est_url_build(const struct call *call, const struct settings *s, char *out, size_t size)
{
	const char *label = call_value(call, "label");
	size_t len;

	settings_est_url(s, out, size);
	if (!label)
		return 0;
	if (!settings_has_label(s, label))
		return err_set(ERR_NOT_FOUND,
			       "pumpgate.conf has no EST label %.32s: [est] labels says which",
			       label);
	len = strlen(out);
	if (snprintf(out + len, size - len, "/%s", label) >= (int)(size - len))
		return err_set(ERR_LIMIT, "the EST address is too long");
	return 0;
}

/* Both or neither, and no token's options beside them. */
static int idevid_options(const struct call *call, struct bundle *b)
{
	b->idevid_certificate = call_value(call, "idevid-certificate");
	b->idevid_key = call_value(call, "idevid-key");
	if (!b->idevid_certificate != !b->idevid_key)
		return err_set(
			ERR_INVALID,
			"--idevid-certificate and --idevid-key go together: files on the pump");
	if (b->idevid_key && (*b->idevid_certificate != '/' || *b->idevid_key != '/'))
		return err_set(ERR_INVALID, "--idevid-...: full paths of files on the pump");
	if (b->idevid_key && (call_value(call, "ttl") || call_value(call, "mab-window")))
		return err_set(ERR_INVALID, "--ttl and --mab-window are a token's");
	return 0;
}

static int pump_bundle_run(const struct call *call)
{
	struct token_create rq = {0};
	struct token token = {0};
	struct bundle_anchors anchors = {.n = 0};
	struct bundle b = {.pump = rq.device};
	struct settings s;
	char est[EST_URL_SIZE], anchor[ANCHOR_HEX_SIZE], login[64];
	int rc;

	if (token_options(call, &rq) || idevid_options(call, &b))
		return report_usage();
	rc = settings_read(home_dir(call->home), &s);
	if (!rc)
		rc = est_url_build(call, &s, est, sizeof(est));
	if (!rc)
		rc = anchor_read(&s, anchor, b.idevid_key ? &anchors : NULL);
	if (!rc && !b.idevid_key)
		rc = token_make(call, &rq, &token);
	if (!rc) {
		b.est = est;
		b.anchor_sha256 = anchor;
		b.anchors = b.idevid_key ? &anchors : NULL;
		b.radius_name = s.radius_name;
		settings_login_server(&s, login, sizeof(login));
		b.login_server = *login ? login : NULL;
		b.login_name = s.login_name;
		b.token = b.idevid_key ? NULL : (const char *)token.token.data;
		b.token_len = token.token.len;
		rc = bundle_deliver(call, &b, &token);
	}
	secret_wipe(&token, sizeof(token));
	bundle_anchors_done(&anchors);
	return rc ? registry_failure(call, rc) : EXIT_DONE;
}

static const struct option_spec bundle_options[] = {
	{"out", 'o', OPTION_VALUE, "FILE",
	 "where to (SERIAL.bundle.json here; - for standard output)", false},
	{"idevid-certificate", 0, OPTION_VALUE, "FILE",
	 "no token: the pump's birth certificate and its chain, a file there", false},
	{"idevid-key", 0, OPTION_VALUE, "FILE", "and its key", false},
	{"label", 0, OPTION_VALUE, "LABEL", "enrol and renew below this EST label of pumpgate.conf",
	 false},
	{"qr", 0, OPTION_FLAG, NULL, "draw a QR code instead (with --out: too)", false},
	{"ttl", 0, OPTION_VALUE, "T", "how long the token is good (24h)", false},
	{"mab-window", 0, OPTION_VALUE, "T",
	 "let the pump into the onboarding zone by MAC for so long", false},
};

const struct verb verb_pump_bundle = {
	.group = "pump",
	.name = "bundle",
	.operands = "SERIAL",
	.n_operands = 1,
	.summary = "Write what a pump needs to enrol: address, server anchor, token",
	VERB_OPTIONS(bundle_options),
	.examples = {"pump bundle PG-000123",
		     "pump bundle PG-000123 --out /tmp/pg-123.json --ttl 2h",
		     "pump bundle PG-000123 --qr"},
	.run = pump_bundle_run,
};
