/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Owns what the agent asks of an EST server and the resources beside it, and what their answers
 * mean. Never sends a token or shows a certificate on a connection whose server has not proven
 * itself, never follows the server elsewhere.
 */
#include "pump_agent/est_client.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <jansson.h>

#include "pump_agent/anchors.h"
#include "pump_agent/bundle.h"
#include "pump_agent/est_url.h"
#include "pump_agent/https.h"

#define BODY_LINE 64 /* base64 characters per line, as RFC 7030's examples */
#define PATH_SIZE (EST_URL_MAX + 64)

struct est_session {
	struct https *https;
	struct est_url url;
	struct https_answer last;
	struct buf answer;
};

static int session_make(const char *url, const STACK_OF(X509) * anchors,
			const struct est_identity *shown, const atomic_bool *stop,
			struct est_session **out)
{
	AUTO_EST s = calloc(1, sizeof(*s));
	struct https_server server = {.tls = {.anchors = anchors},
				      .answer_max = EST_ANSWER_MAX,
				      .wait_ms = EST_WAIT_MS,
				      .connect_ms = EST_CONNECT_MS,
				      .stop = stop};
	int rc;

	if (!s)
		return err_set(ERR_NOMEM, "no memory for an EST session");
	if (shown) {
		server.tls.cert = shown->cert;
		server.tls.key = shown->key;
		server.tls.chain = shown->chain;
	}
	buf_init(&s->answer, EST_ANSWER_MAX);
	rc = est_url_parse(url, &s->url);
	server.host = s->url.host;
	server.port = s->url.port;
	rc = rc ? rc : https_new(&server, &s->https);
	if (!rc)
		*out = OSSL_TAKE(s);
	return rc;
}

int est_session_new(const char *url, const STACK_OF(X509) * anchors,
		    const struct est_identity *shown, const atomic_bool *stop,
		    struct est_session **out)
{
	if (!anchors || sk_X509_num(anchors) == 0 || (shown && !shown->key != !shown->cert))
		return err_set(ERR_INTERNAL, "an EST session without anchors");
	return session_make(url, anchors, shown, stop, out);
}

void est_session_free(struct est_session *s)
{
	if (!s)
		return;
	https_free(s->https);
	buf_done(&s->answer);
	free(s);
}

int64_t est_session_time(const struct est_session *s)
{
	return s->last.date_s * 1000;
}

int est_session_anchor(const struct est_session *s, uint8_t out[ANCHOR_HASH_BYTES])
{
	return https_anchor(s->https, out);
}

bool est_session_is_expired(const struct est_session *s)
{
	return https_is_expired(s->https);
}

/* The server's first line of text, for people; bytes from a peer, so cut and escaped by the log. */
static const char *answer_text(struct est_session *s)
{
	const char *text = buf_cstr(&s->answer);
	static _Thread_local char line[160];

	snprintf(line, sizeof(line), "%.*s", text ? (int)strcspn(text, "\r\n") : 0,
		 text ? text : "");
	return line;
}

/* A text that begins with a reason's name (policies/reason.h) which says "revoked". */
static bool says_revoked(const char *text)
{
	return !strncmp(text, "pump-revoked", 12) || !strncmp(text, "certificate-revoked", 19);
}

static int answer_check(struct est_session *s, const char *operation)
{
	const char *text = answer_text(s);
	int status = s->last.status;

	if (status == 200)
		return 0;
	if (status == 401)
		return err_set(ERR_DENIED, "%s: the server refused our name and token%s%s",
			       operation, *text ? ": " : "", text);
	if (status == 403)
		return err_set(says_revoked(text) ? ERR_CONFLICT : ERR_DENIED, "%s: %s", operation,
			       text);
	if (status == 202 || status == 429 || status >= 500)
		return err_set(ERR_BUSY, "%s: the server asks for patience (%d) %s", operation,
			       status, text);
	return err_set(ERR_INVALID, "%s: the server answered %d %s", operation, status, text);
}

/* One request for `path`; `r` has the rest. */
static int perform_at(struct est_session *s, const char *path, const char *operation,
		      struct https_request *r, struct buf *out)
{
	int rc;

	buf_reset(&s->answer);
	s->last = (struct https_answer){0};
	r->path = path;
	rc = https_request(s->https, r, &s->answer, &s->last);
	if (rc)
		return err_add(rc, "%s", operation);
	rc = answer_check(s, operation);
	rc = rc ? rc : buf_put(out, s->answer.data, s->answer.len);
	buf_reset(&s->answer);
	return rc;
}

static int perform(struct est_session *s, const char *operation, struct https_request *r,
		   struct buf *out)
{
	char path[PATH_SIZE];

	snprintf(path, sizeof(path), "%s/%s", s->url.path, operation);
	return perform_at(s, path, operation, r, out);
}

static int get(struct est_session *s, const char *operation, struct buf *out)
{
	struct https_request r = {0};

	return perform(s, operation, &r, out);
}

int est_cacerts_unverified(const char *url, const atomic_bool *stop, struct buf *out)
{
	AUTO_EST s = NULL;
	int rc = session_make(url, NULL, NULL, stop, &s);

	return rc ? rc : get(s, "cacerts", out);
}

int est_cacerts(struct est_session *s, struct buf *out)
{
	return get(s, "cacerts", out);
}

int est_csrattrs(struct est_session *s, struct buf *out)
{
	int rc = get(s, "csrattrs", out);

	/* RFC 7030 4.5.2: 204 or 404 where there are no wishes */
	if (rc == ERR_INVALID && (s->last.status == 204 || s->last.status == 404))
		return err_set(ERR_NOT_FOUND, "csrattrs: the server has none (%d)", s->last.status);
	return rc;
}

struct est_channel est_channel(const struct est_session *s)
{
	struct est_channel c;

	c.number = https_connection(s->https, &c.binding);
	return c;
}

static int base64_lines(const struct buf *der, struct buf *out)
{
	for (size_t i = 0; i < der->len; i += BODY_LINE / 4 * 3) {
		size_t n = der->len - i < BODY_LINE / 4 * 3 ? der->len - i : BODY_LINE / 4 * 3;
		uint8_t line[BODY_LINE + 1];
		int len = EVP_EncodeBlock(line, der->data + i, (int)n);
		int rc = buf_put(out, line, (size_t)len);

		rc = rc ? rc : buf_put(out, "\n", 1);
		if (rc)
			return rc;
	}
	return 0;
}

/* `authorization` NULL: the certificate shown in TLS stands for the pump. */
static int post(struct est_session *s, const char *operation, const char *authorization,
		const struct buf *csr, struct buf *out)
{
	AUTO_BUF body = {.max = EST_ANSWER_MAX};
	struct https_request r = {.body = &body,
				  .fields = {{"Content-Type", "application/pkcs10"},
					     {"Content-Transfer-Encoding", "base64"}}};
	int rc = base64_lines(csr, &body);

	if (authorization)
		r.fields[2] = (struct https_field){"Authorization", authorization};
	return rc ? rc : perform(s, operation, &r, out);
}

int est_simpleenroll(struct est_session *s, const char *pump, const struct secret *token,
		     const struct buf *csr, struct buf *out)
{
	AUTO_BUF plain = {.max = 256}; /* RFC 7617; wiped as every buf */
	AUTO_BUF field = {.max = 512};
	uint8_t *at;
	int rc = buf_printf(&plain, "%s:", pump);

	rc = rc ? rc : buf_put(&plain, secret_data(token), secret_len(token));
	rc = rc ? rc : buf_put_str(&field, "Basic ");
	rc = rc ? rc : buf_reserve(&field, (plain.len + 2) / 3 * 4 + 1, &at);
	if (rc)
		return err_add(rc, "token");
	EVP_EncodeBlock(at, plain.data, (int)plain.len);
	return post(s, "simpleenroll", (const char *)field.data, csr, out);
}

int est_simpleenroll_shown(struct est_session *s, const struct buf *csr, struct buf *out)
{
	return post(s, "simpleenroll", NULL, csr, out);
}

int est_simplereenroll(struct est_session *s, const struct buf *csr, struct buf *out)
{
	return post(s, "simplereenroll", NULL, csr, out);
}

/* "2026-11-22T12:00:00.000Z" and the like (RFC 3339). */
static int moment_parse(const char *text, int64_t *out)
{
	struct tm t = {0};
	const char *rest = text ? strptime(text, "%Y-%m-%dT%H:%M:%S", &t) : NULL;

	if (rest && *rest == '.')
		rest += 1 + strspn(rest + 1, "0123456789");
	if (!rest || strcmp(rest, "Z") != 0)
		return err_set(ERR_INVALID, "renewal-info: no time");
	*out = (int64_t)timegm(&t);
	return 0;
}

static void json_auto_free(json_t **j)
{
	json_decref(*j);
}
#define AUTO_JSON __attribute__((cleanup(json_auto_free))) json_t *

static int renewal_info_parse(const struct buf *text, struct est_renewal_info *out)
{
	AUTO_JSON root = json_loadb((char *)text->data, text->len, JSON_REJECT_DUPLICATES, NULL);
	const char *start, *end;
	int rc;

	if (!root ||
	    json_unpack(root, "{s:{s:s, s:s}}", "suggestedWindow", "start", &start, "end", &end))
		return err_set(ERR_INVALID, "renewal-info: no window");
	rc = moment_parse(start, &out->start_s);
	rc = rc ? rc : moment_parse(end, &out->end_s);
	if (!rc && out->end_s < out->start_s)
		rc = err_set(ERR_INVALID, "renewal-info: the window ends before it begins");
	return rc;
}

/* "/.well-known/pumpgate/NAME", beside EST. */
static int sibling_path(const struct est_session *s, const char *name, char out[PATH_SIZE])
{
	static const char place[] = "/.well-known/";
	const char *at = strstr(s->url.path, place);

	if (!at)
		return err_set(ERR_INVALID, "no %s for this URL", name);
	snprintf(out, PATH_SIZE, "%.*s%spumpgate/%s", (int)(at - s->url.path), s->url.path, place,
		 name);
	return 0;
}

static int sibling(struct est_session *s, const char *name, const char *operation,
		   struct https_request *r, struct buf *out)
{
	char path[PATH_SIZE];
	int rc = sibling_path(s, name, path);

	return rc ? rc : perform_at(s, path, operation, r, out);
}

int est_wipe_statement(struct est_session *s, const char *order, const struct buf *statement)
{
	struct https_request r = {.body = statement, .fields = {{"Content-Type", "text/plain"}}};
	AUTO_BUF answer = {.max = 4096};
	char name[32 + WIPE_ORDER_SIZE];

	snprintf(name, sizeof(name), "decommission/%s", order);
	return sibling(s, name, "statement", &r, &answer);
}

int est_server_policy(struct est_session *s, struct buf *out)
{
	struct https_request r = {0};
	int rc = sibling(s, "server-policy", "server-policy", &r, out);

	if (rc == ERR_INVALID && s->last.status == 404)
		return err_set(ERR_NOT_FOUND, "server-policy: the server has none");
	return rc;
}

int est_renewal_info(struct est_session *s, struct est_renewal_info *out)
{
	struct https_request r = {0};
	AUTO_BUF answer = {.max = 4096};
	struct est_renewal_info info = {0};
	int rc = sibling(s, "renewal-info", "renewal-info", &r, &answer);

	rc = rc ? rc : renewal_info_parse(&answer, &info);
	if (rc)
		return rc;
	info.again_s = s->last.again_s;
	*out = info;
	return 0;
}

int est_status(struct est_session *s, const struct buf *report, struct buf *out,
	       int64_t *again_s_out)
{
	struct https_request r = {.body = report, .fields = {{"Content-Type", "application/json"}}};
	int rc = sibling(s, "status", "status", &r, out);

	*again_s_out = s->last.again_s;
	if (rc == ERR_INVALID && s->last.status == 404)
		return err_set(ERR_NOT_FOUND, "the server takes no reports");
	return rc;
}
