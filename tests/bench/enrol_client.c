/* SPDX-License-Identifier: BSD-2-Clause */
/* Owns enrolments over TLS connections. */
#include "tests/bench/enrol_client.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/pkcs7.h>
#include <openssl/x509.h>

#include "base/buf.h"

#define ANSWER_MAX 32768
#define STEP_S 10

static int crypto_error(const char *what)
{
	char text[200];

	ERR_error_string_n(ERR_get_error(), text, sizeof(text));
	ERR_clear_error();
	return err_set(ERR_CRYPTO, "%s: %s", what, text);
}

/* Base64 in lines of 64, as a C string of the caller's to free. */
static char *base64_lines(const void *data, size_t len)
{
	BIO *filter = BIO_new(BIO_f_base64()), *mem = BIO_new(BIO_s_mem());
	char *text = NULL, *at;
	long n;

	BIO_push(filter, mem);
	if (BIO_write(filter, data, (int)len) == (int)len && BIO_flush(filter) == 1) {
		n = BIO_get_mem_data(mem, &at);
		text = strndup(at, (size_t)n);
	}
	BIO_free_all(filter);
	return text;
}

int enrolment_prepare(struct enrolment *e)
{
	X509_REQ *req = X509_REQ_new();
	unsigned char *der = NULL;
	int len = -1;

	e->key = EVP_EC_gen("P-256");
	if (e->key && req &&
	    X509_NAME_add_entry_by_txt(X509_REQ_get_subject_name(req), "CN", MBSTRING_ASC,
				       (const unsigned char *)e->serial, -1, -1, 0) == 1 &&
	    X509_REQ_set_pubkey(req, e->key) == 1 && X509_REQ_sign(req, e->key, EVP_sha256()) > 0)
		len = i2d_X509_REQ(req, &der);
	if (len > 0)
		e->request = base64_lines(der, (size_t)len);
	OPENSSL_free(der);
	X509_REQ_free(req);
	return e->request ? 0 : crypto_error("certificate request");
}

static int connect_to(const char *address, uint16_t port, uint32_t source, int *fd_out)
{
	struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(port)};
	struct sockaddr_in from = {.sin_family = AF_INET, .sin_addr.s_addr = source};
	struct timeval wait = {STEP_S, 0};
	int on = 1;
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (inet_pton(AF_INET, address, &to.sin_addr) != 1)
		return err_set(ERR_INVALID, "%s: no IPv4 address", address);
	if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &wait, sizeof(wait)) ||
	    setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &wait, sizeof(wait)) ||
	    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on)) ||
	    (source && bind(fd, (struct sockaddr *)&from, sizeof(from))) ||
	    connect(fd, (struct sockaddr *)&to, sizeof(to))) {
		if (fd >= 0)
			close(fd);
		return err_errno(ERR_UNAVAILABLE, "connect");
	}
	*fd_out = fd;
	return 0;
}

static int request_send(const struct enrolment *e, SSL *ssl, bool keep)
{
	AUTO_BUF b = {.max = ANSWER_MAX};
	char login[256], basic[400];
	int rc;

	snprintf(login, sizeof(login), "%s:%s", e->serial, e->token);
	EVP_EncodeBlock((unsigned char *)basic, (const unsigned char *)login, (int)strlen(login));
	rc = buf_printf(&b,
			"POST /.well-known/est/simpleenroll HTTP/1.1\r\nHost: localhost\r\n"
			"User-Agent: pumpgate-bench\r\nAuthorization: Basic %s\r\n"
			"Content-Type: application/pkcs10\r\n"
			"Content-Transfer-Encoding: base64\r\n%s"
			"Content-Length: %zu\r\n\r\n%s",
			basic, keep ? "" : "Connection: close\r\n", strlen(e->request), e->request);
	if (rc)
		return rc;
	return SSL_write(ssl, b.data, (int)b.len) == (int)b.len ? 0 : crypto_error("SSL_write");
}

/* The whole answer up to its Content-Length or the end of the connection. */
static int answer_receive(SSL *ssl, struct buf *answer)
{
	for (;;) {
		uint8_t chunk[4096];
		const char *text, *end, *length;
		int n = SSL_read(ssl, chunk, sizeof(chunk)), rc;

		if (n <= 0)
			return answer->len ? 0 : err_set(ERR_TIMEOUT, "no answer");
		rc = buf_put(answer, chunk, (size_t)n);
		if (rc)
			return rc;
		text = buf_cstr(answer);
		end = text ? strstr(text, "\r\n\r\n") : NULL;
		length = text ? strcasestr(text, "\r\ncontent-length:") : NULL;
		if (end && length && length < end &&
		    answer->len >= (size_t)(end + 4 - text) + strtoul(length + 17, NULL, 10))
			return 0;
	}
}

/* The certificate in a base64 certs-only PKCS#7 that was issued for this key and serial. */
static int certificate_take(struct enrolment *e, const char *body)
{
	BIO *filter = BIO_new(BIO_f_base64()), *mem = BIO_new_mem_buf(body, -1);
	PKCS7 *p7;
	STACK_OF(X509) * certs;
	char cn[128] = "";

	BIO_set_flags(filter,
		      strlen(body) > 76 && !memchr(body, '\n', 77) ? BIO_FLAGS_BASE64_NO_NL : 0);
	BIO_push(filter, mem);
	p7 = d2i_PKCS7_bio(filter, NULL);
	certs = p7 && PKCS7_type_is_signed(p7) ? p7->d.sign->cert : NULL;
	for (int i = 0; i < sk_X509_num(certs) && !e->cert; i++) {
		X509 *x = sk_X509_value(certs, i);

		X509_NAME_get_text_by_NID(X509_get_subject_name(x), NID_commonName, cn, sizeof(cn));
		if (EVP_PKEY_eq(X509_get0_pubkey(x), e->key) == 1 && !strcmp(cn, e->serial) &&
		    X509_up_ref(x) == 1)
			e->cert = x;
	}
	PKCS7_free(p7);
	BIO_free_all(filter);
	ERR_clear_error();
	return e->cert ? 0 : err_set(ERR_INVALID, "%s: no certificate for this key", e->serial);
}

int enrolment_run(struct enrolment *e, struct enrol_link *l, bool keep)
{
	AUTO_BUF answer = {.max = ANSWER_MAX};
	const char *text, *body;
	int rc;

	if ((rc = request_send(e, l->ssl, keep)) || (rc = answer_receive(l->ssl, &answer)))
		return rc;
	text = buf_cstr(&answer);
	body = text ? strstr(text, "\r\n\r\n") : NULL;
	if (body && (!strncmp(text, "HTTP/1.1 503", 12) || !strncmp(text, "HTTP/1.1 429", 12)))
		return err_set(ERR_BUSY, "%s: %.60s", e->serial, text);
	if (!body || strncmp(text, "HTTP/1.1 200", 12) != 0)
		return err_set(ERR_DENIED, "%s: %.60s", e->serial, text ? text : "");
	return certificate_take(e, body + 4);
}

int enrol_link_open(struct enrol_link *l, SSL_CTX *ctx, const char *address, uint16_t port,
		    uint32_t source)
{
	int rc;

	*l = (struct enrol_link){.fd = -1};
	rc = connect_to(address, port, source, &l->fd);
	if (rc)
		return rc;
	l->ssl = SSL_new(ctx);
	if (!l->ssl || SSL_set_fd(l->ssl, l->fd) != 1 ||
	    X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(l->ssl), address) != 1)
		return crypto_error("SSL_new");
	return SSL_connect(l->ssl) == 1 ? 0 : crypto_error("TLS");
}

void enrol_link_close(struct enrol_link *l)
{
	if (l->ssl && SSL_is_init_finished(l->ssl))
		SSL_shutdown(l->ssl);
	SSL_free(l->ssl);
	ERR_clear_error();
	if (l->fd >= 0)
		close(l->fd);
	*l = (struct enrol_link){.fd = -1};
}

int enrolment_write(const struct enrolment *e, const char *folder)
{
	char path[512];
	BIO *key = BIO_new(BIO_s_mem()), *cert = BIO_new(BIO_s_mem());
	char *text;
	long len;
	int rc = 0;

	if (PEM_write_bio_PrivateKey(key, e->key, NULL, NULL, 0, NULL, NULL) != 1 ||
	    PEM_write_bio_X509(cert, e->cert) != 1)
		rc = crypto_error("PEM");
	len = BIO_get_mem_data(key, &text);
	snprintf(path, sizeof(path), "%s/%s.key", folder, e->serial);
	if (!rc)
		rc = buf_write_file(path, 0600, text, (size_t)len);
	len = BIO_get_mem_data(cert, &text);
	snprintf(path, sizeof(path), "%s/%s.pem", folder, e->serial);
	if (!rc)
		rc = buf_write_file(path, 0644, text, (size_t)len);
	BIO_free(key);
	BIO_free(cert);
	return rc;
}

void enrolment_done(struct enrolment *e)
{
	EVP_PKEY_free(e->key);
	X509_free(e->cert);
	free(e->request);
	*e = (struct enrolment){0};
}
