/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A TLS client without manners, for abuse tests.
 *
 *   est_raw PORT send [PIECE [PAUSE_MS]] <BYTES   sends standard input in pieces, prints what comes
 *                                                 back until the server closes or is silent for 20
 * s est_raw PORT hang N                           holds N connections that never finish: a third
 *                                                 without a handshake, a third without a request,
 *                                                 a third with a head that trickles; prints
 *                                                 "hanging N" and stays until it is killed
 */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <openssl/err.h>
#include <openssl/ssl.h>

#define REQUEST_MAX (1024 * 1024)
#define SILENCE_MS 20000

static int connect_to(const char *port, const char *from)
{
	struct sockaddr_in source = {.sin_family = AF_INET};
	struct sockaddr_in sa = {.sin_family = AF_INET, .sin_port = htons((uint16_t)atoi(port))};
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	int on = 1;

	sa.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	if (inet_pton(AF_INET, from, &source.sin_addr) != 1 || fd < 0 ||
	    bind(fd, (struct sockaddr *)&source, sizeof(source)) ||
	    connect(fd, (struct sockaddr *)&sa, sizeof(sa))) {
		perror("connect");
		exit(2);
	}
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	return fd;
}

/* NULL when the server refuses. */
static SSL *handshake(SSL_CTX *ctx, int fd)
{
	SSL *ssl = SSL_new(ctx);

	if (!ssl || SSL_set_fd(ssl, fd) != 1 || SSL_connect(ssl) != 1) {
		ERR_print_errors_fp(stderr);
		SSL_free(ssl);
		return NULL;
	}
	return ssl;
}

/* Prints what comes until nothing did for wait_ms; 0 at the end of the connection. */
static int answer_print(SSL *ssl, int wait_ms)
{
	struct pollfd p = {.fd = SSL_get_fd(ssl), .events = POLLIN};
	char bytes[4096];

	while (SSL_pending(ssl) || poll(&p, 1, wait_ms) > 0) {
		int n = SSL_read(ssl, bytes, sizeof(bytes));

		if (n <= 0)
			return 0;
		fwrite(bytes, 1, (size_t)n, stdout);
		fflush(stdout);
	}
	return 1;
}

static int send_stdin(SSL_CTX *ctx, const char *port, size_t piece, int pause_ms)
{
	char *request = malloc(REQUEST_MAX);
	size_t len = fread(request, 1, REQUEST_MAX, stdin);
	SSL *ssl = handshake(ctx, connect_to(port, "127.0.0.1"));

	if (!ssl)
		return 2;
	for (size_t at = 0; at < len;) {
		size_t n = len - at < piece ? len - at : piece;
		int done = SSL_write(ssl, request + at, (int)n);

		if (done <= 0)
			break; /* the server may answer and close early */
		at += (size_t)done;
		if (!answer_print(ssl, pause_ms))
			return 0;
	}
	(void)answer_print(ssl, SILENCE_MS);
	SSL_free(ssl);
	free(request);
	return 0;
}

static _Noreturn void hang(SSL_CTX *ctx, const char *port, int n, const char *from)
{
	SSL **trickling = calloc((size_t)n + 1, sizeof(SSL *));
	struct rlimit files = {4096, 4096};
	int n_trickling = 0;

	setrlimit(RLIMIT_NOFILE, &files);
	for (int i = 0; i < n; i++) {
		int fd = connect_to(port, from);

		if (i % 3 == 0)
			continue;
		SSL *ssl = handshake(ctx, fd);

		if (i % 3 == 1 || !ssl)
			continue;
		trickling[n_trickling++] = ssl;
		(void)SSL_write(ssl, "POST /.well-known/est/simpleenroll HTTP/1.1\r\nX: ", 48);
	}
	printf("hanging %d\n", n);
	fflush(stdout);
	for (;;) {
		usleep(300000);
		for (int i = 0; i < n_trickling; i++)
			(void)SSL_write(trickling[i], "x", 1); /* closed by the server: goes on */
	}
}

int main(int argc, char **argv)
{
	SSL_CTX *ctx = SSL_CTX_new(TLS_client_method());

	signal(SIGPIPE, SIG_IGN);
	if (argc >= 3 && !strcmp(argv[2], "send"))
		return send_stdin(ctx, argv[1], argc > 3 ? (size_t)atol(argv[3]) : REQUEST_MAX,
				  argc > 4 ? atoi(argv[4]) : 0);
	if ((argc == 4 || argc == 5) && !strcmp(argv[2], "hang"))
		hang(ctx, argv[1], atoi(argv[3]), argc == 5 ? argv[4] : "127.0.0.1");
	fputs("usage: est_raw PORT send [PIECE [PAUSE_MS]] | PORT hang N [ADDRESS]\n", stderr);
	return 64;
}
