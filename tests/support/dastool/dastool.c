/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A NAS's Dynamic Authorization Server for tests: hears Disconnect-Requests, says on standard
 * output what came (one JSON line each), and answers as it was told. Never for a real network.
 *
 *   dastool --secret-file F [--address IP] [--port N] [--answer ack|nak|silent|forge] [--cause N]
 * [--deaf-first N]
 *
 * The first line is {"port":N}. --deaf-first N: the first N requests get no answer.
 */
#include <arpa/inet.h>
#include <getopt.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "base/clock.h"
#include "base/secret.h"
#include "radius_modules/packet/radius_packet.h"

struct das {
	int fd;
	struct secret *secret;
	const char *answer;
	uint32_t cause;
	unsigned long deaf;
};

static void answer(const struct das *d, const struct radius_view *rq, const struct sockaddr_in *to)
{
	bool forged = !strcmp(d->answer, "forge");
	bool nak = !strcmp(d->answer, "nak");
	const uint8_t *secret = forged ? (const uint8_t *)"guess" : secret_data(d->secret);
	size_t secret_size = forged ? 5 : secret_len(d->secret);
	struct radius_packet p;
	int rc = 0;

	radius_begin(&p, nak ? RADIUS_DISCONNECT_NAK : RADIUS_DISCONNECT_ACK, rq->id);
	if (nak)
		rc = radius_put_u32(&p, RADIUS_ERROR_CAUSE, d->cause);
	rc = rc ? rc : radius_sign_reply(&p, rq->authenticator, secret, secret_size);
	if (!rc)
		(void)!sendto(d->fd, p.data, p.len, 0, (const struct sockaddr *)to, sizeof(*to));
}

static void hear(struct das *d)
{
	uint8_t data[RADIUS_PACKET_MAX];
	struct sockaddr_in from;
	socklen_t from_len = sizeof(from);
	ssize_t n = recvfrom(d->fd, data, sizeof(data), 0, (struct sockaddr *)&from, &from_len);
	char session[64] = "", station[64] = "";
	struct radius_view rq;
	uint32_t at = 0;
	bool genuine;

	if (n < 0 || radius_view_parse(data, (size_t)n, &rq)) {
		puts("{\"packet\":\"malformed\"}");
		return;
	}
	genuine = !radius_verify_request(&rq, secret_data(d->secret), secret_len(d->secret), true);
	radius_attr_str(&rq, RADIUS_ACCT_SESSION_ID, session, sizeof(session));
	radius_attr_str(&rq, RADIUS_CALLING_STATION_ID, station, sizeof(station));
	radius_attr_u32(&rq, RADIUS_EVENT_TIMESTAMP, &at);
	if (strpbrk(session, "\"\\") || strpbrk(station, "\"\\"))
		session[0] = station[0] = '\0';
	printf("{\"code\":%u,\"id\":%u,\"genuine\":%s,\"session\":\"%s\",\"station\":\"%s\","
	       "\"age_s\":%lld}\n",
	       rq.code, rq.id, genuine ? "true" : "false", session, station,
	       (long long)(clock_wall_ms() / 1000 - at));
	if (d->deaf)
		d->deaf--;
	else if (genuine && strcmp(d->answer, "silent") != 0)
		answer(d, &rq, &from);
}

static int listen_on(const char *address, unsigned long port, int *fd_out)
{
	struct sockaddr_in at = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
	socklen_t len = sizeof(at);

	if (inet_pton(AF_INET, address, &at.sin_addr) != 1)
		return err_set(ERR_INVALID, "%s: not an IPv4 address", address);
	*fd_out = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (*fd_out < 0 || bind(*fd_out, (struct sockaddr *)&at, sizeof(at)) ||
	    getsockname(*fd_out, (struct sockaddr *)&at, &len))
		return err_errno(ERR_IO, "port %lu", port);
	printf("{\"port\":%u}\n", ntohs(at.sin_port));
	return 0;
}

int main(int argc, char **argv)
{
	static const struct option options[] = {{"port", 1, NULL, 'p'},
						{"secret-file", 1, NULL, 's'},
						{"answer", 1, NULL, 'a'},
						{"cause", 1, NULL, 'c'},
						{"deaf-first", 1, NULL, 'd'},
						{"address", 1, NULL, 'A'},
						{0}};
	static struct das d = {.answer = "ack", .cause = 503};
	const char *secret_file = NULL, *address = "127.0.0.1";
	unsigned long port = 0;
	int c;

	while ((c = getopt_long(argc, argv, "", options, NULL)) != -1) {
		if (c == 'p')
			port = strtoul(optarg, NULL, 10);
		else if (c == 's')
			secret_file = optarg;
		else if (c == 'a')
			d.answer = optarg;
		else if (c == 'A')
			address = optarg;
		else if (c == 'c')
			d.cause = (uint32_t)strtoul(optarg, NULL, 10);
		else if (c == 'd')
			d.deaf = strtoul(optarg, NULL, 10);
		else
			return 64;
	}
	if (!secret_file || optind != argc)
		return 64;
	setvbuf(stdout, NULL, _IOLBF, 0);
	if (secret_read_file(secret_file, 128, &d.secret) || listen_on(address, port, &d.fd)) {
		fprintf(stderr, "dastool: %s\n", err_text());
		return 1;
	}
	for (;;)
		hear(&d);
}
