/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * An EST client whose request names its TLS connection (RFC 7030 3.5), or another one.
 *
 *   est_bound PORT CA-FILE PATH SERIAL 1.2|1.3 WHAT <TOKEN
 *
 * WHAT: unique (tls-unique, RFC 5929), exporter (tls-exporter, RFC 9266), none, or relayed: the
 * right kind, but of another connection, as somebody in the middle would hand it on. Enrols with a
 * new P-256 key; prints the status and the answer's body. Exit 2 when there is no answer.
 */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>

#define ANSWER_MAX 65536

static _Noreturn void fail(const char *what)
{
	fprintf(stderr, "est_bound: %s\n", what);
	ERR_print_errors_fp(stderr);
	exit(2);
}

static SSL *connection(SSL_CTX *ctx, const char *port)
{
	struct sockaddr_in sa = {.sin_family = AF_INET, .sin_port = htons((uint16_t)atoi(port))};
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	SSL *ssl = SSL_new(ctx);

	sa.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	if (fd < 0 || connect(fd, (struct sockaddr *)&sa, sizeof(sa)))
		fail("no connection");
	if (!ssl || SSL_set_fd(ssl, fd) != 1 || SSL_connect(ssl) != 1)
		fail("handshake");
	return ssl;
}

/* base64 of what names the connection. */
static void binding_of(SSL *ssl, bool exporter, char *out)
{
	static const char label[] = "EXPORTER-Channel-Binding";
	unsigned char bytes[64];
	size_t len = 32;

	if (!exporter)
		len = SSL_get_finished(ssl, bytes, sizeof(bytes));
	else if (SSL_export_keying_material(ssl, bytes, len, label, sizeof(label) - 1,
					    (const unsigned char *)"", 0, 1) != 1)
		fail("exporter");
	EVP_EncodeBlock((unsigned char *)out, bytes, (int)len);
}

/* base64 of the request. */
static char *request(const char *serial, const char *challenge)
{
	EVP_PKEY *key = EVP_EC_gen("P-256");
	X509_REQ *req = X509_REQ_new();
	unsigned char *der = NULL;
	char *text;
	int len;

	if (!key || !req || X509_REQ_set_pubkey(req, key) != 1 ||
	    !X509_NAME_add_entry_by_txt(X509_REQ_get_subject_name(req), "CN", MBSTRING_ASC,
					(const unsigned char *)serial, -1, -1, 0))
		fail("request");
	if (*challenge && X509_REQ_add1_attr_by_NID(req, NID_pkcs9_challengePassword, MBSTRING_ASC,
						    (const unsigned char *)challenge, -1) != 1)
		fail("challengePassword");
	if (!X509_REQ_sign(req, key, EVP_sha256()) || (len = i2d_X509_REQ(req, &der)) <= 0)
		fail("signature");
	text = malloc((size_t)len * 2 + 8);
	if (!text)
		fail("no memory");
	EVP_EncodeBlock((unsigned char *)text, der, len);
	OPENSSL_free(der);
	X509_REQ_free(req);
	EVP_PKEY_free(key);
	return text;
}

static void post(SSL *ssl, const char *path, const char *serial, const char *body)
{
	static char head[2048], answer[ANSWER_MAX];
	char token[200], pair[300], basic[512];
	size_t got = 0;
	char *end;
	int n;

	if (!fgets(token, sizeof(token), stdin))
		fail("no token on standard input");
	token[strcspn(token, "\n")] = '\0';
	snprintf(pair, sizeof(pair), "%s:%s", serial, token);
	EVP_EncodeBlock((unsigned char *)basic, (const unsigned char *)pair, (int)strlen(pair));
	n = snprintf(head, sizeof(head),
		     "POST %s HTTP/1.1\r\nHost: localhost\r\nUser-Agent: est_bound\r\n"
		     "Authorization: Basic %s\r\nContent-Type: application/pkcs10\r\n"
		     "Connection: close\r\nContent-Length: %zu\r\n\r\n",
		     path, basic, strlen(body));
	if (SSL_write(ssl, head, n) != n ||
	    SSL_write(ssl, body, (int)strlen(body)) != (int)strlen(body))
		fail("sending");
	while (got < sizeof(answer) - 1 &&
	       (n = SSL_read(ssl, answer + got, (int)(sizeof(answer) - 1 - got))) > 0)
		got += (size_t)n;
	answer[got] = '\0';
	end = strstr(answer, "\r\n\r\n");
	if (strncmp(answer, "HTTP/1.1 ", 9) != 0 || !end)
		fail("no answer");
	printf("%.3s\n%s", answer + 9, end + 4);
}

int main(int argc, char **argv)
{
	SSL_CTX *ctx = SSL_CTX_new(TLS_client_method());
	char binding[128] = "";
	SSL *ssl, *other;
	bool is_12;

	if (argc != 7 || !ctx) {
		fputs("usage: est_bound PORT CA-FILE PATH SERIAL 1.2|1.3 WHAT <TOKEN\n", stderr);
		return 64;
	}
	is_12 = !strcmp(argv[5], "1.2");
	if (SSL_CTX_load_verify_locations(ctx, argv[2], NULL) != 1 ||
	    SSL_CTX_set_max_proto_version(ctx, is_12 ? TLS1_2_VERSION : TLS1_3_VERSION) != 1 ||
	    SSL_CTX_set_min_proto_version(ctx, is_12 ? TLS1_2_VERSION : TLS1_3_VERSION) != 1)
		fail("settings");
	SSL_CTX_set_verify(ctx, SSL_VERIFY_PEER, NULL);
	ssl = connection(ctx, argv[1]);
	other = connection(ctx, argv[1]);
	if (!strcmp(argv[6], "relayed"))
		binding_of(other, !is_12, binding);
	else if (strcmp(argv[6], "none") != 0)
		binding_of(ssl, !strcmp(argv[6], "exporter"), binding);
	post(ssl, argv[3], argv[4], request(argv[4], binding));
	return 0;
}
