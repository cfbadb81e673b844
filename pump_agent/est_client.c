/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Owns the agent's HTTPS requests; HTTP is libcurl's. Never sends a token or shows a certificate on
 * a connection whose server has not proven itself, never follows the server elsewhere.
 */
#include "pump_agent/est_client.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>

#include <curl/curl.h>
#include <jansson.h>
#include <openssl/ssl.h>

#include "pump_agent/anchors.h"
#include "pump_agent/bundle.h"

#define HEADERS_MAX 16384
#define BINDING_BYTES 64
#define BINDING_SIZE ((BINDING_BYTES + 2) / 3 * 4 + 1)
#define BODY_LINE 64 /* base64 characters per line, as RFC 7030's examples */

struct est_session {
	CURL *curl;
	char url[EST_URL_MAX];
	const STACK_OF(X509) * anchors; /* NULL: not verified */
	struct est_identity shown;
	const atomic_bool *stop;
	struct buf answer;
	size_t header_bytes;
	unsigned connections;
	char binding[BINDING_SIZE]; /* of the newest connection */
	int64_t date_ms;
	bool is_expired;
	char why[CURL_ERROR_SIZE];
};

static int session_index = -1; /* of SSL_CTX's extra data */

int est_client_init(void)
{
	session_index = SSL_CTX_get_ex_new_index(0, NULL, NULL, NULL, NULL);
	if (session_index < 0 || curl_global_init(CURL_GLOBAL_DEFAULT))
		return err_set(ERR_INTERNAL, "libcurl cannot start");
	return 0;
}

static size_t take_body(char *data, size_t size, size_t n, void *arg)
{
	struct est_session *s = arg;

	return buf_put(&s->answer, data, size * n) ? 0 : size * n;
}

static size_t take_header(char *data, size_t size, size_t n, void *arg)
{
	static const char name[] = "Date:";
	struct est_session *s = arg;
	char value[64];

	s->header_bytes += size * n;
	if (size * n > sizeof(name) && size * n < sizeof(value) &&
	    !strncasecmp(data, name, sizeof(name) - 1)) {
		time_t at;

		snprintf(value, sizeof(value), "%.*s", (int)(size * n - sizeof(name) + 1),
			 data + sizeof(name) - 1);
		at = curl_getdate(value, NULL);
		s->date_ms = at > 0 ? (int64_t)at * 1000 : 0;
	}
	return s->header_bytes > HEADERS_MAX ? 0 : size * n;
}

static int watch(void *arg, curl_off_t dl_total, curl_off_t dl, curl_off_t ul_total, curl_off_t ul)
{
	const struct est_session *s = arg;

	(void)dl_total;
	(void)dl;
	(void)ul_total;
	(void)ul;
	return s->stop && atomic_load(s->stop);
}

/* Names the connection; on failure it stays without a name, and a server that wants one refuses. */
static void channel_take(struct est_session *s, const SSL *ssl)
{
	static const char label[] = "EXPORTER-Channel-Binding";
	uint8_t bytes[BINDING_BYTES];
	size_t len = 32;

	s->connections++;
	s->binding[0] = '\0';
	if (SSL_version(ssl) == TLS1_2_VERSION) {
		len = SSL_get_finished(ssl, bytes, sizeof(bytes));
		if (len > sizeof(bytes) || SSL_session_reused(ssl))
			len = 0;
	} else if (SSL_export_keying_material((SSL *)ssl, bytes, len, label, sizeof(label) - 1,
					      (const uint8_t *)"", 0, 1) != 1) {
		len = 0;
	}
	if (len > 0)
		EVP_EncodeBlock((uint8_t *)s->binding, bytes, (int)len);
}

static void handshake_watch(const SSL *ssl, int where, int ret)
{
	struct est_session *s = SSL_CTX_get_ex_data(SSL_get_SSL_CTX(ssl), session_index);

	(void)ret;
	if (s && where == SSL_CB_HANDSHAKE_DONE)
		channel_take(s, ssl);
}

/* The last word on TLS: trust just our anchors, whatever libcurl or the system would add. */
static CURLcode set_trust(CURL *curl, void *ssl_ctx, void *arg)
{
	struct est_session *s = arg;
	X509_STORE *store;

	(void)curl;
	if (anchors_store(s->anchors, &store))
		return CURLE_SSL_CACERT_BADFILE;
	SSL_CTX_set_cert_store(ssl_ctx, store); /* takes it */
	SSL_CTX_set_session_cache_mode(ssl_ctx, SSL_SESS_CACHE_OFF);
	if (SSL_CTX_set_ex_data(ssl_ctx, session_index, s) != 1)
		return CURLE_OUT_OF_MEMORY;
	SSL_CTX_set_info_callback(ssl_ctx, handshake_watch);
	if (s->shown.cert && (SSL_CTX_use_certificate(ssl_ctx, s->shown.cert) != 1 ||
			      SSL_CTX_use_PrivateKey(ssl_ctx, s->shown.key) != 1))
		return CURLE_SSL_CERTPROBLEM;
	for (int i = 0; i < sk_X509_num(s->shown.chain); i++)
		if (SSL_CTX_add1_chain_cert(ssl_ctx, sk_X509_value(s->shown.chain, i)) != 1)
			return CURLE_SSL_CERTPROBLEM;
	return CURLE_OK;
}

#define SET(option, value) (rc = rc ? rc : curl_easy_setopt(s->curl, (option), (value)))

static int session_set_up(struct est_session *s)
{
	CURLcode rc = CURLE_OK;

	SET(CURLOPT_PROTOCOLS_STR, "https");
	SET(CURLOPT_FOLLOWLOCATION, 0L);
	SET(CURLOPT_PROXY, "");
	SET(CURLOPT_NOPROXY, "*");
	SET(CURLOPT_NETRC, (long)CURL_NETRC_IGNORED);
	SET(CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
	SET(CURLOPT_USERAGENT, "pumpgate-agentd");
	SET(CURLOPT_NOSIGNAL, 1L);
	SET(CURLOPT_CONNECTTIMEOUT_MS, (long)EST_CONNECT_MS);
	SET(CURLOPT_TIMEOUT_MS, (long)EST_WAIT_MS);
	SET(CURLOPT_MAXFILESIZE, (long)EST_ANSWER_MAX);
	SET(CURLOPT_WRITEFUNCTION, take_body);
	SET(CURLOPT_WRITEDATA, s);
	SET(CURLOPT_HEADERFUNCTION, take_header);
	SET(CURLOPT_HEADERDATA, s);
	SET(CURLOPT_XFERINFOFUNCTION, watch);
	SET(CURLOPT_XFERINFODATA, s);
	SET(CURLOPT_NOPROGRESS, 0L);
	SET(CURLOPT_ERRORBUFFER, s->why);
	SET(CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
	SET(CURLOPT_CAPATH, NULL);
	SET(CURLOPT_CAINFO, NULL);
	SET(CURLOPT_SSL_VERIFYPEER, s->anchors ? 1L : 0L);
	SET(CURLOPT_SSL_VERIFYHOST, s->anchors ? 2L : 0L);
	if (s->anchors) {
		SET(CURLOPT_SSL_CTX_FUNCTION, set_trust);
		SET(CURLOPT_SSL_CTX_DATA, s);
	}
	if (rc)
		return err_set(ERR_INTERNAL, "libcurl refuses a setting: %s",
			       curl_easy_strerror(rc));
	return 0;
}

static int session_make(const char *url, const STACK_OF(X509) * anchors,
			const struct est_identity *shown, const atomic_bool *stop,
			struct est_session **out)
{
	AUTO_EST s = calloc(1, sizeof(*s));
	int rc;

	if (!s || !(s->curl = curl_easy_init()))
		return err_set(ERR_NOMEM, "no memory for an EST session");
	s->anchors = anchors;
	if (shown)
		s->shown = *shown;
	s->stop = stop;
	buf_init(&s->answer, EST_ANSWER_MAX);
	rc = est_url_check(url);
	rc = rc ? rc : str_copy(s->url, sizeof(s->url), url);
	rc = rc ? rc : session_set_up(s);
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
	curl_easy_cleanup(s->curl);
	buf_done(&s->answer);
	free(s);
}

int64_t est_session_time(const struct est_session *s)
{
	return s->date_ms;
}

bool est_session_is_expired(const struct est_session *s)
{
	return s->is_expired;
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
	long status = 0;

	curl_easy_getinfo(s->curl, CURLINFO_RESPONSE_CODE, &status);
	if (status == 200)
		return 0;
	if (status == 401)
		return err_set(ERR_DENIED, "%s: the server refused our name and token%s%s",
			       operation, *text ? ": " : "", text);
	if (status == 403)
		return err_set(says_revoked(text) ? ERR_CONFLICT : ERR_DENIED, "%s: %s", operation,
			       text);
	if (status == 202 || status == 429 || status >= 500)
		return err_set(ERR_BUSY, "%s: the server asks for patience (%ld) %s", operation,
			       status, text);
	return err_set(ERR_INVALID, "%s: the server answered %ld %s", operation, status, text);
}

static int curl_check(const struct est_session *s, CURLcode code, const char *operation)
{
	const char *why = s->why[0] ? s->why : curl_easy_strerror(code);

	ERR_clear_error();
	switch (code) {
	case CURLE_OK:
		return 0;
	case CURLE_OPERATION_TIMEDOUT:
		return err_set(ERR_TIMEOUT, "%s: %s", operation, why);
	case CURLE_PEER_FAILED_VERIFICATION:
	case CURLE_SSL_CONNECT_ERROR:
	case CURLE_SSL_CERTPROBLEM:
	case CURLE_SSL_CACERT_BADFILE:
		return err_set(ERR_CRYPTO, "%s: %s", operation, why);
	case CURLE_WRITE_ERROR:
	case CURLE_FILESIZE_EXCEEDED:
		return err_set(ERR_LIMIT, "%s: the answer is too large", operation);
	default:
		return err_set(ERR_UNAVAILABLE, "%s: %s", operation, why);
	}
}

/* One request to `url`; `headers` and the method are set by the caller. */
static int perform_at(struct est_session *s, const char *url, const char *operation,
		      struct buf *out)
{
	long verified = 0;
	CURLcode code;
	int rc;

	buf_reset(&s->answer);
	s->header_bytes = 0;
	s->date_ms = 0;
	s->why[0] = '\0';
	if (curl_easy_setopt(s->curl, CURLOPT_URL, url))
		return err_set(ERR_NOMEM, "no memory for a request");
	code = curl_easy_perform(s->curl);
	s->is_expired = code == CURLE_PEER_FAILED_VERIFICATION &&
			!curl_easy_getinfo(s->curl, CURLINFO_SSL_VERIFYRESULT, &verified) &&
			verified == X509_V_ERR_CERT_HAS_EXPIRED;
	rc = curl_check(s, code, operation);
	rc = rc ? rc : answer_check(s, operation);
	rc = rc ? rc : buf_put(out, s->answer.data, s->answer.len);
	buf_reset(&s->answer);
	return rc;
}

static int perform(struct est_session *s, const char *operation, struct buf *out)
{
	char url[EST_URL_MAX + 32];

	snprintf(url, sizeof(url), "%s/%s", s->url, operation);
	return perform_at(s, url, operation, out);
}

int est_cacerts_unverified(const char *url, const atomic_bool *stop, struct buf *out)
{
	AUTO_EST s = NULL;
	int rc = session_make(url, NULL, NULL, stop, &s);

	return rc ? rc : perform(s, "cacerts", out);
}

int est_cacerts(struct est_session *s, struct buf *out)
{
	curl_easy_setopt(s->curl, CURLOPT_HTTPGET, 1L);
	return perform(s, "cacerts", out);
}

int est_csrattrs(struct est_session *s, struct buf *out)
{
	long status = 0;
	int rc;

	curl_easy_setopt(s->curl, CURLOPT_HTTPGET, 1L);
	rc = perform(s, "csrattrs", out);
	curl_easy_getinfo(s->curl, CURLINFO_RESPONSE_CODE, &status);
	/* RFC 7030 4.5.2: 204 or 404 where there are no wishes */
	if (rc == ERR_INVALID && (status == 204 || status == 404))
		return err_set(ERR_NOT_FOUND, "csrattrs: the server has none (%ld)", status);
	return rc;
}

struct est_channel est_channel(const struct est_session *s)
{
	return (struct est_channel){s->connections, s->binding};
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

static void slist_auto_free(struct curl_slist **list)
{
	curl_slist_free_all(*list);
}

static int post(struct est_session *s, const char *operation, const struct buf *csr,
		struct buf *out)
{
	__attribute__((cleanup(slist_auto_free))) struct curl_slist *headers = NULL;
	AUTO_BUF body = {.max = EST_ANSWER_MAX};
	struct curl_slist *more;
	CURLcode rc = CURLE_OK;
	int failed = base64_lines(csr, &body);

	if (failed)
		return failed;
	headers = curl_slist_append(NULL, "Content-Type: application/pkcs10");
	more = headers ? curl_slist_append(headers, "Content-Transfer-Encoding: base64") : NULL;
	if (!more || !curl_slist_append(more, "Expect:"))
		return err_set(ERR_NOMEM, "no memory for a request");
	SET(CURLOPT_POST, 1L);
	SET(CURLOPT_POSTFIELDS, (char *)body.data);
	SET(CURLOPT_POSTFIELDSIZE, (long)body.len);
	SET(CURLOPT_HTTPHEADER, headers);
	failed = rc ? err_set(ERR_NOMEM, "no memory for a request") : perform(s, operation, out);
	curl_easy_setopt(s->curl, CURLOPT_POSTFIELDS, NULL);
	curl_easy_setopt(s->curl, CURLOPT_HTTPHEADER, NULL);
	return failed;
}

int est_simpleenroll(struct est_session *s, const char *pump, const struct secret *token,
		     const struct buf *csr, struct buf *out)
{
	char password[129];
	CURLcode rc = CURLE_OK;
	int failed;

	if (secret_len(token) >= sizeof(password))
		return err_set(ERR_LIMIT, "token too long");
	memcpy(password, secret_data(token), secret_len(token));
	password[secret_len(token)] = '\0';
	SET(CURLOPT_HTTPAUTH, (long)CURLAUTH_BASIC);
	SET(CURLOPT_USERNAME, pump);
	SET(CURLOPT_PASSWORD, password);
	secret_wipe(password, sizeof(password));
	failed = rc ? err_set(ERR_NOMEM, "no memory for a request")
		    : post(s, "simpleenroll", csr, out);
	curl_easy_setopt(s->curl, CURLOPT_PASSWORD, NULL);
	curl_easy_setopt(s->curl, CURLOPT_USERNAME, NULL);
	return failed;
}

int est_simpleenroll_shown(struct est_session *s, const struct buf *csr, struct buf *out)
{
	return post(s, "simpleenroll", csr, out);
}

int est_simplereenroll(struct est_session *s, const struct buf *csr, struct buf *out)
{
	return post(s, "simplereenroll", csr, out);
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

/* "https://HOST/.well-known/pumpgate/NAME", beside EST. */
static int sibling_url(const struct est_session *s, const char *name, char out[EST_URL_MAX + 64])
{
	static const char place[] = "/.well-known/";
	const char *at = strstr(s->url, place);

	if (!at)
		return err_set(ERR_INVALID, "no %s for this URL", name);
	snprintf(out, EST_URL_MAX + 64, "%.*s%spumpgate/%s", (int)(at - s->url), s->url, place,
		 name);
	return 0;
}

static int64_t retry_after_s(struct est_session *s)
{
	curl_off_t again = 0;

	if (curl_easy_getinfo(s->curl, CURLINFO_RETRY_AFTER, &again) || again < 0)
		return 0;
	return again;
}

int est_wipe_statement(struct est_session *s, const char *order, const struct buf *statement)
{
	__attribute__((cleanup(slist_auto_free))) struct curl_slist *headers = NULL;
	AUTO_BUF answer = {.max = 4096};
	char name[32 + WIPE_ORDER_SIZE], url[EST_URL_MAX + 64];
	CURLcode rc = CURLE_OK;
	int failed;

	snprintf(name, sizeof(name), "decommission/%s", order);
	failed = sibling_url(s, name, url);
	if (failed)
		return failed;
	headers = curl_slist_append(NULL, "Content-Type: text/plain");
	SET(CURLOPT_POST, 1L);
	SET(CURLOPT_POSTFIELDS, (char *)statement->data);
	SET(CURLOPT_POSTFIELDSIZE, (long)statement->len);
	SET(CURLOPT_HTTPHEADER, headers);
	failed = rc || !headers ? err_set(ERR_NOMEM, "no memory for a request")
				: perform_at(s, url, "statement", &answer);
	curl_easy_setopt(s->curl, CURLOPT_POSTFIELDS, NULL);
	curl_easy_setopt(s->curl, CURLOPT_HTTPHEADER, NULL);
	return failed;
}

static int sibling_get(struct est_session *s, const char *name, struct buf *out)
{
	char url[EST_URL_MAX + 64];
	int rc = sibling_url(s, name, url);

	if (rc)
		return rc;
	curl_easy_setopt(s->curl, CURLOPT_HTTPGET, 1L);
	return perform_at(s, url, name, out);
}

int est_server_policy(struct est_session *s, struct buf *out)
{
	long status = 0;
	int rc = sibling_get(s, "server-policy", out);

	curl_easy_getinfo(s->curl, CURLINFO_RESPONSE_CODE, &status);
	if (rc == ERR_INVALID && status == 404)
		return err_set(ERR_NOT_FOUND, "server-policy: the server has none");
	return rc;
}

int est_renewal_info(struct est_session *s, struct est_renewal_info *out)
{
	AUTO_BUF answer = {.max = 4096};
	struct est_renewal_info info = {0};
	int rc = sibling_get(s, "renewal-info", &answer);

	rc = rc ? rc : renewal_info_parse(&answer, &info);
	if (rc)
		return rc;
	info.again_s = retry_after_s(s);
	*out = info;
	return 0;
}

int est_status(struct est_session *s, const struct buf *report, struct buf *out,
	       int64_t *again_s_out)
{
	__attribute__((cleanup(slist_auto_free))) struct curl_slist *headers = NULL;
	char url[EST_URL_MAX + 64];
	CURLcode rc = CURLE_OK;
	long status = 0;
	int failed = sibling_url(s, "status", url);

	if (failed)
		return failed;
	headers = curl_slist_append(NULL, "Content-Type: application/json");
	if (!headers || !curl_slist_append(headers, "Expect:"))
		return err_set(ERR_NOMEM, "no memory for a request");
	SET(CURLOPT_POST, 1L);
	SET(CURLOPT_POSTFIELDS, (char *)report->data);
	SET(CURLOPT_POSTFIELDSIZE, (long)report->len);
	SET(CURLOPT_HTTPHEADER, headers);
	failed = rc ? err_set(ERR_NOMEM, "no memory for a request")
		    : perform_at(s, url, "status", out);
	curl_easy_getinfo(s->curl, CURLINFO_RESPONSE_CODE, &status);
	*again_s_out = retry_after_s(s);
	curl_easy_setopt(s->curl, CURLOPT_POSTFIELDS, NULL);
	curl_easy_setopt(s->curl, CURLOPT_HTTPHEADER, NULL);
	if (failed == ERR_INVALID && status == 404)
		return err_set(ERR_NOT_FOUND, "the server takes no reports");
	return failed;
}
