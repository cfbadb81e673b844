/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Owns the connection to one HTTPS server and the loop that it is served in, which runs only inside
 * a call. Never sends a request before the server has proven itself.
 */
#include "pump_agent/https.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <event2/buffer.h>
#include <event2/bufferevent_ssl.h>
#include <event2/dns.h>
#include <event2/event.h>
#include <event2/http.h>
#include <event2/keyvalq_struct.h>

#include "base/clock.h"
#include "base/secret.h"
#include "pump_agent/http_fields.h"
#include "pump_agent/resolve.h"

#define TICK_MS 200
#define BINDING_BYTES 64
#define BINDING_SIZE ((BINDING_BYTES + 2) / 3 * 4 + 1)

struct https {
	struct https_server server;
	struct event_base *base;
	struct evdns_base *dns; /* of addresses only: see connection_open */
	struct event *tick;
	SSL_CTX *ctx;
	struct resolve_list addresses;
	/* the connection */
	struct evhttp_connection *http; /* NULL: none */
	struct bufferevent *tls;	/* owned by it */
	SSL *ssl;			/* a reference of ours */
	bool is_begun;			/* TCP stands, TLS has begun */
	bool is_up;			/* TLS stands: the server has proven itself */
	bool is_closed;			/* good for nothing any more */
	long verify_error;
	unsigned connections;
	char binding[BINDING_SIZE];
	bool is_proven; /* by the anchor of this hash, on the newest connection */
	uint8_t anchor_hash[32];
	/* the request that runs */
	int64_t up_by_us, answer_by_us;
	bool is_over;
	bool is_answered;
	int failure; /* ERR_*; 0: the connection ended */
	struct https_answer answer;
	struct buf *body;
};

/* Names the connection; on failure it stays without a name, and a server that wants one refuses. */
static void channel_take(struct https *h, const SSL *ssl)
{
	static const char label[] = "EXPORTER-Channel-Binding";
	uint8_t bytes[BINDING_BYTES];
	size_t len = 32;

	h->connections++;
	h->binding[0] = '\0';
	if (SSL_version(ssl) == TLS1_2_VERSION) {
		len = SSL_get_finished(ssl, bytes, sizeof(bytes));
		if (len > sizeof(bytes) || SSL_session_reused(ssl))
			len = 0;
	} else if (SSL_export_keying_material((SSL *)ssl, bytes, len, label, sizeof(label) - 1,
					      (const uint8_t *)"", 0, 1) != 1) {
		len = 0;
	}
	if (len > 0)
		EVP_EncodeBlock((uint8_t *)h->binding, bytes, (int)len);
}

/* What the server proved itself by. */
static void anchor_take(struct https *h, const SSL *ssl)
{
	STACK_OF(X509) *chain = SSL_get0_verified_chain(ssl);
	unsigned len = 0;

	h->is_proven = SSL_get_verify_result(ssl) == X509_V_OK && sk_X509_num(chain) > 0 &&
		       X509_digest(sk_X509_value(chain, sk_X509_num(chain) - 1), EVP_sha256(),
				   h->anchor_hash, &len) &&
		       len == sizeof(h->anchor_hash);
}

static void handshake_watch(const SSL *ssl, int where, int ret)
{
	struct https *h = SSL_get_app_data(ssl);

	(void)ret;
	if (!h || ssl != h->ssl)
		return;
	if (where == SSL_CB_HANDSHAKE_START)
		h->is_begun = true;
	if (where == SSL_CB_HANDSHAKE_DONE && !h->is_up) { /* tickets of TLS 1.3 are "done" too */
		h->is_up = true;
		channel_take(h, ssl);
		anchor_take(h, ssl);
	}
}

static int verify_watch(int ok, X509_STORE_CTX *store)
{
	SSL *ssl = X509_STORE_CTX_get_ex_data(store, SSL_get_ex_data_X509_STORE_CTX_idx());
	struct https *h = ssl ? SSL_get_app_data(ssl) : NULL;

	if (!ok && h && !h->verify_error)
		h->verify_error = X509_STORE_CTX_get_error(store);
	return ok;
}

static void over(struct https *h, int failure)
{
	h->is_over = true;
	h->failure = failure;
}

static void tick(evutil_socket_t fd, short what, void *arg)
{
	struct https *h = arg;
	int64_t now = clock_mono_us();

	(void)fd;
	(void)what;
	if (h->server.stop && atomic_load(h->server.stop))
		over(h, ERR_CONFLICT);
	else if (now >= h->answer_by_us || (!h->is_up && now >= h->up_by_us))
		over(h, ERR_TIMEOUT);
}

static void connection_closed(struct evhttp_connection *http, void *arg)
{
	struct https *h = arg;

	(void)http;
	h->is_closed = true;
}

/* libevent 2.1 takes a 100 (Continue), which nobody asked for, for leave to write the body, which
 * is long written, and then waits for the end of that: it is told that it has come. */
static int head_seen(struct evhttp_request *request, void *arg)
{
	struct https *h = arg;

	if (evhttp_request_get_response_code(request) == 100)
		bufferevent_trigger(h->tls, EV_WRITE, BEV_TRIG_DEFER_CALLBACKS);
	return 0;
}

/* Before the request's own callback, which then gets NULL. */
static void request_failed(enum evhttp_request_error why, void *arg)
{
	struct https *h = arg;

	if (why == EVREQ_HTTP_DATA_TOO_LONG)
		h->failure = ERR_LIMIT;
	else if (why == EVREQ_HTTP_INVALID_HEADER)
		h->failure = ERR_INVALID;
	else if (why == EVREQ_HTTP_TIMEOUT)
		h->failure = ERR_TIMEOUT;
}

static int body_take(struct evbuffer *from, struct buf *to)
{
	size_t len = evbuffer_get_length(from);
	uint8_t *at;
	int rc = buf_reserve(to, len, &at);

	if (!rc && evbuffer_remove(from, at, len) != (int)len)
		rc = err_set(ERR_INTERNAL, "a body that is not there");
	return rc;
}

static void request_done(struct evhttp_request *request, void *arg)
{
	struct https *h = arg;
	struct evkeyvalq *fields;

	h->is_over = true;
	if (!request || !evhttp_request_get_response_code(request))
		return;
	fields = evhttp_request_get_input_headers(request);
	h->answer.status = evhttp_request_get_response_code(request);
	h->answer.date_s = http_date_parse(evhttp_find_header(fields, "Date"));
	h->answer.again_s =
		http_retry_parse(evhttp_find_header(fields, "Retry-After"), clock_wall_ms() / 1000);
	if (body_take(evhttp_request_get_input_buffer(request), h->body))
		h->failure = ERR_LIMIT;
	else
		h->is_answered = true;
}

static void connection_drop(struct https *h)
{
	struct evhttp_connection *http = h->http;

	h->http = NULL;
	h->tls = NULL;
	if (http)
		evhttp_connection_free(http);
	if (h->ssl)
		SSL_set_app_data(h->ssl, NULL);
	SSL_free(h->ssl);
	h->ssl = NULL;
	h->is_begun = false;
	h->is_up = false;
	h->is_closed = false;
	ERR_clear_error();
	/* what libevent frees later, it frees now */
	(void)event_base_loop(h->base, EVLOOP_NONBLOCK);
}

/* libevent makes the connection when the request is made, by `address`; with a DNS base, which has
 * no name server, it does not ask the C library about it. */
static int connection_open(struct https *h, const char *address)
{
	h->verify_error = X509_V_OK;
	h->ssl = SSL_new(h->ctx);
	if (!h->ssl || SSL_set_app_data(h->ssl, h) != 1 || !SSL_up_ref(h->ssl))
		return err_ossl(ERR_NOMEM, "TLS");
	h->tls = bufferevent_openssl_socket_new(h->base, -1, h->ssl, BUFFEREVENT_SSL_CONNECTING,
						BEV_OPT_CLOSE_ON_FREE | BEV_OPT_DEFER_CALLBACKS);
	if (!h->tls) /* which has taken the SSL with it */
		return err_set(ERR_NOMEM, "no memory for a connection");
	h->http = evhttp_connection_base_bufferevent_new(h->base, h->dns, h->tls, address,
							 h->server.port);
	if (!h->http)
		return err_set(ERR_NOMEM, "no memory for a connection");
	evhttp_connection_set_max_headers_size(h->http, HTTPS_HEADERS_MAX);
	evhttp_connection_set_max_body_size(h->http, (ev_ssize_t)h->server.answer_max);
	evhttp_connection_set_closecb(h->http, connection_closed, h);
	if (!h->server.tls.anchors)
		return 0;
	SSL_set_verify(h->ssl, SSL_VERIFY_PEER, verify_watch);
	return tls_client_expect(h->ssl, h->server.host, resolve_is_address(h->server.host));
}

static int host_field(const struct https *h, char out[HTTPS_HOST_MAX + 16])
{
	bool is_v6 = strchr(h->server.host, ':') != NULL;
	int n = snprintf(out, HTTPS_HOST_MAX + 16, is_v6 ? "[%s]" : "%s", h->server.host);

	if (h->server.port != 443)
		n += snprintf(out + n, (size_t)(HTTPS_HOST_MAX + 16 - n), ":%u", h->server.port);
	return n < HTTPS_HOST_MAX + 16 ? 0 : err_set(ERR_LIMIT, "host name too long");
}

static int request_fill(struct https *h, const struct https_request *r, struct evhttp_request *to)
{
	struct evkeyvalq *fields = evhttp_request_get_output_headers(to);
	char host[HTTPS_HOST_MAX + 16];
	int rc = host_field(h, host);
	bool bad;

	if (rc)
		return rc;
	bad = evhttp_add_header(fields, "Host", host) ||
	      evhttp_add_header(fields, "User-Agent", "pumpgate-agentd") ||
	      evhttp_add_header(fields, "Accept", "*/*");
	for (size_t i = 0; !bad && i < HTTPS_FIELDS_MAX && r->fields[i].name; i++)
		bad = evhttp_add_header(fields, r->fields[i].name, r->fields[i].value);
	if (!bad && r->body)
		bad = evbuffer_add(evhttp_request_get_output_buffer(to), r->body->data,
				   r->body->len);
	return bad ? err_set(ERR_NOMEM, "no memory for a request") : 0;
}

/* The connection's end, in words. */
static int failure_say(struct https *h)
{
	unsigned long code = h->tls ? bufferevent_get_openssl_error(h->tls) : 0;
	const char *why = code ? ERR_reason_error_string(code) : NULL;
	const char *host = h->server.host;

	switch (h->failure) {
	case ERR_CONFLICT:
		return err_set(ERR_UNAVAILABLE, "was given up");
	case ERR_TIMEOUT:
		return err_set(ERR_TIMEOUT,
			       h->is_up ? "%s port %u did not answer within %u s"
					: "no connection to %s port %u within %u s",
			       host, h->server.port,
			       (h->is_up ? h->server.wait_ms : h->server.connect_ms) / 1000);
	case ERR_LIMIT:
		return err_set(ERR_LIMIT, "the answer is too large");
	case ERR_INVALID:
		return err_set(ERR_INVALID, "what %s port %u says is no HTTP", host,
			       h->server.port);
	default:
		break;
	}
	if (h->verify_error)
		return err_set(ERR_CRYPTO, "%s did not prove itself: %s", host,
			       X509_verify_cert_error_string(h->verify_error));
	if (!h->is_begun)
		return err_set(ERR_UNAVAILABLE, "cannot connect to %s port %u", host,
			       h->server.port);
	if (!h->is_up && why)
		return err_set(ERR_CRYPTO, "TLS with %s port %u: %s", host, h->server.port, why);
	return err_set(ERR_UNAVAILABLE, "the connection to %s port %u ended%s%s", host,
		       h->server.port, why ? ": " : "", why ? why : "");
}

/* One request over the connection that there is. */
static int request_run(struct https *h, const struct https_request *r)
{
	struct evhttp_request *request = evhttp_request_new(request_done, h);
	int rc = request ? request_fill(h, r, request) : err_set(ERR_NOMEM, "no memory");

	h->is_over = false;
	h->is_answered = false;
	h->failure = 0;
	if (rc) {
		if (request)
			evhttp_request_free(request);
		return rc;
	}
	evhttp_request_set_error_cb(request, request_failed);
	evhttp_request_set_header_cb(request, head_seen);
	if (evhttp_make_request(h->http, request, r->body ? EVHTTP_REQ_POST : EVHTTP_REQ_GET,
				r->path)) /* has freed it */
		h->is_over = true;
	while (!h->is_over)
		if (event_base_loop(h->base, EVLOOP_ONCE) < 0)
			return err_set(ERR_INTERNAL, "the loop of a request ended");
	return h->is_answered ? 0 : failure_say(h);
}

/* A new connection, to the first of the server's addresses that takes one. */
static int request_anew(struct https *h, const struct https_request *r)
{
	int64_t up_by_us = clock_mono_us() + h->server.connect_ms * INT64_C(1000);
	char address[RESOLVE_TEXT_MAX];
	int rc = 0;

	if (h->addresses.n == 0)
		rc = resolve_name(h->server.host, up_by_us, h->server.stop, &h->addresses);
	if (rc)
		return rc;
	for (size_t i = 0; i < h->addresses.n; i++) {
		int64_t now = clock_mono_us();

		connection_drop(h);
		h->up_by_us = now + (up_by_us - now) / (int64_t)(h->addresses.n - i);
		resolve_text(&h->addresses, i, address);
		rc = connection_open(h, address);
		rc = rc ? rc : request_run(h, r);
		if (!rc || h->is_begun || h->failure == ERR_CONFLICT)
			break;
	}
	return rc;
}

int https_request(struct https *h, const struct https_request *r, struct buf *body,
		  struct https_answer *out)
{
	static const struct timeval every = {0, TICK_MS * 1000};
	bool was_up = h->is_up;
	int rc = ERR_UNAVAILABLE;

	h->answer = (struct https_answer){0};
	h->failure = 0;
	h->body = body;
	h->verify_error = X509_V_OK;
	(void)event_base_loop(h->base, EVLOOP_NONBLOCK); /* has the server closed it? */
	h->answer_by_us = clock_mono_us() + h->server.wait_ms * INT64_C(1000);
	if (event_add(h->tick, &every))
		return err_set(ERR_NOMEM, "no memory for a request");
	if (was_up && !h->is_closed)
		rc = request_run(h, r);
	if (rc == ERR_UNAVAILABLE && h->failure != ERR_CONFLICT)
		rc = request_anew(h, r);
	event_del(h->tick);
	if (rc)
		connection_drop(h);
	else
		*out = h->answer;
	return rc;
}

int https_new(const struct https_server *server, struct https **out)
{
	struct https *h = calloc(1, sizeof(*h));
	int rc;

	if (!h)
		return err_set(ERR_NOMEM, "no memory for HTTPS");
	h->server = *server;
	h->base = event_base_new();
	h->dns = h->base ? evdns_base_new(h->base, 0) : NULL;
	h->tick = h->dns ? event_new(h->base, -1, EV_PERSIST, tick, h) : NULL;
	rc = h->tick ? tls_client_ctx(&server->tls, &h->ctx)
		     : err_set(ERR_NOMEM, "no memory for HTTPS");
	if (rc) {
		https_free(h);
		return rc;
	}
	SSL_CTX_set_info_callback(h->ctx, handshake_watch);
	*out = h;
	return 0;
}

void https_free(struct https *h)
{
	if (!h)
		return;
	if (h->base)
		connection_drop(h);
	if (h->tick)
		event_free(h->tick);
	if (h->dns)
		evdns_base_free(h->dns, 0);
	if (h->base)
		event_base_free(h->base);
	SSL_CTX_free(h->ctx);
	free(h);
}

int https_anchor(const struct https *h, uint8_t out[32])
{
	if (!h->server.tls.anchors || !h->is_proven)
		return err_set(ERR_CRYPTO, "the server has not proven itself");
	memcpy(out, h->anchor_hash, sizeof(h->anchor_hash));
	return 0;
}

unsigned https_connection(const struct https *h, const char **binding_out)
{
	*binding_out = h->binding;
	return h->connections;
}

bool https_is_expired(const struct https *h)
{
	return h->verify_error == X509_V_ERR_CERT_HAS_EXPIRED;
}
