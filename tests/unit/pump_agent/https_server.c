/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/support/cmocka.h"

#include "tests/unit/pump_agent/https_server.h"

#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tests/unit/pump_agent/pki.h"

struct https_mock {
	pthread_t thread;
	pthread_mutex_t lock;
	int listen_fd;
	int stop[2];
	SSL_CTX *ctx;
	EVP_PKEY *client_key;
	X509 *client_cert;
	STACK_OF(X509) * anchors;
	struct https_script script;
	struct https_seen seen;
};

static bool is_stopped(struct https_mock *m, int fd)
{
	struct pollfd fds[] = {{fd, POLLIN, 0}, {m->stop[0], POLLIN, 0}};

	poll(fds, 2, -1);
	return fds[1].revents != 0;
}

/* A request and its body into `out`; false: there is none any more. */
static bool request_read(struct https_mock *m, SSL *ssl, int fd, char out[4096])
{
	size_t len = 0;

	for (;;) {
		const char *end, *length;
		int n;

		if (!SSL_pending(ssl) && is_stopped(m, fd))
			return false;
		n = SSL_read(ssl, out + len, (int)(4095 - len));
		if (n <= 0)
			return false;
		len += (size_t)n;
		out[len] = '\0';
		end = strstr(out, "\r\n\r\n");
		length = strcasestr(out, "\r\nContent-Length:");
		if (end && strlen(end + 4) >= (length ? strtoul(length + 17, NULL, 10) : 0))
			return true;
	}
}

static bool say(SSL *ssl, const char *text, size_t tail, const char *end)
{
	char block[1024];
	bool ok = !*text || SSL_write(ssl, text, (int)strlen(text)) > 0;

	memset(block, 'A', sizeof(block));
	while (ok && tail) {
		int n = (int)(tail < sizeof(block) ? tail : sizeof(block));

		ok = SSL_write(ssl, block, n) == n;
		tail -= (size_t)n;
	}
	return ok && (!end || SSL_write(ssl, end, (int)strlen(end)) > 0);
}

static void channel_note(struct https_mock *m, SSL *ssl)
{
	struct https_seen *s = &m->seen;

	if (SSL_version(ssl) == TLS1_2_VERSION) {
		s->binding_len = SSL_get_peer_finished(ssl, s->binding, sizeof(s->binding));
		return;
	}
	s->binding_len = 32;
	assert_int_equal(SSL_export_keying_material(ssl, s->binding, 32, "EXPORTER-Channel-Binding",
						    24, (const uint8_t *)"", 0, 1),
			 1);
}

/* False: the test is over. */
static bool serve(struct https_mock *m, SSL *ssl, int fd)
{
	const struct https_script *t = &m->script;
	char text[4096];

	while (request_read(m, ssl, fd, text)) {
		unsigned n;

		pthread_mutex_lock(&m->lock);
		n = m->seen.requests++;
		memcpy(m->seen.last, text, sizeof(text));
		m->seen.client_cert = SSL_get0_peer_certificate(ssl) != NULL;
		channel_note(m, ssl);
		pthread_mutex_unlock(&m->lock);
		if (t->closes_at == n + 1)
			return true;
		n = n < HTTPS_ANSWERS_MAX ? n : HTTPS_ANSWERS_MAX - 1;
		while (n && !t->answers[n].text)
			n--;
		if (!t->answers[n].text)
			return !is_stopped(m, -1);
		if (!say(ssl, t->answers[n].text, t->answers[n].tail, t->answers[n].end) ||
		    t->closes)
			break;
	}
	return true;
}

static void *thread_main(void *arg)
{
	struct https_mock *m = arg;

	while (!is_stopped(m, m->listen_fd)) {
		int fd = accept(m->listen_fd, NULL, NULL);
		SSL *ssl = SSL_new(m->ctx);
		bool go_on = true;

		if (m->script.is_mute) {
			go_on = !is_stopped(m, -1);
		} else {
			SSL_set_fd(ssl, fd);
			if (SSL_accept(ssl) == 1) {
				pthread_mutex_lock(&m->lock);
				m->seen.connections++;
				pthread_mutex_unlock(&m->lock);
				go_on = serve(m, ssl, fd);
				SSL_shutdown(ssl);
			}
		}
		SSL_free(ssl);
		close(fd);
		if (!go_on)
			break;
	}
	return NULL;
}

static int accept_any(int ok, X509_STORE_CTX *store)
{
	(void)ok;
	(void)store;
	return 1;
}

static uint16_t listen_on_loopback(struct https_mock *m)
{
	struct sockaddr_in a = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t len = sizeof(a);

	m->listen_fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_int_equal(bind(m->listen_fd, (struct sockaddr *)&a, sizeof(a)), 0);
	assert_int_equal(listen(m->listen_fd, 8), 0);
	assert_int_equal(getsockname(m->listen_fd, (struct sockaddr *)&a, &len), 0);
	return ntohs(a.sin_port);
}

static void keys_make(struct https_mock *m)
{
	const struct https_script *t = &m->script;
	struct pki_spec spec = {.cn = "est",
				.san = t->san ? t->san : "IP:127.0.0.1",
				.usage = "serverAuth",
				.from_s = t->is_expired ? -7200 : 0,
				.to_s = t->is_expired ? -3600 : 3600};
	AUTO_PKEY ca_key = pki_key();
	AUTO_PKEY key = pki_key();
	AUTO_X509 ca = pki_ca("servers", ca_key, NULL, NULL);
	AUTO_X509 other = pki_ca("servers", key, NULL, NULL);
	AUTO_X509 cert = pki_cert(&spec, key, ca, ca_key);
	X509 *trusted = t->is_foreign ? other : ca;

	m->anchors = pki_stack(&trusted, 1);
	m->client_key = pki_key();
	m->client_cert = pki_ca("PG-1", m->client_key, NULL, NULL);
	m->ctx = SSL_CTX_new(TLS_server_method());
	SSL_CTX_set_verify(m->ctx, SSL_VERIFY_PEER, accept_any);
	assert_int_equal(SSL_CTX_set_max_proto_version(m->ctx, t->tls_max), 1);
	if (t->tls_max == TLS1_1_VERSION) { /* which OpenSSL offers no more by itself */
		assert_int_equal(SSL_CTX_set_min_proto_version(m->ctx, TLS1_1_VERSION), 1);
		assert_int_equal(SSL_CTX_set_cipher_list(m->ctx, "ALL:@SECLEVEL=0"), 1);
	}
	assert_int_equal(SSL_CTX_use_certificate(m->ctx, cert), 1);
	assert_int_equal(SSL_CTX_use_PrivateKey(m->ctx, key), 1);
}

struct https_mock *https_mock_start(const struct https_script *script, struct https_server *client)
{
	struct https_mock *m = calloc(1, sizeof(*m));

	m->script = *script;
	pthread_mutex_init(&m->lock, NULL);
	keys_make(m);
	*client = (struct https_server){
		.host = "127.0.0.1",
		.port = listen_on_loopback(m),
		.tls = {.anchors = m->anchors, .cert = m->client_cert, .key = m->client_key},
		.answer_max = 4096};
	assert_int_equal(pipe(m->stop), 0);
	assert_int_equal(pthread_create(&m->thread, NULL, thread_main, m), 0);
	return m;
}

struct https_seen https_mock_seen(struct https_mock *m)
{
	struct https_seen seen;

	pthread_mutex_lock(&m->lock);
	seen = m->seen;
	pthread_mutex_unlock(&m->lock);
	return seen;
}

void https_mock_stop(struct https_mock *m)
{
	if (!m)
		return;
	assert_int_equal(write(m->stop[1], "", 1), 1);
	pthread_join(m->thread, NULL);
	close(m->listen_fd);
	close(m->stop[0]);
	close(m->stop[1]);
	SSL_CTX_free(m->ctx);
	EVP_PKEY_free(m->client_key);
	X509_free(m->client_cert);
	sk_X509_pop_free(m->anchors, X509_free);
	free(m);
}
