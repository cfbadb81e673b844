/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/support/cmocka.h"

#include "tests/unit/pump_agent/login_server.h"

#include <poll.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <openssl/md5.h>
#include <openssl/ssl.h>

#include "tests/unit/pump_agent/pki.h"

#define SECRET LOGIN_RADSEC_SECRET, sizeof(LOGIN_RADSEC_SECRET) - 1

struct login_server {
	pthread_t thread;
	pthread_mutex_t lock;
	int listen_fd;
	int stop[2];
	SSL_CTX *ctx;
	EVP_PKEY *client_key;
	X509 *client_cert;
	STACK_OF(X509) * anchors;
	struct login_script script;
	unsigned requests;
	char name[128];
	char password[129];
	struct login_state state;
	unsigned n_records;
};

/* RFC 2865 5.2, the other way round. */
static void password_show(const struct radius_view *v, char out[129])
{
	uint8_t block[6 + 16], md[16];
	struct radius_attr a;

	memset(out, 0, 129);
	if (!radius_attr_find(v, RADIUS_USER_PASSWORD, &a) || a.len > 128)
		return;
	memcpy(block, LOGIN_RADSEC_SECRET, 6);
	for (size_t at = 0; at + 16 <= a.len; at += 16) {
		memcpy(block + 6, at ? a.value + at - 16 : v->authenticator, 16);
		EVP_Digest(block, sizeof(block), md, NULL, EVP_md5(), NULL);
		for (size_t i = 0; i < 16; i++)
			out[at + i] = (char)(a.value[at + i] ^ md[i]);
	}
}

static void says_read(struct login_server *s, const struct radius_view *v)
{
	AUTO_BUF blob = {.max = LOGIN_BLOB_MAX};
	struct radius_attr part;
	struct cursor c, item;
	size_t at = 0;
	uint8_t kind;

	while (radius_attr_vendor_next(v, &at, LOGIN_VENDOR, LOGIN_ATTR_SAYS, &part))
		(void)!buf_put(&blob, part.value, part.len);
	c = cursor_of(blob.data, blob.len);
	s->n_records = 0;
	while (login_item_next(&c, &kind, &item) == 1) {
		if (kind == LOGIN_KIND_STATE)
			(void)!record_get(&item, &record_login_state, &s->state);
		s->n_records += kind == LOGIN_KIND_RECORD;
	}
}

static void request_read(struct login_server *s, const uint8_t *data, size_t len)
{
	struct radius_view v;

	if (radius_view_parse(data, len, &v))
		return;
	s->requests++;
	s->name[0] = '\0';
	(void)radius_attr_str(&v, RADIUS_USER_NAME, s->name, sizeof(s->name));
	password_show(&v, s->password);
	says_read(s, &v);
}

static void answer_build(const struct login_script *t, const uint8_t *request,
			 struct radius_packet *p)
{
	AUTO_BUF blob = {.max = LOGIN_BLOB_MAX};
	struct login_codes codes = {.n = t->code.id != 0};
	struct login_keeping keeping = {.password = true};
	int rc = 0;

	radius_begin(p, t->is_accept ? RADIUS_ACCESS_ACCEPT : RADIUS_ACCESS_REJECT, request[1]);
	if (t->mode == SERVER_UNSIGNED) {
		p->len = RADIUS_HEADER_BYTES;
		p->message_authenticator_at = 0;
	}
	if (*t->stone.user)
		rc = login_item_put(&blob, LOGIN_KIND_TOMBSTONE, &record_login_tombstone,
				    &t->stone);
	rc = rc ? rc : login_item_put(&blob, LOGIN_KIND_TERMS, &record_login_terms, &t->terms);
	if (!rc && *t->grant.user)
		rc = login_item_put(&blob, LOGIN_KIND_GRANT, &record_login_grant, &t->grant);
	if (!rc && t->keep_password)
		rc = login_item_put(&blob, LOGIN_KIND_KEEPING, &record_login_keeping, &keeping);
	if (!rc && *t->refusal.result)
		rc = login_item_put(&blob, LOGIN_KIND_REFUSAL, &record_login_refusal, &t->refusal);
	if (!rc && t->has_codes)
		rc = login_item_put(&blob, LOGIN_KIND_CODES, &record_login_codes, &codes);
	if (!rc && t->code.id)
		rc = login_item_put(&blob, LOGIN_KIND_CODE, &record_login_code, &t->code);
	rc = rc ? rc : login_item_put(&blob, 200, &record_login_codes, &codes); /* unknown */
	rc = rc ? rc : radius_put_vendor(p, LOGIN_VENDOR, LOGIN_ATTR_HEARS, blob.data, blob.len);
	rc = rc ? rc : radius_sign_reply(p, request + 4, SECRET);
	if (rc)
		abort();
	if (t->mode == SERVER_FORGES)
		p->data[30] ^= 1;
}

static bool read_all(SSL *ssl, uint8_t *out, size_t len)
{
	for (size_t at = 0; at < len;) {
		int n = SSL_read(ssl, out + at, (int)(len - at));

		if (n <= 0)
			return false;
		at += (size_t)n;
	}
	return true;
}

/* False: the connection is over. */
static bool serve_one(struct login_server *s, SSL *ssl)
{
	uint8_t in[RADIUS_PACKET_MAX];
	struct login_script t;
	struct radius_packet p;
	size_t len;

	if (!read_all(ssl, in, RADIUS_HEADER_BYTES))
		return false;
	len = (size_t)in[2] << 8 | in[3];
	if (len > sizeof(in) || !read_all(ssl, in + RADIUS_HEADER_BYTES, len - RADIUS_HEADER_BYTES))
		return false;
	pthread_mutex_lock(&s->lock);
	request_read(s, in, len);
	t = s->script;
	pthread_mutex_unlock(&s->lock);
	if (t.mode == SERVER_HANGS)
		return true;
	answer_build(&t, in, &p);
	if (t.mode == SERVER_TALKS_TRASH)
		memset(p.data, 0xff, p.len);
	return SSL_write(ssl, p.data, (int)p.len) > 0 && t.mode != SERVER_HANGS_UP;
}

static bool is_stopped(struct login_server *s, int fd)
{
	struct pollfd fds[] = {{fd, POLLIN, 0}, {s->stop[0], POLLIN, 0}};

	poll(fds, 2, -1);
	return fds[1].revents != 0;
}

static void *thread_main(void *arg)
{
	struct login_server *s = arg;

	while (!is_stopped(s, s->listen_fd)) {
		int fd = accept(s->listen_fd, NULL, NULL);
		SSL *ssl = SSL_new(s->ctx);
		bool stop = false;

		SSL_set_fd(ssl, fd);
		if (SSL_accept(ssl) == 1)
			while (!(stop = !SSL_pending(ssl) && is_stopped(s, fd)) &&
			       serve_one(s, ssl))
				;
		SSL_free(ssl);
		close(fd);
		if (stop)
			break;
	}
	return NULL;
}

static void listen_on_loopback(struct login_server *s, struct radsec_server *out)
{
	struct sockaddr_in *a = (struct sockaddr_in *)&out->address;

	out->address_len = sizeof(*a);
	a->sin_family = AF_INET;
	a->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	s->listen_fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_int_equal(bind(s->listen_fd, (struct sockaddr *)a, sizeof(*a)), 0);
	assert_int_equal(listen(s->listen_fd, 8), 0);
	assert_int_equal(getsockname(s->listen_fd, (struct sockaddr *)a, &out->address_len), 0);
}

struct login_server *login_server_start(const char *name, bool foreign, struct radsec_server *out)
{
	struct login_server *s = calloc(1, sizeof(*s));
	char san[128];
	struct pki_spec spec = {.cn = name, .san = san, .usage = "serverAuth", .to_s = 3600};
	AUTO_PKEY ca_key = pki_key();
	AUTO_PKEY key = pki_key();
	AUTO_X509 ca = pki_ca("servers", ca_key, NULL, NULL);
	AUTO_X509 other = pki_ca("servers", key, NULL, NULL);
	AUTO_X509 cert = NULL;
	X509 *trusted = foreign ? other : ca;

	snprintf(san, sizeof(san), "DNS:%s", name);
	cert = pki_cert(&spec, key, ca, ca_key);
	s->client_key = pki_key();
	s->client_cert = pki_ca("PG-1", s->client_key, NULL, NULL);
	s->anchors = pki_stack(&trusted, 1);
	pthread_mutex_init(&s->lock, NULL);
	s->ctx = SSL_CTX_new(TLS_server_method());
	assert_int_equal(SSL_CTX_use_certificate(s->ctx, cert), 1);
	assert_int_equal(SSL_CTX_use_PrivateKey(s->ctx, key), 1);
	*out = (struct radsec_server){.name = "login-1.test",
				      .anchors = s->anchors,
				      .key = s->client_key,
				      .cert = s->client_cert};
	listen_on_loopback(s, out);
	assert_int_equal(pipe(s->stop), 0);
	assert_int_equal(pthread_create(&s->thread, NULL, thread_main, s), 0);
	return s;
}

void login_server_script(struct login_server *s, const struct login_script *script)
{
	pthread_mutex_lock(&s->lock);
	s->script = *script;
	pthread_mutex_unlock(&s->lock);
}

unsigned login_server_requests(struct login_server *s)
{
	unsigned n;

	pthread_mutex_lock(&s->lock);
	n = s->requests;
	pthread_mutex_unlock(&s->lock);
	return n;
}

void login_server_last(struct login_server *s, char name[128], char password[129],
		       struct login_state *state_out, unsigned *n_records_out)
{
	pthread_mutex_lock(&s->lock);
	memcpy(name, s->name, 128);
	memcpy(password, s->password, 129);
	*state_out = s->state;
	*n_records_out = s->n_records;
	pthread_mutex_unlock(&s->lock);
}

void login_server_stop(struct login_server *s)
{
	if (!s)
		return;
	if (s->listen_fd >= 0) {
		assert_int_equal(write(s->stop[1], "", 1), 1);
		pthread_join(s->thread, NULL);
		close(s->listen_fd);
	}
	close(s->stop[0]);
	close(s->stop[1]);
	SSL_CTX_free(s->ctx);
	EVP_PKEY_free(s->client_key);
	X509_free(s->client_cert);
	sk_X509_pop_free(s->anchors, X509_free);
	free(s);
}
