/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Plays a NAS that speaks RadSec, for tests: connects with a certificate, may ask whether the
 * server lives, and answers each Disconnect-Request that comes over its connection. One JSON line
 * on standard output for each thing that happens. Ends when the server closes the connection.
 *
 *   radsecnas --connect 127.0.0.1:2083 --cert F --key F --trust F [--answer ack|unknown|silent]
 *             [--split] [--status] [--unread] [--until N] [--strangers N] [--source ADDR]
 *
 * --split: its packets leave in single bytes, one TLS record each, and two packets share a record;
 * --unread: it asks for ever and reads nothing; --until: ends after N packets. --strangers: no NAS
 * but N connections that say nothing or half a hello, until the server has closed them all.
 */
#include <arpa/inet.h>
#include <getopt.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <openssl/err.h>
#include <openssl/ssl.h>

#include "radius_modules/packet/radius_packet.h"

#define SECRET "radsec"
#define SECRET_LEN 6

static struct {
	const char *connect, *cert, *key, *trust, *answer, *source;
	bool split, status, unread;
	int until, strangers;
} o = {.answer = "ack", .source = "127.0.0.1"};

static int fail(const char *what)
{
	fprintf(stderr, "radsecnas: %s\n", what);
	ERR_print_errors_fp(stderr);
	return 1;
}

static int tcp_open(void)
{
	struct sockaddr_in to = {.sin_family = AF_INET}, from = {.sin_family = AF_INET};
	const char *colon = strrchr(o.connect, ':');
	char host[64];
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	snprintf(host, sizeof(host), "%.*s", colon ? (int)(colon - o.connect) : 0, o.connect);
	if (!colon || inet_pton(AF_INET, host, &to.sin_addr) != 1 ||
	    inet_pton(AF_INET, o.source, &from.sin_addr) != 1 ||
	    bind(fd, (struct sockaddr *)&from, sizeof(from)))
		return -1;
	to.sin_port = htons((uint16_t)atoi(colon + 1));
	return fd >= 0 && !connect(fd, (struct sockaddr *)&to, sizeof(to)) ? fd : -1;
}

/* The server closes them: at once, or when their time is over. */
static int strangers_play(void)
{
	static const uint8_t half[] = {0x16, 3, 1, 2, 0, 1};
	int *fds = calloc((size_t)o.strangers, sizeof(*fds));
	char byte;

	for (int i = 0; fds && i < o.strangers; i++) {
		fds[i] = tcp_open();
		if (fds[i] < 0)
			return fail("no connection");
		if (i % 2)
			(void)!send(fds[i], half, sizeof(half), MSG_NOSIGNAL);
	}
	printf("{\"strangers\":%d}\n", o.strangers);
	for (int i = 0; fds && i < o.strangers; i++)
		while (read(fds[i], &byte, 1) > 0) /* a TLS alert may come first */
			;
	puts("{\"closed\":true}");
	return 0;
}

static bool send_all(SSL *ssl, const struct radius_packet *p)
{
	size_t step = o.split ? 1 : p->len;

	for (size_t at = 0; at < p->len; at += step)
		if (SSL_write(ssl, p->data + at, (int)step) <= 0)
			return false;
	return true;
}

static bool status_send(SSL *ssl, uint8_t id)
{
	static const uint8_t random[RADIUS_AUTHENTICATOR_BYTES] = {1, 2, 3};
	struct radius_packet p;

	radius_begin(&p, RADIUS_STATUS_SERVER, id);
	return !radius_sign_access_request(&p, random, SECRET, SECRET_LEN) && send_all(ssl, &p);
}

/* Two in one TLS record. */
static bool status_send_two(SSL *ssl)
{
	static const uint8_t random[RADIUS_AUTHENTICATOR_BYTES] = {4, 5, 6};
	uint8_t both[2 * RADIUS_PACKET_MAX];
	struct radius_packet p;
	size_t len = 0;

	for (uint8_t id = 101; id <= 102; id++) {
		radius_begin(&p, RADIUS_STATUS_SERVER, id);
		if (radius_sign_access_request(&p, random, SECRET, SECRET_LEN))
			return false;
		memcpy(both + len, p.data, p.len);
		len += p.len;
	}
	return SSL_write(ssl, both, (int)len) > 0;
}

static bool disconnect_answer(SSL *ssl, const struct radius_view *v)
{
	char session[256] = "", station[256] = "";
	bool genuine = !radius_verify_request(v, SECRET, SECRET_LEN, true);
	struct radius_packet p;
	struct radius_attr a;
	int rc = 0;

	radius_attr_str(v, RADIUS_ACCT_SESSION_ID, session, sizeof(session));
	radius_attr_str(v, RADIUS_CALLING_STATION_ID, station, sizeof(station));
	printf("{\"code\":%u,\"genuine\":%s,\"hop\":%s,\"session\":\"%s\",\"station\":\"%s\"}\n",
	       v->code, genuine ? "true" : "false",
	       radius_attr_find(v, (enum radius_attr_type)240, &a) ? "true" : "false", session,
	       station);
	if (!genuine || !strcmp(o.answer, "silent"))
		return true;
	radius_begin(&p, strcmp(o.answer, "ack") ? RADIUS_DISCONNECT_NAK : RADIUS_DISCONNECT_ACK,
		     v->id);
	if (strcmp(o.answer, "ack"))
		rc = radius_put_u32(&p, RADIUS_ERROR_CAUSE, RADIUS_CAUSE_NO_SESSION);
	if (!rc)
		rc = radius_sign_reply(&p, v->authenticator, SECRET, SECRET_LEN);
	return !rc && send_all(ssl, &p);
}

static bool packet_take(SSL *ssl, const uint8_t *data, size_t len)
{
	struct radius_view v;

	if (radius_view_parse(data, len, &v))
		return false;
	if (v.code == RADIUS_DISCONNECT_REQUEST)
		return disconnect_answer(ssl, &v);
	printf("{\"code\":%u,\"id\":%u}\n", v.code, v.id);
	return --o.until != 0;
}

static void serve(SSL *ssl)
{
	uint8_t in[2 * RADIUS_PACKET_MAX];
	size_t have = 0;
	int n;

	while ((n = SSL_read(ssl, in + have, (int)(sizeof(in) - have))) > 0) {
		size_t at = 0;

		have += (size_t)n;
		while (have - at >= 4) {
			size_t len = (size_t)in[at + 2] << 8 | in[at + 3];

			if (have - at < len)
				break;
			if (!packet_take(ssl, in + at, len))
				return;
			at += len;
		}
		memmove(in, in + at, have - at);
		have -= at;
	}
}

static int options_read(int argc, char **argv)
{
	static const struct option options[] = {
		{"connect", 1, NULL, 'a'},   {"cert", 1, NULL, 'c'},   {"key", 1, NULL, 'k'},
		{"trust", 1, NULL, 't'},     {"answer", 1, NULL, 'r'}, {"split", 0, NULL, 's'},
		{"status", 0, NULL, 'S'},    {"unread", 0, NULL, 'u'}, {"until", 1, NULL, 'n'},
		{"strangers", 1, NULL, 'x'}, {"source", 1, NULL, 'i'}, {0}};
	int c;

	while ((c = getopt_long(argc, argv, "", options, NULL)) != -1) {
		switch (c) {
		case 'a':
			o.connect = optarg;
			break;
		case 'c':
			o.cert = optarg;
			break;
		case 'k':
			o.key = optarg;
			break;
		case 't':
			o.trust = optarg;
			break;
		case 'r':
			o.answer = optarg;
			break;
		case 'n':
			o.until = atoi(optarg);
			break;
		case 'x':
			o.strangers = atoi(optarg);
			break;
		case 'i':
			o.source = optarg;
			break;
		case 's':
			o.split = true;
			break;
		case 'S':
			o.status = true;
			break;
		case 'u':
			o.unread = true;
			break;
		default:
			return 64;
		}
	}
	return o.connect && (o.trust || o.strangers) ? 0 : fail("--connect and --trust are needed");
}

int main(int argc, char **argv)
{
	SSL_CTX *ctx = SSL_CTX_new(TLS_client_method());
	int fd, rc = options_read(argc, argv);
	SSL *ssl;

	if (rc)
		return rc;
	setvbuf(stdout, NULL, _IOLBF, 0);
	if (o.strangers)
		return strangers_play();
	if (SSL_CTX_load_verify_file(ctx, o.trust) != 1 ||
	    (o.cert && (SSL_CTX_use_certificate_file(ctx, o.cert, SSL_FILETYPE_PEM) != 1 ||
			SSL_CTX_use_PrivateKey_file(ctx, o.key, SSL_FILETYPE_PEM) != 1)))
		return fail("certificate, key, trust");
	SSL_CTX_set_verify(ctx, SSL_VERIFY_PEER, NULL);
	fd = tcp_open();
	ssl = SSL_new(ctx);
	if (fd < 0 || !SSL_set_fd(ssl, fd) || !SSL_set1_host(ssl, "radsec-1.pumpgate.internal"))
		return fail("no connection");
	if (SSL_connect(ssl) != 1)
		return fail("no TLS");
	/* In TLS 1.3 a refusal comes after the handshake: the first answer shows that we are in. */
	puts("{\"tls\":true}");
	for (uint8_t id = 0; o.unread; id++)
		if (!status_send(ssl, id))
			return fail("the server closed");
	if (o.status && (!status_send(ssl, 100) || !status_send_two(ssl)))
		return fail("the server closed");
	serve(ssl);
	puts("{\"closed\":true}");
	return 0;
}
